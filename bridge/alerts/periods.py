"""Which days a report tells of, and when it is told: local days, weeks and months as spans of time. Pure.

A local day begins at its first moment, also where the clock leaves midnight out, and ends where the next one begins:
days lie side by side, of 23, 24 or 25 hours, and none where the zone has left a day out. What is told at a time that a
day leaves out is told at the first moment after it; at one that a day has twice, the first time. A month is one of the
calendar that is asked for, from the first day of it to the first of the next.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import ceil
from typing import Literal
from zoneinfo import ZoneInfo

from bridge.clock import in_zone
from bridge.value import Value

Every = Literal["day", "week", "month"]
Calendar = Literal["gregorian", "jalali"]

WEEK = 7  # days
HOUR = 3600  # seconds
LONGEST: Mapping[Every, int] = {"day": 1, "week": WEEK, "month": 31}  # days
#: Seconds after which nobody wants to read it any more.
TOO_LATE: Mapping[Every, float] = {"day": 86400.0, "week": 3 * 86400.0, "month": 7 * 86400.0}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECOND = timedelta(seconds=1)


class ReportSchedule(Value):
    """When a report is told, at a local time: every day, each week on a weekday (0 is Monday), each month on a day.

    day       of the month, from 1 to 28: every month has it
    calendar  whose months they are
    """

    every: Every
    at: time
    weekday: int = 0
    day: int = 1
    calendar: Calendar = "gregorian"

    def is_told_on(self, day: date) -> bool:
        match self.every:
            case "day":
                return True
            case "week":
                return day.weekday() == self.weekday
            case "month":
                return day_of_month(day, self.calendar) == self.day

    @property
    def reach(self) -> timedelta:
        """How far back it looks at most: to what it is compared with, from when it is told as late as it may be."""
        compared = WEEK if self.every == "day" else LONGEST[self.every]
        waits = self.day if self.every == "month" else 1  # days from the end of the last one until it is told
        return timedelta(days=LONGEST[self.every] + compared + waits, seconds=TOO_LATE[self.every])


class Period(Value):
    """The local days from `first` up to the one before `after`, and when they begin and end in UTC."""

    first: date
    after: date
    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> float:
        return (self.ends - self.begins).total_seconds()


class DuePeriod(Value):
    """What is told, and from when on, in UTC."""

    period: Period
    at: datetime


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When a zone's clock first shows that time of that day, or has passed it by, in UTC."""
    local = datetime.combine(day, at.replace(fold=0), zone)
    late, early = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if early >= late:  # it is there; where twice, `fold` 0 is the first
        return late
    offset = in_zone(late, zone).utcoffset()
    while late - early > SECOND:  # the clock leaves it out: where it jumps lies between the two
        middle = early + timedelta(seconds=(late - early) // SECOND // 2)
        if in_zone(middle, zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late


def day_of_month(day: date, calendar: Calendar) -> int:
    """Which day of its month it is, from 1."""
    if calendar == "gregorian":
        return day.day
    import jdatetime  # only who counts by it pays for it

    return int(jdatetime.date.fromgregorian(date=day).day)


def first_of_month(day: date, calendar: Calendar) -> date:
    """The first day of the month that it is in."""
    return day - timedelta(days=day_of_month(day, calendar) - 1)


def period_before(day: date, rhythm: ReportSchedule, zone: ZoneInfo) -> Period:
    """The last day, week of days, or month, that was over when that day began."""
    if rhythm.every == "month":
        after = first_of_month(day, rhythm.calendar)
        return period_of(first_of_month(after - timedelta(days=1), rhythm.calendar), after, zone)
    return period_of(day - timedelta(days=LONGEST[rhythm.every]), day, zone)


def compared(period: Period, rhythm: ReportSchedule, zone: ZoneInfo) -> Sequence[Period]:
    """What a period is compared with: the one just before, and of a day the same one of the week before."""
    before = period_before(period.first, rhythm, zone)
    if rhythm.every != "day":
        return [before]
    week = timedelta(days=WEEK)
    return [before, period_of(period.first - week, period.after - week, zone)]


def period_of(first: date, after: date, zone: ZoneInfo) -> Period:
    """The days from `first` on, up to the one before `after`."""
    return Period(first, after, moment_of(first, time(), zone), moment_of(after, time(), zone))


def parts_of(period: Period, rhythm: ReportSchedule, zone: ZoneInfo) -> Sequence[tuple[datetime, datetime]]:
    """Its hours where it is a day, else its days: from when to when; of a last hour what there is of it."""
    if rhythm.every != "day":
        days = ((period.first + timedelta(days=number)) for number in range((period.after - period.first).days))
        found = (period_of(day, day + timedelta(days=1), zone) for day in days)
        return [(one.begins, one.ends) for one in found]
    hours = [period.begins + timedelta(hours=number) for number in range(ceil(period.seconds / HOUR))]
    return list(pairwise([*hours, period.ends]))


def dues(rhythm: ReportSchedule, zone: ZoneInfo, *, since: date, until: date) -> Iterator[DuePeriod]:
    """What is told on the days from `since` up to `until`, in order."""
    days = (since + timedelta(days=number) for number in range((until - since).days + 1))
    for day in filter(rhythm.is_told_on, days):
        period = period_before(day, rhythm, zone)
        if period.seconds > 0:
            yield DuePeriod(period, moment_of(day, rhythm.at, zone))


def last_due(rhythm: ReportSchedule, zone: ZoneInfo, now: datetime) -> DuePeriod | None:
    """What was to be told last; None where nothing was within the last days."""
    today = in_zone(now, zone).date()
    found = dues(rhythm, zone, since=today - timedelta(days=LONGEST[rhythm.every] + 1), until=today)
    return max((one for one in found if one.at <= now), key=lambda one: one.at, default=None)
