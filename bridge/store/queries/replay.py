"""Replay: sending again what was settled, and sending at last what went nowhere."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any

import sqlalchemy as sa

from bridge.event import Event
from bridge.intake import Routed
from bridge.store.base import SETTLED, Cleared, State, order_of
from bridge.store.compiled import write
from bridge.store.index_key import index_key_or_none
from bridge.store.moments import micros
from bridge.store.queries.dismiss import set_cleared
from bridge.store.queries.put import add_deliveries, lock_next_id
from bridge.store.queries.records import delivery_conditions, event_conditions, joined
from bridge.store.queries.tables import keep_tables
from bridge.store.records import DeliveryQuery, ReplayRecord
from bridge.store.rows import Row, event_of, terms_json, verdicts_json
from bridge.store.schema import deliveries, events

_COPIED = [
    deliveries.c[name] for name in ("event_id", "sink", "subject", "row", "template", "terms", "instead", "recipient")
]
_SHOWN = [events.c.type.label("event_type"), events.c.subject.label("event_subject")]
_WENT_NOWHERE = ~sa.exists().where(deliveries.c.event_id == events.c.id)
_SET_VERDICTS = (
    sa.update(events)
    .where(events.c.id == sa.bindparam("id_"))
    .values(verdicts=sa.bindparam("verdicts_"), table_key=sa.bindparam("table_key_"))
)


def replayable(connection: sa.Connection, query: DeliveryQuery) -> list[ReplayRecord]:
    """The settled deliveries that a person means to send again, in their order."""
    return [_replay_record(row) for row in _replayable_rows(connection, query)]


def replay_deliveries(connection: sa.Connection, query: DeliveryQuery, *, now: datetime) -> list[ReplayRecord]:
    """Make new pending deliveries of the settled ones that a person means, in their order; those are dealt with."""
    next_id = lock_next_id(connection)
    found = _replayable_rows(connection, query)
    names = ("replay_of", *(column.name for column in _COPIED))
    made = _add_pending(connection, [{name: row._mapping[name] for name in names} for row in found], next_id, now)
    set_cleared(connection, [row.replay_of for row in found], Cleared.REPLAYED, now)
    return [_replay_record(row, id_) for row, id_ in zip(found, made, strict=True)]


def _replayable_rows(connection: sa.Connection, query: DeliveryQuery) -> list[Row]:
    newest = (
        sa.select(deliveries.c.id.label("replay_of"), *_COPIED, *_SHOWN)
        .select_from(joined)
        .where(*delivery_conditions(query), deliveries.c.state.in_(SETTLED))
        .order_by(deliveries.c.id.desc())
        .limit(query.limit)
    )
    if None in query.cleared and not query.ids:
        newest = newest.where(~_has_arrived_before())
    return [*connection.execute(newest)][::-1]


def _has_arrived_before() -> sa.ColumnElement[bool]:
    """Whether it is the replay of what had arrived: it brought once more what was wanted once more."""
    original = deliveries.alias("original")
    arrived = sa.exists().where(original.c.id == deliveries.c.replay_of, original.c.state == State.DELIVERED.value)
    return sa.and_(deliveries.c.state == State.DELIVERED.value, arrived)


def _replay_record(row: Row, id_: int | None = None) -> ReplayRecord:
    return ReplayRecord(replay_of=row.replay_of, sink=row.sink, type=row.event_type, subject=row.event_subject, id=id_)


def unrouted_events(connection: sa.Connection, query: DeliveryQuery) -> list[Event]:
    """Events that have no delivery, in the order in which they came; the newest of them."""
    newest = (
        sa.select(events).where(*event_conditions(query), _WENT_NOWHERE).order_by(events.c.id.desc()).limit(query.limit)
    )
    return [event_of(row) for row in connection.execute(newest)][::-1]


def replay_events(connection: sa.Connection, routed: Sequence[Routed], *, now: datetime) -> list[int]:
    """Make pending deliveries of events that went nowhere yet, where a table says now, and keep what it said.

    Whoever found them may have been one of two: each is sent once.
    """
    next_id = lock_next_id(connection)
    nowhere = set(_nowhere(connection, [one.event.id for one in routed]))
    kept = [one for one in routed if one.destinations and one.event.id in nowhere]
    if kept:
        keep_tables(connection, [(one.decision.table, now) for one in kept[:1]])
        verdicts = [
            {"id_": one.event.id, "verdicts_": verdicts_json(one.decision), "table_key_": one.decision.table.key}
            for one in kept
        ]
        write(connection, _SET_VERDICTS, verdicts)
    rows = [
        {
            "event_id": one.event.id,
            "sink": to.sink,
            "subject": index_key_or_none(order_of(one.event.subject, to.recipient)),
            "row": to.row,
            "template": to.template,
            "terms": terms_json(to.terms),
            "instead": None,
            "replay_of": 0,
            "recipient": to.recipient,
        }
        for one in kept
        for to in one.destinations
    ]
    return _add_pending(connection, rows, next_id, now)


def _add_pending(connection: sa.Connection, rows: Sequence[dict[str, Any]], next_id: int, now: datetime) -> list[int]:
    """Add these as pending deliveries, in this order; their ids."""
    ids = count(next_id)
    made = [
        row
        | {"id": next(ids), "made_at": micros(now), "state": State.PENDING.value, "due_at": None}
        | {"sealed": None, "reminder": None}
        for row in rows
    ]
    add_deliveries(connection, made)
    return [row["id"] for row in made]


def _nowhere(connection: sa.Connection, ids: Sequence[str]) -> Iterator[str]:
    """Those of these events that are stored, and have no delivery."""
    for start in range(0, len(ids), 500):
        some = sa.select(events.c.id).where(events.c.id.in_(ids[start : start + 500]), _WENT_NOWHERE)
        yield from connection.execute(some).scalars()
