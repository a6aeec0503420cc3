"""How Bale's message looks on a terminal: its text behind a bar, bold as bold, links underlined."""

from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from bridge.message import Digest, Message
from bridge.sinks.bale.reading import reading
from bridge.sinks.terminal import beside_bar, painted

GREEN = "#00b38c"


def words(markup: str) -> Text:
    """Bale's markdown."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    return beside_bar(GREEN, words(message["text"].strip()))
