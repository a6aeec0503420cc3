"""To speak like Marzban 0.8."""

import json
from datetime import datetime
from typing import Any

from bridge.event import Event, JsonObject
from bridge.foreign import object_at, text
from bridge.message import Emission
from bridge.originals import MASK
from bridge.panels.base import subject_name, without_masked_keys
from bridge.panels.marzban.figures import count, days_left, moment_or_never, percentage
from bridge.panels.marzban.names import MARKS, TYPES
from bridge.panels.marzban.rebecca import is_from_go

#: Marzban's word for a type, to speak its dialect.
ACTIONS = {type_: action for action, type_ in TYPES.items()} | {"user.on_hold": "user_enabled"}

#: The actions that name no admin: the work of Marzban's jobs.
JOBS = {"user_limited", "user_expired", "data_reset_by_next", "reached_usage_percent", "reached_days_left"}

STATUSES = ("active", "disabled", "limited", "expired", "on_hold")
STRATEGIES = ("no_reset", "day", "week", "month", "year")


def emit(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """The event as Marzban 0.8 would have sent it; what came from the family goes on as it came."""
    element, left_out = without_masked_keys(_native_element(event) or _element(event, at))
    headers = {"Content-Type": "application/json", **left_out}
    if secret:
        headers["x-webhook-secret"] = secret
    return Emission(headers, json.dumps([element]).encode())


def _native_element(event: Event) -> JsonObject | None:
    """The panel's own element, if it was one of the family's; one of Marzneshin's gets the name on top."""
    native = event.native
    if event.panel not in MARKS or not isinstance(native, dict) or native.get("action") != event.native_type:
        return None
    if event.panel == "rebecca" and is_from_go(native, "rebecca"):
        return None  # what is called as in Marzban there means something else
    return native if "username" in native else {**native, "username": _username(event)}


def _element(event: Event, at: datetime) -> JsonObject:
    action = ACTIONS.get(event.type)
    actor = text(event.data.get("actor"))
    element: JsonObject = {
        "enqueued_at": event.occurred_at.timestamp(),
        "send_at": at.timestamp(),
        "tries": 0,
        "username": _username(event),
        "action": action or event.type.replace(".", "_"),
    }
    if action not in JOBS and (action or actor):
        element["by"] = _admin_object(actor or "system")  # Marzban's own word where no admin did it
    if action != "user_deleted" and (action or "user" in event.data):
        element["user"] = _user_object(event)
    return element | _figures(event, action, at)


def _figures(event: Event, action: str | None, at: datetime) -> JsonObject:
    """What Marzban's models demand of a single action, always of the type that they demand."""
    match action:
        case "user_disabled":
            return {"reason": text(event.data.get("reason"))}
        case "reached_usage_percent":
            usage = {**object_at(event.data, "user"), **object_at(event.data, "usage")}
            used, limit = count(usage.get("used_bytes")), count(usage.get("limit_bytes"))
            return {"used_percent": percentage(usage.get("percent"), used, limit) or 0.0}
        case "reached_days_left":
            days = object_at(event.data, "expiry").get("days_left")
            return {"days_left": days_left(days, _expires_at(event), at) or 0}
    return {}


def _user_object(event: Event) -> JsonObject:
    user, owner = object_at(event.data, "user"), text(event.data.get("owner"))
    expires, strategy = moment_or_never(_expires_at(event)), (text(user.get("reset_strategy")) or "").lower()
    return {
        "proxies": {},
        "expire": int(expires.timestamp()) if expires else None,
        "data_limit": count(user.get("limit_bytes")) or None,
        "data_limit_reset_strategy": strategy if strategy in STRATEGIES else "no_reset",
        "inbounds": {},
        "note": text(user.get("note")) or "",
        "sub_updated_at": None,
        "sub_last_user_agent": None,
        "online_at": _zoneless(user.get("online_at")),
        "on_hold_expire_duration": count(user.get("on_hold_seconds")),
        "on_hold_timeout": _zoneless(user.get("on_hold_until")),
        "auto_delete_in_days": count(user.get("auto_delete_days")),
        "next_plan": None,
        "username": _username(event),
        "status": _status(event),
        "used_traffic": count(user.get("used_bytes")) or 0,
        "lifetime_used_traffic": count(user.get("lifetime_used_bytes")) or 0,
        "created_at": _zoneless(user.get("created_at")),
        "links": [],
        "subscription_url": "",
        "excluded_inbounds": {},
        "admin": _admin_object(owner) if owner else None,
    }


def _admin_object(name: str) -> JsonObject:
    return {"username": name, "is_sudo": False, "telegram_id": None, "discord_webhook": None, "users_usage": None}


def _status(event: Event) -> str:
    """The status that goes with the event; else the one that is known, as far as Marzban has a word for it."""
    after = event.type.removeprefix("user.").replace("enabled", "active")
    known = (text(object_at(event.data, "user").get("status")) or "").lower()
    return next((status for status in (after, known) if status in STATUSES), "active")


def _username(event: Event) -> str:
    """Whose event it is; a name that is masked is none: Marzban names someone in every element."""
    known = (text(object_at(event.data, "user").get("username")), subject_name(event))
    return next((name for name in known if name and name != MASK), "system")


def _expires_at(event: Event) -> Any:
    keys = (("user", "expires_at"), ("expiry", "at"), ("subscription", "expires_at"))
    return next((at for key, field in keys if (at := object_at(event.data, key).get(field))), None)


def _zoneless(value: Any) -> str | None:
    """ISO 8601 in UTC without saying so, as Marzban writes it."""
    at = moment_or_never(value)
    return at.replace(tzinfo=None).isoformat() if at else None
