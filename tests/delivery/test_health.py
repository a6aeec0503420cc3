"""Whether a service can be asked."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bridge.delivery.attempt import AttemptResult
from bridge.delivery.health import Breaker, LaneHealth
from bridge.delivery.limiter import RateWindows
from bridge.outcome import Attempt, Away, Delivered, Gone, Limited, Outcome, Refused
from bridge.store import open_ledger
from bridge.store.base import LaneState, Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.lanes import resume
from tests.delivery.lanes import ScriptedSink, a_lane, carry_all, look_up, pass_time
from tests.fakes import START, FakeClock, an_event, an_intake

AWAY = Away("HTTP 502")
NAMES = [f"user:{n}" for n in range(6)]


def recorded(breaker: Breaker, outcome: Outcome, now: float = 0.0) -> bool:
    return breaker.record(Attempt(outcome), now, START + timedelta(seconds=now))


def test_a_new_lane_flows() -> None:
    breaker = Breaker(300.0)
    assert (breaker.standing, breaker.wait(0.0), breaker.probing) == (Standing.OPEN, 0.0, False)


def test_a_service_that_does_not_answer_is_left_alone_for_a_while_and_then_probed() -> None:
    breaker = Breaker(300.0)
    assert recorded(breaker, Away("HTTP 502"), 10.0)
    assert (breaker.standing, breaker.reason, breaker.since) == (
        Standing.AWAY,
        "HTTP 502",
        START + timedelta(seconds=10),
    )
    assert (breaker.wait(10.0), breaker.wait(11.0), breaker.probing) == (1.0, 0.0, True)


def test_every_failed_probe_doubles_the_wait_up_to_the_ceiling() -> None:
    breaker, waits = Breaker(300.0), []
    for _ in range(12):
        recorded(breaker, Away("HTTP 502"))
        waits.append(breaker.wait(0.0))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_a_sink_that_is_retried_sooner_is_probed_sooner() -> None:
    breaker = Breaker(0.2)
    recorded(breaker, Away("HTTP 502"))
    assert breaker.wait(0.0) == 0.2


def test_of_a_service_that_asks_to_wait_without_a_time_the_waits_grow_and_the_lane_is_away() -> None:
    breaker, waits = Breaker(0.2), []
    for _ in range(12):
        assert recorded(breaker, Limited())
        waits.append(breaker.wait(0.0))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert (breaker.standing, breaker.since, breaker.probing) == (Standing.AWAY, START, True)
    assert breaker.reason == "rate limited, and it does not say for how long"
    assert recorded(breaker, Limited(30.0))
    assert breaker.standing is Standing.OPEN


def test_no_wait_that_a_service_names_is_shorter_than_a_second() -> None:
    breaker = Breaker(300.0)
    recorded(breaker, Away("HTTP 503", after=0.01))
    assert breaker.wait(0.0) == 1.0


@pytest.mark.parametrize("seconds", [5.0, 7 * 3600.0])
def test_the_time_that_a_service_names_wins(seconds: float) -> None:
    breaker = Breaker(300.0)
    recorded(breaker, Away("HTTP 503", after=seconds))
    assert breaker.wait(0.0) == seconds


def test_of_several_that_were_on_their_way_at_once_the_longest_wait_counts() -> None:
    breaker = Breaker(300.0)
    recorded(breaker, Away("HTTP 503", after=40.0))
    recorded(breaker, Away("HTTP 502"))
    assert breaker.wait(0.0) == 40.0


def test_what_answers_after_the_address_was_found_gone_was_sent_before() -> None:
    breaker = Breaker(300.0)
    recorded(breaker, Gone("HTTP 404"))
    for answer in (Delivered(), Away("HTTP 502"), Refused("HTTP 400")):
        assert not recorded(breaker, answer)
    assert breaker.standing is Standing.PARKED


@pytest.mark.parametrize("answer", [Delivered(), Refused("HTTP 400"), Limited(30.0)])
def test_any_answer_shows_that_the_service_is_there(answer: Outcome) -> None:
    breaker = Breaker(300.0)
    recorded(breaker, Away("HTTP 502"))
    assert recorded(breaker, answer, 1.0)
    assert (breaker.standing, breaker.wait(1.0), breaker.failures, breaker.since) == (Standing.OPEN, 0.0, 0, None)
    assert not recorded(breaker, answer, 2.0)


def test_it_has_been_away_since_the_first_failure() -> None:
    breaker = Breaker(300.0)
    for now in (0.0, 60.0, 120.0):
        recorded(breaker, Away("HTTP 502"), now)
    assert breaker.since == START


def test_a_gone_address_is_left_alone_until_someone_resumes() -> None:
    breaker = Breaker(300.0)
    assert recorded(breaker, Gone("HTTP 404"))
    assert (breaker.standing, breaker.wait(1e9), breaker.probing) == (Standing.PARKED, None, False)
    assert breaker.resume()
    assert breaker.wait(0.0) == 0.0


def test_it_stands_as_was_written() -> None:
    breaker = Breaker(300.0)
    state = LaneState(
        standing=Standing.AWAY, reason="HTTP 502", since=START, until=START + timedelta(seconds=90), failures=7
    )
    breaker.restore(state, 1000.0, START + timedelta(seconds=30))
    assert (breaker.standing, breaker.reason, breaker.since) == (Standing.AWAY, "HTTP 502", START)
    assert breaker.wait(1000.0) == 60.0
    recorded(breaker, Away("HTTP 502"), 1060.0)
    assert breaker.wait(1060.0) == 128.0


class Resumed:
    """A store that says of every lane that it flows; `meanwhile` happens while it is asked."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = lambda: None

    async def lane_state(self, sink: str) -> LaneState:
        self.meanwhile()
        return LaneState(address=ScriptedSink.address)

    def save_lane_state(self, sink: str, state: LaneState, *, epoch: int) -> "asyncio.Future[None]":
        saved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        saved.set_result(None)
        return saved


async def test_an_answer_that_comes_while_the_store_is_asked_is_newer_than_that_someone_resumed(
    clock: FakeClock,
) -> None:
    store: Any = Resumed()
    health = LaneHealth("ops", ScriptedSink(clock), store, clock, RateWindows(), epoch=0)
    away = AttemptResult(Attempt(Away("HTTP 502")))
    health.record(away, sent=0.0)
    await asyncio.sleep(0)
    store.meanwhile = lambda: health.record(away, sent=0.0)
    assert not await health.resumed()
    assert health.breaker.standing is Standing.AWAY
    await asyncio.sleep(0)
    store.meanwhile = lambda: None
    assert await health.resumed()
    assert health.breaker.standing is Standing.OPEN


async def test_what_waits_for_a_service_that_is_away_burns_no_attempt(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [AWAY] * 3)
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 6)
    assert sink.times == [0, 1, 3]
    assert [record.attempts for record in look_up(store_url)] == [1, 1, 1, 0, 0, 0]
    await pass_time(lane, clock, 60)
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_probes_go_round_so_that_an_outage_uses_up_no_delivery(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [AWAY] * 12)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(40))))
    await pass_time(a_lane(outbox, sink, clock), clock, 4000, by=5)
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_one_answer_opens_the_lane_for_all(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [AWAY])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await pass_time(a_lane(outbox, sink, clock), clock, 1)
    assert sink.times == [0, 1, 1, 1, 1, 1]


async def test_the_hours_that_a_service_asks_for_are_honoured_by_the_whole_lane_and_over_a_restart(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 503", after=3 * 3600.0)])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await pass_time(a_lane(outbox, sink, clock), clock, 3600, by=60)
    await pass_time(a_lane(outbox, sink, clock), clock, 2 * 3600, by=60)
    assert sink.times == [0] + [3 * 3600.0] * 6


async def test_a_gone_address_is_sent_nothing_more_and_nothing_is_dead(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Gone("HTTP 404, code 10015: Unknown Webhook")])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 3600, by=60)
    assert sink.times == [0]
    assert {record.state for record in look_up(store_url)} == {"waiting", "pending"}
    assert [record.attempts for record in look_up(store_url)] == [0] * 6
    state = await outbox.lane_state("ops")
    assert (state.standing, state.reason) == (Standing.PARKED, "HTTP 404, code 10015: Unknown Webhook")


async def test_a_parked_lane_stays_parked_over_a_restart(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Gone("HTTP 404")])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await carry_all(a_lane(outbox, sink, clock))
    await pass_time(a_lane(outbox, sink, clock), clock, 3600, by=600)
    assert sink.times == [0]


async def test_a_parked_lane_flows_again_in_order_when_someone_resumes_it(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Gone("HTTP 404")])
    await outbox.put(an_intake(*map(an_event, ["user:alice", "user:bob", "user:alice"])))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 60)
    with open_ledger(store_url) as ledger:
        ledger.write(resume, "ops")
    await pass_time(lane, clock, 2)
    assert sorted(map(str, sink.subjects)) == ["user:alice"] * 3 + ["user:bob"]
    first, _, again, second = (message.event for message in sink.messages)
    assert first == again
    assert second.subject == "user:alice"
    assert {record.state for record in look_up(store_url)} == {"delivered"}


@pytest.mark.parametrize("after", [None, 86000.0])
async def test_a_service_that_is_away_is_tried_at_once_when_someone_resumes_its_lane(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, after: float | None
) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 503", after)] * 2)
    await outbox.put(an_intake(*map(an_event, ["user:alice", "user:alice"])))
    lane = a_lane(outbox, sink, clock)
    for _ in range(2):
        await pass_time(lane, clock, 2)
        with open_ledger(store_url) as ledger:
            assert ledger.write(resume, "ops")
    await pass_time(lane, clock, 2)
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_a_parked_lane_flows_again_when_its_sink_was_changed(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Gone("HTTP 404")])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await carry_all(a_lane(outbox, sink, clock))
    sink.address = "elsewhere"
    await carry_all(a_lane(outbox, sink, clock))
    assert len(sink.sent) == 7
