"""Rebecca, in Go and in Python: what it says of users and of admins, and how its retries are told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature
from bridge.event import Event
from bridge.ingress.source import Source
from bridge.intake import Fingerprint
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.marzban import MarzbanConfig, RebeccaConfig
from bridge.panels.marzban.emit import emit
from bridge.panels.marzban.names import REBECCA_TYPES
from bridge.panels.marzban.panel import MarzbanPanel
from bridge.panels.marzban.rebecca import is_from_go
from bridge.vocabulary import TYPES as CANONICAL
from tests.panels.hearing import JSON, gives_what_is_expected, heard, hook, keeps_its_feet, shaped
from tests.panels.recorded import Recorded, recorded

SECRET = "rebecca-test-secret-0123456789"
REQUESTS = [one for one in recorded("rebecca") if "-python-" not in one.name]
IN_PYTHON = [one for one in recorded("rebecca") if "-python-" in one.name]
USER = {"username": "alice", "status": "active", "data_limit": 50 * 2**30, "expire": 1798675200, "proxies": ["vless"]}
ADMIN = {"username": "alice", "role": "standard", "users_limit": 200, "data_limit": 2**40}
SAID = {"username": "alice", "by": "owner1", "enqueued_at": 1795942838.5, "send_at": 1795942838.6, "tries": 1}
ABOUT_USER = {**SAID, "action": "user_created", "user": USER}
ABOUT_ADMIN = {**SAID, "action": "admin_created", "admin": ADMIN}


def panel(secret: Any = SECRET) -> MarzbanPanel:
    return MarzbanPanel(RebeccaConfig.model_validate({"panel": "rebecca", "secret": secret}))


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
        assert one.type == REBECCA_TYPES[one.native_type]
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


@pytest.mark.parametrize("odd", [None, 7, " ", []])
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


# In Python, up to 0.1.4


def received(kind: str, request_: Recorded) -> list[Event]:
    """What comes of a recorded request whose source is of that kind, as it is stored."""
    config = MarzbanConfig if kind == "marzban" else RebeccaConfig
    source = Source("s", kind, config.model_validate({"panel": kind, "secret": SECRET}).open())
    source.panel.verify(request_.hook)
    events, set_aside = source.parse(request_.hook)
    assert not set_aside
    return [event for event, _ in events]


def in_python(part: str) -> Recorded:
    return next(one for one in IN_PYTHON if part in one.name)


@pytest.mark.parametrize("kind", ["marzban", "rebecca"])
@pytest.mark.parametrize("request_", IN_PYTHON, ids=str)
def test_what_the_panel_in_python_sends_is_understood_whichever_is_configured(kind: str, request_: Recorded) -> None:
    events = received(kind, request_)
    assert [(one.native_type, (one.subject or "").removeprefix("user:")) for one in events] == request_.expect_events
    for one in events:
        assert (one.panel, one.type) == ("rebecca", REBECCA_TYPES[one.native_type])
        assert one.occurred_at == one.received_at  # its own time is the start of the panel's process


@pytest.mark.parametrize("kind", ["marzban", "rebecca"])
def test_who_did_it_and_whose_user_it_is_are_known_in_python_too(kind: str) -> None:
    (event,) = received(kind, in_python("101-"))
    assert (event.data["actor"], event.data["owner"]) == ("reseller_7", "reseller_7")
    updated, disabled = received(kind, in_python("102-"))
    assert (updated.data["actor"], disabled.data["owner"]) == ("owner1", "reseller_7")
    (deleted,) = received(kind, in_python("103-"))
    assert deleted.data == {"user": {"username": "alice"}, "actor": "owner1"}


def test_what_is_known_of_a_user_in_python() -> None:
    (event,) = received("rebecca", in_python("101-"))
    user = event.data["user"]
    assert {key: user[key] for key in ("telegram_id", "phone", "device_limit", "next_plan", "limit_bytes")} == {
        "telegram_id": 987001,
        "phone": "+49 170 1234567",
        "device_limit": 3,
        "next_plan": True,
        "limit_bytes": 50 * 2**30,
    }
    (event,) = received("rebecca", in_python("105-"))  # @bob, unlimited
    assert not {"telegram_id", "phone", "device_limit", "limit_bytes"} & event.data["user"].keys()


@pytest.mark.parametrize("kind", ["marzban", "rebecca"])
@pytest.mark.parametrize("request_", IN_PYTHON, ids=str)
def test_no_key_of_a_user_and_no_address_of_an_admin_is_stored(kind: str, request_: Recorded) -> None:
    for event in received(kind, request_):
        kept = json.dumps([event.native, event.data])
        for secret in ("0f1e2d3c4b5a6978", "7f6e5d4c-3b2a", "tr0jan-pass", "YWxpY2Us", "987654321", "t.me/reseller7"):
            assert secret not in kept


@pytest.mark.parametrize("kind", ["marzban", "rebecca"])
def test_two_real_events_that_are_equal_byte_for_byte_are_two_and_a_retry_is_one(kind: str) -> None:
    config = MarzbanConfig if kind == "marzban" else RebeccaConfig
    source = config.model_validate({"panel": kind, "secret": SECRET}).open()
    first, second = (source.fingerprint(one, 0, hook()) for one in source.elements(in_python("111-").hook))
    assert first == second
    assert first is not None
    assert first.tries == 0  # what is tried for the first time is no repeat
    (tried,), (again,) = (source.elements(in_python(part).hook) for part in ("112-", "113-"))
    before, after = source.fingerprint(tried, 0, hook()), source.fingerprint(again, 0, hook())
    assert before is not None
    assert after is not None
    assert (before.key, before.tries, after.key, after.tries) == (after.key, 0, before.key, 1)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_what_the_panel_in_go_sends_is_understood_by_marzban_as_by_rebecca(request_: Recorded) -> None:
    as_marzban, as_rebecca = received("marzban", request_), received("rebecca", request_)
    about = [(one.type, one.subject, one.data, one.occurred_at, one.panel) for one in as_rebecca]
    assert [(one.type, one.subject, one.data, one.occurred_at, one.panel) for one in as_marzban] == about


@pytest.mark.parametrize(
    ("element", "configured", "expected"),
    [
        ({}, "rebecca", True),
        ({}, "marzban", False),
        ({"by": "owner1"}, "marzban", True),
        ({"by": {"username": "owner1"}}, "rebecca", False),
        ({"admin": {"username": "seller9"}}, "pasarguard", True),
        ({"user": {"proxies": ["vless"]}}, "marzban", True),
        ({"user": {"proxies": {"vless": {}}}}, "rebecca", False),
        ({"user": {"links": []}}, "rebecca", False),
        ({"user": {"expire_strategy": "never"}}, "rebecca", False),
        ({"by": "owner1", "user": {"links": []}}, "rebecca", True),  # whatever it may tell of a user one day
        ({"by": None, "user": None, "admin": None}, "marzban", False),
    ],
)
def test_the_panel_in_go_is_told_by_its_elements_shape(
    element: dict[str, Any], configured: str, expected: bool
) -> None:
    assert is_from_go(element, configured) is expected


@pytest.mark.parametrize("request_", IN_PYTHON, ids=str)
def test_what_is_marzbans_in_python_goes_on_to_marzbans_readers_as_it_came(request_: Recorded) -> None:
    for event in received("rebecca", request_):
        (element,) = json.loads(emit(event, secret=None, at=event.received_at).body)
        assert (element["username"], element["action"]) == ((event.subject or "")[5:], event.native_type)
        assert element["tries"] in (0, 1)
        if "actor" in event.data:
            assert element["by"]["username"] == event.data["actor"]


def test_what_is_told_in_go_goes_on_in_marzbans_words() -> None:
    (event,) = received("rebecca", next(one for one in REQUESTS if one.name.startswith("01-")))
    (element,) = json.loads(emit(event, secret=None, at=event.received_at).body)
    assert element["by"]["username"] == "owner1"
    assert element["user"]["proxies"] == {}


# What is odd, and what is refused


@pytest.mark.parametrize("body", [b"", b"7", b"nope", b"\xff\xfe", b'["x"]', b"[[]]"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body))


@given(JSON | shaped({**dict.fromkeys(ABOUT_USER | ABOUT_ADMIN, JSON), "action": st.sampled_from([*REBECCA_TYPES])}))
def test_any_json_is_understood_or_refused(value: Any) -> None:
    keeps_its_feet(panel("none"), hook([value]))
