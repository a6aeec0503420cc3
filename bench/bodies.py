"""What a panel sends: Marzban's elements, each about another user."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from bench.client import a_request

HEADERS = {"Content-Type": "application/json", "x-webhook-secret": "bench"}
_numbers = count()


def events(url: str, how_many: int, *, size: int = 0) -> Iterator[bytes]:
    """So many requests of one event of a little over 1 kB; of `size` bytes where that is more.

    Each is made when it is sent, so that a client on the same cores is as slow as it was when the aims were set.
    """
    return (a_request(url, _padded(size), HEADERS) for _ in range(how_many))


def batch(url: str, size: int) -> tuple[bytes, int]:
    """One request of about `size` bytes, and how many events it has."""
    many = max(1, size // len(_padded(0)))
    return a_request(url, json.dumps([_element() for _ in range(many)]).encode(), HEADERS), many


def _padded(size: int) -> bytes:
    element = _element()
    body = json.dumps([element]).encode()
    if len(body) >= size:
        return body
    element["user"]["note"] += "." * (size - len(body))
    return json.dumps([element]).encode()


def _element() -> dict[str, Any]:
    number = next(_numbers)
    admin = {"username": "reseller1", "is_sudo": False, "telegram_id": 987654321, "discord_webhook": None}
    user = {
        "username": f"user_{number}",
        "status": "active",
        "expire": 1797826458,
        "data_limit": 53687091200,
        "data_limit_reset_strategy": "no_reset",
        "used_traffic": 1073741824,
        "lifetime_used_traffic": 1073741824,
        "note": "paid until December",
        "proxies": {"vless": {"id": "b52e0610-3b41-4f80-94da-8ac07eda9651", "flow": ""}},
        "links": ["vless://b52e0610-3b41-4f80-94da-8ac07eda9651@127.0.0.1:443?security=reality&type=tcp"],
        "subscription_url": "https://sub.example.com/sub/ZXhhbXBsZV91c2VyLDE3OTUyMzQ0NTk1Xfb04",
        "created_at": "2026-11-21T04:14:18.161673",
        "admin": admin,
    }
    return {
        "enqueued_at": 1795234456.661964,
        "send_at": 1795234456.661972,
        "tries": 0,
        "username": f"user_{number}",
        "action": "user_created",
        "by": admin,
        "user": user,
    }
