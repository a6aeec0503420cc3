"""Values from events as what they are: numbers, times, words, lists; whatever they are, nothing here fails."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from jinja2 import Undefined

from bridge import foreign
from bridge.event import Event
from bridge.foreign import number
from bridge.markup.text import clean

DAY, HOUR, MINUTE = 86400, 3600, 60

OTHERS = 15  # values shown of what nobody has described


def figure(value: Any) -> float | None:
    """A number that people can read, or a text that is one; None for anything else, and from 1e30 on."""
    found = number(value)
    return float(found) if found is not None and abs(found) < 1e30 else None


def moment(value: Any) -> datetime | None:
    """An aware time from a datetime or an ISO 8601 text with a whole date; None for anything else.

    A number is none here, nor its digits, nor a text as short as `20261221`: they are shown as they are.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return foreign.iso_moment(value) if isinstance(value, str) and len(value) >= len("2026-12-21") else None


def rounded(seconds: float) -> tuple[int, int]:
    """The nearest whole number of days, hours or minutes, and how many seconds such a one has.

    A day is one day, not 24 hours, and what is nearly one is too: else the same would be told in two ways.
    """
    for unit, smaller in ((DAY, HOUR), (HOUR, MINUTE)):
        if seconds >= 1.5 * unit or round(seconds / smaller) == unit // smaller:
            return round(seconds / unit), unit
    return round(seconds / MINUTE), MINUTE


def zone_name(at: datetime) -> str:
    """What the zone of a local time is called: `UTC`, `CET`, and `UTC+03:30` where it has no name of its own."""
    name = at.tzname() or "UTC"
    return name if name.isalpha() else f"UTC{at.isoformat()[-6:]}"


def parts(seconds: float) -> tuple[tuple[int, int], str]:
    """A length of time in its two largest units, and which: "dh", "hm", "ms"; "s" for less than a minute.

    What is smaller is left off, as a clock does; less than a second is one.
    """
    whole = max(1, round(seconds))
    for unit, smaller, names in ((DAY, HOUR, "dh"), (HOUR, MINUTE, "hm"), (MINUTE, 1, "ms")):
        if whole >= unit:
            return (whole // unit, whole % unit // smaller), names
    return (whole, 0), "s"


def given(value: Any) -> bool:
    """Whether there is anything to show. The test `is given`; 0 and false are something."""
    if value is None or isinstance(value, Undefined):
        return False
    if isinstance(value, str):
        return bool(clean(value).strip())
    if isinstance(value, list | tuple):
        return any(map(given, value))
    return bool(value) or not isinstance(value, dict)


def leaves(
    data: Mapping[str, Any], limit: int = OTHERS, *, written: Callable[[Any], object] = str
) -> list[tuple[str, object]]:
    """What stands in data that nobody has described, each with its label; the first few of it.

    All of it are texts, but a boolean is what `written` makes of it.
    """
    found = islice(_leaves(data, ()), limit)
    return [(label(*path), written(one) if isinstance(one, bool) else flat(one, written)) for path, one in found]


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and len(path) < 3:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif given(value):
        yield path, value


def label(*path: str) -> str:
    """`plan`, `max_devices` as `Plan max devices`."""
    words = clean(re.sub(r"[_\s]+", " ", " ".join(path))).strip()
    return words[:1].upper() + words[1:60]


def flat(value: Any, written: Callable[[Any], object] = str) -> str:
    """Any value as one text; `written` says how what is no text, list or object is: of a list, all that is given."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and not any(isinstance(one, Mapping | list) for one in value):
        return ", ".join(str(written(one)) for one in value if given(one))
    return to_json(value) if isinstance(value, Mapping | list | tuple) else str(written(value))


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON as it is sent to programs: no HTML escapes, the letters of every language, undefined as null."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_jsonable)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Undefined):
        return None
    if isinstance(value, Event):
        return value.to_json()
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)


def word(value: Any) -> str:
    return re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else ""


def as_words(value: str) -> str:
    """`CHANGED_SERVER`, `changed_server` and `changed-server` as `Changed server`; what has other signs as it is."""
    if re.fullmatch(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)+", value) and (value.isupper() or value.islower()):
        return label(value.replace("-", "_").lower())
    return value
