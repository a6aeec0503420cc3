"""Tables of rows: each is kept once, for as long as there is an event that was routed by it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bridge.intake import Table
from bridge.store.compiled import write
from bridge.store.moments import micros, moment
from bridge.store.rows import lowest_event_id
from bridge.store.schema import events, tables

#: How old the time of its last use may be: a table in use is written again no more often than that.
USED_WITHIN = timedelta(days=1)

_KEEP = sa.text(
    "INSERT INTO tables (key, rows, used_at) VALUES (:key, :rows, :used_at)"
    " ON CONFLICT (key) DO UPDATE SET used_at = excluded.used_at WHERE excluded.used_at > tables.used_at"
)


def keep_tables(connection: sa.Connection, used: Sequence[tuple[Table, datetime]]) -> Sequence[None]:
    """Keep the tables, and that each was used then."""
    rows = [{"key": table.key, "rows": table.rows, "used_at": micros(at)} for table, at in used]
    write(connection, _KEEP, rows)
    return [None] * len(used)


def kept_table(connection: sa.Connection, key: str) -> tuple[Table, datetime] | None:
    """A table, and when it was last asked, within a day; None where no event is left that was routed by it."""
    row = connection.execute(sa.select(tables).where(tables.c.key == key)).one_or_none()
    return None if row is None else (Table(row.key, row.rows), moment(row.used_at))


def unused_tables(connection: sa.Connection, *, before: datetime) -> list[str]:
    """Keys of the tables by which nothing was routed that is from then or later, nor any older event that is left."""
    return list(connection.execute(sa.select(tables.c.key).where(_is_unused(before))).scalars())


def delete_unused(keys: Sequence[str], *, before: datetime) -> sa.Delete:
    return sa.delete(tables).where(tables.c.key.in_(keys), _is_unused(before))


def _is_unused(before: datetime) -> sa.ColumnElement[bool]:
    older = events.c.id < lowest_event_id(before), events.c.table_key == tables.c.key
    return sa.and_(tables.c.used_at < micros(before - USED_WITHIN), ~sa.exists().where(*older))
