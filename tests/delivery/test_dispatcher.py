"""The lanes of a process: started, replaced, drained."""

import asyncio
import time
from asyncio import Event
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.cluster.ownership import SoleOwnership
from bridge.delivery import lane
from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.resources import LaneSettings
from bridge.message import Message
from bridge.outcome import Attempt, Away, Dead
from bridge.sinks.base import OnSent
from bridge.store.base import Delivery, Settlement
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Terms
from tests.delivery.lanes import UTC, BlankRenderer, ScriptedSink, look_up, routed
from tests.fakes import FakeClock, NoChance, an_event, an_intake
from tests.processes import PATIENCE

SETTINGS = LaneSettings(BlankRenderer(), UTC)


@asynccontextmanager
async def dispatching(outbox: SqlOutbox, clock: FakeClock) -> AsyncIterator[Dispatcher]:
    ownership = SoleOwnership()
    async with asyncio.TaskGroup() as tasks:
        dispatcher = Dispatcher(outbox, ownership, clock=clock, chance=NoChance(), tasks=tasks)
        owning = tasks.create_task(ownership.run(dispatcher))
        yield dispatcher
        await dispatcher.drain(PATIENCE)
        owning.cancel()


class Slow(ScriptedSink):
    """A sink whose first send takes until it is let go."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        self.begun.set()
        await self.go.wait()
        return await super().send(message, on_sent)


async def test_draining_finishes_what_is_being_sent_and_starts_nothing_new(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Slow(clock)
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": sink}, SETTINGS, grace=PATIENCE)
        await sink.begun.wait()
        asyncio.get_running_loop().call_soon(sink.go.set)
    assert sink.subjects == ["user:alice"]
    assert [record.state for record in look_up(store_url)] == ["delivered", "pending"]


async def test_draining_does_not_wait_for_ever(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = Slow(clock)
    await outbox.put(an_intake(an_event()))
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": sink}, SETTINGS, grace=PATIENCE)
        await sink.begun.wait()
        await dispatcher.drain(0.01)
    assert [record.state for record in look_up(store_url)] == ["pending"]


async def test_what_was_just_put_is_carried_at_once(
    outbox: SqlOutbox, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "POLL", 3600)  # it does not look by itself
    sink = Slow(clock)
    sink.go.set()
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": sink}, SETTINGS, grace=PATIENCE)
        dispatcher.announce((await outbox.put(an_intake(an_event(), sinks=("ops", "someone else")))).deliveries)
        async with asyncio.timeout(PATIENCE):
            await sink.begun.wait()


async def test_a_digest_that_is_full_with_what_was_just_put_is_sent_at_once(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink, digest = ScriptedSink(clock), Terms(digest=DigestWindow(window=60.0, max=2))
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": sink}, SETTINGS, grace=PATIENCE)
        for count, type_, terms in ((1, "t.1", None), (1, "t.2", digest), (2, "t.2", digest)):
            dispatcher.announce((await outbox.put(routed(an_event(None, type_=type_), terms=terms))).deliveries)
            async with asyncio.timeout(PATIENCE):
                while len(sink.messages) < count:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)  # the lane has seen it
    assert sink.digested == [["t.1"], ["t.2", "t.2"]]


async def test_a_sink_that_is_replaced_gets_a_lane_of_its_own_and_loses_nothing(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    before, after = Slow(clock), Slow(clock)
    after.go.set()
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": before}, SETTINGS, grace=PATIENCE)
        await before.begun.wait()
        before.go.set()
        await dispatcher.carry({"ops": after}, SETTINGS, grace=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            await after.begun.wait()
    assert before.subjects + after.subjects == ["user:alice", "user:bob"]


class Leisurely(ScriptedSink):
    """A sink that has taken it long before it says so."""

    def __init__(self, clock: FakeClock, concurrency: int) -> None:
        super().__init__(clock)
        self.concurrency = concurrency

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        taken = await super().send(message, on_sent)
        for _ in range(50):
            await asyncio.sleep(0)
        return taken


def hold_up() -> None:
    """Hold up the loop, as a busy machine does: the store answers meanwhile."""
    time.sleep(0.0005)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_whenever_a_sink_is_replaced_nothing_is_told_twice(
    outbox: SqlOutbox, clock: FakeClock, concurrency: int
) -> None:
    """At every turn of the loop from when an event was put to when it is told, and where the store's last answer before
    a send comes in the turn of the stop."""
    sinks = [Leisurely(clock, concurrency) for _ in range(90)]
    async with dispatching(outbox, clock) as dispatcher:
        for number, sink in enumerate(sinks):
            await dispatcher.carry({"ops": sink}, SETTINGS, grace=PATIENCE)
            dispatcher.announce((await outbox.put(an_intake(an_event(f"user:{number}")))).deliveries)
            for _ in range(number % 30):
                await asyncio.sleep(0)
                hold_up()
        async with asyncio.timeout(PATIENCE):
            while len({subject for sink in sinks for subject in sink.subjects}) < len(sinks):
                await asyncio.sleep(0.01)
    told = [subject for sink in sinks for subject in sink.subjects]
    assert sorted(told) == sorted(f"user:{number}" for number in range(len(sinks)))


@pytest.mark.parametrize(
    "stop_next", [lambda dispatcher: dispatcher.drain(5), lambda dispatcher: dispatcher.own({"ops": 0})]
)
async def test_what_a_reload_that_is_cut_off_waited_for_is_waited_for_by_who_comes_next(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, stop_next: Callable[[Dispatcher], Coroutine[Any, Any, None]]
) -> None:
    """As where the process is to end in the midst of it: once drained, its lanes may be another one's."""
    before, after = Slow(clock), Slow(clock)
    after.go.set()
    await outbox.put(an_intake(an_event("user:alice")))
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": before}, SETTINGS, grace=5)
        await before.begun.wait()
        reload = asyncio.create_task(dispatcher.carry({"ops": after}, SETTINGS, grace=5))
        await turns(10)
        reload.cancel()
        stopping = asyncio.create_task(stop_next(dispatcher))
        await turns(10)
        assert not stopping.done()
        before.go.set()
        await stopping
        assert [record.state for record in look_up(store_url)] == ["delivered"]
    assert before.subjects + after.subjects == ["user:alice"]


async def test_what_is_given_up_while_its_sink_is_replaced_goes_to_its_fallback_alone(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the store takes to record it: the lane after it would send what is pending."""
    before, after, settle = ScriptedSink(clock, [Away("HTTP 502")] * 99), Slow(clock), outbox.settle
    given_up, go, terms = Event(), Event(), Terms(fallback=("team",), fallback_after=600.0)

    async def recorded_late(settlements: Sequence[Settlement]) -> Sequence[Delivery]:
        given_up.set()
        await go.wait()
        return await settle(settlements)

    def recording(settlements: Sequence[Settlement]) -> asyncio.Future[Sequence[Delivery]]:
        late = any(isinstance(one.fate, Dead) for one in settlements)
        return asyncio.ensure_future(recorded_late(settlements)) if late else settle(settlements)

    monkeypatch.setattr(outbox, "settle", recording)
    after.go.set()
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": before}, SETTINGS, grace=60)
        dispatcher.announce((await outbox.put(routed(an_event(), terms=terms))).deliveries)
        async with asyncio.timeout(60):
            while not given_up.is_set():
                clock.step(60)
                await asyncio.sleep(0.01)
        replacing = asyncio.create_task(dispatcher.carry({"ops": after}, SETTINGS, grace=60))
        await turns(50)
        assert not replacing.done()
        go.set()
        await replacing
    assert after.sent == []
    assert [(record.sink, record.state) for record in look_up(store_url)] == [("ops", "dead"), ("team", "pending")]


async def turns(number: int) -> None:
    """So many turns of the loop."""
    for _ in range(number):
        await asyncio.sleep(0)


async def test_what_another_process_put_before_is_told_before(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry({"ops": sink}, SETTINGS, grace=PATIENCE)
        dispatcher.announce((await outbox.put(an_intake(an_event(type_="t.1")))).deliveries)
        async with asyncio.timeout(PATIENCE):
            while not sink.sent:
                await asyncio.sleep(0.01)
        await outbox.put(an_intake(an_event(type_="t.2")))  # and nobody says so
        dispatcher.announce((await outbox.put(an_intake(an_event(type_="t.3")))).deliveries)
        async with asyncio.timeout(PATIENCE):
            while len(sink.sent) < 3:
                await asyncio.sleep(0.01)
    assert sink.digested == [["t.1"], ["t.2"], ["t.3"]]
