"""Whether the store gets slower as what waits in it grows: put, claim and settle at several sizes, on both engines."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa

from bridge.event import Event, new_id
from bridge.intake import Decision, Destination, Intake, Routed, Table
from bridge.outcome import Attempt, Delivered, Done
from bridge.store import open_outbox
from bridge.store.base import Settlement
from bridge.store.outbox import SqlOutbox

SIZES = (0, 100_000, 1_000_000)
ROUNDS, BATCH = 60, 100
FILL = """
INSERT INTO deliveries (id, event_id, sink, subject, {row}, made_at, state, attempts)
WITH RECURSIVE n(i) AS (SELECT {start} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})
SELECT i, '{event}', 'busy', 'user:' || i, 'route 1', 0, 'pending', 0 FROM n
"""


@dataclass(slots=True)
class Costs:
    """Seconds for a batch of each verb, the median."""

    put: list[float] = field(default_factory=list)
    claim: list[float] = field(default_factory=list)
    settle: list[float] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        return {verb: statistics.median(getattr(self, verb)) for verb in ("put", "claim", "settle")}


async def backlog(urls: Sequence[str]) -> dict[int, dict[str, float]]:
    """What a batch costs behind a backlog of each size, in turn; `urls` are as many empty stores."""
    costs = {size: Costs() for size in SIZES}
    async with AsyncExitStack() as stack:
        outboxes = {}
        for size, url in zip(SIZES, urls, strict=True):
            outboxes[size] = await stack.enter_async_context(open_outbox(url))
            filler = (await outboxes[size].put(_intake([_event(0)]))).deliveries[0]
            _fill(url, filler.event.id, size)
        for _ in range(ROUNDS):
            for size, outbox in outboxes.items():
                await _round(outbox, costs[size])
    return {size: cost.medians() for size, cost in costs.items()}


async def _round(outbox: SqlOutbox, costs: Costs) -> None:
    await _timed(costs.put, lambda: outbox.put(_intake([_event(number) for number in range(BATCH)])))
    claim = await _timed(costs.claim, lambda: outbox.claim("busy", after=0, now=datetime.now(UTC), limit=BATCH))
    now = datetime.now(UTC)
    settlements = [Settlement(one, Done(), Attempt(Delivered(), 200), now) for one in claim.deliveries]
    await _timed(costs.settle, lambda: outbox.settle(settlements))


T = TypeVar("T")


async def _timed(times: list[float], act: Callable[[], Awaitable[T]]) -> T:
    started = time.perf_counter()
    result = await act()
    times.append(time.perf_counter() - started)
    return result


def _fill(url: str, event: str, count: int) -> None:
    """So many deliveries of one event, written straight into the table."""
    if not count:
        return
    engine = sa.create_engine(url)
    row = engine.dialect.identifier_preparer.quote("row")
    with engine.begin() as connection:
        start = connection.execute(sa.text("SELECT max(id) + 1 FROM deliveries")).scalar_one()
        connection.execute(sa.text(FILL.format(row=row, event=event, start=start, end=start + count)))
    engine.dispose()


def _intake(events: Sequence[Event]) -> Intake:
    to, decision = (Destination("busy", "route 1"),), Decision(Table("one row", "[]"), ("route 1",))
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
