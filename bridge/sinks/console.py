"""Console: shows on the terminal what a service would get; nothing leaves the house.

Sends    the message, or a digest's summary and parts, as a chat would show it, or the event as JSON, to standard output
Answers  always delivered
Quirks   what is no terminal gets plain lines, neither coloured nor wrapped
"""

import asyncio
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TextIO

from pydantic import Field

from bridge.markup.service import ServiceLook
from bridge.message import Digest, Message
from bridge.outcome import Attempt, Delivered, Limit
from bridge.people.address import Address
from bridge.sinks.base import OnSent, Retry, SinkConfig, Tools, address_of
from bridge.sinks.chats import SERVICES
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import Finding, FindingMark
from bridge.sinks.settings import MessageStyle
from bridge.terms import Quiet, Storm

EVENT = "event"  # the format that is no service's
if TYPE_CHECKING:
    Format = str
else:  # a type checker cannot read what is known only when it runs
    Format = Literal[(*SERVICES, EVENT)]
DIGEST_PARTS = 10
_writing = threading.Lock()  # two consoles do not write into each other's lines


class ConsoleConfig(SinkConfig):
    """The terminal."""

    questions: ClassVar[Sequence[SetupQuestion]] = ()

    type: Literal["console"] = Field("console", description="shows messages on the terminal")
    format: Format = Field(next(iter(SERVICES)), description="whose message is shown, or the event as JSON")
    style: MessageStyle = "normal"
    color: bool = Field(True, description="false: no colours on a terminal either")

    def open(self, tools: Tools) -> "ConsoleSink":
        return ConsoleSink(self)


class ConsoleSink:
    """`out`: where to, standard output if not given."""

    digests = True
    concurrency = 1
    addressing = None
    spacing = ()
    sender = "terminal"

    def __init__(self, config: ConsoleConfig, out: TextIO | None = None) -> None:
        self.config = config
        self.address = address_of(config)
        self._service = SERVICES.get(config.format)
        self._out = out

    @property
    def look(self) -> ServiceLook:
        if self._service is None:
            return ServiceLook()
        return ServiceLook(self._service, locale=self.config.locale, parts=DIGEST_PARTS, style=self.config.style)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(Limit("", rate) for rate in self.config.rate or ())

    @property
    def retry(self) -> Retry:
        return self.config.retry

    @property
    def quiet(self) -> Quiet | None:
        return self.config.quiet

    @property
    def storm(self) -> Storm | None:
        return self.config.storm

    def at(self, address: Address) -> "ConsoleSink":
        return self

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        return await self._show(message)

    async def asked(self, *, within: float) -> Finding:
        """There is nobody to ask."""
        return Finding(FindingMark.OK, "shows messages on the terminal where the bridge runs")

    async def send_digest(self, digest: Digest, on_sent: OnSent = None) -> Attempt:
        return await self._show(digest)

    async def _show(self, message: Message | Digest) -> Attempt:
        await asyncio.to_thread(self._print, message)  # a pipe that nobody reads must not hold up the loop
        return Attempt(Delivered())

    def _print(self, message: Message | Digest) -> None:
        from bridge.sinks.terminal import view  # brings rich: only who has a console pays for it

        out = self._out or sys.stdout
        try:
            shown = view(message, self._service, terminal=out.isatty(), color=self.config.color)
            with _writing:
                out.write(shown)
                out.flush()
        except (OSError, ValueError):  # closed, or nobody reads it any more
            return
