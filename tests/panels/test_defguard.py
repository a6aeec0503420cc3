"""Defguard: what its webhooks say of users."""

from typing import Any

import pytest
from hypothesis import given

from bridge.errors import BadSignature
from bridge.panels.base import ParsedEvent
from bridge.panels.defguard import EVENT, TYPES, DefguardConfig, DefguardPanel
from tests.panels.hearing import JSON, gives_what_is_expected, heard, hook, keeps_its_feet, shaped, stored
from tests.panels.recorded import Recorded, recorded

SECRET = "defguard-test-token-0123456789"
REQUESTS = recorded("defguard")


def panel(secret: Any = SECRET) -> DefguardPanel:
    return DefguardPanel(DefguardConfig.model_validate({"panel": "defguard", "secret": secret}))


def understood(native: str | None, **user: Any) -> ParsedEvent:
    headers = {} if native is None else {EVENT: native}
    (event,) = heard(panel("none"), hook({"username": "alice", **user}, headers=headers))
    return event


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)
    for event in heard(panel(), request_.hook):
        assert event.type == TYPES[event.native_type]


def test_all_that_is_known_is_told() -> None:
    user = {"id": 12, "email": "a@example.net", "first_name": "A", "last_name": "D", "groups": ["vpn"]}
    assert understood("user_created", is_active=True, **user).data["user"] == {
        **user, "id": "12", "username": "alice", "active": True, "status": "active",
    }  # fmt: skip


@pytest.mark.parametrize(("active", "status"), [(True, "active"), (False, "disabled"), (None, None), ("odd", None)])
def test_a_user_that_is_disabled_is_a_user_that_was_changed(active: Any, status: str | None) -> None:
    event = understood("user_modified", is_active=active)
    assert (event.type, event.data["user"].get("status")) == ("user.updated", status)


def test_what_has_no_name_has_none() -> None:
    assert (understood(None).native_type, understood("group_created").type) == ("unnamed", "defguard.group_created")
    assert understood("user_deleted", username=None).subject is None


def test_two_equal_requests_are_two_events() -> None:
    assert [panel().fingerprint(one, 0, request.hook) for request in REQUESTS for one in [{}]] == [None] * len(REQUESTS)


def test_keys_of_users_and_devices_are_kept_nowhere() -> None:
    body = {"username": "alice", "ssh_key": "ssh-ed25519 AAAA", "devices": [{"wireguard_pubkey": "BBBB"}]}
    kept = stored(panel("none"), hook(body, headers={EVENT: "user_keys"}))
    assert "AAAA" not in kept
    assert "BBBB" not in kept


@pytest.mark.parametrize("given_", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": SECRET}])
def test_who_does_not_know_the_token_is_refused(given_: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        panel().verify(hook({}, headers=given_))


@given(shaped(dict.fromkeys(("id", "username", "email", "groups", "is_active", "devices"), JSON)) | JSON)
def test_whatever_arrives_is_understood_or_refused(body: Any) -> None:
    keeps_its_feet(panel("none"), hook(body, headers={EVENT: "user_modified"}))
