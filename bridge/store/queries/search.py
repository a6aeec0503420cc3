"""Search: a text anywhere in the newest events, and how far back that is. No index holds every word of what was said,
for each put would pay for it; so the walk is bounded, and says where it ended.
"""

import sqlalchemy as sa

from bridge.codec import dump
from bridge.store.moments import moment
from bridge.store.queries.events import FoundEvents, fitting_events
from bridge.store.records import DeliveryQuery, EventRecord
from bridge.store.rows import event_record
from bridge.store.schema import events
from bridge.value import replace

SEARCHED = 5000  # events, the newest that are meant
LONGEST = 200  # characters of what is looked for


def search(connection: sa.Connection, text: str, query: DeliveryQuery, *, nowhere: bool = False) -> FoundEvents:
    """The events that a person means, of the newest of them, that have the text in their subject, data or native."""
    walked = fitting_events(replace(query, limit=SEARCHED), nowhere=nowhere, whole=True).subquery()
    in_json = dump(text[:LONGEST]).decode()[1:-1]
    has_text = sa.or_(
        _position(connection, sa.func.coalesce(walked.c.subject, ""), text[:LONGEST]) > 0,
        _position(connection, walked.c.data, in_json) > 0,
        _position(connection, walked.c.native, in_json) > 0,
    )
    newest = sa.select(walked).where(has_text).order_by(walked.c.id.desc()).limit(query.limit)
    found = [event_record(row) for row in connection.execute(newest)]
    if query.limit is not None and len(found) >= query.limit:
        return FoundEvents(found)  # the next page begins behind the last of them
    return _with_end(connection, found, replace(query, limit=SEARCHED), nowhere=nowhere)


def _with_end(
    connection: sa.Connection, found: list[EventRecord], walked: DeliveryQuery, *, nowhere: bool
) -> FoundEvents:
    """With where the walk ended, if there may be more behind it."""
    ids = fitting_events(walked, nowhere=nowhere).with_only_columns(events.c.id).subquery()
    number, last = connection.execute(sa.select(sa.func.count(), sa.func.min(ids.c.id))).one()
    if number < SEARCHED:
        return FoundEvents(found)
    at = connection.execute(sa.select(events.c.received_at).where(events.c.id == last)).scalar_one()
    return FoundEvents(found, last, moment(at))


def _position(connection: sa.Connection, column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[int]:
    """Where the text begins in a column, 0 where it is not in it."""
    function = sa.func.instr if connection.dialect.name == "sqlite" else sa.func.strpos
    return function(column, text, type_=sa.Integer)
