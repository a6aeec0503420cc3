"""What a customer's message may speak of: `me`, and nothing else of the event.

It is made by name, from the keys of `data` that are the customer's own business; what is not in it cannot be printed,
whatever a template says. It is made when the message is sent: what has waited for the morning says the days that are
left then.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.clock import in_zone
from bridge.event import Event
from bridge.foreign import object_at
from bridge.messages.values import figure, moment
from bridge.people.announcement import is_announcement
from bridge.value import Value
from bridge.vocabulary import event_type

#: The folder of what customers are told.
CUSTOMERS = "customers"
#: The folder of templates by which the operator announces something: a file for each, a block for each language.
ANNOUNCEMENTS = "announcements"
#: The block of a service's message in which the words stand.
WORDS = "text"
#: The types that there are words for, each a block of such a file, with _ for the dot.
TOLD = frozenset(
    (
        *("user.created", "user.expiring", "user.usage_threshold", "user.limited", "user.expired"),
        *("user.expired_reminder", "user.enabled", "user.disabled", "user.usage_reset", "user.subscription_revoked"),
        *("subscription.renewed", "device.limit_reached", "device.added"),
    )
)
#: The block of what stands before the words, where others are told in the same chat.
SEVERAL = "several"
#: The block of what stands under the words: who speaks.
SIGNATURE = "signature"
#: What the words of a type cannot do without.
_NEEDED = {
    "user.expiring": ("days_left",),
    "user.expired_reminder": ("days_ago",),
    "user.usage_threshold": ("percent",),
}
LONGEST = 40  # characters of a device's name
DAY, HOUR = 86400.0, 3600.0


def customer_files(service: str, locale: str) -> list[str]:
    """Where the words are: with what a service has around them, where it has any, else those of all services."""
    file = f"{CUSTOMERS}/{locale}.j2"
    return [f"{service}/{file}", file]


class Me(Value, kw_only=True):
    """A customer as they know themselves; None and the empty text for what nobody has said.

    Times are aware and local, sizes bytes. `days_left` is counted in dates, as people do, at least 1 while it lasts;
    `days_ago` the same once it is over. `hours_left` is rounded down, None from a day on and once it is over.
    `several`: others are told at the same address. `color`: a number for services that paint.
    `stop`: a link to be told nothing more there, empty where there is none.
    """

    name: str
    plan: str
    status: str
    expires_at: datetime | None
    days_left: int | None
    days_ago: int | None
    hours_left: int | None
    used_bytes: int | None
    limit_bytes: int | None
    left_bytes: int | None
    percent: int | None
    resets: str
    device: str
    device_limit: int | None
    locale: str
    zone: str
    color: int
    several: bool = False
    stop: str = ""


def is_told(event: Event, at: datetime) -> bool:
    """Whether there is something to say to a customer of it."""
    if is_announcement(event):
        return True
    if event.type not in TOLD:
        return False
    me = me_of(event, at=at, zone=ZoneInfo("UTC"), locale="en")
    return all(getattr(me, name) is not None for name in _NEEDED.get(event.type, ()))


def me_of(event: Event, *, at: datetime, zone: ZoneInfo, locale: str, several: bool = False, stop: str = "") -> Me:
    """The customer that an event is about, as things stand at `at`."""
    data = event.data
    user, usage, plan = (object_at(data, name) for name in ("user", "usage", "subscription"))
    expires_at = moment(user.get("expires_at")) or moment(object_at(data, "expiry").get("at"))
    expires_at = expires_at or moment(plan.get("expires_at"))
    local = None if expires_at is None else in_zone(expires_at, zone)
    used, limit = (_whole(user.get(name, usage.get(name))) for name in ("used_bytes", "limit_bytes"))
    percent = _whole(usage.get("percent"))
    if percent is None and used is not None and limit:
        percent = used * 100 // limit
    return Me(
        name=_text(user.get("username")),
        plan=_text(plan.get("plan")),
        status=_text(user.get("status")),
        expires_at=local,
        used_bytes=used,
        limit_bytes=limit,
        left_bytes=None if used is None or not limit else max(0, limit - used),
        percent=percent,
        resets=_text(user.get("reset_strategy")),
        device=_text(object_at(data, "device").get("name"))[:LONGEST],
        device_limit=_whole(user.get("device_limit")),
        locale=locale,
        zone=zone.key,
        color=event_type(event.type).color,
        several=several,
        stop=stop,
        **_left(local, in_zone(at, zone)),
    )


def _left(end: datetime | None, now: datetime) -> dict[str, int | None]:
    if end is None:
        return {"days_left": None, "days_ago": None, "hours_left": None}
    seconds, days = (end - now).total_seconds(), (end.date() - now.date()).days
    if seconds <= 0:
        return {"days_left": None, "days_ago": max(1, -days), "hours_left": None}
    return {
        "days_left": max(1, days),
        "days_ago": None,
        "hours_left": int(seconds // HOUR) if seconds < DAY else None,
    }


def _whole(value: Any) -> int | None:
    count = figure(value)
    return None if count is None else int(count)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
