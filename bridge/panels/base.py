"""What a panel is: two pure steps, `verify` and `parse`, over one request as it arrived.

A panel opens no socket, logs nothing and asks no clock. What the ingress does with it, for every request:
`verify` (raises BadSignature) → `elements` (bytes → elements) → `fingerprint` → masking with `masks` → `parse`
(element → ParsedEvent).
"""

import hashlib
import hmac
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from bridge.errors import BadPayload, BadSignature
from bridge.event import JsonObject, dump, iso
from bridge.intake import Fingerprint
from bridge.settings import Secrets, Settings


class SourceConfig(Settings):
    """What every source has: the secret its panel proves itself with, and what is masked beyond the panel's rules."""

    secret: Secrets = Field(description="the panel's secret, several for rotation, or the word none")
    mask: tuple[str, ...] = Field((), description="more paths to mask, as in user.note or **.phone")
    unmask: tuple[str, ...] = Field((), description="paths that the panel's own rules would mask, let through")


C = TypeVar("C", bound=SourceConfig)

#: A panel's key → our key in `data`, and how its value is read.
Words = Mapping[str, tuple[str, Callable[[Any], Any]]]


@dataclass(frozen=True, slots=True)
class Hook:
    """One request as it arrived. Header names are matched in any case; `token` is the secret in the URL, if any."""

    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None

    def header(self, name: str) -> bytes | None:
        """A header's value as the bytes on the wire, None where it is absent."""
        wanted = name.lower()
        for key, value in self.headers.items():
            if key.lower() == wanted:
                return value.encode("utf-8", "surrogateescape")
        return None

    def carried(self, header: str = "X-Webhook-Secret") -> list[bytes | str | None]:
        """Every place that a plain secret can stand in: the URL, `Authorization: Bearer`, and `header`."""
        scheme, _, bearer = (self.header("Authorization") or b"").partition(b" ")
        return [self.token, bearer.strip() if scheme.lower() == b"bearer" else None, self.header(header)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEvent:
    """What a panel's element says, before it gets an id and a time of arrival.

    `occurred_at` is None where the panel gives no true time; `panel` where it is the one that was configured;
    `native` where the element itself is the payload, and not an envelope around it.
    """

    type: str
    native_type: str
    subject: str | None
    data: JsonObject
    occurred_at: datetime | None = None
    panel: str | None = None
    native: Any = None


class Panel(ABC, Generic[C]):
    """A kind of system that events come from. See STYLE.md §2."""

    #: Secret fields, masked at the door: dotted paths into an element; `*` is any one key or index, `**` any depth.
    masks: ClassVar[tuple[str, ...]] = ()

    #: Where the panel posts to.
    path: ClassVar[str] = "/in/{source}"
    #: What to write into the panel's settings so that it does, with `{url}` and `{secret}` to be filled in.
    paste: ClassVar[tuple[str, ...]] = ("POST {url}", "X-Webhook-Secret: {secret}")

    def __init__(self, config: C) -> None:
        self.config = config
        self._secrets = [secret.get_secret_value().encode() for secret in config.secret]

    @abstractmethod
    def verify(self, hook: Hook) -> None:
        """Raise BadSignature unless the request proves that it comes from the panel."""

    @abstractmethod
    def elements(self, hook: Hook) -> Sequence[Any]:
        """The elements of the body, as sent; raise BadPayload where there are none to be had."""

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        """What tells a repeat of the `index`th element from every other event; None where nothing surely does.

        Called before masking: what differs in nothing but a secret is not the same. Its key holds none of it.
        """
        return None

    def scrub(self, element: Any) -> Any:
        """Take out secrets that are not a field of their own, as a password inside a text. Called after masking."""
        return element

    @abstractmethod
    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        """What one masked element says; raise BadPayload where it is none of this panel's."""

    def consent(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers that answer a sender which asks by OPTIONS whether it may send; empty where panels do not ask."""
        return {}

    def proves(self, *given: bytes | str | None) -> None:
        """Raise BadSignature unless one of `given` is one of the source's secrets. Constant time, over bytes.

        A source with `secret: none` takes everything.
        """
        if not self._secrets:
            return
        raw = [one.encode("utf-8", "surrogateescape") if isinstance(one, str) else one or b"" for one in given]
        matches = [hmac.compare_digest(one, secret) for one in raw for secret in self._secrets]
        if not any(matches):
            raise BadSignature("wrong secret" if any(raw) else "no secret given")


def digest(*parts: Any) -> str:
    """What stands for these JSON values, and for no others: 64 hex digits that show none of them."""
    return hashlib.sha256(dump(parts)).hexdigest()


class EmptyMessage(BadPayload):
    """A Discord message with nothing in it: Discord answers it with a code of its own."""

    def __init__(self) -> None:
        super().__init__("cannot send an empty message")


#: How deep a body may be nested. No panel comes near; whatever walks through a value can count on it.
DEPTH = 100


def parse_json(body: bytes) -> Any:
    """The body's JSON value, with every text made safe to store; raise BadPayload naming where it breaks."""
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        if text.count("{") + text.count("[") > DEPTH:
            _not_too_deep(value)
        return _storable(value) if _SUSPICIOUS.search(text) else value
    except UnicodeDecodeError as error:
        raise BadPayload(f"the body is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise BadPayload(f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise BadPayload("the body is nested too deeply") from None
    except ValueError as error:
        raise BadPayload(f"the body is not JSON: {error}") from None


def json_elements(body: bytes) -> Sequence[Any]:
    """The elements of a body that is one JSON object or an array of them."""
    value = parse_json(body)
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [value]
    raise BadPayload("the body is neither a JSON object nor an array of them")


def text_at(element: Mapping[str, Any], *path: str) -> str:
    """The non-empty text at `path`; raise BadPayload naming the path where there is none."""
    value: Any = element
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, str) and value.strip():
        return value
    raise BadPayload("is missing" if value is None else "should be a text", ".".join(path))


def object_at(element: Mapping[str, Any], key: str) -> JsonObject:
    """The object at `key`, an empty one where it is absent or null; raise BadPayload where it is something else."""
    value = element.get(key)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise BadPayload("should be an object", key)


def text(value: Any) -> str | None:
    """The text, None where it is none or blank."""
    return value if isinstance(value, str) and value.strip() else None


def number(value: Any) -> int | float | None:
    """The finite number, written as one or as decimal text; None where it is none."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", value):
        return float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):  # a union would cost five times as much
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def whole(value: Any) -> int | None:
    """The whole number, written as one or as decimal text; None where it is none."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def truth(value: Any) -> bool | None:
    """The boolean, written as one or as a word; None where it is none."""
    if isinstance(value, str):
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def texts(value: Any) -> list[str]:
    """The texts of a list; empty where it is none."""
    return [one for one in value if text(one)] if isinstance(value, list) else []


def moment(value: Any, zone: tzinfo = UTC) -> datetime | None:
    """The time of an ISO 8601 text, read in `zone` where it names none, or of seconds or milliseconds since 1970.

    Aware UTC; None where it is no time.
    """
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
        seconds = number(value)
        if seconds is None:
            return None
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def utc(value: Any, zone: tzinfo = UTC) -> str | None:
    """The same as ISO 8601 text in UTC, the way `data` holds times."""
    found = moment(value, zone)
    return iso(found) if found else None


def present(**values: Any) -> JsonObject:
    """The values that say something: None, empty text and empty containers are left out."""
    return {
        key: value for key, value in values.items() if value is not None and value != "" and value != {} and value != []
    }


def heard(words: Words, said: Mapping[str, Any]) -> JsonObject:
    """What a panel's object says, under our keys; what it does not say is left out."""
    return present(**{ours: read(said.get(theirs)) for theirs, (ours, read) in words.items()})


def spoken(words: Words, known: Mapping[str, Any]) -> JsonObject:
    """The other way round: what is known, under the panel's keys; None for what is not."""
    return {theirs: known.get(ours) for theirs, (ours, _) in words.items()}


def unknown_type(panel: str, native: str) -> str:
    """The type of an event that the taxonomy has no word for: `{panel}.{native}`, lower case and dotted."""
    return f"{panel}.{re.sub(r'[^a-z0-9_.]+', '.', native.lower()).strip('.') or 'unknown'}"


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")  # how a JSON text says them


def _storable(value: Any) -> Any:
    """NUL and lone surrogates, legal in JSON and in no database, become U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("�", value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return value


def _not_too_deep(value: Any) -> None:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise BadPayload("the body is nested too deeply")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value
