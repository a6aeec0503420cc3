"""How ntfy's message looks on a terminal: its heading and its text behind a bar."""

from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from bridge.message import Digest, Message
from bridge.sinks.ntfy.reading import reading
from bridge.sinks.terminal import beside_bar, painted

GREEN = "#338574"


def words(markup: str) -> Text:
    """ntfy's text, which has no markup."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    heading = words(message["heading"].strip())
    heading.stylize("bold")
    return beside_bar(GREEN, Text("\n").join(filter(None, (heading, words(message["text"].strip())))))
