"""The tables. A new store is made from them, an older one is brought to them by `migrations/`: a test holds both equal.

Times are integer microseconds since 1970 (UTC): they sort, index and compare the same on every engine.
Why the lane's indexes are partial: they hold what waits and nothing else, so claiming costs the same whether the
ledger keeps a thousand settled deliveries or ten million.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

metadata = sa.MetaData()

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up only an INTEGER primary key
Micros = sa.BigInteger()

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("panel", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("native_type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("occurred_at", Micros, nullable=False),
    sa.Column("received_at", Micros, nullable=False),
    sa.Column("data", sa.Text, nullable=False),  # JSON
    sa.Column("native", sa.Text, nullable=False),  # JSON, masked
    sa.Column("verdicts", sa.Text, nullable=False),  # JSON: what each row of the table said, and why
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),  # see queries._next_id
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("sink", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("row", sa.Text, nullable=False),
    sa.Column("template", sa.Text),
    sa.Column("made_at", Micros, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Micros),
    sa.Column("settled_at", Micros),
    sa.Column("reason", sa.Text),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("replay_of", Id),
)

set_aside = sa.Table(
    "set_aside",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received_at", Micros, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("element", sa.Text, nullable=False),  # JSON, masked
)


_pending = deliveries.c.state == sa.literal_column("'pending'")
_waiting = deliveries.c.state == sa.literal_column("'waiting'")
for _name, _column, _condition in (
    ("deliveries_pending", deliveries.c.id, _pending),
    ("deliveries_waiting", deliveries.c.due_at, _waiting),
    ("deliveries_blocking", deliveries.c.subject, _waiting),
):
    sa.Index(_name, deliveries.c.sink, _column, sqlite_where=_condition)
sa.Index("deliveries_event", deliveries.c.event_id)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (moment - _EPOCH) // _MICRO


def moment(micros: int) -> datetime:
    """The aware UTC time of `micros`."""
    return _EPOCH + timedelta(microseconds=micros)
