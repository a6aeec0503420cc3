"""Backlog: whether the store gets slower as what waits in it grows. Put, claim and settle, on both engines."""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import TypeVar

import sqlalchemy as sa

from bench.counts import Counts
from bench.figures import Aim, Figure
from bench.postgres import a_durable_postgres
from bench.processes import a_folder
from bench.rounds import in_turn
from bridge.event import Event, new_id
from bridge.intake import Decision, Destination, Intake, Routed, Table
from bridge.outcome import Attempt, Delivered, Done
from bridge.store import open_outbox
from bridge.store.base import Settlement
from bridge.store.outbox import SqlOutbox

BATCH = 100
VERBS = ("put", "claim", "settle")
AIM = Aim("≤", 1.1)
FILL = """
INSERT INTO deliveries (id, event_id, sink, subject, {row}, made_at, state, attempts)
WITH RECURSIVE n(i) AS (SELECT {start} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})
SELECT i, '{event}', '{sink}', 'user:' || i, 'route 1', 0, 'pending', 0 FROM n
"""
T = TypeVar("T")
#: Seconds by verb.
Times = dict[str, float]


async def backlog(counts: Counts) -> list[Figure]:
    """A batch in stores of which so much waits, in turn with an empty one."""
    with a_folder() as folder, a_durable_postgres() as server:
        return [
            *await _engine("SQLite", counts, [f"sqlite:///{folder}/{size}.db" for size in counts.waiting]),
            *await _engine("PostgreSQL", counts, [server.fresh() for _ in counts.waiting]),
        ]


async def _engine(name: str, counts: Counts, urls: Sequence[str]) -> list[Figure]:
    async with AsyncExitStack() as stack:
        outboxes = {}
        for size, url in zip(counts.waiting, urls, strict=True):
            await fill(url, "busy", size)
            outboxes[f"{size:,}"] = await stack.enter_async_context(open_outbox(url))
        batches = await in_turn(
            counts.rounds * counts.store_batches, {size: partial(_batch, one) for size, one in outboxes.items()}
        )
    times = {size: list(_medians(several, counts.store_batches)) for size, several in batches.items()}
    empty, *full = times.values()
    sizes = list(times)[1:]
    return [
        Figure(
            f"{name}, {verb} of {BATCH}, {size} waiting, beside none",
            "µs",
            tuple(one[verb] * 1e6 for one in rounds),
            tuple(one[verb] * 1e6 for one in empty),
            aim=AIM,
        )
        for size, rounds in zip(sizes, full, strict=True)
        for verb in VERBS
    ]


async def fill(url: str, sink: str, count: int) -> None:
    """A new store in which so many deliveries of one event wait for a sink, written straight into the table."""
    async with open_outbox(url) as outbox:
        first = (await outbox.put(_intake([_event(0)], sink))).deliveries[0]
    engine = sa.create_engine(url)
    row = engine.dialect.identifier_preparer.quote("row")
    with engine.begin() as connection:
        start = connection.execute(sa.text("SELECT max(id) + 1 FROM deliveries")).scalar_one()
        text = FILL.format(row=row, event=first.event.id, sink=sink, start=start, end=start + count)
        if count:
            connection.execute(sa.text(text))
    engine.dispose()


def _medians(batches: Sequence[Times], many: int) -> Iterator[Times]:
    """The middle of so many batches at a time: a single one may wait for a checkpoint, or for the disk."""
    for start in range(0, len(batches), many):
        yield {verb: median(one[verb] for one in batches[start : start + many]) for verb in VERBS}


async def _batch(outbox: SqlOutbox) -> Times:
    put, _ = await _timed(lambda: outbox.put(_intake([_event(number) for number in range(BATCH)], "busy")))
    claim, claimed = await _timed(lambda: outbox.claim("busy", after=0, now=datetime.now(UTC), limit=BATCH))
    now = datetime.now(UTC)
    settlements = [Settlement(one, Done(), Attempt(Delivered(), 200), now) for one in claimed.deliveries]
    settle, _ = await _timed(lambda: outbox.settle(settlements))
    return {"put": put, "claim": claim, "settle": settle}


async def _timed(act: Callable[[], Awaitable[T]]) -> tuple[float, T]:
    started = time.perf_counter()
    result = await act()
    return time.perf_counter() - started, result


def _intake(events: Sequence[Event], sink: str) -> Intake:
    to, decision = (Destination(sink, "route 1"),), Decision(Table("one row", "[]"), ("route 1",))
    return Intake([Routed(event, to, decision) for event in events])


def _event(number: int) -> Event:
    now = datetime.now(UTC)
    return Event(
        id=new_id(),
        source="marzban",
        panel="marzban",
        type="user.created",
        native_type="user_created",
        subject=f"user:{number}",
        occurred_at=now,
        received_at=now,
        data={"user": {"username": f"user_{number}", "limit_bytes": 53687091200}},
        native={"username": f"user_{number}", "action": "user_created"},
    )
