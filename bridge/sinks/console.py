"""Console: shows on the terminal what a service would get; nothing leaves the house.

Sends    the message, or a digest's summary and parts, as Discord, Slack or Telegram would show it, or the event as
         JSON, to standard output
Answers  always delivered
Quirks   what is no terminal gets plain lines, neither coloured nor wrapped
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Literal, TextIO

from pydantic import Field

from bridge.message import Digest, Look, Message
from bridge.outcome import Attempt, Delivered, Limit
from bridge.sinks.base import Retry, SinkConfig, Tools, address_of
from bridge.terms import Quiet, Storm

BLOCKS = {
    "discord": ("content", "title", "url", "description", "fields", "color", "footer"),
    "slack": ("text",),
    "telegram": ("text",),
}
PARTS = 10  # of a digest
_writing = threading.Lock()  # two consoles do not write into each other's lines


class ConsoleConfig(SinkConfig):
    """The terminal."""

    type: Literal["console"] = Field("console", description="shows messages on the terminal")
    format: Literal["discord", "slack", "telegram", "event"] = Field(
        "discord", description="whose message is shown, or the event as JSON"
    )
    color: bool = Field(True, description="false: no colours on a terminal either")

    def open(self, tools: Tools) -> "ConsoleSink":
        return ConsoleSink(self)


class ConsoleSink:
    """`out`: where to, standard output if not given."""

    digests = True
    concurrency = 1

    def __init__(self, config: ConsoleConfig, out: TextIO | None = None) -> None:
        self.config = config
        self.address = address_of(config)
        self._out = out

    @property
    def look(self) -> Look:
        blocks = BLOCKS.get(self.config.format)
        return Look(self.config.format, blocks, locale=self.config.locale, parts=PARTS) if blocks else Look()

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

    async def send(self, message: Message) -> Attempt:
        from bridge.sinks.console_view import view  # brings rich: only who has a console pays for it

        return await self._shown(lambda terminal: view(message, self.config.format, **self._terminal(terminal)))

    async def send_digest(self, digest: Digest) -> Attempt:
        from bridge.sinks.console_view import view_digest

        return await self._shown(lambda terminal: view_digest(digest, self.config.format, **self._terminal(terminal)))

    def _terminal(self, terminal: bool) -> dict[str, bool]:
        return {"terminal": terminal, "color": self.config.color}

    async def _shown(self, draw: Callable[[bool], str]) -> Attempt:
        await asyncio.to_thread(self._print, draw)  # a pipe that nobody reads must not hold up the loop
        return Attempt(Delivered())

    def _print(self, draw: Callable[[bool], str]) -> None:
        out = self._out or sys.stdout
        try:
            shown = draw(out.isatty())
            with _writing:
                out.write(shown)
                out.flush()
        except (OSError, ValueError):  # closed, or nobody reads it any more
            return
