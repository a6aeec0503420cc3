"""Back an SQLite store up into a file beside a running bridge, and restore it from one.

Why by SQLite's own copying: what was committed last stands in the log, so that a copy of the file alone lacks it. The
copy is of one moment, is read back and compared with that moment, and only then gets its name; a name is not taken
twice. Neither way changes the tables: an old store stays one that the old version reads.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from bridge.errors import StoreError
from bridge.store import files
from bridge.store.backend import backend_of, open_engine, parse_url, store_errors
from bridge.store.migrate import HEAD

#: Rows of each table.
TableCounts = Mapping[str, int]

REVISION = "alembic_version"
#: Tables of which one has rows as soon as anything was taken in.
CONTENTS = ("events", "deliveries", "set_aside")
#: What does the same where the store is a database.
_OF_A_SERVER = {
    "backup": "pg_dump --format=custom, while the bridge runs, or panelbridge store copy into a file, while none does",
    "restore": "pg_restore into an empty database, or panelbridge store copy of a file into one",
}


def back_up(url: str, target: Path) -> TableCounts:
    """Copy the store at `url` as it is at one moment into a new file; what is in it.

    When it returns, file and name are on the disk. Raise StoreError where there is no store, or nothing in it, where
    there is a file of that name already, or where what was written is not what was read.
    """
    database = _database(url, "backup")
    _check_is_file(database)
    engine = open_engine(url)
    try:
        with (
            store_errors(),
            _os_errors(target),
            engine.connect().execution_options(reads=True) as connection,
            connection.begin(),  # one moment, for what is counted and what is copied
        ):
            driver = connection.connection.dbapi_connection
            assert isinstance(driver, sqlite3.Connection)
            counts = _counts(driver, database)
            with _new_file(target) as file:
                _copy(driver, file, counts)
    finally:
        engine.dispose()
    return counts


@contextmanager
def backed_up(url: str) -> Iterator[tuple[Path, TableCounts]]:
    """A backup of the store at `url` in a file beside it while it is sent elsewhere, and what is in it."""
    database = _database(url, "backup")
    _check_is_file(database)
    with _os_errors(database.parent):
        folder = tempfile.TemporaryDirectory(dir=database.parent, prefix=".sent.")
    with folder:
        file = Path(folder.name) / "backup.db"
        counts = back_up(url, file)
        yield file, counts


def restore(url: str, source: Path, *, now: datetime) -> tuple[TableCounts, Path | None]:
    """Put a backup in the place of the store at `url`; what is in it, and where the store is kept that was there.

    Raise StoreError where the file is no whole store, or one of a newer panelbridge, or a bridge runs.
    """
    database = _database(url, "restore")
    _check_is_file(source)
    if database.exists() and source.samefile(database):
        raise StoreError(f"restore: {source} is the store itself")
    with store_errors(str(source)), _os_errors(database), closing(_opened(source)) as reading:
        counts = _counts(reading, source)
        _check_whole(reading, source)
        _check_revision(reading, source)
        engine = open_engine(url)
        try:
            with backend_of(engine).exclusive(engine), _new_file(database, replace=True) as file:
                _copy(reading, file, counts)
                _give(database, file)
                kept = _set_aside(database, now)
        finally:
            engine.dispose()
    return counts, kept


@contextmanager
def received(url: str, stream: BinaryIO) -> Iterator[Path]:
    """What comes through a stream, in a file beside the store at `url` while it is restored from."""
    folder = _database(url, "restore").parent
    files.make_folder(folder)
    with _os_errors(folder), tempfile.NamedTemporaryFile(dir=folder, prefix=".received.") as file:
        shutil.copyfileobj(stream, file)
        file.flush()
        yield Path(file.name)


def _database(url: str, verb: Literal["backup", "restore"]) -> Path:
    """The file of a store, itself where `url` names a link to it."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(f"{verb}: the store is a PostgreSQL database: use {_OF_A_SERVER[verb]}")
    return Path(parsed.database or "").resolve()


def _check_is_file(file: Path) -> None:
    if not file.is_file():
        raise StoreError(f"store: there is none at {file.absolute()}")


def _opened(file: Path) -> sqlite3.Connection:
    """A connection that changes nothing, and makes no file beside it: whatever it needs stands in the file."""
    if Path(f"{file}{files.WAL}").exists():
        raise StoreError(f"store: {file} has a {files.WAL} beside it: it is a store, and no backup of one")
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _counts(connection: sqlite3.Connection, file: Path) -> TableCounts:
    """How many rows its tables have; StoreError where it has no such tables, or nothing was ever taken in."""
    tables = [str(name) for name in _column(connection, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    if not {REVISION, *CONTENTS} <= {*tables}:
        raise StoreError(f"store: {file} is none: it has no tables of a panelbridge")
    counts = {name: int(*_column(connection, f'SELECT count(*) FROM "{name}"')) for name in tables}  # noqa: S608 # its own
    if not any(counts[name] for name in CONTENTS):
        raise StoreError(f"store: nothing has come in yet at {file}")
    return counts


def _check_whole(connection: sqlite3.Connection, file: Path) -> None:
    if (found := _column(connection, "PRAGMA integrity_check")) != ["ok"]:
        raise StoreError(f"store: {file} is damaged: {found[0]}")


def _check_revision(connection: sqlite3.Connection, file: Path) -> None:
    [revision] = _column(connection, "SELECT version_num FROM alembic_version")
    if str(revision) > HEAD:
        raise StoreError(f"store: the tables of {file} are of a newer panelbridge (revision {revision})")


def _column(connection: sqlite3.Connection, statement: str) -> list[Any]:
    return [row[0] for row in connection.execute(statement)]


def _copy(connection: sqlite3.Connection, file: Path, counts: TableCounts) -> None:
    """Copy all that a connection sees into a file, and read that back."""
    with closing(sqlite3.connect(file, isolation_level=None)) as target:
        connection.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # all of it in the one file
    with closing(_opened(file)) as written:
        _check_whole(written, file)
        if (found := _counts(written, file)) != counts:
            raise StoreError(f"store: {file} has {found}, where {counts} were read")


@contextmanager
def _new_file(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A file to write to; it gets its name, on the disk, when all has gone well, and is gone where not."""
    _check_is_new(target, replace)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    file = Path(name)
    try:
        os.close(handle)
        yield file
        files.sync_file(file)
        _check_is_new(target, replace)
        file.rename(target)
    finally:
        file.unlink(missing_ok=True)
    files.sync_names(target.parent)


def _check_is_new(target: Path, replace: bool) -> None:
    if target.exists() and not replace:
        raise StoreError(f"backup: there is a {target} already: give another name")


def _set_aside(database: Path, now: datetime) -> Path | None:
    """Give what is there a second name, whole or broken; None where it is empty.

    A whole store is one file after that, so that it is there, or the other, at every moment. The log of a broken one
    goes first: beside the new file it would be taken for that one's.
    """
    if database.stat().st_size == 0:
        return None
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = database.with_name(f"{database.name}.before-{now:%Y%m%dT%H%M%SZ}")
    os.link(database, kept)
    for suffix in (files.WAL, files.SHM):
        with suppress(FileNotFoundError):
            Path(f"{database}{suffix}").rename(f"{kept}{suffix}")
    files.sync_names(database.parent)
    return kept


def _give(database: Path, file: Path) -> None:
    """Let the new file, and the lock, be whose the store was, or whose its folder is, where root restores it."""
    if os.geteuid() == 0:
        status = (database if database.stat().st_size else database.parent).stat()
        for one in (file, Path(f"{database}{files.LOCK}")):
            os.chown(one, status.st_uid, status.st_gid)


@contextmanager
def _os_errors(target: Path) -> Iterator[None]:
    """Turn what the system complains of into words."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"store: cannot write {target}: {error.strerror}") from None
