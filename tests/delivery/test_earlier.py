"""What changes a posted message: behind it, at the message that it became, and never as one of its own."""

from typing import Any

import pytest

from bridge.delivery.earlier import NOTHING_TO_DELETE
from bridge.event import Event
from bridge.message import Digest, Message
from bridge.outcome import Away, Delivered, Outcome, Refused
from bridge.posted import DELETED, EDITED, message_subject
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Storm, Terms
from bridge.value import replace
from tests.delivery.lanes import Fleet, ScriptedSink, carry_all, look_up, pass_time, routed
from tests.fakes import FakeClock, an_event


def posted(native_type: str = "discord:message", *, id_: str = "7") -> Event:
    return replace(an_event(message_subject(id_), type_="message.posted"), native_type=native_type)


def earlier(message: Message | Digest) -> tuple[str, bool] | None:
    """What a message changes, and whether it takes that back."""
    assert isinstance(message, Message)
    found = message.circumstances.earlier
    return found and (found.ref, found.delete)


async def test_an_edit_and_a_deletion_name_the_message_that_it_became(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Delivered(ref="m1"), Delivered(ref="m1"), Delivered()])
    for event in (posted(), posted(EDITED), posted(DELETED)):
        await outbox.put(routed(event))
    await carry_all(Fleet(outbox, clock).lane(sink))
    assert [earlier(one) for one in sink.messages] == [None, ("m1", False), ("m1", True)]


async def test_what_still_waits_is_sent_first_and_then_changed(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502"), Delivered(ref="m1")])
    lane = Fleet(outbox, clock).lane(sink)
    await outbox.put(routed(posted()))
    await carry_all(lane)
    await outbox.put(routed(posted(EDITED)))
    lane.wake()
    await pass_time(lane, clock, 120)
    assert [earlier(one) for one in sink.messages] == [None, None, ("m1", False)]


UNTOLD = pytest.mark.parametrize(
    "answer", [Refused("HTTP 400"), Delivered()], ids=["the message died", "the service told no id"]
)


@UNTOLD
async def test_a_message_that_there_is_not_is_not_taken_back(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, answer: Outcome
) -> None:
    sink = ScriptedSink(clock, [answer])
    for event in (posted(), posted(DELETED)):
        await outbox.put(routed(event))
    await carry_all(Fleet(outbox, clock).lane(sink))
    assert len(sink.messages) == 1
    last = look_up(store_url)[-1]
    assert (last.state, last.reason) == ("held_back", NOTHING_TO_DELETE)


@UNTOLD
async def test_what_a_message_says_now_is_told_anew_where_there_is_none_to_edit(
    outbox: SqlOutbox, clock: FakeClock, answer: Outcome
) -> None:
    sink = ScriptedSink(clock, [answer, Delivered(ref="m2"), Delivered(ref="m2")])
    for event in (posted(), posted(EDITED), posted(EDITED)):
        await outbox.put(routed(event))
    await carry_all(Fleet(outbox, clock).lane(sink))
    assert [earlier(one) for one in sink.messages] == [None, None, ("m2", False)]


async def test_of_a_message_that_is_collected_the_new_text_is_collected_with_it(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    terms = Terms(digest=DigestWindow(window=60))
    sink = ScriptedSink(clock, [Delivered(ref="m1")])
    lane = Fleet(outbox, clock).lane(sink)
    await outbox.put(routed(posted(), posted(EDITED), terms=terms))
    await pass_time(lane, clock, 70)
    assert sink.digested == [["message.posted", "message.posted"]]


async def test_a_change_is_no_part_of_a_storm(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Delivered(ref="m1")])
    lane = Fleet(outbox, clock).lane(sink)
    await outbox.put(routed(posted()))
    await carry_all(lane)
    sink.storm = Storm(backlog=2)
    stormy: Any = Fleet(outbox, clock).lane(sink)
    await outbox.put(routed(*(an_event(f"user:{number}") for number in range(5)), posted(EDITED)))
    await pass_time(stormy, clock, 10)
    assert len(sink.messages) == 3
    assert earlier(sink.messages[-1]) == ("m1", False)


async def test_what_others_call_a_change_is_none(outbox: SqlOutbox, clock: FakeClock) -> None:
    foreign = replace(an_event("user:alice"), native_type=DELETED)
    sink = ScriptedSink(clock)
    await outbox.put(routed(an_event("user:alice"), foreign))
    await carry_all(Fleet(outbox, clock).lane(sink))
    assert [earlier(one) for one in sink.messages] == [None, None]
