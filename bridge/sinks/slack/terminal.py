"""How Slack's message looks on a terminal: its text behind a bar, bold as bold, links underlined."""

from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from bridge.message import Digest, Message
from bridge.sinks.slack.reading import reading
from bridge.sinks.terminal import beside_bar, painted

PURPLE = "#7c3085"


def words(markup: str) -> Text:
    """Slack's mrkdwn."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    return beside_bar(PURPLE, words(message["text"].strip()))
