"""JSON and forms that others wrote, read as what they should be.

Nothing here fails on what it reads, whatever stands there, but `parse_json` and `form_fields`: they raise BadPayload,
which says where and why. Inside the house a time is an aware UTC `datetime`, and in `data` ISO 8601 text.
"""

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any
from urllib.parse import unquote_to_bytes

from multipart import MultipartSegment, PushMultipartParser, parse_options_header

from bridge.codec import BIG, decode, load_in_pieces
from bridge.errors import BadPayload
from bridge.event import JsonObject, iso

#: How deep a body may be nested. No panel comes near; whatever walks through a value can count on it.
DEPTH = 100

SLICE = 64 * 1024  # bytes that are counted or unquoted at once, so that other threads get their turn
_SIGN_OR_TEXT = re.compile(rb'[,\[{]|"(?:[^"\\]++|\\.)*+"?+', re.DOTALL)
LONGEST_FIELD_NAME = 300  # bytes, quoted: what is longer is no field's name


def parse_json(body: bytes) -> Any:
    """The body's JSON value, with every text made safe to store; raise BadPayload naming where it breaks."""
    try:
        text = body.decode("utf-8-sig")
        storable = "\\u" not in text or _UNSTORABLE_ESCAPE.search(text) is None
        value = _loads(text, body, storable=storable)
        if text.count("{") + text.count("[") > DEPTH:
            _refuse_depth(value)
        return value if storable else _storable(value)
    except UnicodeDecodeError as error:
        raise BadPayload(f"the body is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise BadPayload(f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise BadPayload("the body is nested too deeply") from None
    except ValueError as error:
        raise BadPayload(f"the body is not JSON: {error}") from None


def _loads(text: str, body: bytes, *, storable: bool) -> Any:
    if storable:
        with suppress(ValueError):  # whatever it is, it is read again: for its words, or a number too big for it
            return load_in_pieces(body) if len(body) > BIG else decode(body)
    return json.loads(text, parse_constant=_no_constant, parse_float=_finite)


def holds_more_values(body: bytes, most: int) -> bool:
    """Whether there are more JSON values than that, before any is made: each but the first follows a comma, or opens
    something.

    Signs inside of texts are only told from others where all of them together are too many: that costs a second.
    """
    if len(body) <= most:  # each takes a byte at least
        return False
    starts = range(0, len(body), SLICE)
    if sum(body.count(sign, start, start + SLICE) for start in starts for sign in (b",", b"[", b"{")) <= most:
        return False
    signs = (found for found in _SIGN_OR_TEXT.finditer(body) if found.end() - found.start() == 1)
    return next(islice(signs, most, None), None) is not None


def form_fields(body: bytes, *, most: int, kept: Collection[str] | None = None) -> dict[str, str]:
    """The fields of a URL-encoded form, with every text made safe to store; of two of one name the last.

    Raise BadPayload where there are more than `most`: they are counted before any is made. `kept` names those that are
    wanted, all if it is None.
    """
    if body.count(b"&") >= most:
        raise BadPayload(f"the form cannot be read: it has more than {most} fields")
    pairs = (pair.partition(b"=") for pair in body.split(b"&") if pair)
    named = ((_unquoted(name), value) for name, _, value in pairs if len(name) <= LONGEST_FIELD_NAME)
    return {name: _unquoted(value) for name, value in named if kept is None or name in kept}


def multipart_fields(body: bytes, content_type: str, *, most: int) -> dict[str, str]:
    """The same of a multipart form: its texts by their names, without the files.

    Raise BadPayload where it has more than `most` parts, or is none.
    """
    fields: dict[str, bytearray] = {}
    value = bytearray()
    try:
        parser = PushMultipartParser(parse_options_header(content_type)[1].get("boundary", ""), max_segment_count=most)
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                value = bytearray()
                if event.filename is None:
                    fields[event.name] = value
            elif event is not None:
                value += event
        parser.close()
    except ValueError as error:
        raise BadPayload(f"the form cannot be read: {error}") from None
    return {_storable(name): _storable(value.decode("utf-8", "replace")) for name, value in fields.items()}


def _unquoted(value: bytes) -> str:
    plain = value.replace(b"+", b" ")
    slices, start = [], 0
    while start < len(plain):
        end = start + SLICE
        if end < len(plain) and (cut := plain.rfind(b"%", end - 2, end)) > start:
            end = cut
        slices.append(unquote_to_bytes(plain[start:end]))
        start = end
    return _UNSTORABLE.sub("\ufffd", b"".join(slices).decode("utf-8", "replace"))


def json_object(body: bytes) -> JsonObject:
    """The object of a JSON answer, an empty one where it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


# Where it stands


def value_at(parent: Any, *path: str) -> Any:
    """The value at `path`, None where there is none."""
    for key in path:
        parent = parent.get(key) if isinstance(parent, dict) else None
    return parent


def object_at(parent: Any, *path: str) -> JsonObject:
    """The object at `path`, an empty one where there is none or something else."""
    value = value_at(parent, *path)
    return value if isinstance(value, dict) else {}


# What it is


def text(value: Any) -> str | None:
    """The text, None where it is none or blank."""
    return value if isinstance(value, str) and value.strip() else None


def name_of(value: Any) -> str | None:
    """The text or whole number that names something, as a text; None where it is neither, or blank."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value)


def texts(value: Any) -> list[str]:
    """The texts of a list; empty where it is none."""
    return [one for one in value if text(one)] if isinstance(value, list) else []


_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


def number(value: Any) -> int | float | None:
    """The finite number, written as one or as decimal text; None where it is none."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):  # a union would cost five times as much
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def whole(value: Any) -> int | None:
    """The whole number, written as one or as decimal text; None where it is none."""
    if type(value) is int:  # as nearly always
        return value
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def truth(value: Any) -> bool | None:
    """The boolean, written as one or as a word; None where it is none."""
    if isinstance(value, str):
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


_DIGITS = re.compile(r"[0-9]{9,}(\.[0-9]*)?")  # one digit more than a date has
_COUNTED = re.compile(r"[0-9]{9,13}(\.[0-9]{1,30})?")


def moment(value: Any, zone: tzinfo = UTC) -> datetime | None:
    """The time of an ISO 8601 text, read in `zone` where it names none, or of seconds or milliseconds since 1970.

    These may be a text, of 9 to 13 digits. Aware UTC; None where it is no time.
    """
    if isinstance(value, str):
        value = value.strip()
        if _COUNTED.fullmatch(value) is None:
            return iso_moment(value, zone)
    seconds = number(value)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_moment(value: str, zone: tzinfo = UTC) -> datetime | None:
    """The time of an ISO 8601 text alone; digits beyond a date's are none, though Python takes one for a separator."""
    text = value.strip()
    if _DIGITS.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        return found if found.tzinfo is UTC else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def utc(value: Any, zone: tzinfo = UTC) -> str | None:
    """The same as ISO 8601 text in UTC, the way `data` holds times."""
    found = moment(value, zone)
    return iso(found) if found else None


# Objects, there and back

#: A foreign key → our key in `data`, and how its value is read.
FieldMap = Mapping[str, tuple[str, Callable[[Any], Any]]]


def read_fields(fields: FieldMap, element: Mapping[str, Any]) -> JsonObject:
    """What a foreign object holds, under our keys; what it does not say is left out."""
    return present(**{ours: read(element.get(theirs)) for theirs, (ours, read) in fields.items()})


def write_fields(fields: FieldMap, known: Mapping[str, Any]) -> JsonObject:
    """The other way round: what is known, under the foreign keys; what is not is left out."""
    return present(**write_all_fields(fields, known))


def write_all_fields(fields: FieldMap, known: Mapping[str, Any]) -> JsonObject:
    """The same with every foreign key there is, None for what is not known."""
    return {theirs: known.get(ours) for theirs, (ours, _) in fields.items()}


_EMPTY: tuple[Any, ...] = (None, "", {}, [])


def present(**values: Any) -> JsonObject:
    """The values that say something: None, empty text and empty containers are left out."""
    return {key: value for key, value in values.items() if value or value not in _EMPTY}


def without_nulls(value: Any) -> Any:
    """The value without the keys whose value is null: many a program writes so what it does not have."""
    if isinstance(value, Mapping):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


# What JSON allows, and no database takes

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNSTORABLE_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")  # how a JSON text says them


def _storable(value: Any) -> Any:
    """NUL and lone surrogates, legal in JSON and in no database, become U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return value


def _refuse_depth(value: Any) -> None:
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
