"""Discord's markdown, read: the blocks of a text, or the one line of a title.

Source   bridge/markup/parser.py says what of it there is
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bridge.markup.markdown import READ, MarkdownWriter
from bridge.markup.parser import reader
from bridge.markup.spans import Link, Span, SpanMark, TextStyle, words
from bridge.markup.text import Text, web_address

if TYPE_CHECKING:
    from markdown_it.token import Token

STYLES = {
    "strong": TextStyle.BOLD,
    "em": TextStyle.ITALIC,
    "u": TextStyle.UNDERLINE,
    "s": TextStyle.STRIKE,
    "spoiler": TextStyle.SPOILER,
}
_HEADINGS = 3  # signs that a heading has at most


def reading(markup: str) -> list[Span]:
    """What is seen of a text: content, description, a field's value."""
    return _MarkdownReader().read(reader().parse(markup[:READ]))


def line_reading(markup: str) -> list[Span]:
    """What is seen of a title or a field's name, which have no lists, quotes or headings."""
    tokens = reader().parseInline(markup[:READ])
    return [span for token in tokens for span in _line(token.children or [], ())]


class _MarkdownReader:
    """Blocks under each other, as far apart as they are in the source."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._ended = 0  # the line after the last one that was read
        self._base = 0  # the line at which what is read began: a quote counts its own lines
        self._around: tuple[SpanMark, ...] = ()
        self._lead = ""  # what stands before the next words: the sign of a list's item
        self._depth = 0
        self._fresh_quote = False

    def read(self, tokens: "Sequence[Token]") -> list[Span]:
        for token in tokens:
            self._block(token)
        return self._spans

    def _block(self, token: "Token") -> None:
        match token.type:
            case "inline":
                self._add(token, _line(token.children or [], self._around))
            case "fence":
                self._add(token, [Span(token.content, (*self._around, TextStyle.CODE_BLOCK))])
            case "heading_open" if len(token.markup) > _HEADINGS:
                self._lead = f"{token.markup} "
            case "heading_open":
                self._around = (*self._around, TextStyle.HEADING)
            case "heading_close" if len(token.markup) <= _HEADINGS:
                self._around = self._around[:-1]
            case "blockquote_open":
                self._around, self._fresh_quote = (TextStyle.QUOTE,), True
                self._base = (token.map or [0])[0]
            case "blockquote_close":
                self._around, self._base = (), 0
            case "bullet_list_open" | "ordered_list_open":
                self._depth += 1
            case "bullet_list_close" | "ordered_list_close":
                self._depth -= 1
            case "list_item_open":
                sign = f"{token.info}." if token.info else "•"
                self._lead = f"{'  ' * (self._depth - 1)}{sign} "

    def _add(self, token: "Token", spans: list[Span]) -> None:
        first, last = (self._base + line for line in token.map or (self._ended - self._base, self._ended - self._base))
        quoted = (TextStyle.QUOTE,) if TextStyle.QUOTE in self._around and not self._fresh_quote else ()
        if self._spans:
            self._spans.append(Span("\n" * max(1, first - self._ended + 1), quoted))
        if self._lead:
            self._spans.append(Span(self._lead, self._around))
        self._spans += spans
        self._ended, self._lead, self._fresh_quote = last, "", False


def _line(tokens: "Sequence[Token]", around: tuple[SpanMark, ...]) -> list[Span]:
    """The words of a paragraph."""
    spans: list[Span] = []
    opened: list[SpanMark] = []
    begun: list[int] = []  # where the links that are open began
    for token in tokens:
        if token.type == "link_open":
            opened.append(Link(str(token.attrs.get("href", ""))))
            begun.append(len(spans))
        elif token.nesting > 0:
            opened.append(STYLES["u" if token.markup == "__" else token.tag])
        elif token.nesting < 0:
            mark = opened.pop()
            if isinstance(mark, Link):
                spans = _as_link(spans, begun.pop(), mark)
        elif token.type in ("softbreak", "hardbreak"):
            spans.append(Span("\n", (*around, *opened)))
        elif text := _word(token):
            spans.append(Span(text, (*around, *opened, *_own_mark(token))))
    return spans


def _as_link(spans: list[Span], begun: int, link: Link) -> list[Span]:
    """The spans; where what began as a link is none to Discord, it stands there as it was written."""
    label = words(spans[begun:])
    deceives = "://" in label and web_address(label) != web_address(link.url)
    if web_address(link.url) is not None and not deceives:
        return spans
    bare = [Span(one.text, tuple(mark for mark in one.marks if mark != link)) for one in spans[begun:]]
    return [*spans[:begun], Span("["), *bare, Span(f"]({link.url})")]


def _word(token: "Token") -> str:
    return _form(token.content) if token.type == "form" else token.content


def _own_mark(token: "Token") -> tuple[SpanMark, ...]:
    match token.type:
        case "code_inline":
            return (TextStyle.CODE,)
        case "fence":
            return (TextStyle.CODE_BLOCK,)
        case "form" if not token.content.startswith((":", "a:")):
            return (TextStyle.TAG,)
        case _:
            return ()


def _form(content: str) -> str:
    """What people see of `<@1>`, `<:name:1>` and their like, as far as it can be known here."""
    return str(MarkdownWriter(Text, _time).form(content))


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
