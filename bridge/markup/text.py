"""Escaping: what comes out of an event means nothing to the service it goes to, and looks as it did.

Limits   three marks above or below one character; 20,000 characters are read, how many are sent is the sinks' business

How each service is escaped stands in its folder, `sinks/<service>/text.py`, as a Text of its own.
A text that was escaped is a `Text`: as with markupsafe, on which it stands, whatever is added to one, formatted or
joined into one, is escaped on the way in.
"""

import re
from typing import Any, Self

from markupsafe import Markup
from yarl import URL

ELLIPSIS = "…"
#: Spaces that show nothing: between `@` and a name they keep the service from seeing a mention.
SPACE, JOINER = "\u200b", "\u2060"

READ = 20_000  # characters of a text that are read: more than any service takes in one message
ADDRESS = 2048  # characters of an address that is still made a link

_BREAK = re.compile(r"\r\n|[\t\n\v\f\r\x85\u2028\u2029]")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ACCENTS = r"\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILE = re.compile(f"([{_ACCENTS}]{{3}})[{_ACCENTS}]+")
_SUSPECT = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|[{_ACCENTS}]{{4}}")
_FROM_RIGHT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_ENDS = ".,:;!?'\")]}*_~"  # what ends a sentence, or is a mark beside it
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_NO_ADDRESS = re.compile(r"[^!#$%&'*+,\-./0-9:;=?A-Z\[\]_a-z~]")


def clean(text: str) -> str:
    """`text` on one line: no line breaks, no controls, nothing that turns the direction, no piles of accents.

    Of a text that is longer than any message, the beginning: it is cut anyway, and looking through it costs its length.
    """
    text = _beginning(text)
    if (text.isascii() and text.isprintable()) or _SUSPECT.search(text) is None:
        return text
    return _PILE.sub(r"\1", _UNSEEN.sub("", _BREAK.sub(" ", text)))


def runs_from_right_to_left(text: str) -> bool:
    """Whether it has a letter of Persian, Arabic, Hebrew and their like."""
    return _FROM_RIGHT.search(text) is not None


def _beginning(text: str) -> str:
    return text if len(text) <= READ else text[:READ] + ELLIPSIS


def web_address(url: object) -> str | None:
    """An http or https address, percent-encoded so that no service reads anything else in it; None where it is none."""
    text = str(url).strip() if isinstance(url, str | URL) and len(str(url)) <= READ else ""
    if not text.lower().startswith(("http://", "https://")) or _SUSPECT.search(text):
        return None
    try:
        address = URL(text)
    except ValueError:
        return None
    if not address.host or address.user is not None or len(str(address)) > ADDRESS:
        return None
    return _NO_ADDRESS.sub(lambda found: _percent(found[0]), str(address))


def without_sentence(address: str) -> str:
    """A bare address without what ends the sentence around it; a bracket that the address opens itself is its own."""
    while (end := address[-1:]) and end in _ENDS and not _is_own_bracket(address, end):
        address = address[:-1]
    return address


def _is_own_bracket(address: str, end: str) -> bool:
    return end in _BRACKETS and address.count(end) <= address.count(_BRACKETS[end])


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


class Text(Markup):
    """Text that is ready for a service; this one for a service that reads no markup."""

    __slots__ = ()

    def __new__(cls, value: Any = "") -> Self:
        return str.__new__(cls, value)  # what a Text is made of is ready, whatever it says of HTML

    @classmethod
    def escape(cls, value: Any, /) -> Self:
        """`value` for this service; what is a Text already stays as it is, None is nothing."""
        if type(value) is cls:
            return value
        if type(value) is str:
            return cls(cls.neutral(clean(value)))
        if hasattr(value, "__html__"):
            return cls(value)
        return cls("" if value is None else cls.neutral(clean(str(value))))

    @classmethod
    def neutral(cls, text: str) -> str:
        """`text`, which is clean, with no meaning to the service."""
        return text

    @classmethod
    def plain(cls, value: Any) -> Self:
        """`value` for a place where the service reads no markup."""
        return cls.escape(value)

    @classmethod
    def code(cls, value: Any) -> Self:
        """`value` in a fixed width, as something to copy."""
        return cls.escape(value)

    @classmethod
    def bold(cls, value: Any) -> Self:
        return cls.escape(value)

    @classmethod
    def link(cls, label: Any, url: object) -> Self:
        """`label` that leads to `url`; the label alone where that is no http or https address."""
        return cls.escape(label)

    @classmethod
    def fixed(cls, value: str) -> Self:
        """`value` for the inside of a code span, where marks mean nothing."""
        return cls.escape(value)

    @classmethod
    def lines(cls, value: Any) -> Self:
        """`value` with its line breaks kept, every line escaped on its own."""
        if hasattr(value, "__html__") or value is None:
            return cls.escape(value)
        return cls("\n").join(_beginning(str(value)).splitlines())
