"""Claim: what a lane may carry now, alone and together, and how much there is of it.

Every delivery waits behind an earlier one of its subject that waits: one look into an index that holds nothing else, so
that claiming costs the same whatever the backlog and the ledger hold. That one which was collected does not overtake
an earlier one that is pending is for whoever claims: it has looked through the pending ones.

What waits is on the disk: a claim reads no event of more than `INLINE` bytes, and loads `CLAIM_BYTES` of the others.
`load` reads the rest when it is sent.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from bridge.errors import StoreUnavailable
from bridge.store.base import Claim, Delivery, order_of
from bridge.store.compiled import read
from bridge.store.index_key import index_key_or_none
from bridge.store.moments import micros, moment
from bridge.store.rows import Row, delivery_of, event_of, terms_json, terms_of
from bridge.store.schema import deliveries, events
from bridge.terms import Terms
from bridge.value import INT64_MAX, replace

_DELIVERY_COLUMNS = [
    deliveries.c[name] for name in (
        "sink", "row", "made_at", "template", "terms", "attempts", "due_at", "instead", "replay_of", "state",
        "sealed", "recipient", "reminder",
    )
]  # fmt: skip
INLINE = 8 * 2**10  # bytes of an event that a claim reads
CLAIM_BYTES = 256 * 2**10  # and of all the events that it loads


class octet_length(sa.sql.functions.GenericFunction[int]):  # noqa: N801
    """Bytes of a text. SQLite has it since 3.43."""

    type = sa.Integer()
    inherit_cache = True


@compiles(octet_length, "sqlite")
def _octet_length(element: octet_length, compiler: SQLCompiler, **more: Any) -> str:
    return f"length(CAST({compiler.process(element.clauses, **more)} AS BLOB))"


_size = octet_length(events.c.data) + octet_length(events.c.native)
_SIZE = _size.label("size")
_SMALL = [sa.case((_size <= sa.literal_column(str(INLINE)), events.c[name])).label(name) for name in ("data", "native")]
_EVENT_COLUMNS = [c for c in events.c if c.name not in ("verdicts", "data", "native")]
EVENT = sa.select(events).where(events.c.id == sa.bindparam("event_id_"))
_unsettled = deliveries.c.settled_at.is_(None)
_is_pending = sa.and_(_unsettled, deliveries.c.due_at.is_(None))  # in the words of the indexes: see schema.py
_is_waiting = deliveries.c.due_at.is_not(None)
_is_collecting = deliveries.c.due_at.is_not(None), deliveries.c.reason.is_(None)  # nothing has become of it yet
_of_sink = deliveries.c.sink == sa.bindparam("sink_")
_above = deliveries.c.id > sa.bindparam("after_")
_limit: sa.BindParameter[int] = sa.bindparam("limit_")

_earlier = deliveries.alias("earlier")


#: The last earlier delivery of the same subject that waits. Not an `exists`: PostgreSQL would turn that into a join.
_BLOCKED_BY = (
    sa.select(_earlier.c.id)
    .where(
        _earlier.c.sink == deliveries.c.sink,
        _earlier.c.subject == deliveries.c.subject,
        _earlier.c.due_at.is_not(None),
        _earlier.c.id < deliveries.c.id,
    )
    .order_by(_earlier.c.id.desc())
    .limit(1)
    .scalar_subquery()
)


def _deliveries(*extra: sa.ColumnElement[Any]) -> sa.Select[Any]:
    joined = deliveries.join(events, events.c.id == deliveries.c.event_id)
    columns = [*_DELIVERY_COLUMNS, *_EVENT_COLUMNS, *_SMALL, _SIZE]
    return sa.select(deliveries.c.id.label("delivery_id"), *extra, *columns).select_from(joined)


PENDING = (
    _deliveries(_BLOCKED_BY.label("blocked_by"))
    .where(_of_sink, _is_pending, _above)
    .order_by(deliveries.c.id)
    .limit(_limit)
)
DUE = (
    _deliveries()
    .where(_of_sink, deliveries.c.due_at <= sa.bindparam("now_"))
    .where(_BLOCKED_BY.is_(None))
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(_limit)
)
NEXT_DUE = (
    sa.select(deliveries.c.due_at)
    .where(_of_sink, deliveries.c.due_at > sa.bindparam("now_"))
    .order_by(deliveries.c.due_at)
    .limit(1)
)
DIGEST_MEMBERS = (
    _deliveries(_BLOCKED_BY.label("blocked_by"))
    .where(_of_sink, _is_waiting, deliveries.c.row == sa.bindparam("row_"))
    .where(deliveries.c.recipient.is_not_distinct_from(sa.bindparam("recipient_", type_=sa.Text)))
    .where(deliveries.c.made_at <= sa.bindparam("until_"), _above, deliveries.c.terms == sa.bindparam("terms_"))
    .order_by(deliveries.c.made_at, deliveries.c.id)
    .limit(_limit)
)
HOLD_MEMBERS = (
    _deliveries()
    .where(_of_sink, _is_waiting, deliveries.c.subject == sa.bindparam("subject_"), _above)
    .order_by(deliveries.c.id)
    .limit(_limit)
)
FALLBACK_CANDIDATES = (
    _deliveries()
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
DIGEST_FILL = (
    sa.select(sa.func.min(deliveries.c.id).label("first"), sa.func.count().label("number"))
    .add_columns(deliveries.c.row, deliveries.c.terms, deliveries.c.recipient)
    .where(_of_sink, *_is_collecting, deliveries.c.terms.contains('"max":'))
    .group_by(deliveries.c.row, deliveries.c.terms, deliveries.c.recipient)
)
UNBLOCKED = _deliveries().where(deliveries.c.id == sa.bindparam("id_")).where(_BLOCKED_BY.is_(None))


def claim(connection: sa.Connection, sink: str, *, after: int, now: datetime | None, limit: int) -> Claim:
    """What of a sink is due, the longest due first, its digests that are full, then its next pending ones in order.

    The pending ones are read last: whatever came before something that is due is among them, or has been before.
    """
    if now is None:
        return _pending(connection, sink, after=after, limit=limit)
    values = {"sink_": sink, "now_": micros(now), "limit_": limit}
    due = _deliveries_of(read(connection, DUE, values))
    next_due = now if len(due) == limit else next((moment(at) for (at,) in read(connection, NEXT_DUE, values)), None)
    ids = {delivery.id for delivery in due}
    full = [delivery for delivery in _full_digests(connection, sink) if delivery.id not in ids]
    untried = _pending(connection, sink, after=after, limit=limit)
    return replace(untried, deliveries=[*due, *full, *untried.deliveries], next_due=next_due)


def _full_digests(connection: sa.Connection, sink: str) -> list[Delivery]:
    """The first delivery of each digest that has collected as many as it holds; none that waits behind another."""
    fills = read(connection, DIGEST_FILL, {"sink_": sink})
    full = [fill.first for fill in fills if fill.number >= _capacity(terms_of(fill.terms))]
    return _deliveries_of([row for id_ in full for row in read(connection, UNBLOCKED, {"id_": id_})])


def _capacity(terms: Terms | None) -> float:
    return (terms and terms.digest and terms.digest.max) or math.inf


def _pending(connection: sa.Connection, sink: str, *, after: int, limit: int) -> Claim:
    """The sink's next untried deliveries in order, without those whose subject has an earlier one waiting."""
    rows = read(connection, PENDING, {"sink_": sink, "after_": after, "limit_": limit})
    cursor = rows[-1].delivery_id if rows else after
    blocked = [
        (row.delivery_id, order)
        for row in rows
        if row.blocked_by is not None and (order := order_of(row.subject, row.recipient)) is not None
    ]
    unblocked = _deliveries_of([row for row in rows if row.blocked_by is None])
    return Claim(unblocked, cursor, has_more=len(rows) == limit, blocked=blocked)


def _deliveries_of(rows: Sequence[Row], *, most: int = CLAIM_BYTES) -> list[Delivery]:
    """Deliveries of rows; the events of the first ones are loaded, `most` bytes of them at the most."""
    left, deliveries = most, []
    for row in rows:
        loaded = row.size <= min(left, INLINE)
        left -= row.size if loaded else 0
        deliveries.append(delivery_of(row, loaded=loaded))
    return deliveries


def load(connection: sa.Connection, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """These deliveries with their events whole."""
    return [one if one.loaded else _loaded(connection, one) for one in deliveries]


def _loaded(connection: sa.Connection, delivery: Delivery) -> Delivery:
    for row in read(connection, EVENT, {"event_id_": delivery.event.id}):
        return replace(delivery, event=event_of(row), loaded=True)
    raise StoreUnavailable("store: an event was forgotten while it was to be sent")  # the lane finds out when it asks


def batch_members(connection: sa.Connection, first: Delivery, *, limit: int) -> list[Delivery]:
    """What is collected with a delivery, itself first."""
    if first.terms is None or not (seconds := first.terms.collecting(first.event)):
        return [first]
    until = first.made_at + timedelta(seconds=seconds)
    if first.terms.digest is None:
        return _hold_members(connection, first, until, limit)
    return _digest_members(connection, first, until, limit)


def _digest_members(connection: sa.Connection, first: Delivery, until: datetime, limit: int) -> list[Delivery]:
    """Those of a digest, without any that follows one of its subject that is not among them."""
    values = {"sink_": first.sink, "row_": first.row, "terms_": terms_json(first.terms), "recipient_": first.recipient}
    some = {"after_": first.id, "until_": micros(until), "limit_": limit - 1}
    rows = read(connection, DIGEST_MEMBERS, values | some)
    ids, members = {first.id}, []
    for row in sorted(rows, key=lambda row: int(row.delivery_id)):
        if row.blocked_by is None or row.blocked_by in ids:
            ids.add(row.delivery_id)
            members.append(row)
    return [first, *_deliveries_of(members)]


def _hold_members(connection: sa.Connection, first: Delivery, until: datetime, limit: int) -> list[Delivery]:
    """The ones of a hold: those of its subject, up to the first one that was not made with it."""
    values = {
        "sink_": first.sink,
        "subject_": index_key_or_none(first.order),
        "after_": first.id,
        "limit_": limit - 1,
    }
    members = [first]
    for delivery in _deliveries_of(read(connection, HOLD_MEMBERS, values), most=0):  # which are not sent
        if delivery.row != first.row or delivery.terms != first.terms or delivery.made_at > until:
            break
        members.append(delivery)
    return members


def fallback_candidates(connection: sa.Connection, sink: str, *, after: int, limit: int) -> list[Delivery]:
    """The sink's unsettled deliveries that have a fallback, in order."""
    values = {"sink_": sink, "after_": after, "limit_": limit}
    return _deliveries_of(read(connection, FALLBACK_CANDIDATES, values), most=0)  # which are not sent


def backlog(connection: sa.Connection, sink: str, *, now: datetime | None, most: int) -> int:
    """How many of the sink's deliveries are pending or due, counted up to `most`; with no `now`, all that wait."""
    values = {"sink_": sink, "limit_": most, "now_": INT64_MAX if now is None else micros(now)}
    return min(most, sum(int(count) for statement in BACKLOG for (count,) in read(connection, statement, values)))
