"""A lane over a real store, with a sink that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.lane import Lane
from bridge.delivery.limiter import Limiter
from bridge.delivery.retry import Policy
from bridge.errors import StoreUnavailable
from bridge.event import Event
from bridge.message import Look, Message
from bridge.messages.renderer import Rendered
from bridge.outcome import Attempt, Away, Delivered, Gone, Limited, Outcome, Refused
from bridge.sinks.base import Rate, Retry
from bridge.store import open_ledger, open_outbox
from bridge.store.base import Claim, Query, Record, Settlement
from bridge.store.outbox import SqlOutbox
from tests.fakes import FakeClock, NoChance, an_event, an_intake


class Script:
    """A sink that answers from a list, then takes everything; it remembers what it was sent, and when."""

    look = Look()
    retry = Retry()
    rates: tuple[Rate, ...] = ()

    def __init__(self, clock: FakeClock, answers: Iterable[Outcome | Attempt | Exception] = ()) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[float, str | None]] = []
        self._clock = clock

    async def send(self, message: Message) -> Attempt:
        self.sent.append((self._clock.monotonic(), message.event.subject))
        answer = self.answers.pop(0) if self.answers else Delivered()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Attempt) else Attempt(answer)

    @property
    def subjects(self) -> list[str | None]:
        return [subject for _, subject in self.sent]


class Plain:
    """A renderer with nothing to say."""

    def __init__(self, fault: str | None = None) -> None:
        self.fault = fault

    def render(self, event: Event, look: Look, template: str | None = None) -> Rendered:
        blocks: Mapping[str, str] = {}
        return Rendered(blocks, self.fault)


@pytest.fixture
async def outbox(store_url: str) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(store_url) as opened:
        yield opened


def a_lane(outbox: Any, sink: Script, clock: FakeClock, renderer: Any = None) -> Lane:
    return Lane(
        "ops",
        sink,
        outbox=outbox,
        renderer=renderer or Plain(),
        limiter=Limiter(sink.rates),
        policy=Policy(sink.retry, NoChance()),
        clock=clock,
    )


async def carry_all(lane: Lane) -> int:
    steps = 0
    while await lane.step():
        steps += 1
    await lane.settled()
    return steps


def look_up(store_url: str) -> list[Record]:
    with open_ledger(store_url) as ledger:
        return list(reversed(ledger.deliveries(Query(limit=None))))


async def test_deliveries_are_carried_in_order_and_recorded(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock)
    names = [f"user:{n}" for n in range(250)]
    await outbox.put(an_intake(*map(an_event, names)))
    assert await carry_all(a_lane(outbox, sink, clock)) == 250
    assert sink.subjects == names
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_while_one_waits_its_subject_waits_and_all_others_pass(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Away("HTTP 502")])
    await outbox.put(an_intake(*map(an_event, ["user:alice", "user:bob", "user:alice", None, None])))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    assert sink.subjects == ["user:alice", "user:bob", None, None]
    await outbox.put(an_intake(an_event("user:alice")))
    assert await carry_all(lane) == 0
    clock.step(30)
    await carry_all(lane)
    assert sink.subjects[4:] == ["user:alice"] * 3


async def test_order_holds_whatever_a_service_answers(outbox: SqlOutbox, clock: FakeClock) -> None:
    chance = Random(7)
    answers = [chance.choice([Away("x"), Limited(3), Delivered(), Refused("no")]) for _ in range(60)]
    sink = Script(clock, answers)
    events = [an_event(f"user:{n % 5}", type_=f"test.{n:03}") for n in range(80)]
    await outbox.put(an_intake(*events))
    lane, settled = a_lane(outbox, sink, clock), []
    record = outbox.settle

    def noting(settlement: Settlement) -> asyncio.Future[None]:
        if not hasattr(settlement.fate, "at"):
            settled.append(settlement.delivery.event)
        return record(settlement)

    lane._outbox = Noted(outbox, noting)
    for _ in range(200):
        await carry_all(lane)
        clock.step(20)
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


async def test_the_wait_that_a_service_asks_for_costs_no_attempt_and_holds_the_whole_lane(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [Limited(90)] * 9)
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    lane = a_lane(outbox, sink, clock)
    for _ in range(12):
        await lane.step()
    await lane.settled()
    times = [at for at, _ in sink.sent]
    assert all(later - earlier >= 90 for earlier, later in pairwise(times[:10]))
    assert [record.attempts for record in look_up(store_url)] == [1, 1]


async def test_the_pause_that_headers_announce_is_kept(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Attempt(Delivered(), 200, pause=1.5)])
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    await carry_all(a_lane(outbox, sink, clock))
    assert [at for at, _ in sink.sent] == [0.0, 1.5]


async def test_the_rate_is_kept(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock)
    sink.rates = (Rate(2, 1.0),)
    await outbox.put(an_intake(*(an_event(None) for _ in range(5))))
    await carry_all(a_lane(outbox, sink, clock))
    assert [at for at, _ in sink.sent] == [0.0, 0.0, 1.0, 1.0, 2.0]


async def test_a_service_that_stays_away_is_given_up_after_four_tries_with_all_that_is_known(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [Attempt(Away("HTTP 502"), 502, "<html>bad gateway")] * 4)
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    for _ in range(8):
        await carry_all(lane)
        clock.step(100)
    [record] = look_up(store_url)
    assert [at for at, _ in sink.sent] == [0, 100, 300, 600]
    assert (record.state, record.attempts, record.status) == ("dead", 4, 502)
    assert record.reason == "HTTP 502; gave up after 4 attempts"
    assert record.answer == "<html>bad gateway"


@pytest.mark.parametrize("outcome", [Refused("HTTP 400"), Gone("HTTP 404")])
async def test_what_will_never_be_taken_is_dead_at_once_and_the_next_goes_on(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, outcome: Outcome
) -> None:
    sink = Script(clock, [outcome])
    await outbox.put(an_intake(an_event(), an_event()))
    await carry_all(a_lane(outbox, sink, clock))
    assert [record.state for record in look_up(store_url)] == ["dead", "delivered"]


async def test_our_own_bug_costs_attempts_and_never_the_lane(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Script(clock, [RuntimeError("oops")])
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    await carry_all(a_lane(outbox, sink, clock))
    first, second = look_up(store_url)
    assert (first.state, first.reason) == ("waiting", "unforeseen RuntimeError, see the log")
    assert second.state == "delivered"
    assert [str(getattr(record, "error", "")) for record in caplog.records].count("oops") == 1


async def test_a_template_that_failed_is_told_in_the_ledger(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    await outbox.put(an_intake(an_event()))
    await carry_all(a_lane(outbox, Script(clock), clock, Plain(fault="discord/user.j2:3: unknown filter")))
    [record] = look_up(store_url)
    assert (record.state, record.note) == ("delivered", "discord/user.j2:3: unknown filter")


async def test_a_lane_that_starts_anew_goes_on_where_the_rows_say(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Away("HTTP 502")])
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:alice"), an_event("user:bob")))
    await carry_all(a_lane(outbox, sink, clock))
    clock.step(30)
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.subjects == ["user:alice", "user:bob", "user:alice", "user:alice"]


async def test_what_was_sent_is_recorded_once_the_store_is_back(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    class Flaky(Noted):
        def __init__(self) -> None:
            super().__init__(outbox, self._settle)
            self.failures = 3

        def _settle(self, settlement: Settlement) -> asyncio.Future[None]:
            if not self.failures:
                return outbox.settle(settlement)
            self.failures -= 1
            failed = asyncio.get_running_loop().create_future()
            failed.set_exception(StoreUnavailable("store: database is locked"))
            return failed

    sink = Script(clock)
    await outbox.put(an_intake(an_event()))
    await carry_all(a_lane(Flaky(), sink, clock))
    assert len(sink.sent) == 1
    assert [record.state for record in look_up(store_url)] == ["delivered"]


class Asked(Noted):
    """An outbox that counts how often it was asked."""

    def __init__(self, outbox: SqlOutbox) -> None:
        super().__init__(outbox, outbox.settle)
        self.claims = 0

    async def claim(self, *args: Any, **more: Any) -> Claim:
        self.claims += 1
        return await self._outbox.claim(*args, **more)


async def test_a_lane_that_has_caught_up_takes_what_is_offered_from_hand_to_hand(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink, asked = Script(clock), Asked(outbox)
    lane = a_lane(asked, sink, clock)
    await carry_all(lane)
    for name in ("user:alice", "user:bob"):
        for delivery in await outbox.put(an_intake(an_event(name))):
            lane.offer(delivery)
        await carry_all(lane)
    assert (sink.subjects, asked.claims) == (["user:alice", "user:bob"], 1)
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_what_is_offered_to_a_lane_that_holds_something_back_keeps_its_turn(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = Script(clock, [Away("HTTP 502")])
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    for name in ("user:alice", "user:bob", "user:alice"):
        for delivery in await outbox.put(an_intake(an_event(name))):
            lane.offer(delivery)
        await lane.step()
    await carry_all(lane)
    assert sink.subjects == ["user:alice", "user:bob"]
    clock.step(30)
    await carry_all(lane)
    assert sink.subjects[2:] == ["user:alice", "user:alice"]


async def test_more_than_a_lane_holds_is_found_in_the_store_and_none_twice(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock)
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    names = [f"user:{n}" for n in range(350)]
    for name in names:
        for delivery in await outbox.put(an_intake(an_event(name))):
            lane.offer(delivery)
    await carry_all(lane)
    assert sink.subjects == names


@asynccontextmanager
async def dispatching(outbox: SqlOutbox, clock: FakeClock) -> AsyncIterator[Dispatcher]:
    async with asyncio.TaskGroup() as tasks:
        dispatcher = Dispatcher(outbox, clock=clock, chance=NoChance(), tasks=tasks)
        yield dispatcher
        await dispatcher.drain(5)


class Slow(Script):
    """A sink whose first send takes until it is let go."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def send(self, message: Message) -> Attempt:
        self.begun.set()
        await self.go.wait()
        return await super().send(message)


async def test_draining_finishes_what_is_being_sent_and_starts_nothing_new(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Slow(clock)
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": sink}, Plain(), grace=5)
        await sink.begun.wait()
        asyncio.get_running_loop().call_soon(sink.go.set)
    assert sink.subjects == ["user:alice"]
    assert [record.state for record in look_up(store_url)] == ["delivered", "pending"]


async def test_draining_does_not_wait_for_ever(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = Slow(clock)
    await outbox.put(an_intake(an_event()))
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": sink}, Plain(), grace=5)
        await sink.begun.wait()
        await dispatcher.drain(0.01)
    assert [record.state for record in look_up(store_url)] == ["pending"]


async def test_what_is_offered_is_carried_at_once(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Slow(clock)
    sink.go.set()
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": sink}, Plain(), grace=5)
        dispatcher.offer(await outbox.put(an_intake(an_event(), sinks=("ops", "someone else"))))
        async with asyncio.timeout(1):  # less than a lane takes to look by itself
            await sink.begun.wait()


async def test_a_sink_that_is_replaced_gets_a_lane_of_its_own_and_loses_nothing(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    before, after = Slow(clock), Slow(clock)
    after.go.set()
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": before}, Plain(), grace=5)
        await before.begun.wait()
        before.go.set()
        await dispatcher.carry({"ops": after}, Plain(), grace=5)
        async with asyncio.timeout(5):
            await after.begun.wait()
    assert before.subjects + after.subjects == ["user:alice", "user:bob"]
