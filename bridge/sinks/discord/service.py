"""Discord, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, Terminal
from bridge.sinks.discord.text import DiscordText, DiscordWriter


def _terminal() -> Terminal:
    from bridge.sinks.discord import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.discord.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


DISCORD = Service(
    name="discord",
    text=DiscordText,
    writer=DiscordWriter,
    blocks=("content", "title", "url", "description", "fields", "color", "footer"),
    digest_blocks=("title", "description", "color", "footer", "more"),
    terminal=_terminal,
    draw=_draw,
    pictures=True,
)
