"""Lists of deliveries: newest first, and looked for no further than anyone waits.

What is meant is looked for along the index that has least beside it: that of a sink, of what waits, of dead letters, of
what was held back or dealt with. Where none knows, the newest of all are walked through. Every way is bounded, and a
list says where looking ended, so that one can go on behind that.

A list of what came before some time is in the order of the events: else one had to walk through all that came since.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.store.base import SETTLED, State
from bridge.store.matching import is_about, is_of_type
from bridge.store.moments import moment
from bridge.store.queries.records import earlier, event_fits, id_conditions, is_delivery, own_conditions
from bridge.store.queries.tail import deliveries_by_id, delivery_before
from bridge.store.records import DeliveryQuery, DeliveryRecord
from bridge.store.schema import deliveries, events
from bridge.value import Value

WALKED = 10_000  # deliveries that are walked through in their order
ALONG = 4000  # that are looked at along an index: they lie apart from each other
COMMON = 2000  # events of a subject or a type, from which on they are looked for among the newest

_d = deliveries.c
_PENDING = sa.and_(_d.settled_at.is_(None), _d.due_at.is_(None))  # all in the words of the indexes: see schema.py
_WAITING = _d.due_at.is_not(None)
_SETTLED = _d.settled_at.is_not(None)
_DEAD = sa.and_(_d.state == sa.literal_column("'dead'"), _d.cleared_at.is_(None))
_HELD = _d.state == sa.literal_column("'held_back'")
_CLEARED = _d.cleared_at.is_not(None)
#: For the sake of SQLite, which would else walk all deliveries for their order.
_number = _d.id + sa.literal_column("0")

WhereClauses = Sequence[sa.ColumnElement[bool]]


class FoundDeliveries(Value):
    """Deliveries that are meant, newest first. `behind`, `back_to`: where looking ended, None where all was seen."""

    deliveries: list[DeliveryRecord]
    behind: int | None = None
    back_to: datetime | None = None


class _WalkPath(Value):
    """Where some deliveries stand together; `in_order`: by their ids."""

    where: tuple[sa.ColumnElement[bool], ...] = ()
    in_order: bool = True

    @property
    def most(self) -> int:
        return ALONG if self.where else WALKED


def walked_deliveries(connection: sa.Connection, query: DeliveryQuery) -> FoundDeliveries:
    """The deliveries that a person means, as far as looking for them goes."""
    ids, end = _walked(connection, query)
    by_id = {one.id: one for one in deliveries_by_id(connection, ids)}
    found = [by_id[id_] for id_ in ids if id_ in by_id]  # another may be forgetting somebody
    if end is None or (query.limit is not None and len(found) >= query.limit):
        return FoundDeliveries(found)  # where a full list ended nobody needs to know
    return FoundDeliveries(found, end, _made_at(connection, end))


def _walked(connection: sa.Connection, query: DeliveryQuery) -> tuple[Sequence[int], int | None]:
    """Those that are found, and the last one that was looked at; None where nothing is left."""
    if query.ids:
        return _ids(connection, query, [_d.id.in_(query.ids)]), None
    if (few := _few_events(connection, query)) is not None:
        return _ids(connection, query, [_d.event_id.in_(few), *_behind(connection, query)]), None
    if _is_by_event(query):
        return _along_events(connection, query)
    within = [*_behind(connection, query), *_after(connection, query)]
    looks = [_along(connection, query, way, within) for way in _ways(connection, query)]
    end = max((end for _, end in looks if end is not None), default=None)
    found = sorted((id_ for ids, _ in looks for id_ in ids), reverse=True)
    return [id_ for id_ in found if end is None or id_ >= end][: query.limit], end


def _made_at(connection: sa.Connection, id_: int) -> datetime:
    return moment(connection.execute(sa.select(_d.made_at).where(_d.id == id_)).scalar_one())


def _is_by_event(query: DeliveryQuery) -> bool:
    return query.until is not None or query.before is not None


def _order(query: DeliveryQuery) -> Sequence[sa.ColumnElement[Any]]:
    return (_d.event_id.desc(), _d.id.desc()) if _is_by_event(query) else (_d.id.desc(),)


def _ids(
    connection: sa.Connection,
    query: DeliveryQuery,
    where: WhereClauses,
    *,
    order: Sequence[sa.ColumnElement[Any]] | None = None,
) -> Sequence[int]:
    select = (
        sa.select(_d.id)
        .where(*where, is_delivery, *own_conditions(query), *event_fits(query))
        .order_by(*(order or _order(query)))
        .limit(query.limit)
    )
    return connection.execute(select).scalars().all()


def _few_events(connection: sa.Connection, query: DeliveryQuery) -> sa.Select[Any] | None:
    """The events of the subject or the type that is meant, where there are few of them."""
    named = [is_about(query.subject)] if query.subject is not None else []
    named += [is_of_type(query.type)] if query.type is not None else []
    for condition in named:
        some = sa.select(events.c.id).where(condition, *id_conditions(query)).order_by(events.c.id.desc()).limit(COMMON)
        if connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one() < COMMON:
            return some
    return None


def _ways(connection: sa.Connection, query: DeliveryQuery) -> Sequence[_WalkPath]:
    """Where what is meant stands, each of it in one of these."""
    if query.cleared and None not in query.cleared:
        return [_WalkPath((_CLEARED,))]
    states = set(query.states or State)
    at_sink = () if query.sink is None else (_d.sink == query.sink,)
    settled = states & {*SETTLED}
    ways: list[_WalkPath] = []
    if _is_dead_letter(query):
        ways.append(_WalkPath((_DEAD, *at_sink), bool(at_sink)))
    elif settled == {State.HELD_BACK}:
        ways.append(_WalkPath((_HELD,)))
    elif settled and at_sink:
        ways.append(_WalkPath((_SETTLED, *at_sink)))
    elif settled:
        return [_WalkPath()]
    if State.PENDING in states:
        ways.append(_WalkPath((_PENDING, *at_sink), bool(at_sink)))
    if State.WAITING in states:
        ways.append(_WalkPath((_WAITING, *at_sink), in_order=False))
    are_many = any(not way.in_order and _are_many(connection, way) for way in ways)
    return [_WalkPath()] if are_many else ways


def _is_dead_letter(query: DeliveryQuery) -> bool:
    return query.states == (State.DEAD,) and query.cleared == (None,)


def _are_many(connection: sa.Connection, way: _WalkPath) -> bool:
    some = sa.select(_d.id).where(*way.where).limit(way.most).subquery()
    return connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one() == way.most


def _along(
    connection: sa.Connection, query: DeliveryQuery, way: _WalkPath, within: WhereClauses
) -> tuple[Sequence[int], int | None]:
    """What is found along a way, and the delivery at which that ended; None where it was seen whole."""
    if not way.in_order:
        return _ids(connection, query, [*way.where, *within], order=(_number.desc(),)), None
    last = sa.select(_d.id).where(*way.where, *within).order_by(_d.id.desc()).offset(way.most - 1).limit(1)
    end = connection.execute(last).scalar_one_or_none()
    bounded = [] if end is None else [_d.id >= end]
    return _ids(connection, query, [*way.where, *within, *bounded]), end


def _along_events(connection: sa.Connection, query: DeliveryQuery) -> tuple[Sequence[int], int | None]:
    """The same in the order of events: as many deliveries as are walked through, to the last of the last event."""
    came = [*id_conditions(query, _d.event_id), *_behind(connection, query)]
    walked = sa.select(_d.event_id).where(*came).order_by(_d.event_id.desc()).offset(WALKED - 1).limit(1)
    event_id = connection.execute(walked).scalar_one_or_none()
    if event_id is None:
        return _ids(connection, query, came), None
    end = connection.execute(sa.select(sa.func.min(_d.id)).where(_d.event_id == event_id)).scalar_one()
    return _ids(connection, query, [*came, _d.event_id >= event_id]), end


def _behind(connection: sa.Connection, query: DeliveryQuery) -> WhereClauses:
    """What comes in the list behind the delivery that one goes on from."""
    if query.behind is None:
        return ()
    if not _is_by_event(query):
        return (_d.id < query.behind,)
    of_it = sa.select(_d.event_id).where(_d.id == query.behind)
    event_id = connection.execute(of_it).scalar_one_or_none()
    if event_id is None:
        return (sa.false(),)  # it was forgotten, and so was what is older
    return _d.event_id <= event_id, sa.or_(_d.event_id < event_id, _d.id < query.behind)


def _after(connection: sa.Connection, query: DeliveryQuery) -> WhereClauses:
    """A delivery is made when its event came, or later."""
    return () if query.since is None else (_d.id > delivery_before(connection, earlier(query.since)),)
