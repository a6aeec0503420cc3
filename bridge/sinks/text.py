"""What a text has to pass before it goes out, whatever the service: something to see, short enough, a true link.

Why not a library: textwrap and its kin count characters and know no markup; a cut must leave no `**` open, must not
part a backslash from what it escapes, nor what people see as one character, and must keep whole lines.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from yarl import URL

from bridge.markup.text import ELLIPSIS as ELLIPSIS
from bridge.markup.text import clean
from bridge.value import Value

#: Spaces, controls, and the characters that are there but show nothing.
_SEEN = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc]"
)
_JOINER = "\u200d"  # makes one picture of two
#: The joiner, skin tones, and what the flags of England and the like are written in.
_ATTACHED = re.compile(r"[\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # a flag is two of them
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")


class Markup(Value):
    """How a service's text falls into parts that must stay whole.

    parts   matches any one part: an escape, a link, a mark, a character
    marks   the parts that open, and close again
    fences  the marks between which no other mark counts
    """

    parts: re.Pattern[str] = re.compile(r".", re.DOTALL)
    marks: frozenset[str] = frozenset()
    fences: frozenset[str] = frozenset()


PLAIN = Markup()


def clip(text: str, limit: int, markup: Markup = PLAIN, size: Callable[[str], int] = len) -> str:
    """`text` in at most `limit` characters, as `size` counts them.

    Whole lines, or where these keep less than half of what fits whole words, or else whole parts; then an ellipsis, and
    what the cut left open is closed.
    """
    if size(text) <= limit:
        return text
    _, *ends = _ends(text, limit, markup, size)
    at, opened = _best(*ends)
    return text[:at].rstrip() + ELLIPSIS + "".join(reversed(opened))


def parted(text: str, limit: int, markup: Markup, size: Callable[[str], int] = len) -> Iterator[str]:
    """All of `text`, in parts of at most `limit` characters, as `size` counts: whole paragraphs, or lines, or words.

    A mark that is open where a part ends is closed there, and opened again in the next one. No part of the markup is as
    long as `limit`.
    """
    while size(text) > limit:
        at, opened = _best(*_ends(text, limit, markup, size))
        if text[at] == "\n":
            opened = _over_lines(opened, markup)
        yield _closed(text[:at].rstrip(), opened)
        text = _opened(re.sub(r"\A(?:\n+| +)", "", text[at:]), opened)
    yield text


def _closed(text: str, opened: tuple[str, ...]) -> str:
    """The text with its marks closed; one that opens at the very end is left out."""
    for mark in reversed(opened):
        text = text.removesuffix(mark).rstrip() if text.endswith(mark) else text + mark
    return text


def _opened(text: str, opened: tuple[str, ...]) -> str:
    """The text with its marks opened again; one that closes at the very beginning is left out."""
    for mark in reversed(opened):
        text = text.removeprefix(mark).lstrip("\n") if text.startswith(mark) else mark + text
    return text


_End = tuple[int, tuple[str, ...]]  # where, and the marks that are open there
_START: _End = (0, ())


def _best(*ends: _End) -> _End:
    """The first end that keeps at least half of what the last one does."""
    return next(end for end in ends if 2 * end[0] >= ends[-1][0])


def _ends(text: str, limit: int, markup: Markup, size: Callable[[str], int]) -> tuple[_End, _End, _End, _End]:
    """Where the last paragraph, line, word and part end that fit."""
    used = size(ELLIPSIS)
    opened: tuple[str, ...] = ()
    paragraph = line = word = fits = _START
    for match in markup.parts.finditer(text):
        part = match[0]
        if part == "\n":
            line = (match.start(), opened) if line[0] or shows(text[: match.start()]) else line
            paragraph = line if text.startswith("\n", match.end()) else paragraph
            opened = _over_lines(opened, markup)
        elif part.isspace():
            word = (match.start(), opened)
        elif part in markup.marks:
            opened = _turn(part, opened, markup, begins=_begins(match, markup))
        used += size(part)
        if used + sum(map(size, opened)) > limit:
            break
        if not is_inside_character(text, match.end()):
            fits = (match.end(), opened)
    return paragraph, line, word, fits


def _over_lines(opened: tuple[str, ...], markup: Markup) -> tuple[str, ...]:
    """Of the open marks those that a line's end does not close."""
    return tuple(mark for mark in opened if mark in markup.fences)


def _begins(mark: re.Match[str], markup: Markup) -> bool:
    """Whether a mark can open: behind a letter only a fence can, where another one closes it."""
    text, (start, end) = mark.string, mark.span()
    if not text[start - 1 : start].isalnum():
        return True
    return mark[0] in markup.fences and text.find(mark[0], end) >= 0


def _turn(mark: str, opened: tuple[str, ...], markup: Markup, *, begins: bool) -> tuple[str, ...]:
    """The open marks after one more: it closes its like, or opens; inside a fence only the fence counts."""
    if opened and opened[-1] in markup.fences:
        return opened[:-1] if mark == opened[-1] else opened
    if mark in opened:
        return opened[: opened.index(mark)]
    return (*opened, mark) if begins else opened


def is_inside_character(text: str, at: int) -> bool:
    """Whether `at` is inside of what people see as one character: an accented letter, a family, a flag."""
    before, after = text[at - 1 : at], text[at : at + 1]
    if not before or not after or after.isascii():
        return False
    if before in _FLAG_LETTERS and after in _FLAG_LETTERS:
        return (at - len(text[:at].rstrip(_FLAG_LETTERS))) % 2 == 1
    joined = before == _JOINER and not after.isalnum()
    return joined or _ATTACHED.match(after) is not None or unicodedata.category(after).startswith("M")


def one_line(text: str) -> str:
    """`text`, which no markup is read of, without anything that could end a line or turn the writing round."""
    return " ".join(clean(text).split())


def shows(text: str) -> bool:
    """Whether there is anything to see."""
    return _SEEN.search(text) is not None


def below(above: str, text: str) -> str:
    """A text, and above it what there is to see of another."""
    return f"{above.strip()}\n{text}" if shows(above) else text


def utf16(text: str) -> int:
    """The length in UTF-16 units: never less than what a service counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def web_url(value: object, *, limit: int = 2048) -> str | None:
    """An http or https address as it may go out, percent-encoded; None where it is none, or longer than `limit`."""
    if not isinstance(value, str) or not value.strip()[:8].lower().startswith(("http://", "https://")):
        return None
    try:
        url = URL(value.strip())
    except ValueError:
        return None
    if not url.raw_host or not _HOST.fullmatch(url.raw_host) or len(str(url)) > limit:
        return None
    return str(url)
