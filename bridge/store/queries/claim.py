"""Claim: what a lane may carry now, alone and together, and how much there is of it.

Every delivery waits behind an earlier one of its subject that waits: one look into an index that holds nothing else, so
that claiming costs the same whatever the backlog and the ledger hold. That one which was collected does not overtake
an earlier one that is pending is for whoever claims: it has looked through the pending ones.
"""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bridge.store.base import Claim, Delivery, DigestFill
from bridge.store.compiled import read
from bridge.store.rows import delivery_of, terms_of, terms_text
from bridge.store.schema import deliveries, events, micros, moment

_CARRIED = [
    deliveries.c[name] for name in (
        "sink", "row", "made_at", "template", "terms", "attempts", "due_at", "instead", "replay_of", "state",
    )
]  # fmt: skip
_EVENT_COLUMNS = [c for c in events.c if c.name != "verdicts"]
_unsettled = deliveries.c.settled_at.is_(None)
_is_pending = sa.and_(_unsettled, deliveries.c.due_at.is_(None))  # in the words of the indexes: see schema.py
_is_waiting = deliveries.c.due_at.is_not(None)
_collecting = deliveries.c.due_at.is_not(None), deliveries.c.reason.is_(None)  # nothing has become of it yet
_of_sink = deliveries.c.sink == sa.bindparam("sink_")
_above = deliveries.c.id > sa.bindparam("after_")
_limit: sa.BindParameter[int] = sa.bindparam("limit_")

_before = deliveries.alias("before")


#: The last earlier delivery of the same subject that waits. Not an `exists`: PostgreSQL would turn that into a join.
_BEHIND = (
    sa.select(_before.c.id)
    .where(
        _before.c.sink == deliveries.c.sink,
        _before.c.subject == deliveries.c.subject,
        _before.c.due_at.is_not(None),
        _before.c.id < deliveries.c.id,
    )
    .order_by(_before.c.id.desc())
    .limit(1)
    .scalar_subquery()
)


def _carried(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    joined = deliveries.join(events, events.c.id == deliveries.c.event_id)
    return sa.select(deliveries.c.id.label("delivery_id"), *more, *_CARRIED, *_EVENT_COLUMNS).select_from(joined)


PENDING = _carried(_BEHIND.label("behind")).where(_of_sink, _is_pending, _above).order_by(deliveries.c.id).limit(_limit)
DUE = (
    _carried()
    .where(_of_sink, deliveries.c.due_at <= sa.bindparam("now_"))
    .where(_BEHIND.is_(None))
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(_limit)
)
NEXT_DUE = (
    sa.select(deliveries.c.due_at)
    .where(_of_sink, deliveries.c.due_at > sa.bindparam("now_"))
    .order_by(deliveries.c.due_at)
    .limit(1)
)
GATHERED = (
    _carried(_BEHIND.label("behind"))
    .where(_of_sink, _is_waiting, deliveries.c.row == sa.bindparam("row_"))
    .where(deliveries.c.made_at <= sa.bindparam("until_"), _above, deliveries.c.terms == sa.bindparam("terms_"))
    .order_by(deliveries.c.made_at, deliveries.c.id)
    .limit(_limit)
)
OF_SUBJECT = (
    _carried()
    .where(_of_sink, _is_waiting, deliveries.c.subject == sa.bindparam("subject_"), _above)
    .order_by(deliveries.c.id)
    .limit(_limit)
)
STRANDED = (
    _carried()
    .where(_of_sink, _unsettled, _above, deliveries.c.terms.is_not(None))
    .where(deliveries.c.terms.contains('"fallback":'))
    .order_by(deliveries.c.id)
    .limit(_limit)
)
BACKLOG = tuple(
    sa.select(sa.func.count()).select_from(
        sa.select(deliveries.c.id).where(_of_sink, which).order_by(order).limit(_limit).subquery()
    )
    for which, order in (
        (_is_pending, deliveries.c.id),
        (deliveries.c.due_at <= sa.bindparam("now_"), deliveries.c.due_at),
    )
)
COLLECTED = (
    sa.select(sa.func.min(deliveries.c.id).label("first"), sa.func.count().label("number"))
    .add_columns(deliveries.c.row, deliveries.c.terms)
    .where(_of_sink, *_collecting, deliveries.c.terms.contains('"max":'))
    .group_by(deliveries.c.row, deliveries.c.terms)
)
FIRST = _carried().where(deliveries.c.id == sa.bindparam("id_")).where(_BEHIND.is_(None))


def claim(connection: sa.Connection, sink: str, *, after: int, now: datetime | None, limit: int) -> Claim:
    """What of a sink is due, the longest due first, its digests that are full, then its next pending ones in order.

    The pending ones are read last: whatever came before something that is due is among them, or has been before.
    """
    if now is None:
        return pending(connection, sink, after=after, limit=limit)
    given = {"sink_": sink, "now_": micros(now), "limit_": limit}
    due = list(map(delivery_of, read(connection, DUE, given)))
    next_due = now if len(due) == limit else next((moment(at) for (at,) in read(connection, NEXT_DUE, given)), None)
    ids = {delivery.id for delivery in due}
    full = [delivery for delivery in _full(connection, sink) if delivery.id not in ids]
    fresh = pending(connection, sink, after=after, limit=limit)
    return replace(fresh, deliveries=[*due, *full, *fresh.deliveries], next_due=next_due)


def _full(connection: sa.Connection, sink: str) -> list[Delivery]:
    """The first delivery of each digest that has collected as many as it holds; none that waits behind another."""
    full = [one.first_id for one in digest_fill(connection, sink) if one.count >= _most(one)]
    return [delivery_of(row) for id_ in full for row in read(connection, FIRST, {"id_": id_})]


def _most(one: DigestFill) -> float:
    return (one.terms.digest and one.terms.digest.max) or math.inf


def pending(connection: sa.Connection, sink: str, *, after: int, limit: int) -> Claim:
    """The sink's next untried deliveries in order, without those whose subject has an earlier one waiting."""
    rows = read(connection, PENDING, {"sink_": sink, "after_": after, "limit_": limit})
    cursor = rows[-1].delivery_id if rows else after
    blocked = [(row.delivery_id, row.subject) for row in rows if row.behind is not None]
    unblocked = [delivery_of(row) for row in rows if row.behind is None]
    return Claim(unblocked, cursor, has_more=len(rows) == limit, blocked=blocked)


def batch_members(connection: sa.Connection, first: Delivery, *, limit: int) -> list[Delivery]:
    """What is collected with a delivery, itself first."""
    if first.terms is None or not (seconds := first.terms.collecting(first.event)):
        return [first]
    until = first.made_at + timedelta(seconds=seconds)
    if first.terms.digest is None:
        return _of_its_subject(connection, first, until, limit)
    return _gathered(connection, first, until, limit)


def _gathered(connection: sa.Connection, first: Delivery, until: datetime, limit: int) -> list[Delivery]:
    """Those of a digest, without any that follows one of its subject that is not among them."""
    given = {"sink_": first.sink, "row_": first.row, "terms_": terms_text(first.terms), "after_": first.id}
    rows = read(connection, GATHERED, given | {"until_": micros(until), "limit_": limit - 1})
    among, found = {first.id}, [first]
    for row in sorted(rows, key=lambda row: int(row.delivery_id)):
        if row.behind is None or row.behind in among:
            among.add(row.delivery_id)
            found.append(delivery_of(row))
    return found


def _of_its_subject(connection: sa.Connection, first: Delivery, until: datetime, limit: int) -> list[Delivery]:
    """The ones of a hold: those of its subject, up to the first one that was not made with it."""
    given = {"sink_": first.sink, "subject_": first.event.subject, "after_": first.id, "limit_": limit - 1}
    held = [first]
    for delivery in map(delivery_of, read(connection, OF_SUBJECT, given)):
        if delivery.row != first.row or delivery.terms != first.terms or delivery.made_at > until:
            break
        held.append(delivery)
    return held


def digest_fill(connection: sa.Connection, sink: str) -> list[DigestFill]:
    """How much the sink's digests with a `max` have collected."""
    found = []
    for row in read(connection, COLLECTED, {"sink_": sink}):
        terms = terms_of(row.terms)
        if terms is not None and terms.digest is not None and terms.digest.max is not None:
            found.append(DigestFill(row.first, row.number, row.row, terms))
    return found


def fallback_candidates(connection: sa.Connection, sink: str, *, after: int, limit: int) -> list[Delivery]:
    """The sink's unsettled deliveries that have a fallback, in order."""
    return list(map(delivery_of, read(connection, STRANDED, {"sink_": sink, "after_": after, "limit_": limit})))


def backlog(connection: sa.Connection, sink: str, *, now: datetime, most: int) -> int:
    """How many of the sink's deliveries are pending or due, counted up to `most`."""
    given = {"sink_": sink, "limit_": most, "now_": micros(now)}
    return min(most, sum(int(count) for statement in BACKLOG for (count,) in read(connection, statement, given)))
