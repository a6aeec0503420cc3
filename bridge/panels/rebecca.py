"""Rebecca, Marzban's successor in Go: users, and the admins who keep them.

Source   github.com/rebeccapanel/Rebecca @ fd2464a (v0.1.4, run): internal/app/webhook/types.go, dispatcher.go and
         repository.go, internal/app/api/webhook_events.go
Secret   WEBHOOK_SECRET of its .env, one text
Sends    an array of {action, username, by?, enqueued_at, send_at, tries, user? or admin?}, 100 at most; 2 more tries,
         30 s apart; any 2xx is success, and of several addresses only the first that answers gets it
Signs    X-Webhook-Secret: the secret itself; absent where none is set
Units    data_limit in bytes, absent is unlimited; expire and enqueued_at in epoch seconds, no expire is never
Quirks   `by` is a text, where Marzban has an object; what is empty is left out
         `username` of admin_* is the admin's, and an admin can be called as a user is
         `enqueued_at` is the event's own time, kept by a retry; `tries` is 1 in the first try, and a retried element
         can stand beside a new one, so that each is judged by itself
         what the panel's own jobs do (expired, used up, the next plan) is not told, nor are nodes and logins; changing
         to on hold is user_updated
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import moment, name_of, object_at, present, text, utc, whole
from bridge.intake import Fingerprint
from bridge.panels.base import (
    UNNAMED,
    Hook,
    Panel,
    ParsedEvent,
    SourceConfig,
    fingerprint_key,
    header_obstacle,
    unknown_type,
)
from bridge.value import INT64_MAX

TYPES = {
    "user_created": "user.created",
    "user_updated": "user.updated",
    "user_deleted": "user.deleted",
    "user_enabled": "user.enabled",
    "user_disabled": "user.disabled",
    "user_limited": "user.limited",
    "user_expired": "user.expired",
    "data_usage_reset": "user.usage_reset",
    "auto_renew_applied": "user.plan_advanced",
    "subscription_revoked": "user.subscription_revoked",
    "admin_created": "admin.created",
    "admin_updated": "admin.updated",
    "admin_deleted": "admin.deleted",
    "admin_usage_reset": "admin.usage_reset",
}

#: What a retry changes in an element.
CHANGING = ("tries", "send_at")
#: Seconds in which the panel tries again: 3 times, 30 s apart, later where many batches wait.
RETRIES_WITHIN = 1800.0


class RebeccaConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES

    panel: Literal["rebecca"] = Field(description="Rebecca")

    def open(self) -> "RebeccaPanel":
        return RebeccaPanel(self)


class RebeccaPanel(Panel[RebeccaConfig]):
    paste: ClassVar[tuple[str, ...]] = ('WEBHOOK_ADDRESS="{url}"', 'WEBHOOK_SECRET="{secret}"')

    def verify_head(self, hook: Hook) -> bool:
        return self.verify_secret(hook.header("X-Webhook-Secret"))

    def obstacle(self, secret: str) -> str | None:
        return header_obstacle(secret)

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        """Equal elements of one time are one event; without a time nothing tells."""
        if not isinstance(element, dict) or moment(element.get("enqueued_at")) is None:
            return None
        key = fingerprint_key({name: value for name, value in element.items() if name not in CHANGING})
        return Fingerprint(key, within=RETRIES_WITHIN)

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        action = text(element.get("action")) or UNNAMED
        kind = "admin" if action.startswith("admin_") else "user"
        name = name_of(element.get("username")) or name_of(object_at(element, kind).get("username"))
        about = (
            _admin(name, object_at(element, "admin")) if kind == "admin" else _user(name, object_at(element, "user"))
        )
        return ParsedEvent(
            type=TYPES.get(action) or unknown_type("rebecca", action),
            native_type=action,
            subject=f"{kind}:{name}" if name else None,
            data=present(**about, actor=text(element.get("by"))),
            occurred_at=moment(element.get("enqueued_at")),
        )


def _user(name: str | None, user: JsonObject) -> JsonObject:
    known = present(
        username=name,
        status=text(user.get("status")),
        limit_bytes=_above_zero(user.get("data_limit")),
        expires_at=utc(_above_zero(user.get("expire"))),
        reset_strategy=text(user.get("data_limit_reset_strategy")),
    )
    return {"user": known}


def _admin(name: str | None, admin: JsonObject) -> JsonObject:
    details = present(Role=text(admin.get("role")), Users=name_of(_above_zero(admin.get("users_limit"))))
    limit = present(limit_bytes=_above_zero(admin.get("data_limit")))
    return {"admin": present(name=name, details=details), "usage": limit}


def _above_zero(value: Any) -> int | None:
    """The whole number; None where it is none, or 0, which limits nothing."""
    found = whole(value)
    return found if found is not None and 0 < found <= INT64_MAX else None
