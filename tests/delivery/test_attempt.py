"""One attempt: what is made of a batch, what it updates, and which events say the same."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.attempt import content_key
from bridge.event import Event, new_id
from bridge.message import Digest, Message
from bridge.outcome import Attempt, Away, Delivered, Limited
from bridge.samples import samples
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Storm, Terms
from bridge.value import replace
from tests.delivery.lanes import BlankRenderer, Fleet, ScriptedSink, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import FakeClock, an_event, an_intake
from tests.messages.speech import NOW, event

UPDATE = Terms(update="subject")
LOST, RESTORED = "node.connection_lost", "node.connection_restored"
DIGEST = Terms(digest=DigestWindow(window=60.0, max=5))


async def test_a_digest_of_one_is_a_message_like_any_other(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(an_event(), terms=DIGEST))
    await pass_time(a_lane(outbox, sink, clock), clock, 60)
    assert not isinstance(sink.messages[0], Digest)


async def test_a_digest_counts_by_type_and_tells_the_first_ones_and_what_repeats_once(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    events = [an_event("user:eve", type_="security.login_failed") for _ in range(3)]
    events += [an_event(f"user:{n}", type_="user.expired") for n in range(4)]
    await outbox.put(routed(*events, terms=Terms(digest=DigestWindow(window=60.0))))
    await pass_time(a_lane(outbox, sink, clock), clock, 60)
    [digest] = sink.messages
    assert isinstance(digest, Digest)
    assert digest.tally.kinds == {"security.login_failed": 3, "user.expired": 4}
    assert [(part.event.subject, part.circumstances.repeats) for part in digest.parts] == [
        ("user:eve", 3),
        ("user:0", 1),
        ("user:1", 1),
    ]
    assert (digest.tally.shown, digest.tally.total) == (5, 7)


async def test_a_digest_that_is_told_again_is_the_same(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502"), Limited(5)])
    await outbox.put(routed(*(an_event(f"user:{n}") for n in range(4)), terms=DIGEST))
    await pass_time(a_lane(outbox, sink, clock), clock, 200)
    first, second, third = sink.messages
    assert isinstance(first, Digest)
    assert first.id == second.id == third.id
    assert first.events == second.events == third.events


@pytest.mark.parametrize("terms", [None, DIGEST], ids=["message", "digest"])
async def test_every_try_names_the_delivery_it_is_made_for(
    outbox: SqlOutbox, clock: FakeClock, terms: Terms | None
) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502"), Limited(5)])
    events = [an_event("user:a"), an_event("user:b")] if terms else [an_event("user:a")]
    await outbox.put(routed(*events, terms=terms))
    await pass_time(a_lane(outbox, sink, clock), clock, 200)
    named = [[one.delivery] if isinstance(one, Message) else list(one.deliveries) for one in sink.messages]
    assert named == [[1, 2] if terms else [1]] * 3


async def test_a_template_that_failed_is_told_in_the_ledger(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    await outbox.put(an_intake(an_event()))
    await carry_all(
        a_lane(outbox, ScriptedSink(clock), clock, BlankRenderer(fault="discord/user.j2:3: unknown filter"))
    )
    [record] = look_up(store_url)
    assert (record.state, record.note) == ("delivered", "discord/user.j2:3: unknown filter")


async def test_what_the_operator_should_know_of_a_delivery_is_a_warning(
    outbox: SqlOutbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sink = ScriptedSink(
        clock, [Delivered(note="no custom fields: HTTP 401"), Delivered(), Away("HTTP 502"), Delivered()]
    )
    await outbox.put(an_intake(an_event(), an_event()))
    await carry_all(a_lane(outbox, sink, clock))
    await outbox.put(an_intake(an_event()))
    await pass_time(a_lane(outbox, sink, clock), clock, 60)
    await outbox.put(an_intake(an_event()))
    await carry_all(a_lane(outbox, sink, clock, BlankRenderer(fault="discord/user.j2:3: unknown filter")))
    attempts = [one.levelname for one in caplog.records if one.getMessage() == "delivery.attempted"]
    assert attempts == ["WARNING", "INFO", "INFO", "INFO", "WARNING"]


async def test_our_own_bug_costs_attempts_and_never_the_lane(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    sink = ScriptedSink(clock, [RuntimeError("oops")])
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    await carry_all(a_lane(outbox, sink, clock))
    first, second = look_up(store_url)
    assert (first.state, first.reason) == ("waiting", "unforeseen RuntimeError, see the log")
    assert second.state == "delivered"
    assert [str(getattr(record, "error", "")) for record in caplog.records].count("oops") == 1


async def test_a_later_event_updates_the_message_of_the_earlier_one(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Delivered(ref="100"), Delivered(ref="100"), Delivered(ref="200")])
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
    sink = ScriptedSink(clock, [Delivered(ref="100")])
    await outbox.put(routed(an_event(), an_event(), terms=Terms(update="thread")))
    await carry_all(a_lane(outbox, sink, clock))
    second = sink.messages[1]
    assert isinstance(second, Message)
    assert second.circumstances.earlier is not None
    assert second.circumstances.earlier.thread


async def test_what_was_said_is_known_after_a_restart_and_to_no_other_sink(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Delivered(ref="100")])
    await outbox.put(routed(an_event(type_=LOST), terms=UPDATE))
    await carry_all(a_lane(outbox, sink, clock))
    fleet, sinks = Fleet(outbox, clock), {}
    for name in ("ops", "team"):
        await outbox.put(routed(an_event(type_=RESTORED), terms=UPDATE, sink=name))
        sinks[name] = ScriptedSink(clock)
        await carry_all(fleet.lane(sinks[name], name))
    earlier = {name: one.messages[0].circumstances.earlier for name, one in sinks.items()}
    assert earlier["ops"] is not None
    assert earlier["team"] is None


async def test_a_storm_updates_nothing(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Attempt(Delivered(ref="100"))])
    sink.storm = Storm(backlog=5)
    await outbox.put(routed(*(an_event(f"user:{n}") for n in range(20)), terms=UPDATE))
    await carry_all(a_lane(outbox, sink, clock))
    assert await outbox.earlier_message("ops", "user:0") is None


def attack(**security: Any) -> Event:
    told = {"username": "root", "ip": "203.0.113.7", "user_agent": "curl/8.5", "description": "wrong password"}
    return event("security.login_failed", {"security": {**told, **security}, "reason": "no such admin"}, None)


def again(one: Event, data: Mapping[str, Any] | None = None) -> Event:
    """The same a minute later, as its own event."""
    later = timedelta(minutes=1)
    return replace(
        one,
        id=new_id(),
        occurred_at=one.occurred_at + later,
        received_at=one.received_at + later,
        native={"at": 2},
        data=one.data if data is None else data,
    )


SAMPLES = {one.type: one for one in samples(at=NOW)}
SAID = {type_: content_key(one) for type_, one in SAMPLES.items()}


@pytest.mark.parametrize("one", SAMPLES.values(), ids=SAMPLES)
def test_what_is_said_again_later_says_the_same(one: Event) -> None:
    assert content_key(again(one)) == content_key(one)


@pytest.mark.parametrize("other", SAMPLES.values(), ids=SAMPLES)
def test_no_other_type_says_the_same(other: Event) -> None:
    assert [type_ for type_, said in SAID.items() if said == content_key(other)] == [other.type]


@pytest.mark.parametrize(
    "other",
    [
        attack(ip="203.0.113.8"),
        attack(username="admin"),
        attack(description="locked"),
        replace(attack(), source="other"),
        replace(attack(), subject="user:root"),
        replace(attack(), type="security.login_succeeded"),
        replace(attack(), native_type="another"),
        replace(attack(), data={**attack().data, "reason": "wrong code"}),
    ],
)
def test_a_login_from_elsewhere_by_another_or_for_another_reason_is_another_saying(other: Event) -> None:
    assert content_key(other) != content_key(attack())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"user": {"online_at": "2026-11-21T03:00:00Z"}}, {"user": {"online_at": "2026-11-21T04:00:00Z"}}),
        ({"peer": {"last_handshake_at": "a", "received_bytes": 1}}, {"peer": {"last_handshake_at": "b"}}),
        ({"node": {"used_bytes": 1, "users_online": 4}}, {"node": {"used_bytes": 2, "users_online": 5}}),
        ({"message": {"embeds": [{"timestamp": "a"}]}}, {"message": {"embeds": [{"timestamp": "b"}]}}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"attempted_at": 1}, {"attempted_at": 2}),
        ({"big": 2**70, "x_at": 1}, {"x_at": 2, "big": 2**70}),
        ({"half": "\ud800", "x_at": 1}, {"half": "\ud800"}),
    ],
)
def test_stamps_counters_and_the_order_of_keys_make_no_difference(one: Any, other: Any) -> None:
    assert content_key(event("user.updated", one)) == content_key(event("user.updated", other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"user": {"expires_at": "2026-12-21"}}, {"user": {"expires_at": "2026-12-22"}}),
        ({"billing": {"due_at": "2026-12-21"}}, {"billing": {"due_at": "2026-12-22"}}),
        ({"expiry": {"at": "2026-12-21"}}, {"expiry": {"at": "2026-12-22"}}),
        ({"usage": {"percent": 80.0, "used_bytes": 1}}, {"usage": {"percent": 90.0, "used_bytes": 1}}),
        ({"user": {"limit_bytes": 1}}, {"user": {"limit_bytes": 2}}),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"big": 2**70}, {"big": 2**71}),
        ({}, {"a": {}}),
    ],
)
def test_what_lies_ahead_and_what_was_set_makes_one(one: Any, other: Any) -> None:
    assert content_key(event("user.updated", one)) != content_key(event("user.updated", other))


@pytest.mark.parametrize("data", [{"a": object()}, {"a": {("b",): "c"}}])
def test_what_cannot_be_spelt_is_a_saying_of_its_own(data: Any) -> None:
    one = event("x", data)
    assert content_key(one) == content_key(one)
    assert content_key(one) != content_key(again(one))


def test_no_depth_is_too_deep() -> None:
    one: dict[str, Any] = {}
    for _ in range(5000):
        one = {"a": one}
    assert hash(content_key(event("x", one)))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["user", "reason", "seen_at", "x"]), values))
def test_any_data_makes_a_saying_that_holds(data: dict[str, Any]) -> None:
    one = event("user.updated", data)
    assert {content_key(one): 1}[content_key(again(one, dict(reversed(data.items()))))] == 1
    assert content_key(again(one, {**data, "seen_at": 1})) == content_key(again(one, {**data, "seen_at": 2}))
    assert content_key(again(one, {**data, "z": 1})) != content_key(one)
