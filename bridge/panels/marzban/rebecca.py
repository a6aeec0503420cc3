"""Rebecca, Marzban's successor: what the panel in Go says of users, and of the admins who keep them.

Source   github.com/rebeccapanel/Rebecca @ fd2464a (run): internal/app/webhook/types.go, dispatcher.go, repository.go,
         internal/app/api/webhook_events.go; up to v0.1.4 (63ded2c, run) in Python: app/utils/notification.py,
         app/utils/report.py, app/jobs/send_notifications.py, app/models/user.py and admin.py
Secret   WEBHOOK_SECRET of its .env, one text
Sends    an array of {action, username, by?, enqueued_at, send_at, tries, user? or admin?}, 100 at most; 2 more tries,
         30 s apart; any 2xx is success, and of several addresses only the first that answers gets it
         up to 0.1.4: what Marzban sends, as it sends it
Signs    x-webhook-secret: the secret itself; absent where none is set. In UTF-8, up to 0.1.4 in Latin-1
Units    data_limit in bytes, absent is unlimited; expire and enqueued_at in epoch seconds, no expire is never
Quirks   `by` is a text, where Marzban has an object; what is empty is left out
         `username` of admin_* is the admin's, and an admin can be called as a user is
         `enqueued_at` is the event's own time, kept by a retry; `tries` is 1 in the first try, and a retried element
         can stand beside a new one, so that each is judged by itself
         what the panel's own jobs do (expired, used up, the next plan) is not told, nor are nodes and logins; changing
         to on hold is user_updated
         up to 0.1.4 `by` is an object, `enqueued_at` the start of the panel's process, and `tries` 0 in the first try;
         jobs tell what they do, admins are not told of; what a next plan does is data_reset_by_next, and beside it
         auto_renew_applied where it was begun while traffic was counted; setting one is auto_renew_set, beside
         user_created or user_updated
         up to 0.1.4 the links of a user hold `credential_key`, which stays until it is revoked
"""

from typing import Any

from bridge.event import JsonObject
from bridge.foreign import moment, name_of, object_at, present, text, utc, whole
from bridge.panels.base import UNNAMED, ParsedEvent, unknown_type
from bridge.panels.marzban.names import MARKS, REBECCA_TYPES
from bridge.value import INT64_MAX

#: Keys of `user` that the panel in Go does not know.
_OF_OTHERS = frozenset().union(*MARKS.values()) - {"proxies"}


def is_from_go(element: JsonObject, configured: str) -> bool:
    """Whether the panel in Go has made this; where the element leaves it open, whether Rebecca is configured."""
    by, user, is_configured = element.get("by"), object_at(element, "user"), configured == "rebecca"
    if isinstance(by, dict):
        return False
    if isinstance(element.get("admin"), dict) or (isinstance(by, str) and is_configured):
        return True
    if user.keys() & _OF_OTHERS or isinstance(user.get("proxies"), dict):
        return False
    return isinstance(by, str) or isinstance(user.get("proxies"), list) or is_configured


def parse(element: JsonObject) -> ParsedEvent:
    """What an element of the panel in Go says."""
    action = text(element.get("action")) or UNNAMED
    kind = "admin" if action.startswith("admin_") else "user"
    name = name_of(element.get("username")) or name_of(object_at(element, kind).get("username"))
    about = _admin(name, object_at(element, "admin")) if kind == "admin" else _user(name, object_at(element, "user"))
    return ParsedEvent(
        type=REBECCA_TYPES.get(action) or unknown_type("rebecca", action),
        native_type=action,
        subject=f"{kind}:{name}" if name else None,
        data=present(**about, actor=text(element.get("by"))),
        occurred_at=moment(element.get("enqueued_at")),
        panel="rebecca",
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
