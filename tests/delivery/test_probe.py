"""A probe goes through a lane past the outbox, the lane learns from it, and there are few of them."""

import asyncio
from asyncio import gather
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.probe import IN_ALL, LONGEST_WAIT, PER_SINK
from bridge.delivery.resources import LaneSettings
from bridge.errors import BridgeError, TooSoon, UnknownName
from bridge.message import Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.people.address import Addressing
from bridge.store import open_ledger
from bridge.store.base import Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.records import lane_records
from tests.delivery.lanes import UTC, BlankRenderer, ScriptedSink, look_up
from tests.delivery.test_dispatcher import Slow, dispatching
from tests.fakes import FakeClock, NoChance, an_event, an_intake
from tests.processes import PATIENCE

SAMPLE = an_event("user:sample")
SETTINGS = LaneSettings(BlankRenderer(), UTC)


@asynccontextmanager
async def carrying(outbox: SqlOutbox, clock: FakeClock, **sinks: ScriptedSink) -> AsyncIterator[Dispatcher]:
    """The lanes of these sinks."""
    async with dispatching(outbox, clock) as dispatcher:
        await dispatcher.carry(sinks, SETTINGS, grace=PATIENCE)
        await _until(lambda: all(map(dispatcher.carries, sinks)))
        yield dispatcher


async def _until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not there():
            await asyncio.sleep(0.01)


async def stands(store_url: str, expected: Standing) -> bool:
    """Whether the one lane is kept so, once all is written that was begun."""
    with open_ledger(store_url) as ledger:
        await _until(lambda: [one.standing for one in ledger.read(lane_records)] == [expected])
    return True


async def test_a_probe_is_a_message_marked_as_a_test_and_leaves_nothing_in_the_store(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Attempt(Delivered(ref="7"), 200, "ok")])
    async with carrying(outbox, clock, ops=sink) as dispatcher:
        probed = await dispatcher.probe("ops", SAMPLE)
    [message] = sink.messages
    assert isinstance(message, Message)
    assert (message.event, message.circumstances.test) == (SAMPLE, True)
    assert (probed.attempt, probed.fault) == (Attempt(Delivered(ref="7"), 200, "ok"), None)
    assert look_up(store_url) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Delivered(), Standing.OPEN),
        (Refused("HTTP 400"), Standing.OPEN),
        (Limited(2.0), Standing.OPEN),
        (Away("HTTP 502"), Standing.AWAY),
        (Gone("HTTP 404"), Standing.PARKED),
    ],
)
async def test_a_lane_learns_from_a_probe_as_from_any_attempt(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, answer: Outcome, expected: Standing
) -> None:
    async with carrying(outbox, clock, ops=ScriptedSink(clock, [answer])) as dispatcher:
        assert (await dispatcher.probe("ops", SAMPLE)).attempt.outcome == answer
    assert await stands(store_url, expected)


@pytest.mark.parametrize(
    ("second", "expected", "told"),
    [
        (Delivered(), Standing.OPEN, ["user:sample", "user:sample", "user:alice"]),
        (Refused("HTTP 400"), Standing.PARKED, ["user:sample", "user:sample"]),
        (Away("HTTP 502"), Standing.PARKED, ["user:sample", "user:sample"]),
        (Gone("HTTP 404"), Standing.PARKED, ["user:sample", "user:sample"]),
    ],
)
async def test_a_parked_lane_flows_again_once_a_probe_is_delivered_and_by_nothing_less(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, second: Outcome, expected: Standing, told: list[str]
) -> None:
    sink = ScriptedSink(clock, [Gone("HTTP 404"), second])
    async with carrying(outbox, clock, ops=sink) as dispatcher:
        await dispatcher.probe("ops", SAMPLE)
        dispatcher.announce((await outbox.put(an_intake(an_event("user:alice")))).deliveries)
        await _until(lambda: not dispatcher._lanes["ops"][0]._flights)
        clock.step(PER_SINK.period)
        await dispatcher.probe("ops", SAMPLE)
        await _until(lambda: len(sink.sent) >= len(told))
    assert sink.subjects == told
    assert await stands(store_url, expected)


async def test_a_bug_of_our_own_is_told_as_one_and_says_nothing_of_the_service(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    async with carrying(outbox, clock, ops=ScriptedSink(clock, [ValueError("s3cret")])) as dispatcher:
        outcome = (await dispatcher.probe("ops", SAMPLE)).attempt.outcome
    assert outcome == Away("unforeseen ValueError, see the log")
    assert await stands(store_url, Standing.OPEN)


async def test_a_sink_is_probed_once_in_five_seconds(outbox: SqlOutbox, clock: FakeClock) -> None:
    ops, team = ScriptedSink(clock), ScriptedSink(clock)
    async with carrying(outbox, clock, ops=ops, team=team) as dispatcher:
        await dispatcher.probe("ops", SAMPLE)
        clock.step(PER_SINK.period - 1)
        with pytest.raises(TooSoon, match="ops was sent a test just now: try again in 1 s") as refused:
            await dispatcher.probe("ops", SAMPLE)
        await dispatcher.probe("team", SAMPLE)
        clock.step(refused.value.after)
        await dispatcher.probe("ops", SAMPLE)
    assert (len(ops.sent), len(team.sent)) == (2, 1)


async def test_ten_probes_go_out_in_a_minute_whatever_they_come_to(outbox: SqlOutbox, clock: FakeClock) -> None:
    sinks = {f"s{n}": ScriptedSink(clock, [Away("HTTP 502")]) for n in range(100)}
    async with carrying(outbox, clock, **sinks) as dispatcher:
        found = [await gather(dispatcher.probe(name, SAMPLE), return_exceptions=True) for name in sinks]
        refused = {str(one) for [one] in found if isinstance(one, TooSoon)}
        assert refused == {"too many tests in a minute: try again in 60 s"}
        assert sum(len(one.sent) for one in sinks.values()) == IN_ALL.count
        clock.step(IN_ALL.period)
        await dispatcher.probe("s99", SAMPLE)


async def test_a_thousand_presses_at_once_are_one_message(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Slow(clock)
    async with carrying(outbox, clock, ops=sink) as dispatcher:
        pressed = [asyncio.create_task(dispatcher.probe("ops", SAMPLE)) for _ in range(1000)]
        await sink.begun.wait()
        sink.go.set()
        results = await gather(*pressed, return_exceptions=True)
    assert sum(isinstance(one, TooSoon) for one in results) == 999
    assert len(sink.sent) == 1


async def test_a_probe_counts_in_the_limits_of_its_lane_and_waits_for_them(outbox: SqlOutbox, clock: FakeClock) -> None:
    class Narrow(ScriptedSink):
        limits = (Limit("", Rate(1, PER_SINK.period + 2.0)),)

    sink = Narrow(clock)
    async with carrying(outbox, clock, ops=sink) as dispatcher:
        await dispatcher.probe("ops", SAMPLE)
        clock.step(PER_SINK.period)
        await dispatcher.probe("ops", SAMPLE)
    assert sink.times == [0.0, PER_SINK.period + 2.0]


async def test_a_probe_does_not_wait_for_long(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Limited(90.0)])
    async with carrying(outbox, clock, ops=sink) as dispatcher:
        await dispatcher.probe("ops", SAMPLE)
        clock.step(90.0 - LONGEST_WAIT - 1)
        with pytest.raises(TooSoon, match="the limits of ops allow nothing for 6 s"):
            await dispatcher.probe("ops", SAMPLE)
        clock.step(PER_SINK.period)
        await dispatcher.probe("ops", SAMPLE)
    assert len(sink.sent) == 2


async def test_what_a_probe_finds_out_says_nothing_of_the_sink_that_took_its_sinks_place_meanwhile(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    before, after = Slow(clock), ScriptedSink(clock)
    before.answers, after.address = [Gone("HTTP 404")], "there"
    async with carrying(outbox, clock, ops=before) as dispatcher:
        probing = asyncio.create_task(dispatcher.probe("ops", SAMPLE))
        await before.begun.wait()
        await dispatcher.carry({"ops": after}, SETTINGS, grace=5)
        dispatcher.announce((await outbox.put(an_intake(an_event("user:alice")))).deliveries)
        await _until(lambda: after.subjects == ["user:alice"])
        before.go.set()
        assert (await probing).attempt.outcome == Gone("HTTP 404")
        await outbox.check()  # what was begun to be written before is written
        assert await stands(store_url, Standing.OPEN)


class Elsewhere:
    """An ownership by which another process carries every lane."""

    def want(self, scopes: object) -> None:
        pass

    def sure(self) -> bool:
        return True


async def test_what_another_process_carries_is_probed_too_and_its_lane_left_to_it(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Gone("HTTP 404")])
    async with asyncio.TaskGroup() as tasks:
        dispatcher = Dispatcher(outbox, Elsewhere(), clock=clock, chance=NoChance(), tasks=tasks)
        await dispatcher.carry({"ops": sink}, SETTINGS, grace=PATIENCE)
        assert (await dispatcher.probe("ops", SAMPLE)).attempt.outcome == Gone("HTTP 404")
    with open_ledger(store_url) as ledger:
        assert ledger.read(lane_records) == []


async def test_a_sink_that_nothing_is_sent_to_is_named(outbox: SqlOutbox, clock: FakeClock) -> None:
    async with carrying(outbox, clock, ops=ScriptedSink(clock)) as dispatcher:
        with pytest.raises(UnknownName, match='nothing is sent to a sink named "opps": did you mean "ops"'):
            await dispatcher.probe("opps", SAMPLE)


async def test_a_sink_whose_events_say_where_they_go_is_not_probed(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    sink.addressing = Addressing({}, {})
    async with carrying(outbox, clock, ops=sink) as dispatcher:
        with pytest.raises(BridgeError, match='sink "ops" has an address for each event, and no own'):
            await dispatcher.probe("ops", SAMPLE)
    assert sink.sent == []
