"""Days, weeks and months lie side by side in every zone, and what is told at a time of the day is told once on each."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.alerts.periods import (
    TOO_LATE,
    Calendar,
    Every,
    ReportSchedule,
    compared,
    day_of_month,
    dues,
    last_due,
    moment_of,
    parts_of,
    period_before,
    period_of,
)
from bridge.store.queries.tallies import KEEP_QUARTERS

ZONES = sorted(available_timezones())
FIRST, DAYS = date(2026, 1, 1), 400
zones = st.sampled_from(ZONES).map(ZoneInfo)
#: Since there are zones at all: clocks were changed for other reasons then, and dates were left out.
long_ago = st.dates(date(1880, 1, 1), date(2090, 1, 1))
months = st.builds(
    ReportSchedule,
    every=st.just("month"),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    day=st.integers(1, 28),
    calendar=st.sampled_from(["gregorian", "jalali"]),
)
rhythms = months | st.builds(
    ReportSchedule, every=st.sampled_from(["day", "week"]), at=st.times(), weekday=st.integers(0, 6)
)
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@pytest.mark.parametrize("name", ZONES)
def test_the_days_of_a_zone_lie_side_by_side_and_fit_quarters_of_an_hour(name: str) -> None:
    zone = ZoneInfo(name)
    days = [period_of(day, day + timedelta(days=1), zone) for day in _days()]
    assert all(before.ends == after.begins for before, after in pairwise(days))
    assert all(one.begins.astimezone(zone).date() == one.first for one in days)
    assert all((one.ends - timedelta(microseconds=1)).astimezone(zone).date() == one.first for one in days)
    assert all(one.begins.timestamp() % 900 == 0 for one in days)


@given(zones, times)
def test_each_day_has_one_moment_at_which_it_is_told(zone: ZoneInfo, at: time) -> None:
    found = list(dues(ReportSchedule("day", at), zone, since=FIRST, until=FIRST + timedelta(days=DAYS)))
    assert len({one.at for one in found}) == len(found) == DAYS + 1
    assert [one.period.after for one in found] == [one.at.astimezone(zone).date() for one in found]
    for one in found:
        local = one.at.astimezone(zone).replace(tzinfo=None)
        wanted = datetime.combine(one.period.after, at)
        assert local >= wanted
        if local > wanted:  # the clock has left it out: a second before it was earlier
            assert (one.at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wanted


@given(zones, times, st.integers(0, DAYS * 96))
def test_whenever_one_looks_the_last_one_is_that_whose_time_has_come(zone: ZoneInfo, at: time, quarter: int) -> None:
    rhythm, now = ReportSchedule("day", at), datetime(2026, 1, 3, tzinfo=UTC) + quarter * timedelta(minutes=15)
    found = last_due(rhythm, zone, now)
    assert found is not None
    assert found.at <= now
    following = moment_of(found.period.after + timedelta(days=1), at, zone)
    assert now < following


@given(zones, st.integers(0, 6))
def test_weeks_lie_side_by_side_and_are_told_on_their_day(zone: ZoneInfo, weekday: int) -> None:
    rhythm = ReportSchedule("week", time(9), weekday)
    found = list(dues(rhythm, zone, since=FIRST, until=FIRST + timedelta(days=DAYS)))
    assert all(before.period.ends == after.period.begins for before, after in pairwise(found))
    assert {one.period.after.weekday() for one in found} == {weekday}


@given(zones, months, long_ago)
def test_months_lie_side_by_side_and_each_is_told_once_on_its_day(
    zone: ZoneInfo, rhythm: ReportSchedule, since: date
) -> None:
    found = list(dues(rhythm, zone, since=since, until=since + timedelta(days=DAYS)))
    assert 13 <= len(found) <= 14
    assert all(before.period.after == after.period.first for before, after in pairwise(found))
    assert all(before.period.ends == after.period.begins for before, after in pairwise(found))
    assert all(before.at < after.at for before, after in pairwise(found))
    for one in found:
        assert day_of_month(one.period.first, rhythm.calendar) == day_of_month(one.period.after, rhythm.calendar) == 1
        assert one.period.ends <= one.at
        assert 28 <= (one.period.after - one.period.first).days <= 31


@given(zones, rhythms, long_ago, st.lists(st.integers(0, 60 * 24 * 3600), min_size=1, max_size=40))
def test_whoever_looks_whenever_after_restarts_finds_each_period_at_most_once_and_the_last_that_is_due(
    zone: ZoneInfo, rhythm: ReportSchedule, since: date, looks: list[int]
) -> None:
    begin = moment_of(since, time(), zone)
    all_of_them = list(dues(rhythm, zone, since=since - timedelta(days=40), until=since + timedelta(days=70)))
    told = [last_due(rhythm, zone, begin + timedelta(seconds=seconds)) for seconds in sorted(looks)]
    for seconds, found in zip(sorted(looks), told, strict=True):
        now = begin + timedelta(seconds=seconds)
        assert found == max((one for one in all_of_them if one.at <= now), key=lambda one: one.at)
    firsts = [one.period.first for one in told if one is not None]
    assert firsts == sorted(firsts)


@given(zones, rhythms, long_ago)
def test_what_a_period_is_compared_with_is_as_old_as_it_reaches_at_most(
    zone: ZoneInfo, rhythm: ReportSchedule, since: date
) -> None:
    for due in dues(rhythm, zone, since=since, until=since + timedelta(days=31)):
        before, *week_before = compared(due.period, rhythm, zone)
        assert before.ends == due.period.begins
        oldest = [before, *week_before][-1].begins
        assert due.at + timedelta(seconds=TOO_LATE[rhythm.every]) - oldest <= rhythm.reach + timedelta(
            days=1
        )  # a date that came twice


@given(zones, rhythms, st.dates(FIRST, FIRST + timedelta(days=DAYS)))
def test_the_parts_of_a_period_lie_side_by_side_and_are_all_of_it(
    zone: ZoneInfo, rhythm: ReportSchedule, day: date
) -> None:
    period = period_before(day, rhythm, zone)
    parts = parts_of(period, rhythm, zone)
    assert (parts[0][0], parts[-1][1]) == (period.begins, period.ends)
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert all(begin.timestamp() % 900 == 0 for begin, _ in parts)
    if rhythm.every == "day":
        assert len(parts) in (23, 24, 25)
        assert all(end - begin == timedelta(hours=1) for begin, end in parts[:-1])
    else:
        assert len(parts) == (period.after - period.first).days


@pytest.mark.parametrize("every", ["day", "week", "month"])
def test_figures_are_kept_for_as_long_as_any_report_reaches(every: Every) -> None:
    assert ReportSchedule(every, time(9), day=28).reach <= KEEP_QUARTERS


@pytest.mark.parametrize(
    ("told", "calendar", "first", "after", "before"),
    [
        (date(2026, 12, 1), "gregorian", date(2026, 11, 1), date(2026, 12, 1), date(2026, 10, 1)),
        (date(2027, 1, 28), "gregorian", date(2026, 12, 1), date(2027, 1, 1), date(2026, 11, 1)),
        (date(2028, 3, 1), "gregorian", date(2028, 2, 1), date(2028, 3, 1), date(2028, 1, 1)),
        # 1 Azar 1405, after the 30 days of Aban; 1 Farvardin 1406, after the 29 of Esfand; 1404 and 1403, which had 30
        (date(2026, 11, 22), "jalali", date(2026, 10, 23), date(2026, 11, 22), date(2026, 9, 23)),
        (date(2027, 3, 21), "jalali", date(2027, 2, 20), date(2027, 3, 21), date(2027, 1, 21)),
        (date(2025, 3, 21), "jalali", date(2025, 2, 19), date(2025, 3, 21), date(2025, 1, 20)),
    ],
)
def test_a_month_is_one_of_its_calendar(told: date, calendar: Calendar, first: date, after: date, before: date) -> None:
    rhythm = ReportSchedule("month", time(9), day=told.day if calendar == "gregorian" else 1, calendar=calendar)
    tehran = ZoneInfo("Asia/Tehran")
    [due] = dues(rhythm, tehran, since=told, until=told)
    assert (due.period.first, due.period.after) == (first, after)
    assert [one.first for one in compared(due.period, rhythm, tehran)] == [before]


def test_a_month_begins_at_the_first_moment_of_its_first_day_and_has_the_hours_of_its_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    march = period_before(date(2026, 4, 1), ReportSchedule("month", time(9)), berlin)
    assert (march.begins, march.seconds) == (datetime(2026, 2, 28, 23, tzinfo=UTC), (31 * 24 - 1) * 3600)
    amman = ZoneInfo("Asia/Amman")  # left out the first hour of 1 April 2016
    april = period_before(date(2016, 5, 20), ReportSchedule("month", time(9)), amman)
    assert april.begins == datetime(2016, 3, 31, 22, tzinfo=UTC)
    assert april.begins.astimezone(amman).time() == time(1)


def test_a_day_that_a_zone_has_left_out_is_told_nowhere() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went from 29 December 2011 to the 31st
    found = list(dues(ReportSchedule("day", time(9)), apia, since=date(2011, 12, 30), until=date(2012, 1, 1)))
    assert [one.period.first for one in found] == [date(2011, 12, 29), date(2011, 12, 31)]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)])
def test_a_day_has_as_many_hours_as_its_clock_shows(day: date, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert period_before(day + timedelta(days=1), ReportSchedule("day", time(9)), berlin).seconds == hours * 3600


def test_a_time_that_is_left_out_is_the_first_after_it_and_one_that_comes_twice_the_first() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert moment_of(date(2026, 3, 29), time(2, 30), berlin) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert moment_of(date(2026, 10, 25), time(2, 30), berlin) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def _days() -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(DAYS)]
