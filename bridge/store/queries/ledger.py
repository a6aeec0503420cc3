"""Ledger: what people look up, and send again."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any

import sqlalchemy as sa

from bridge.event import Event
from bridge.intake import Routed
from bridge.store import dialect
from bridge.store.base import AsideRecord, LaneRecord, Query, Record, Standing, State
from bridge.store.compiled import write
from bridge.store.queries.put import add, take_turn
from bridge.store.rows import aside_of, event_of, record_of, terms_text, verdicts_text
from bridge.store.schema import deliveries, events, lanes, micros, moment, set_aside

_joined = deliveries.join(events, events.c.id == deliveries.c.event_id)
_SETTLED = (State.DELIVERED, State.DEAD, State.HELD_BACK)
_ROUTED_ANEW = sa.update(events).where(events.c.id == sa.bindparam("id_")).values(verdicts=sa.bindparam("verdicts_"))


def records(connection: sa.Connection, query: Query) -> list[Record]:
    """The deliveries that a person means, newest first."""
    columns = [c for c in deliveries.c if c.name not in ("event_id", "subject", "terms")]
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
    next_id = take_turn(connection)
    columns = [deliveries.c[name] for name in ("event_id", "sink", "subject", "row", "template", "terms", "instead")]
    newest = (
        sa.select(deliveries.c.id.label("replay_of"), *columns)
        .select_from(_joined)
        .where(*_meant(query), deliveries.c.state.in_(_SETTLED))
        .order_by(deliveries.c.id.desc())
        .limit(query.limit)
    )
    return _pending(connection, [dict(row._mapping) for row in connection.execute(newest)][::-1], next_id, now)


def unrouted(connection: sa.Connection, query: Query) -> list[Event]:
    """Events that have no delivery, in the order in which they came; the newest of them."""
    newest = (
        sa.select(events)
        .where(*_events_meant(query), ~sa.exists().where(deliveries.c.event_id == events.c.id))
        .order_by(events.c.id.desc())
        .limit(query.limit)
    )
    return [event_of(row) for row in connection.execute(newest)][::-1]


def put_replays(connection: sa.Connection, routed: Sequence[Routed], *, now: datetime) -> list[int]:
    """Make pending deliveries of stored events where a table says now, and keep what it said."""
    next_id = take_turn(connection)
    stored = set(_stored(connection, [one.event.id for one in routed]))
    still = [one for one in routed if one.destinations and one.event.id in stored]
    if still:
        verdicts = [{"id_": one.event.id, "verdicts_": verdicts_text(one.verdicts)} for one in still]
        write(connection, _ROUTED_ANEW, verdicts)
    rows = [
        {
            "event_id": one.event.id,
            "sink": to.sink,
            "subject": one.event.subject,
            "row": to.row,
            "template": to.template,
            "terms": terms_text(to.terms),
            "instead": None,
            "replay_of": 0,
        }
        for one in still
        for to in one.destinations
    ]
    return _pending(connection, rows, next_id, now)


def lane_records(connection: sa.Connection) -> list[LaneRecord]:
    """Every lane that has a row or deliveries that did not arrive, by name."""
    rows = {row.sink: row for row in connection.execute(sa.select(lanes))}
    counted: defaultdict[str, dict[str, int]] = defaultdict(dict)
    oldest: dict[str, int] = {}
    for sink, state, number, first in _counted(connection):
        counted[sink][state] = number
        if state != State.DEAD:
            oldest[sink] = min(first, oldest.get(sink, first))
    made = {sink: moment(at) for sink, at in _made_at(connection, oldest)}
    return [_lane_record(sink, rows.get(sink), counted[sink], made.get(sink)) for sink in sorted({*rows, *counted})]


def resume(connection: sa.Connection, sink: str) -> bool:
    """Let a lane flow again; whether anything held it."""
    freed = sa.update(lanes).values(standing=Standing.OPEN.value, failures=0, reason=None, since=None, until=None)
    held = sa.or_(lanes.c.standing != Standing.OPEN.value, lanes.c.until.is_not(None))
    done = connection.execute(freed.where(lanes.c.sink == sink, held)).rowcount
    dialect.notify(connection, {sink})
    return done > 0


def _pending(connection: sa.Connection, rows: Sequence[dict[str, Any]], next_id: int, now: datetime) -> list[int]:
    """Add these as pending deliveries, in this order; their ids."""
    ids = count(next_id)
    made = [
        row | {"id": next(ids), "made_at": micros(now), "state": State.PENDING.value, "due_at": None} for row in rows
    ]
    add(connection, made)
    return [row["id"] for row in made]


def _stored(connection: sa.Connection, ids: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(ids), 500):
        some = sa.select(events.c.id).where(events.c.id.in_(ids[start : start + 500]))
        yield from connection.execute(some).scalars()


def _counted(connection: sa.Connection) -> Iterator[tuple[str, str, int, int]]:
    """Sink, state, how many and the lowest id, of what is not settled and of what is dead."""
    columns = (deliveries.c.sink, deliveries.c.state, sa.func.count(), sa.func.min(deliveries.c.id))
    for condition in (deliveries.c.settled_at.is_(None), deliveries.c.state == sa.literal_column("'dead'")):
        grouped = sa.select(*columns).where(condition).group_by(deliveries.c.sink, deliveries.c.state)
        yield from connection.execute(grouped)


def _made_at(connection: sa.Connection, ids: dict[str, int]) -> Iterator[tuple[str, int]]:
    found = sa.select(deliveries.c.sink, deliveries.c.made_at).where(deliveries.c.id.in_(ids.values()))
    yield from connection.execute(found)


def _lane_record(sink: str, row: sa.Row[Any] | None, counted: dict[str, int], oldest: datetime | None) -> LaneRecord:
    since, until = (None, None) if row is None else (row.since, row.until)
    return LaneRecord(
        sink=sink,
        standing=Standing.OPEN if row is None else Standing(row.standing),
        reason=None if row is None else row.reason,
        since=None if since is None else moment(since),
        until=None if until is None else moment(until),
        failures=0 if row is None else row.failures,
        owner=None if row is None else row.owner,
        pending=counted.get(State.PENDING, 0),
        waiting=counted.get(State.WAITING, 0),
        dead=counted.get(State.DEAD, 0),
        oldest=oldest,
    )


def _meant(query: Query) -> list[sa.ColumnElement[bool]]:
    conditions = _events_meant(query)
    if query.ids:
        conditions.append(deliveries.c.id.in_(query.ids))
    if query.states:
        conditions.append(deliveries.c.state.in_(query.states))
    if query.sink is not None:
        conditions.append(deliveries.c.sink == query.sink)
    return conditions


def _events_meant(query: Query) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if query.since is not None:
        conditions.append(events.c.received_at >= micros(query.since))
    if query.until is not None:
        conditions.append(events.c.received_at < micros(query.until))
    for column, wanted in (
        (events.c.source, query.source),
        (events.c.type, query.type),
        (events.c.subject, query.subject),
    ):
        if wanted is not None:
            conditions.append(column == wanted)
    return conditions
