"""What is told once, whatever comes late or again. On both engines."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.intake import Threshold
from bridge.store import migrate
from bridge.store.backend import autocommit, open_engine
from bridge.store.queries.told_steps import is_news
from bridge.value import Value
from tests.fakes import START

NAMES = map("marzban/user:{}".format, count())


class Reached(Value):
    """A step, and in which hour it was reached."""

    step: Threshold
    hour: int


def used(percent: int, hour: int, *, limit: int = 100, known: bool = True) -> Reached:
    return Reached(Threshold("used", str(limit), percent, limit * percent if known else 0), hour)


def left(days: int, hour: int, *, end: str = "2026-12-01T00:00") -> Reached:
    return Reached(Threshold("left", end, -days), hour)


FIRST = [used(percent, hour) for hour, percent in enumerate((50, 80, 95, 100))]
SECOND = [used(percent, hour, limit=200) for hour, percent in enumerate((50, 80, 95, 100), start=10)]
SOON = [left(days, hour) for hour, days in enumerate((7, 3, 1, 0))]
LATER = [left(days, hour, end="2027-01-01T00:00") for hour, days in enumerate((7, 3, 1, 0), start=10)]


@pytest.fixture
def connection(any_store_url: str) -> Iterator[sa.Connection]:
    engine = open_engine(any_store_url)
    migrate.migrate(engine)
    with autocommit(engine.connect()) as opened:
        yield opened
    engine.dispose()


def told(connection: sa.Connection, arriving: Sequence[Reached]) -> list[Reached]:
    """What somebody whom nobody knows yet is told of it."""
    key = next(NAMES)
    return [one for one in arriving if is_news(connection, key, one.step, START + timedelta(hours=one.hour))]


def arrivals(*cycles: Sequence[Reached]) -> st.SearchStrategy[list[Reached]]:
    """All of it in any order, and some of it again."""
    every = [one for cycle in cycles for one in cycle]
    again = st.lists(st.sampled_from(every), max_size=6)
    return again.flatmap(lambda some: st.permutations([*every, *some]))


@given(arriving=arrivals(FIRST, SECOND) | arrivals(SOON, LATER))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_any_order_and_repetition_each_step_is_told_once_and_none_after_a_higher_or_of_an_older_cycle(
    connection: sa.Connection, arriving: list[Reached]
) -> None:
    found = told(connection, arriving)
    assert found == sorted(found, key=lambda one: one.hour)
    assert len(set(map(repr, found))) == len(found)
    assert found[-1].hour == 13  # the last step of the last cycle is told, whatever came before


@pytest.mark.parametrize("cycles", [FIRST + SECOND, SOON + LATER])
def test_in_their_order_all_steps_of_all_cycles_are_told(connection: sa.Connection, cycles: list[Reached]) -> None:
    assert told(connection, [one for one in cycles for _ in range(2)]) == cycles


def test_a_higher_step_is_told_also_where_it_comes_late(connection: sa.Connection) -> None:
    assert told(connection, [used(95, 4), used(100, 3)]) == [used(95, 4), used(100, 3)]


def test_an_end_that_was_moved_back_is_told_of_where_the_event_is_the_later_one(connection: sa.Connection) -> None:
    longer, shorter = left(7, 1, end="2027-01-01T00:00"), left(3, 2)
    assert told(connection, [longer, shorter]) == [longer, shorter]
    assert told(connection, [shorter, longer]) == [shorter]


def test_a_counter_that_nobody_says_has_not_fallen(connection: sa.Connection) -> None:
    unknown = used(100, 3, known=False)
    assert told(connection, [used(95, 1), used(100, 2), unknown, used(100, 4)]) == [used(95, 1), used(100, 2)]
    assert told(connection, [used(80, 1), unknown, used(80, 4), used(79, 5)]) == [used(80, 1), unknown, used(79, 5)]


def test_where_no_stamp_is_true_a_counter_that_has_fallen_was_reset(connection: sa.Connection) -> None:
    assert len(told(connection, [used(80, 1), used(95, 1), used(82, 1), used(96, 1)])) == 4
