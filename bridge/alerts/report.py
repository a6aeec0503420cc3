"""A report: what happened in a day, a week or a month, as the event that it becomes. Pure.

It is told once for each period, whoever tells it: its key is made of its name and the days alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.alerts.alert import Alert
from bridge.alerts.periods import DuePeriod, Period, compared, parts_of
from bridge.alerts.report_settings import ReportSettings
from bridge.event import iso
from bridge.figures import Collected, Figures, OwnerFigures, TimeSpan
from bridge.value import Value

WORD = "report"
LATE = 900.0  # seconds after its time from which on a report says that it is late
SHOWN = 10  # of a kind that are told by name
#: What a span is compared with, as it is told.
COMPARED = ("before", "week_before")


class DueReport(Value):
    """A report that is due: what the file says of it under its name, and the zone of its days.

    silent_after: source → seconds without an event that are told; None for as long as the whole period
    """

    name: str
    settings: ReportSettings
    zone: ZoneInfo
    due: DuePeriod
    silent_after: Mapping[str, float | None]

    @property
    def key(self) -> str:
        """The same for whoever tells the same."""
        return f"{WORD}:{self.name}:{self.settings.every}:{self.due.period.first.isoformat()}"

    @property
    def spans(self) -> Sequence[TimeSpan]:
        """What it tells of, then what it is compared with."""
        period = self.due.period
        found = (period, *compared(period, self.settings.rhythm(), self.zone))
        return [(one.begins, one.ends) for one in found]

    @property
    def parts(self) -> Sequence[TimeSpan]:
        """Those of what it tells of that a picture shows; none where there is to be none."""
        return parts_of(self.due.period, self.settings.rhythm(), self.zone) if self.settings.picture else ()

    def alert(self, found: Collected, now: datetime) -> Alert:
        """What is told of it, once it is known what happened in its `spans`."""
        return Alert(
            word=WORD,
            at=now,
            subject=f"{WORD}:{self.name}",
            data={"report": _report_data(self, found, self._late(now))},
            key=self.key,
        )

    def owner_key(self, of: OwnerFigures) -> str:
        """Of what an owner is told."""
        return f"{self.key}:{of.realm}:{of.name}"

    def owner_alert(self, of: OwnerFigures, now: datetime) -> Alert:
        """What an owner is told of their users."""
        return Alert(
            word=WORD,
            at=now,
            subject=f"{WORD}:{self.name}:{of.name}",
            data={"report": _owner_data(self, of, self._late(now)), "owner": of.name},
            key=self.owner_key(of),
        )

    def _late(self, now: datetime) -> datetime | None:
        return now if (now - self.due.at).total_seconds() > LATE else None


def is_empty(found: Collected) -> bool:
    """Whether nothing came in, and nothing went out."""
    return not found.figures[0].events and not found.figures[0].sinks


def _owner_data(report: DueReport, of: OwnerFigures, late: datetime | None) -> dict[str, Any]:
    types, *before = of.types
    known = {word: counts for word, counts in zip(COMPARED, before, strict=False) if counts}
    return {
        **_period(report, late),
        **_since(of.since),
        "events": sum(types.values()),
        **({"bars": list(of.bars)} if of.bars else {}),
        **{word: sum(counts.values()) for word, counts in known.items()},
        **_parts("types", "type", types, known),
        **_parts("users", "name", of.users),
        **({"cut": True} if of.cut else {}),
    }


def _period(report: DueReport, late: datetime | None) -> dict[str, Any]:
    """Of when it tells."""
    period = report.due.period
    return {
        "name": report.name,
        "every": report.settings.every,
        "begins_at": iso(period.begins),
        "ends_at": iso(period.ends - timedelta(microseconds=1)),
        "hours": round(period.seconds / 3600, 2),
        **({"late_at": iso(late)} if late else {}),
    }


def _since(since: datetime | None) -> dict[str, Any]:
    """That its beginning was not counted: the bridge was not there yet, or does not keep it so long."""
    return {"counted_from": iso(since)} if since else {}


def _report_data(report: DueReport, found: Collected, late: datetime | None) -> dict[str, Any]:
    period, settings = report.due.period, report.settings
    of, *before = found.figures
    known = {word: one for word, one in zip(COMPARED, before, strict=False) if one.whole}
    sent = of.sinks.values()
    parts = {
        "type": lambda: _parts("types", "type", of.types, {word: one.types for word, one in known.items()}),
        "owner": lambda: _parts("owners", "name", of.owners),
        "node": lambda: _parts("nodes", "name", of.nodes, downs=of.downs),
        "user": lambda: _parts("users", "name", found.users) | ({"cut": True} if found.cut else {}),
    }
    return {
        **_period(report, late),
        **_since(of.since),
        "events": of.events,
        **({"bars": list(found.bars)} if found.bars else {}),
        **{word: one.events for word, one in known.items()},
        "nowhere": of.nowhere,
        "delivered": sum(one.delivered for one in sent),
        "given_up": sum(one.dead for one in sent),
        "held_back": sum(one.held_back for one in sent),
        "sinks": [
            {"name": name, "delivered": one.delivered, "given_up": one.dead, "held_back": one.held_back}
            for name, one in sorted(of.sinks.items(), key=lambda sink: (-sink[1].delivered, sink[0]))[:SHOWN]
        ],
        **_parts("sources", "name", of.sources),
        **{key: value for by in settings.by for key, value in parts[by]().items()},
        "dead_letters": [{"sink": one.sink, "reason": one.reason, "events": one.number} for one in found.dead],
        "silent": list(_silent(report.silent_after, found, period, of)),
    }


def _parts(
    key: str,
    name: str,
    counted: Mapping[str, int],
    before: Mapping[str, Mapping[str, int]] | None = None,
    downs: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The most frequent by name, and how many the others are and have."""
    ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    shown = [
        {
            name: each,
            "events": n,
            **{word: counts.get(each, 0) for word, counts in (before or {}).items()},
            **({"down": downs[each]} if downs and each in downs else {}),
        }
        for each, n in ranked[:SHOWN]
    ]
    more = ranked[SHOWN:]
    others = {f"more_{key}": {"number": len(more), "events": sum(n for _, n in more)}} if more else {}
    return {key: shown, **others}


def _silent(
    limits: Mapping[str, float | None], found: Collected, period: Period, of: Figures
) -> Iterable[dict[str, Any]]:
    """The sources that had said nothing for too long when the period ended."""
    for name, limit in limits.items():
        last = found.heard.get(name)
        if last is None:
            if not of.sources.get(name):
                yield {"name": name}
            continue
        seconds = (period.ends - last).total_seconds()
        if seconds >= (limit or period.seconds):
            yield {"name": name, "silent_seconds": round(seconds), "last_event_at": iso(last)}
