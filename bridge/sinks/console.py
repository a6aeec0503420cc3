"""Console: shows on the terminal what a service would get; nothing leaves the house.

Sends    the message as Discord, Slack or Telegram would show it, or the event as JSON, to standard output
Answers  always delivered
Quirks   what is no terminal gets plain lines, neither coloured nor wrapped
"""

import asyncio
import sys
import threading
from typing import Literal, TextIO

from pydantic import Field

from bridge.message import Look, Message
from bridge.outcome import Attempt, Delivered
from bridge.sinks.base import Rate, Retry, SinkConfig, Tools

BLOCKS = {
    "discord": ("content", "title", "url", "description", "fields", "color", "footer"),
    "slack": ("text",),
    "telegram": ("text",),
}
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

    def __init__(self, config: ConsoleConfig, out: TextIO | None = None) -> None:
        self.config = config
        self._out = out

    @property
    def look(self) -> Look:
        blocks = BLOCKS.get(self.config.format)
        return Look(self.config.format, blocks, locale=self.config.locale) if blocks else Look()

    @property
    def rates(self) -> tuple[Rate, ...]:
        return self.config.rate or ()

    @property
    def retry(self) -> Retry:
        return self.config.retry

    async def send(self, message: Message) -> Attempt:
        await asyncio.to_thread(self._print, message)  # a pipe that nobody reads must not hold up the loop
        return Attempt(Delivered())

    def _print(self, message: Message) -> None:
        from bridge.sinks.console_view import view  # brings rich: only who has a console pays for it

        out = self._out or sys.stdout
        try:
            shown = view(message, self.config.format, terminal=out.isatty(), color=self.config.color)
            with _writing:
                out.write(shown)
                out.flush()
        except (OSError, ValueError):  # closed, or nobody reads it any more
            return
