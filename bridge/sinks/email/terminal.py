"""How a letter looks on a terminal: its subject, and the card behind a bar of its colour."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from bridge.message import RECORD, UNIT, Digest, Message
from bridge.sinks.email.message import color_of
from bridge.sinks.email.reading import reading
from bridge.sinks.terminal import beside_bar, indented, painted
from bridge.sinks.text import shows


def words(markup: str) -> Text:
    """A letter's HTML."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    lines = [_styled(message["heading"], "bold"), words(message["text"].strip()), *_facts(message["fields"])]
    lines.append(_styled(message["footer"], "dim"))
    card = beside_bar(f"#{color_of(message['color']):06x}", Group(*(one for one in lines if shows(one.plain))))
    subject = _styled(" ".join(message["subject"].split()), "bold")
    return Group(indented(subject), card) if shows(subject.plain) else card


def _styled(markup: str, style: str) -> Text:
    text = words(markup.strip())
    text.stylize(style)
    return text


def _facts(block: str) -> Iterator[Text]:
    for label, value, *_ in (one for record in block.split(RECORD) if len(one := record.split(UNIT)) >= 2):
        yield Text.assemble(_styled(label, "dim"), ": ", words(value.strip()))
