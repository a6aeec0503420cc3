"""How Telegram's message looks on a terminal: its text behind a bar, bold as bold, links underlined."""

from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from bridge.chart import with_signs
from bridge.message import Digest, Message
from bridge.sinks.telegram.reading import reading
from bridge.sinks.terminal import beside_bar, painted

BLUE = "#2aabee"


def words(markup: str) -> Text:
    """Telegram's HTML."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    return beside_bar(BLUE, words(with_signs(message, "text")["text"].strip()))
