"""How MAX's message looks on a terminal: its text behind a bar, bold as bold, links underlined."""

from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from bridge.message import Digest, Message
from bridge.sinks.max.reading import reading
from bridge.sinks.terminal import beside_bar, painted

VIOLET = "#7b5cff"


def words(markup: str) -> Text:
    """MAX's HTML."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    return beside_bar(VIOLET, words(message["text"].strip()))
