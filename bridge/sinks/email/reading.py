"""A letter's HTML, read: the few tags that a template may write, and the pieces of a letter that was put together.

Why everything goes through here: what a template writes is read into spans and painted anew (`html.py`), so that a
letter holds no other tag and no other attribute, loads nothing, and its text part says the same.
"""

from collections.abc import Callable
from html.parser import HTMLParser

from bridge.markup.html_reading import STYLES
from bridge.markup.spans import Link, Span, SpanMark, TextStyle, with_addresses
from bridge.markup.text import web_address
from bridge.value import Value

#: Classes of the elements that a letter is put together from, which are its pieces.
KINDS = ("remarks", "heading", "text", "label", "value", "footer", "rest")


class Piece(Value):
    """A part of a letter as people see it: of which kind, in which card, and what it says."""

    kind: str
    card: int
    spans: tuple[Span, ...]


def reading(markup: str) -> list[Span]:
    """What is seen of a text in a letter's HTML."""
    reader = _HtmlReader()
    reader.read(markup)
    return reader.spans


def pieces(letter: str) -> list[Piece]:
    """The pieces of a whole letter, in the order in which people see them."""
    found: list[Piece] = []
    reader = _LetterReader(found.append)
    reader.read(letter)
    return found


class _HtmlReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.spans: list[Span] = []
        self._opened: list[tuple[str, SpanMark | None]] = []

    def read(self, text: str) -> None:
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.handle_data("\n")
            return
        address = web_address(dict(attrs).get("href") or "") if tag == "a" else None
        self._opened.append((tag, Link(address) if address else STYLES.get(tag)))

    def handle_endtag(self, tag: str) -> None:
        if self._opened and self._opened[-1][0] == tag:
            self._opened.pop()

    def handle_data(self, data: str) -> None:
        marks = tuple(dict.fromkeys(mark for _, mark in self._opened if mark is not None))
        linked = any(isinstance(mark, Link) for mark in marks)
        if linked or TextStyle.CODE in marks or TextStyle.CODE_BLOCK in marks:
            self.spans.append(Span(data, marks))
        else:
            self.spans += map(_encoded, with_addresses(data, marks))


def _encoded(span: Span) -> Span:
    """A bare address as a link that a letter may hold; as words where it is none."""
    marks: list[SpanMark] = []
    for mark in span.marks:
        if not isinstance(mark, Link):
            marks.append(mark)
        elif address := web_address(mark.url):
            marks.append(Link(address))
    return Span(span.text, tuple(marks))


class _LetterReader(_HtmlReader):
    """Hands over a piece whenever an element ends that is one; what stands in none is unseen."""

    def __init__(self, take: Callable[[Piece], None]) -> None:
        super().__init__()
        self._take = take
        self._card = 0
        self._kind: tuple[str, int] | None = None  # and how many elements are open around it

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = (dict(attrs).get("class") or "").split()
        self._card += "card" in names
        if self._kind is None and (kind := next((one for one in KINDS if one in names), None)):
            self._kind, self.spans = (kind, len(self._opened)), []
        super().handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        if self._kind is not None and len(self._opened) == self._kind[1]:
            self._take(Piece(self._kind[0], self._card, tuple(self.spans)))
            self._kind = None
