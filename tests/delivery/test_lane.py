"""A lane over a real store, with a sink that answers as it is told."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from bridge.errors import StoreUnavailable
from bridge.outcome import Attempt, Away, Delivered, Limit, Limited, Rate, Refused
from bridge.store.base import Claim, Delivery, Settlement
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Terms
from tests.delivery.lanes import Plain, Script, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import FakeClock, an_event, an_intake


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
    sink = Script(clock, answers)
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


async def test_the_wait_that_a_service_asks_for_costs_no_attempt_and_holds_the_whole_lane(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [Limited(90)] * 9)
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    lane = a_lane(outbox, sink, clock)
    for _ in range(12):
        await lane.step()
    await lane.flush()
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
    sink.limits = (Limit("", Rate(2, 1.0)),)
    await outbox.put(an_intake(*(an_event(None) for _ in range(5))))
    await carry_all(a_lane(outbox, sink, clock))
    assert [at for at, _ in sink.sent] == [0.0, 0.0, 1.0, 1.0, 2.0]


async def test_a_service_that_stays_away_is_given_up_after_four_tries_with_all_that_is_known(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [Attempt(Away("HTTP 502"), 502, "<html>bad gateway")] * 4)
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 800, by=100)
    [record] = look_up(store_url)
    assert sink.times == [0, 100, 300, 600]
    assert (record.state, record.attempts, record.status) == ("dead", 4, 502)
    assert record.reason == "HTTP 502; gave up after 4 attempts"
    assert record.answer == "<html>bad gateway"


async def test_what_will_never_be_taken_is_dead_at_once_and_the_next_goes_on(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [Refused("HTTP 400")])
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
    await pass_time(a_lane(outbox, sink, clock), clock, 5)
    await pass_time(a_lane(outbox, sink, clock), clock, 25)
    assert sink.subjects == ["user:alice", "user:bob", "user:alice", "user:alice"]


async def test_what_was_sent_is_recorded_once_the_store_is_back(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    class Flaky(Noted):
        def __init__(self) -> None:
            super().__init__(outbox, self._settle)
            self.failures = 3

        def _settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[Sequence[Delivery]]:
            if not self.failures:
                return outbox.settle(settlements)
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


async def test_a_lane_that_has_caught_up_asks_the_store_once_for_each_time_that_it_is_woken(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink, asked = Script(clock), Asked(outbox)
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
    sink = Script(clock, [Away("HTTP 502")])
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
    sink = Script(clock)
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    names = [f"user:{n}" for n in range(350)]
    for name in names:
        await outbox.put(an_intake(an_event(name)))
        lane.wake()
    await carry_all(lane)
    assert sink.subjects == names


async def test_an_answer_with_half_a_character_is_recorded(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    await outbox.put(an_intake(an_event()))
    await carry_all(a_lane(outbox, Script(clock, [Attempt(Refused("bad \ud83d"), 400, "\ud83d")]), clock))
    [record] = look_up(store_url)
    assert (record.state, record.reason) == ("dead", "bad ?")


async def test_a_probe_does_not_pass_an_earlier_one_of_its_subject(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Away("HTTP 502"), Away("HTTP 502")])
    await outbox.put(an_intake(an_event("user:a", type_="t.1"), an_event("user:b", type_="t.2")))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 1)
    await outbox.put(an_intake(an_event("user:a", type_="t.3")))
    lane.wake()
    await pass_time(lane, clock, 200)
    assert [types for types in sink.digested if types != ["t.2"]] == [["t.1"], ["t.1"], ["t.3"]]


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
