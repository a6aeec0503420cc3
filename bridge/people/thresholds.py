"""What a customer is told once: a threshold, until it was reset by a renewal. Pure: it follows from the event alone.

A panel says again and again that 83 % are used, or that three days are left, in several events, from two replicas. What
an event says is brought to the highest step that it has reached; of a cycle no step is told twice, and none after a
higher one. A cycle ends where the next step is of another one, or where an event says that it has ended.
"""

from datetime import datetime

from bridge.event import Event
from bridge.foreign import moment, number, object_at
from bridge.intake import Renewal, Threshold
from bridge.value import INT64_MAX

#: The types that tell of a step, and of which family it is.
FAMILIES = {
    "user.usage_threshold": "used",
    "user.limited": "used",
    "user.expiring": "left",
    "user.expired": "left",
    "user.expired_reminder": "left",
}
#: Percent of the traffic, and days that are left, at which a customer is told.
USED = (50, 75, 80, 90, 95, 100)
LEFT = (30, 14, 7, 5, 3, 2, 1, 0)
DAY = 86400.0


def threshold_of(event: Event) -> Threshold | None:
    """The step that an event says was reached; None where it speaks of none, or what its cycle is cannot be told."""
    match FAMILIES.get(event.type):
        case "used":
            return _used(event)
        case "left":
            return _left(event)
        case _:
            return None


def renewals_of(event: Event) -> tuple[Renewal, ...]:
    """What an event says that begins anew. Who has access again was given traffic, or days, where these had run out."""
    match event.type:
        case "user.usage_reset":
            return (Renewal("used", 0),)
        case "subscription.renewed":
            return Renewal("used", 0), *_without_end(event, Renewal("left", -LEFT[0]))
        case "user.enabled":
            return Renewal("used", 100), *_without_end(event, Renewal("left", 0))
        case _:
            return ()


def is_renewed(event: Event, later: Event) -> bool:
    """Whether what an event tells a customer of is over, as a later one says: what it is about has begun anew, it ends
    later now, or there is more traffic.
    """
    step = threshold_of(event)
    if step is None or later.occurred_at < event.occurred_at:
        return False
    if any(one.family == step.family and one.least <= step.rank for one in renewals_of(later)):
        return True
    if step.family == "left":
        end, other = _end(event), _end(later)
        return end is not None and other is not None and other > end
    limit, size = _size(event, "limit_bytes"), _size(later, "limit_bytes")
    return limit is not None and size is not None and size > limit


def _without_end(event: Event, renewal: Renewal) -> tuple[Renewal, ...]:
    """The renewal, unless the event names an end: then that tells whether it is another one."""
    return () if _end(event) is not None else (renewal,)


def _used(event: Event) -> Threshold | None:
    usage, used, limit = object_at(event.data, "usage"), _size(event, "used_bytes"), _size(event, "limit_bytes")
    percent = 100 if event.type == "user.limited" else number(usage.get("percent"))
    if percent is None and used is not None and limit:
        percent = used * 100 // limit
    if not limit or percent is None:
        return None
    reached = max((step for step in USED if step <= percent), default=0)
    return Threshold("used", str(limit), reached, used or 0)


def _size(event: Event, name: str) -> int | None:
    """A figure of the traffic in whole bytes, as near as a store can keep it."""
    user, usage = object_at(event.data, "user"), object_at(event.data, "usage")
    found = number(user.get(name, usage.get(name)))
    return None if found is None else max(-INT64_MAX, min(int(found), INT64_MAX))


def _left(event: Event) -> Threshold | None:
    end = _end(event)
    if end is None:
        return None
    cycle = f"{end:%Y-%m-%dT%H:%M}"
    if event.type == "user.expired":
        return Threshold("left", cycle, 0)
    days = (end - event.occurred_at).total_seconds() / DAY
    if event.type == "user.expired_reminder":
        return Threshold("left", cycle, max(1, round(-days)))
    return Threshold("left", cycle, -min((step for step in LEFT if step >= round(days, 1)), default=LEFT[0]))


def _end(event: Event) -> datetime | None:
    """When the plan ends, wherever that stands, as a message says it."""
    user, expiry, plan = (object_at(event.data, name) for name in ("user", "expiry", "subscription"))
    return moment(user.get("expires_at")) or moment(expiry.get("at")) or moment(plan.get("expires_at"))
