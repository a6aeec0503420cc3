"""Matrix's HTML, read: what is bold, what leads somewhere, what stands apart.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: content/client-server-api/modules/instant_messaging.md
"""

from html.parser import HTMLParser

from bridge.markup.spans import Link, Span, SpanMark, TextStyle, with_addresses

STYLES = {
    **dict.fromkeys(("b", "strong"), TextStyle.BOLD),
    **dict.fromkeys(("i", "em"), TextStyle.ITALIC),
    "u": TextStyle.UNDERLINE,
    **dict.fromkeys(("s", "del"), TextStyle.STRIKE),
    "code": TextStyle.CODE,
    "pre": TextStyle.CODE_BLOCK,
    "blockquote": TextStyle.QUOTE,
    "span": TextStyle.SPOILER,
}
BLOCKS = ("pre", "blockquote")
EMPTY = ("br", "hr", "img")


def reading(markup: str) -> list[Span]:
    """What is seen of a text in Matrix's HTML, with line breaks as they are or as `<br>`."""
    return _EventReader().read(markup)


class _EventReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._spans: list[Span] = []
        self._opened: list[tuple[str, SpanMark | None]] = []
        self._apart = False  # a block has ended: what follows begins a line

    def read(self, text: str) -> list[Span]:
        self.feed(text)
        self.close()
        return self._spans

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.handle_data("\n")
        if tag in EMPTY:
            return
        if tag in BLOCKS and self._spans and not self._spans[-1].text.endswith("\n"):
            self._spans.append(Span("\n", self._marks))
        link = Link(dict(attrs).get("href") or "") if tag == "a" else None
        self._opened.append((tag, link or STYLES.get(tag)))

    def handle_endtag(self, tag: str) -> None:
        if self._opened and self._opened[-1][0] == tag:
            self._opened.pop()
            self._apart = self._apart or tag in BLOCKS

    def handle_data(self, data: str) -> None:
        marks = self._marks
        if self._apart and not data.startswith("\n"):
            self._spans.append(Span("\n", marks))
        self._apart = False
        if TextStyle.CODE_BLOCK in marks:  # the language inside it is no mark of its own
            self._spans.append(Span(data, tuple(mark for mark in marks if mark is not TextStyle.CODE)))
        elif TextStyle.CODE in marks or any(isinstance(mark, Link) for mark in marks):
            self._spans.append(Span(data, marks))
        else:
            self._spans += with_addresses(data, marks)

    @property
    def _marks(self) -> tuple[SpanMark, ...]:
        return tuple(mark for _, mark in self._opened if mark is not None)
