"""Hand-written stand-ins for the clock and the chance, and short ways to make values."""

import asyncio
import itertools
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

from bridge.event import Event
from bridge.intake import Decision, Destination, Intake, Routed, Table
from bridge.store.rows import lowest_event_id

_NUMBERS = itertools.count()
_PROCESS = os.urandom(3).hex()  # several may put into one store
START = datetime(2026, 11, 21, 4, 14, 18, tzinfo=UTC)


class FakeClock:
    """A clock whose hands move only when someone sleeps."""

    def __init__(self, now: datetime = START) -> None:
        self._start = now
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        self._elapsed += max(0.0, seconds)
        await asyncio.sleep(0)

    def set_back(self, seconds: float) -> None:
        """Someone sets the wall clock; the monotonic one does not care."""
        self._start -= timedelta(seconds=seconds)

    def step(self, seconds: float) -> None:
        """Move on without anyone sleeping."""
        self._elapsed += seconds


class NoChance(Random):
    """Chance that always falls in the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


@dataclass(frozen=True)
class Switch:
    """All that a table knows of a sink."""

    enabled: bool = True


#: A table of one row that takes everything, and what it said of an event.
TABLE = Table("one row", '[{"name": "route 1", "route": {"to": ["ops"]}, "disabled": []}]')
DECISION = Decision(TABLE, ("route 1",))


def an_event(subject: str | None = "user:alice", *, type_: str = "user.created", at: datetime = START) -> Event:
    """An event as a panel's user would cause it."""
    username = (subject or "user:nobody").partition(":")[2]
    return Event(
        id=_id_at(at),
        source="marzban",
        panel="marzban",
        type=type_,
        native_type=type_.replace(".", "_"),
        subject=subject,
        occurred_at=at,
        received_at=at,
        data={"user": {"username": username}},
        native={"username": username},
    )


def _id_at(at: datetime) -> str:
    """A fresh id with that time in it, as one has that is made when an event comes in; of one time in their order."""
    return f"{lowest_event_id(at)}-7000-8000-{next(_NUMBERS):06x}{_PROCESS}"


def an_intake(*events: Event, sinks: tuple[str, ...] = ("ops",)) -> Intake:
    """These events, routed to these sinks by one row."""
    destinations = tuple(Destination(sink, "route 1") for sink in sinks)
    return Intake([Routed(event, destinations, DECISION) for event in events])


def no_parts() -> Any:
    """Parts of a bridge that are told why a file is wrong, and do nothing."""

    def nothing(_: object) -> None: ...

    return SimpleNamespace(alerts=SimpleNamespace(hear=nothing), admin=SimpleNamespace(reject=nothing))
