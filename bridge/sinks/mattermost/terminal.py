"""How Mattermost's message looks on a terminal: its text behind a bar, bold as bold, links underlined."""

from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from bridge.message import Digest, Message
from bridge.sinks.mattermost.reading import reading
from bridge.sinks.terminal import beside_bar, painted

BLUE = "#1c58d9"


def words(markup: str) -> Text:
    """Mattermost's markdown."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    return beside_bar(BLUE, words(message["text"].strip()))
