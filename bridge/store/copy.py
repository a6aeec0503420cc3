"""Copy a store into another one, of the same kind or not: growing from a file to PostgreSQL is one command.

It is one transaction at the target: whatever interrupts it leaves the target empty and the source as it was, and it
can be begun again. Ids stay as they are, for deliveries name their events, and people their deliveries. What belongs
to a bridge that runs stays behind: which replicas there are, and who carries which lane.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bridge.errors import StoreError
from bridge.store.backend import backend_of, open_engine, parse_url, store_errors
from bridge.store.migrate import migrate
from bridge.store.schema import lanes, metadata, replicas

#: Told how far a table has been copied: its name, the rows that are done, and all of them.
Progress = Callable[[str, int, int], None]

CHUNK = 2000  # rows that are in memory at once
REPLICA_TIMEOUT = 10  # seconds after which a replica that has not been heard of is over, whatever happened to it
TABLES = tuple(table for table in metadata.sorted_tables if table is not replicas)


def copy(source: str, target: str, *, progress: Progress) -> int:
    """Copy all rows of the store at `source` into the empty one at `target`; how many there were.

    The source is brought to today's tables first, as starting a bridge on it would. Raise StoreError where it cannot
    be: there is no store, a bridge runs on either of them, or the target is not empty.
    """
    if parse_url(source) == parse_url(target):
        raise StoreError(f"store: {public_url(source)} cannot be copied into itself")
    _check_exists(source)
    with _exclusive_engine(source) as source_engine, _exclusive_engine(target) as target_engine, store_errors():
        _check_tables(source_engine, source)
        migrate(source_engine)
        migrate(target_engine)
        with _snapshot(source_engine) as reading, target_engine.begin() as writing:
            backend_of(writing).lift_time_limits(writing)
            for connection in (reading, writing):
                _check_unused(connection)
            _check_empty(writing, target)
            count = sum(_copy_table(table, reading, writing, progress) for table in TABLES)
            _advance_sequences(writing)
            for connection in (reading, writing):  # nobody has come meanwhile
                _check_unused(connection)
    return count


def public_url(url: str) -> str:
    """The URL of a store as it may be shown: without its password, wherever in it that stands."""
    parsed = parse_url(url)
    secret = [name for name in parsed.query if "password" in name]
    return parsed.difference_update_query(secret).render_as_string(hide_password=True)


def _copy_table(table: sa.Table, reading: sa.Connection, writing: sa.Connection, progress: Progress) -> int:
    total = reading.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    rows = reading.execution_options(yield_per=CHUNK).execute(sa.select(table).order_by(*table.primary_key))
    done = 0
    progress(table.name, done, total)
    for chunk in rows.mappings().partitions():
        writing.execute(table.insert(), [_copied_row(table, row) for row in chunk])
        done += len(chunk)
        progress(table.name, done, total)
    return done


def _copied_row(table: sa.Table, row: sa.RowMapping) -> dict[str, Any]:
    """The row as it is; but a lane's new owner begins an epoch of its own, and a file's has none."""
    return {**row, "epoch": 0, "owner": None} if table is lanes else dict(row)


@contextmanager
def _exclusive_engine(url: str) -> Iterator[sa.Engine]:
    """The engine of a store that no bridge on this machine uses."""
    engine = open_engine(url)
    try:
        with backend_of(engine).exclusive(engine):
            yield engine
    finally:
        engine.dispose()


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One moment of the store, to read from for as long as it takes."""
    snapshot = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {"reads": True}
    with engine.connect().execution_options(**snapshot) as connection:
        backend_of(connection).lift_time_limits(connection)  # they belong to a bridge that runs
        yield connection


def _check_exists(url: str) -> None:
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise StoreError(f"store: there is none at {public_url(url)}")


def _check_tables(engine: sa.Engine, url: str) -> None:
    with store_errors(public_url(url)):
        if not sa.inspect(engine).has_table("events"):
            raise StoreError(f"store: there is none at {public_url(url)}")


def _check_unused(connection: sa.Connection) -> None:
    if connection.dialect.name != "postgresql":
        return  # `exclusive` holds it
    now = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()) * 1_000_000, sa.BigInteger)
    alive = sa.select(replicas.c.name).where(sa.func.abs(now - replicas.c.seen_at) < REPLICA_TIMEOUT * 1_000_000)
    url = public_url(connection.engine.url.render_as_string(hide_password=False))
    if names := connection.execute(alive.order_by(replicas.c.name)).scalars().all():
        raise StoreError(f"store: a bridge runs on {url}: stop {', '.join(names)}, wait {REPLICA_TIMEOUT} s")


def _check_empty(connection: sa.Connection, url: str) -> None:
    filled = [table.name for table in TABLES if connection.execute(sa.select(table).limit(1)).first() is not None]
    if filled:
        raise StoreError(f"store: {public_url(url)} is not empty, it has {', '.join(filled)}: copy into a new one")


def _advance_sequences(connection: sa.Connection) -> None:
    """Let PostgreSQL count on after the ids that came with the rows, and know how much there is of everything."""
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES:
        if (column := table.autoincrement_column) is not None:
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sequence, highest, False)))
    connection.execute(sa.text("ANALYZE"))
