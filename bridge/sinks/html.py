"""The little HTML that chats read, cut to a service's limits: by whole lines and whole entities, never through markup.

A line break is one that people see: what a service wants in its place is put there afterwards, and counted by `size`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from html import escape
from html.parser import HTMLParser

from bridge.sinks.text import ELLIPSIS, is_inside_character, shows
from bridge.value import Value, replace

ENDLESS = 2**53

_TAG = re.compile(r"<[^<>]*>")
_PIECE = re.compile(r"\n|[^\S\n]+|\S{1,16}")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


class HtmlLimits(Value):
    """What a service takes of a text.

    raw       with markup, as `size` counts it; UTF-8 bytes unless said otherwise
    shown     code points without markup
    entities  tags that open
    targets   bytes of all links' targets
    tags      those that it reads → their attributes; of others the text alone is left. None: as they are written
    """

    raw: int
    shown: int = ENDLESS
    entities: int = ENDLESS
    targets: int = ENDLESS
    size: Callable[[str], int] = _bytes
    tags: Mapping[str, Collection[str]] | None = None

    def keeps(self, text: str) -> bool:
        """Whether the text keeps them even if all of it counted, and nothing of it has to be written anew."""
        if self.tags is not None and ("<" in text or "&" in text):
            return False
        if len(text) > self.shown or text.count("<") > 2 * self.entities:
            return False
        return self.size(text) <= self.raw and (self.targets == ENDLESS or _bytes(text) <= self.targets)


def clip_html(text: str, limits: HtmlLimits) -> str:
    """The text as it is where it keeps the limits, else cut: at a line's end, or a word's, that keeps half of it."""
    return text if limits.keeps(text) else _Cutter(limits).cut(text)


def fits_html(text: str, limits: HtmlLimits) -> bool:
    """Whether the text keeps the limits as it is."""
    if limits.keeps(text):
        return True
    cutter = _Cutter(limits)
    cutter.cut(text)
    return cutter.whole


def shows_html(text: str) -> bool:
    """Whether there is anything to see but markup."""
    return shows(_TAG.sub("", text))


def below_html(above: str, text: str) -> str:
    """A text, and above it what there is to see of another but markup."""
    return f"{above.strip()}\n{text}" if shows_html(above) else text


def plain_text(text: str) -> str:
    """What is left when the markup is taken off."""
    if "<" not in text and "&" not in text:
        return text
    return "".join(_TextReader().read(text))


class _TextReader(HTMLParser):
    """Collects the text between the tags; entities are read, too."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[str] = []

    def read(self, text: str) -> list[str]:
        self.feed(text)
        self.close()
        return self._found

    def handle_data(self, data: str) -> None:
        self._found.append(data)


class _State(Value):
    """How far the output has come: `parts` of it, what is open there, and what it counts so far."""

    parts: int = 0
    opened: tuple[str, ...] = ()
    shown: int = 0
    entities: int = 0
    targets: int = 0
    raw: int = 0


class _Full(Exception):
    """Not one more word."""


class _Cutter(HTMLParser):
    """Writes the text anew, and keeps the last line's, word's and part's end to fall back on."""

    def __init__(self, limits: HtmlLimits) -> None:
        super().__init__(convert_charrefs=True)
        self._limits = limits
        self._out: list[str] = []
        self._now = self._part = self._word = self._line = _State()
        self._seen = False
        self.whole = True

    def cut(self, text: str) -> str:
        try:
            self.feed(text)
            self.close()
        except _Full:
            self.whole = False
            end = self._end()
            kept = "".join(self._out[: end.parts]).rstrip() + ELLIPSIS
        else:
            end, kept = self._now, "".join(self._out)
        return kept + "".join(f"</{tag}>" for tag in reversed(end.opened))

    def _end(self) -> _State:
        """The last line's end where it keeps half of what fits, else the last word's, else the last part's."""
        return next(end for end in (self._line, self._word, self._part) if 2 * end.shown >= self._part.shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        now, written = self._now, self._start_tag(tag, attrs)
        if not written:
            return
        target = _bytes(written) if tag == "a" else 0
        if now.entities >= self._limits.entities or now.targets + target > self._limits.targets:
            self.whole = False
            return  # its text stays, as the service would have it
        raw = now.raw + len(f"</{tag}>")  # it will have to be closed
        opened = (*now.opened, tag)
        grown = replace(now, opened=opened, entities=now.entities + 1, targets=now.targets + target, raw=raw)
        self._write(written, grown)

    def _start_tag(self, tag: str, attrs: list[tuple[str, str | None]]) -> str:
        """The tag as it goes out, empty for one that the service does not read."""
        if self._limits.tags is None:
            return self.get_starttag_text() or ""
        if tag == "br":
            self.handle_data("\n")
        known = self._limits.tags.get(tag)
        kept = [(name, value) for name, value in attrs if name in (known or ())]
        written = "".join(f' {name}="{escape(value)}"' if value is not None else f" {name}" for name, value in kept)
        return f"<{tag}{written}>" if known is not None else ""

    def handle_endtag(self, tag: str) -> None:
        if self._now.opened[-1:] == (tag,):
            written = f"</{tag}>"
            self._write(written, replace(self._now, opened=self._now.opened[:-1], raw=self._now.raw - len(written)))

    def handle_data(self, data: str) -> None:
        for piece in _pieces(data):
            if piece == "\n" and self._seen:
                self._line = self._part
            elif piece.isspace():
                self._word = self._part
            self._write(escape(piece, quote=False), replace(self._now, shown=self._now.shown + len(piece)))
            self._seen = self._seen or shows(piece)

    def _write(self, written: str, grown: _State) -> None:
        limits = self._limits
        raw = grown.raw + limits.size(written)
        if grown.shown > limits.shown or raw > limits.raw:
            raise _Full
        self._out.append(written)
        self._now = replace(grown, parts=len(self._out), raw=raw)
        if grown.shown < limits.shown and raw <= limits.raw - limits.size(ELLIPSIS):
            self._part = self._now  # an ellipsis would still fit


def _pieces(text: str) -> Iterator[str]:
    """Line breaks, the spaces between words, and words, long ones in pieces; no piece ends inside of a character."""
    at = 0
    while found := _PIECE.match(text, at):
        end = found.end()
        while is_inside_character(text, end):
            end += 1
        yield text[at:end]
        at = end
