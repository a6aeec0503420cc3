"""What OrbVPN's events and objects are called, and what we call them."""

import re
from typing import Any

from bridge.foreign import FieldMap, number, text, truth, whole
from bridge.vocabulary import DOCUMENTED, TYPES

#: Every spelling of a name, upper case with underscores → canonical type.
NAMES = {**{type_.upper().replace(".", "_"): type_ for type_ in TYPES}, **DOCUMENTED}


def event_name(name: str) -> str:
    """A name in the spelling of NAMES: `user.created` and `User Created` as USER_CREATED."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper()


def id_of(value: Any) -> int | str | None:
    """A number, or the text that an id is elsewhere."""
    found = whole(value)
    return text(value) if found is None else found


USER: FieldMap = {
    "username": ("username", text),
    "email": ("email", text),
    "user_id": ("id", id_of),
    "active": ("active", truth),
}
PROFILE: FieldMap = {
    "first_name": ("first_name", text),
    "last_name": ("last_name", text),
    "country": ("country", text),
    "phone": ("phone", text),
}
#: Each object in snake_case, and what we call its fields; `expires_at` is read apart, for it needs the zone.
OBJECTS: dict[str, FieldMap] = {
    "subscription": {
        "group_name": ("plan", text),
        "group_id": ("plan_id", id_of),
        "status": ("status", text),
        "multi_login_count": ("multi_login_count", whole),
        "duration_days": ("duration_days", whole),
        "is_trial_period": ("trial", truth),
        "price": ("price", number),
        "currency": ("currency", text),
    },
    "payment": {
        "id": ("id", id_of),
        "amount": ("amount", number),
        "currency": ("currency", text),
        "gateway": ("gateway", text),
        "status": ("status", text),
    },
    "reseller": {
        "id": ("id", id_of),
        "name": ("name", text),
        "email": ("email", text),
        "level": ("level", text),
        "level_id": ("level_id", id_of),
        "discount_percent": ("discount_percent", number),
        "credit": ("credit", number),
    },
    "device": {
        "id": ("id", id_of),
        "name": ("name", text),
        "os": ("os", text),
        "os_version": ("os_version", text),
        "model": ("model", text),
        "user_agent": ("user_agent", text),
    },
    "usage": {
        "used_bytes": ("used_bytes", whole),
        "limit_bytes": ("limit_bytes", whole),
        "percent": ("percent", number),
    },
    "security": {
        "username": ("username", text),
        "ip": ("ip", text),
        "user_agent": ("user_agent", text),
        "description": ("description", text),
    },
    "system": {
        "server": ("server", text),
        "message": ("message", text),
        "version": ("version", text),
        "component": ("component", text),
    },
}
