"""Slack's mrkdwn, read: marks that hold to a word, links, quotes, code.

Source   docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Iterator
from html import unescape

from bridge.markup.spans import Link, Span, SpanMark, TextStyle

STYLES = {"*": TextStyle.BOLD, "_": TextStyle.ITALIC, "~": TextStyle.STRIKE, "`": TextStyle.CODE}

_CODE_BLOCK = re.compile(r"```(?P<code>.+?)```", re.DOTALL)
_QUOTED = re.compile(r"(?:&gt;|>) ?")
_MARKUP = re.compile(
    r"<(?P<link>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>"
    r"|(?<!\w)(?P<mark>[*_~`])(?![\s\u200b])(?P<inner>[^\n]+?)(?<![\s\u200b])(?P=mark)(?!\w)"
)


def reading(markup: str) -> list[Span]:
    """What is seen of a text in mrkdwn."""
    spans: list[Span] = []
    end = 0
    for found in _CODE_BLOCK.finditer(markup):
        spans += _lines(markup[end : found.start()])
        spans.append(Span(unescape(found["code"].strip("\n")), (TextStyle.CODE_BLOCK,)))
        end = found.end()
    return [*spans, *_lines(markup[end:])]


def _lines(text: str) -> Iterator[Span]:
    """The lines; those next to each other that are quoted are one quote."""
    before: tuple[SpanMark, ...] = ()
    for number, line in enumerate(text.split("\n")):
        quoted = _QUOTED.match(line)
        marks: tuple[SpanMark, ...] = (TextStyle.QUOTE,) if quoted else ()
        if number:
            yield Span("\n", marks if marks == before else ())
        yield from _inline(line[quoted.end() :] if quoted else line, marks)
        before = marks


def _inline(text: str, marks: tuple[SpanMark, ...]) -> Iterator[Span]:
    end = 0
    for found in _MARKUP.finditer(text):
        yield from _plain(text[end : found.start()], marks)
        if found["mark"] == "`":
            yield from _plain(found["inner"], (*marks, TextStyle.CODE))
        elif found["mark"]:
            yield from _inline(found["inner"], (*marks, STYLES[found["mark"]]))
        else:
            yield from _target(found["link"], found["label"], marks)
        end = found.end()
    yield from _plain(text[end:], marks)


def _target(target: str, label: str | None, marks: tuple[SpanMark, ...]) -> Iterator[Span]:
    """A link; a person, a channel or a group where it is one of these."""
    special = target[0] in "@#!"
    yield from _plain(label or target, (*marks, TextStyle.TAG if special else Link(unescape(target))))


def _plain(escaped: str, marks: tuple[SpanMark, ...]) -> Iterator[Span]:
    if escaped:
        yield Span(unescape(escaped), marks)
