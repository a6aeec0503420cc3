"""A made-up but likely event of every canonical type: for `panelbridge render` and `test`, and for tests."""

from datetime import datetime, timedelta

from bridge.event import Event, JsonObject, iso, new_id
from bridge.vocabulary import TYPES, documented_name

GIB = 2**30
ON = "reseller-7"

#: What a type says beyond its family.
_BEYOND: dict[str, JsonObject] = {
    "user.disabled": {"reason": "shared with too many devices"},
    "user.limited": {"usage": {"used_bytes": 50 * GIB, "limit_bytes": 50 * GIB, "percent": 100.0}},
    "user.usage_threshold": {"usage": {"used_bytes": 42 * GIB, "limit_bytes": 50 * GIB, "percent": 84.0}},
    "user.usage_abnormal": {
        "usage": {"used_bytes": 41 * GIB, "limit_bytes": 50 * GIB, "percent": 82.0},
        "reason": "41 GB within two hours",
    },
    "user.action": {"action": "CHANGED_SERVER"},
    "payment.failed": {"reason": "card declined"},
    "device.limit_reached": {"user": {"username": "alice", "device_limit": 3}},
    "reseller.credit_added": {"reason": "bank transfer"},
    "node.connection_lost": {"reason": "connection timed out"},
    "node.disabled": {"reason": "maintenance"},
    "security.login_failed": {"security": {"username": "admin", "ip": "203.0.113.7", "user_agent": "curl/8.5"}},
    "security.ip_blocked": {"security": {"ip": "203.0.113.7", "description": "20 failed logins"}},
    "system.updated": {"system": {"version": "2.4.1", "component": "panel"}},
    "system.error": {"system": {"server": "fra-1", "message": "disk 95% full", "component": "database"}},
    "system.maintenance_started": {"system": {"server": "fra-1", "message": "back in about 30 minutes"}},
}


def sample(type_: str, *, at: datetime, panel: str = "marzban", source: str | None = None) -> Event:
    """An event of that type, which happened half a minute before it arrived at `at`."""
    family = type_.partition(".")[0]
    data = {**_family(family, at), **_BEYOND.get(type_, {}), **_dated(type_, at)}
    return Event(
        id=new_id(),
        source=source or panel,
        panel=panel,
        type=type_,
        native_type=documented_name(type_) if panel == "orbvpn" else type_.replace(".", "_"),
        subject=_subject(family, data),
        occurred_at=at - timedelta(seconds=30),
        received_at=at,
        data=data,
        native={"action": type_.replace(".", "_"), "sample": True},
    )


def samples(*, at: datetime) -> list[Event]:
    """One event of every canonical type."""
    return [sample(type_, at=at) for type_ in TYPES]


def _dated(type_: str, at: datetime) -> JsonObject:
    """What a type says of a time to come, or of one that has passed."""
    match type_:
        case "user.limited":
            return {"user": {**_user(at), "status": "limited", "used_bytes": 50 * GIB}}
        case "user.disabled" | "user.on_hold":
            return {"user": {**_user(at), "status": type_.partition(".")[2]}}
        case "user.usage_threshold":
            return {"user": {**_user(at), "used_bytes": 42 * GIB}}
        case "user.usage_reset" | "user.plan_advanced":
            return {"user": {**_user(at), "used_bytes": 0}}
        case "user.expired":
            return {"user": {**_user(at), "status": "expired", "expires_at": iso(at)}}
        case "user.expiring":
            then = iso(at + timedelta(days=3))
            return {"user": {**_user(at), "expires_at": then}, "expiry": {"at": then, "days_left": 3, "hours": 72}}
        case "user.expired_reminder":
            then = iso(at - timedelta(days=1))
            expired = {**_user(at), "status": "expired", "expires_at": then}
            return {"user": expired, "expiry": {"at": then, "hours": -24}}
        case "subscription.expired":
            return {"subscription": {**_subscription(at), "status": "EXPIRED", "expires_at": iso(at)}}
        case "subscription.trial_started":
            return {"subscription": {**_subscription(at), "trial": True, "expires_at": iso(at + timedelta(days=7))}}
        case "payment.failed" | "payment.refunded" | "payment.pending":
            return {"payment": {**_payment(), "status": type_.partition(".")[2].upper()}}
        case "node.payment_due":
            return {"billing": _billing(at, hours=48)}
        case "node.payment_overdue":
            return {"billing": _billing(at, hours=-24)}
        case _:
            return {}


def _subject(family: str, data: JsonObject) -> str | None:
    match family:
        case "user" | "subscription" | "payment" | "device":
            return f"user:{data['user']['username']}"
        case "peer":
            return f"peer:{data['peer']['key']}"
        case "interface":
            return f"interface:{data['interface']['id']}"
        case "security" | "system" | "message":
            return None
        case _:
            return f"{family}:{data[family]['name']}"


def _family(family: str, at: datetime) -> JsonObject:
    match family:
        case "user":
            return {"user": _user(at), "owner": ON, "actor": "admin"}
        case "subscription":
            return {"user": _user(at), "subscription": _subscription(at), "reseller": _reseller()}
        case "payment":
            return {"user": {"username": "alice", "id": 63396, "email": "alice@example.com"}, "payment": _payment()}
        case "reseller":
            return {"reseller": {**_reseller(), "amount": 50.0}, "actor": "admin"}
        case "device":
            return {"user": {"username": "alice", "device_limit": 3}, "device": _device()}
        case "peer":
            return {"peer": _peer(at), "owner": "alice"}
        case "interface":
            return {"interface": _interface()}
        case "node":
            return {"node": _node()}
        case "security":
            return {"security": {"username": "admin", "ip": "203.0.113.7", "description": "from a new address"}}
        case "system":
            return {"system": {"server": "panel.example.com", "version": "2.4.0"}}
        case "message":
            return {"message": _message()}
        case _:
            return {
                family: {"name": f"{family}-1", "id": 7, "details": {"Note": "made for a sample"}},
                "actor": "admin",
            }


def _user(at: datetime) -> JsonObject:
    return {
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
        "expires_at": iso(at + timedelta(days=30)),
        "created_at": iso(at - timedelta(days=90)),
        "online_at": iso(at - timedelta(minutes=4)),
        "groups": ["premium"],
    }


def _subscription(at: datetime) -> JsonObject:
    return {
        "plan": "3 Month",
        "plan_id": 3,
        "status": "ACTIVE",
        "multi_login_count": 5,
        "duration_days": 90,
        "expires_at": iso(at + timedelta(days=90)),
        "auto_renew": False,
        "trial": False,
        "price": 29.9,
        "currency": "EUR",
    }


def _payment() -> JsonObject:
    return {"id": "pay_1042", "amount": 29.9, "currency": "EUR", "gateway": "stripe", "status": "PAID"}


def _reseller() -> JsonObject:
    return {
        "id": 1,
        "name": ON,
        "email": "reseller@example.com",
        "level": "GOLD",
        "discount_percent": 20.0,
        "credit": 600.0,
    }


def _device() -> JsonObject:
    return {"id": "dev-81", "name": "Alice's phone", "os": "Android", "os_version": "15", "model": "Pixel 9"}


def _peer(at: datetime) -> JsonObject:
    return {
        "key": "ToYuKZa0pFJbxXaEbPUuXHCdKDMwTlLQ8ixEgKFFyU0=",
        "name": "Alice's laptop",
        "interface": "wg0",
        "addresses": ["10.11.12.2/32"],
        "endpoint": "198.51.100.20:51820",
        "received_bytes": 3 * GIB,
        "sent_bytes": 20 * GIB,
        "last_handshake_at": iso(at - timedelta(minutes=1)),
        "connected": True,
    }


def _interface() -> JsonObject:
    return {"id": "wg0", "name": "Main", "listen_port": 51820, "addresses": ["10.11.12.1/24"], "kind": "server"}


def _node() -> JsonObject:
    return {
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
    }


def _billing(at: datetime, hours: int) -> JsonObject:
    due = iso(at + timedelta(hours=hours))
    return {"provider": "Hetzner", "due_at": due, "login_url": "https://console.example.com", "hours": hours}


def _message() -> JsonObject:
    return {
        "content": "**Backup** of `panel.example.com` done, see [the log](https://panel.example.com/log)",
        "embeds": [{"title": "Backup", "description": "42 files, 1.3 GB", "color": 65280}],
        "username": "Backup bot",
    }
