"""OrbVPN: what its four formats say, and how to speak like it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.errors import BadPayload, BadSignature
from bridge.panels.base import ParsedEvent
from bridge.panels.orbvpn.emit import emit
from bridge.panels.orbvpn.panel import OrbvpnConfig, OrbvpnPanel
from bridge.value import replace
from bridge.vocabulary import DOCUMENTED
from bridge.vocabulary import TYPES as CANONICAL
from tests.panels.hearing import (
    DATA,
    JSON,
    THEN,
    an_event,
    arriving,
    gives_what_is_expected,
    heard,
    hook,
    keeps_its_feet,
    shaped,
)
from tests.panels.recorded import ARRIVAL, Recorded, recorded

SECRET = "a-secret-of-our-own"
REQUESTS = recorded("orbvpn")
TIMED = [request for request in REQUESTS if "gohighlevel" not in request.name]


def panel(secret: Any = None, **settings: Any) -> OrbvpnPanel:
    return OrbvpnPanel(OrbvpnConfig.model_validate({"panel": "orbvpn", "secret": secret or "none", **settings}))


def understood(element: Any, **settings: Any) -> ParsedEvent:
    (sighting,) = heard(panel(**settings), hook(element))
    return sighting


def recording(part: str) -> Recorded:
    return next(request for request in REQUESTS if part in request.name)


# What was recorded


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_event_has_its_documented_type(request_: Recorded) -> None:
    (sighting,) = heard(panel(), request_.hook)
    assert sighting.type == DOCUMENTED[request_.expect_events[0][0]]


@pytest.mark.parametrize("request_", TIMED, ids=str)
@pytest.mark.parametrize(("zone", "hour"), [("UTC", 15), ("Asia/Tehran", 11), ("America/New_York", 20)])
def test_times_are_of_the_panels_zone(request_: Recorded, zone: str, hour: int) -> None:
    (sighting,) = heard(panel(timezone=zone), request_.hook)
    assert sighting.occurred_at is not None
    assert sighting.occurred_at.hour == hour
    assert sighting.occurred_at.isoformat().endswith("+00:00")


def test_a_time_with_a_zone_keeps_it() -> None:
    sighting = understood({"eventType": "USER_LOGIN", "timestamp": "2024-11-03T15:27:47+01:00"}, timezone="Asia/Tehran")
    assert sighting.occurred_at is not None
    assert sighting.occurred_at.isoformat() == "2024-11-03T14:27:47+00:00"
    assert understood({"eventType": "USER_LOGIN", "timestamp": 1730647667}).occurred_at is not None


# The names


@pytest.mark.parametrize(("name", "canonical"), DOCUMENTED.items())
def test_a_documented_name_has_its_type(name: str, canonical: str) -> None:
    for key in ("eventType", "event_type"):
        sighting = understood({key: name, "username": "alice"})
        assert (sighting.type, sighting.native_type) == (canonical, name)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("subscription.created", "subscription.created"),
        ("payment.failed", "payment.failed"),
        ("user.password.changed", "user.password_changed"),
        ("subscription.trial.started", "subscription.trial_started"),
        ("reseller.credit.added", "reseller.credit_added"),
        ("device.limit_reached", "device.limit_reached"),
        ("user.updated", "user.updated"),
        ("user.profile_updated", "user.updated"),
        ("Payment.Failed", "payment.failed"),
        ("user_created", "user.created"),
        ("SUPPORT_TICKET_CREATED", "orbvpn.support_ticket_created"),
        ("extra.logins", "orbvpn.extra.logins"),
    ],
)
def test_both_spellings_are_taken_and_an_unknown_name_flows(name: str, canonical: str) -> None:
    sighting = understood({"eventType": name, "username": "alice"})
    assert (sighting.type, sighting.native_type) == (canonical, name)


# What they say

CUSTOMER = {
    "username": "user@example.com",
    "email": "user@example.com",
    "id": 63396,
    "first_name": "John",
    "last_name": "Doe",
    "country": "US",
    "phone": "+1234567890",
}


@pytest.mark.parametrize(
    "part", ["002-raw", "044-zapier-USER_CREATED", "087-slack-USER_CREATED-text", "088-slack-USER_CREATED-blocks"]
)
def test_all_formats_say_the_same_of_a_customer(part: str) -> None:
    data = heard(panel(), recording(part).hook)[0].data
    assert {key: value for key, value in data["user"].items() if key != "active"} == CUSTOMER
    assert data["subscription"]["plan"] == "3 Month"
    assert data["subscription"]["multi_login_count"] == 5
    assert data["subscription"]["expires_at"].startswith("2025-02-01T15:27:22")


def test_gohighlevel_says_it_in_texts() -> None:
    (sighting,) = heard(panel(), recording("089-gohighlevel").hook)
    assert sighting.data == {
        "user": {key: value for key, value in CUSTOMER.items() if key != "username"},
        "subscription": {"plan": "3 Month", "status": "ACTIVE", "expires_at": "2025-02-01T15:27:22.887568Z"},
    }
    assert sighting.occurred_at is None


def test_a_plan_says_all_it_knows() -> None:
    data = heard(panel(), recording("010-raw-SUBSCRIPTION_RENEWED").hook)[0].data
    assert data["subscription"] == {
        "plan": "3 Month",
        "plan_id": 3,
        "multi_login_count": 5,
        "expires_at": "2025-02-01T15:27:22.887568Z",
        "auto_renew": False,
        "trial": False,
    }
    assert data["reseller"] == {"id": 1, "level": "OWNER", "level_id": 6, "discount_percent": 100.0, "credit": 600.0}
    zapier = heard(panel(), recording("053-zapier").hook)[0].data
    assert zapier["subscription"]["duration_days"] == 90
    assert zapier["reseller"] == data["reseller"]


@pytest.mark.parametrize(
    ("part", "key", "expected"),
    [
        (
            "018-raw",
            "payment",
            {"id": 9001, "amount": 29.99, "currency": "USD", "gateway": "STRIPE", "status": "FAILED"},
        ),
        (
            "061-zapier",
            "payment",
            {"id": 9001, "amount": 29.99, "currency": "USD", "gateway": "STRIPE", "status": "FAILED"},
        ),
        ("022-raw", "device", {"id": 77, "name": "John's iPhone", "os": "iOS", "model": "iPhone 15"}),
        ("026-raw", "security", {"ip": "203.0.113.7", "user_agent": "OrbVPN/3.1 (iOS)"}),
        ("071-zapier", "security", {"ip": "203.0.113.7", "user_agent": "OrbVPN/3.1 (iOS)"}),
        ("041-raw", "usage", {"used_bytes": 42949672960, "limit_bytes": 53687091200, "percent": 80}),
        ("085-zapier", "usage", {"used_bytes": 42949672960, "limit_bytes": 53687091200, "percent": 80}),
        ("003-raw", "action", "CHANGED_SERVER"),
        ("038-raw", "node", {"name": "de-1.example.com"}),
        ("040-raw", "system", {"server": "de-1.example.com", "message": "Scheduled maintenance", "version": "3.1.0"}),
    ],
)
def test_each_object_has_its_key(part: str, key: str, expected: Any) -> None:
    assert heard(panel(), recording(part).hook)[0].data[key] == expected


def test_a_credit_change_says_how_much() -> None:
    assert heard(panel(), recording("034-raw").hook)[0].data["reseller"]["amount"] == 50.0
    assert "amount" not in heard(panel(), recording("031-raw").hook)[0].data["reseller"]


@pytest.mark.parametrize(
    ("element", "subject"),
    [
        ({"eventType": "USER_LOGIN", "username": "alice", "email": "a@b.c", "userId": 1}, "user:alice"),
        ({"eventType": "USER_LOGIN", "email": "a@b.c", "userId": 1}, "user:a@b.c"),
        ({"eventType": "USER_LOGIN", "userId": 0}, "user:0"),
        ({"eventType": "USER_LOGIN"}, None),
        ({"eventType": "RESELLER_UPDATED", "reseller": {"id": 12}, "username": "alice"}, "reseller:12"),
        ({"eventType": "reseller.created", "reseller": {"id": 12, "email": "r@b.c"}}, "reseller:r@b.c"),
        ({"eventType": "SYSTEM_SERVER_DOWN", "system": {"server": "de-1"}}, "node:de-1"),
        ({"eventType": "SYSTEM_UPDATE", "system": {"server": "de-1"}}, "system:de-1"),
        ({"eventType": "SYSTEM_UPDATE", "system": "all"}, None),
        ({"eventType": "SYSTEM_SOMETHING", "system": {"server": "de-1"}}, "system:de-1"),
    ],
)
def test_the_subject_is_who_it_is_about(element: Any, subject: str | None) -> None:
    assert understood(element).subject == subject


def test_an_array_is_as_many_events() -> None:
    sightings = heard(panel(), hook([{"eventType": "USER_LOGIN"}, {"event_type": "USER_LOGOUT"}]))
    assert [one.type for one in sightings] == ["user.login", "user.logout"]


# GoHighLevel's tags


@pytest.mark.parametrize(
    ("tags", "native", "type_"),
    [
        (["OrbVPN User", "New User"], "USER_CREATED", "user.created"),
        (["OrbVPN User", "User Deleted"], "USER_DELETED", "user.deleted"),
        (["OrbVPN User", "Deleted User"], "USER_DELETED", "user.deleted"),
        (["Shop User", "Subscription Trial Started"], "SUBSCRIPTION_TRIAL_STARTED", "subscription.trial_started"),
        (["PAYMENT_FAILED"], "PAYMENT_FAILED", "payment.failed"),
        (["OrbVPN User", "Payment.Failed"], "PAYMENT_FAILED", "payment.failed"),
        (["OrbVPN User", "VIP"], "GOHIGHLEVEL_CONTACT", "orbvpn.gohighlevel_contact"),
        ([], "GOHIGHLEVEL_CONTACT", "orbvpn.gohighlevel_contact"),
        ([5, None, {}], "GOHIGHLEVEL_CONTACT", "orbvpn.gohighlevel_contact"),
        ("New User", "GOHIGHLEVEL_CONTACT", "orbvpn.gohighlevel_contact"),
    ],
)
def test_a_tag_hints_at_the_event(tags: Any, native: str, type_: str) -> None:
    sighting = understood({"contact": {"email": "a@b.c"}, "customFields": {"payment_amount": "9.5"}, "tags": tags})
    assert (sighting.native_type, sighting.type, sighting.subject) == (native, type_, "user:a@b.c")
    assert sighting.data["payment"] == {"amount": 9.5}


# Slack's layout


def slack(*lines: str) -> dict[str, Any]:
    return {"text": "\n".join(lines)}


def test_the_layout_is_read_label_by_label() -> None:
    sighting = understood(
        slack(
            "🔔 *RESELLER_CREDIT_ADDED*",
            "Time: Nov 03, 2024 15:27:47",
            "",
            "🤝 *Reseller Information*",
            "-------------------",
            "• ID: 12",
            "• Email: <mailto:r@example.com|r@example.com>",
            "• Level: GOLD",
            "• Discount: 30.0%",
            "• Credit: 600.0",
            "💳 *Payment Details*",
            "• Payment ID: 9001",
            "• Gateway: A&amp;B",
        )
    )
    assert (sighting.type, sighting.subject) == ("reseller.credit_added", "reseller:r@example.com")
    assert (
        sighting.data["reseller"].items()
        >= {"id": 12, "level": "GOLD", "discount_percent": 30.0, "credit": 600.0}.items()
    )
    assert sighting.data["payment"] == {"id": 9001, "gateway": "A&B"}


@pytest.mark.parametrize(
    "message",
    [
        {"attachments": [{"text": "*USER_LOGIN*\n• Username: alice"}]},
        {"attachments": [{"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ":bell: *USER_LOGIN*"}}]}]},
        {"text": "News", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "🔔 USER_LOGIN"}}]},
        {"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "*Event:* USER_LOGIN"}]}]},
        {"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "user.login"}]}]},
    ],
)
def test_the_text_may_stand_anywhere(message: dict[str, Any]) -> None:
    assert understood(message).type == "user.login"


def test_a_later_line_cannot_rename_the_one_before() -> None:
    message = slack(
        "*USER_LOGIN*", "👤 *User Information*", "• Username: alice", "• Username: mallory", "subscription: x"
    )
    sighting = understood(message)
    assert (sighting.subject, "subscription" in sighting.data) == ("user:alice", False)


# What is refused, and what is left out


@pytest.mark.parametrize(
    ("element", "subject"),
    [
        ({}, None),
        ({"eventType": ""}, None),
        ({"eventType": 5, "event_type": None}, None),
        ({"username": "alice"}, "user:alice"),
        ({"text": "hello"}, None),
        ({"text": "hello\n• Username: alice"}, "user:alice"),
        ({"text": ""}, None),
        ({"blocks": []}, None),
        ({"attachments": 5}, None),
    ],
)
def test_what_names_no_event_is_told_as_far_as_it_goes(element: Any, subject: str | None) -> None:
    parsed = understood(element)
    assert (parsed.type, parsed.native_type, parsed.subject) == ("orbvpn.unnamed", "unnamed", subject)


@pytest.mark.parametrize("body", [b"", b"7", b"nope", b"\xff\xfe", b"[[]]", b"text=hello"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel(), hook(body=body))


def test_odd_fields_are_left_out() -> None:
    odd = {
        "eventType": "USER_LOGIN",
        "timestamp": "soon",
        "userId": {},
        "profile": "x",
        "subscription": {"expiresAt": 1e99},
    }
    sighting = understood({**odd, "payment": {"amount": "much", "id": True}, "active": "perhaps"})
    assert (sighting.data, sighting.occurred_at, sighting.subject) == ({}, None, None)


# The secret


def test_the_secret_may_come_by_any_of_four_ways() -> None:
    bare = recording("002-raw").hook
    for given_ in (
        replace(bare, token=SECRET),
        replace(bare, headers={"authorization": f"Bearer {SECRET}"}),
        replace(bare, headers={"Authorization": f"bearer  {SECRET}"}),
        replace(bare, headers={"x-webhook-secret": SECRET}),
        replace(bare, headers={"X-Api-Key": SECRET}),  # where its Zapier settings have an api_key
    ):
        panel(SECRET).verify(given_)
        panel(["new", SECRET]).verify(given_)
        with pytest.raises(BadSignature, match="wrong secret"):
            panel("another").verify(given_)
    with pytest.raises(BadSignature, match="no secret given"):
        panel(SECRET).verify(bare)
    with pytest.raises(BadSignature):
        panel(SECRET).verify(replace(bare, headers={"Authorization": f"Basic {SECRET}", "X-Webhook-Secret": "\udcff"}))


def test_an_unknown_zone_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="should be a time zone: did you mean"):
        panel(timezone="Mars/Olympus")


def test_what_is_masked_stays_masked() -> None:
    sighting = understood({"eventType": "USER_LOGIN", "email": "a@b.c", "userId": 7}, mask=["email"])
    assert sighting.data["user"] == {"email": "***", "id": 7}


# Anything

LINES = st.lists(st.sampled_from(["*USER_LOGIN*", "• Email: x", "*Profile*", "• Name: a b", "profile: x"]) | st.text())
ENVELOPE = {
    **dict.fromkeys(("timestamp", "username", "userId", "profile", "subscription", "contact", "blocks", "text"), JSON),
    "eventType": st.sampled_from([*DOCUMENTED, "user.created"]),
    "tags": st.lists(st.text()),
    "customFields": st.dictionaries(st.text(), JSON),
}


@given(JSON | shaped(ENVELOPE) | shaped({"text": LINES.map("\n".join), "attachments": JSON}))
def test_any_json_is_understood_or_refused(value: Any) -> None:
    keeps_its_feet(panel(), hook(value))


@given(st.binary())
def test_any_bytes_are_understood_or_refused(body: bytes) -> None:
    keeps_its_feet(panel(), hook(body=body))


# To speak like OrbVPN

RICH = {
    "user": {**CUSTOMER, "active": True},
    "subscription": {"plan": "3 Month", "plan_id": 3, "duration_days": 90, "auto_renew": False, "trial": True},
    "payment": {"id": 9001, "amount": 29.99, "currency": "USD", "gateway": "STRIPE", "status": "FAILED"},
    "reseller": {"id": 12, "email": "r@example.com", "level": "GOLD", "credit": 600.0, "amount": 50.0},
    "device": {"id": 77, "name": "John's iPhone", "os": "iOS", "os_version": "18", "user_agent": "x"},
    "security": {"ip": "203.0.113.7", "user_agent": "curl"},
    "usage": {"used_bytes": 5, "limit_bytes": 10, "percent": 50},
    "action": "CHANGED_SERVER",
}
ABOUT = {"reseller": "reseller:r@example.com", "node": "node:fra-1", "system": "system:fra-1"}


@pytest.mark.parametrize("type_", sorted(DOCUMENTED.values()))
def test_what_is_spoken_is_heard_again(type_: str) -> None:
    subject = ABOUT.get(type_.partition(".")[0], "user:user@example.com")
    event = an_event(type_, RICH, subject=subject)
    (sighting,) = heard(panel(SECRET), arriving(emit(event, secret=SECRET, at=ARRIVAL)))
    assert (sighting.type, sighting.subject, sighting.occurred_at) == (type_, subject, THEN)
    assert DOCUMENTED[sighting.native_type] == type_
    for key in ("user", "subscription", "payment", "device", "security", "usage", "action"):
        assert sighting.data[key] == RICH[key]


@pytest.mark.parametrize("type_", sorted(CANONICAL))
def test_every_type_can_be_spoken_and_keeps_its_name(type_: str) -> None:
    (sighting,) = heard(panel(), arriving(emit(an_event(type_), secret=None, at=ARRIVAL)))
    assert sighting.type == type_


def test_the_form_is_the_documented_one() -> None:
    said = json.loads(emit(an_event("user.action", RICH, subject="user:x"), secret=None, at=ARRIVAL).body)
    native = json.loads(recording("003-raw").hook.body)
    assert {
        "eventType",
        "timestamp",
        "userId",
        "email",
        "username",
        "profile",
        "subscription",
        "active",
        "autoRenew",
    } <= (said.keys() & native.keys())
    assert said["timestamp"] == "2026-11-21T04:14:18.500000"
    assert said["profile"] == native["profile"]
    assert said["subscription"].keys() >= {"groupName", "groupId", "isTrialPeriod"}


def test_what_orbvpn_has_no_object_for_comes_under_our_name() -> None:
    peer = {"key": "k", "received_bytes": 5}
    said = json.loads(emit(an_event("peer.connected", {"peer": peer, "owner": "bob"}), secret=None, at=ARRIVAL).body)
    assert (said["eventType"], said["peer"], said["owner"]) == (
        "PEER_CONNECTED",
        {"key": "k", "receivedBytes": 5},
        "bob",
    )


@given(DATA, st.sampled_from(sorted(CANONICAL)), st.none() | st.text(), JSON)
def test_any_event_can_be_spoken(data: Any, type_: str, subject: str | None, native: Any) -> None:
    event = an_event(type_, data, subject=subject, native=native, panel="orbvpn")
    assert isinstance(json.loads(emit(event, secret=None, at=ARRIVAL).body), dict)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_what_came_in_the_generic_form_goes_on_as_it_came(request_: Recorded) -> None:
    native = json.loads(request_.hook.body)
    emission = emit(an_event(panel="orbvpn", native=native), secret=SECRET, at=ARRIVAL)
    assert (json.loads(emission.body) == native) is ("raw" in request_.name)
    assert emission.headers["X-Webhook-Secret"] == SECRET
