"""Telegram, as the rest of the house knows it."""

from bridge.markup.service import Service, Terminal
from bridge.sinks.telegram.text import TelegramText, TelegramWriter


def _terminal() -> Terminal:
    from bridge.sinks.telegram import terminal

    return terminal


TELEGRAM = Service(
    name="telegram",
    text=TelegramText,
    writer=TelegramWriter,
    blocks=("text",),
    digest_blocks=("text", "more"),
    terminal=_terminal,
)
