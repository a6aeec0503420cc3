"""A lane: several on their way at once, stopping, starting anew, and a clock that is set back."""

import asyncio
from itertools import pairwise
from random import Random

import pytest

from bridge.clock import SystemClock
from bridge.message import Message
from bridge.outcome import Attempt, Away, Delivered, Limited, Outcome, Refused
from bridge.sinks.base import OnSent
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Terms
from tests.delivery.lanes import Fleet, ScriptedSink, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import FakeClock, an_event, an_intake
from tests.processes import PATIENCE

NAMES = [f"user:{n}" for n in range(6)]


class Wide(ScriptedSink):
    """A sink that takes several at once, and lets each go only when it is told to."""

    concurrency = 4

    def __init__(self, clock: FakeClock, answers: list[Outcome] | None = None) -> None:
        super().__init__(clock, answers or [])
        self.most = 0
        self.subjects_inside: list[str | None] = []
        self.clashes = 0

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        subject = message.event.subject
        self.clashes += subject is not None and subject in self.subjects_inside
        self.subjects_inside.append(subject)
        self.most = max(self.most, len(self.subjects_inside))
        for _ in range(Random(message.event.id).randrange(5, 12)):
            await asyncio.sleep(0)
        self.subjects_inside.remove(subject)
        return await super().send(message, on_sent)


@pytest.fixture
def sink(clock: FakeClock) -> Wide:
    return Wide(clock)


async def test_as_many_as_allowed_are_on_their_way_at_once(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, sink: Wide
) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(50))))
    lane = a_lane(outbox, sink, clock)
    for _ in range(200):
        await carry_all(lane)
    assert sink.most == 4
    assert {record.state for record in look_up(store_url)} == {"delivered"}
    assert len(sink.sent) == 50


async def test_two_of_one_subject_are_never_on_their_way_together_and_come_in_order(
    outbox: SqlOutbox, clock: FakeClock, sink: Wide
) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n % 3}", type_=f"t.{n:03}") for n in range(90))))
    lane = a_lane(outbox, sink, clock)
    for _ in range(200):
        await carry_all(lane)
    assert sink.clashes == 0
    for n in range(3):
        types = [
            one.event.type for one in sink.messages if isinstance(one, Message) and one.event.subject == f"user:{n}"
        ]
        assert len(types) == 30
        assert all(one < other for one, other in pairwise(types))


async def test_order_holds_whatever_a_service_answers(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    chance = Random(7)
    answers: list[Outcome] = [chance.choice([Away("x"), Limited(3), Delivered(), Refused("no")]) for _ in range(60)]
    sink = Wide(clock, answers)
    await outbox.put(an_intake(*(an_event(f"user:{n % 5}", type_=f"t.{n:03}") for n in range(80))))
    await pass_time(a_lane(outbox, sink, clock), clock, 2000, by=10)
    assert {record.state for record in look_up(store_url)} <= {"delivered", "dead"}
    assert sink.clashes == 0
    for n in range(5):
        types = [
            one.event.type for one in sink.messages if isinstance(one, Message) and one.event.subject == f"user:{n}"
        ]
        assert types == sorted(types)


async def test_while_a_service_is_away_one_at_a_time_tries(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Wide(clock, [Away("HTTP 502")] * 8)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(40))))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    assert len(sink.sent) <= 4
    sink.most = 0
    await pass_time(lane, clock, 10)
    assert sink.most == 1
    await pass_time(lane, clock, 300, by=5)
    assert len(set(sink.subjects)) == 40


async def test_a_lane_that_starts_anew_repeats_only_what_was_on_its_way(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Wide(clock)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(40))))
    fleet = Fleet(outbox, clock)
    lane = fleet.lane(sink)
    running = asyncio.create_task(lane.run())
    while len(sink.sent) < 10:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    before = list(sink.subjects)
    anew = fleet.lane(sink)
    for _ in range(200):
        await carry_all(anew)
    assert set(sink.subjects) == {f"user:{n}" for n in range(40)}
    assert len(sink.subjects) - 40 <= 4
    assert before == sink.subjects[: len(before)]


async def test_stopping_waits_for_what_is_on_its_way(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = Wide(clock)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(40))))
    lane = a_lane(outbox, sink, clock)
    running = asyncio.create_task(lane.run())
    while len(sink.subjects_inside) < 4:
        await asyncio.sleep(0)
    lane.stop()
    await running
    sent = len(sink.sent)
    assert sent >= 4
    assert [record.state for record in look_up(store_url)].count(State.DELIVERED) == sent


async def test_what_is_due_gets_its_turn_however_much_is_pending(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Wide(clock, [Refused("no"), Limited(0.5)])
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(2000))))
    running = asyncio.create_task(a_lane(outbox, sink, clock).run())
    async with asyncio.timeout(PATIENCE):
        while len(sink.sent) < 2001:
            clock.step(0.01)
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    [again] = [one for one in set(sink.subjects) if sink.subjects.count(one) == 2]
    assert sink.subjects[500:].count(again) == 0


async def test_one_that_hangs_holds_up_no_others(outbox: SqlOutbox, clock: FakeClock) -> None:
    class Hanging(Wide):
        async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
            if message.event.subject == "user:0":
                await asyncio.Event().wait()
            return await super().send(message, on_sent)

    sink = Hanging(clock)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(500))))
    running = asyncio.create_task(a_lane(outbox, sink, clock).run())
    async with asyncio.timeout(PATIENCE):
        while len(sink.sent) < 499:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert "user:0" not in sink.subjects


async def test_a_retry_waits_no_longer_when_the_clock_is_set_back(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502")])
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    clock.set_back(3600)
    await pass_time(lane, clock, 30)
    assert sink.times == [0, 30]


async def test_a_digest_is_told_in_time_when_the_clock_is_set_back(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(an_event(None), an_event(None), terms=Terms(digest=DigestWindow(window=60.0))))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    clock.set_back(86400)
    await pass_time(lane, clock, 60)
    assert [len(types) for types in sink.digested] == [2]


async def test_an_hour_that_is_skipped_costs_nothing_but_an_early_retry(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502")])
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    clock.set_back(-3600)
    await pass_time(lane, clock, 2)
    assert len(sink.sent) == 2


async def test_a_lane_that_is_not_ours_any_more_sends_nothing(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink, fleet = ScriptedSink(clock), Fleet(outbox, clock)
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = fleet.lane(sink)
    fleet.sure = False
    assert await carry_all(lane) == 0
    fleet.sure = True
    assert await carry_all(lane) == 6


async def test_what_was_put_to_wait_and_never_announced_is_found_all_the_same(outbox: SqlOutbox) -> None:
    """Whoever put it may have been killed, or cancelled, before it could tell the lane."""
    clock = SystemClock()
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    running = asyncio.create_task(lane.run())
    while not lane._queue._all_seen or lane._queue.next_due is not None:  # it has seen that there is nothing
        await asyncio.sleep(0.01)
    digest = Terms(digest=DigestWindow(window=0.1))
    await outbox.put(routed(an_event(at=clock.now()), an_event("user:bob", at=clock.now()), terms=digest))
    async with asyncio.timeout(PATIENCE):
        while not sink.messages:
            await asyncio.sleep(0.05)
    assert sink.subjects == ["user:alice", "user:bob"]
    lane.stop()
    await running
