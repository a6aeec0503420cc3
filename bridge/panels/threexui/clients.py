"""What becomes of a client between two looks: what it is now, what is kept of it, and which events tell the rest.

Times are the panel's, milliseconds since 1970. Whether a client is limited or expired is computed: its `enable` may
stay true.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from bridge.event import JsonObject
from bridge.foreign import name_of, object_at, whole
from bridge.value import Value, astuple, replace

ClientStatus = Literal["active", "on_hold", "disabled", "limited", "expired"]

#: Milliseconds: who has expired is not young again because somebody set our clock back by less.
SET_BACK = 3_600_000


class Marks(Value):
    """When to tell of a client that all is well with: `percents` of its traffic, `leads` in seconds before its end."""

    percents: Sequence[int]
    leads: Sequence[float]


class Client(Value):
    """What is kept of a client, by which the next look finds what has changed.

    limit    bytes, 0 where there is none
    expiry   when it ends; 0 never, and below 0 so long after the first connection
    percent  the highest of the marks that its traffic has reached, 0 where it has none
    lead     the last of the marks that its end has come within, 0.0 where it has none
    """

    email: str
    status: ClientStatus
    limit: int
    expiry: int
    percent: int
    lead: float
    connected: bool

    @classmethod
    def load(cls, stored: list[Any]) -> "Client":
        return cls(*stored)

    def dump(self) -> list[Any]:
        return list(astuple(self))


def client_key(element: JsonObject) -> str | None:
    """What a client is known by, though its email may change; None where it has no email."""
    email = name_of(element.get("email"))
    return None if email is None else str(whole(element.get("id")) or email)


def used_bytes(element: JsonObject) -> int:
    traffic = object_at(element, "traffic")
    return max(0, whole(traffic.get("up")) or 0) + max(0, whole(traffic.get("down")) or 0)


def look_at(element: JsonObject, before: Client | None, marks: Marks, at: datetime) -> Client:
    """What a client is at that time."""
    now = int(at.timestamp() * 1000)
    used, limit = used_bytes(element), max(0, whole(element.get("totalGB")) or 0)
    expiry = whole(element.get("expiryTime")) or 0
    lead = min((one for one in marks.leads if 0 < expiry <= now + one * 1000), default=0.0)
    connected = used > 0 or (whole(object_at(element, "traffic").get("lastOnline")) or 0) > 0
    found = Client(
        email=name_of(element.get("email")) or "",
        status=_status(enabled=element.get("enable") is not False, used=used, limit=limit, expiry=expiry, now=now),
        limit=limit,
        expiry=expiry,
        percent=max((one for one in marks.percents if limit and used * 100 >= limit * one), default=0),
        lead=lead,
        connected=connected,
    )
    if before is None:
        return found
    counted = bool(object_at(element, "traffic"))
    return _after(found if counted else _as_used_before(found, before), before, now)


def events_of(before: Client | None, now: Client, *, renews: bool, at: datetime) -> Iterator[str]:
    """What has happened to a client, in the order in which it is told. `renews`: its panel renews it by itself."""
    if before is None:
        yield "client.created"
        return
    renewed = renews and now.expiry > before.expiry > 0 and before.expiry <= at.timestamp() * 1000
    begun = before.expiry < 0 < now.expiry and now.connected
    if renewed:
        yield "client.renewed"
    elif _settings(before, begun=begun) != _settings(now, begun=begun):
        yield "client.updated"
    if now.connected and not before.connected:
        yield "client.first_connected"
    if now.status != before.status:
        if now.status != "active":
            yield f"client.{now.status}"
        elif before.status != "on_hold" and not renewed:
            yield "client.enabled"
    if now.status == "active" and now.percent > before.percent:
        yield "client.usage_threshold"
    if now.status in ("active", "limited") and now.lead and not 0 < before.lead <= now.lead:
        yield "client.expiring"


def _status(*, enabled: bool, used: int, limit: int, expiry: int, now: int) -> ClientStatus:
    if 0 < expiry <= now:
        return "expired"
    if limit and used >= limit:
        return "limited"
    if not enabled:
        return "disabled"
    return "on_hold" if expiry < 0 else "active"


def _as_used_before(found: Client, before: Client) -> Client:
    """A look that says nothing of the traffic: how much was used is what it was."""
    if not found.limit:
        return found
    limited = before.status == "limited" and found.status != "expired"
    return replace(found, status="limited" if limited else found.status, percent=before.percent)


def _after(found: Client, before: Client, now: int) -> Client:
    """Without what only our own clock would have changed, and with what has been and cannot be undone."""
    found = replace(found, connected=found.connected or before.connected)
    if found.expiry != before.expiry or found.expiry <= 0:
        return found
    if before.status == "expired" and found.expiry <= now + SET_BACK:
        found = replace(found, status="expired")
    if before.lead:
        found = replace(found, lead=min(before.lead, found.lead or before.lead))
    return found


def _settings(client: Client, *, begun: bool) -> tuple[str, int, int]:
    """What somebody has to change; a time that has begun with the first connection has changed by itself."""
    return client.email, client.limit, 0 if begun else client.expiry
