"""What follows: from an outcome, from quiet hours, and from an outage that lasts."""

from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.fallback import PAGE, PAGES
from bridge.delivery.policy import Policy
from bridge.delivery.resources import LaneSettings
from bridge.message import Digest, Message
from bridge.outcome import (
    Again,
    Attempt,
    Away,
    Dead,
    Delivered,
    Done,
    Fate,
    Gone,
    Limited,
    Outcome,
    Refused,
)
from bridge.sinks.base import Retry
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Quiet, Terms
from tests.delivery.lanes import Fleet, ScriptedSink, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import START, FakeClock, NoChance, an_event, an_intake

NIGHT = "22:00-07:00"
LATE = datetime(2026, 11, 21, 23, 0, tzinfo=ZoneInfo("UTC"))
AWAY = Away("HTTP 502")
NAMES = [f"user:{n}" for n in range(6)]
DIGEST = Terms(digest=DigestWindow(window=60.0, max=5))
FALLBACK = Terms(fallback=("night",), fallback_after=600.0)


def after(seconds: float, reason: str, *, counts: bool = True) -> Again:
    return Again(START + timedelta(seconds=seconds), reason, counts)


@pytest.mark.parametrize(
    ("outcome", "attempt", "fate"),
    [
        (Delivered(), 1, Done()),
        (Delivered(note="sent as plain text"), 1, Done("sent as plain text")),
        (Limited(1.65), 1, after(1.65, "rate limited", counts=False)),
        (Limited(0.65), 1, after(1, "rate limited", counts=False)),
        (Limited(None), 99, after(1, "rate limited", counts=False)),
        (Limited(10_072), 99, after(10_072, "rate limited", counts=False)),
        (Away("HTTP 502"), 1, after(30, "HTTP 502")),
        (Away("HTTP 502"), 2, after(120, "HTTP 502")),
        (Away("HTTP 502"), 3, after(300, "HTTP 502")),
        (Away("HTTP 502"), 4, Dead("HTTP 502; gave up after 4 attempts")),
        (Away("HTTP 503", after=7), 4, after(7, "HTTP 503", counts=False)),
        (Away("HTTP 503", after=0.1), 4, after(1, "HTTP 503", counts=False)),
        (Away("a proxy's", counts=False), 99, after(1, "a proxy's", counts=False)),
        (Away("a proxy's", 60, counts=False), 99, after(60, "a proxy's", counts=False)),
        (Refused("HTTP 400"), 1, Dead("HTTP 400")),
        (Gone("HTTP 404"), 9, after(0, "the lane is parked: HTTP 404", counts=False)),
        (Delivered(ref="77"), 1, Done(ref="77")),
    ],
)
def test_fate(outcome: Outcome, attempt: int, fate: Fate) -> None:
    assert Policy(Retry(), NoChance()).fate(outcome, attempt=attempt, since=START, now=START) == fate


@pytest.mark.parametrize("outcome", [Limited(60), Limited(), Away("503", after=60), Away("", counts=False)])
def test_a_service_that_only_ever_asks_to_wait_is_given_up_in_the_end(outcome: Outcome) -> None:
    policy = Policy(Retry(give_up=3600), NoChance())
    early, late = (
        policy.fate(outcome, attempt=1, since=START, now=START + timedelta(seconds=age)) for age in (3600, 3601)
    )
    assert isinstance(early, Again)
    assert isinstance(late, Dead)
    assert late.reason.endswith("gave up after 1 hours of waiting")


def test_the_last_wait_repeats_where_more_retries_are_allowed_than_waits_are_given() -> None:
    policy = Policy(Retry(max_retries=5, waits=(1, 2)), NoChance())
    fates = [policy.fate(Away("away"), attempt=n, since=START, now=START) for n in range(1, 7)]
    assert fates[:5] == [after(seconds, "away") for seconds in (1, 2, 2, 2, 2)]
    assert fates[5] == Dead("away; gave up after 6 attempts")


@given(st.integers(), st.integers(1, 3))
def test_chance_moves_a_wait_by_no_more_than_the_jitter(seed: int, attempt: int) -> None:
    retry = Retry(jitter=0.2)
    fate = Policy(retry, Random(seed)).fate(Away("away"), attempt=attempt, since=START, now=START)
    assert isinstance(fate, Again)
    wait = retry.waits[attempt - 1]
    assert wait * 0.8 <= (fate.at - START).total_seconds() <= wait * 1.2


async def test_a_service_that_stays_away_is_given_up_after_four_tries_with_all_that_is_known(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Attempt(Away("HTTP 502"), 502, "<html>bad gateway")] * 4)
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
    sink = ScriptedSink(clock, [Refused("HTTP 400")])
    await outbox.put(an_intake(an_event(), an_event()))
    await carry_all(a_lane(outbox, sink, clock))
    assert [record.state for record in look_up(store_url)] == ["dead", "delivered"]


async def test_a_digest_that_is_refused_is_told_one_by_one(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Refused("HTTP 400"), Delivered(), Refused("HTTP 400")])
    await outbox.put(routed(*(an_event(f"user:{n}") for n in range(4)), terms=DIGEST))
    await pass_time(a_lane(outbox, sink, clock), clock, 61)
    assert [len(types) for types in sink.digested] == [4, 1, 1, 1, 1]
    assert [record.state for record in look_up(store_url)] == ["delivered", "dead", "delivered", "delivered"]
    assert [record.attempts for record in look_up(store_url)] == [1, 1, 1, 1]


async def test_one_poison_event_takes_no_other_of_its_digest_with_it(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [RuntimeError("oops"), Delivered(), *[RuntimeError("oops")] * 4])
    await outbox.put(routed(*(an_event(f"user:{n}") for n in range(2)), terms=DIGEST))
    await pass_time(a_lane(outbox, sink, clock), clock, 600, by=10)
    assert [record.state for record in look_up(store_url)] == ["delivered", "dead"]


@pytest.fixture
def night() -> FakeClock:
    return FakeClock(LATE)


async def test_in_quiet_hours_nobody_is_woken(outbox: SqlOutbox, night: FakeClock) -> None:
    sink = ScriptedSink(night)
    await outbox.put(routed(an_event("user:a"), terms=Terms(quiet=Quiet(hours=NIGHT))))
    await outbox.put(routed(an_event("user:b"), row="route 2"))
    await carry_all(a_lane(outbox, sink, night))
    assert [message.circumstances.silent for message in sink.messages if isinstance(message, Message)] == [True, False]


async def test_what_is_held_is_told_in_order_when_the_quiet_hours_end_and_burns_no_attempt(
    outbox: SqlOutbox, store_url: str, night: FakeClock
) -> None:
    sink = ScriptedSink(night)
    terms = Terms(quiet=Quiet(hours=NIGHT, mode="hold"))
    await outbox.put(routed(*(an_event("user:a", type_=f"t.{n}") for n in range(3)), terms=terms))
    lane = a_lane(outbox, sink, night)
    await pass_time(lane, night, 8 * 3600 - 60, by=600)
    assert sink.messages == []
    assert next(record.reason for record in look_up(store_url)) == "quiet hours"
    await pass_time(lane, night, 60, by=10)
    assert sink.digested == [["t.0"], ["t.1"], ["t.2"]]
    assert [record.attempts for record in look_up(store_url)] == [1, 1, 1]


async def test_what_is_dropped_is_held_back_and_says_why(outbox: SqlOutbox, store_url: str, night: FakeClock) -> None:
    sink = ScriptedSink(night)
    await outbox.put(routed(an_event(), terms=Terms(quiet=Quiet(hours=NIGHT, mode="drop"))))
    await carry_all(a_lane(outbox, sink, night))
    [record] = look_up(store_url)
    assert (record.state, record.reason, record.attempts) == ("held_back", "quiet hours", 0)
    assert sink.messages == []


async def test_the_rows_own_hours_come_before_the_sinks(outbox: SqlOutbox, night: FakeClock) -> None:
    sink = ScriptedSink(night)
    sink.quiet = Quiet(hours=NIGHT, mode="drop")
    await outbox.put(routed(an_event("user:a"), terms=Terms(quiet=Quiet(hours="01:00-02:00"))))
    await outbox.put(routed(an_event("user:b"), row="route 2"))
    await carry_all(a_lane(outbox, sink, night))
    assert sink.subjects == ["user:a"]


async def test_quiet_hours_are_those_of_the_files_zone(outbox: SqlOutbox, night: FakeClock) -> None:
    sink = ScriptedSink(night)
    sink.quiet = Quiet(hours=NIGHT, mode="drop")
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, night)
    lane.settings = LaneSettings(lane.settings.renderer, ZoneInfo("America/New_York"))
    await carry_all(lane)
    assert len(sink.messages) == 1


async def test_at_the_end_of_summer_time_what_is_held_is_held_once(outbox: SqlOutbox) -> None:
    clock = FakeClock(datetime(2026, 10, 25, 1, 15, tzinfo=ZoneInfo("UTC")))  # 02:15 in Berlin, for the second time
    sink = ScriptedSink(clock)
    sink.quiet = Quiet(hours="22:00-02:30", mode="hold")
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, sink, clock)
    lane.settings = LaneSettings(lane.settings.renderer, ZoneInfo("Europe/Berlin"))
    assert await carry_all(lane) == 1
    await pass_time(lane, clock, 900, by=60)
    assert len(sink.messages) == 1


async def test_a_digest_is_silent_only_where_all_of_it_is(outbox: SqlOutbox, night: FakeClock) -> None:
    silent, loud = (
        Terms(digest=DigestWindow(window=60), quiet=Quiet(hours=NIGHT)),
        Terms(digest=DigestWindow(window=60)),
    )
    for terms in (silent, loud):
        await outbox.put(routed(an_event(None), an_event(None), terms=terms))
    sink = ScriptedSink(night)
    await pass_time(a_lane(outbox, sink, night), night, 60)
    assert [message.silent for message in sink.messages if isinstance(message, Digest)] == [True, False]


async def test_what_is_dead_goes_to_the_fallback_with_a_note_and_is_sent_there(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    await outbox.put(routed(an_event(), terms=FALLBACK))
    fleet = Fleet(outbox, clock)
    await carry_all(fleet.lane(ScriptedSink(clock, [Refused("HTTP 400")])))
    dead, instead = look_up(store_url)
    assert (dead.state, dead.reason) == ("dead", "HTTP 400; told on night instead")
    assert (instead.sink, instead.state, instead.event_id) == ("night", "pending", dead.event_id)
    assert [one.sink for one in fleet.made] == ["night"]
    night = ScriptedSink(clock)
    await carry_all(fleet.lane(night, "night"))
    assert night.messages[0].circumstances.instead == "ops: HTTP 400"


async def test_a_lane_that_is_away_for_too_long_lets_what_waits_go_to_the_fallback(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [AWAY] * 99)
    await outbox.put(routed(*map(an_event, NAMES), terms=FALLBACK))
    await outbox.put(an_intake(an_event("user:without a fallback")))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 590, by=10)
    assert not [record for record in look_up(store_url) if record.sink == "night"]
    await pass_time(lane, clock, 20, by=10)
    fallen = [record for record in look_up(store_url) if record.sink == "night"]
    assert [record.subject for record in fallen] == NAMES
    assert sum(record.attempts for record in look_up(store_url)) == len(sink.sent)
    still = [record for record in look_up(store_url) if record.state in ("pending", "waiting") and record.sink == "ops"]
    assert [record.subject for record in still] == ["user:without a fallback"]


async def test_what_waits_behind_a_thousand_that_are_in_no_hurry_goes_to_the_fallback_as_well(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    patient = Terms(fallback=("night",), fallback_after=86400.0)
    await outbox.put(routed(*(an_event(f"user:{n}") for n in range(PAGE * PAGES + 1)), terms=patient))
    await outbox.put(routed(an_event("user:in a hurry"), terms=FALLBACK))
    await pass_time(a_lane(outbox, ScriptedSink(clock, [Gone("HTTP 404")]), clock), clock, 700, by=10)
    assert [record.subject for record in look_up(store_url) if record.sink == "night"] == ["user:in a hurry"]


async def test_what_has_gone_to_the_fallback_is_not_sent_when_the_service_is_back(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Gone("HTTP 404")])
    await outbox.put(routed(*map(an_event, NAMES), terms=FALLBACK))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 700, by=10)
    sink.address = "elsewhere"
    await carry_all(a_lane(outbox, sink, clock))
    assert len(sink.sent) == 1


async def test_a_fallback_never_goes_in_a_circle(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    terms = Terms(fallback=("night", "ops", "night"), fallback_after=1.0)
    await outbox.put(routed(an_event(), terms=terms))
    fleet = Fleet(outbox, clock)
    for name in ("ops", "night", "ops", "night"):
        await carry_all(fleet.lane(ScriptedSink(clock, [Refused("HTTP 400")]), name))
    assert [(record.sink, record.state) for record in look_up(store_url)] == [("ops", "dead"), ("night", "dead")]
