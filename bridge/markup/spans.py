"""A text as people see it: words, and how each of them looks.

A service's folder reads its own markup once, in `reading.py`; whoever shows it paints what was read: terminal or page.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from bridge.markup.text import without_sentence
from bridge.value import Value

_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


class TextStyle(StrEnum):
    """How words look."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    CODE = "code"
    CODE_BLOCK = "code block"
    QUOTE = "quote"
    HEADING = "heading"
    SPOILER = "spoiler"
    TAG = "tag"  # what the service makes a name, a channel or a topic of


class Link(Value):
    """What leads somewhere."""

    url: str


SpanMark = TextStyle | Link


class Span(Value):
    """Words that look alike; line breaks are among them. `marks`: the outermost first."""

    text: str
    marks: tuple[SpanMark, ...] = ()


def words(spans: Iterable[Span]) -> str:
    """The words alone."""
    return "".join(span.text for span in spans)


def with_addresses(text: str, marks: tuple[SpanMark, ...] = ()) -> Iterator[Span]:
    """The text, for a service that makes links of bare addresses."""
    end = 0
    for found in _ADDRESS.finditer(text):
        address = without_sentence(found[0])
        if len(address) > len("https://"):
            yield from _span(text[end : found.start()], marks)
            yield Span(address, (*marks, Link(address)))
            end = found.start() + len(address)
    yield from _span(text[end:], marks)


def _span(text: str, marks: tuple[SpanMark, ...]) -> Iterator[Span]:
    if text:
        yield Span(text, marks)
