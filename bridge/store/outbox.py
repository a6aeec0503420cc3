"""The outbox over SQLAlchemy Core: `put`, `claim`, `settle`. The queries themselves stand in `queries.py`."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from bridge.intake import Intake
from bridge.store import queries
from bridge.store.base import Claim, Delivery, Settlement
from bridge.store.dialect import explained
from bridge.store.writer import Writer

T = TypeVar("T")


class SqlOutbox:
    """Writes go through one group-committing thread, reads through another."""

    def __init__(self, engine: sa.Engine) -> None:
        self.name = engine.url.render_as_string()  # without its password
        self._engine = engine
        self._writer = Writer(engine)
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reader")

    async def put(self, intake: Intake) -> Sequence[Delivery]:
        made: Sequence[Delivery] = await self._writer.write(queries.put, intake)
        return made

    async def claim(self, sink: str, *, after: int, now: datetime | None, limit: int) -> Claim:
        return await self._read(lambda connection: _claim(connection, sink, after=after, now=now, limit=limit))

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        return self._writer.write(queries.settle, settlement, durable=False)

    async def prune(self, *, before: datetime, limit: int) -> int:
        deliveries = await self._read(lambda c: queries.old_deliveries(c, before=before, limit=limit))
        events = await self._read(lambda c: queries.old_events(c, before=before, limit=limit))
        if not deliveries and not events:
            return 0

        def forget(connection: sa.Connection, _: Sequence[None]) -> Sequence[int]:
            return [queries.forget(connection, delivery_ids=deliveries, event_ids=events, before=before)]

        pruned: int = await self._writer.write(forget, None)
        return pruned

    async def check(self) -> None:
        """Raise StoreUnavailable unless the store can be written to."""
        await self._writer.write(queries.touch, None)

    async def close(self) -> None:
        await self._writer.close()
        self._readers.shutdown()
        self._engine.dispose()

    async def _read(self, query: Callable[[sa.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._reading, query)

    def _reading(self, query: Callable[[sa.Connection], T]) -> T:
        with explained(), self._engine.connect().execution_options(reads=True) as connection:
            return query(connection)


def _claim(connection: sa.Connection, sink: str, *, after: int, now: datetime | None, limit: int) -> Claim:
    fresh = queries.pending(connection, sink, after=after, limit=limit)
    if now is None:
        return fresh
    due = queries.due(connection, sink, now=now, limit=limit)
    next_due = now if len(due) == limit else queries.next_due(connection, sink, after=now)
    return Claim([*due, *fresh.deliveries], fresh.seen, fresh.more, next_due)
