"""What a panel is: two pure steps, `verify` and `understand`, over one request as it arrived.

A panel opens no socket, logs nothing and asks no clock. What the ingress does with it, for every request:
`verify` (raises BadSignature) → `read` (bytes → elements) → masking with `masks` → `understand` (element → Sighting).
"""

import hmac
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from bridge.errors import BadPayload, BadSignature
from bridge.event import JsonObject
from bridge.settings import Secrets, Settings


class SourceConfig(Settings):
    """What every source has: the secret its panel proves itself with, and what is masked beyond the panel's rules."""

    secret: Secrets = Field(description="the panel's secret, several for rotation, or the word none")
    mask: tuple[str, ...] = Field((), description="more paths to mask, as in user.note or **.phone")
    unmask: tuple[str, ...] = Field((), description="paths that the panel's own rules would mask, let through")


C = TypeVar("C", bound=SourceConfig)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a panel's element says, before it gets an id and a time of arrival.

    `occurred_at` is None where the panel gives no true time; `panel` where it is the one that was configured.
    """

    type: str
    native_type: str
    subject: str | None
    data: JsonObject
    occurred_at: datetime | None = None
    panel: str | None = None


class Panel(ABC, Generic[C]):
    """A kind of system that events come from. See STYLE.md §2."""

    #: Secret fields, masked at the door: dotted paths into an element; `*` is any one key or index, `**` any depth.
    masks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def verify(self, hook: Hook) -> None:
        """Raise BadSignature unless the request proves that it comes from the panel."""

    @abstractmethod
    def read(self, hook: Hook) -> Sequence[Any]:
        """The elements of the body, as sent; raise BadPayload where there are none to be had."""

    def scrub(self, element: Any) -> Any:
        """Take out secrets that are not a field of their own, as a password inside a text. Called after masking."""
        return element

    @abstractmethod
    def understand(self, element: Any, hook: Hook) -> Sighting:
        """What one masked element says; raise BadPayload where it is none of this panel's."""

    def proves(self, given: bytes | str | None) -> None:
        """Raise BadSignature unless `given` is one of the source's secrets. Constant time, over bytes.

        A source with `secret: none` takes everything.
        """
        secrets = self.config.secret
        if not secrets:
            return
        raw = given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given or b""
        matches = [hmac.compare_digest(raw, s.get_secret_value().encode()) for s in secrets]
        if not any(matches):
            raise BadSignature("wrong secret" if raw else "no secret given")


def parse_json(body: bytes) -> Any:
    """The body's JSON value, with every text made safe to store; raise BadPayload naming where it breaks."""
    try:
        return _storable(json.loads(body, parse_constant=_no_constant))
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


def present(**values: Any) -> JsonObject:
    """The values that say something: None, empty text and empty containers are left out."""
    return {key: value for key, value in values.items() if value is not None and value != "" and value != {} and value != []}


def unknown_type(panel: str, native: str) -> str:
    """The type of an event that the taxonomy has no word for: `{panel}.{native}`, lower case and dotted."""
    return f"{panel}.{re.sub(r'[^a-z0-9_.]+', '.', native.lower()).strip('.') or 'unknown'}"


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _storable(value: Any) -> Any:
    """NUL and lone surrogates, legal in JSON and in no database, become U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("�", value) if _UNSTORABLE.search(value) else value
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
