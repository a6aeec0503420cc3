"""What may go next: the order per subject, and what takes itself back."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.collecting import opposite_pairs, waits_for_more
from bridge.event import Event
from bridge.outcome import Away, Delivered, Limited, Refused
from bridge.store.base import Claim, Delivery, Settlement
from bridge.store.outbox import SqlOutbox
from bridge.terms import Terms
from bridge.value import replace
from tests.delivery.lanes import ScriptedSink, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import START, FakeClock, an_event, an_intake

LOST, RESTORED, UPDATED = "node.connection_lost", "node.connection_restored", "node.updated"
HOLD = Terms(hold=30.0)


async def test_deliveries_are_carried_in_order_and_recorded(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    names = [f"user:{n}" for n in range(250)]
    await outbox.put(an_intake(*map(an_event, names)))
    assert await carry_all(a_lane(outbox, sink, clock)) == 250
    assert sink.subjects == names
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_while_one_waits_its_subject_waits_and_all_others_pass(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502")])
    await outbox.put(an_intake(*map(an_event, ["user:alice", "user:bob", "user:alice", None, None])))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 5)
    assert sink.subjects == ["user:alice", "user:bob", None, None]
    await outbox.put(an_intake(an_event("user:alice")))
    lane.wake()
    assert await carry_all(lane) == 0
    await pass_time(lane, clock, 25)
    assert sink.subjects[4:] == ["user:alice"] * 3


async def test_order_holds_whatever_a_service_answers(outbox: SqlOutbox, clock: FakeClock) -> None:
    chance = Random(7)
    answers = [chance.choice([Away("x"), Limited(3), Delivered(), Refused("no")]) for _ in range(60)]
    sink = ScriptedSink(clock, answers)
    events = [an_event(f"user:{n % 5}", type_=f"test.{n:03}") for n in range(80)]
    await outbox.put(an_intake(*events))
    settled: list[Any] = []
    record = outbox.settle

    def noting(settlements: Sequence[Settlement]) -> asyncio.Future[Sequence[Delivery]]:
        settled.extend(one.delivery.event for one in settlements if not hasattr(one.fate, "at"))
        return record(settlements)

    lane = a_lane(Noted(outbox, noting), sink, clock)
    await pass_time(lane, clock, 4000, by=20)
    assert len(settled) == 80
    for n in range(5):
        types = [event.type for event in settled if event.subject == f"user:{n}"]
        assert types == sorted(types)


class Noted:
    """An outbox whose settlements are noted."""

    def __init__(self, outbox: SqlOutbox, settle: Any) -> None:
        self._outbox = outbox
        self.settle = settle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)


async def test_a_lane_that_starts_anew_goes_on_where_the_rows_say(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502")])
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:alice"), an_event("user:bob")))
    await pass_time(a_lane(outbox, sink, clock), clock, 5)
    await pass_time(a_lane(outbox, sink, clock), clock, 25)
    assert sink.subjects == ["user:alice", "user:bob", "user:alice", "user:alice"]


class Asked(Noted):
    """An outbox that counts how often it was asked."""

    def __init__(self, outbox: SqlOutbox) -> None:
        super().__init__(outbox, outbox.settle)
        self.claims = 0

    async def claim(self, *args: Any, **more: Any) -> Claim:
        self.claims += 1
        return await self._outbox.claim(*args, **more)


async def test_a_lane_that_has_caught_up_asks_the_store_once_for_each_time_that_it_is_woken(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink, asked = ScriptedSink(clock), Asked(outbox)
    lane = a_lane(asked, sink, clock)
    await carry_all(lane)
    for name in ("user:alice", "user:bob"):
        await outbox.put(an_intake(an_event(name)))
        await carry_all(lane)
        lane.wake()
        await carry_all(lane)
    assert (sink.subjects, asked.claims) == (["user:alice", "user:bob"], 3)
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_what_comes_to_a_lane_that_holds_something_back_keeps_its_turn(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502")])
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    for name in ("user:alice", "user:bob", "user:alice"):
        await outbox.put(an_intake(an_event(name)))
        lane.wake()
        await lane.step()
    await pass_time(lane, clock, 5)
    assert sink.subjects == ["user:alice", "user:bob"]
    await pass_time(lane, clock, 25)
    assert sink.subjects[2:] == ["user:alice", "user:alice"]


async def test_more_than_a_lane_holds_is_found_in_the_store_and_none_twice(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    names = [f"user:{n}" for n in range(350)]
    for name in names:
        await outbox.put(an_intake(an_event(name)))
        lane.wake()
    await carry_all(lane)
    assert sink.subjects == names


async def test_a_probe_does_not_pass_an_earlier_one_of_its_subject(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502"), Away("HTTP 502")])
    await outbox.put(an_intake(an_event("user:a", type_="t.1"), an_event("user:b", type_="t.2")))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 1)
    await outbox.put(an_intake(an_event("user:a", type_="t.3")))
    lane.wake()
    await pass_time(lane, clock, 200)
    assert [types for types in sink.digested if types != ["t.2"]] == [["t.1"], ["t.1"], ["t.3"]]


def deliveries_of(*news: tuple[str, str | None, float], terms: Terms | None = HOLD) -> list[Delivery]:
    """Deliveries of (type, subject, seconds after the start)."""
    return [
        Delivery(
            id=number,
            event=an_event(subject, type_=type_),
            sink="ops",
            row="route 1",
            made_at=START + timedelta(seconds=at),
            terms=terms,
        )
        for number, (type_, subject, at) in enumerate(news, start=1)
    ]


@pytest.mark.parametrize(
    ("news", "left"),
    [
        ([(LOST, "node:a", 0), (RESTORED, "node:a", 30)], []),
        ([(LOST, "node:a", 0), (RESTORED, "node:a", 31)], [1, 2]),
        ([(LOST, "node:a", 0), (RESTORED, "node:b", 1)], [1, 2]),
        ([(LOST, "node:a", 0), (RESTORED, "node:a", 1), (LOST, "node:a", 2)], [3]),
        ([(LOST, "node:a", 0), (LOST, "node:a", 1), (RESTORED, "node:a", 2)], [1]),
        ([(LOST, "node:a", 0), (UPDATED, "node:a", 1), (RESTORED, "node:a", 2)], [2]),
        ([(RESTORED, "node:a", 0), (LOST, "node:a", 1)], []),
        ([("user.disabled", "user:a", 0), ("user.enabled", "user:a", 1)], []),
        ([("peer.connected", "peer:a", 0), ("peer.disconnected", "peer:a", 1)], []),
        ([("user.disabled", "user:a", 0), ("user.expired", "user:a", 1)], [1, 2]),
        ([(LOST, None, 0), (RESTORED, None, 1)], [1, 2]),
    ],
)
def test_opposites_about_one_subject_within_the_hold_cancel_out(
    news: list[tuple[str, str | None, float]], left: list[int]
) -> None:
    deliveries = deliveries_of(*news)
    assert [one.id for one in deliveries if one.id not in opposite_pairs(deliveries)] == left


@pytest.mark.parametrize(
    ("attempts", "due", "waits"),
    [(0, None, False), (0, 30, False), (0, 20, False), (0, 31, True), (1, 30, True), (1, 20, True), (1, 10, False)],
)
def test_what_waits_for_its_next_try_or_for_quiet_hours_to_end_joins_no_digest(
    attempts: int, due: float | None, waits: bool
) -> None:
    [held] = deliveries_of((LOST, "node:a", 0))
    due_at = None if due is None else START + timedelta(seconds=due)
    after_ten_seconds = START + timedelta(seconds=10)
    assert waits_for_more(replace(held, attempts=attempts, due_at=due_at), after_ten_seconds) is waits


def test_without_a_hold_nothing_cancels_out() -> None:
    assert opposite_pairs(deliveries_of((LOST, "node:a", 0), (RESTORED, "node:a", 1), terms=None)) == {}


@given(st.lists(st.tuples(st.sampled_from([LOST, RESTORED, UPDATED]), st.sampled_from(["node:a", "node:b"]))))
def test_what_cancels_out_is_always_two_opposites_and_each_names_the_other(news: list[tuple[str, str]]) -> None:
    deliveries = deliveries_of(
        *((type_, subject, n / 100) for n, (type_, subject) in enumerate(news))
    )  # within the hold
    by_id = {one.id: one for one in deliveries}
    pairs = opposite_pairs(deliveries)
    for id_, other in pairs.items():
        assert pairs[other.id] is by_id[id_]
        assert {by_id[id_].event.type, other.event.type} == {LOST, RESTORED}
        assert by_id[id_].event.subject == other.event.subject
    for subject in ("node:a", "node:b"):
        left = [one.event.type for one in deliveries if one.event.subject == subject and one.id not in pairs]
        assert len({type_ for type_ in left if type_ != UPDATED}) <= 1


def node(type_: str, name: str = "node:a", *, clock: FakeClock) -> Event:
    return an_event(name, type_=type_, at=clock.now())


async def test_lost_and_restored_within_the_hold_are_both_held_back(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    await outbox.put(routed(node(LOST, clock=clock), terms=HOLD))
    lane.wake()
    await pass_time(lane, clock, 12)
    await outbox.put(routed(node(RESTORED, clock=clock), terms=HOLD))
    lane.wake()
    await pass_time(lane, clock, 60)
    assert sink.messages == []
    lost, restored = look_up(store_url)
    assert (lost.state, lost.reason) == ("held_back", f"cancelled out by delivery {restored.id}, {RESTORED}")
    assert (restored.state, restored.reason) == ("held_back", f"cancelled out by delivery {lost.id}, {LOST}")


async def test_what_is_not_taken_back_is_told_when_the_hold_ends(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    for type_ in (LOST, RESTORED, LOST):
        await outbox.put(routed(node(type_, clock=clock), terms=HOLD))
        lane.wake()
        await pass_time(lane, clock, 5)
    await pass_time(lane, clock, 60)
    assert sink.digested == [[LOST]]


async def test_opposites_further_apart_are_both_told_in_order(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    await outbox.put(routed(node(LOST, clock=clock), terms=HOLD))
    lane.wake()
    await pass_time(lane, clock, 31)
    await outbox.put(routed(node(RESTORED, clock=clock), terms=HOLD))
    lane.wake()
    await pass_time(lane, clock, 31)
    assert sink.digested == [[LOST], [RESTORED]]


async def test_what_has_no_opposite_is_not_held(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(node("node.updated", clock=clock), terms=HOLD))
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.digested == [["node.updated"]]


async def test_a_hold_outlives_the_process(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(node(LOST, clock=clock), terms=HOLD))
    await pass_time(a_lane(outbox, sink, clock), clock, 20)
    await outbox.put(routed(node(RESTORED, clock=clock), terms=HOLD))
    await pass_time(a_lane(outbox, sink, clock), clock, 20)
    assert sink.messages == []
    assert {record.state for record in look_up(store_url)} == {"held_back"}
