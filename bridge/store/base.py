"""What the store is to the rest of the house: an outbox to carry from, and a ledger to look things up in.

A delivery is `pending` until it was tried, `waiting` while a retry is due later, then `delivered` or `dead` for good.
Replaying makes a new delivery that remembers the old one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bridge.event import Event, JsonObject, iso
from bridge.intake import Intake
from bridge.outcome import Attempt, Fate


class State(StrEnum):
    PENDING = "pending"
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one sink, made at `made_at`: when its event was received, or it was replayed.

    `attempts` counts those made so far; `retried` says that it was waiting.
    """

    id: int
    event: Event
    sink: str
    row: str
    made_at: datetime
    template: str | None = None
    attempts: int = 0
    retried: bool = False
    replay_of: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Deliveries that may be carried now, in order.

    seen      how far the pending ones were looked through
    more      whether there may be further pending ones
    next_due  when the next retry is due, None where nothing waits
    """

    deliveries: Sequence[Delivery]
    seen: int
    more: bool = False
    next_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a delivery after one attempt; `fault` is a template's, when it could not render."""

    delivery: Delivery
    fate: Fate
    attempt: Attempt
    at: datetime
    fault: str | None = None


class Outbox(Protocol):
    """Three verbs. Each raises StoreUnavailable while the store cannot be used, and then nothing has happened."""

    async def put(self, intake: Intake) -> Sequence[Delivery]:
        """Keep an intake; returns its deliveries after the commit, in order."""
        ...

    async def claim(self, sink: str, *, after: int, now: datetime | None, limit: int) -> Claim:
        """Up to `limit` retries of a sink that are due `now`, then as many pending deliveries with an id above `after`.

        Never one whose subject has an earlier delivery waiting on this sink. Claiming changes nothing: a lane is
        the only one that claims for its sink, and a crash leaves all of them claimable. A lane that knows that no
        retry is due gives no `now`, and is told none.
        """
        ...

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        """Begin to record what became of a delivery; done after the commit."""
        ...

    async def prune(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` settled deliveries and events from before then; how many were deleted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which deliveries a person means; what is not given does not matter. Newest `limit` of them."""

    ids: tuple[int, ...] = ()
    states: tuple[State, ...] = ()
    sink: str | None = None
    source: str | None = None
    type: str | None = None
    subject: str | None = None
    since: datetime | None = None
    limit: int | None = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A delivery as people see it."""

    id: int
    event_id: str
    source: str
    type: str
    native_type: str
    subject: str | None
    received_at: datetime
    sink: str
    row: str
    template: str | None
    made_at: datetime
    state: State
    attempts: int
    due_at: datetime | None
    settled_at: datetime | None
    reason: str | None
    status: int | None
    answer: str | None
    note: str | None
    replay_of: int | None

    def to_json(self) -> JsonObject:
        """The field names as keys, times as ISO 8601 with Z."""
        return as_json(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideRecord:
    """An element of a batch that was set aside, as people see it."""

    id: int
    source: str
    received_at: datetime
    path: str
    reason: str
    element: object

    def to_json(self) -> JsonObject:
        """The field names as keys, times as ISO 8601 with Z."""
        return as_json(self)


def as_json(record: Record | AsideRecord) -> JsonObject:
    values = ((f.name, getattr(record, f.name)) for f in fields(record))
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in values}


class Ledger(Protocol):
    """What people look up, and send again. Synchronous: it serves commands, in a process of their own."""

    def deliveries(self, query: Query) -> Sequence[Record]:
        """Newest first."""
        ...

    def set_aside(self, *, limit: int) -> Sequence[AsideRecord]:
        """Newest first."""
        ...

    def event(self, event_id: str) -> tuple[Event, Sequence[JsonObject]] | None:
        """An event and the verdicts of the table it was routed by."""
        ...

    def replay(self, query: Query, *, now: datetime) -> Sequence[int]:
        """Send the settled deliveries of a query again, in their order: new pending ones, whose ids are returned."""
        ...
