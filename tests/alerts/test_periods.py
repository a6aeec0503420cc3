"""Days lie side by side in every zone, and what is told at a time of the day is told once on each."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.alerts.periods import Rhythm, dues, last_due, moment_of, period_before, period_of

ZONES = sorted(available_timezones())
FIRST, DAYS = date(2026, 1, 1), 400
zones = st.sampled_from(ZONES).map(ZoneInfo)
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
    found = list(dues(Rhythm("day", at), zone, since=FIRST, until=FIRST + timedelta(days=DAYS)))
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
    rhythm, now = Rhythm("day", at), datetime(2026, 1, 3, tzinfo=UTC) + quarter * timedelta(minutes=15)
    found = last_due(rhythm, zone, now)
    assert found is not None
    assert found.at <= now
    following = moment_of(found.period.after + timedelta(days=1), at, zone)
    assert now < following


@given(zones, st.integers(0, 6))
def test_weeks_lie_side_by_side_and_are_told_on_their_day(zone: ZoneInfo, weekday: int) -> None:
    rhythm = Rhythm("week", time(9), weekday)
    found = list(dues(rhythm, zone, since=FIRST, until=FIRST + timedelta(days=DAYS)))
    assert all(before.period.ends == after.period.begins for before, after in pairwise(found))
    assert {one.period.after.weekday() for one in found} == {weekday}


def test_a_day_that_a_zone_has_left_out_is_told_nowhere() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went from 29 December 2011 to the 31st
    found = list(dues(Rhythm("day", time(9)), apia, since=date(2011, 12, 30), until=date(2012, 1, 1)))
    assert [one.period.first for one in found] == [date(2011, 12, 29), date(2011, 12, 31)]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)])
def test_a_day_has_as_many_hours_as_its_clock_shows(day: date, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert period_before(day + timedelta(days=1), "day", berlin).seconds == hours * 3600


def test_a_time_that_is_left_out_is_the_first_after_it_and_one_that_comes_twice_the_first() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert moment_of(date(2026, 3, 29), time(2, 30), berlin) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert moment_of(date(2026, 10, 25), time(2, 30), berlin) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def _days() -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(DAYS)]
