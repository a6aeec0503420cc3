"""The ledger: what people look up, and send again. For commands, which live in processes of their own."""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from bridge.event import Event, JsonObject
from bridge.intake import Routed
from bridge.store.base import AsideRecord, LaneRecord, Query, Record
from bridge.store.dialect import explained
from bridge.store.queries import ledger as queries


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

    def unrouted(
        self,
        *,
        source: str | None = None,
        type: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Sequence[Event]:
        meant = Query(source=source, type=type, subject=subject, since=since, until=until, limit=limit)
        with explained(), self._reads() as connection:
            return queries.unrouted(connection, meant)

    def put_replays(self, routed: Sequence[Routed], now: datetime) -> Sequence[int]:
        with explained(), self._engine.begin() as connection:
            return queries.put_replays(connection, routed, now=now)

    def lanes(self) -> Sequence[LaneRecord]:
        with explained(), self._reads() as connection:
            return queries.lane_records(connection)

    def resume(self, sink: str, now: datetime) -> bool:
        with explained(), self._engine.begin() as connection:
            return queries.resume(connection, sink)

    def _reads(self) -> sa.Connection:
        return self._engine.connect().execution_options(reads=True)
