"""The little HTML that chats read, as people see it: what is bold, what leads somewhere, what stands apart.

A service says which tags it knows besides, and what its clients make of plain words.
"""

from collections.abc import Callable, Iterable, Mapping
from html.parser import HTMLParser

from bridge.markup.spans import Link, Span, SpanMark, TextStyle, with_addresses

STYLES: Mapping[str, TextStyle] = {
    **dict.fromkeys(("b", "strong"), TextStyle.BOLD),
    **dict.fromkeys(("i", "em"), TextStyle.ITALIC),
    **dict.fromkeys(("u", "ins"), TextStyle.UNDERLINE),
    **dict.fromkeys(("s", "strike", "del"), TextStyle.STRIKE),
    "code": TextStyle.CODE,
    "pre": TextStyle.CODE_BLOCK,
    "blockquote": TextStyle.QUOTE,
}

#: What clients make of plain words, within the marks that are open there.
Plain = Callable[[str, tuple[SpanMark, ...]], Iterable[Span]]


def html_reading(markup: str, styles: Mapping[str, TextStyle] = STYLES, plain: Plain = with_addresses) -> list[Span]:
    """What is seen of a text; a tag that is not among the styles is passed over, and its text is not."""
    return _SpanReader(styles, plain).read(markup)


class _SpanReader(HTMLParser):
    def __init__(self, styles: Mapping[str, TextStyle], plain: Plain) -> None:
        super().__init__(convert_charrefs=True)
        self._styles, self._plain = styles, plain
        self._spans: list[Span] = []
        self._opened: list[tuple[str, SpanMark | None]] = []

    def read(self, text: str) -> list[Span]:
        self.feed(text)
        self.close()
        return self._spans

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = Link(dict(attrs).get("href") or "") if tag == "a" else None
        self._opened.append((tag, link or self._styles.get(tag)))

    def handle_endtag(self, tag: str) -> None:
        if self._opened and self._opened[-1][0] == tag:
            self._opened.pop()

    def handle_data(self, data: str) -> None:
        marks = tuple(mark for _, mark in self._opened if mark is not None)
        if TextStyle.CODE_BLOCK in marks:  # the language inside it is no mark of its own
            self._spans.append(Span(data, tuple(mark for mark in marks if mark is not TextStyle.CODE)))
        elif TextStyle.CODE in marks or any(isinstance(mark, Link) for mark in marks):
            self._spans.append(Span(data, marks))
        else:
            self._spans += self._plain(data, marks)
