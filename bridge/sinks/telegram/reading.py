"""Telegram's HTML, read: what is bold, what leads somewhere, what is a hashtag.

Source   core.telegram.org/bots/api#html-style
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from bridge.markup.spans import Link, Mark, Span, Style, with_addresses

STYLES = {
    **dict.fromkeys(("b", "strong"), Style.BOLD),
    **dict.fromkeys(("i", "em"), Style.ITALIC),
    **dict.fromkeys(("u", "ins"), Style.UNDERLINE),
    **dict.fromkeys(("s", "strike", "del"), Style.STRIKE),
    "code": Style.CODE,
    "pre": Style.CODE_BLOCK,
    "blockquote": Style.QUOTE,
    "tg-spoiler": Style.SPOILER,
}

_HASHTAG = re.compile(r"(?<![\w#])#\w+")


def reading(markup: str) -> list[Span]:
    """What is seen of a text in Telegram's HTML."""
    return _Reader().read(markup)


def plain_reading(text: str) -> list[Span]:
    """What is seen of a text without markup."""
    return list(_with_hashtags(text, ()))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._spans: list[Span] = []
        self._opened: list[tuple[str, Mark | None]] = []

    def read(self, text: str) -> list[Span]:
        self.feed(text)
        self.close()
        return self._spans

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = Link(dict(attrs).get("href") or "") if tag == "a" else None
        self._opened.append((tag, link or STYLES.get(tag)))

    def handle_endtag(self, tag: str) -> None:
        if self._opened and self._opened[-1][0] == tag:
            self._opened.pop()

    def handle_data(self, data: str) -> None:
        marks = tuple(mark for _, mark in self._opened if mark is not None)
        if Style.CODE_BLOCK in marks:  # the language inside it is no mark of its own
            self._spans.append(Span(data, tuple(mark for mark in marks if mark is not Style.CODE)))
        elif Style.CODE in marks or any(isinstance(mark, Link) for mark in marks):
            self._spans.append(Span(data, marks))
        else:
            self._spans += _with_hashtags(data, marks)


def _with_hashtags(text: str, marks: tuple[Mark, ...]) -> Iterator[Span]:
    """Hashtags and bare addresses, which the client makes something of by itself."""
    end = 0
    for found in _HASHTAG.finditer(text):
        yield from with_addresses(text[end : found.start()], marks)
        yield Span(found[0], (*marks, Style.TAG))
        end = found.end()
    yield from with_addresses(text[end:], marks)
