"""Quiet hours, and updates of what was said before."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.delivery.lane import LaneSettings
from bridge.message import Digest, Message
from bridge.outcome import Attempt, Delivered
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Quiet, Storm, Terms
from tests.delivery.lanes import Fleet, Script, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import FakeClock, an_event, an_intake

NIGHT = "22:00-07:00"
LATE = datetime(2026, 11, 21, 23, 0, tzinfo=ZoneInfo("UTC"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(LATE)


async def test_in_quiet_hours_nobody_is_woken(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock)
    await outbox.put(routed(an_event("user:a"), terms=Terms(quiet=Quiet(hours=NIGHT))))
    await outbox.put(routed(an_event("user:b"), row="route 2"))
    await carry_all(a_lane(outbox, sink, clock))
    assert [message.circumstances.silent for message in sink.messages if isinstance(message, Message)] == [True, False]


async def test_what_is_held_is_told_in_order_when_the_quiet_hours_end_and_burns_no_attempt(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock)
    terms = Terms(quiet=Quiet(hours=NIGHT, mode="hold"))
    await outbox.put(routed(*(an_event("user:a", type_=f"t.{n}") for n in range(3)), terms=terms))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 8 * 3600 - 60, by=600)
    assert sink.messages == []
    assert next(record.reason for record in look_up(store_url)) == "quiet hours"
    await pass_time(lane, clock, 60, by=10)
    assert sink.digested == [["t.0"], ["t.1"], ["t.2"]]
    assert [record.attempts for record in look_up(store_url)] == [1, 1, 1]


async def test_what_is_dropped_is_held_back_and_says_why(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = Script(clock)
    await outbox.put(routed(an_event(), terms=Terms(quiet=Quiet(hours=NIGHT, mode="drop"))))
    await carry_all(a_lane(outbox, sink, clock))
    [record] = look_up(store_url)
    assert (record.state, record.reason, record.attempts) == ("held_back", "quiet hours", 0)
    assert sink.messages == []


async def test_the_rows_own_hours_come_before_the_sinks(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock)
    sink.quiet = Quiet(hours=NIGHT, mode="drop")
    await outbox.put(routed(an_event("user:a"), terms=Terms(quiet=Quiet(hours="01:00-02:00"))))
    await outbox.put(routed(an_event("user:b"), row="route 2"))
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.subjects == ["user:a"]


async def test_quiet_hours_are_those_of_the_files_zone(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock)
    sink.quiet = Quiet(hours=NIGHT, mode="drop")
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    lane.settings = LaneSettings(lane.settings.renderer, ZoneInfo("America/New_York"))
    await carry_all(lane)
    assert len(sink.messages) == 1


async def test_at_the_end_of_summer_time_what_is_held_is_held_once(outbox: SqlOutbox) -> None:
    clock = FakeClock(datetime(2026, 10, 25, 1, 15, tzinfo=ZoneInfo("UTC")))  # 02:15 in Berlin, for the second time
    sink = Script(clock)
    sink.quiet = Quiet(hours="22:00-02:30", mode="hold")
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    lane.settings = LaneSettings(lane.settings.renderer, ZoneInfo("Europe/Berlin"))
    assert await carry_all(lane) == 1
    await pass_time(lane, clock, 900, by=60)
    assert len(sink.messages) == 1


async def test_a_digest_is_silent_only_where_all_of_it_is(outbox: SqlOutbox, clock: FakeClock) -> None:
    silent, loud = (
        Terms(digest=DigestWindow(window=60), quiet=Quiet(hours=NIGHT)),
        Terms(digest=DigestWindow(window=60)),
    )
    for terms in (silent, loud):
        await outbox.put(routed(an_event(None), an_event(None), terms=terms))
    sink = Script(clock)
    await pass_time(a_lane(outbox, sink, clock), clock, 60)
    assert [message.silent for message in sink.messages if isinstance(message, Digest)] == [True, False]


UPDATE = Terms(update="subject")
LOST, RESTORED = "node.connection_lost", "node.connection_restored"


async def test_a_later_event_updates_the_message_of_the_earlier_one(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Delivered(ref="100"), Delivered(ref="100"), Delivered(ref="200")])
    lane = a_lane(outbox, sink, clock)
    for type_, subject in ((LOST, "node:a"), (RESTORED, "node:a"), (LOST, "node:b")):
        await outbox.put(routed(an_event(subject, type_=type_), terms=UPDATE))
        lane.wake()
        await carry_all(lane)
    first, second, third = (message.circumstances.earlier for message in sink.messages if isinstance(message, Message))
    assert (first, third) == (None, None)
    assert second is not None
    assert (second.ref, second.type, second.thread) == ("100", LOST, False)


async def test_an_update_may_answer_in_the_thread(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Delivered(ref="100")])
    await outbox.put(routed(an_event(), an_event(), terms=Terms(update="thread")))
    await carry_all(a_lane(outbox, sink, clock))
    second = sink.messages[1]
    assert isinstance(second, Message)
    assert second.circumstances.earlier is not None
    assert second.circumstances.earlier.thread


async def test_what_was_said_is_known_after_a_restart_and_to_no_other_sink(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Delivered(ref="100")])
    await outbox.put(routed(an_event(type_=LOST), terms=UPDATE))
    await carry_all(a_lane(outbox, sink, clock))
    fleet, sinks = Fleet(outbox, clock), {}
    for name in ("ops", "team"):
        await outbox.put(routed(an_event(type_=RESTORED), terms=UPDATE, sink=name))
        sinks[name] = Script(clock)
        await carry_all(fleet.lane(sinks[name], name))
    earlier = {name: one.messages[0].circumstances.earlier for name, one in sinks.items()}
    assert earlier["ops"] is not None
    assert earlier["team"] is None


async def test_a_storm_updates_nothing(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Attempt(Delivered(ref="100"))])
    sink.storm = Storm(backlog=5)
    await outbox.put(routed(*(an_event(f"user:{n}") for n in range(20)), terms=UPDATE))
    await carry_all(a_lane(outbox, sink, clock))
    assert await outbox.earlier_message("ops", "user:0") is None
