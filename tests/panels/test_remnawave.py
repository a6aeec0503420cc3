"""Remnawave: what its webhooks say in all their versions, and how to speak like it."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.remnawave.emit import emit
from bridge.panels.remnawave.names import BILL, TYPES
from bridge.panels.remnawave.panel import RemnawaveConfig, RemnawavePanel
from bridge.value import replace
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
    stored,
)
from tests.panels.recorded import ARRIVAL, Recorded, recorded

SECRET = "RemnawaveTestSecret0123456789abcdefXYZ"
REQUESTS = recorded("remnawave")
SECRETS = (
    *("TrojanPass-1234567890abcdef", "c0ffee00-1234-4abc-8def-0123456789ab", "SsPass-1234567890abcdef", "aBcD3fGh1jKl"),
    *("99999999-8888-4777-8666-555555555555", "https://sub.example.com", "HWID-3f9a2b1c", "wrong-password-123"),
)
USER = {"username": "alice", "id": 7, "expireAt": "2026-12-21T03:00:00.000Z"}


def panel(secret: Any = SECRET, **settings: Any) -> RemnawavePanel:
    return RemnawavePanel(RemnawaveConfig.model_validate({"panel": "remnawave", "secret": secret, **settings}))


def envelope(event: str, data: Any = None, **more: Any) -> dict[str, Any]:
    return {"event": event, "timestamp": "2026-11-21T04:08:46.489Z", "data": USER if data is None else data, **more}


def understood(event: str, data: Any = None, **more: Any) -> ParsedEvent:
    (sighting,) = heard(panel("none"), hook(envelope(event, data, **more)))
    return sighting


def signed(body: bytes, secret: str = SECRET) -> Hook:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hook(body=body, headers={"X-Remnawave-Signature": signature})


def recording(part: str) -> Recorded:
    return next(request for request in REQUESTS if part in request.name)


# What was recorded


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_event_has_a_canonical_type_and_the_true_time(request_: Recorded) -> None:
    (sighting,) = heard(panel(), request_.hook)
    assert sighting.type in CANONICAL
    assert sighting.occurred_at == datetime.fromisoformat(json.loads(request_.hook.body)["timestamp"])


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_no_secret_is_stored(request_: Recorded) -> None:
    kept = stored(panel(), request_.hook)
    assert [secret for secret in SECRETS if secret in kept] == []


#: What a node of 2.7.4 and 3.3.2 carries along: its profile with all columns of each inbound, and a note.
NODE = {
    "name": "fra-1",
    "note": "root / s3cr3t",
    "configProfile": {
        "activeConfigProfileUuid": "33333333-4444-4555-8666-777777777777",
        "activeInbounds": [
            {
                "tag": "VLESS_REALITY",
                "port": 443,
                "rawInbound": {
                    "tag": "VLESS_REALITY",
                    "settings": {"clients": [{"id": "s3cr3t"}], "decryption": "s3cr3t"},
                    "streamSettings": {
                        "realitySettings": {"privateKey": "s3cr3t", "shortIds": ["", "s3cr3t"]},
                        "tlsSettings": {"certificates": [{"keyFile": "/s3cr3t", "key": ["s3cr3t", "s3cr3t"]}]},
                    },
                },
            }
        ],
        "config": {"outbounds": [{"settings": {"secretKey": "s3cr3t"}}]},
    },
}


@pytest.mark.parametrize(
    ("event", "data"),
    [
        *((event, NODE) for event in TYPES if event.startswith("node.")),
        ("node.some_day", NODE),
        ("torrent_blocker.report", {"node": NODE, "user": {"username": "alice"}, "report": {}}),
        ("some_day.report", {"node": NODE}),
    ],
)
def test_the_inbounds_and_the_note_of_a_node_are_masked_whole(event: str, data: Any) -> None:
    kept = stored(panel("none"), hook(envelope(event, data)))
    assert "s3cr3t" not in kept
    assert '"tag": "VLESS_REALITY", "port": 443' in kept


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_wrong_secret_is_refused(request_: Recorded) -> None:
    with pytest.raises(BadSignature, match="wrong signature"):
        panel("another").verify(request_.hook)


@pytest.mark.parametrize("request_", REQUESTS[:3], ids=str)
def test_one_changed_byte_is_refused(request_: Recorded) -> None:
    changed = replace(request_.hook, body=request_.hook.body.replace(b"ACTIVE", b"ACTIVF") + b" ")
    with pytest.raises(BadSignature):
        panel().verify(changed)


# The names


@pytest.mark.parametrize(("native", "canonical"), TYPES.items())
def test_a_name_has_its_type(native: str, canonical: str) -> None:
    data = {**USER, "name": "fra-1", "user": USER}
    assert understood(native, data).type == canonical


@pytest.mark.parametrize(
    ("native", "more", "canonical", "hours"),
    [
        ("user.expires_in_72_hours", {}, "user.expiring", 72),
        ("user.expires_in_48_hours", {}, "user.expiring", 48),
        ("user.expires_in_24_hours", {}, "user.expiring", 24),
        ("user.expired_24_hours_ago", {}, "user.expired_reminder", -24),
        ("user.expiration", {"meta": {"expiration": -24}}, "user.expiring", 24),
        ("user.expiration", {"meta": {"expiration": "-72"}}, "user.expiring", 72),
        ("user.expiration", {"meta": {"expiration": 0}}, "user.expiring", 0),
        ("user.expiration", {"meta": {"expiration": 48}}, "user.expired_reminder", -48),
    ],
)
def test_an_expiry_is_soon_or_past(native: str, more: dict[str, Any], canonical: str, hours: int) -> None:
    sighting = understood(native, **more)
    assert sighting.type == canonical
    assert sighting.data["expiry"]["hours"] == hours
    assert sighting.data["expiry"].get("days_left") == (hours // 24 if hours >= 0 else None)


@pytest.mark.parametrize(
    ("when", "canonical", "hours"),
    [
        ("in_7_days", "node.payment_due", 168),
        ("in_48hrs", "node.payment_due", 48),
        ("in_24hrs", "node.payment_due", 24),
        ("due_today", "node.payment_due", 0),
        ("overdue_24hrs", "node.payment_overdue", -24),
        ("overdue_48hrs", "node.payment_overdue", -48),
        ("overdue_7_days", "node.payment_overdue", -168),
    ],
)
def test_a_bill_is_due_or_overdue(when: str, canonical: str, hours: int) -> None:
    bill = {"providerName": "Hetzner", "nodeName": "fra-1", "nextBillingAt": "2026-11-28T00:00:00.000Z"}
    sighting = understood(f"crm.infra_billing_node_payment_{when}", bill)
    assert (sighting.type, sighting.subject) == (canonical, "node:fra-1")
    assert sighting.data["billing"] == {"provider": "Hetzner", "due_at": "2026-11-28T00:00:00Z", "hours": hours}


@pytest.mark.parametrize(
    ("native", "type_"),
    [
        ("user.expiration", "remnawave.user.expiration"),  # without its hours there is no telling which it is
        ("user.Something-New", "remnawave.user.something.new"),
        ("node.restarted", "remnawave.node.restarted"),
        ("crm.something", "remnawave.crm.something"),
        ("brand_new", "remnawave.brand_new"),
    ],
)
def test_an_unknown_name_flows(native: str, type_: str) -> None:
    sighting = understood(native, {"name": "fra-1"})
    assert (sighting.type, sighting.native_type) == (type_, native)


#: Names that carry a number, as the panel sends them.
SENT = (
    "user.expiration",
    "user.expires_in_72_hours",
    "user.expires_in_48_hours",
    "user.expires_in_24_hours",
    "user.expired_24_hours_ago",
    *(BILL + day for day in ("in_7_days", "in_48hrs", "in_24hrs", "due_today")),
    *(BILL + day for day in ("overdue_24hrs", "overdue_48hrs", "overdue_7_days")),
    "errors.bandwidth_usage_threshold_reached_max_notifications",
)


@pytest.mark.parametrize("native", [*TYPES, *SENT])
def test_what_the_panel_sends_is_what_routes_may_match(native: str) -> None:
    data = {**USER, "name": "fra-1", "nodeName": "fra-1", "user": USER}
    type_ = understood(native, data, meta={"expiration": -24}).type
    assert type_ in CANONICAL
    assert {meant for glob, meant in RemnawaveConfig.native_types.items() if fnmatchcase(native, glob)} == {type_}


def test_no_name_is_one_that_the_panel_never_sends() -> None:
    sent = (*TYPES, *SENT)
    assert [glob for glob in RemnawaveConfig.native_types if not any(fnmatchcase(one, glob) for one in sent)] == []


# What they say


def test_the_three_generations_say_the_same_of_a_user() -> None:
    said = [heard(panel(), recording(part).hook)[0].data["user"] for part in ("006-v1", "035-v2", "073-v3")]
    for user in said:
        user.pop("id")
        user.pop("groups")
        user.pop("lifetime_used_bytes")  # above 2^53 the panel has rounded it since 2.3
    assert said[0] == said[1] == said[2]
    assert said[0] == {
        "username": "example_user",
        "email": "user@example.com",
        "status": "active",
        "note": "paid until December",
        "used_bytes": 1073741824,
        "limit_bytes": 53687091200,
        "reset_strategy": "month",
        "expires_at": "2026-12-21T03:00:00Z",
        "created_at": "2026-09-01T08:00:00Z",
        "online_at": "2026-11-21T03:00:00.123000Z",
        "first_connected_at": "2026-10-01T12:00:00Z",
        "last_node": "77777777-6666-4555-8444-333333333333",
        "device_limit": 3,
        "tag": "VIP",
        "telegram_id": 987654321,
    }


def test_what_is_null_or_zero_without_limit_is_left_out() -> None:
    for part in ("016-v1", "046-v2", "087-v3"):
        user = heard(panel(), recording(part).hook)[0].data["user"]
        assert not {"limit_bytes", "email", "note", "device_limit", "groups", "telegram_id", "online_at"} & user.keys()
    for part in ("025-v1", "055-v2", "096-v3"):
        node = heard(panel(), recording(part).hook)[0].data["node"]
        assert not {"limit_bytes", "port", "percent", "core_version", "node_version", "provider"} & node.keys()


def test_a_node_says_how_it_is() -> None:
    (lost,) = heard(panel(), recording("052-v2").hook)
    assert lost.data["reason"] == "connect ECONNREFUSED 203.0.113.20:2222"
    assert lost.data["node"] == {
        "name": "node_de_1",
        "id": "77777777-6666-4555-8444-333333333333",
        "address": "203.0.113.20",
        "port": 2222,
        "country": "DE",
        "used_bytes": 549755813888,
        "limit_bytes": 1099511627776,
        "percent": 50.0,
        "users_online": 12,
        "core_version": "26.1.31",
        "node_version": "2.7.0",
        "tags": ["EU"],
        "status_changed_at": "2026-11-21T02:59:00Z",
        "traffic_reset_day": 1,
        "multiplier": 1,
        "cpus": 2,
        "memory_bytes": 4112142336,
        "memory_used_bytes": 2000000000,
        "uptime_seconds": 86400,
        "load": [0.1, 0.2, 0.3],
        "core_uptime_seconds": 12,
    }


def test_a_node_says_of_each_address_what_it_is_there_for() -> None:
    ips = [{"ip": "203.0.113.20", "status": "INBOUND"}, {"ip": "203.0.113.21", "status": "BLOCKED"}, {"status": "X"}, 7]
    node = understood("node.modified", {"ips": ips, "trafficResetDay": 0, "nodeConsumptionMultiplier": 1.5}).data[
        "node"
    ]
    assert node == {
        "ips": [{"ip": "203.0.113.20", "status": "inbound"}, {"ip": "203.0.113.21", "status": "blocked"}],
        "node_multiplier": 1.5,
    }


@pytest.mark.parametrize(
    ("used", "limit", "percent"),
    [(29, 100, 29.0), (2, 3, 66.7), (7, 5, 100.0), (10**400, 5, 100.0), (5, 10**400, 0.0)],
    ids=lambda figure: f"{figure!s:.21}",
)
def test_a_threshold_that_does_not_say_which_is_as_much_as_is_used(used: int, limit: int, percent: float) -> None:
    data = {"trafficLimitBytes": limit, "userTraffic": {"usedTrafficBytes": used}}
    usage = understood("user.bandwidth_usage_threshold_reached", data).data["usage"]
    assert usage.get("percent", 0.0) == percent


def test_a_threshold_says_which() -> None:
    (user,) = heard(panel(), recording("081-v3").hook)
    assert user.data["usage"] == {"used_bytes": 1073741824, "limit_bytes": 53687091200, "percent": 80}
    (node,) = heard(panel(), recording("054-v2").hook)
    assert node.data["node"]["percent"] == 80


def test_a_device_has_an_id_only_where_the_operator_lets_it_through() -> None:
    hook_ = recording("068-v2").hook
    (device,) = (one.data["device"] for one in heard(panel(), hook_))
    assert device == {"os": "Android", "os_version": "15", "model": "Pixel 9", "user_agent": "Happ/3.1"}
    (let_through,) = heard(panel(unmask=["data.hwidUserDevice.hwid"]), hook_)
    assert let_through.data["device"]["id"] == "HWID-3f9a2b1c"


def test_a_login_names_the_admin_and_not_the_password() -> None:
    (failed,) = heard(panel(), recording("057-v2").hook)
    assert failed.subject == "admin:admin"
    assert failed.data["security"] == {
        "username": "admin",
        "ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "description": "Invalid credentials",
    }
    (succeeded,) = heard(panel(), recording("099-v3").hook)
    assert "description" not in succeeded.data["security"]


def test_the_dash_that_a_login_has_for_nothing_is_nothing() -> None:
    attempt = {
        "username": "Unknown",
        "password": "***",
        "ip": "–",
        "userAgent": "–",
        "description": "Telegram is disabled.",
    }
    event = understood("service.login_attempt_failed", {"loginAttempt": attempt})
    assert event.data["security"] == {"username": "Unknown", "description": "Telegram is disabled."}


@pytest.mark.parametrize(
    ("user", "node", "subject"),
    [({"username": "alice"}, {"name": "fra-1"}, "user:alice"), ({}, {"name": "fra-1"}, "node:fra-1"), ({}, {}, None)],
)
def test_a_torrent_report_is_abuse(user: dict[str, Any], node: dict[str, Any], subject: str | None) -> None:
    report = {
        "actionReport": {"blocked": True, "ip": "203.0.113.42", "blockDuration": 1800, "userId": 2},
        "xrayReport": {"email": "2", "protocol": "bittorrent", "network": "tcp"},
    }
    sighting = understood("torrent_blocker.report", {"node": node, "user": user, "report": report})
    assert (sighting.type, sighting.subject) == ("security.abuse_reported", subject)
    assert sighting.data["abuse"].items() >= {"ip": "203.0.113.42", "description": "bittorrent"}.items()


@pytest.mark.parametrize(
    ("blocked", "told"),
    [
        (True, {"blocked": True, "block_seconds": 1800, "blocked_until": "2026-11-21T05:00:00Z"}),
        (False, {"blocked": False}),
    ],
)
def test_a_torrent_report_says_what_was_seen_and_what_became_of_it(blocked: bool, told: dict[str, Any]) -> None:
    report = {
        "actionReport": {
            "blocked": blocked,
            "ip": "203.0.113.42",
            "blockDuration": 1800,
            "willUnblockAt": "2026-11-21T05:00:00.000Z",
            "userId": "2",
            "processedAt": "2026-11-21T04:30:00.000Z",
        },
        "xrayReport": {
            "email": "2",
            "protocol": "bittorrent",
            "network": "tcp",
            "source": "203.0.113.42:51431",
            "destination": "198.51.100.9:6969",
            "inboundTag": "VLESS_TCP_REALITY",
            "outboundTag": "RW_TB_OUTBOUND_BLOCK",
        },
    }
    data = {"node": {"name": "fra-1"}, "user": {"username": "alice"}, "report": report}
    assert understood("torrent_blocker.report", data).data["abuse"] == {
        "username": "alice",
        "node": "fra-1",
        "description": "bittorrent",
        "destination": "198.51.100.9:6969",
        "inbound": "VLESS_TCP_REALITY",
        "ip": "203.0.113.42",
        **told,
    }


def test_who_has_not_connected_says_for_how_long() -> None:
    sighting = understood("user.not_connected", meta={"notConnectedAfterHours": 24})
    assert sighting.data["user"]["not_connected_hours"] == 24
    assert "reason" not in sighting.data


# What is refused, and what is left out


@pytest.mark.parametrize(
    ("element", "type_", "subject"),
    [
        ({}, "remnawave.unnamed", None),
        ({"event": 5}, "remnawave.unnamed", None),
        ({"event": " ", "data": {"username": "alice"}}, "remnawave.unnamed", None),
        ({"event": "user.created"}, "user.created", None),
        ({"event": "user.created", "data": None}, "user.created", None),
        ({"event": "user.created", "data": {}}, "user.created", None),
        ({"event": "user.created", "data": "alice"}, "user.created", None),
        ({"event": "user.created", "data": {"username": " "}}, "user.created", None),
        ({"event": "user.created", "data": {"username": 7}}, "user.created", "user:7"),
        ({"event": "user_hwid_devices.added", "data": {"username": "alice"}}, "device.added", None),
        ({"event": "node.created", "data": {"name": None}}, "node.created", None),
        ({"event": "crm.infra_billing_node_payment_due_today", "data": {}}, "node.payment_due", None),
    ],
)
def test_what_names_no_event_or_subject_is_told_as_far_as_it_goes(
    element: Any, type_: str, subject: str | None
) -> None:
    (parsed,) = heard(panel("none"), hook(element))
    assert (parsed.type, parsed.subject) == (type_, subject)


def test_an_empty_array_tells_nothing() -> None:
    assert heard(panel("none"), hook([])) == []


@pytest.mark.parametrize(
    "body", [b"", b"5", b'"x"', b"{", b"\xff", b"[" * 100_000, b'{"event": NaN}', b'{"event": 1e999}']
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body))


def test_odd_fields_are_left_out() -> None:
    odd = {"username": "alice", "trafficLimitBytes": "much", "expireAt": 1e300, "telegramId": True, "tag": ["x"]}
    sighting = understood("user.created", {**odd, "userTraffic": [], "activeInternalSquads": [3, {"name": 4}]})
    assert sighting.data == {"user": {"username": "alice"}}
    assert understood("user.created", timestamp="soon").occurred_at is None


# The signature


def test_the_signature_is_over_the_raw_bytes() -> None:
    body = '{"event": "user.created",\n "data": {"username": "مرزبان"}}'.encode()
    panel().verify(signed(body))


def test_any_of_several_secrets_will_do() -> None:
    for secret in ("old", "new"):
        panel(["old", "new"]).verify(signed(b"{}", secret))


@pytest.mark.parametrize("signature", ["", "abc", "ü" * 64, "\udcff", "0" * 64, "null"])
def test_a_bad_signature_is_refused(signature: str) -> None:
    with pytest.raises(BadSignature):
        panel().verify(hook({}, headers={"x-remnawave-signature": signature}))


def test_no_signature_is_refused_unless_there_is_no_secret() -> None:
    with pytest.raises(BadSignature, match="no X-Remnawave-Signature header"):
        panel().verify(hook({}))
    panel("none").verify(hook({}))


@pytest.mark.parametrize("way", [1, -1])
def test_a_body_may_be_as_old_as_max_age_and_no_older(way: int) -> None:
    for off, allowed in ((timedelta(hours=1), True), (timedelta(hours=1, seconds=1), False)):
        stamp = (ARRIVAL - way * off).isoformat()
        hook_ = signed(json.dumps({"event": "x", "timestamp": stamp}).encode())
        panel().verify(hook_)
        panel(max_age=0).verify(hook_)
        if allowed:
            panel(max_age="1h").verify(hook_)
        else:
            with pytest.raises(BadSignature, match="max_age"):
                panel(max_age="1h").verify(hook_)


# Anything


@given(
    JSON | shaped({"event": st.sampled_from([*TYPES, *SENT]), "data": shaped(dict.fromkeys(USER, JSON)), "meta": JSON})
)
def test_any_json_is_understood_or_refused(value: Any) -> None:
    keeps_its_feet(panel("none"), hook(value))


@given(st.binary(), st.text())
def test_any_bytes_are_understood_or_refused(body: bytes, signature: str) -> None:
    keeps_its_feet(panel("none"), hook(body=body))
    keeps_its_feet(
        panel(), hook(body=body, headers={"X-Remnawave-Signature": signature.encode("utf-8", "replace").decode()})
    )


# To speak like Remnawave

RICH = {
    "user": {
        "username": "alice",
        "status": "limited",
        "used_bytes": 5,
        "limit_bytes": 10,
        "expires_at": "2026-12-21T03:00:00Z",
        "email": "a@example.com",
        "note": "n",
        "groups": ["g"],
        "telegram_id": 9,
        "reset_strategy": "month",
        "first_connected_at": "2026-10-01T12:00:00Z",
        "not_connected_hours": 72,
    },
    "node": {
        "name": "fra-1",
        "address": "203.0.113.20",
        "used_bytes": 5,
        "limit_bytes": 10,
        "percent": 50.0,
        "traffic_reset_day": 15,
        "multiplier": 1.5,
        "status_changed_at": "2026-11-21T02:59:00Z",
        "ips": [{"ip": "203.0.113.20", "status": "blocked"}],
        "cpus": 2,
        "memory_bytes": 4 * 2**30,
        "load": [0.1, 0.2, 0.3],
        "core_uptime_seconds": 60,
    },
    "device": {"id": "d1", "os": "iOS", "model": "iPhone 15"},
    "expiry": {"at": "2026-12-21T03:00:00Z", "hours": 48, "days_left": 2},
    "billing": {"provider": "Hetzner", "due_at": "2026-12-21T03:00:00Z", "login_url": "https://x.example", "hours": 24},
    "security": {"username": "root", "ip": "203.0.113.7", "user_agent": "curl", "description": "d"},
    "abuse": {
        "username": "alice",
        "node": "fra-1",
        "description": "bittorrent",
        "ip": "203.0.113.42",
        "destination": "198.51.100.9:6969",
        "inbound": "VLESS",
        "blocked": True,
        "block_seconds": 1800,
        "blocked_until": "2026-11-21T05:00:00Z",
    },
    "api_key": {"name": "ci", "id": "1", "expires_at": "2026-12-21T03:00:00Z"},
    "system": {"message": "it broke", "version": "1.2"},
}
SUBJECTS = {"node": "node:fra-1", "api_key": "api_key:ci", "system": None, "security": "admin:root"}
SPOKEN = sorted({*TYPES.values(), "user.expiring", "user.expired_reminder", "node.payment_due", "node.payment_overdue"})


@pytest.mark.parametrize("type_", [*SPOKEN, "system.error"])
def test_what_is_spoken_is_heard_again(type_: str) -> None:
    subject = SUBJECTS.get(type_.partition(".")[0], "user:alice")
    if type_ == "security.abuse_reported":
        subject = "user:alice"
    event = an_event(type_, RICH, subject=subject)
    (sighting,) = heard(panel(), arriving(emit(event, secret=SECRET, at=ARRIVAL)))
    assert sighting.type == type_
    assert sighting.occurred_at == THEN
    assert sighting.subject == subject or type_ == "system.config_changed"
    for key, value in sighting.data.items():
        if key in ("user", "node", "device", "billing", "security", "abuse", "api_key"):
            known = {
                name: one for name, one in RICH[key].items() if name in value and name not in ("status", "hours", "id")
            }
            assert {name: value[name] for name in known} == known, key


@pytest.mark.parametrize("type_", sorted(CANONICAL))
@pytest.mark.parametrize("data", [{}, RICH])
def test_every_type_can_be_spoken(type_: str, data: dict[str, Any]) -> None:
    for subject in ("user:alice", None):
        emission = emit(an_event(type_, data, subject=subject), secret=SECRET, at=ARRIVAL)
        said = json.loads(emission.body)
        assert list(said)[:4] == ["scope", "event", "timestamp", "data"]
        assert said["scope"] == said["event"].partition(".")[0]
        assert said["timestamp"] == emission.headers["X-Remnawave-Timestamp"] == "2026-11-21T04:14:18.500Z"
        assert emission.headers["User-Agent"] == "Remnawave"
        panel().verify(arriving(emission))


@given(DATA, st.sampled_from(sorted(CANONICAL)), st.none() | st.text(), JSON)
def test_any_event_can_be_spoken(data: Any, type_: str, subject: str | None, native: Any) -> None:
    event = an_event(type_, data, subject=subject, native=native, panel="remnawave")
    panel().verify(arriving(emit(event, secret=SECRET, at=ARRIVAL)))


def test_a_user_is_spoken_of_with_all_that_remnawave_2_says() -> None:
    recorded_user = json.loads(recording("033-v2").hook.body)["data"]
    emission = emit(an_event("user.created", RICH), secret=None, at=ARRIVAL)
    said = json.loads(emission.body)["data"]
    assert recorded_user.keys() - said.keys() == {"trojanPassword", "ssPassword", "subscriptionUrl"}
    left_out = "data.trojanPassword, data.ssPassword, data.subscriptionUrl"
    assert (emission.headers["Panelbridge-Left-Out"], b"***" in emission.body) == (left_out, False)
    assert recorded_user["userTraffic"].keys() == said["userTraffic"].keys()
    assert (said["status"], said["trafficLimitStrategy"], said["trafficLimitBytes"]) == ("LIMITED", "MONTH", 10)
    bare = json.loads(emit(an_event("user.disabled"), secret=None, at=ARRIVAL).body)["data"]
    assert (bare["username"], bare["status"], bare["trafficLimitBytes"]) == ("alice", "DISABLED", 0)
    assert bare["uuid"] == said["uuid"]


def test_a_node_is_spoken_of_with_all_that_remnawave_2_says() -> None:
    recorded_node = json.loads(recording("047-v2").hook.body)["data"]
    said = json.loads(emit(an_event("node.created", RICH, subject="node:fra-1"), secret=None, at=ARRIVAL).body)["data"]
    assert recorded_node.keys() <= said.keys()


@pytest.mark.parametrize(
    ("type_", "data", "name"),
    [
        ("node.payment_due", {"billing": {"hours": 168}}, "in_7_days"),
        ("node.payment_due", {"billing": {"hours": 0}}, "due_today"),
        ("node.payment_due", {}, "in_24hrs"),
        ("node.payment_overdue", {"billing": {"hours": -48}}, "overdue_48hrs"),
        ("node.payment_overdue", {}, "overdue_24hrs"),
    ],
)
def test_a_bill_takes_the_nearest_name(type_: str, data: dict[str, Any], name: str) -> None:
    said = json.loads(emit(an_event(type_, data), secret=None, at=ARRIVAL).body)
    assert said["event"] == f"crm.infra_billing_node_payment_{name}"


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_what_came_from_remnawave_goes_on_as_it_came(request_: Recorded) -> None:
    native = json.loads(request_.hook.body)
    emission = emit(an_event(panel="remnawave", native=native), secret=SECRET, at=ARRIVAL)
    assert emission.body == request_.hook.body
    assert emission.headers["X-Remnawave-Signature"] == request_.hook.headers["X-Remnawave-Signature"]
    assert emission.headers["X-Remnawave-Timestamp"] == request_.hook.headers["X-Remnawave-Timestamp"]


def test_a_timestamp_that_breaks_a_header_is_not_repeated_in_one() -> None:
    native = {"event": "x", "timestamp": "2026-11-21T04:08:46Z\r\nEvil: 1"}
    emission = emit(an_event(panel="remnawave", native=native), secret=None, at=ARRIVAL)
    assert emission.headers["X-Remnawave-Timestamp"] == "2026-11-21T04:14:18.500Z"
