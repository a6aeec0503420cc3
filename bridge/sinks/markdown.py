"""Markdown as several services read it: marks, links, quotes, code.

Source   spec.commonmark.org
"""

import re
from collections.abc import Callable, Iterator

from bridge.markup.spans import Link, Span, SpanMark, TextStyle, with_addresses

WordsEscape = Callable[[str], str]

STYLES = {
    "**": TextStyle.BOLD,
    "__": TextStyle.BOLD,
    "*": TextStyle.ITALIC,
    "_": TextStyle.ITALIC,
    "~~": TextStyle.STRIKE,
}

_CODE_BLOCK = re.compile(r"```[^\n`]*\n(?P<code>.+?)```", re.DOTALL)
_QUOTED = re.compile(r"> ?")
_MARKUP = re.compile(
    r"\\(?P<escaped>[^\w\s]|_)"
    r"|(?P<tick>`)(?P<code>[^`\n]+)`"
    r"|\[(?P<label>(?:\\.|[^\[\]\\\n])+)\]\((?P<link>https?://[^()\s]+)\)"
    r"|(?P<mark>\*\*|~~|\*|(?<!\w)__?)(?=\S)(?P<inner>(?:\\.|[^\\\n])+?)(?<=\S)(?P=mark)(?!\*)"
)


def read_markdown(markup: str, words: WordsEscape = str) -> list[Span]:
    """What is seen of a text; `words` makes of plain ones, as they are written, what is read."""
    spans: list[Span] = []
    end = 0
    for found in _CODE_BLOCK.finditer(markup):
        spans += _lines(markup[end : found.start()], words)
        spans.append(Span(found["code"].strip("\n"), (TextStyle.CODE_BLOCK,)))
        end = found.end()
    return [*spans, *_lines(markup[end:], words)]


def _lines(text: str, words: WordsEscape) -> Iterator[Span]:
    """The lines; those next to each other that are quoted are one quote."""
    before: tuple[SpanMark, ...] = ()
    for number, line in enumerate(text.split("\n")):
        quoted = _QUOTED.match(line)
        marks: tuple[SpanMark, ...] = (TextStyle.QUOTE,) if quoted else ()
        if number:
            yield Span("\n", marks if marks == before else ())
        yield from _inline(line[quoted.end() :] if quoted else line, marks, words)
        before = marks


def _inline(text: str, marks: tuple[SpanMark, ...], words: WordsEscape) -> Iterator[Span]:
    end = 0
    plain = ""
    for found in _MARKUP.finditer(text):
        plain += text[end : found.start()]
        end = found.end()
        if found["escaped"]:
            plain += found["escaped"]
            continue
        yield from _plain(words(plain), marks)
        plain = ""
        if found["tick"]:
            yield Span(found["code"], (*marks, TextStyle.CODE))
        elif found["link"]:
            yield from _inline(found["label"], (*marks, Link(found["link"])), words)
        else:
            yield from _inline(found["inner"], (*marks, STYLES[found["mark"]]), words)
    yield from _plain(words(plain + text[end:]), marks)


def _plain(text: str, marks: tuple[SpanMark, ...]) -> Iterator[Span]:
    if any(isinstance(mark, Link) for mark in marks):
        yield Span(text, marks)
    else:
        yield from with_addresses(text, marks)
