"""Records: what people look up."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bridge.event import Event, JsonObject
from bridge.intake import Decision
from bridge.store.base import Cleared, LaneState, State
from bridge.store.matching import is_about, is_of_type
from bridge.store.moments import micros, moment
from bridge.store.queries.lanes import lane_state_of
from bridge.store.records import DeliveryQuery, DeliveryRecord, LaneRecord, SetAsideRecord
from bridge.store.rows import Row, decision_of, delivery_record, event_of, lowest_event_id, set_aside_record
from bridge.store.schema import deliveries, events, lanes, set_aside, tables
from bridge.value import replace

#: How far the time in an event's id may be from that at which it came in: both are of one request.
APART = timedelta(minutes=10)
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)

joined = deliveries.join(events, events.c.id == deliveries.c.event_id)
#: Whether it is one: of the newest that was forgotten a row is left, without an event.
is_delivery = deliveries.c.event_id != sa.literal_column("''")
#: What a record of a delivery is made of.
delivery_columns = [
    *(c for c in deliveries.c if c.name not in ("event_id", "subject", "sealed", "recipient")),
    events.c.id.label("event_id"),
    *(events.c[name] for name in ("source", "type", "native_type", "subject", "received_at")),
]


def delivery_records(connection: sa.Connection, query: DeliveryQuery) -> list[DeliveryRecord]:
    """The deliveries that a person means, newest first, however long it takes to find them: see `queries/walk.py`."""
    found = sa.select(*delivery_columns).select_from(joined).where(*delivery_conditions(query))
    rows = connection.execute(found.order_by(deliveries.c.id.desc()).limit(query.limit))
    return [delivery_record(row._asdict()) for row in rows]


def count_deliveries(connection: sa.Connection, query: DeliveryQuery, *, most: int | None = None) -> int:
    """How many deliveries a person means, counted up to `most`."""
    meant = [is_delivery, *own_conditions(query), *event_fits(query)]
    some = sa.select(deliveries.c.id).where(*meant).limit(most).subquery()
    return connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def replays_of(connection: sa.Connection, record: DeliveryRecord) -> list[int]:
    """The deliveries that repeat this one, in order."""
    same_event = deliveries.c.event_id == record.event_id  # what there is an index for
    found = sa.select(deliveries.c.id).where(same_event, deliveries.c.replay_of == record.id).order_by(deliveries.c.id)
    return list(connection.execute(found).scalars())


def set_aside_records(connection: sa.Connection, query: DeliveryQuery) -> list[SetAsideRecord]:
    """What was set aside, newest first: from a source, since then, until then, behind another one."""
    found = sa.select(set_aside).order_by(set_aside.c.id.desc()).limit(query.limit)
    if query.source is not None:
        found = found.where(set_aside.c.source == query.source)
    if query.since is not None:
        found = found.where(set_aside.c.received_at >= micros(query.since))
    if query.until is not None:
        found = found.where(set_aside.c.received_at < micros(query.until))
    if query.behind is not None:
        found = found.where(set_aside.c.id < query.behind)
    return [set_aside_record(row) for row in connection.execute(found)]


def event(connection: sa.Connection, event_id: str) -> tuple[Event, Decision | list[JsonObject]] | None:
    """An event and what the table said of it; of one from before tables were kept, what each row said."""
    with_table = events.outerjoin(tables, tables.c.key == events.c.table_key)
    select = sa.select(events, tables.c.rows).select_from(with_table).where(events.c.id == event_id)
    row: Row | None = connection.execute(select).one_or_none()
    return None if row is None else (event_of(row), decision_of(row))


def lane_records(connection: sa.Connection) -> list[LaneRecord]:
    """Every lane that has a row or deliveries that did not arrive, by name."""
    rows = {row.sink: row for row in connection.execute(sa.select(lanes))}
    counted: defaultdict[str, dict[str, int]] = defaultdict(dict)
    oldest: dict[str, int] = {}
    for sink, state, number, first in _unsettled_and_dead(connection):
        counted[sink][state] = number
        if state != State.DEAD:
            oldest[sink] = min(first, oldest.get(sink, first))
    made = {sink: moment(at) for sink, at in _made_times(connection, oldest)}
    return [_lane_record(sink, rows.get(sink), counted[sink], made.get(sink)) for sink in sorted({*rows, *counted})]


def _unsettled_and_dead(connection: sa.Connection) -> Iterator[tuple[str, str, int, int]]:
    """Sink, state, how many and the lowest id, of what is not settled and of what is dead and not dealt with.

    Each is counted in an index of its own, and nowhere else: see schema.py.
    """
    first = sa.func.min(deliveries.c.id)
    for state, condition in (
        (State.PENDING, sa.and_(deliveries.c.settled_at.is_(None), deliveries.c.due_at.is_(None))),
        (State.WAITING, deliveries.c.due_at.is_not(None)),
        (State.DEAD, sa.and_(deliveries.c.state == sa.literal_column("'dead'"), deliveries.c.cleared_at.is_(None))),
    ):
        counted = sa.select(deliveries.c.sink, sa.func.count(), first).where(condition).group_by(deliveries.c.sink)
        for sink, number, lowest in connection.execute(counted):
            yield sink, state, number, lowest


def _made_times(connection: sa.Connection, ids: dict[str, int]) -> Iterator[tuple[str, int]]:
    found = sa.select(deliveries.c.sink, deliveries.c.made_at).where(deliveries.c.id.in_(ids.values()))
    yield from connection.execute(found)


def _lane_record(sink: str, row: Row | None, counted: dict[str, int], oldest: datetime | None) -> LaneRecord:
    state = LaneState() if row is None else lane_state_of(row)
    return LaneRecord(
        sink=sink,
        standing=state.standing,
        reason=state.reason,
        since=state.since,
        until=state.until,
        failures=state.failures,
        owner=None if row is None else row.owner,
        pending=counted.get(State.PENDING, 0),
        waiting=counted.get(State.WAITING, 0),
        dead=counted.get(State.DEAD, 0),
        oldest=oldest,
    )


def delivery_conditions(query: DeliveryQuery) -> list[sa.ColumnElement[bool]]:
    return [*event_conditions(query), *own_conditions(query)]


def own_conditions(query: DeliveryQuery) -> list[sa.ColumnElement[bool]]:
    """What a delivery itself has to be."""
    conditions: list[sa.ColumnElement[bool]] = []
    if query.ids:
        conditions.append(deliveries.c.id.in_(query.ids))
    if query.tried is not None:
        conditions.append(deliveries.c.attempts > 0 if query.tried else deliveries.c.attempts == 0)
    if query.through is not None:
        conditions.append(deliveries.c.id <= query.through)
    if query.states:
        conditions.append(_is_in(query.states))
    if query.cleared:
        conditions.append(_is_cleared(query.cleared))
    if query.sink is not None:
        conditions.append(deliveries.c.sink == query.sink)
    if query.row is not None:
        conditions.append(deliveries.c.row == query.row)
    return conditions


def _is_in(states: Sequence[State]) -> sa.ColumnElement[bool]:
    """Of one in the words of the indexes, which SQLite does not find in a value."""
    return (
        deliveries.c.state == sa.literal_column(f"'{states[0]}'")
        if len(states) == 1
        else deliveries.c.state.in_(states)
    )


def _is_cleared(wanted: tuple[Cleared | None, ...]) -> sa.ColumnElement[bool]:
    ways = [one for one in wanted if one is not None]
    if None not in wanted:
        return sa.and_(deliveries.c.cleared_at.is_not(None), deliveries.c.cleared.in_(ways))
    not_at_all = deliveries.c.cleared_at.is_(None)  # both in the words of the indexes
    return sa.or_(not_at_all, deliveries.c.cleared.in_(ways)) if ways else not_at_all


def event_conditions(query: DeliveryQuery) -> list[sa.ColumnElement[bool]]:
    """What an event has to be, in the words of the indexes."""
    conditions = [*id_conditions(query), *plain_conditions(replace(query, type=None, subject=None))]
    if query.type is not None:
        conditions.append(is_of_type(query.type))
    if query.subject is not None:
        conditions.append(is_about(query.subject))
    return conditions


def plain_conditions(query: DeliveryQuery) -> list[sa.ColumnElement[bool]]:
    """The same of an event that is looked at anyhow: in words that no index is for, so that none is taken."""
    wanted = (("source", query.source), ("type", query.type), ("subject", query.subject))
    conditions: list[sa.ColumnElement[bool]] = [events.c[name] == value for name, value in wanted if value is not None]
    if query.since is not None:
        conditions.append(events.c.received_at >= micros(query.since))
    if query.until is not None:
        conditions.append(events.c.received_at < micros(query.until))
    return conditions


def event_fits(query: DeliveryQuery) -> list[sa.ColumnElement[bool]]:
    """Whether a delivery's event is one that is meant. It is asked of one delivery after another: no planner can turn
    that round, and look through all the events.
    """
    if not (conditions := plain_conditions(query)):
        return []
    fits = sa.select(sa.and_(*conditions)).where(events.c.id == deliveries.c.event_id)
    return [fits.correlate(deliveries).scalar_subquery()]


def id_conditions(query: DeliveryQuery, id_: sa.ColumnElement[str] = events.c.id) -> list[sa.ColumnElement[bool]]:
    """What an event's id has to be that came in then: there is no index of times, but ids have theirs in them."""
    conditions: list[sa.ColumnElement[bool]] = []
    if query.since is not None:
        conditions.append(id_ >= lowest_event_id(earlier(query.since)))
    if query.until is not None:
        conditions.append(id_ < lowest_event_id(_later(query.until)))
    if query.before is not None:
        conditions.append(id_ < query.before)
    return conditions


def earlier(moment: datetime) -> datetime:
    """A time before which no event came that came then or later, whatever its id says."""
    return max(moment, _FIRST + APART) - APART


def _later(moment: datetime) -> datetime:
    return min(moment, _LAST - APART) + APART
