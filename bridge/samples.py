"""A made-up but likely event of every canonical type: for `panelbridge render` and `test`, and for tests."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.event import Event, JsonObject, iso, new_id
from bridge.vocabulary import THINGS, TYPES, documented_name

GIB = 2**30
ON = "reseller-7"

# Times are how far they are from the arrival.

USER: JsonObject = {
    "username": "alice",
    "id": 63396,
    "email": "alice@example.com",
    "first_name": "Alice",
    "last_name": "Moradi",
    "country": "DE",
    "phone": "+491701234567",
    "status": "active",
    "note": "paid until spring",
    "used_bytes": 18 * GIB,
    "limit_bytes": 50 * GIB,
    "lifetime_used_bytes": 212 * GIB,
    "reset_strategy": "month",
    "expires_at": timedelta(days=30),
    "created_at": timedelta(days=-90),
    "online_at": timedelta(minutes=-4),
    "groups": ["premium"],
}
SUBSCRIPTION: JsonObject = {
    "plan": "3 Month",
    "plan_id": 3,
    "status": "ACTIVE",
    "multi_login_count": 5,
    "duration_days": 90,
    "expires_at": timedelta(days=90),
    "auto_renew": False,
    "trial": False,
    "price": 29.9,
    "currency": "EUR",
}
PAYMENT: JsonObject = {"id": "pay_1042", "amount": 29.9, "currency": "EUR", "gateway": "stripe", "status": "PAID"}
RESELLER: JsonObject = {
    "id": 1,
    "name": ON,
    "email": "reseller@example.com",
    "level": "GOLD",
    "discount_percent": 20.0,
    "credit": 600.0,
}

#: What the events of a family hold.
FAMILIES: Mapping[str, JsonObject] = {
    "user": {"user": USER, "owner": ON, "actor": "admin"},
    "subscription": {"user": USER, "subscription": SUBSCRIPTION, "reseller": RESELLER},
    "payment": {"user": {"username": "alice", "id": 63396, "email": "alice@example.com"}, "payment": PAYMENT},
    "reseller": {"reseller": {**RESELLER, "amount": 50.0}, "actor": "admin"},
    "device": {
        "user": {"username": "alice", "device_limit": 3},
        "device": {"id": "dev-81", "name": "Alice's phone", "os": "Android", "os_version": "15", "model": "Pixel 9"},
    },
    "peer": {
        "peer": {
            "key": "ToYuKZa0pFJbxXaEbPUuXHCdKDMwTlLQ8ixEgKFFyU0=",
            "name": "Alice's laptop",
            "interface": "wg0",
            "addresses": ["10.11.12.2/32"],
            "endpoint": "198.51.100.20:51820",
            "received_bytes": 3 * GIB,
            "sent_bytes": 20 * GIB,
            "last_handshake_at": timedelta(minutes=-1),
            "connected": True,
        },
        "owner": "alice",
    },
    "interface": {
        "interface": {
            "id": "wg0",
            "name": "Main",
            "listen_port": 51820,
            "addresses": ["10.11.12.1/24"],
            "kind": "server",
        },
    },
    "node": {
        "node": {
            "name": "fra-1",
            "id": 4,
            "address": "fra-1.example.com",
            "port": 62050,
            "country": "DE",
            "used_bytes": 900 * GIB,
            "limit_bytes": 1000 * GIB,
            "percent": 90.0,
            "users_online": 311,
            "provider": "Hetzner",
        },
    },
    "security": {"security": {"username": "admin", "ip": "203.0.113.7", "description": "from a new address"}},
    "system": {"system": {"server": "panel.example.com", "version": "2.4.0"}},
    "message": {
        "message": {
            "content": "**Backup** of `panel.example.com` done, see [the log](https://panel.example.com/log)",
            "embeds": [{"title": "Backup", "description": "42 files, 1.3 GB", "color": 65280}],
            "username": "Backup bot",
        },
    },
    **{
        thing: {thing: {"name": f"{thing}-1", "id": 7, "details": {"Note": "made for a sample"}}, "actor": "admin"}
        for thing in THINGS
    },
}


def _bill(hours: int) -> JsonObject:
    bill = {"provider": "Hetzner", "due_at": timedelta(hours=hours), "login_url": "https://console.example.com"}
    return {"billing": {**bill, "hours": hours}}


#: What a type says beyond its family, or otherwise.
BEYOND: Mapping[str, JsonObject] = {
    "user.disabled": {"user": {**USER, "status": "disabled"}, "reason": "shared with too many devices"},
    "user.on_hold": {"user": {**USER, "status": "on_hold"}},
    "user.limited": {
        "user": {**USER, "status": "limited", "used_bytes": 50 * GIB},
        "usage": {"used_bytes": 50 * GIB, "limit_bytes": 50 * GIB, "percent": 100.0},
    },
    "user.expired": {"user": {**USER, "status": "expired", "expires_at": timedelta(0)}},
    "user.expiring": {
        "user": {**USER, "expires_at": timedelta(days=3)},
        "expiry": {"at": timedelta(days=3), "days_left": 3, "hours": 72},
    },
    "user.expired_reminder": {
        "user": {**USER, "status": "expired", "expires_at": timedelta(days=-1)},
        "expiry": {"at": timedelta(days=-1), "hours": -24},
    },
    "user.usage_threshold": {
        "user": {**USER, "used_bytes": 42 * GIB},
        "usage": {"used_bytes": 42 * GIB, "limit_bytes": 50 * GIB, "percent": 84.0},
    },
    "user.usage_abnormal": {
        "usage": {"used_bytes": 41 * GIB, "limit_bytes": 50 * GIB, "percent": 82.0},
        "reason": "41 GB within two hours",
    },
    "user.usage_reset": {"user": {**USER, "used_bytes": 0}},
    "user.plan_advanced": {"user": {**USER, "used_bytes": 0}},
    "user.action": {"action": "CHANGED_SERVER"},
    "subscription.expired": {"subscription": {**SUBSCRIPTION, "status": "EXPIRED", "expires_at": timedelta(0)}},
    "subscription.trial_started": {"subscription": {**SUBSCRIPTION, "trial": True, "expires_at": timedelta(days=7)}},
    "payment.failed": {"payment": {**PAYMENT, "status": "FAILED"}, "reason": "card declined"},
    "payment.refunded": {"payment": {**PAYMENT, "status": "REFUNDED"}},
    "payment.pending": {"payment": {**PAYMENT, "status": "PENDING"}},
    "device.limit_reached": {"user": {"username": "alice", "device_limit": 3}},
    "reseller.credit_added": {"reason": "bank transfer"},
    "node.connection_lost": {"reason": "connection timed out"},
    "node.disabled": {"reason": "maintenance"},
    "node.payment_due": _bill(48),
    "node.payment_overdue": _bill(-24),
    "security.login_failed": {"security": {"username": "admin", "ip": "203.0.113.7", "user_agent": "curl/8.5"}},
    "security.ip_blocked": {"security": {"ip": "203.0.113.7", "description": "20 failed logins"}},
    "system.updated": {"system": {"version": "2.4.1", "component": "panel"}},
    "system.error": {"system": {"server": "fra-1", "message": "disk 95% full", "component": "database"}},
    "system.maintenance_started": {"system": {"server": "fra-1", "message": "back in about 30 minutes"}},
}

#: What the events of a family are about, where it is not the name of what the family is called by: the kind of the
#: subject and the key of its name; None where they are about nothing.
SUBJECTS: Mapping[str, tuple[str, str] | None] = {
    **dict.fromkeys(("user", "subscription", "payment", "device"), ("user", "username")),
    "peer": ("peer", "key"),
    "interface": ("interface", "id"),
    **dict.fromkeys(("security", "system", "message")),
}


def sample(type_: str, *, at: datetime, panel: str = "marzban", source: str | None = None) -> Event:
    """An event of that type, which happened half a minute before it arrived at `at`."""
    family = type_.partition(".")[0]
    data = FAMILIES[family] | BEYOND.get(type_, {})
    return Event(
        id=new_id(),
        source=source or panel,
        panel=panel,
        type=type_,
        native_type=documented_name(type_) if panel == "orbvpn" else type_.replace(".", "_"),
        subject=_subject(family, data),
        occurred_at=at - timedelta(seconds=30),
        received_at=at,
        data=_dated(data, at),
        native={"action": type_.replace(".", "_"), "sample": True},
    )


def samples(*, at: datetime) -> list[Event]:
    """One event of every canonical type."""
    return [sample(type_, at=at) for type_ in TYPES]


def _subject(family: str, data: JsonObject) -> str | None:
    place = SUBJECTS.get(family, (family, "name"))
    return f"{place[0]}:{data[place[0]][place[1]]}" if place else None


def _dated(value: Any, at: datetime) -> Any:
    """The value with its times counted from `at`, and nothing in it that another sample shares."""
    match value:
        case timedelta():
            return iso(at + value)
        case dict():
            return {key: _dated(one, at) for key, one in value.items()}
        case list():
            return [_dated(one, at) for one in value]
    return value
