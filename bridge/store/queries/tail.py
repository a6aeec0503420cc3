"""The tail: what has come since, and what became of what waited. Each look goes by primary keys, and is bounded."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from bridge.store.base import Standing
from bridge.store.chunks import CHUNK, chunks
from bridge.store.moments import micros
from bridge.store.queries.events import BRIEF
from bridge.store.queries.records import delivery_columns, joined
from bridge.store.records import DeliveryRecord, EventRecord
from bridge.store.rows import delivery_record, event_record, lowest_event_id
from bridge.store.schema import attempts, deliveries, events, lanes

#: For the sake of SQLite, which would else walk all deliveries for their order or bound, settled ones too.
_number = deliveries.c.id + sa.literal_column("0")


def event_ids_since(connection: sa.Connection, since: datetime, *, limit: int) -> Sequence[str]:
    """Ids of the events that came since then, the oldest first; of more than `limit` the newest."""
    found = sa.select(events.c.id).where(events.c.id >= lowest_event_id(since)).order_by(events.c.id.desc())
    return list(reversed(connection.execute(found.limit(limit)).scalars().all()))


def events_by_id(connection: sa.Connection, ids: Sequence[str]) -> list[EventRecord]:
    """These events, the oldest first."""
    found: list[EventRecord] = []
    for some in chunks(ids):
        select = sa.select(*BRIEF).where(events.c.id.in_(some)).order_by(events.c.id)
        found += map(event_record, connection.execute(select))
    return found


def newest_delivery(connection: sa.Connection) -> int:
    """The highest number that a delivery has; 0 where there is none."""
    return connection.execute(sa.select(sa.func.max(deliveries.c.id))).scalar_one() or 0


def delivery_before(connection: sa.Connection, since: datetime) -> int:
    """The number after which come the deliveries of the events that came since then."""
    oldest = sa.select(deliveries.c.id).where(deliveries.c.event_id >= lowest_event_id(since))
    some = oldest.order_by(deliveries.c.event_id).limit(CHUNK).subquery()  # of all of them it would walk every delivery
    found: int | None = connection.execute(sa.select(sa.func.min(some.c.id))).scalar_one()
    return newest_delivery(connection) if found is None else found - 1


def deliveries_after(connection: sa.Connection, after: int, *, limit: int) -> list[DeliveryRecord]:
    """Up to `limit` deliveries with a higher number, in order."""
    select = sa.select(*delivery_columns).select_from(joined).where(deliveries.c.id > after)
    rows = connection.execute(select.order_by(deliveries.c.id).limit(limit))
    return [delivery_record(row._asdict()) for row in rows]


def deliveries_by_id(connection: sa.Connection, ids: Sequence[int]) -> list[DeliveryRecord]:
    """These deliveries, in order."""
    found: list[DeliveryRecord] = []
    for some in chunks(ids):
        select = sa.select(*delivery_columns).select_from(joined).where(deliveries.c.id.in_(some))
        rows = connection.execute(select.order_by(deliveries.c.id))
        found += [delivery_record(row._asdict()) for row in rows]
    return found


def unsettled(connection: sa.Connection, *, through: int, limit: int) -> Mapping[int, int]:
    """The newest deliveries, up to that number, that are still to be carried: number → tries."""
    found: dict[int, int] = {}
    pending = sa.and_(deliveries.c.settled_at.is_(None), deliveries.c.due_at.is_(None))  # in the words of the indexes
    for condition in (pending, deliveries.c.due_at.is_not(None)):
        some = sa.select(deliveries.c.id).where(condition, _number <= through)
        newest = some.order_by(_number.desc()).limit(limit).subquery()
        tries = sa.select(deliveries.c.id, deliveries.c.attempts).where(deliveries.c.id.in_(sa.select(newest.c.id)))
        found.update((row.id, row.attempts) for row in connection.execute(tries))
    return dict(sorted(found.items())[-limit:])


def tries_since(connection: sa.Connection, ids: Sequence[int], since: datetime) -> Mapping[int, int]:
    """How many of the tries of these deliveries began since then, as a delivery counts them; those that had some."""
    found: dict[int, int] = {}
    for some in chunks(ids):
        tries = sa.select(attempts.c.delivery_id, sa.func.count().label("number"))
        tries = tries.where(attempts.c.delivery_id.in_(some), attempts.c.at >= micros(since), attempts.c.counts)
        found.update(
            (row.delivery_id, row.number) for row in connection.execute(tries.group_by(attempts.c.delivery_id))
        )
    return found


def standings(connection: sa.Connection) -> Mapping[str, tuple[Standing, str | None]]:
    """How each lane stands, and why."""
    rows = connection.execute(sa.select(lanes.c.sink, lanes.c.standing, lanes.c.reason))
    return {row.sink: (Standing(row.standing), row.reason) for row in rows}
