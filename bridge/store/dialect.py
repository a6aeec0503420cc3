"""What differs between the engines: how a connection opens, what a writer locks, which errors pass by themselves."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from bridge.errors import StoreError, StoreUnavailable

#: Seconds that one process waits for another's write lock (a replay while the bridge runs).
BUSY = 5.0
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # the 2xx goes out after the fsync
    f"PRAGMA busy_timeout={int(BUSY * 1000)}",
    "PRAGMA cache_size=-2000",
    "PRAGMA temp_store=MEMORY",
)


def open_engine(url: str) -> sa.Engine:
    """An engine for the store at `url`; raise StoreError where it cannot be one."""
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        raise StoreError("store: not a database URL, such as sqlite:////var/lib/panelbridge/panelbridge.db") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StoreError("store: should name an SQLite file, such as sqlite:////var/lib/panelbridge/panelbridge.db")
    _make_folder(Path(parsed.database).parent)
    engine = sa.create_engine(parsed, pool_size=4, connect_args={"check_same_thread": False, "timeout": BUSY})
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def sole_owner(engine: sa.Engine) -> Iterator[None]:
    """Hold the store against a second bridge; raise StoreError where another one runs on it."""
    path = Path(f"{engine.url.database}.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"store: cannot write {path}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(f"store: another panelbridge already runs on {engine.url.database}") from None
        yield
    finally:
        os.close(handle)


def unmanaged(connection: sa.Connection) -> sa.Connection:
    """The connection, with no transactions but those of `transaction`."""
    return connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def transaction(connection: sa.Connection) -> Iterator[None]:
    """All or nothing, on an unmanaged connection.

    Why not SQLAlchemy's own: a transaction begins and ends for every event, and there it costs more than the event.
    """
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("BEGIN IMMEDIATE")
    try:
        yield
        driver.execute("COMMIT")
    finally:
        if driver.in_transaction:
            driver.execute("ROLLBACK")


def relaxed(connection: sa.Connection) -> sa.Connection:
    """The connection, whose commits from now on reach the disk together with a later one."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA synchronous=NORMAL")
    connection.detach()  # it must not go back among those whose commits do
    return connection


@contextmanager
def explained(file: str | None = None) -> Iterator[None]:
    """Turn the engine's errors into ours: StoreUnavailable for what may pass, StoreError for the rest."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        kind = StoreUnavailable if isinstance(cause, sqlite3.OperationalError) else StoreError
        raise kind(f"store: {file}: {cause}" if file else f"store: {cause}") from error
    except exc.TimeoutError as error:
        raise StoreUnavailable("store: no connection came free in time") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"store: cannot make the folder {folder}: {error.strerror}") from None


def _prepare(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # the driver opens no transaction of its own; `_begin` does
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later could not wait for another process's lock
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")
