"""Telegram's HTML, cut to its limits: by whole lines and whole entities, never through markup.

Source   core.telegram.org/bots/api#html-style; the limits stand in sinks/telegram/sink.py
"""

import re
from dataclasses import dataclass, replace
from html import escape
from html.parser import HTMLParser

from bridge.sinks.text import ELLIPSIS, shows

TEXT, ENTITIES, RAW = 4096, 100, 32_768  # code points without markup, entities, bytes with markup
TARGETS = 8000  # bytes of all links' targets: more has been refused as ENTITIES_TOO_LONG

_TAG = re.compile(r"<[^<>]*>")


def clip_html(text: str) -> str:
    """The text as it is where it keeps the limits, else as many whole lines as do, or words of the first."""
    return text if _is_short(text) else _Cutter().cut(text)


def fits_html(text: str) -> bool:
    """Whether the text keeps the limits as it is."""
    if _is_short(text):
        return True
    cutter = _Cutter()
    cutter.cut(text)
    return cutter.whole


def _is_short(text: str) -> bool:
    """Whether the text keeps the limits even if all of it counted."""
    return len(text) <= TEXT and text.count("<") <= 2 * ENTITIES and len(text.encode("utf-8", "replace")) <= TARGETS


def shows_html(text: str) -> bool:
    """Whether there is anything to see but markup."""
    return shows(_TAG.sub("", text))


def plain_text(text: str) -> str:
    """What is left when the markup is taken off."""
    if "<" not in text and "&" not in text:
        return text
    return "".join(_Reader().read(text))


class _Reader(HTMLParser):
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


@dataclass(frozen=True, slots=True)
class _State:
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

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._now = self._part = _State()
        self._line: _State | None = None
        self._word: _State | None = None
        self._seen = False
        self.whole = True

    def cut(self, text: str) -> str:
        try:
            self.feed(text)
            self.close()
        except _Full:
            self.whole = False
            end = self._line or self._word or self._part
            kept = "".join(self._out[: end.parts]).rstrip() + ELLIPSIS
        else:
            end, kept = self._now, "".join(self._out)
        return kept + "".join(f"</{tag}>" for tag in reversed(end.opened))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        now, written = self._now, self.get_starttag_text() or ""
        target = len(written.encode("utf-8", "replace")) if tag == "a" else 0
        if now.entities >= ENTITIES or now.targets + target > TARGETS:
            self.whole = False
            return  # its text stays, as Telegram would have it
        raw = now.raw + len(f"</{tag}>")  # it will have to be closed
        opened = (*now.opened, tag)
        grown = replace(now, opened=opened, entities=now.entities + 1, targets=now.targets + target, raw=raw)
        self._write(written, grown)

    def handle_endtag(self, tag: str) -> None:
        if self._now.opened[-1:] == (tag,):
            written = f"</{tag}>"
            self._write(written, replace(self._now, opened=self._now.opened[:-1], raw=self._now.raw - len(written)))

    def handle_data(self, data: str) -> None:
        for piece in re.findall(r"\n|[^\S\n]+|\S{1,16}", data):
            if piece == "\n" and self._seen:
                self._line = self._part
            elif piece.isspace():
                self._word = self._part
            self._write(escape(piece, quote=False), replace(self._now, shown=self._now.shown + len(piece)))
            self._seen = self._seen or shows(piece)

    def _write(self, written: str, grown: _State) -> None:
        raw = grown.raw + len(written.encode("utf-8", "replace"))
        if grown.shown > TEXT or raw > RAW:
            raise _Full
        self._out.append(written)
        self._now = replace(grown, parts=len(self._out), raw=raw)
        if grown.shown < TEXT and raw <= RAW - len(ELLIPSIS.encode()):
            self._part = self._now  # an ellipsis would still fit
