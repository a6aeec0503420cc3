"""Rebecca: what it says of users and of admins, and how its retries are told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature
from bridge.intake import Fingerprint
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.rebecca import TYPES, RebeccaConfig, RebeccaPanel
from bridge.vocabulary import TYPES as CANONICAL
from tests.panels.hearing import JSON, gives_what_is_expected, heard, hook, keeps_its_feet, shaped
from tests.panels.recorded import Recorded, recorded

SECRET = "rebecca-test-secret-0123456789"
REQUESTS = recorded("rebecca")
USER = {"username": "alice", "status": "active", "data_limit": 50 * 2**30, "expire": 1798675200, "proxies": ["vless"]}
ADMIN = {"username": "alice", "role": "standard", "users_limit": 200, "data_limit": 2**40}
SAID = {"username": "alice", "by": "owner1", "enqueued_at": 1795942838.5, "send_at": 1795942838.6, "tries": 1}
ABOUT_USER = {**SAID, "action": "user_created", "user": USER}
ABOUT_ADMIN = {**SAID, "action": "admin_created", "admin": ADMIN}


def panel(secret: Any = SECRET) -> RebeccaPanel:
    return RebeccaPanel(RebeccaConfig.model_validate({"panel": "rebecca", "secret": secret}))


def understood(element: dict[str, Any], **changes: Any) -> ParsedEvent:
    (only,) = heard(panel("none"), hook([{**element, **changes}]))
    return only


def mark(element: dict[str, Any], **changes: Any) -> Fingerprint | None:
    return panel().fingerprint({**element, **changes}, 0, hook())


def recording(part: str) -> Hook:
    return next(one.hook for one in REQUESTS if part in one.name)


# What was recorded


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_event_has_a_canonical_type_an_actor_and_its_own_time(request_: Recorded) -> None:
    for one in heard(panel(), request_.hook):
        assert one.type == TYPES[one.native_type]
        assert one.type in CANONICAL
        assert one.occurred_at is not None
        if "retry" not in request_.name:
            assert one.data["actor"] == "owner1"


def test_the_secret_stands_in_its_header() -> None:
    with pytest.raises(BadSignature):
        panel("another").verify(REQUESTS[0].hook)
    with pytest.raises(BadSignature):
        panel().verify(hook({}))


# What it says


def test_what_is_known_of_a_user() -> None:
    event = understood(ABOUT_USER, user={**USER, "data_limit_reset_strategy": "month"})
    assert (event.type, event.subject) == ("user.created", "user:alice")
    assert str(event.occurred_at) == "2026-11-29 09:00:38.500000+00:00"
    assert event.data == {
        "actor": "owner1",
        "user": {
            "username": "alice",
            "status": "active",
            "limit_bytes": 50 * 2**30,
            "expires_at": "2026-12-31T00:00:00Z",
            "reset_strategy": "month",
        },
    }


def test_what_is_known_of_an_admin_who_is_called_as_a_user_is() -> None:
    event = understood(ABOUT_ADMIN)
    assert (event.type, event.subject) == ("admin.created", "admin:alice")
    assert event.data == {
        "actor": "owner1",
        "admin": {"name": "alice", "details": {"Role": "standard", "Users": "200"}},
        "usage": {"limit_bytes": 2**40},
    }


def test_a_name_of_the_admins_that_is_not_known_is_about_an_admin_too() -> None:
    event = understood(ABOUT_ADMIN, action="admin_disabled")
    assert (event.type, event.subject) == ("rebecca.admin_disabled", "admin:alice")


def test_a_name_is_found_in_what_it_is_about_where_it_stands_nowhere_else() -> None:
    assert understood(ABOUT_USER, username=None).subject == "user:alice"
    assert understood(ABOUT_ADMIN, username=None).subject == "admin:alice"


@pytest.mark.parametrize("none", [0, None, -1, "", "many", 2**70, True, {}, []])
def test_a_limit_of_nothing_is_none(none: Any) -> None:
    user = understood(ABOUT_USER, user={**USER, "data_limit": none, "expire": none}).data["user"]
    assert user == {"username": "alice", "status": "active"}
    admin = understood(ABOUT_ADMIN, admin={"users_limit": none, "data_limit": none}).data
    assert admin == {"actor": "owner1", "admin": {"name": "alice"}}


@pytest.mark.parametrize("odd", [None, {"username": "owner1"}, 7, " ", []])
def test_an_actor_that_is_no_text_is_left_out(odd: Any) -> None:
    assert "actor" not in understood(ABOUT_USER, by=odd).data


@pytest.mark.parametrize("action", [None, 7, " ", [], {"a": 1}])
def test_what_has_no_name_is_unnamed(action: Any) -> None:
    event = understood(ABOUT_USER, action=action)
    assert (event.type, event.native_type, event.subject) == ("rebecca.unnamed", "unnamed", "user:alice")


# Repeats


def test_a_retry_is_told_beside_a_new_element() -> None:
    (first,) = panel().elements(recording("44-"))
    again, new = panel().elements(recording("45-"))
    assert mark(first) == mark(again)
    assert mark(new) not in (None, mark(first))


def test_no_two_recorded_events_are_one_but_a_retry() -> None:
    found = [mark(one) for request in REQUESTS if "44-" not in request.name for one in panel().elements(request.hook)]
    assert len(set(found)) == len(found)
    assert None not in found


@pytest.mark.parametrize("change", [{"enqueued_at": 1795942838.6}, {"username": "bob"}, {"by": "owner2"}, {"user": {}}])
def test_a_retry_is_equal_in_all_but_what_a_retry_changes(change: dict[str, Any]) -> None:
    assert mark(ABOUT_USER, tries=2, send_at=1.0) == mark(ABOUT_USER)
    assert mark(ABOUT_USER, tries=2, **change) != mark(ABOUT_USER)


@pytest.mark.parametrize("odd", [None, "soon", [], True])
def test_without_its_time_nothing_tells_a_repeat(odd: Any) -> None:
    assert mark(ABOUT_USER, enqueued_at=odd) is None
    assert understood(ABOUT_USER, enqueued_at=odd).occurred_at is None


# What is odd, and what is refused


@pytest.mark.parametrize("body", [b"", b"7", b"nope", b"\xff\xfe", b'["x"]', b"[[]]"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body))


@given(JSON | shaped({**dict.fromkeys(ABOUT_USER | ABOUT_ADMIN, JSON), "action": st.sampled_from([*TYPES])}))
def test_any_json_is_understood_or_refused(value: Any) -> None:
    keeps_its_feet(panel("none"), hook([value]))
