"""SQLite: one file, one bridge, and commands beside it. Shape: `backend.Backend`."""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bridge.errors import StoreError
from bridge.store import files
from bridge.store.watch import FileWatch
from bridge.telemetry import log

LOG = logging.getLogger("bridge.store")

#: Seconds that one process waits for another's write lock (a replay while the bridge runs).
BUSY_TIMEOUT = 5.0
STEPS = 10_000  # of SQLite's machine, between two looks at the clock
READERS_LEAVE = 0.5  # seconds for which whoever reads keeps the log from being emptied
CHECKPOINT_PAGES = 500  # of the log, after which it is moved into the file
_PRAGMAS = (
    "PRAGMA page_size=8192",  # of a new file, a tenth smaller with what panels send than with 4 kB
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # the 2xx goes out after the fsync
    "PRAGMA wal_autocheckpoint=0",  # see `enable_checkpoints`
    f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}",
    "PRAGMA cache_size=-2000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA secure_delete=ON",  # what is deleted is gone from the file too
)


def open_engine(url: sa.URL, _replica: str, _patience: float, /) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("store: should name an SQLite file, such as sqlite:////var/lib/panelbridge/panelbridge.db")
    if (database := Path(url.database)).is_symlink():
        database = database.resolve()  # what SQLite keeps beside it lies beside the file itself
        url = url.set(database=str(database))
    files.make(database)
    engine = sa.create_engine(
        url, pool_size=4, hide_parameters=True, connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT}
    )
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def exclusive(engine: sa.Engine, /) -> Iterator[bool]:
    path = Path(f"{engine.url.database}{files.LOCK}")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"store: cannot write {path}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(f"store: another panelbridge already runs on {engine.url.database}") from None
        files.sync_names(path.parent)
        yield True
    finally:
        os.close(handle)


@contextmanager
def watched(engine: sa.Engine, /) -> Iterator[Callable[[], None]]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        log(LOG, logging.INFO, "store.opened", sqlite=sqlite3.sqlite_version)
        # while one is open that has read, SQLite leaves its log where it is
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        connection.detach()  # it must not go back to the pool, but end here
        yield FileWatch(Path(str(engine.url.database))).check


@contextmanager
def transaction(connection: sa.Connection, /) -> Iterator[None]:
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("BEGIN IMMEDIATE")
    try:
        yield
        driver.execute("COMMIT")
    finally:
        if driver.in_transaction:
            driver.execute("ROLLBACK")


def defer_sync(connection: sa.Connection, /) -> bool:
    connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
    return True


def enable_checkpoints(connection: sa.Connection, /) -> None:
    """Why only on one connection of the running bridge, whose commits are synced: a checkpoint tells nobody when its
    fsync fails, so there must be nothing left that no commit has synced. And until SQLite 3.51.3, one that begins just
    when everything is done can meet a commit of somebody else's that begins the log anew, and corrupts the store
    (sqlite.org/wal.html#walresetbug). After a commit of its own, and with nobody else at it, there is always something
    left to do.
    """
    connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")


def empty_log(connection: sa.Connection, /) -> bool:
    """Why behind a commit of its own: see `enable_checkpoints`. Whoever reads is waited for a little, then let be."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout={int(READERS_LEAVE * 1000)}")
    try:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")
    return not busy


def resync(connection: sa.Connection, /) -> None:
    with transaction(connection):  # nobody else writes to the log meanwhile
        files.rewrite_log(Path(str(connection.engine.url.database)))


def is_disconnected(_connection: sa.Connection, /) -> bool:
    return False


@contextmanager
def limit_reading(connection: sa.Connection, seconds: float, /) -> Iterator[None]:
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    connection.exec_driver_sql("PRAGMA query_only=1")
    ends = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > ends, STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, STEPS)


def lock_migrations(_connection: sa.Connection, /) -> None:
    """Nothing to do: the transaction holds the only write lock there is."""


def lift_time_limits(_connection: sa.Connection, /) -> None:
    """Nothing to do: there are none."""


def lock_changes(_connection: sa.Connection, /) -> None:
    """Nothing to do: the transaction holds the only write lock there is."""


def pipeline(_connection: sa.Connection, /) -> AbstractContextManager[object]:
    return nullcontext()


def execute_each(connection: sa.Connection, sql: str, parameters: Sequence[Any], /) -> list[int]:
    cursor = connection.connection.cursor()
    changed = [cursor.execute(sql, one).rowcount for one in parameters]
    cursor.close()
    return changed


def notify(_connection: sa.Connection, _sinks: Collection[str], /) -> None:
    """Nobody to tell: the bridge looks by itself for what a command has put."""


def is_transient(error: Exception, /) -> bool:
    return isinstance(error, sqlite3.OperationalError)


def is_refusal(error: Exception, /) -> bool:
    return isinstance(error, sqlite3.IntegrityError | sqlite3.DataError)


def error_text(error: Exception, /) -> str:
    return str(error)


def _configure(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
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
