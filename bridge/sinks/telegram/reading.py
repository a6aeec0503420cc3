"""Telegram's HTML, read: what is bold, what leads somewhere, what is a hashtag.

Source   core.telegram.org/bots/api#html-style
"""

import re
from collections.abc import Iterator

from bridge.markup.html_reading import STYLES, html_reading
from bridge.markup.spans import Span, SpanMark, TextStyle, with_addresses

_HASHTAG = re.compile(r"(?<![\w#])#\w+")


def reading(markup: str) -> list[Span]:
    """What is seen of a text in Telegram's HTML."""
    return html_reading(markup, {**STYLES, "tg-spoiler": TextStyle.SPOILER}, _with_hashtags)


def plain_reading(text: str) -> list[Span]:
    """What is seen of a text without markup."""
    return list(_with_hashtags(text, ()))


def _with_hashtags(text: str, marks: tuple[SpanMark, ...]) -> Iterator[Span]:
    """Hashtags and bare addresses, which the client makes something of by itself."""
    end = 0
    for found in _HASHTAG.finditer(text):
        yield from with_addresses(text[end : found.start()], marks)
        yield Span(found[0], (*marks, TextStyle.TAG))
        end = found.end()
    yield from with_addresses(text[end:], marks)
