"""PostgreSQL: one database, any number of bridges. Shape: `backend.Backend`.

Why the planner is told so much: what lanes ask for is always a handful of rows behind an index, but just after a burst
its statistics say that the table is empty, and it would read all of it.
"""

import math
import select
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import pq
from psycopg.types.string import StrDumper

from bridge.store.channel import CHANNEL, application_name
from bridge.store.postgres_connection import WatchedConnection
from bridge.store.schema import metadata

MAX_PAYLOAD = 7000  # bytes of a notification; 8000 are allowed
#: Advisory locks: the first number is ours ("pb"), the second says what for.
LOCK_SPACE = 0x7062
_CHANGES, _MIGRATIONS = 1, 2

_CONNECT_ARGS = {
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",  # milliseconds until a server that has gone silent counts as lost
}
_SETTINGS = {
    "idle_in_transaction_session_timeout": "4s",  # a bridge that is stopped holds up the others for no longer
    "lock_timeout": "4s",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "max_parallel_workers_per_gather": "0",
    "seq_page_cost": "0",  # the index with the fewest rows is the best one, wherever the table has them
    "random_page_cost": "0",
}
MARGIN = 1.0  # seconds between the server's own limit and ours: its answer says more
#: SQLSTATE classes of what may pass: connections, transactions cut off or in each other's way, resources, operators.
_TRANSIENT = ("08", "25", "40", "53", "55", "57", "58")
#: Of what names a row: values that do not fit, constraints, limits of the server.
_REFUSALS = ("21", "22", "23", "54")


class _TextDumper(StrDumper):
    """Text without what PostgreSQL cannot keep."""

    def dump(self, obj: str) -> bytes:
        return obj.encode("utf-8", "replace").replace(b"\0", b"\xef\xbf\xbd")


for _table in metadata.tables.values():
    for _index in _table.indexes:
        _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]


def open_engine(url: sa.URL, replica: str, patience: float, /) -> sa.Engine:
    connect_args = {key: value for key, value in _CONNECT_ARGS.items() if key not in url.query}
    limited = _SETTINGS | {"statement_timeout": f"{int((patience - MARGIN) * 1000)}"}
    settings = " ".join(f"-c {name}={value}" for name, value in limited.items())
    options = url.query.get("options", "")
    url = url.set(drivername="postgresql+psycopg").difference_update_query(["options"])
    connect_args["options"] = f"{settings} {options if isinstance(options, str) else ' '.join(options)}".strip()
    connect_args["application_name"] = application_name(replica).strip()
    engine = sa.create_engine(url, pool_size=4, pool_pre_ping=True, hide_parameters=True, connect_args=connect_args)
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)

    @sa.event.listens_for(engine, "do_connect")
    def _connect(_dialect: sa.Dialect, _record: object, args: Any, parameters: Any) -> WatchedConnection:
        connection = WatchedConnection.connect(*args, **parameters)
        connection.silence = patience
        return connection

    return engine


def exclusive(_engine: sa.Engine, /) -> AbstractContextManager[bool]:
    """Any number of bridges: their lanes share it by themselves."""
    return nullcontext(False)


def watched(_engine: sa.Engine, /) -> AbstractContextManager[Callable[[], None]]:
    """Nothing to look at: a database cannot be taken away behind its server's back."""
    return nullcontext(lambda: None)


@contextmanager
def transaction(connection: sa.Connection, /) -> Iterator[None]:
    driver = _driver(connection)
    driver.execute("BEGIN")
    try:
        yield
        driver.execute("COMMIT")
    finally:
        if driver.info.transaction_status != pq.TransactionStatus.IDLE:
            with suppress(psycopg.Error):  # where the connection is lost, so is the transaction
                driver.execute("ROLLBACK")


def defer_sync(_connection: sa.Connection, /) -> bool:
    """Never: a server that crashes would forget what was settled, and lanes elsewhere go on without it."""
    return False


def enable_checkpoints(_connection: sa.Connection, /) -> None:
    """Nothing: the server does so by itself."""


def empty_log(_connection: sa.Connection, /) -> bool:
    """Nothing: the log is the server's own business."""
    return True


def resync(_connection: sa.Connection, /) -> None:
    """Nothing: a server whose fsync failed says so by crashing."""


def is_disconnected(connection: sa.Connection, /) -> bool:
    driver = _driver(connection)
    if driver.closed:
        return True
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return bool(poll.poll(0))  # between two transactions a server says nothing but that it goes


@contextmanager
def limit_reading(connection: sa.Connection, seconds: float, /) -> Iterator[None]:
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
    yield


def lock_migrations(connection: sa.Connection, /) -> None:
    lift_time_limits(connection)
    connection.exec_driver_sql("SET LOCAL lock_timeout = '5min'")
    _advisory_lock(connection, _MIGRATIONS)


def lift_time_limits(connection: sa.Connection, /) -> None:
    _driver(connection).silence = math.inf
    for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET {limit} = 0")
    connection.detach()  # it must not go back among the others


def lock_changes(connection: sa.Connection, /) -> None:
    _advisory_lock(connection, _CHANGES)


def pipeline(connection: sa.Connection, /) -> AbstractContextManager[object]:
    return _driver(connection).pipeline()


def execute_each(connection: sa.Connection, sql: str, parameters: Sequence[Any], /) -> list[int]:
    changed: list[int] = []
    with _driver(connection).cursor() as cursor:
        cursor.executemany(sql, parameters, returning=True)
        for _ in parameters:
            changed.append(cursor.rowcount)
            cursor.nextset()
    return changed


_NOTIFY = "SELECT pg_notify(%s, current_setting('application_name') || ':' || %s)"


def notify(connection: sa.Connection, sinks: Collection[str], /) -> None:
    """Say that there is something new for these sinks, and who put it: a replica knows of its own already."""
    payload = ",".join(sorted(sinks))
    _driver(connection).execute(_NOTIFY, (CHANNEL, payload if len(payload.encode()) <= MAX_PAYLOAD else ""))


def is_transient(error: Exception, /) -> bool:
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return True
    return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_TRANSIENT)


def is_refusal(error: Exception, /) -> bool:
    return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(_REFUSALS)


def error_text(error: Exception, /) -> str:
    """The server's message without its detail, which quotes rows."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or " ".join(str(error).split())[:300] or type(error).__name__


def _advisory_lock(connection: sa.Connection, key: int) -> None:
    _driver(connection).execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_SPACE, key))


def _driver(connection: sa.Connection) -> WatchedConnection:
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, WatchedConnection)
    return driver


def _begin(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("reads"):  # it holds nobody up, however long its rows are looked at
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def _configure(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    driver = getattr(connection, "driver_connection", connection)
    assert isinstance(driver, psycopg.Connection)
    driver.adapters.register_dumper(str, _TextDumper)
