"""Every query, one function and one sentence each: the one place to read them all. Their rows: `rows.py`."""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

import sqlalchemy as sa

from bridge.event import Event
from bridge.intake import Intake
from bridge.store.base import AsideRecord, Claim, Delivery, Query, Record, Settlement, State
from bridge.store.prepared import read, write
from bridge.store.rows import (
    aside_of,
    aside_row,
    delivery_of,
    delivery_row,
    event_of,
    event_row,
    first_id_at,
    new_delivery,
    record_of,
    settled_row,
)
from bridge.store.schema import deliveries, events, micros, moment, set_aside

_EVENT_COLUMNS = [c for c in events.c if c.name != "verdicts"]
_CARRIED = [deliveries.c[name] for name in ("sink", "row", "made_at", "template", "attempts", "replay_of", "state")]

_earlier = deliveries.alias("earlier")
_blocked = sa.exists().where(
    _earlier.c.sink == deliveries.c.sink,
    _earlier.c.subject == deliveries.c.subject,
    _earlier.c.state == sa.literal_column("'waiting'"),
)
_joined = deliveries.join(events, events.c.id == deliveries.c.event_id)

_DUE = (
    sa.select(deliveries.c.id.label("delivery_id"), *_CARRIED, *_EVENT_COLUMNS)
    .select_from(_joined)
    .where(
        deliveries.c.sink == sa.bindparam("sink_"),
        deliveries.c.state == sa.literal_column("'waiting'"),
        deliveries.c.due_at <= sa.bindparam("now_"),
    )
    .order_by(deliveries.c.due_at)
    .limit(sa.bindparam("limit_"))
)
_PENDING = (
    sa.select(deliveries.c.id.label("delivery_id"), _blocked.label("blocked"), *_CARRIED, *_EVENT_COLUMNS)
    .select_from(_joined)
    .where(
        deliveries.c.sink == sa.bindparam("sink_"),
        deliveries.c.state == sa.literal_column("'pending'"),
        deliveries.c.id > sa.bindparam("after_"),
    )
    .order_by(deliveries.c.id)
    .limit(sa.bindparam("limit_"))
)
_SETTLE = (
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("id_"),
        deliveries.c.state.in_([sa.literal_column("'pending'"), sa.literal_column("'waiting'")]),
    )
    .values({name: sa.bindparam(f"{name}_") for name in (
        "state", "attempts", "due_at", "settled_at", "reason", "status", "answer", "note",
    )})
)  # fmt: skip


_PUT_EVENT = events.insert()
_PUT_DELIVERY = deliveries.insert().values(
    {name: sa.bindparam(name) for name in (
        "id", "event_id", "sink", "subject", "row", "template", "made_at", "state", "replay_of",
    )}
    | {"attempts": sa.literal_column("0")}
)  # fmt: skip
_PUT_ASIDE = set_aside.insert().values(
    {name: sa.bindparam(name) for name in ("source", "received_at", "path", "reason", "element")}
)


def put(connection: sa.Connection, intakes: Sequence[Intake]) -> list[list[Delivery]]:
    """Keep the events, a delivery for each sink they go to, and what was set aside; the deliveries of each intake."""
    ids = count(_next_id(connection))
    made = [
        [new_delivery(next(ids), routed.event, to) for routed in intake.routed for to in routed.assignments]
        for intake in intakes
    ]
    for statement, rows in (
        (_PUT_EVENT, [event_row(routed) for intake in intakes for routed in intake.routed]),
        (_PUT_DELIVERY, [delivery_row(delivery) for of_intake in made for delivery in of_intake]),
        (_PUT_ASIDE, [aside_row(aside) for intake in intakes for aside in intake.set_aside]),
    ):
        if rows:
            write(connection, statement, rows)
    return made


def due(connection: sa.Connection, sink: str, *, now: datetime, limit: int) -> list[Delivery]:
    """The sink's retries that are due, the longest due first."""
    rows = read(connection, _DUE, {"sink_": sink, "now_": micros(now), "limit_": limit})
    return [delivery_of(row) for row in rows]


def pending(connection: sa.Connection, sink: str, *, after: int, limit: int) -> Claim:
    """The sink's next untried deliveries in order, without those whose subject has one waiting for a retry."""
    rows = read(connection, _PENDING, {"sink_": sink, "after_": after, "limit_": limit})
    seen = rows[-1].delivery_id if rows else after
    return Claim([delivery_of(row) for row in rows if not row.blocked], seen, more=len(rows) == limit)


def settle(connection: sa.Connection, settlements: Sequence[Settlement]) -> Sequence[None]:
    """Record what became of deliveries; one that is settled already stays as it is."""
    write(connection, _SETTLE, [settled_row(one) for one in settlements])
    return [None] * len(settlements)


def next_due(connection: sa.Connection, sink: str, *, after: datetime) -> datetime | None:
    """When the sink's next retry after that is due."""
    query = sa.select(sa.func.min(deliveries.c.due_at)).where(
        deliveries.c.sink == sink,
        deliveries.c.state == sa.literal_column("'waiting'"),
        deliveries.c.due_at > micros(after),
    )
    value = connection.execute(query).scalar()
    return None if value is None else moment(value)


def touch(connection: sa.Connection, whats: Sequence[None]) -> Sequence[None]:
    """Write, and change nothing: whether the store takes anything."""
    connection.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
    return whats


def old_deliveries(connection: sa.Connection, *, before: datetime, limit: int) -> list[int]:
    """Ids of deliveries that were settled before then, the oldest first."""
    query = (
        sa.select(deliveries.c.id)
        .where(
            deliveries.c.settled_at < micros(before),
            deliveries.c.state.in_([State.DELIVERED, State.DEAD]),
            deliveries.c.id < sa.select(sa.func.max(deliveries.c.id)).scalar_subquery(),  # see _next_id
        )
        .order_by(deliveries.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def old_events(connection: sa.Connection, *, before: datetime, limit: int) -> list[str]:
    """Ids of events from before then that no delivery refers to."""
    query = (
        sa.select(events.c.id)
        .where(
            events.c.id < first_id_at(before),
            ~sa.exists().where(deliveries.c.event_id == events.c.id),
        )
        .order_by(events.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def forget(
    connection: sa.Connection, *, delivery_ids: Sequence[int], event_ids: Sequence[str], before: datetime
) -> int:
    """Delete these deliveries and events, and what was set aside before then."""
    deleted = 0
    for statement in (
        sa.delete(deliveries).where(deliveries.c.id.in_(delivery_ids)),
        sa.delete(events).where(events.c.id.in_(event_ids)),
        sa.delete(set_aside).where(set_aside.c.received_at < micros(before)),
    ):
        deleted += connection.execute(statement).rowcount
    return deleted


def records(connection: sa.Connection, query: Query) -> list[Record]:
    """The deliveries that a person means, newest first."""
    columns = [c for c in deliveries.c if c.name not in ("event_id", "subject")]
    told = [events.c[name] for name in ("source", "type", "native_type", "subject", "received_at")]
    select = (
        sa.select(*columns, events.c.id.label("event_id"), *told)
        .select_from(_joined)
        .where(*_meant(query))
        .order_by(deliveries.c.id.desc())
        .limit(query.limit)
    )
    return [record_of(row._asdict()) for row in connection.execute(select)]


def aside_records(connection: sa.Connection, *, limit: int) -> list[AsideRecord]:
    """What was set aside, newest first."""
    rows = connection.execute(sa.select(set_aside).order_by(set_aside.c.id.desc()).limit(limit))
    return [aside_of(row) for row in rows]


def event_by_id(connection: sa.Connection, event_id: str) -> tuple[Event, list[dict[str, Any]]] | None:
    """An event and the verdicts it was routed by."""
    row = connection.execute(sa.select(events).where(events.c.id == event_id)).one_or_none()
    return None if row is None else (event_of(row), json.loads(row.verdicts))


def replay(connection: sa.Connection, query: Query, *, now: datetime) -> list[int]:
    """Make new pending deliveries of the settled ones that a person means, in their order."""
    columns = [deliveries.c[name] for name in ("event_id", "sink", "subject", "row", "template")]
    newest = (
        sa.select(deliveries.c.id.label("replay_of"), *columns)
        .select_from(_joined)
        .where(*_meant(query), deliveries.c.state.in_([State.DELIVERED, State.DEAD]))
        .order_by(deliveries.c.id.desc())
        .limit(query.limit)
    )
    rows = [dict(row._mapping) for row in connection.execute(newest)]
    ids = range(_next_id(connection), _next_id(connection) + len(rows))
    made = [
        {**row, "id": id_, "made_at": micros(now), "state": "pending"}
        for id_, row in zip(ids, reversed(rows), strict=True)
    ]
    if made:
        write(connection, _PUT_DELIVERY, made)
    return list(ids)


def _next_id(connection: sa.Connection) -> int:
    """The next delivery's id: above every other, ever. The newest delivery is never forgotten, so that this holds."""
    cursor = connection.connection.cursor()
    cursor.execute("SELECT coalesce(max(id), 0) FROM deliveries")
    (newest,) = cursor.fetchone() or (0,)
    cursor.close()
    return newest + 1


def _meant(query: Query) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.ids:
        conditions.append(deliveries.c.id.in_(query.ids))
    if query.states:
        conditions.append(deliveries.c.state.in_(query.states))
    if query.since is not None:
        conditions.append(events.c.received_at >= micros(query.since))
    for column, wanted in (
        (deliveries.c.sink, query.sink),
        (events.c.source, query.source),
        (events.c.type, query.type),
        (events.c.subject, query.subject),
    ):
        if wanted is not None:
            conditions.append(column == wanted)
    return conditions
