"""What a store says of itself: its version and its tables', how large it is, what it still takes."""

from datetime import datetime

import sqlalchemy as sa

from bridge.store.migrate import revision_of
from bridge.store.moments import moment
from bridge.store.queries.gauges import store_size
from bridge.store.schema import events
from bridge.value import Value


class StoreCondition(Value, kw_only=True):
    """engine: its name and version · revision: that of the tables, None where there are none · size: bytes

    first_event  when the oldest came that is kept
    now          the time by a server's clock; None where there is none
    free         connections that the server would still give; None where nobody counts them
    read_only    the server takes nothing, for it follows another one
    """

    engine: str
    revision: str | None
    size: int
    first_event: datetime | None = None
    now: datetime | None = None
    free: int | None = None
    read_only: bool = False


_SERVER = sa.text(
    "SELECT split_part(current_setting('server_version'), ' ', 1) AS version, clock_timestamp() AS now,"
    " current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity) AS free,"
    " pg_is_in_recovery() AS read_only"
)


def condition(connection: sa.Connection) -> StoreCondition:
    """What the store says."""
    revision, size = revision_of(connection), store_size(connection)
    first = _first_event(connection) if revision is not None else None
    if connection.dialect.name == "sqlite":
        version = connection.execute(sa.text("SELECT sqlite_version()")).scalar_one()
        return StoreCondition(engine=f"SQLite {version}", revision=revision, size=size, first_event=first)
    server = connection.execute(_SERVER).one()
    return StoreCondition(
        engine=f"PostgreSQL {server.version}",
        revision=revision,
        size=size,
        first_event=first,
        now=server.now,
        free=server.free,
        read_only=server.read_only,
    )


def _first_event(connection: sa.Connection) -> datetime | None:
    first = sa.select(events.c.received_at).order_by(events.c.id).limit(1)
    micros = connection.execute(first).scalar_one_or_none()
    return None if micros is None else moment(micros)
