"""How a message of Apprise looks on a terminal: its heading and its text behind a bar."""

from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from bridge.message import Digest, Message
from bridge.sinks.apprise.reading import reading
from bridge.sinks.terminal import beside_bar, painted

VIOLET = "#6b4fbb"


def words(markup: str) -> Text:
    """Its markdown."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    heading = words(message["heading"].strip())
    heading.stylize("bold")
    return beside_bar(VIOLET, Text("\n").join(filter(None, (heading, words(message["text"].strip())))))
