"""What of a sink's settings must not be read in an answer, a reason or a log: its secrets, however they are echoed.

A secret is found as it is, percent-encoded, as JSON or HTML escape it, and in any mixture of these, for a gateway
repeats what it was sent in its own manner. How much of a text may match depends on how little the secret is:

    8 signs and more   wherever they stand, inside other words too
    3 to 7 signs       as a whole word: `abc` is masked in `key=abc`, and not in `abcess`
    fewer              not at all: every text is full of them

What gives a secret away by itself is masked by itself: the token behind `Bearer`; of an address the password, alone
and as the Basic credentials that it is sent as, each value of the query, and the parts of the path that are no words.
A value or a last part that could be any word (`https://…/hooks/incoming`) is masked only behind the `/` or `=` that
it stands behind in the address, unless it has 16 signs. Of an address that is not the web's, `pover://user@token`, what
stands where users and hosts do is masked as well, but for names of hosts.
"""

import html
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr
from yarl import URL

from bridge.originals import MASK
from bridge.settings import Settings

ANYWHERE = 8  # signs
WHOLE_WORD = 3
NO_WORD = 16  # what has so many is no word

#: A word in an address: what anyone may say, without giving anything away.
_WORD = re.compile(r"[a-z-]+|[0-9]+|v[0-9]+")
_SCHEMES = frozenset(("bearer", "basic", "token", "digest", "apikey", "key"))
_ENCODED_MARKS = "%\\&+"
_BEFORE = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
_AFTER = r"(?![A-Za-z0-9])"
_BEHIND = r"(?:(?<=[/=])|(?<=%2[Ff])|(?<=%3[Dd]))"


class KnownSecrets:
    """The secrets of some settings, and what gives them away."""

    def __init__(self, settings: Settings) -> None:
        found = {(text, context) for secret in _secrets_in(settings) for text, context in _telling(secret)}
        by_length = sorted(found, key=lambda one: (-len(one[0]), one))  # of one within another nothing is left
        self._secrets = [_Secret(text, could_be_a_word=context) for text, context in by_length]

    def mask(self, text: str) -> str:
        """`text` without them."""
        for secret in self._secrets:
            if secret.text in text:
                text = secret.as_it_is.sub(MASK, text)
            if any(mark in text for mark in _ENCODED_MARKS):
                text = secret.in_any_spelling.sub(MASK, text)
        return text

    def texts(self) -> list[str]:
        """Whatever is masked somewhere; the longest first."""
        return list(dict.fromkeys(secret.text for secret in self._secrets))


class _Secret:
    """One text and its patterns, made when they are needed: twenty sinks' take half a second."""

    def __init__(self, text: str, *, could_be_a_word: bool) -> None:
        self.text = text
        self._could_be_a_word = could_be_a_word

    @cached_property
    def as_it_is(self) -> re.Pattern[str]:
        return self._pattern(re.escape(self.text))

    @cached_property
    def in_any_spelling(self) -> re.Pattern[str]:
        return self._pattern("".join(map(_any_spelling, self.text)))

    def _pattern(self, spelling: str) -> re.Pattern[str]:
        if self._could_be_a_word:
            return re.compile(_BEHIND + spelling + _AFTER)
        return re.compile(spelling if len(self.text) >= ANYWHERE else _BEFORE + spelling + _AFTER)


def _any_spelling(sign: str) -> str:
    """A pattern for a sign as it is, and as URLs, JSON and HTML write it, once or twice over: bounded, for it is tried
    at every sign of a text."""
    code = ord(sign)
    percent = "".join(rf"%(?:25){{0,3}}{byte:02X}" for byte in sign.encode("utf-8", "surrogatepass"))
    numbers = (rf"(?i:\\{{1,3}}u{code:04x})", rf"&#0{{0,5}}{code};", rf"(?i:&#x0{{0,5}}{code:x};)")
    spellings = {re.escape(sign), f"(?i:{percent})", re.escape(html.escape(sign)), *numbers}
    if not sign.isalnum():
        spellings |= {rf"\\{{1,3}}{re.escape(sign)}", *([r"\+"] if sign == " " else [])}
    return f"(?:{'|'.join(sorted(spellings))})"


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, Settings):
        yield from _secrets_in([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets_in(one)


def _telling(secret: str) -> Iterator[tuple[str, bool]]:
    """The secret and what gives it away by itself, and whether that could be any word."""
    for text, context in ((secret, False), *_words(secret), *_parts(secret)):
        if len(text) >= WHOLE_WORD:
            yield text, context


def _words(secret: str) -> Iterator[tuple[str, bool]]:
    words = secret.split()
    for index, word in enumerate(words if len(words) > 1 else ()):
        if index or word.lower() not in _SCHEMES:
            yield word, False


def _parts(secret: str) -> Iterator[tuple[str, bool]]:
    """Of an address; nothing where it is none."""
    try:
        url = URL(secret if "://" in secret else "")
    except ValueError:
        return
    for password in filter(None, (url.password, url.raw_password)):
        yield password, False
        yield b64encode(f"{url.user or ''}:{password}".encode()).decode(), False
    yield from _names(secret, url.scheme)
    for value in url.query.values():
        yield value, _could_be_a_word(value)
    parts = [part for part in url.raw_path.split("/") if part]
    for index, part in enumerate(parts):
        if not _could_be_a_word(part):
            yield part, False
            yield unquote(part), False
        elif index == len(parts) - 1:
            yield part, True


def _names(secret: str, scheme: str) -> Iterator[tuple[str, bool]]:
    """What stands in the place of a user or a host where no host is meant, as written: `pover://user@token`."""
    if scheme in ("http", "https") or scheme.startswith("socks"):
        return
    for name in re.split("[@:]", secret.partition("://")[2].partition("/")[0].partition("?")[0]):
        if name and "." not in name and not _could_be_a_word(name):
            yield name, False
            yield unquote(name), False


def _could_be_a_word(text: str) -> bool:
    return len(text) < NO_WORD and _WORD.fullmatch(text) is not None
