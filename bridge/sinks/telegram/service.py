"""Telegram, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, Terminal
from bridge.sinks.telegram.text import TelegramText, TelegramWriter


def _terminal() -> Terminal:
    from bridge.sinks.telegram import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.telegram.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


TELEGRAM = Service(
    name="telegram",
    text=TelegramText,
    writer=TelegramWriter,
    blocks=("text",),
    digest_blocks=("text", "more"),
    terminal=_terminal,
    draw=_draw,
    pictures=True,
)
