"""Prune: what is old, found by one who reads and deleted by one who writes, in steps."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from bridge.people.recipient import Audience
from bridge.store.backend import backend_of
from bridge.store.base import NO_AUDIENCES, SETTLED
from bridge.store.moments import micros
from bridge.store.queries import announcements, attempts, links, moves, mutes, tallies
from bridge.store.queries.tables import delete_unused, unused_tables
from bridge.store.rows import lowest_event_id
from bridge.store.schema import deliveries, events, fingerprints, set_aside, threads
from bridge.value import Value


class position(sa.sql.functions.GenericFunction[int]):  # noqa: N801
    """Where a text first has another one, counted from 1; 0 where it has none. PostgreSQL's name for it is strpos."""

    type = sa.Integer()
    inherit_cache = True


@compiles(position)
def _position(element: position, compiler: SQLCompiler, **more: Any) -> str:
    name = "instr" if compiler.dialect.name == "sqlite" else "strpos"
    return f"{name}({compiler.process(element.clauses, **more)})"


class Prunable(Value):
    """Keys of what may be deleted, of each kind."""

    deliveries: Sequence[int]
    events: Sequence[str]
    set_aside: Sequence[int]
    fingerprints: Sequence[str]
    threads: Sequence[tuple[str, str]]
    tables: Sequence[str]
    tallies: Sequence[tallies.Old]


def prunable(
    connection: sa.Connection,
    *,
    before: datetime,
    now: datetime,
    limit: int,
    audiences: Mapping[Audience, datetime] = NO_AUDIENCES,
) -> Prunable:
    """What is from before then, and fingerprints that are over: up to `limit` of each kind, the oldest first.

    What was told to one of the `audiences` is old before its time, in place of that one. An event's id tells when it
    came, so that what is old is found without looking at what is not.
    """
    unused = (
        sa.select(events.c.id)
        .where(events.c.id < lowest_event_id(before), ~sa.exists().where(deliveries.c.event_id == events.c.id))
        .order_by(events.c.id)
    )
    aside = sa.select(set_aside.c.id).where(set_aside.c.received_at < micros(before)).order_by(set_aside.c.received_at)
    expired = sa.select(fingerprints.c.key).where(fingerprints.c.until <= micros(now)).order_by(fingerprints.c.until)
    stale = sa.select(threads.c.sink, threads.c.subject).where(threads.c.said_at < micros(before))
    return Prunable(
        _old_deliveries(connection, before, audiences, limit),
        list(connection.execute(unused.limit(limit)).scalars()),
        list(connection.execute(aside.limit(limit)).scalars()),
        list(connection.execute(expired.limit(limit)).scalars()),
        [(sink, subject) for sink, subject in connection.execute(stale.order_by(threads.c.said_at).limit(limit))],
        unused_tables(connection, before=before)[:limit],
        tallies.old_tallies(connection, before=before, now=now, limit=limit),
    )


def _old_deliveries(
    connection: sa.Connection, before: datetime, audiences: Mapping[Audience, datetime], limit: int
) -> list[int]:
    """Settled deliveries that are old: each audience's by its own time, all others by `before`.

    Where times differ, the newest go first: behind them are the events that are kept for another's sake, which were
    looked through in the rounds before.
    """
    if not audiences:
        return _settled_deliveries(connection, before, limit)
    others = sa.and_(*(~_is_for(one) for one in audiences))
    times = [(before, others), *((at, _is_for(one)) for one, at in audiences.items())]
    return [id_ for at, whose in times for id_ in _settled_deliveries(connection, at, limit, whose)][:limit]


def _is_for(audience: Audience) -> sa.ColumnElement[bool]:
    """Whether a delivery is for one of that audience, by its recipient's key: a realm has no slash, a name may."""
    kind, key = f"{audience.kind}:", sa.func.coalesce(deliveries.c.recipient, "")
    return sa.func.substr(key, position(key, sa.literal("/")) + 1, len(kind)) == kind


def _settled_deliveries(
    connection: sa.Connection, before: datetime, limit: int, whose: sa.ColumnElement[bool] | None = None
) -> list[int]:
    """Deliveries of old events that were settled before then, the oldest first; of some alone, the newest.

    In two steps, and without a join: PostgreSQL might begin it with all deliveries there are.
    """
    settled = (
        deliveries.c.settled_at < micros(before),
        deliveries.c.state.in_(SETTLED),
        deliveries.c.id != sa.select(sa.func.max(deliveries.c.id)).scalar_subquery(),  # see put.lock_next_id
        *(() if whose is None else (whose,)),
    )
    any_settled = sa.select(deliveries.c.id).where(deliveries.c.event_id == events.c.id, *settled).limit(1)
    old = sa.select(events.c.id).where(
        events.c.id < lowest_event_id(before), any_settled.scalar_subquery().is_not(None)
    )
    order = events.c.id if whose is None else events.c.id.desc()
    ids = list(connection.execute(old.order_by(order).limit(limit)).scalars())
    found = sa.select(deliveries.c.id).where(deliveries.c.event_id.in_(ids), *settled).limit(limit)
    return list(connection.execute(found).scalars()) if ids else []


def prune(connection: sa.Connection, found: Prunable, *, before: datetime, now: datetime) -> int:
    """Delete it, but for what has become new meanwhile."""
    if found.events:
        backend_of(connection).lock_changes(connection)  # nobody may make a delivery of them meanwhile: a replay
    pair = sa.tuple_(threads.c.sink, threads.c.subject)
    deleted = 0
    for statement, keys in (
        (attempts.delete_of(found.deliveries), found.deliveries),
        (sa.delete(deliveries).where(deliveries.c.id.in_(found.deliveries)), found.deliveries),
        (sa.delete(events).where(events.c.id.in_(found.events), ~_has_delivery()), found.events),
        (sa.delete(set_aside).where(set_aside.c.id.in_(found.set_aside)), found.set_aside),
        (_delete_expired(found.fingerprints, now), found.fingerprints),
        (sa.delete(threads).where(pair.in_(found.threads), threads.c.said_at < micros(before)), found.threads),
        (delete_unused(found.tables, before=before), found.tables),
        (tallies.delete_old(found.tallies), found.tallies),
    ):
        if keys:
            deleted += connection.execute(statement).rowcount
    deleted += connection.execute(mutes.delete_over(before)).rowcount  # they are few
    deleted += links.delete_over(connection, before=before)
    deleted += moves.delete_over(connection, now=now)
    return deleted + announcements.delete_old(connection, before=before)


def _has_delivery() -> sa.ColumnElement[bool]:
    return sa.exists().where(deliveries.c.event_id == events.c.id)


def _delete_expired(keys: Sequence[str], now: datetime) -> sa.Delete:
    return sa.delete(fingerprints).where(fingerprints.c.key.in_(keys), fingerprints.c.until <= micros(now))
