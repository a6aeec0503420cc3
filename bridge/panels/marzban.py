"""Marzban and its forks PasarGuard and Marzneshin: who was created, changed, cut off.

Source   github.com/Gozargah/Marzban @ 7f396db (v0.8.4): app/utils/notification.py, app/jobs/send_notifications.py;
         github.com/PasarGuard/panel v5.2.1: app/notification/webhook; github.com/marzneshin/marzneshin v0.7.4
Secret   one text of the panel's settings; PasarGuard has one for each URL
Sends    Marzban 0.4+ and PasarGuard: an array of {action, username, enqueued_at, send_at, tries, user?, by?};
         Marzban 0.3: one such object with username, action, enqueued_at, tries alone;
         Marzneshin: one object {action, created_at, user, by?}, the name only in `user`
Signs    x-webhook-secret: the secret itself, no HMAC; absent where none is set
Units    sizes in bytes, 0 or null is unlimited; `expire` is epoch seconds in Marzban, ISO 8601 in PasarGuard,
         `expire_date` without zone in Marzneshin; times without zone are UTC
Quirks   an element is told by its shape, for people move from one to the other and keep the source
         `enqueued_at` of Marzban and `created_at` of Marzneshin are the start of the panel's process: not used
         PasarGuard sends its next plan as data_usage_reset without `by`, and on hold as user_enabled
         Marzneshin's user_deactivated says why in `user`; its thresholds come without the figure
         there is no id, and two real events of Marzban can be equal byte for byte: only one whose `tries` is above 0
         can be a repeat, of one that is equal but for `tries` and `send_at`; PasarGuard's `tries` stays 0, but its
         `enqueued_at` is true, and an equal element is a repeat; Marzneshin never repeats
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import Event, JsonObject, iso
from bridge.foreign import moment, number, object_at, present, required_text, text, texts, whole
from bridge.intake import Fingerprint
from bridge.message import Dialect, Emission
from bridge.panels.base import Hook, Panel, ParsedEvent, SourceConfig, digest, json_elements, unknown_type

#: What Marzban and PasarGuard call what happened.
TYPES = {
    "user_created": "user.created",
    "user_updated": "user.updated",
    "user_deleted": "user.deleted",
    "user_enabled": "user.enabled",
    "user_disabled": "user.disabled",
    "user_limited": "user.limited",
    "user_expired": "user.expired",
    "reached_days_left": "user.expiring",
    "reached_usage_percent": "user.usage_threshold",
    "data_usage_reset": "user.usage_reset",
    "data_reset_by_next": "user.plan_advanced",
    "subscription_revoked": "user.subscription_revoked",
}

#: Marzban's word for a type, to speak its dialect.
ACTIONS = {type_: action for action, type_ in TYPES.items()} | {"user.on_hold": "user_enabled"}

#: Marzneshin's own words.
MARZNESHIN_TYPES = {"user_activated": "user.enabled", "user_deactivated": "user.disabled"}

#: Keys of `user` and `by` that only one panel of the family has.
MARKS = {
    "marzneshin": {"expire_strategy", "data_limit_reached", "owner_username", "all_services_access", "service_ids"},
    "pasarguard": {"proxy_settings", "group_ids", "group_names", "edit_at", "role", "sub_domain", "support_url"},
    "marzban": {"proxies", "inbounds", "excluded_inbounds", "links", "users_usage"},
}

#: The actions that name no admin: the work of Marzban's jobs.
JOBS = {"user_limited", "user_expired", "data_reset_by_next", "reached_usage_percent", "reached_days_left"}

#: What a retry changes in an element.
CHANGING = ("tries", "send_at")
#: Seconds in which the panels try again: 4 times, 180 s apart, later where the batches are big.
RETRIES_WITHIN = 1800.0

STATUSES = ("active", "disabled", "limited", "expired", "on_hold")
STRATEGIES = ("no_reset", "day", "week", "month", "year")


class MarzbanConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES | MARZNESHIN_TYPES

    panel: Literal["marzban", "pasarguard", "marzneshin"] = Field(description="Marzban or one of its forks")

    def open(self) -> "MarzbanPanel":
        return MarzbanPanel(self)

    @classmethod
    def dialect(cls) -> Dialect:
        return emit


class MarzbanPanel(Panel[MarzbanConfig]):
    paste: ClassVar[tuple[str, ...]] = ('WEBHOOK_ADDRESS="{url}"', 'WEBHOOK_SECRET="{secret}"')
    masks: ClassVar[tuple[str, ...]] = (
        "user.proxies",
        "user.proxy_settings",
        "user.links",
        "user.subscription_url",
        "user.key",
        *(
            f"{admin}.{secret}"
            for admin in ("by", "user.admin")
            for secret in ("discord_webhook", "telegram_id", "note", "role", "permission_overrides")
        ),
    )

    def verify(self, hook: Hook) -> None:
        self.proves(hook.header("x-webhook-secret"))

    def elements(self, hook: Hook) -> Sequence[Any]:
        return json_elements(hook.body)

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        """PasarGuard's is told by its `user`, which is in all that it has sent since its stamp is true (2.0)."""
        if not isinstance(element, dict) or not text(element.get("username")) or not text(element.get("action")):
            return None
        key = digest({name: value for name, value in element.items() if name not in CHANGING})
        if object_at(element, "user").keys() & MARKS["pasarguard"]:
            stamped = _time(element.get("enqueued_at")) is not None
            return Fingerprint(key, within=RETRIES_WITHIN) if stamped else None
        tries = _tries(element)
        return None if tries is None else Fingerprint(key, tries, RETRIES_WITHIN)

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        action = required_text(element, "action")
        username = _username(element)
        panel = _shape(element, self.config.panel)
        type_ = _type(element, action, panel)
        return ParsedEvent(
            type=type_,
            native_type=action,
            subject=f"user:{username}",
            data=_data(element, username, type_, hook.received_at),
            occurred_at=_time(element.get("enqueued_at")) if panel == "pasarguard" else None,
            panel=panel,
        )


def _tries(element: JsonObject) -> int | None:
    """How often the panel has tried before, None where it does not say so."""
    tries = element.get("tries")
    return tries if type(tries) is int and 0 <= tries < 2**31 else None


def _username(element: JsonObject) -> str:
    """The exact name; Marzneshin has it only in `user`."""
    if element.get("username") is None and isinstance(element.get("user"), dict):
        return required_text(element, "user", "username")
    return required_text(element, "username")


def _shape(element: JsonObject, configured: str) -> str:
    """Which panel of the family made this; the configured one where the element leaves it open."""
    keys = {*object_at(element, "user"), *object_at(element, "by")}
    for panel, marks in MARKS.items():
        if keys & marks:
            return panel
    if element.get("username") is None:
        return "marzneshin"
    return "marzban" if configured == "marzneshin" else configured


def _type(element: JsonObject, action: str, panel: str) -> str:
    user = object_at(element, "user")
    match action:
        case "user_enabled" if user.get("status") == "on_hold":
            return "user.on_hold"
        case "data_usage_reset" if panel == "pasarguard" and "by" not in element:
            return "user.plan_advanced"
        case "user_deactivated" if user.get("expired") is True:
            return "user.expired"
        case "user_deactivated" if user.get("data_limit_reached") is True:
            return "user.limited"
    return TYPES.get(action) or MARZNESHIN_TYPES.get(action) or unknown_type(panel, action)


def _data(element: JsonObject, username: str, type_: str, now: datetime) -> JsonObject:
    user = object_at(element, "user")
    known = _user(username, user)
    used, limit, expires_at = known.get("used_bytes"), known.get("limit_bytes"), known.get("expires_at")
    data = present(
        user=known,
        owner=text(object_at(user, "admin").get("username")) or text(user.get("owner_username")),
        actor=text(object_at(element, "by").get("username")),
        reason=text(element.get("reason")),
    )
    if type_ == "user.usage_threshold":
        percent = _percent(element.get("used_percent"), used, limit)
        data["usage"] = present(used_bytes=used, limit_bytes=limit, percent=percent)
    if type_ == "user.expiring":
        data["expiry"] = present(at=expires_at, days_left=_days(element.get("days_left"), expires_at, now))
    return data


def _user(username: str, user: JsonObject) -> JsonObject:
    next_plan, active = user.get("next_plan"), user.get("is_active")
    return present(
        username=username,
        id=_count(user.get("id")),
        status=text(user.get("status")) or _spelled_out(user),
        note=text(user.get("note")),
        used_bytes=_count(user.get("used_traffic")),
        limit_bytes=_count(user.get("data_limit")) or None,
        lifetime_used_bytes=_count(user.get("lifetime_used_traffic")),
        reset_strategy=text(user.get("data_limit_reset_strategy")),
        expires_at=_when(user.get("expire")) or _when(user.get("expire_date")),
        created_at=_when(user.get("created_at")),
        online_at=_when(user.get("online_at")),
        device_limit=_count(user.get("hwid_limit")) or None,
        groups=texts(user.get("group_names")),
        on_hold_seconds=_count(user.get("on_hold_expire_duration")) or _count(user.get("usage_duration")) or None,
        next_plan=bool(next_plan) if "next_plan" in user else None,
        active=active if isinstance(active, bool) else None,
    )


def _spelled_out(user: JsonObject) -> str | None:
    """Marzneshin gives the status as flags: the word that the rest of the family would say."""
    if user.get("enabled") is False:
        return "disabled"
    if user.get("expired") is True:
        return "expired"
    if user.get("data_limit_reached") is True:
        return "limited"
    if user.get("expire_strategy") == "start_on_first_use":
        return "on_hold"
    return "active" if user.get("is_active") is True else None


def emit(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """The event as Marzban 0.8 would have sent it; what came from the family goes on as it came."""
    headers = {"Content-Type": "application/json"}
    if secret:
        headers["x-webhook-secret"] = secret
    return Emission(headers, json.dumps([_own(event) or _translated(event, at)]).encode())


def _own(event: Event) -> JsonObject | None:
    """The panel's own element, if it was one of the family's; one of Marzneshin's gets the name on top."""
    native = event.native
    if event.panel not in MARKS or not isinstance(native, dict) or native.get("action") != event.native_type:
        return None
    return native if "username" in native else {**native, "username": _name(event)}


def _translated(event: Event, at: datetime) -> JsonObject:
    action = ACTIONS.get(event.type)
    actor = text(event.data.get("actor"))
    element: JsonObject = {
        "enqueued_at": event.occurred_at.timestamp(),
        "send_at": at.timestamp(),
        "tries": 0,
        "username": _name(event),
        "action": action or event.type.replace(".", "_"),
    }
    if action not in JOBS and (action or actor):
        element["by"] = _admin(actor or "system")  # Marzban's own word where no admin did it
    if action != "user_deleted" and (action or "user" in event.data):
        element["user"] = _as_marzban(event)
    return element | _figures(event, action, at)


def _figures(event: Event, action: str | None, at: datetime) -> JsonObject:
    """What Marzban's models demand of a single action, always of the type that they demand."""
    match action:
        case "user_disabled":
            return {"reason": text(event.data.get("reason"))}
        case "reached_usage_percent":
            usage = {**object_at(event.data, "user"), **object_at(event.data, "usage")}
            used, limit = _count(usage.get("used_bytes")), _count(usage.get("limit_bytes"))
            return {"used_percent": _percent(usage.get("percent"), used, limit) or 0.0}
        case "reached_days_left":
            return {"days_left": _days(object_at(event.data, "expiry").get("days_left"), _expires(event), at) or 0}
    return {}


def _as_marzban(event: Event) -> JsonObject:
    user, owner = object_at(event.data, "user"), text(event.data.get("owner"))
    expires, strategy = _time(_expires(event)), (text(user.get("reset_strategy")) or "").lower()
    return {
        "proxies": {},
        "expire": int(expires.timestamp()) if expires else None,
        "data_limit": _count(user.get("limit_bytes")) or None,
        "data_limit_reset_strategy": strategy if strategy in STRATEGIES else "no_reset",
        "inbounds": {},
        "note": text(user.get("note")) or "",
        "sub_updated_at": None,
        "sub_last_user_agent": None,
        "online_at": _zoneless(user.get("online_at")),
        "on_hold_expire_duration": _count(user.get("on_hold_seconds")),
        "on_hold_timeout": None,
        "auto_delete_in_days": None,
        "next_plan": None,
        "username": _name(event),
        "status": _status(event),
        "used_traffic": _count(user.get("used_bytes")) or 0,
        "lifetime_used_traffic": _count(user.get("lifetime_used_bytes")) or 0,
        "created_at": _zoneless(user.get("created_at")),
        "links": [],
        "subscription_url": "",
        "excluded_inbounds": {},
        "admin": _admin(owner) if owner else None,
    }


def _admin(name: str) -> JsonObject:
    return {"username": name, "is_sudo": False, "telegram_id": None, "discord_webhook": None, "users_usage": None}


def _status(event: Event) -> str:
    """The status that goes with the event; else the one that is known, as far as Marzban has a word for it."""
    after = event.type.removeprefix("user.").replace("enabled", "active")
    known = (text(object_at(event.data, "user").get("status")) or "").lower()
    return next((status for status in (after, known) if status in STATUSES), "active")


def _name(event: Event) -> str:
    known = text(object_at(event.data, "user").get("username"))
    return known or (event.subject or "").partition(":")[2] or "system"  # Marzban names someone in every element


def _expires(event: Event) -> Any:
    keys = (("user", "expires_at"), ("expiry", "at"), ("subscription", "expires_at"))
    return next((at for key, field in keys if (at := object_at(event.data, key).get(field))), None)


def _count(value: Any) -> int | None:
    """The whole number, if a counter can show it: not negative, and within 64 bits."""
    found = whole(value)
    return found if found is not None and 0 <= found < 2**64 else None


def _percent(given: Any, used: int | None, limit: int | None) -> float | None:
    """The panel's figure; without one, as much of the limit as is used."""
    found = number(given)
    if found is not None and 0 <= found < 2**64:
        return float(found)
    return 100 * used / limit if used is not None and limit else None


def _days(given: Any, expires_at: Any, now: datetime) -> int | None:
    """The panel's figure; without one to the nearest day: Marzneshin tells half a minute before or after it is full."""
    if (days := _count(given)) is not None:
        return days
    end = _time(expires_at)
    return max(0, round((end - now).total_seconds() / 86400)) if end else None


def _time(value: Any) -> datetime | None:
    """Aware UTC, from epoch seconds or ISO 8601 text; None for never and for nonsense."""
    if value is None:
        return None
    seconds = number(value)
    if seconds is None:
        return moment(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _when(value: Any) -> str | None:
    at = _time(value)
    return iso(at) if at else None


def _zoneless(value: Any) -> str | None:
    """ISO 8601 in UTC without saying so, as Marzban writes it."""
    at = _time(value)
    return at.replace(tzinfo=None).isoformat() if at else None
