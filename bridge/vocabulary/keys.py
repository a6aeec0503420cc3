"""Every key of `data`, one row each: what stands under it, in which unit, whatever the panel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.vocabulary.types import N_


class ValueKind(StrEnum):
    """What stands under a key, and in which unit."""

    OBJECT = "object"
    TEXT = "text"
    TEXTS = "list of texts"
    OBJECTS = "list of objects"
    ID = "text or number"
    TRUTH = "true or false"
    STATE = "state"  # a text: active, limited, on_hold …
    TIME = "time"  # ISO 8601 in UTC
    DEADLINE = "deadline"  # a time too, that something lasts until
    NUMBER = "number"
    BYTES = "bytes"
    SECONDS = "seconds"
    HOURS = "hours"
    DAYS = "days"
    PERCENT = "percent"  # from 0 to 100
    AMOUNT = "amount"  # in the currency's own unit


@dataclass(frozen=True, slots=True)
class Key:
    """A key of `data`, or of an object in it.

    note   what is to be known beside its kind
    title  what a subject of this kind is called: `User` for `user:alice`
    keys   those of an object
    """

    kind: ValueKind
    note: str = ""
    title: str | None = None
    keys: Mapping[str, "Key"] = field(default_factory=dict)


def _object(title: str | None = None, **keys: ValueKind | Key) -> Key:
    found = {name: Key(one) if isinstance(one, ValueKind) else one for name, one in keys.items()}
    return Key(ValueKind.OBJECT, title=title, keys=found)


#: What an operator keeps in the panel beside users and nodes; all are told by the same keys.
THINGS: Mapping[str, str] = {
    "admin": N_("Admin"),
    "role": N_("Role"),
    "api_key": N_("API key"),
    "host": N_("Host"),
    "group": N_("Group"),
    "core": N_("Core"),
    "template": N_("Template"),
}

#: Every key of `data`.
KEYS: Mapping[str, Key] = {
    "user": _object(
        N_("User"),
        username=ValueKind.TEXT,
        id=ValueKind.ID,
        email=ValueKind.TEXT,
        first_name=ValueKind.TEXT,
        last_name=ValueKind.TEXT,
        country=ValueKind.TEXT,
        phone=ValueKind.TEXT,
        status=ValueKind.STATE,
        note=ValueKind.TEXT,
        used_bytes=ValueKind.BYTES,
        limit_bytes=ValueKind.BYTES,
        lifetime_used_bytes=ValueKind.BYTES,
        reset_strategy=ValueKind.TEXT,
        expires_at=ValueKind.DEADLINE,
        created_at=ValueKind.TIME,
        online_at=ValueKind.TIME,
        device_limit=ValueKind.NUMBER,
        groups=ValueKind.TEXTS,
        tag=ValueKind.TEXT,
        telegram_id=Key(ValueKind.NUMBER, "the user's own"),
        on_hold_seconds=ValueKind.SECONDS,
        next_plan=ValueKind.TRUTH,
        active=ValueKind.TRUTH,
        department=ValueKind.TEXT,
    ),
    "owner": Key(ValueKind.TEXT, "name of the admin or reseller whom the user, or the peer, belongs to"),
    "actor": Key(ValueKind.TEXT, "name of who did it; `system` for the panel's own jobs"),
    "reason": Key(ValueKind.TEXT, "why, in the panel's words"),
    "usage": _object(
        used_bytes=ValueKind.BYTES,
        limit_bytes=ValueKind.BYTES,
        percent=ValueKind.PERCENT,
    ),
    "expiry": _object(
        at=ValueKind.DEADLINE,
        days_left=ValueKind.DAYS,
        hours=Key(ValueKind.HOURS, "until expiry; negative once it is over"),
    ),
    "subscription": _object(
        plan=ValueKind.TEXT,
        plan_id=ValueKind.ID,
        status=ValueKind.STATE,
        multi_login_count=ValueKind.NUMBER,
        duration_days=ValueKind.DAYS,
        expires_at=ValueKind.DEADLINE,
        auto_renew=ValueKind.TRUTH,
        trial=ValueKind.TRUTH,
        price=ValueKind.AMOUNT,
        currency=ValueKind.TEXT,
    ),
    "payment": _object(
        N_("Payment"),
        id=ValueKind.ID,
        amount=ValueKind.AMOUNT,
        currency=ValueKind.TEXT,
        gateway=ValueKind.TEXT,
        status=ValueKind.STATE,
    ),
    "reseller": _object(
        N_("Reseller"),
        id=ValueKind.ID,
        name=ValueKind.TEXT,
        email=ValueKind.TEXT,
        level=ValueKind.TEXT,
        level_id=ValueKind.ID,
        discount_percent=ValueKind.PERCENT,
        credit=ValueKind.AMOUNT,
        amount=Key(ValueKind.AMOUNT, "of a credit change"),
    ),
    "device": _object(
        N_("Device"),
        id=ValueKind.ID,
        name=ValueKind.TEXT,
        os=ValueKind.TEXT,
        os_version=ValueKind.TEXT,
        model=ValueKind.TEXT,
        user_agent=ValueKind.TEXT,
    ),
    "node": _object(
        N_("Node"),
        name=ValueKind.TEXT,
        id=ValueKind.ID,
        address=ValueKind.TEXT,
        port=ValueKind.NUMBER,
        country=ValueKind.TEXT,
        used_bytes=ValueKind.BYTES,
        limit_bytes=ValueKind.BYTES,
        percent=ValueKind.PERCENT,
        users_online=ValueKind.NUMBER,
        core_version=ValueKind.TEXT,
        node_version=ValueKind.TEXT,
        provider=ValueKind.TEXT,
        tags=ValueKind.TEXTS,
    ),
    "billing": _object(
        provider=ValueKind.TEXT,
        due_at=ValueKind.DEADLINE,
        login_url=ValueKind.TEXT,
        hours=Key(ValueKind.HOURS, "until it is due; negative once overdue"),
    ),
    "peer": _object(
        N_("Peer"),
        key=ValueKind.TEXT,
        name=ValueKind.TEXT,
        interface=ValueKind.TEXT,
        addresses=ValueKind.TEXTS,
        endpoint=ValueKind.TEXT,
        allowed_ips=ValueKind.TEXT,
        notes=ValueKind.TEXT,
        expires_at=ValueKind.DEADLINE,
        disabled_at=ValueKind.TIME,
        received_bytes=ValueKind.BYTES,
        sent_bytes=ValueKind.BYTES,
        last_handshake_at=ValueKind.TIME,
        session_started_at=ValueKind.TIME,
        connected=ValueKind.TRUTH,
    ),
    "interface": _object(
        N_("Interface"),
        id=ValueKind.ID,
        name=ValueKind.TEXT,
        listen_port=ValueKind.NUMBER,
        addresses=ValueKind.TEXTS,
        kind=ValueKind.TEXT,
        public_key=ValueKind.TEXT,
        disabled_at=ValueKind.TIME,
    ),
    "security": _object(
        username=ValueKind.TEXT,
        ip=ValueKind.TEXT,
        user_agent=ValueKind.TEXT,
        description=ValueKind.TEXT,
    ),
    "abuse": _object(
        username=ValueKind.TEXT,
        node=ValueKind.TEXT,
        description=ValueKind.TEXT,
        ip=ValueKind.TEXT,
    ),
    **{
        name: _object(
            title,
            name=ValueKind.TEXT,
            id=ValueKind.ID,
            details=Key(ValueKind.OBJECT, "label → text, as the panel words them"),
            expires_at=ValueKind.DEADLINE,
            status=ValueKind.STATE,
        )
        for name, title in THINGS.items()
    },
    "system": _object(
        N_("Server"),
        server=ValueKind.TEXT,
        message=ValueKind.TEXT,
        version=ValueKind.TEXT,
        component=ValueKind.TEXT,
    ),
    "action": Key(ValueKind.TEXT, "what the user did"),
    "message": _object(
        content=ValueKind.TEXT,
        embeds=ValueKind.OBJECTS,
        username=ValueKind.TEXT,
        avatar_url=ValueKind.TEXT,
        thread_id=ValueKind.TEXT,
        files=Key(ValueKind.OBJECTS, "`name`, `content_type`"),
        components=ValueKind.OBJECTS,
    ),
}


def subject_title(kind: str) -> str | None:
    """What a subject of this kind is called, `User` for `user:alice`; None for one that we have no word for."""
    return KEYS[kind].title if kind in KEYS else None


#: What stands under a key, in `data` or in an object of it; the same wherever it is said.
KINDS: Mapping[str, ValueKind] = {
    **{name: key.kind for name, key in KEYS.items() if key.kind is not ValueKind.OBJECT},
    **{name: key.kind for about in KEYS.values() for name, key in about.keys.items()},
}
