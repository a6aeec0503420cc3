"""Events: what came in, whatever became of it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.intake import Destination
from bridge.polled import OF_WATCH
from bridge.store.base import Arrival, Remembered
from bridge.store.chunks import chunks
from bridge.store.compiled import read
from bridge.store.matching import is_about, is_of_type
from bridge.store.moments import moment
from bridge.store.queries.fingerprints import remembered_event
from bridge.store.queries.records import (
    delivery_columns,
    event,
    id_conditions,
    joined,
    own_conditions,
    plain_conditions,
)
from bridge.store.records import DeliveryQuery, DeliveryRecord, EventRecord
from bridge.store.rows import delivery_record, event_record, lowest_event_id, terms_of
from bridge.store.schema import deliveries, events
from bridge.value import Value, replace

_DELIVERY = re.compile("[1-9][0-9]{0,17}")  # an event's id begins with a zero, as a UUIDv7 does
WALKED = 10_000  # events that are looked at where no index knows what is meant
ALONG = 2000  # that are looked at where one knows more or less: they lie apart from each other
#: All but what an event holds.
BRIEF = [column for column in events.c if column.name not in ("data", "native", "verdicts")]


class FoundEvents(Value):
    """Events that are meant, newest first. `before`, `back_to`: where looking ended, None where all was seen."""

    events: list[EventRecord]
    before: str | None = None
    back_to: datetime | None = None


_HAS_DELIVERY = sa.exists().where(deliveries.c.event_id == events.c.id)


ARRIVALS = (
    sa.select(events.c.id, events.c.source, events.c.received_at)
    .where(events.c.id < sa.bindparam("before_"), events.c.id >= sa.bindparam("since_"))
    .where(*(events.c.native_type != native for native in OF_WATCH))
    .order_by(events.c.id.desc())
    .limit(sa.bindparam("limit_"))
)
NEWEST_ABOUT = sa.select(events.c.id).where(is_about(sa.bindparam("subject_"))).order_by(events.c.id.desc()).limit(1)
_ABOVE_ALL = "ffffffff-ffff"  # whatever the database's order of letters: an id's first digit is a zero


def arrivals(connection: sa.Connection, *, before: str | None, since: datetime | None, limit: int) -> Sequence[Arrival]:
    """Up to `limit` events that came `since` then, with an id below `before`, the newest first: what sources said, and
    not what was found out about them.
    """
    lowest = "" if since is None else lowest_event_id(since)
    rows = read(connection, ARRIVALS, {"before_": before or _ABOVE_ALL, "since_": lowest, "limit_": limit})
    return [Arrival(row.id, row.source, moment(row.received_at)) for row in rows]


_FIRST_SENT_TO = (
    sa.select(*(deliveries.c[name] for name in ("sink", "row", "template", "terms", "recipient")))
    .where(deliveries.c.event_id == sa.bindparam("event_id_"))
    .where(deliveries.c.replay_of.is_(None), deliveries.c.instead.is_(None), deliveries.c.reminder.is_(None))
    .order_by(deliveries.c.id)
)


def remembered(connection: sa.Connection, key: str, *, now: datetime) -> Remembered | None:
    """The event that a fingerprint was last kept with, and where it went first."""
    id_ = remembered_event(connection, key, now=now)
    found = event(connection, id_) if id_ is not None else None
    if found is None:
        return None
    rows = connection.execute(_FIRST_SENT_TO, {"event_id_": id_})
    went = [Destination(row.sink, row.row, row.template, terms_of(row.terms), recipient=row.recipient) for row in rows]
    return Remembered(found[0], went)


def walked_events(connection: sa.Connection, query: DeliveryQuery, *, nowhere: bool = False) -> FoundEvents:
    """The events that a person means, newest first, looked for no further than anyone waits: where no index knows what
    is meant, among the newest of those that it may be, and where that ended.
    """
    end = None if _is_indexed(query) and not nowhere else _end_of_walk(connection, query)
    if end is None:
        return FoundEvents(event_records(connection, query, nowhere=nowhere))
    select = fitting_events(query, nowhere=nowhere).where(events.c.id >= end[0])
    found = [event_record(row) for row in connection.execute(select)]
    if query.limit is not None and len(found) >= query.limit:
        return FoundEvents(found)
    return FoundEvents(found, *end)


def _is_indexed(query: DeliveryQuery) -> bool:
    """Whether what is meant is found at once: as the newest that there are, or that are about somebody or of a type."""
    asked = replace(query, before=None, since=None, until=None, limit=None)
    return asked in (
        DeliveryQuery(limit=None),
        DeliveryQuery(subject=query.subject, limit=None),
        DeliveryQuery(type=query.type, limit=None),
    )


def _end_of_walk(connection: sa.Connection, query: DeliveryQuery) -> tuple[str, datetime] | None:
    """The last event of those that are looked at, and when it came; None where there are fewer."""
    within, most = id_conditions(query), WALKED
    if (named := _named(query)) is not None:
        within, most = [*within, named], ALONG
    newest = sa.select(events.c.id).where(*within).order_by(events.c.id.desc()).offset(most - 1).limit(1)
    id_ = connection.execute(newest).scalar_one_or_none()
    if id_ is None:
        return None
    at = connection.execute(sa.select(events.c.received_at).where(events.c.id == id_)).scalar_one()
    return id_, moment(at)


def _named(query: DeliveryQuery) -> sa.ColumnElement[bool] | None:
    """What an index finds of it: whom it is about, or else its type."""
    if query.subject is not None:
        return is_about(query.subject)
    return None if query.type is None else is_of_type(query.type)


def event_records(connection: sa.Connection, query: DeliveryQuery, *, nowhere: bool = False) -> list[EventRecord]:
    """The events that a person means, newest first; with `nowhere` those that went to no sink.

    What a query says of deliveries, one of the event's has to fit.
    """
    return [event_record(row) for row in connection.execute(fitting_events(query, nowhere=nowhere))]


def fitting_events(query: DeliveryQuery, *, nowhere: bool = False, whole: bool = False) -> sa.Select[Any]:
    """The events that are meant, newest first; `whole` with what they hold."""
    columns = list(events.c) if whole else BRIEF
    named, rest = _named(query), replace(query, subject=None, type=None if query.subject is None else query.type)
    conditions = [*([] if named is None else [named]), *id_conditions(query), *plain_conditions(rest)]
    newest = sa.select(*columns).where(*conditions).order_by(events.c.id.desc()).limit(query.limit)
    if nowhere:
        return newest.where(~_HAS_DELIVERY)
    if asked := own_conditions(query):
        return newest.where(sa.exists().where(deliveries.c.event_id == events.c.id, *asked).correlate(events))
    return newest


def deliveries_of(connection: sa.Connection, event_ids: Sequence[str]) -> dict[str, list[DeliveryRecord]]:
    """The deliveries of each of these events, in order."""
    found: defaultdict[str, list[DeliveryRecord]] = defaultdict(list)
    for some in chunks(event_ids):
        of_some = deliveries.c.event_id.in_(some)
        select = sa.select(*delivery_columns).select_from(joined).where(of_some).order_by(deliveries.c.id)
        for row in connection.execute(select):
            record = delivery_record(row._asdict())
            found[record.event_id].append(record)
    return found


def event_ids(connection: sa.Connection, reference: str, *, most: int = 2) -> list[str]:
    """Ids of the events that a reference may mean, up to `most`.

    It is an id or the beginning of one, the number of a delivery, or a subject, of which the newest event is meant.
    """
    return list(dict.fromkeys(_event_ids(connection, reference, most)))


def _event_ids(connection: sa.Connection, reference: str, most: int) -> Iterator[str]:
    if _DELIVERY.fullmatch(reference):
        of_delivery = sa.select(deliveries.c.event_id).where(deliveries.c.id == int(reference))
        yield from connection.execute(of_delivery).scalars()
    elif ":" in reference:
        for (id_,) in read(connection, NEWEST_ABOUT, {"subject_": reference}):
            yield id_
    else:
        start = reference.lower()
        near = events.c.id >= start, events.c.id < f"{start}g"  # behind every digit; what an index is for
        beginning = sa.and_(*near, events.c.id.startswith(start, autoescape=True))
        yield from connection.execute(
            sa.select(events.c.id).where(beginning).order_by(events.c.id).limit(most)
        ).scalars()
