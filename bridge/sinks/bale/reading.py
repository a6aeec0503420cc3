"""Bale's markdown, read: what is bold, what is slanted, what leads somewhere.

Source   docs.bale.ai (sendMessage)
"""

import re
from collections.abc import Iterator

from bridge.markup.spans import Link, Span, SpanMark, TextStyle, with_addresses

STYLES = {"*": TextStyle.BOLD, "_": TextStyle.ITALIC}
_MARKUP = re.compile(
    r"\[(?P<label>[^\[\]\n]+)\]\((?P<link>https?://[^()\s]+)\)"
    r"|(?<!\w)(?P<mark>[*_])(?![\s\u200b])(?P<inner>[^\n]+?)(?<![\s\u200b])(?P=mark)(?!\w)"
)


def reading(markup: str) -> list[Span]:
    """What is seen of a text in Bale's markdown."""
    return list(_inline(markup, ()))


def _inline(text: str, marks: tuple[SpanMark, ...]) -> Iterator[Span]:
    end = 0
    for found in _MARKUP.finditer(text):
        yield from _plain(text[end : found.start()], marks)
        if found["link"]:
            yield from _inline(found["label"], (*marks, Link(found["link"])))
        else:
            yield from _inline(found["inner"], (*marks, STYLES[found["mark"]]))
        end = found.end()
    yield from _plain(text[end:], marks)


def _plain(text: str, marks: tuple[SpanMark, ...]) -> Iterator[Span]:
    if any(isinstance(mark, Link) for mark in marks):
        yield Span(text, marks)
    else:
        yield from with_addresses(text, marks)
