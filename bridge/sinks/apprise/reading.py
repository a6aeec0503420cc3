"""Markdown, read: marks, links, quotes, code; and the words alone, for services that read none.

Source   spec.commonmark.org
"""

import re
from collections.abc import Iterator

from bridge.markup.spans import Link, Mark, Span, Style, with_addresses

STYLES = {"**": Style.BOLD, "__": Style.BOLD, "*": Style.ITALIC, "_": Style.ITALIC, "~~": Style.STRIKE}

_CODE_BLOCK = re.compile(r"```[^\n`]*\n(?P<code>.+?)```", re.DOTALL)
_QUOTED = re.compile(r"> ?")
_MARKUP = re.compile(
    r"\\(?P<escaped>[^\w\s]|_)"
    r"|(?P<tick>`)(?P<code>[^`\n]+)`"
    r"|\[(?P<label>(?:\\.|[^\[\]\\\n])+)\]\((?P<link>https?://[^()\s]+)\)"
    r"|(?P<mark>\*\*|~~|\*|(?<!\w)__?)(?=\S)(?P<inner>(?:\\.|[^\\\n])+?)(?<=\S)(?P=mark)(?!\*)"
)


def reading(markup: str) -> list[Span]:
    """What is seen of a text in markdown."""
    spans: list[Span] = []
    end = 0
    for found in _CODE_BLOCK.finditer(markup):
        spans += _lines(markup[end : found.start()])
        spans.append(Span(found["code"].strip("\n"), (Style.CODE_BLOCK,)))
        end = found.end()
    return [*spans, *_lines(markup[end:])]


def _lines(text: str) -> Iterator[Span]:
    """The lines; those next to each other that are quoted are one quote."""
    before: tuple[Mark, ...] = ()
    for number, line in enumerate(text.split("\n")):
        quoted = _QUOTED.match(line)
        marks: tuple[Mark, ...] = (Style.QUOTE,) if quoted else ()
        if number:
            yield Span("\n", marks if marks == before else ())
        yield from _inline(line[quoted.end() :] if quoted else line, marks)
        before = marks


def _inline(text: str, marks: tuple[Mark, ...]) -> Iterator[Span]:
    end = 0
    plain = ""
    for found in _MARKUP.finditer(text):
        plain += text[end : found.start()]
        end = found.end()
        if found["escaped"]:
            plain += found["escaped"]
            continue
        yield from _plain(plain, marks)
        plain = ""
        if found["tick"]:
            yield Span(found["code"], (*marks, Style.CODE))
        elif found["link"]:
            yield from _inline(found["label"], (*marks, Link(found["link"])))
        else:
            yield from _inline(found["inner"], (*marks, STYLES[found["mark"]]))
    yield from _plain(plain + text[end:], marks)


def _plain(text: str, marks: tuple[Mark, ...]) -> Iterator[Span]:
    words = text
    if any(isinstance(mark, Link) for mark in marks):
        yield Span(words, marks)
    else:
        yield from with_addresses(words, marks)


def plain(markup: str) -> str:
    """The words of a text without any markup; an address that a word leads to stands behind it."""
    told, link = "", None
    for span in [*reading(markup), Span("")]:
        here = next((mark for mark in span.marks if isinstance(mark, Link)), None)
        if link is not None and here != link and not told.endswith(link.url):
            told += f" ({link.url})"
        told, link = told + span.text, here
    return told
