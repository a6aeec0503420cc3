"""Marzban, PasarGuard and Marzneshin: what their webhooks say, and how to speak like one."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature
from bridge.event import Event
from bridge.ingress.masking import Masker
from bridge.ingress.source import Source
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.marzban.emit import ACTIONS, emit
from bridge.panels.marzban.panel import MarzbanConfig, MarzbanPanel
from bridge.value import replace
from bridge.vocabulary import TYPES
from tests.panels.recorded import ARRIVAL, Recorded, recorded

SECRET = "something-very-very-secret"
REQUESTS = [one for folder in ("marzban", "pasarguard", "marzneshin") for one in recorded(folder) if not one.hook.token]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.just("***"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def panel(kind: str = "marzban", secret: Any = SECRET) -> MarzbanPanel:
    return MarzbanPanel(MarzbanConfig.model_validate({"panel": kind, "secret": secret}))


def hook(value: Any, headers: dict[str, str] | None = None) -> Hook:
    return Hook(body=json.dumps(value).encode(), received_at=ARRIVAL, headers=headers or {})


def seen(element: Any, kind: str = "marzban") -> ParsedEvent:
    return panel(kind).parse(element, hook(element))


def event(type_: str, data: dict[str, Any] | None = None, **changes: Any) -> Event:
    blank = Event(
        id="01990000-0000-7000-8000-000000000000",
        source="s",
        panel="remnawave",
        type=type_,
        native_type=type_,
        subject="user:alice",
        occurred_at=datetime(2026, 11, 21, 4, 14, 18, 500000, tzinfo=UTC),
        received_at=ARRIVAL,
        data=data or {},
        native={},
    )
    return replace(blank, **changes)


def emitted(from_: Event, secret: str | None = SECRET) -> dict[str, Any]:
    (element,) = json.loads(emit(from_, secret=secret, at=ARRIVAL).body)
    assert isinstance(element, dict)
    return element


MARZBAN_USER = {"username": "alice", "proxies": {}, "status": "active"}
PASARGUARD_USER = {"username": "alice", "proxy_settings": {}, "status": "active"}
MARZNESHIN_USER = {"username": "alice", "expire_strategy": "never", "is_active": True}


# What was recorded


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
@pytest.mark.parametrize("kind", ["marzban", "pasarguard", "marzneshin"])
def test_every_recorded_request_is_understood_whichever_of_the_family_is_configured(
    request_: Recorded, kind: str
) -> None:
    source, mask = panel(kind), Masker(MarzbanPanel.masks)
    source.verify(request_.hook)
    sightings = [source.parse(source.scrub(mask(one)), request_.hook) for one in source.elements(request_.hook)]
    assert len(sightings) == request_.expect_count
    assert [(s.native_type, (s.subject or "").removeprefix("user:")) for s in sightings] == request_.expect_events
    assert all(s.type in TYPES for s in sightings)


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("marzban", {"marzban"}), ("pasarguard", {"pasarguard"}), ("marzneshin", {"marzneshin"})],
)
def test_the_shape_of_a_full_element_says_which_panel_it_is_from(folder: str, expected: set[str]) -> None:
    source = panel("pasarguard" if folder != "pasarguard" else "marzban")
    full = [
        (one, request)
        for request in recorded(folder)
        if not request.hook.token
        for one in source.elements(request.hook)
        if "user" in one
    ]
    assert {source.parse(one, request.hook).panel for one, request in full} == expected


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_no_secret_of_a_recorded_request_outlives_the_masks(request_: Recorded) -> None:
    for element in panel().elements(request_.hook):
        user, by = element.get("user") or {}, element.get("by") or {}
        admin = user.get("admin") or {}
        secrets = {
            *leaves([user.get(key) for key in ("proxies", "proxy_settings", "links", "subscription_url", "key")]),
            *leaves([one.get(key) for one in (by, admin) for key in ("discord_webhook", "telegram_id")]),
        }
        left = leaves(Masker(MarzbanPanel.masks)(element))
        long = {one for one in secrets if len(str(one)) > 8}
        assert not long & left
        assert "***" in left or not long


def test_what_pasarguard_tells_of_its_admins_is_masked_but_the_name() -> None:
    (request,) = [one for one in REQUESTS if one.name == "016-user_created-owned"]
    (element,) = [Masker(MarzbanPanel.masks)(one) for one in panel().elements(request.hook)]
    by = element["by"]
    assert (by["username"], by["note"], by["telegram_id"]) == ("reseller_1", "***", "***")
    assert leaves(by["role"]) == {"***"}
    assert element["user"]["admin"]["discord_webhook"] == "***"


def test_what_a_reseller_of_pasarguard_writes_into_its_own_variables_is_masked() -> None:
    admin = {"username": "reseller_1", "custom_variables": [{"key": "SUPPORT_BOT", "value": "s3cr3t"}]}
    element = {"action": "user_created", "username": "alice", "by": admin, "user": {"admin": admin}}
    masked = Masker(MarzbanPanel.masks)(element)
    sighting = panel("pasarguard").parse(masked, hook([element]))
    assert "s3cr3t" not in json.dumps([masked, sighting.data])
    assert (sighting.data["actor"], sighting.data["owner"]) == ("reseller_1", "reseller_1")


@pytest.mark.parametrize("kind", ["marzban", "pasarguard", "marzneshin"])
def test_how_an_admin_is_reached_is_masked_in_discord_as_in_telegram(kind: str) -> None:
    admin = {"username": "reseller_1", "telegram_id": 987654321, "discord_id": 80351110224678912}
    element = {"action": "user_created", "username": "alice", "by": admin, "user": {"admin": dict(admin)}}
    source = Source("s", kind, panel(kind, "none"))
    ((told, _),), _ = source.parse(hook([element]))
    assert not {987654321, 80351110224678912} & leaves([told.native, told.data])
    assert told.native["by"] == {"username": "reseller_1", "telegram_id": "***", "discord_id": "***"}


def leaves(value: Any) -> set[Any]:
    if isinstance(value, dict | list):
        return {leaf for one in (value.values() if isinstance(value, dict) else value) for leaf in leaves(one)}
    return set() if value is None or isinstance(value, bool) else {value}


# What happened


@pytest.mark.parametrize(
    ("element", "panel_", "type_"),
    [
        ({"action": "user_created", "user": MARZBAN_USER}, "marzban", "user.created"),
        ({"action": "user_updated", "user": MARZBAN_USER}, "marzban", "user.updated"),
        ({"action": "user_deleted"}, "marzban", "user.deleted"),
        ({"action": "user_enabled", "user": MARZBAN_USER}, "marzban", "user.enabled"),
        ({"action": "user_disabled", "user": MARZBAN_USER}, "marzban", "user.disabled"),
        ({"action": "user_limited", "user": MARZBAN_USER}, "marzban", "user.limited"),
        ({"action": "user_expired", "user": MARZBAN_USER}, "marzban", "user.expired"),
        ({"action": "reached_days_left", "user": MARZBAN_USER}, "marzban", "user.expiring"),
        ({"action": "reached_usage_percent", "user": MARZBAN_USER}, "marzban", "user.usage_threshold"),
        ({"action": "data_usage_reset", "user": MARZBAN_USER, "by": {}}, "marzban", "user.usage_reset"),
        ({"action": "data_usage_reset", "user": MARZBAN_USER}, "marzban", "user.usage_reset"),
        ({"action": "data_reset_by_next", "user": MARZBAN_USER}, "marzban", "user.plan_advanced"),
        ({"action": "subscription_revoked", "user": MARZBAN_USER}, "marzban", "user.subscription_revoked"),
        ({"action": "data_usage_reset", "user": PASARGUARD_USER, "by": {}}, "pasarguard", "user.usage_reset"),
        ({"action": "data_usage_reset", "user": PASARGUARD_USER}, "pasarguard", "user.plan_advanced"),
        ({"action": "user_enabled", "user": PASARGUARD_USER | {"status": "on_hold"}}, "pasarguard", "user.on_hold"),
        ({"action": "user_enabled", "user": PASARGUARD_USER}, "pasarguard", "user.enabled"),
        ({"action": "user_deleted", "user": PASARGUARD_USER}, "pasarguard", "user.deleted"),
        ({"action": "user_activated", "user": MARZNESHIN_USER}, "marzneshin", "user.enabled"),
        ({"action": "user_enabled", "user": MARZNESHIN_USER}, "marzneshin", "user.enabled"),
        ({"action": "user_disabled", "user": MARZNESHIN_USER}, "marzneshin", "user.disabled"),
        ({"action": "user_deactivated", "user": MARZNESHIN_USER}, "marzneshin", "user.disabled"),
        ({"action": "user_deactivated", "user": MARZNESHIN_USER | {"expired": True}}, "marzneshin", "user.expired"),
        (
            {"action": "user_deactivated", "user": MARZNESHIN_USER | {"data_limit_reached": True}},
            "marzneshin",
            "user.limited",
        ),
        ({"action": "User Renamed!", "user": MARZBAN_USER}, "marzban", "marzban.user.renamed"),
        ({"action": "node_lost", "user": PASARGUARD_USER}, "pasarguard", "pasarguard.node_lost"),
    ],
)
def test_what_happened_in_the_words_of_the_taxonomy(element: dict[str, Any], panel_: str, type_: str) -> None:
    named = element if panel_ == "marzneshin" else {"username": "alice", **element}
    sighting = seen(named, panel_)
    assert (sighting.panel, sighting.type, sighting.native_type) == (panel_, type_, element["action"])
    assert sighting.subject == "user:alice"


@pytest.mark.parametrize(
    ("element", "configured", "expected"),
    [
        ({"username": "a", "action": "user_deleted"}, "marzban", "marzban"),
        ({"username": "a", "action": "user_deleted"}, "pasarguard", "pasarguard"),
        ({"username": "a", "action": "user_deleted", "tries": 0}, "marzneshin", "marzban"),
        ({"username": "a", "action": "user_deleted", "by": {"role": {"id": 1}}}, "marzban", "pasarguard"),
        ({"username": "a", "action": "user_deleted", "by": {"users_usage": 0}}, "pasarguard", "marzban"),
        ({"user": {"username": "a"}, "action": "user_deleted", "created_at": 1}, "marzban", "marzneshin"),
        ({"username": "a", "user": MARZNESHIN_USER, "action": "user_deleted"}, "marzban", "marzneshin"),
    ],
)
def test_where_an_element_leaves_its_panel_open_the_configured_one_decides(
    element: dict[str, Any], configured: str, expected: str
) -> None:
    assert seen(element, configured).panel == expected


def test_a_single_object_and_an_array_are_read_alike() -> None:
    element = {"username": "alice", "action": "user_created", "enqueued_at": 1795232625.75, "tries": 0}
    assert panel().elements(hook(element)) == panel().elements(hook([element])) == [element]


def test_only_pasarguard_dates_its_events() -> None:
    stamp = {"enqueued_at": 1795233556.5, "username": "alice", "action": "user_created"}
    assert seen(stamp | {"user": PASARGUARD_USER}).occurred_at == datetime(2026, 11, 21, 3, 59, 16, 500000, UTC)
    assert seen(stamp | {"user": MARZBAN_USER}).occurred_at is None
    assert seen({"created_at": 1795233556.5, "action": "user_created", "user": MARZNESHIN_USER}).occurred_at is None


def test_marzbans_user_in_the_words_of_data() -> None:
    user = {
        "expire": 1797826458,
        "data_limit": 53687091200,
        "data_limit_reset_strategy": "month",
        "note": "paid",
        "online_at": "2026-11-21T04:00:00",
        "on_hold_expire_duration": 86400,
        "next_plan": {"data_limit": 1},
        "status": "active",
        "used_traffic": 7,
        "lifetime_used_traffic": 9,
        "created_at": "2026-11-21T04:14:30.596358",
        "links": [],
        "admin": {"username": "reseller1"},
    }
    element = {"username": "a_b", "action": "user_disabled", "by": {"username": "root"}, "reason": "late", "user": user}
    assert seen(element).data == {
        "user": {
            "username": "a_b",
            "status": "active",
            "note": "paid",
            "used_bytes": 7,
            "limit_bytes": 53687091200,
            "lifetime_used_bytes": 9,
            "reset_strategy": "month",
            "expires_at": "2026-12-21T04:14:18Z",
            "created_at": "2026-11-21T04:14:30.596358Z",
            "online_at": "2026-11-21T04:00:00Z",
            "on_hold_seconds": 86400,
            "next_plan": True,
        },
        "owner": "reseller1",
        "actor": "root",
        "reason": "late",
    }


def test_pasarguards_and_marzneshins_own_fields_are_known() -> None:
    pasarguard = PASARGUARD_USER | {"id": 4, "expire": "2026-12-21T03:59:16Z", "hwid_limit": 3, "group_names": ["vip"]}
    known = seen({"username": "alice", "action": "user_created", "user": pasarguard}).data["user"]
    assert known == {
        "username": "alice",
        "id": 4,
        "status": "active",
        "expires_at": "2026-12-21T03:59:16Z",
        "device_limit": 3,
        "groups": ["vip"],
    }
    marzneshin = MARZNESHIN_USER | {"expire_date": "2026-12-21T04:00:26", "owner_username": "reseller1"}
    data = seen({"action": "user_created", "user": marzneshin, "by": None}).data
    assert data["owner"] == "reseller1"
    assert data["user"]["expires_at"] == "2026-12-21T04:00:26Z"
    assert (data["user"]["status"], data["user"]["active"]) == ("active", True)


@pytest.mark.parametrize(
    ("user", "known"),
    [
        (
            MARZBAN_USER | {"on_hold_timeout": "2026-12-21T04:00:26", "auto_delete_in_days": 7},
            {"on_hold_until": "2026-12-21T04:00:26Z", "auto_delete_days": 7},
        ),
        (
            PASARGUARD_USER | {"on_hold_timeout": "2026-12-21T04:00:26Z", "auto_delete_in_days": 0},
            {"on_hold_until": "2026-12-21T04:00:26Z", "auto_delete_days": 0},
        ),
        (
            MARZNESHIN_USER | {"activation_deadline": "2026-12-21T04:00:26"},
            {"on_hold_until": "2026-12-21T04:00:26Z"},
        ),
        (MARZBAN_USER | {"on_hold_timeout": None, "auto_delete_in_days": -1}, {}),
        (MARZBAN_USER | {"on_hold_timeout": "soon", "auto_delete_in_days": "7 days"}, {}),
    ],
    ids=str,
)
def test_who_is_on_hold_says_until_when_and_what_becomes_of_the_user(user: Any, known: Mapping[str, Any]) -> None:
    data = seen({"username": "alice", "action": "user_enabled", "user": user}).data["user"]
    assert {key: data[key] for key in ("on_hold_until", "auto_delete_days") if key in data} == known


def test_until_when_a_user_is_on_hold_is_spoken_of() -> None:
    user = {"username": "alice", "on_hold_until": "2026-12-21T04:00:26Z", "auto_delete_days": 7}
    said = emitted(event("user.on_hold", {"user": user}))["user"]
    assert (said["on_hold_timeout"], said["auto_delete_in_days"]) == ("2026-12-21T04:00:26", 7)


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        ({"enabled": False, "is_active": False}, "disabled"),
        ({"enabled": True, "expired": True}, "expired"),
        ({"data_limit_reached": True}, "limited"),
        ({"expire_strategy": "start_on_first_use", "is_active": True}, "on_hold"),
        ({"is_active": True}, "active"),
        ({"is_active": False}, None),
    ],
)
def test_marzneshins_flags_are_spelled_out_as_a_status(flags: dict[str, Any], status: str | None) -> None:
    user = {"username": "alice", "expire_strategy": "never", **flags}
    assert seen({"action": "user_updated", "user": user}).data["user"].get("status") == status


@pytest.mark.parametrize(
    ("element", "usage"),
    [
        ({"used_percent": 85.5}, {"percent": 85.5}),
        ({"used_percent": 85}, {"percent": 85.0}),
        ({"user": {"used_traffic": 82, "data_limit": 100}}, {"used_bytes": 82, "limit_bytes": 100, "percent": 82.0}),
        (
            {"used_percent": "***", "user": {"used_traffic": 0, "data_limit": 10}},
            {"used_bytes": 0, "limit_bytes": 10, "percent": 0.0},
        ),
        ({"user": {"used_traffic": 82, "data_limit": None}}, {"used_bytes": 82}),
    ],
)
def test_the_percentage_is_the_panels_or_computed(element: dict[str, Any], usage: dict[str, Any]) -> None:
    assert seen({"username": "alice", "action": "reached_usage_percent", **element}).data["usage"] == usage


@pytest.mark.parametrize(
    ("element", "days"),
    [
        ({"days_left": 0}, 0),
        ({"days_left": 2, "user": {"expire": 1}}, 2),
        ({"user": {"expire_date": "2026-11-24T11:59:45"}}, 3),
        ({"user": {"expire_date": "2026-11-24T12:00:15"}}, 3),
        ({"user": {"expire_date": "2026-11-20T12:00:00"}}, 0),
        ({"user": {"expire_date": None}}, None),
    ],
)
def test_the_days_left_are_the_panels_or_computed(element: dict[str, Any], days: int | None) -> None:
    assert seen({"username": "alice", "action": "reached_days_left", **element}).data["expiry"].get("days_left") == days


# What is hostile


@pytest.mark.parametrize(
    ("given_", "ok"),
    [
        ({"x-webhook-secret": SECRET}, True),
        ({"X-Webhook-Secret": SECRET}, True),
        ({"x-webhook-secret": "wrong"}, False),
        ({"x-webhook-secret": "пароль\udcff"}, False),
        ({"x-webhook-secret": ""}, False),
        ({"Authorization": SECRET}, False),
        ({}, False),
    ],
)
def test_the_header_is_the_secret_itself(given_: dict[str, str], ok: bool) -> None:
    if ok:
        panel().verify(hook({}, given_))
    else:
        with pytest.raises(BadSignature):
            panel().verify(hook({}, given_))


def test_any_of_several_secrets_will_do_and_none_takes_everything() -> None:
    panel(secret=["old", SECRET]).verify(hook({}, {"x-webhook-secret": "old"}))
    panel(secret="none").verify(hook({}))


@pytest.mark.parametrize(
    ("element", "type_", "subject"),
    [
        ({}, "marzban.unnamed", None),
        ({"username": "alice"}, "marzban.unnamed", "user:alice"),
        ({"username": "alice", "action": 7}, "marzban.unnamed", "user:alice"),
        ({"username": "alice", "action": " "}, "marzban.unnamed", "user:alice"),
        ({"action": "user_created", "username": ""}, "user.created", None),
        ({"action": "user_created", "username": 7}, "user.created", "user:7"),
        ({"action": "user_created", "username": ["alice"], "user": {"username": "alice"}}, "user.created", None),
        ({"action": "user_created", "user": []}, "user.created", None),
        ({"action": "user_created", "user": {}}, "user.created", None),
        ({"action": "user_created", "user": {"username": " "}}, "user.created", None),
    ],
)
def test_an_element_without_a_name_or_an_action_is_told_as_far_as_it_goes(
    element: Any, type_: str, subject: str | None
) -> None:
    parsed = seen(element)
    assert (parsed.type, parsed.subject) == (type_, subject)
    assert parsed.data.get("user", {}).get("username") == (subject and subject.removeprefix("user:"))


@pytest.mark.parametrize("element", [None, [], "user_created"])
def test_an_element_that_is_no_object_is_refused(element: Any) -> None:
    with pytest.raises(BadPayload):
        seen(element)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[", b"7", b'"text"', b"null", b"[" * 100_000, b"[1e999]"])
def test_a_body_that_holds_no_elements_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        panel().elements(Hook(body=body, received_at=ARRIVAL))


@pytest.mark.parametrize("odd", ["***", "", [], {}, True, -1, 10**400, 1e300, "later", None])
def test_a_field_of_an_unexpected_kind_is_left_out(odd: Any) -> None:
    fields = ("expire", "expire_date", "data_limit", "used_traffic", "created_at", "online_at", "id", "hwid_limit")
    user = MARZBAN_USER | dict.fromkeys((*fields, "admin", "group_names", "on_hold_expire_duration"), odd)
    element = {
        "username": "alice",
        "action": "reached_usage_percent",
        "user": user,
        "enqueued_at": odd,
        "used_percent": odd,
        "by": odd,
    }
    assert seen(element).data["user"] == {"username": "alice", "status": "active"}
    assert "percent" not in seen(element).data["usage"]


def test_a_hostile_name_is_kept_to_the_letter() -> None:
    name = "a_b__@everyone\n**x** {{7*7}}" + "y" * 400
    assert seen({"username": name, "action": "user_created"}).subject == f"user:{name}"


FIELDS = st.dictionaries(
    st.sampled_from([
        *("username", "status", "expire", "expire_date", "data_limit", "used_traffic", "created_at", "admin"),
        *("next_plan", "group_names", "is_active", "expired", "proxy_settings", "expire_strategy", "note"),
    ]),
    JSON,
)  # fmt: skip
ELEMENTS = st.fixed_dictionaries(
    {
        "action": st.sampled_from([*ACTIONS.values(), "user_deactivated", "x"]) | JSON,
        "username": st.just("alice") | JSON,
    },
    optional={
        "user": FIELDS | JSON,
        "by": JSON,
        "enqueued_at": JSON,
        "used_percent": JSON,
        "days_left": JSON,
        "reason": JSON,
    },
)


@given(element=ELEMENTS | JSON, kind=st.sampled_from(["marzban", "pasarguard", "marzneshin"]))
def test_nothing_but_a_bad_payload_comes_of_any_json(element: Any, kind: str) -> None:
    source = panel(kind)
    try:
        for one in source.elements(hook(element)):
            sighting = source.parse(source.scrub(Masker(MarzbanPanel.masks)(one)), hook(element))
            json.dumps(sighting.data, allow_nan=False)
    except BadPayload:
        pass


# How to speak like Marzban


@pytest.mark.parametrize("type_", ACTIONS)
def test_what_is_emitted_is_understood_again(type_: str) -> None:
    data = {
        "user": {"username": "al_ice", "status": "LIMITED", "expires_at": "2026-12-21T04:14:18Z", "limit_bytes": 5},
        "owner": "reseller1",
        "actor": "root",
    }
    said = emit(event(type_, data, subject="user:al_ice"), secret=SECRET, at=ARRIVAL)
    heard = Hook(body=said.body, received_at=ARRIVAL, headers=said.headers)
    panel().verify(heard)
    (sighting,) = [panel().parse(one, heard) for one in panel().elements(heard)]
    assert (sighting.panel, sighting.type, sighting.subject) == ("marzban", type_, "user:al_ice")


def test_an_event_of_another_panel_becomes_marzbans_element() -> None:
    user = {
        "username": "alice",
        "status": "ACTIVE",
        "note": "vip",
        "used_bytes": 3,
        "limit_bytes": 10,
        "expires_at": "2026-12-21T04:14:18Z",
        "created_at": "2026-11-21T04:14:30.5Z",
        "reset_strategy": "MONTH",
    }
    element = emitted(event("user.created", {"user": user, "owner": "reseller1", "actor": "root"}))
    admin = {"is_sudo": False, "telegram_id": None, "discord_webhook": None, "users_usage": None}
    assert list(element) == ["enqueued_at", "send_at", "tries", "username", "action", "by", "user"]
    assert (element["enqueued_at"], element["send_at"]) == (1795234458.5, ARRIVAL.timestamp())
    assert (element["username"], element["action"], element["tries"]) == ("alice", "user_created", 0)
    assert element["by"] == {"username": "root", **admin}
    assert element["user"]["admin"] == {"username": "reseller1", **admin}
    assert element["user"]["created_at"] == "2026-11-21T04:14:30.500000"
    assert (element["user"]["expire"], element["user"]["data_limit"]) == (1797826458, 10)
    assert (element["user"]["status"], element["user"]["data_limit_reset_strategy"]) == ("active", "month")


def test_every_key_that_marzban_sends_is_sent() -> None:
    (request,) = [one for one in REQUESTS if one.name == "003-user_created-owned-by-reseller"]
    (real,) = panel().elements(request.hook)
    assert emitted(event("user.created")).keys() == real.keys()
    assert emitted(event("user.created"))["user"].keys() == real["user"].keys()
    assert emitted(event("user.created"))["by"].keys() == real["by"].keys()


@pytest.mark.parametrize(
    ("type_", "data", "extra"),
    [
        ("user.usage_threshold", {"usage": {"percent": 85}}, {"used_percent": 85.0}),
        ("user.usage_threshold", {"user": {"used_bytes": 1, "limit_bytes": 4}}, {"used_percent": 25.0}),
        ("user.usage_threshold", {}, {"used_percent": 0.0}),
        ("user.expiring", {"expiry": {"days_left": 2}}, {"days_left": 2}),
        ("user.expiring", {"user": {"expires_at": "2026-11-24T12:00:00Z"}}, {"days_left": 3}),
        ("user.expiring", {}, {"days_left": 0}),
        ("user.disabled", {}, {"reason": None}),
        ("user.disabled", {"reason": "late"}, {"reason": "late"}),
    ],
)
def test_the_figures_that_an_action_demands_are_there(type_: str, data: dict[str, Any], extra: dict[str, Any]) -> None:
    element = emitted(event(type_, data))
    assert {key: element[key] for key in extra} == extra
    assert all(type(element[key]) is type(value) for key, value in extra.items())


@pytest.mark.parametrize(
    ("type_", "data", "by"),
    [
        ("user.created", {"actor": "root"}, "root"),
        ("user.created", {}, "system"),
        ("user.expired", {"actor": "root"}, None),
        ("node.deleted", {"actor": "root"}, "root"),
        ("node.deleted", {}, None),
    ],
)
def test_who_did_it_is_said_where_marzban_says_it(type_: str, data: dict[str, Any], by: str | None) -> None:
    assert emitted(event(type_, data)).get("by", {}).get("username") == by


@pytest.mark.parametrize(
    ("type_", "subject", "action", "name"),
    [
        ("node.connection_lost", "node:fra-1", "node_connection_lost", "fra-1"),
        ("peer.connected", "peer:ab:cd=", "peer_connected", "ab:cd="),
        ("system.started", None, "system_started", "system"),
    ],
)
def test_what_marzban_has_no_word_for_is_spelled_with_underscores(
    type_: str, subject: str | None, action: str, name: str
) -> None:
    element = emitted(event(type_, subject=subject))
    assert (element["action"], element["username"]) == (action, name)
    assert "user" not in element


def test_a_deleted_user_is_only_named() -> None:
    assert "user" not in emitted(event("user.deleted", {"user": {"username": "alice"}}))


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_what_came_from_the_family_goes_on_as_it_came(request_: Recorded) -> None:
    for native in panel().elements(request_.hook):
        sighting = panel().parse(native, request_.hook)
        known: dict[str, Any] = {
            "native_type": sighting.native_type,
            "subject": sighting.subject,
            "data": sighting.data,
        }
        element = emitted(event(sighting.type, panel=sighting.panel, native=native, **known))
        assert element == {**native, "username": (sighting.subject or "").removeprefix("user:")}


def test_a_report_read_from_discord_is_translated() -> None:
    native = {"embeds": [{"title": ":new: Created"}]}
    from_ = event("user.created", panel="marzban", native_type="discord:report_new_user", native=native)
    assert emitted(from_)["action"] == "user_created"


def test_the_secret_goes_into_the_header_and_without_one_there_is_none() -> None:
    signed = emit(event("user.created"), secret=SECRET, at=ARRIVAL).headers
    assert signed == {"Content-Type": "application/json", "x-webhook-secret": SECRET}
    assert emit(event("user.created"), secret=None, at=ARRIVAL).headers == {"Content-Type": "application/json"}


@given(
    type_=st.sampled_from([*ACTIONS, "node.deleted", "x.y"]),
    data=st.dictionaries(st.sampled_from(["user", "usage", "expiry", "owner", "actor", "reason"]), FIELDS | JSON),
)
def test_any_data_can_be_emitted(type_: str, data: dict[str, Any]) -> None:
    element = emitted(event(type_, data))
    assert isinstance(element["username"], str)
    json.dumps(element, allow_nan=False)
