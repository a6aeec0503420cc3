"""The ledger: what people look up, and send again. For commands, which live in processes of their own."""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from bridge.event import Event, JsonObject
from bridge.store import queries
from bridge.store.base import AsideRecord, Query, Record
from bridge.store.dialect import explained


class SqlLedger:
    """Reads beside a running bridge; replaying is a short write of its own, which the bridge's lanes find."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def deliveries(self, query: Query) -> Sequence[Record]:
        with explained(), self._reads() as connection:
            return queries.records(connection, query)

    def set_aside(self, *, limit: int) -> Sequence[AsideRecord]:
        with explained(), self._reads() as connection:
            return queries.aside_records(connection, limit=limit)

    def event(self, event_id: str) -> tuple[Event, Sequence[JsonObject]] | None:
        with explained(), self._reads() as connection:
            return queries.event_by_id(connection, event_id)

    def replay(self, query: Query, *, now: datetime) -> Sequence[int]:
        with explained(), self._engine.begin() as connection:
            return queries.replay(connection, query, now=now)

    def _reads(self) -> sa.Connection:
        return self._engine.connect().execution_options(reads=True)
