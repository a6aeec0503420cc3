"""Every key of `data`, one row each: what stands under it, in which unit, whatever the panel."""

from collections.abc import Mapping
from enum import StrEnum

from bridge.value import Value, field
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
    NUMBERS = "list of numbers"
    FACTOR = "factor"  # what is counted is multiplied by it
    BYTES = "bytes"
    SECONDS = "seconds"
    HOURS = "hours"
    DAYS = "days"
    PERCENT = "percent"  # from 0 to 100
    AMOUNT = "amount"  # in the currency's own unit


class Key(Value):
    """A key of `data`, or of an object in it.

    note   what is to be known beside its kind
    title  what a subject of this kind is called: `User` for `user:alice`
    keys   those of an object
    """

    kind: ValueKind
    note: str = ""
    title: str | None = None
    keys: Mapping[str, "Key"] = field(default_factory=dict)


def _object(title: str | None = None, *, notes: Mapping[str, str] | None = None, **kinds: str) -> Key:
    """An object by the kinds of its keys, `time="created_at online_at"`."""
    keys = {
        name: Key(ValueKind[kind.upper()], (notes or {}).get(name, ""))
        for kind, names in kinds.items()
        for name in names.split()
    }
    return Key(ValueKind.OBJECT, title=title, keys=keys)


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
        text="username email first_name last_name country phone note reset_strategy tag department last_node",
        id="id",
        state="status",
        bytes="used_bytes limit_bytes lifetime_used_bytes",
        deadline="expires_at on_hold_until",
        time="created_at online_at first_connected_at",
        number="device_limit telegram_id",
        texts="groups",
        seconds="on_hold_seconds",
        hours="not_connected_hours",
        days="auto_delete_days",
        truth="next_plan active",
        notes={
            "last_node": "id of the node last connected to",
            "on_hold_until": "then the plan begins, connected or not",
            "telegram_id": "the user's own",
            "not_connected_hours": "since the user was made",
            "auto_delete_days": "after the end until the panel deletes the user",
        },
    ),
    "owner": Key(ValueKind.TEXT, "name of the admin or reseller whom the user, or the peer, belongs to"),
    "actor": Key(ValueKind.TEXT, "name of who did it; `system` for the panel's own jobs"),
    "reason": Key(ValueKind.TEXT, "why, in the panel's words"),
    "usage": _object(bytes="used_bytes limit_bytes", percent="percent"),
    "expiry": _object(
        deadline="at", days="days_left", hours="hours", notes={"hours": "until expiry; negative once it is over"}
    ),
    "subscription": _object(
        text="plan currency",
        id="plan_id",
        state="status",
        number="multi_login_count",
        days="duration_days",
        deadline="expires_at",
        truth="auto_renew trial",
        amount="price",
    ),
    "payment": _object(N_("Payment"), id="id", amount="amount", text="currency gateway", state="status"),
    "ticket": _object(N_("Ticket"), id="id", text="title priority message", state="status"),
    "reseller": _object(
        N_("Reseller"),
        id="id level_id",
        text="name email level",
        percent="discount_percent",
        amount="credit amount",
        notes={"amount": "of a credit change"},
    ),
    "device": _object(N_("Device"), id="id", text="name os os_version model user_agent"),
    "node": _object(
        N_("Node"),
        text="name address country core_version node_version provider",
        id="id",
        number="port users_online traffic_reset_day cpus",
        numbers="load",
        factor="multiplier node_multiplier",
        bytes="used_bytes limit_bytes memory_bytes memory_used_bytes",
        seconds="uptime_seconds core_uptime_seconds",
        percent="percent",
        time="status_changed_at",
        texts="tags",
        objects="ips",
        notes={
            "traffic_reset_day": "of the month",
            "load": "averages of 1, 5 and 15 minutes",
            "multiplier": "of users' traffic",
            "node_multiplier": "of the node's own traffic",
            "ips": "`ip`, `status`",
        },
    ),
    "billing": _object(
        text="provider login_url",
        deadline="due_at",
        hours="hours",
        notes={"hours": "until it is due; negative once overdue"},
    ),
    "peer": _object(
        N_("Peer"),
        text="key name interface endpoint allowed_ips notes",
        texts="addresses",
        deadline="expires_at",
        time="disabled_at last_handshake_at session_started_at",
        bytes="received_bytes sent_bytes",
        truth="connected",
    ),
    "interface": _object(
        N_("Interface"),
        id="id",
        text="name kind public_key",
        number="listen_port",
        texts="addresses",
        time="disabled_at",
    ),
    "security": _object(N_("Account"), text="username ip user_agent description"),
    "abuse": _object(
        text="username node description ip destination inbound",
        truth="blocked",
        seconds="block_seconds",
        deadline="blocked_until",
    ),
    **{
        name: _object(
            title,
            text="name",
            id="id",
            object="details",
            deadline="expires_at",
            state="status",
            notes={"details": "label → text, as the panel words them"},
        )
        for name, title in THINGS.items()
    },
    "system": _object(N_("Server"), text="server message version component"),
    "alert": _object(
        N_("Alert"),
        text="name severity instance address summary description url",
        time="started_at ended_at",
        number="left_out",
        object="labels",
        notes={
            "url": "where it is looked into",
            "left_out": "alerts of its group that were not sent",
            "labels": "name → text, as the sender gives them",
        },
    ),
    "action": Key(ValueKind.TEXT, "what the user did"),
    "lane": _object(
        N_("Sink"),
        text="sink",
        number="dead",
        time="since",
        notes={"dead": "messages that were given up", "since": "when the trouble began"},
    ),
    "source": _object(N_("Source"), text="name", time="last_event_at", seconds="silent_seconds"),
    "report": _object(
        N_("Report"),
        text="name every",
        time="begins_at ends_at counted_from late_at",
        number="events before week_before nowhere delivered given_up held_back",
        numbers="bars",
        hours="hours",
        truth="cut",
        objects="sinks sources types owners nodes users dead_letters silent",
        object="more_sources more_types more_owners more_nodes more_users",
    ),
    "config": _object(N_("Configuration"), text="file", texts="mistakes"),
    "command": Key(ValueKind.TEXT, "what to type to see more of it, or to mend it"),
    "message": _object(
        N_("Message"),
        text="content username avatar_url thread_id thread_name",
        number="flags",
        objects="embeds files components",
        object="poll",
        notes={
            "files": "`name`, `content_type`",
            "thread_name": "of a new thread in a forum",
            "flags": "bits, as they were posted",
        },
    ),
}


def subject_title(kind: str) -> str | None:
    """What a subject of this kind is called, `User` for `user:alice`; None for one that we have no word for.

    What tells two of one name apart stands behind a slash: `alert/a051217a8fd6d40d:fra-2` is an `Alert` too.
    """
    key = KEYS.get(kind.partition("/")[0])
    return key.title if key else None


#: What stands under a key, in `data` or in an object of it; the same wherever it is said.
KINDS: Mapping[str, ValueKind] = {
    **{name: key.kind for name, key in KEYS.items() if key.kind is not ValueKind.OBJECT},
    **{name: key.kind for about in KEYS.values() for name, key in about.keys.items()},
}
