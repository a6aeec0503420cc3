"""A wall clock that is set back, or forward, makes nothing wait longer."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.wall import LEAST, Wall
from bridge.outcome import Away
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Terms
from tests.delivery.lanes import Script, a_lane, carry_all, pass_time, routed
from tests.fakes import START, FakeClock, an_event, an_intake


def test_a_clock_that_only_goes_on_was_not_set_back() -> None:
    wall = Wall()
    assert [wall.set_back(now, START + timedelta(seconds=now)) for now in (0.0, 1.0, 3600.0)] == [0.0] * 3


def test_a_clock_that_was_set_back_is_noticed_once() -> None:
    wall = Wall()
    wall.set_back(0.0, START)
    assert wall.set_back(10.0, START - timedelta(seconds=3590)) == 3600.0
    assert wall.set_back(20.0, START - timedelta(seconds=3580)) == 0.0


def test_a_clock_that_was_set_forward_is_taken_as_it_is() -> None:
    wall = Wall()
    wall.set_back(0.0, START)
    assert wall.set_back(10.0, START + timedelta(hours=5)) == 0.0
    assert wall.set_back(20.0, START + timedelta(seconds=20)) == pytest.approx(5 * 3600 - 10)


@given(st.lists(st.floats(-3.0, 3.0)))
def test_small_steps_add_up_and_none_is_forgotten(steps: list[float]) -> None:
    wall, ahead, highest, told = Wall(), 0.0, 0.0, 0.0
    wall.set_back(0.0, START)
    for step in steps:
        ahead += step
        highest = max(highest, ahead + told)
        told += wall.set_back(0.0, START + timedelta(seconds=ahead))
    assert highest - (ahead + told) < LEAST + 1e-3


async def test_a_retry_waits_no_longer_when_the_clock_is_set_back(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Away("HTTP 502")])
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    clock.set_back(3600)
    await pass_time(lane, clock, 30)
    assert sink.times == [0, 30]


async def test_a_digest_is_told_in_time_when_the_clock_is_set_back(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock)
    await outbox.put(routed(an_event(None), an_event(None), terms=Terms(digest=DigestWindow(window=60.0))))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    clock.set_back(86400)
    await pass_time(lane, clock, 60)
    assert [len(types) for types in sink.digested] == [2]


async def test_an_hour_that_is_skipped_costs_nothing_but_an_early_retry(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Away("HTTP 502")])
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    clock.set_back(-3600)
    await pass_time(lane, clock, 2)
    assert len(sink.sent) == 2
