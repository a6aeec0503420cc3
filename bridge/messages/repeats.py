"""When two events say the same, so that a digest says it once, with ×N.

Same is what a reader could not tell apart but for when it happened: type, source, subject, and the data without the
stamps and counters that grow by themselves. A failed login of the same name from another address is another saying.
What lies ahead stays in: a user who expires on another day is another saying too.
"""

import json
from collections.abc import Hashable
from typing import Any

import orjson

from bridge.event import Event

#: Times that something lasts until: they do not pass by themselves.
AHEAD = frozenset({"expires_at", "due_at"})
#: Stamps by another name than `…_at`, and counters of traffic and connections.
GROWING = frozenset({"timestamp", "used_bytes", "lifetime_used_bytes", "received_bytes", "sent_bytes", "users_online"})


def saying(event: Event) -> Hashable:
    """What the event says: equal for two events that say the same."""
    return event.type, event.source, event.native_type, event.subject, _lasting(event)


def _lasting(event: Event) -> bytes | str:
    """The data without what grows, in one spelling; the event's own id where it cannot be spelt."""
    try:
        data = _still(dict(event.data))
        try:
            return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # whole numbers beyond 64 bits, half a surrogate pair: what orjson refuses
            return json.dumps(data, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return event.id


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _still(one) if isinstance(one, dict | list) else one
            for key, one in value.items()
            if key not in GROWING and (key[-3:] != "_at" or key in AHEAD)
        }
    return [_still(one) for one in value] if isinstance(value, list) else value
