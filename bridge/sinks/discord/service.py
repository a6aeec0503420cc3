"""Discord, as the rest of the house knows it."""

from bridge.markup.service import Service, Terminal
from bridge.sinks.discord.text import DiscordText, DiscordWriter


def _terminal() -> Terminal:
    from bridge.sinks.discord import terminal

    return terminal


DISCORD = Service(
    name="discord",
    text=DiscordText,
    writer=DiscordWriter,
    blocks=("content", "title", "url", "description", "fields", "color", "footer"),
    digest_blocks=("title", "description", "color", "footer", "more"),
    terminal=_terminal,
)
