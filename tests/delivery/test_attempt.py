"""One attempt: what makes two events say the same, and what does not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.attempt import content_key
from bridge.event import Event, new_id
from bridge.samples import samples
from tests.messages.speech import NOW, event


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


@pytest.mark.parametrize("one", samples(at=NOW), ids=lambda one: one.type)
def test_what_is_said_again_later_says_the_same(one: Event) -> None:
    assert content_key(again(one)) == content_key(one)


@pytest.mark.parametrize("other", samples(at=NOW), ids=lambda one: one.type)
def test_no_other_type_says_the_same(other: Event) -> None:
    assert [one.type for one in samples(at=NOW) if content_key(one) == content_key(other)] == [other.type]


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


@pytest.mark.parametrize("data", [{1: "a"}, {"a": {"b", "c"}}, {"a": object()}])
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
