"""Which days a report tells of, and when it is told: local days as spans of time. Pure.

A local day begins at its first moment, also where the clock leaves midnight out, and ends where the next one begins:
days lie side by side, of 23, 24 or 25 hours, and none where the zone has left a day out. What is told at a time that a
day leaves out is told at the first moment after it; at one that a day has twice, the first time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Every = Literal["day", "week"]

DAYS: dict[Every, int] = {"day": 1, "week": 7}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a report is told: every day, or every week on a weekday (0 is Monday), at a local time."""

    every: Every
    at: time
    weekday: int = 0

    def is_told_on(self, day: date) -> bool:
        return self.every == "day" or day.weekday() == self.weekday


@dataclass(frozen=True, slots=True)
class Period:
    """The local days from `first` up to the one before `after`, and when they begin and end in UTC."""

    first: date
    after: date
    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> float:
        return (self.ends - self.begins).total_seconds()


@dataclass(frozen=True, slots=True)
class Due:
    """What is told, and from when on, in UTC."""

    period: Period
    at: datetime


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When a zone's clock first shows that time of that day, or has passed it by, in UTC."""
    local = datetime.combine(day, at.replace(fold=0), zone)
    late, early = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if early >= late:  # it is there; where twice, `fold` 0 is the first
        return late
    offset = late.astimezone(zone).utcoffset()
    while late - early > SECOND:  # the clock leaves it out: where it jumps lies between the two
        middle = early + timedelta(seconds=(late - early) // SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late


def period_before(day: date, every: Every, zone: ZoneInfo) -> Period:
    """The last day, or week of days, before that day."""
    return period_of(day - timedelta(days=DAYS[every]), day, zone)


def period_of(first: date, after: date, zone: ZoneInfo) -> Period:
    """The days from `first` on, up to the one before `after`."""
    return Period(first, after, moment_of(first, time(), zone), moment_of(after, time(), zone))


def dues(rhythm: Rhythm, zone: ZoneInfo, *, since: date, until: date) -> Iterator[Due]:
    """What is told on the days from `since` up to `until`, in order."""
    for number in range((until - since).days + 1):
        day = since + timedelta(days=number)
        period = period_before(day, rhythm.every, zone)
        if rhythm.is_told_on(day) and period.seconds > 0:
            yield Due(period, moment_of(day, rhythm.at, zone))


def last_due(rhythm: Rhythm, zone: ZoneInfo, now: datetime) -> Due | None:
    """What was to be told last; None where nothing was within the last days."""
    today = now.astimezone(zone).date()
    found = dues(rhythm, zone, since=today - timedelta(days=DAYS[rhythm.every] + 1), until=today)
    return max((one for one in found if one.at <= now), key=lambda one: one.at, default=None)
