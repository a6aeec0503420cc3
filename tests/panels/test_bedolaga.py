"""Bedolaga: a shop bot's users, payments and tickets, and who signed that."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given

from bridge.errors import BadSignature
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.bedolaga import EVENT, PENDING, SIGNATURE, TYPES, BedolagaConfig, BedolagaPanel
from tests.panels.hearing import JSON, gives_what_is_expected, heard, hook, keeps_its_feet, shaped
from tests.panels.recorded import Recorded, recorded

SECRET = "bedolaga-test-secret-0123456789abcdef"
REQUESTS = recorded("bedolaga")
SIGNED = [one for one in REQUESTS if not one.refuse]


def panel(secret: Any = SECRET) -> BedolagaPanel:
    return BedolagaPanel(BedolagaConfig.model_validate({"panel": "bedolaga", "secret": secret}))


def understood(native: str | None, **body: Any) -> ParsedEvent:
    (event,) = heard(panel("none"), hook({"user_id": 17, **body}, headers={EVENT: native} if native else {}))
    return event


def signed(body: Any, *, secret: str = SECRET, prefix: str = "sha256=") -> Hook:
    raw = json.dumps(body).encode()
    sign = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return hook(body=raw, headers={SIGNATURE: f"{prefix}{sign}"})


@pytest.mark.parametrize("request_", SIGNED, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)
    for event in heard(panel(), request_.hook):
        assert event.type == TYPES[event.native_type]


def test_what_is_not_signed_is_for_a_source_without_a_secret() -> None:
    (unsigned,) = [one for one in REQUESTS if one.refuse]
    with pytest.raises(BadSignature, match="no signature"):
        panel().verify(unsigned.hook)
    (event,) = heard(panel("none"), unsigned.hook)
    assert (event.native_type, event.subject) == ("payment.completed", "user:17")


@pytest.mark.parametrize("request_", [signed({}, secret="another"), signed({}, prefix=""), signed({}, prefix="sha1=")])
def test_what_is_signed_otherwise_is_refused(request_: Hook) -> None:
    with pytest.raises(BadSignature, match="wrong signature"):
        panel().verify(request_)


def test_one_of_several_secrets_is_enough() -> None:
    panel(["another", SECRET]).verify(signed({"user_id": 1}))


def test_a_payment_is_told_in_the_currency_s_own_unit() -> None:
    paid = {"transaction_id": 501, "amount_kopeks": 10050, "payment_method": "stars", "description": "Stars"}
    event = understood("payment.completed", **paid, is_completed=True)
    assert event.type == "payment.received"
    assert event.data["payment"] == {"id": "501", "amount": 100.5, "currency": "RUB", "gateway": "stars"}
    assert event.data["reason"] == "Stars"


@pytest.mark.parametrize(
    ("completed", "type_"), [(True, "payment.received"), (None, "payment.received"), (False, PENDING)]
)
def test_nobody_is_thanked_for_what_has_not_come(completed: Any, type_: str) -> None:
    assert understood("payment.completed", is_completed=completed).type == type_


@pytest.mark.parametrize(
    ("described", "reason"), [("Вывод средств", "Вывод средств"), ("", "withdrawal"), (None, "withdrawal")]
)
def test_a_transaction_says_what_it_is_and_whether_it_is_complete(described: str | None, reason: str) -> None:
    drawn = {"type": "withdrawal", "amount_kopeks": 15000, "description": described}
    event = understood("transaction.created", **drawn, is_completed=False)
    assert event.data["reason"] == reason
    assert event.data["payment"] == {"amount": 150.0, "currency": "RUB", "status": "pending"}
    assert "status" not in understood("transaction.created", **drawn, is_completed=True).data["payment"]


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"username": "alice", "email": "a@example.net"}, "alice"),
        ({"username": None, "telegram_id": 7}, "17"),
        ({"email": "a@example.net", "auth_type": "google"}, "a@example.net"),
    ],
)
def test_a_user_has_a_name_however_it_came(user: dict[str, Any], name: str) -> None:
    event = understood("user.created", **user)
    assert (event.data["user"]["username"], event.subject) == (name, "user:17")


def test_a_ticket_has_the_status_that_it_has_now() -> None:
    changed = understood("ticket.status_changed", ticket_id=88, old_status="closed", new_status="closed")
    assert changed.data["ticket"] == {"id": "88", "status": "closed"}
    written = understood("ticket.message_added", ticket_id=88, message_text="it works", status="open")
    assert written.data["ticket"] == {"id": "88", "status": "open", "message": "it works"}
    assert changed.type == written.type == "ticket.updated"


@pytest.mark.parametrize(("by_admin", "actor"), [(True, "admin"), (False, None), (None, None)])
def test_a_ticket_says_where_it_was_not_the_customer_who_wrote(by_admin: bool | None, actor: str | None) -> None:
    written = understood("ticket.message_added", ticket_id=88, message_text="try anew", is_from_admin=by_admin)
    assert written.data.get("actor") == actor


def test_what_has_no_name_has_none() -> None:
    assert (understood(None).type, understood("user.gone").type) == ("bedolaga.unnamed", "bedolaga.user.gone")
    assert understood("user.created", user_id=None).subject is None


@given(shaped(dict.fromkeys(("user_id", "username", "amount_kopeks", "is_completed", "ticket_id"), JSON)) | JSON)
def test_whatever_arrives_is_understood_or_refused(body: Any) -> None:
    for native in TYPES:
        keeps_its_feet(panel("none"), hook(body, headers={EVENT: native}))
