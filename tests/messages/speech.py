"""What the tests of messages share: events, and what a renderer says of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.event import Event
from bridge.markup.service import ServiceLook
from bridge.markup.text import Text
from bridge.message import Circumstances, DigestTally, Earlier, Reminder
from bridge.messages.renderer import Rendered, Renderer
from bridge.sinks import SERVICES
from bridge.value import replace
from bridge.vocabulary import THINGS, TYPES, opposite

NOW = datetime(2026, 11, 21, 4, 4, tzinfo=UTC)
ENGLISH = Renderer(folders=[], timezone=ZoneInfo("UTC"), locale="en")

#: A service that nobody ships templates for.
PAGER = replace(SERVICES["telegram"], name="pager", text=Text, blocks=("beep",))

#: Every key of the vocabulary but `message`, with a likely value, and one that it lacks.
EVERYTHING: dict[str, Any] = {
    "user": {
        "username": "alice",
        "id": 42,
        "email": "alice@example.com",
        "first_name": "Alice",
        "last_name": "Smith",
        "country": "DE",
        "phone": "+4915112345",
        "status": "active",
        "note": "paid until December",
        "used_bytes": 10 * 2**30,
        "limit_bytes": 50 * 2**30,
        "lifetime_used_bytes": 90 * 2**30,
        "reset_strategy": "month",
        "expires_at": "2026-12-21T04:04:00Z",
        "created_at": "2026-01-21T04:04:00Z",
        "online_at": "2026-11-21T03:04:00Z",
        "device_limit": 3,
        "groups": ["vip", "eu"],
        "tag": "VIP",
        "telegram_id": 987654321,
        "on_hold_seconds": 86400,
        "next_plan": True,
        "active": False,
        "department": "sales",
        "last_node": "77777777-6666-4555-8444-333333333333",
        "on_hold_until": "2026-12-21T04:04:00Z",
        "first_connected_at": "2026-02-21T04:04:00Z",
        "not_connected_hours": 72,
        "auto_delete_days": 7,
    },
    "owner": "reseller1",
    "actor": "admin",
    "reason": "shared",
    "usage": {"used_bytes": 40 * 2**30, "limit_bytes": 50 * 2**30, "percent": 80.0},
    "expiry": {"at": "2026-11-24T04:04:00Z", "days_left": 3, "hours": 72},
    "subscription": {
        "plan": "3 Month",
        "plan_id": 3,
        "status": "active",
        "multi_login_count": 5,
        "duration_days": 90,
        "expires_at": "2026-12-21T04:04:00Z",
        "auto_renew": False,
        "trial": True,
        "price": 29.99,
        "currency": "USD",
    },
    "payment": {"id": 9001, "amount": 29.99, "currency": "USD", "gateway": "STRIPE", "status": "FAILED"},
    "reseller": {
        "id": 1,
        "name": "shop",
        "email": "shop@example.com",
        "level": "OWNER",
        "level_id": 6,
        "discount_percent": 100.0,
        "credit": 600.0,
        "amount": 50.0,
    },
    "device": {
        "id": 77,
        "name": "phone",
        "os": "iOS",
        "os_version": "18",
        "model": "iPhone 15",
        "user_agent": "Happ/3",
    },
    "node": {
        "name": "fra-1",
        "id": 7,
        "address": "203.0.113.20",
        "port": 2222,
        "country": "DE",
        "used_bytes": 2**39,
        "limit_bytes": 2**40,
        "percent": 50.0,
        "users_online": 12,
        "core_version": "25.6.8",
        "node_version": "2.7.0",
        "provider": "Hetzner",
        "tags": ["EU"],
        "traffic_reset_day": 15,
        "cpus": 2,
        "load": [0.1, 0.2, 0.3],
        "multiplier": 1.5,
        "node_multiplier": 2,
        "memory_bytes": 4 * 2**30,
        "memory_used_bytes": 2**30,
        "uptime_seconds": 86400,
        "core_uptime_seconds": 3600,
        "status_changed_at": "2026-11-21T03:50:00Z",
        "ips": [{"ip": "203.0.113.20", "status": "inbound"}],
    },
    "billing": {
        "provider": "Hetzner",
        "due_at": "2026-11-28T00:00:00Z",
        "login_url": "https://example.com/",
        "hours": 48,
    },
    "peer": {
        "key": "Fb5TaziAs1WrPBjC/MFbWsIelVXvi0hDKZ3YQM9wmU8=",
        "name": "laptop",
        "interface": "wg0",
        "addresses": ["10.11.12.10/32", "fdfd::a/128"],
        "endpoint": "10.55.66.77:33874",
        "allowed_ips": "0.0.0.0/0",
        "notes": "office",
        "expires_at": "2026-12-21T04:04:00Z",
        "disabled_at": "2026-12-21T04:04:00Z",
        "received_bytes": 2**64 - 1,
        "sent_bytes": 10824,
        "last_handshake_at": "2026-11-21T04:00:00Z",
        "session_started_at": "2026-11-21T03:00:00Z",
        "connected": True,
    },
    "ticket": {"id": 12, "title": "slow", "priority": "high", "status": "open", "message": "since yesterday"},
    "alert": {
        "left_out": 3,
        "name": "NodeDown",
        "severity": "critical",
        "instance": "fra-1:9100",
        "address": "203.0.113.20:443",
        "summary": "fra-1 is down",
        "description": "no scrape for 2 minutes",
        "url": "https://prometheus.example.com/graph",
        "started_at": "2026-11-21T03:50:00Z",
        "ended_at": "2026-11-21T04:03:00Z",
        "labels": {"job": "node", "team": "vpn"},
    },
    "interface": {
        "id": "wg0",
        "name": "Office VPN",
        "listen_port": 51820,
        "addresses": ["10.11.12.1/24"],
        "kind": "server",
        "public_key": "eiVibpi3C2PUPcx2kwA5s09OgHx7AEaKMd33k0LQ5mM=",
        "disabled_at": "2026-12-21T04:04:00Z",
    },
    "security": {"username": "root", "ip": "203.0.113.7", "user_agent": "curl/8.5", "description": "brute force"},
    "abuse": {
        "username": "bob",
        "node": "fra-1",
        "description": "torrent",
        "ip": "203.0.113.8",
        "destination": "198.51.100.9:6969",
        "inbound": "VLESS_TCP",
        "blocked": True,
        "block_seconds": 1800,
        "blocked_until": "2026-11-21T04:34:00Z",
    },
    **{
        thing: {
            "name": "one",
            "id": 1,
            "details": {"Inbound Tag": "raw"},
            "expires_at": "2026-12-21T04:04:00Z",
            "status": "active",
        }
        for thing in THINGS
    },
    "system": {"server": "fra-1", "message": "disk full", "version": "3.1.0", "component": "database"},
    "lane": {"sink": "ops", "dead": 12, "since": "2026-11-20T22:00:00Z"},
    "source": {"name": "marzban", "last_event_at": "2026-11-20T21:00:00Z", "silent_seconds": 25200},
    "config": {"file": "config.yaml", "mistakes": ["3:1: no sinks"]},
    "command": "panelbridge lanes",
    "action": "CHANGED_SERVER",
    "extra": {"colour": "red", "sizes": [1, 2], "deep": {"er": "still"}},
}


def event(type_: str, data: Mapping[str, Any], subject: str | None = "user:alice", **fields: Any) -> Event:
    told: dict[str, Any] = {
        "id": "0193-test",
        "source": "main",
        "panel": "marzban",
        "native_type": type_,
        "occurred_at": NOW,
        "received_at": NOW,
        "native": {},
    }
    return Event(**told | fields, type=type_, subject=subject, data=data)


def look(service: str, **fields: Any) -> ServiceLook:
    return ServiceLook(SERVICES[service], **fields)


def said(service: str, one: Event, renderer: Renderer = ENGLISH, **fields: Any) -> Mapping[str, str]:
    """The blocks of an event for a service, which must not have failed."""
    rendered = renderer.render(one, look(service, **fields))
    assert rendered.fault is None, rendered.fault
    return rendered.blocks


def with_texts(value: Any, text: str) -> Any:
    """The same data with `text` in place of every text."""
    if isinstance(value, dict):
        return {key: with_texts(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_texts(inner, text) for inner in value]
    return text if isinstance(value, str) else value


def inline(source: str, one: Event, renderer: Renderer = ENGLISH) -> Rendered:
    """A little template of the operator's, rendered."""
    return renderer.render(one, ServiceLook(inline=(("body", source),)))


def after(type_: str, **ago: float) -> Circumstances:
    """What a sink was told of the subject that long before NOW."""
    return Circumstances(earlier=Earlier(ref="1", type=type_, occurred_at=NOW - timedelta(**ago)))


LASTING = Reminder(2, 5, 7500.0)


def circumstances(one: Event) -> Circumstances:
    """All that may be said beside an event at once."""
    earlier = Earlier(ref="1", type=opposite(one.type) or one.type, occurred_at=one.occurred_at - timedelta(minutes=12))
    return Circumstances(
        replay=True, instead="ops: HTTP 404; gave up", earlier=earlier, repeats=12, silent=True, reminder=LASTING
    )


def tally(kinds: int, *, each: int = 1, seconds: float = 60, storm: bool = False) -> DigestTally:
    """A digest of so many types, canonical ones first, each as often."""
    types = [*TYPES, *(f"json.kind_{n}" for n in range(kinds))][:kinds]
    return DigestTally(
        kinds=dict.fromkeys(types, each),
        shown=5,
        first_at=NOW,
        last_at=NOW + timedelta(seconds=seconds),
        storm=storm,
    )
