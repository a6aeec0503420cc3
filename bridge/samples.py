"""Likely requests of every panel, in its own words: for `panelbridge render` and `test`, and for tests.

They lie in `panels/samples/{panel}.json`, one for each name that the panel has for what happens:

    {"type": "user.created", "native_type": "user_created", "body": [{"username": "alice", …}]}

`dialect` and `headers` stand beside where the request needs them. A text may hold times, counted from the arrival:
`{iso:+30d}`, `{zoneless:-4m}`, `{day:-1s} {time:-1s}`, and `{seconds:+3d}`, which is a number where it stands alone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bridge.alerts.samples import own_samples
from bridge.codec import dump
from bridge.errors import BadPayload
from bridge.event import Event, iso
from bridge.ingress.source import Source
from bridge.panels import CONFIGS, OPEN_ENDED, SourceSettings
from bridge.panels.base import Hook, SourceConfig
from bridge.value import Value, field
from bridge.vocabulary import DOCUMENTED, TYPES

FOLDER = Path(__file__).parent / "panels" / "samples"

_CONFIGS = {word: config for config in CONFIGS for word in config.words()}


def _speaks_for_others(word: str) -> bool:
    """Whether it only says what others let it say: their reports, or whatever they like."""
    return word in OPEN_ENDED or "message.posted" in _CONFIGS[word].native_types.values()


#: The panels, those last that speak for others.
PANELS = sorted(_CONFIGS, key=_speaks_for_others)
#: Settings that have no default.
_REQUIRED: dict[str, dict[str, str]] = {
    "json": {"type": "body.type"},
    "3x-ui": {"address": "https://panel.example.com/", "token": "demo"},
}

_TIME = re.compile(r"\{(iso|zoneless|day|time|seconds|millis):([+-][0-9]+)([smhd])\}")
_SECONDS = {"seconds": 1, "millis": 1000}  # since 1970, as numbers
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Sample(Value):
    """One request as a panel would send it, and what it is known as."""

    type: str
    native_type: str
    body: Any
    dialect: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def hook(self, at: datetime) -> Hook:
        """The request, arriving at `at`."""
        headers = {"Content-Type": "application/json", **self.headers}
        return Hook(body=dump(_dated(self.body, at)), received_at=at, headers=headers, dialect=self.dialect)


@cache
def samples_of(panel: str) -> tuple[Sample, ...]:
    """What lies there of one panel."""
    return tuple(Sample(**one) for one in json.loads((FOLDER / f"{panel}.json").read_text("utf-8")))


def names() -> Iterator[str]:
    """All that may be asked for: the types, and what the panels call them."""
    yield from TYPES
    yield from (one.native_type for panel in PANELS for one in samples_of(panel))


@cache
def settings_of(panel: str) -> SourceConfig:
    """What a source of that panel is set to where there is none in the file."""
    return _CONFIGS[panel].model_validate({"panel": panel, "secret": "none", **_REQUIRED.get(panel, {})})


def sample(name: str, *, at: datetime, panel: str | None = None, source: str | None = None) -> Event:
    """The event that is called `name`, by its type or by a panel, of that panel or else of the first that sends it;
    or what the bridge tells of itself.

    Raise KeyError where there is none.
    """
    if own := next((one for one in own_samples(at=at) if one.type == name), None):
        return own
    for word in (panel,) if panel else PANELS:
        if event := sent(name, source or word, word, settings_of(word), at=at):
            return event
    raise KeyError(name)


def samples(*, at: datetime) -> list[Event]:
    """One event of every canonical type."""
    return [sample(type_, at=at) for type_ in TYPES]


def sent(name: str, source: str, panel: str, settings: SourceConfig, *, at: datetime) -> Event | None:
    """What a source with these settings makes of the sample that is called `name`; None where its panel sends none.

    Who names the types himself can send any that there is.
    """
    any_type = panel in OPEN_ENDED
    asked = [one for one in samples_of(panel) if any_type or name in (one.type, one.native_type)]
    if not asked and not any_type:
        return None
    door = Source(source, panel, settings.open())
    for one in asked:
        event = _parsed(door, one, at)
        if event is not None and name in (event.type, event.native_type):
            return event
    if not any_type or name not in TYPES:
        return None
    event = _parsed(door, _foreign(panel, sample(name, at=at)), at)
    return event if event is not None and event.type == name else None


def sent_by(
    sources: Mapping[str, SourceSettings],
    name: str,
    *,
    at: datetime,
    source: str | None = None,
    panel: str | None = None,
) -> Event | None:
    """What the first of these sources makes of the sample whose panel sends it: of all, the one named, or those of that
    panel; those come last that may send anything. None where no source does."""
    asked = [
        (called, settings)
        for called, settings in sources.items()
        if source in (None, called) and panel in (None, settings.panel)
    ]
    for wanted in dict.fromkeys((name, canonical(name))):
        for called, settings in sorted(asked, key=lambda one: one[1].panel in OPEN_ENDED):
            if (event := sent(wanted, called, settings.panel, settings, at=at)) is not None:
                return event
    return None


def requests_of(panel: str) -> dict[str, Sample]:
    """The panel's requests, each under what the panel calls it, or under its type where that is taken."""
    found: dict[str, Sample] = {}
    for one in samples_of(panel):
        found.setdefault(one.type if one.native_type in found else one.native_type, one)
    return found


def request_of(name: str, panel: str, *, at: datetime) -> Sample | None:
    """The request by which a panel tells what is called `name`, by it or by its type; None where it sends none."""
    if one := requests_of(panel).get(name) or next((one for one in samples_of(panel) if one.type == name), None):
        return one
    return _foreign(panel, sample(name, at=at)) if panel in OPEN_ENDED and name in TYPES else None


def canonical(name: str) -> str:
    """A type for a name of OrbVPN's document; any other name as it is."""
    return DOCUMENTED.get(name, name)


def _parsed(door: Source, one: Sample, at: datetime) -> Event | None:
    try:
        events, _ = door.parse(one.hook(at))
    except BadPayload:  # by the operator's own expressions it may be nothing
        return None
    return events[0][0]


def _foreign(panel: str, event: Event) -> Sample:
    """The same as a program of somebody's would send it."""
    known = {"type": event.type, "subject": event.subject}
    if panel == "cloudevents":
        named = {"specversion": "1.0", "id": event.id, "source": "/shop", "time": iso(event.occurred_at)}
        return Sample(event.type, event.type, {**named, **known, "data": dict(event.data)})
    return Sample(event.type, event.type, {**event.data, **known, "kind": event.type, "event": event.type})


def _dated(value: Any, at: datetime) -> Any:
    """The value with its times counted from `at`."""
    match value:
        case str():
            found = _TIME.fullmatch(value)
            if found and found[1] in _SECONDS:
                return int(_moment(found, at).timestamp() * _SECONDS[found[1]])
            return _TIME.sub(lambda one: _written(one, at), value)
        case dict():
            return {key: _dated(one, at) for key, one in value.items()}
        case list():
            return [_dated(one, at) for one in value]
    return value


def _moment(found: re.Match[str], at: datetime) -> datetime:
    return at.astimezone(UTC) + timedelta(**{_UNITS[found[3]]: int(found[2])})


def _written(found: re.Match[str], at: datetime) -> str:
    moment = _moment(found, at)
    match found[1]:
        case "iso":
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case "zoneless":
            return moment.replace(tzinfo=None).isoformat()
        case "day":
            return f"{moment:%Y-%m-%d}"
        case "time":
            return f"{moment:%H:%M:%S}"
        case _:
            return str(int(moment.timestamp()))
