"""Bedolaga, a shop bot beside Remnawave: who came, what was paid, and what was asked.

Source   github.com/BEDOLAGA-DEV/remnawave-bedolaga-telegram-bot (run): app/services/webhook_service.py, and who emits
Secret   of the webhook, perhaps none
Sends    POST the payload alone: of users {user_id, telegram_id, username, email, …}, of payments {transaction_id,
         user_id, type, amount_kopeks, payment_method, is_completed, …}, of tickets {ticket_id, user_id, title, status,
         priority, …}; one try
Signs    X-Webhook-Signature: sha256=<hex HMAC-SHA256 of the raw body>; absent where it has no secret
Units    amount_kopeks in kopeks, whole
Quirks   what happened stands in the header X-Webhook-Event alone, which is not signed; X-Webhook-Id numbers the hook
         it carries neither an id nor a time: whoever sees a request can send it again
         a user is of Telegram, of an e-mail or of OAuth; a payment.completed may have is_completed false
         a transaction's description may be empty: what it is then says its type alone, as withdrawal
         old_status of a ticket is the new one; message_text is what a customer wrote, or where is_from_admin an admin,
         whose own number user_id is then, unless the answer came by its API; cut off at 200 characters
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload, BadSignature
from bridge.event import JsonObject
from bridge.foreign import name_of, present, text, whole
from bridge.panels.base import UNNAMED, Hook, Panel, ParsedEvent, SourceConfig, unknown_type

TYPES = {
    "user.created": "user.created",
    "payment.completed": "payment.received",
    "transaction.created": "bedolaga.transaction.created",
    "ticket.created": "ticket.created",
    "ticket.status_changed": "ticket.updated",
    "ticket.message_added": "ticket.updated",
}
PENDING = "payment.pending"

EVENT, SIGNATURE, PREFIX = "X-Webhook-Event", "X-Webhook-Signature", b"sha256="
CURRENCY = "RUB"
ADMIN = "admin"  # who wrote, where the customer did not: with the number of whoever that is, or of the customer


class BedolagaConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES
    other_types: ClassVar[frozenset[str]] = frozenset({PENDING})

    panel: Literal["bedolaga"] = Field(description="Bedolaga's shop bot")

    def open(self) -> "BedolagaPanel":
        return BedolagaPanel(self)


class BedolagaPanel(Panel[BedolagaConfig]):
    paste: ClassVar[tuple[str, ...]] = ("POST {url}", "secret: {secret}")

    def verify_head(self, hook: Hook) -> bool:
        if self._secrets and not hook.header(SIGNATURE):
            raise BadSignature(f"no signature in {SIGNATURE}")
        return not self._secrets

    def verify_body(self, hook: Hook) -> None:
        given = (hook.header(SIGNATURE) or b"").strip()
        made = [PREFIX + hmac.new(one, hook.body, hashlib.sha256).hexdigest().encode() for one in self._secrets]
        matches = [hmac.compare_digest(given, one) for one in made]
        if not any(matches):
            raise BadSignature("wrong signature")

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        native = (hook.header(EVENT) or b"").decode("utf-8", "replace").strip() or UNNAMED
        pending = native == "payment.completed" and element.get("is_completed") is False
        name = name_of(element.get("user_id"))
        return ParsedEvent(
            type=PENDING if pending else TYPES.get(native) or unknown_type("bedolaga", native),
            native_type=native,
            subject=f"user:{name}" if name else None,
            data=_data(native, element),
        )


def _data(native: str, element: JsonObject) -> JsonObject:
    family = native.partition(".")[0]
    about: JsonObject = {}
    if family in ("payment", "transaction"):
        kind = text(element.get("type")) if family == "transaction" else None
        about = {"payment": _payment(element), "reason": text(element.get("description")) or kind}
    elif family == "ticket":
        about = {"ticket": _ticket(element), "actor": ADMIN if element.get("is_from_admin") is True else None}
    return present(user=_user(element), **about)


def _user(element: JsonObject) -> JsonObject:
    return present(
        id=name_of(element.get("user_id")),
        username=text(element.get("username")) or text(element.get("email")) or name_of(element.get("user_id")),
        email=text(element.get("email")),
        first_name=text(element.get("first_name")),
        last_name=text(element.get("last_name")),
        telegram_id=whole(element.get("telegram_id")),
    )


def _payment(element: JsonObject) -> JsonObject:
    kopeks = whole(element.get("amount_kopeks"))
    return present(
        id=name_of(element.get("transaction_id")),
        amount=None if kopeks is None else kopeks / 100,
        currency=None if kopeks is None else CURRENCY,
        gateway=text(element.get("payment_method")),
        status="pending" if element.get("is_completed") is False else None,
    )


def _ticket(element: JsonObject) -> JsonObject:
    return present(
        id=name_of(element.get("ticket_id")),
        title=text(element.get("title")),
        status=text(element.get("new_status")) or text(element.get("status")),
        priority=text(element.get("priority")),
        message=text(element.get("message_text")),
    )
