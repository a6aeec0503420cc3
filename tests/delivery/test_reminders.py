"""Reminders: a trouble that lasts is told again, until it is over, told anew, or was told often enough."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.delivery.lane import Lane
from bridge.event import Event
from bridge.message import Digest, Message
from bridge.outcome import Away, Dead, Delivered, Done, HeldBack, Refused
from bridge.routing import Route
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.terms import Repeat, Terms
from bridge.value import replace
from bridge.vocabulary import TYPES, ends_trouble, remedy
from tests.delivery.lanes import Fleet, ScriptedSink, carry_all, look_up, routed
from tests.fakes import FakeClock, an_event
from tests.store.boxes import claimed, settle

HOUR = 3600.0
TERMS = Terms(repeat=Repeat(every=HOUR, max=3))


def lost(subject: str = "node:fra-1") -> Event:
    return an_event(subject, type_="node.connection_lost")


def restored(subject: str = "node:fra-1") -> Event:
    return an_event(subject, type_="node.connection_restored")


async def pass_time(lane: Lane, clock: FakeClock, seconds: float, *, by: float) -> None:
    """Let time pass in steps, the lane being told of what waits, as of all that a settlement makes."""
    await carry_all(lane)
    for _ in range(round(seconds / by)):
        clock.step(by)
        lane.wake()
        await carry_all(lane)


def reminders(sink: ScriptedSink) -> list[tuple[str, int | None]]:
    """Of each message its type, and which reminder it is."""
    return [(one.event.type, _reminder(one)) for one in sink.messages if isinstance(one, Message)]


def _reminder(message: Message | Digest) -> int | None:
    assert isinstance(message, Message)
    return message.circumstances.reminder and message.circumstances.reminder.number


async def test_trouble_that_lasts_is_told_again_as_often_as_its_row_wants(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(lost(), terms=TERMS))
    await pass_time(Fleet(outbox, clock).lane(sink), clock, 5 * HOUR, by=600)
    assert reminders(sink) == [("node.connection_lost", n) for n in (None, 1, 2, 3)]
    assert sink.times == [0.0, HOUR, 2 * HOUR, 3 * HOUR]
    [*_, last] = sink.messages
    assert isinstance(last, Message)
    assert last.circumstances.reminder is not None
    assert (last.circumstances.reminder.most, last.circumstances.reminder.lasts) == (3, 3 * HOUR)


async def test_it_ends_with_its_opposite_wherever_that_was_told(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    sink = ScriptedSink(clock)
    lane = Fleet(outbox, clock).lane(sink)
    await outbox.put(routed(lost(), terms=TERMS))
    await pass_time(lane, clock, HOUR + 600, by=600)
    ending = restored()
    await outbox.put(routed(ending, sink="another"))
    await pass_time(lane, clock, 5 * HOUR, by=600)
    assert reminders(sink) == [("node.connection_lost", None), ("node.connection_lost", 1)]
    [*_, last] = [one for one in look_up(store_url) if one.sink == "ops"]
    assert (last.state, last.reason) == (State.HELD_BACK, f"over: node.connection_restored, event {ending.id}")


async def test_trouble_that_is_told_anew_begins_its_reminders_anew(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    lane = Fleet(outbox, clock).lane(sink)
    await outbox.put(routed(lost(), terms=TERMS))
    await pass_time(lane, clock, HOUR / 2, by=600)
    await outbox.put(routed(lost(), terms=TERMS))
    lane.wake()
    await pass_time(lane, clock, 5 * HOUR, by=600)
    assert [number for _, number in reminders(sink)] == [None, None, 1, 2, 3]


@pytest.mark.parametrize("ending", [restored("node:ams-2"), replace(restored(), source="another panel")])
async def test_what_ends_the_trouble_of_another_ends_none(outbox: SqlOutbox, clock: FakeClock, ending: Event) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(lost(), terms=TERMS))
    await outbox.put(routed(ending, sink="another"))
    await pass_time(Fleet(outbox, clock).lane(sink), clock, 5 * HOUR, by=600)
    assert len(sink.messages) == 4


async def test_a_reminder_holds_up_nothing_of_its_subject(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    lane = Fleet(outbox, clock).lane(sink)
    await outbox.put(routed(lost(), terms=TERMS))
    await carry_all(lane)
    await outbox.put(routed(restored(), terms=TERMS))
    lane.wake()
    await carry_all(lane)
    assert reminders(sink) == [("node.connection_lost", None), ("node.connection_restored", None)]


async def test_good_news_are_told_once(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(restored(), terms=TERMS))
    await pass_time(Fleet(outbox, clock).lane(sink), clock, 5 * HOUR, by=600)
    assert len(sink.messages) == 1


async def test_a_reminder_that_could_not_be_sent_is_tried_again_and_counts_once(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Delivered(), Away("HTTP 502"), Delivered()])
    await outbox.put(routed(lost(), terms=Terms(repeat=Repeat(every=HOUR, max=1))))
    await pass_time(Fleet(outbox, clock).lane(sink), clock, 5 * HOUR, by=30)
    assert [number for _, number in reminders(sink)] == [None, 1, 1]


async def test_what_could_not_be_told_has_no_reminder(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Refused("HTTP 400")])
    await outbox.put(routed(lost(), terms=TERMS))
    await pass_time(Fleet(outbox, clock).lane(sink), clock, 5 * HOUR, by=600)
    assert len(sink.messages) == 1


async def test_after_a_long_stop_there_is_one_reminder(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(lost(), terms=TERMS))
    await carry_all(Fleet(outbox, clock).lane(sink))
    clock.step(2.5 * HOUR)
    await carry_all(Fleet(outbox, clock).lane(sink))
    assert [number for _, number in reminders(sink)] == [None, 1]


async def test_a_settlement_that_is_recorded_twice_makes_one_reminder(outbox: SqlOutbox, clock: FakeClock) -> None:
    await outbox.put(routed(lost(), terms=TERMS))
    [delivery] = await claimed(outbox)
    made = [await settle(outbox, delivery, fate) for fate in (Done(), Done(), Dead("no"), HeldBack("no"))]
    assert [len(one) for one in made] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"match": "user.created", "repeat": "1h"}, "nothing is known to end user.created: name it in until"),
        ({"match": "node.*", "repeat": "1h", "digest": {"window": "60s"}}, "a digest is about no single trouble"),
        ({"repeat": "10s"}, "greater than or equal to 60"),
        ({"repeat": {"every": "1h", "max": 0}}, "greater than or equal to 1"),
    ],
)
def test_a_row_that_could_not_repeat_is_refused(row: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Route.model_validate({"to": "ops", **row})


@pytest.mark.parametrize("written", ["1h", 3600, {"every": "1h"}])
def test_a_length_alone_says_how_often(written: Any) -> None:
    terms = Route.model_validate({"to": "ops", "repeat": written}).terms()
    assert terms is not None
    assert terms.repeat == Repeat(every=HOUR)


def test_trouble_ends_with_what_the_vocabulary_says_or_the_row_does() -> None:
    assert {name for name in TYPES if remedy(name)} == {
        one for one in TYPES for other in TYPES if ends_trouble(other, one)
    }
    named = Terms(repeat=Repeat(every=HOUR, until=("user.usage_reset",)))
    assert named.ended_by(an_event("user:alice", type_="user.limited")) == ("user.usage_reset",)
    assert Terms().ended_by(lost()) == ()
