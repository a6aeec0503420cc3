"""What differs between SQLite and PostgreSQL, in one shape: `sqlite.py` and `postgres.py`.

Why PostgreSQL's stands behind an import of its own: who keeps a file should not pay for the driver of a server.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib import import_module
from typing import Protocol, cast

import sqlalchemy as sa
from sqlalchemy import exc

from bridge.errors import StoreError, StoreUnavailable
from bridge.store import sqlite

_POSTGRES = ("postgresql", "postgres")
_WORDS = (
    "store: should name an SQLite file, such as sqlite:////var/lib/panelbridge/panelbridge.db,"
    " or a database, such as postgresql+psycopg://user:password@host/panelbridge"
)


class Kind(Protocol):
    """An engine's ways."""

    def open_engine(self, url: sa.URL, replica: str, /) -> sa.Engine:
        """An engine whose connections know how to behave; raise StoreError where there cannot be one."""
        ...

    def sole_owner(self, engine: sa.Engine, /) -> AbstractContextManager[None]:
        """Hold the store against a second bridge, where it can have only one."""
        ...

    def transaction(self, connection: sa.Connection, /) -> AbstractContextManager[None]:
        """All or nothing, on an unmanaged connection."""
        ...

    def relax(self, connection: sa.Connection, /) -> None:
        """Commits of this connection reach the disk together with a later one."""
        ...

    def lost(self, connection: sa.Connection, /) -> bool:
        """Whether an idle connection is known to be lost, without asking anyone."""
        ...

    def migrating(self, connection: sa.Connection, /) -> None:
        """From now to the end of the transaction nobody else migrates."""
        ...

    def take_turn(self, connection: sa.Connection, /) -> None:
        """From now to the end of the transaction nobody else adds deliveries."""
        ...

    def together(self, connection: sa.Connection, /) -> AbstractContextManager[object]:
        """What is written inside goes out in one round trip, where there are such things."""
        ...

    def notify(self, connection: sa.Connection, sinks: Collection[str], /) -> None:
        """With the commit, tell other processes that there is something new for these sinks."""
        ...

    def passes(self, error: Exception, /) -> bool:
        """Whether what the driver says may pass by itself."""
        ...

    def words(self, error: Exception, /) -> str:
        """What the driver says, in one line, without a secret."""
        ...


def open_engine(url: str, *, replica: str = "") -> sa.Engine:
    """An engine for the store at `url`; raise StoreError where it cannot be one. `replica` is who opens it."""
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        raise StoreError("store: not a database URL, such as sqlite:////var/lib/panelbridge/panelbridge.db") from None
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        return sqlite.open_engine(parsed, replica)
    if parsed.drivername in (*_POSTGRES, "postgresql+psycopg") and parsed.database:
        return _kind("postgresql").open_engine(parsed, replica)
    raise StoreError(_WORDS)


def sole_owner(engine: sa.Engine) -> AbstractContextManager[None]:
    """Hold the store against a second bridge, where it can have only one; raise StoreError where another one runs."""
    return _kind(engine.dialect.name).sole_owner(engine)


def unmanaged(connection: sa.Connection) -> sa.Connection:
    """The connection, with no transactions but those of `transaction`."""
    return connection.execution_options(isolation_level="AUTOCOMMIT")


def transaction(connection: sa.Connection) -> AbstractContextManager[None]:
    """All or nothing, on an unmanaged connection.

    Why not SQLAlchemy's own: a transaction begins and ends for every event, and there it costs more than the event.
    """
    return _kind(connection.dialect.name).transaction(connection)


def relaxed(connection: sa.Connection) -> sa.Connection:
    """The connection, whose commits from now on reach the disk together with a later one."""
    _kind(connection.dialect.name).relax(connection)
    connection.detach()  # it must not go back among those whose commits do
    return connection


def lost(connection: sa.Connection) -> bool:
    """Whether an idle connection is known to be lost, without asking anyone."""
    return _kind(connection.dialect.name).lost(connection)


def migrating(connection: sa.Connection) -> None:
    """From now to the end of the transaction nobody else migrates."""
    _kind(connection.dialect.name).migrating(connection)


def take_turn(connection: sa.Connection) -> None:
    """From now to the end of the transaction nobody else adds deliveries: their ids become visible in order."""
    _kind(connection.dialect.name).take_turn(connection)


def together(connection: sa.Connection) -> AbstractContextManager[object]:
    """What is written inside goes out in one round trip, where there are such things. `prepared.read` must wait."""
    return _kind(connection.dialect.name).together(connection)


def notify(connection: sa.Connection, sinks: Collection[str]) -> None:
    """With the commit, tell other processes that there is something new for these sinks."""
    _kind(connection.dialect.name).notify(connection, sinks)


@contextmanager
def explained(file: str | None = None) -> Iterator[None]:
    """Turn the engine's errors into ours: StoreUnavailable for what may pass, StoreError for the rest."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreUnavailable("store: no connection came free in time") from error
    except Exception as error:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        kind = _speaker(cause)
        if kind is None or not isinstance(cause, Exception):
            raise
        words = kind.words(cause)
        unavailable = StoreUnavailable if kind.passes(cause) else StoreError
        raise unavailable(f"store: {file}: {words}" if file else f"store: {words}") from error


@cache
def _kind(name: str) -> Kind:
    return cast(Kind, sqlite if name == "sqlite" else import_module("bridge.store.postgres"))


def _speaker(error: BaseException | None) -> Kind | None:
    """Whose driver speaks, None for nobody's."""
    if isinstance(error, sqlite3.Error):
        return _kind("sqlite")
    return _kind("postgresql") if type(error).__module__.partition(".")[0] == "psycopg" else None
