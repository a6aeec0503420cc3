"""Bars over time: every step has its place, and what there is can be seen."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.admin.charts import HEIGHT, begin, chart
from bridge.admin.shapes import Point

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def point(at: datetime, n: int, detail: str = "") -> Point:
    return Point(at=at, name="ops", detail=detail, n=n, ms_mean=0, ms_max=0)


def test_each_step_has_a_bar_also_where_nothing_was() -> None:
    found = chart([point(NOON, 4), point(NOON + 2 * HOUR, 2)], since=NOON, step=HOUR, count=4)
    assert [(one.at, one.n) for one in found.bars] == [(NOON + n * HOUR, many) for n, many in enumerate((4, 0, 2, 0))]
    assert (found.total, found.lost, found.most) == (6, 0, 4)
    assert [one.height for one in found.bars] == [HEIGHT, 0.0, HEIGHT / 2, 0.0]
    assert [one.x for one in found.bars] == sorted(one.x for one in found.bars)


def test_what_comes_in_one_step_is_added_up_and_what_is_outside_is_not_drawn() -> None:
    points = [point(NOON, 1), point(NOON + HOUR / 2, 2), point(NOON - HOUR, 9), point(NOON + 5 * HOUR, 9)]
    found = chart(points, since=NOON, step=HOUR, count=2)
    assert [one.n for one in found.bars] == [3, 0]


def test_however_little_there_is_it_can_be_seen_and_what_is_lost_is_no_higher_than_all() -> None:
    found = chart([point(NOON, 1), point(NOON + HOUR, 10_000)], lost=[point(NOON, 7)], since=NOON, step=HOUR, count=2)
    assert found.bars[0].lost_height == found.bars[0].height > 0
    assert found.bars[0].n == 7
    assert all(0 <= one.y <= HEIGHT for one in found.bars)


def test_nothing_at_all_is_drawn_as_nothing() -> None:
    found = chart([], since=NOON, step=HOUR, count=24)
    assert (found.filled, found.total, len(found.bars)) == ([], 0, 24)


@pytest.mark.parametrize(
    ("step", "count", "begins"),
    [
        (timedelta(minutes=30), 48, NOON - 23.5 * HOUR),
        (HOUR, 24, NOON - 23 * HOUR),
        (timedelta(days=1), 30, datetime(2026, 10, 23, tzinfo=UTC)),
    ],
)
def test_the_last_bar_is_the_one_that_is_running(step: timedelta, count: int, begins: datetime) -> None:
    now = NOON + timedelta(minutes=29)
    assert begin(now, step, count) == begins
    assert begins + count * step > now
