"""How fast a sink may be spoken to."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.limiter import Limiter, RateWindows, Slot
from bridge.message import Message
from bridge.outcome import Attempt, Away, Delivered, Limit, Limited, Rate
from bridge.sinks.base import OnSent
from bridge.store.base import Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.claim import INLINE
from bridge.value import replace
from tests.delivery.lanes import Fleet, ScriptedSink, a_lane, carry_all, look_up, pass_time
from tests.fakes import START, FakeClock, an_event, an_intake

CHANNEL = Limit("discord channel 1", Rate(2, 60.0))
INVALID = Limit("ip discord invalid", Rate(2, 600.0), sends=False)
NAMES = [f"user:{n}" for n in range(6)]


def limits(*rates: Rate) -> list[Limit]:
    return [Limit("", rate) for rate in rates]


def test_no_rate_means_no_wait() -> None:
    limiter = Limiter([])
    for _ in range(1000):
        assert limiter.wait(0.0) == 0.0
        limiter.reserve().sent(0.0)


def test_as_many_as_allowed_go_at_once_and_the_next_waits_for_the_window() -> None:
    limiter = Limiter(limits(Rate(2, 10.0)))
    for now in (0.0, 4.0):
        assert limiter.wait(now) == 0.0
        limiter.reserve().sent(now)
    assert limiter.wait(5.0) == 5.0
    assert limiter.wait(10.0) == 0.0


def test_the_strictest_of_several_rates_counts() -> None:
    limiter = Limiter(limits(Rate(10, 1.0), Rate(1, 60.0)))
    limiter.reserve().sent(0.0)
    assert limiter.wait(1.0) == 59.0


def test_a_pause_holds_even_where_the_rate_would_not_and_a_shorter_one_does_not_cut_it() -> None:
    limiter = Limiter([])
    limiter.pause(90.0, now=0.0)
    limiter.pause(1.0, now=1.0)
    assert limiter.wait(10.0) == 80.0
    assert limiter.wait(90.0) == 0.0


@given(st.integers(1, 5), st.floats(0.1, 10.0), st.lists(st.floats(0.0, 3.0), max_size=60))
def test_no_window_ever_holds_more_than_allowed(count: int, period: float, gaps: list[float]) -> None:
    limiter, now, sent = Limiter(limits(Rate(count, period))), 0.0, []
    for gap in gaps:
        now += gap
        now += limiter.wait(now)
        limiter.reserve().sent(now)
        sent.append(now)
    for first, last in zip(sent, sent[count:], strict=False):
        assert last - first >= period * (1 - 1e-9)


def test_lanes_that_share_a_channel_share_its_limit() -> None:
    windows = RateWindows()
    ops, night = Limiter([CHANNEL], windows), Limiter([CHANNEL], windows)
    ops.reserve().sent(0.0)
    night.reserve().sent(1.0)
    assert ops.wait(10.0) == night.wait(10.0) == 50.0


def test_lanes_share_no_limit_without_a_scope() -> None:
    windows = RateWindows()
    ops, night = (Limiter(limits(Rate(1, 60.0)), windows) for _ in range(2))
    ops.reserve().sent(0.0)
    assert (ops.wait(0.0), night.wait(0.0)) == (60.0, 0.0)


def test_what_is_learned_of_a_channel_includes_what_others_sent_to_it() -> None:
    windows = RateWindows()
    ops, night = Limiter([CHANNEL], windows), Limiter([], windows)
    ops.reserve().sent(0.0)
    ops.reserve().sent(0.0)
    assert night.wait(1.0) == 0.0
    night.reserve().sent(0.5)
    assert night.learn([CHANNEL], sent=0.5)
    assert not night.learn([CHANNEL])
    assert night.wait(1.0) == 59.0
    assert (ops.learned, night.learned) == ((), (CHANNEL,))


def test_a_limit_on_some_answers_counts_those_and_no_send() -> None:
    limiter = Limiter([INVALID])
    for now in (0.0, 1.0, 2.0):
        limiter.reserve().sent(now)
        limiter.spend(("something else",), now)
    assert limiter.wait(2.0) == 0.0
    for now in (3.0, 4.0):
        limiter.spend((INVALID.scope,), now)
    assert limiter.wait(4.0) == 599.0


def test_what_was_sent_before_a_restart_counts_after_it_and_so_does_what_may_have_been_on_its_way() -> None:
    before = Limiter([Limit("discord channel 1", Rate(3, 60.0))])
    before.reserve().sent(100.0)
    spent = before.spent(110.0, START)
    assert spent == {"discord channel 1": [START - timedelta(seconds=10)]}
    after = Limiter([Limit("discord channel 1", Rate(3, 60.0))])
    after.restore(spent, 5.0, START + timedelta(seconds=20), unrecorded=1)
    assert after.wait(5.0) == 0.0
    after.reserve().sent(5.0)
    assert after.wait(5.0) == 30.0


def test_a_clock_that_was_set_back_over_a_restart_lengthens_no_window() -> None:
    limiter = Limiter([CHANNEL])
    limiter.restore({CHANNEL.scope: [START + timedelta(hours=1)]}, 0.0, START)
    assert limiter.wait(0.0) <= 60.0


def test_windows_that_are_over_at_once_are_not_kept() -> None:
    limiter = Limiter([*limits(Rate(10, 1.0)), Limit("zapier 1", Rate(10_000, 300.0))])
    limiter.reserve().sent(0.0)
    assert not limiter.lasting
    assert limiter.spent(0.0, START) == {}


def test_only_what_processes_share_is_a_scope() -> None:
    assert Limiter([CHANNEL, INVALID, *limits(Rate(1, 1.0))]).scopes == (CHANNEL.scope,)


def test_what_two_lanes_know_of_a_shared_window_is_put_together() -> None:
    wide = Limit("discord channel 1", Rate(4, 60.0))
    windows = RateWindows()
    first, second = Limiter([wide], windows), Limiter([wide], windows)
    times = [START - timedelta(seconds=seconds) for seconds in (30, 20, 10)]
    first.restore({wide.scope: times[:1]}, 100.0, START)
    second.restore({wide.scope: times}, 100.0, START)
    assert first.wait(100.0) == 0.0
    first.reserve().sent(100.0)
    assert first.wait(100.0) == second.wait(100.0) == 30.0


def test_each_lane_of_a_shared_window_may_have_sent_what_nobody_wrote_down() -> None:
    windows = RateWindows()
    limit = Limit("discord channel 1", Rate(5, 60.0))
    lanes = [Limiter([limit], windows) for _ in range(2)]
    for lane in lanes:
        lane.restore({}, 100.0, START, unrecorded=2)
    lanes[0].reserve().sent(101.0)
    assert lanes[1].wait(101.0) == 59.0


def test_two_sends_of_one_moment_are_two() -> None:
    limiter, times = Limiter([CHANNEL]), [START, START]
    for _ in range(2):
        limiter.restore({CHANNEL.scope: times}, 10.0, START + timedelta(seconds=10))
    assert limiter.wait(10.0) == 50.0
    assert len(limiter.spent(10.0, START)[CHANNEL.scope]) == 2


def test_a_window_of_a_day_that_was_empty_is_empty_after_a_restart() -> None:
    limiter = Limiter(limits(Rate(1, 86400.0)))
    limiter.restore({}, 0.0, START, unrecorded=2)
    assert limiter.wait(0.0) == 0.0


def test_a_place_is_kept_until_the_request_is_on_the_wire_and_counts_from_then_on() -> None:
    limiter = Limiter(limits(Rate(2, 1.0)))
    slow = limiter.reserve()  # it connects, for 5 s
    limiter.reserve().sent(5.0)
    assert limiter.wait(5.0) == 1.0
    slow.sent(5.5)
    assert limiter.wait(5.5) == 0.5
    limiter.reserve().sent(6.0)
    assert limiter.wait(6.0) == 0.5


def test_while_all_places_are_reserved_nobody_knows_when_one_is_free() -> None:
    limiter = Limiter(limits(Rate(1, 60.0)))
    slot = limiter.reserve()
    assert 0 < limiter.wait(0.0) < 1
    assert 0 < limiter.wait(1000.0) < 1
    slot.sent(1000.0)
    assert limiter.wait(1000.0) == 60.0


def test_each_request_of_an_attempt_counts_and_so_does_one_that_nobody_told_of() -> None:
    limiter = Limiter(limits(Rate(4, 60.0)))
    told, silent = limiter.reserve(), limiter.reserve()
    told.sent(1.0)
    told.sent(2.0)
    assert told.close(9.0) == 2.0
    assert silent.close(9.0) == 9.0
    assert limiter.wait(9.0) == 0.0
    limiter.reserve().sent(9.0)
    assert limiter.wait(9.0) == 52.0


def test_a_place_that_is_given_back_is_anybodys_and_what_was_sent_keeps_its_own() -> None:
    limiter = Limiter(limits(Rate(1, 60.0)))
    limiter.reserve().give_back()
    assert limiter.wait(0.0) == 0.0
    slot = limiter.reserve()
    slot.sent(0.0)
    slot.give_back()
    assert limiter.wait(0.0) == 60.0


@given(st.integers(1, 4), st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.0, 9.0)), max_size=40))
def test_however_long_they_connect_no_service_gets_more_than_it_allows(
    count: int, sends: list[tuple[float, float]]
) -> None:
    limiter, now, wire = Limiter(limits(Rate(count, 3.0))), 0.0, list[float]()
    connecting: list[tuple[float, Slot]] = []

    def pass_until(then: float) -> None:
        for at, slot in sorted((one for one in connecting if one[0] <= then), key=lambda one: one[0]):
            slot.sent(at)
            wire.append(at)
        connecting[:] = [one for one in connecting if one[0] > then]

    for gap, takes in sends:
        now += gap
        pass_until(now)
        while (wait := limiter.wait(now)) > 0:
            now += wait
            pass_until(now)
        connecting.append((now + takes, limiter.reserve()))
    pass_until(float("inf"))
    assert len(wire) == len(sends)
    for first, last in zip(wire, wire[count:], strict=False):
        assert last - first >= 3.0 * (1 - 1e-9)


async def test_the_wait_that_a_service_asks_for_costs_no_attempt_and_holds_the_whole_lane(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Limited(90)] * 9)
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    lane = a_lane(outbox, sink, clock)
    for _ in range(12):
        await lane.step()
    await lane.flush()
    times = [at for at, _ in sink.sent]
    assert all(later - earlier >= 90 for earlier, later in pairwise(times[:10]))
    assert [record.attempts for record in look_up(store_url)] == [1, 1]


async def test_a_service_that_only_says_429_is_asked_ever_more_seldom_and_nothing_is_lost(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Limited()] * 7)
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 100)
    state = await outbox.lane_state("ops")
    assert (state.standing, state.reason) == (Standing.AWAY, "rate limited, and it does not say for how long")
    assert state.until == START + timedelta(seconds=127)
    await pass_time(lane, clock, 27)
    assert sink.times == [0, 1, 3, 7, 15, 31, 63] + [127] * 6
    assert [record.attempts for record in look_up(store_url)] == [1] * 6
    assert {record.state for record in look_up(store_url)} == {"delivered"}


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.99])
async def test_no_service_is_asked_more_than_once_a_second_that_wants_to_be_left_alone(
    wait: float, outbox: SqlOutbox, clock: FakeClock
) -> None:
    for name, answers in (("a", [Limited(wait)] * 5), ("b", [Away("HTTP 503", after=wait)] * 5)):
        sink = ScriptedSink(clock, answers)
        before = clock.monotonic()
        await outbox.put(an_intake(an_event("user:alice"), sinks=(name,)))
        await pass_time(Fleet(outbox, clock).lane(sink, name), clock, 5, by=0.25)
        assert [at - before for at in sink.times] == [0, 1, 2, 3, 4, 5]


async def test_the_pause_that_headers_announce_is_kept(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Attempt(Delivered(), 200, pause=1.5)])
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    await carry_all(a_lane(outbox, sink, clock))
    assert [at for at, _ in sink.sent] == [0.0, 1.5]


async def test_the_rate_is_kept(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    sink.limits = (Limit("", Rate(2, 1.0)),)
    await outbox.put(an_intake(*(an_event(None) for _ in range(5))))
    await carry_all(a_lane(outbox, sink, clock))
    assert [at for at, _ in sink.sent] == [0.0, 0.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("lanes", [1, 3])
async def test_the_rate_is_kept_where_several_are_ready_and_wait_for_the_store_still(
    outbox: SqlOutbox, clock: FakeClock, lanes: int
) -> None:
    """Big events are read when they are sent: one lane sends several at once, and several lanes share a limit."""
    fleet, sinks = Fleet(outbox, clock), {f"s{number}": ScriptedSink(clock) for number in range(lanes)}
    for sink in sinks.values():
        sink.limits, sink.concurrency = (Limit("bot", Rate(1, 10.0)),), 4
    big = [replace(an_event(name), data={"x": "x" * INLINE}) for name in NAMES[:4]]
    await outbox.put(an_intake(*big, sinks=tuple(sinks)))
    await asyncio.gather(*(carry_all(fleet.lane(sink, name)) for name, sink in sinks.items()))
    times = sorted(at for sink in sinks.values() for at in sink.times)
    assert len(times) == 4 * lanes
    assert all(later - earlier > 9.99 for earlier, later in pairwise(times))


async def test_a_pause_that_a_429_asked_for_outlives_the_process(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Limited(90)])
    await outbox.put(an_intake(*map(an_event, NAMES[:2])))
    lane = a_lane(outbox, sink, clock)
    await lane.step()
    await lane.flush()
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.times == [0, 90, 90]


async def test_a_window_outlives_the_process(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    sink.limits = (Limit("discord channel 1", Rate(3, 60.0)),)
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = a_lane(outbox, sink, clock)
    for _ in range(2):
        await lane.step()
    await lane.flush()
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.times[:3] == [0, 0, 60]


class SlowToConnect(ScriptedSink):
    """It is on the wire when it has connected, which takes five seconds at first."""

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        if not self.sent:
            await self._clock.sleep(5)
        if on_sent:
            on_sent()
        return await super().send(message)


async def test_a_limit_is_counted_from_when_the_request_is_on_the_wire(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = SlowToConnect(clock)
    sink.limits = (Limit("discord webhook 1", Rate(2, 2.0)),)
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.times == [5, 5, 7, 7, 9, 9]


async def test_what_a_killed_process_sent_and_did_not_write_down_counts(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    sink.limits = (Limit("discord channel 1", Rate(3, 60.0)),)
    await carry_all(a_lane(outbox, sink, clock))  # it knows of the lane, and is killed with two on their way
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.times == [0, 60, 60, 60, 120, 120]


async def test_two_sinks_of_one_channel_share_its_limit_as_soon_as_it_is_known(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    channel = Limit("discord channel 1", Rate(2, 60.0))
    answers = [Attempt(Delivered(), learned=(channel,))]
    ops, team = ScriptedSink(clock, answers), ScriptedSink(clock, answers)
    await outbox.put(an_intake(*map(an_event, NAMES[:2]), sinks=("ops", "team")))
    fleet = Fleet(outbox, clock)
    for name, sink in (("ops", ops), ("team", team)):
        await carry_all(fleet.lane(sink, name))
    assert (ops.times, team.times) == ([0, 0], [0, 60])
