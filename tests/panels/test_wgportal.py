"""WireGuard Portal: what its webhooks say in all their forms, and how to speak like it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature
from bridge.panels.base import ParsedEvent
from bridge.panels.wgportal import TYPES, WgPortalConfig, WgPortalPanel, emit
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

SECRET = "Basic dXNlcm5hbWU6cGFzc3dvcmQ="
REQUESTS = recorded("wgportal")
KEY = "Fb5TaziAs1WrPBjC/MFbWsIelVXvi0hDKZ3YQM9wmU8="
SECRETS = (
    *("$2a$10$TESThashTESThashTESThash", "test-api-token-0123456789", "PEERpresharedKEYtestVALUE000000000000000000="),
    *("PEERprivateKEYtestVALUE00000000000000000000=", "SERVERprivateKEYtestVALUE0000000000000000000="),
    *("echo up", "echo down", "iptables"),
)


def panel(secret: Any = SECRET, **settings: Any) -> WgPortalPanel:
    return WgPortalPanel(WgPortalConfig.model_validate({"panel": "wgportal", "secret": secret, **settings}))


def understood(entity: str, event: str, payload: Any = None, identifier: Any = "x") -> ParsedEvent:
    said = {"event": event, "entity": entity, "identifier": identifier, "payload": payload or {}}
    (sighting,) = heard(panel("none"), hook(said))
    return sighting


def recording(part: str) -> Recorded:
    return next(request for request in REQUESTS if part in request.name)


def the_data(part: str) -> dict[str, Any]:
    (sighting,) = heard(panel(), recording(part).hook)
    return sighting.data


# What was recorded


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_event_has_a_canonical_type(request_: Recorded) -> None:
    (sighting,) = heard(panel(), request_.hook)
    assert sighting.type in CANONICAL
    assert sighting.type == TYPES[sighting.native_type]


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_no_key_no_password_and_no_command_is_stored(request_: Recorded) -> None:
    kept = stored(panel(), request_.hook)
    assert [secret for secret in SECRETS if secret in kept] == []


@pytest.mark.parametrize("request_", REQUESTS[:3], ids=str)
@pytest.mark.parametrize("secret", ["dXNlcm5hbWU6cGFzc3dvcmQ=", "basic dXNlcm5hbWU6cGFzc3dvcmQ=", "Basic dXNlcm5hbWU6"])
def test_a_wrong_secret_is_refused(request_: Recorded, secret: str) -> None:
    with pytest.raises(BadSignature):
        panel(secret).verify(request_.hook)


# The names


@pytest.mark.parametrize(("native", "canonical"), TYPES.items())
def test_a_name_has_its_type(native: str, canonical: str) -> None:
    entity, event = native.split(".")
    sighting = understood(entity, event)
    assert (sighting.type, sighting.native_type) == (canonical, native)
    assert sighting.subject == f"{canonical.partition('.')[0]}:x"


def test_every_type_of_its_column_is_reached() -> None:
    reached = set(TYPES.values())
    assert reached == {type_ for type_ in CANONICAL if type_.startswith(("peer.", "interface."))} | {
        *("user.created", "user.updated", "user.deleted")
    }


@pytest.mark.parametrize(
    ("entity", "event", "type_", "subject"),
    [
        ("user", "login", "wgportal.user.login", "user:x"),
        ("peer_metric", "roam", "wgportal.peer_metric.roam", "peer:x"),
        ("Audit Log", "write", "wgportal.audit.log.write", "Audit Log:x"),
    ],
)
def test_an_unknown_name_flows(entity: str, event: str, type_: str, subject: str) -> None:
    sighting = understood(entity, event)
    assert (sighting.type, sighting.native_type, sighting.subject) == (type_, f"{entity}.{event}", subject)
    assert understood(entity, event, identifier=None).subject is None


# What they say


@pytest.mark.parametrize(
    "parts",
    [
        ("002-new-user-update", "019-flat-user-update", "036-v2.0.5-user-update"),
        ("020-flat-user-update-disabled", "037-v2.0.5-user-update-disabled"),
        ("024-flat-peer-update", "041-v2.0.5-peer-update"),
        ("008-new-peer-update", "025-flat-peer-update-expired", "042-v2.0.5-peer-update-expired"),
        ("029-flat-interface-update-disabled", "046-v2.0.5-interface-update-disabled"),
    ],
)
def test_all_forms_say_the_same(parts: tuple[str, ...]) -> None:
    first, *others = (the_data(part) for part in parts)
    assert others == [first] * len(others)


def test_a_peer_says_whose_it_is_and_why_it_is_disabled() -> None:
    assert the_data("008-new-peer-update") == {
        "peer": {
            "key": KEY,
            "name": "Peer Fb5TaziA",
            "interface": "wg0",
            "addresses": ["10.11.12.10/32", "fdfd:d3ad:c0de:1234::a/128"],
            "endpoint": "10.55.66.1:51820",
            "allowed_ips": "10.11.12.0/24,fdfd:d3ad:c0de:1234::/64",
            "notes": "expired contract",
            "expires_at": "2026-06-26T21:04:33.325216Z",
            "disabled_at": "2026-06-26T21:04:33.325216Z",
        },
        "owner": "jdoe",
        "actor": "jdoe",
        "reason": "expired",
    }


def test_a_disabled_user_is_not_active() -> None:
    data = the_data("037-v2.0.5-user-update-disabled-locked")
    assert (data["user"]["status"], data["user"]["active"], data["reason"]) == ("disabled", False, "disabled by admin")
    locked = understood("user", "update", {"Locked": "2026-06-26T23:04:33Z", "LockedReason": "too many tries"}).data
    assert (locked["user"]["status"], locked["reason"]) == ("locked", "too many tries")
    assert understood("user", "update", {"Disabled": "0001-01-01T00:00:00Z"}).data["user"]["active"] is True


def test_an_interface_has_a_name_only_where_it_is_not_the_identifier() -> None:
    assert "name" not in the_data("013-new-interface-delete")["interface"]
    assert the_data("027-flat-interface-create")["interface"]["name"] == "Office VPN"


def test_a_peer_that_connects_says_from_where_and_how_much() -> None:
    for part in ("015-new-peer_metric-connect", "032-flat-peer-connect"):
        assert (
            the_data(part)["peer"].items()
            >= {
                "connected": True,
                "endpoint": "10.55.66.77:33874",
                "received_bytes": 2**64 - 1,
                "sent_bytes": 10824,
                "last_handshake_at": "2026-06-26T21:04:33.325216Z",
                "session_started_at": "2026-06-26T20:50:40.102216Z",
            }.items()
        )


def test_a_peer_that_was_never_seen_has_no_address_and_no_handshake() -> None:
    for part in ("017-new-peer_metric-disconnect-never", "034-flat-peer-disconnect-never"):
        peer = the_data(part)["peer"]
        assert (peer["connected"], peer["received_bytes"]) == (False, 0)
        assert not {"endpoint", "last_handshake_at", "session_started_at"} & peer.keys()


def test_only_a_metric_says_when_it_happened() -> None:
    times = {request.name: heard(panel(), request.hook)[0].occurred_at for request in REQUESTS}
    true = {name: at.isoformat() for name, at in times.items() if at}
    assert set(true.values()) == {"2026-06-26T21:04:33.325216+00:00"}
    assert [name for name in true if "peer_metric" not in name] == []
    assert times["017-new-peer_metric-disconnect-never-seen"] is None


def test_the_portals_own_jobs_are_the_system() -> None:
    assert understood("user", "create", {"CreatedBy": "_WG_SYS_LDAP_SYNCER_"}).data["actor"] == "system"
    assert "actor" not in understood("user", "delete", {"UpdatedBy": "jdoe"}).data


# What is refused, and what is left out


@pytest.mark.parametrize(
    ("element", "type_", "subject"),
    [
        ({}, "wgportal.unnamed", None),
        ({"entity": "user", "identifier": "alice"}, "wgportal.unnamed", "user:alice"),
        ({"entity": "user", "event": " "}, "wgportal.unnamed", None),
        ({"entity": 1, "event": "create", "identifier": "alice"}, "wgportal.create", None),
        ({"entity": "user", "event": "create"}, "user.created", None),
        ({"entity": "user", "event": "create", "identifier": ""}, "user.created", None),
        ({"entity": "user", "event": "create", "identifier": "alice", "payload": None}, "user.created", "user:alice"),
        ({"entity": "user", "event": "create", "identifier": 7}, "user.created", "user:7"),
        ({"entity": "peer_metric", "event": "connect", "identifier": {}}, "peer.connected", None),
    ],
)
def test_what_names_no_event_or_subject_is_told_as_far_as_it_goes(
    element: Any, type_: str, subject: str | None
) -> None:
    (parsed,) = heard(panel("none"), hook(element))
    assert (parsed.type, parsed.subject) == (type_, subject)


@pytest.mark.parametrize("body", [b"", b"7", b"nope", b"\xff\xfe", b"[[]]", b'["x"]'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body))


def test_odd_fields_are_left_out() -> None:
    odd = {"Addresses": [1, {"Cidr": 2}, "10.0.0.1/32"], "Endpoint": {"Value": 5}, "ExpiresAt": "soon", "Notes": []}
    assert understood("peer", "create", odd).data == {"peer": {"key": "x", "addresses": ["10.0.0.1/32"]}}
    assert understood("interface", "create", "nothing").data == {"interface": {"id": "x"}}


@pytest.mark.parametrize("header", [None, "", "ü", "\udcff\udcfe", SECRET + " "])
def test_a_bad_header_is_refused(header: str | None) -> None:
    with pytest.raises(BadSignature):
        panel().verify(hook({}, headers={"Authorization": header} if header is not None else {}))


# Anything

FIELDS = (
    "Identifier",
    "Addresses",
    "Endpoint",
    "Disabled",
    "Status",
    "Peer",
    "Interface",
    "UserIdentifier",
    "Password",
)
ENVELOPE = {
    "entity": st.sampled_from(["user", "peer", "interface", "peer_metric"]),
    "event": st.sampled_from(["create", "update", "connect"]),
    "identifier": st.text(),
    "payload": shaped(dict.fromkeys(FIELDS, shaped(dict.fromkeys(("Value", "UpdatedAt", "Addresses"), JSON)))),
}


@given(JSON | shaped(ENVELOPE))
def test_any_json_is_understood_or_refused(value: Any) -> None:
    keeps_its_feet(panel("none"), hook(value))


@given(st.binary())
def test_any_bytes_are_understood_or_refused(body: bytes) -> None:
    keeps_its_feet(panel("none"), hook(body=body))


# To speak like WireGuard Portal

RICH = {
    "user": {"username": "alice", "email": "a@example.com", "first_name": "A", "department": "IT", "note": "n"},
    "peer": {
        "key": KEY,
        "name": "Phone",
        "interface": "wg0",
        "addresses": ["10.0.0.2/32"],
        "received_bytes": 2**64 - 1,
    },
    "interface": {"id": "wg0", "listen_port": 51820, "addresses": ["10.0.0.1/24"], "kind": "server"},
    "owner": "alice",
    "actor": "root",
}
SUBJECTS = {"user": "user:alice", "peer": f"peer:{KEY}", "interface": "interface:wg0"}


@pytest.mark.parametrize("type_", sorted(set(TYPES.values())))
def test_what_is_spoken_is_heard_again(type_: str) -> None:
    kind = type_.partition(".")[0]
    event = an_event(type_, RICH, subject=SUBJECTS[kind])
    (sighting,) = heard(panel(), arriving(emit(event, secret=SECRET, at=ARRIVAL)))
    assert (sighting.type, sighting.subject) == (type_, SUBJECTS[kind])
    counted = {"received_bytes": 2**64 - 1} if kind == "peer" else {}
    assert RICH[kind] == {key: value for key, value in (counted | sighting.data[kind]).items() if key in RICH[kind]}
    if type_ in ("peer.connected", "peer.disconnected"):
        assert sighting.occurred_at == THEN
        assert sighting.data["peer"]["connected"] is (type_ == "peer.connected")
        assert sighting.data["peer"]["received_bytes"] == 2**64 - 1


@pytest.mark.parametrize("type_", sorted(CANONICAL))
@pytest.mark.parametrize("data", [{}, RICH])
def test_every_type_can_be_spoken(type_: str, data: dict[str, Any]) -> None:
    for subject in ("user:alice", None):
        emission = emit(an_event(type_, data, subject=subject), secret=SECRET, at=ARRIVAL)
        said = json.loads(emission.body)
        assert list(said) == ["event", "entity", "identifier", "payload"]
        assert emission.headers["Authorization"] == SECRET


@given(DATA, st.sampled_from(sorted(CANONICAL)), st.none() | st.text(), JSON)
def test_any_event_can_be_spoken(data: Any, type_: str, subject: str | None, native: Any) -> None:
    event = an_event(type_, data, subject=subject, native=native, panel="wgportal")
    assert isinstance(json.loads(emit(event, secret=None, at=ARRIVAL).body), dict)


@pytest.mark.parametrize(
    ("part", "type_", "subject"),
    [
        ("001-new-user-create", "user.created", "user:jdoe"),
        ("009-new-peer-delete", "peer.deleted", f"peer:{KEY}"),
        ("014-new-peer_metric-connect", "peer.connected", f"peer:{KEY}"),
        ("013-new-interface-delete", "interface.deleted", "interface:wg0"),
    ],
)
def test_the_form_is_that_of_version_2_1(part: str, type_: str, subject: str) -> None:
    native = json.loads(recording(part).hook.body)
    emission = emit(an_event(type_, subject=subject), secret=None, at=ARRIVAL)
    said = json.loads(emission.body)
    keys = [name.rpartition(".")[2] for name in emission.headers.get("Panelbridge-Left-Out", "").split(", ") if name]
    assert b"***" not in emission.body
    assert {*keys} <= {"PrivateKey", "PresharedKey"}
    assert {key: said[key] for key in ("event", "entity", "identifier")} == {
        key: native[key] for key in ("event", "entity", "identifier")
    }
    assert missing(native["payload"], said["payload"]) <= {"LastHandshake", "LastSessionStart", *keys}


def missing(recorded_: dict[str, Any], said: dict[str, Any]) -> set[str]:
    """The keys of the recorded payload that ours lacks, at any depth."""
    inner = [missing(value, said.get(key, {})) for key, value in recorded_.items() if isinstance(value, dict)]
    return (recorded_.keys() - said.keys()).union(*inner)


@pytest.mark.parametrize("state", ["disabled", "limited", "expired"])
def test_a_user_that_is_cut_off_is_an_update_with_the_reason(state: str) -> None:
    said = json.loads(emit(an_event(f"user.{state}"), secret=None, at=ARRIVAL).body)
    assert (said["entity"], said["event"]) == ("user", "update")
    assert (said["payload"]["Disabled"], said["payload"]["DisabledReason"]) == ("2026-11-21T04:14:18.500000Z", state)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_what_came_from_a_portal_goes_on_as_it_came(request_: Recorded) -> None:
    native = json.loads(request_.hook.body)
    assert json.loads(emit(an_event(panel="wgportal", native=native), secret=None, at=ARRIVAL).body) == native
