"""What differs between SQLite and PostgreSQL, in one shape: `sqlite.py` and `postgres.py`.

Why PostgreSQL's stands behind an import of its own: who keeps a file should not pay for the driver of a server.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import exc

from bridge.errors import StoreError, StoreRefused, StoreUnavailable
from bridge.store import sqlite
from bridge.store_url import HOW_TO_WRITE, is_misread

#: Seconds: a person may look for something in all that is kept; a panel waits for its answer, and takes a 503 as well.
COMMAND_PATIENCE, BRIDGE_PATIENCE = 30.0, 5.0
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
_NO_STORE = (
    "store: should name an SQLite file, such as sqlite:////var/lib/panelbridge/panelbridge.db,"
    " or a database, such as postgresql+psycopg://user:password@host/panelbridge"
)


class Backend(Protocol):
    """An engine's own ways."""

    def open_engine(self, url: sa.URL, replica: str, patience: float, /) -> sa.Engine:
        """An engine whose connections know how to behave; raise StoreError where there cannot be one.

        A server that says nothing for `patience` seconds counts as lost.
        """
        ...

    def exclusive(self, engine: sa.Engine, /) -> AbstractContextManager[bool]:
        """Hold the store against a second bridge, where it can have only one, and tell whether it is such a store.

        Raise StoreError where another runs.
        """
        ...

    def watched(self, engine: sa.Engine, /) -> AbstractContextManager[Callable[[], None]]:
        """Keep the store open; what is given raises StoreUnavailable while it is not the one that was opened."""
        ...

    def transaction(self, connection: sa.Connection, /) -> AbstractContextManager[None]:
        """All or nothing, on an `autocommit` connection.

        Why not SQLAlchemy's own: a transaction begins and ends for every event, and there it costs more than the event.
        """
        ...

    def defer_sync(self, connection: sa.Connection, /) -> bool:
        """From now on commits of this connection reach the disk together with a later one; False where none does."""
        ...

    def enable_checkpoints(self, connection: sa.Connection, /) -> None:
        """From now on a commit of this connection moves the log into the file when it has grown; no other's does."""
        ...

    def empty_log(self, connection: sa.Connection, /) -> bool:
        """Leave nothing in a file's log, right after a commit of this `autocommit` connection; whether that was done.

        True where there is no such log.
        """
        ...

    def resync(self, connection: sa.Connection, /) -> None:
        """Bring all that was committed to the disk, also what an fsync has failed to; raise where that cannot be."""
        ...

    def is_disconnected(self, connection: sa.Connection, /) -> bool:
        """Whether an idle connection is known to be lost, without asking anyone."""
        ...

    def limit_reading(self, connection: sa.Connection, seconds: float, /) -> AbstractContextManager[None]:
        """Inside, this transaction writes nothing, and what takes longer than `seconds` is stopped as unavailable."""
        ...

    def lock_migrations(self, connection: sa.Connection, /) -> None:
        """From now to the end of the transaction nobody else migrates."""
        ...

    def lift_time_limits(self, connection: sa.Connection, /) -> None:
        """From now on this connection waits for as long as it takes; it is the last thing that is done with it."""
        ...

    def lock_changes(self, connection: sa.Connection, /) -> None:
        """From now to the end of the transaction nobody else changes anything after a look at it: they wait here.

        One lock, whatever it is about, so that no two wait for each other. Whoever adds deliveries holds it as well:
        their ids become visible in order.
        """
        ...

    def pipeline(self, connection: sa.Connection, /) -> AbstractContextManager[object]:
        """What is written inside goes out in one round trip, where there are such things; reading has to wait."""
        ...

    def execute_each(self, connection: sa.Connection, sql: str, parameters: Sequence[Any], /) -> list[int]:
        """Execute a statement with each of these, and say how many rows each changed."""
        ...

    def notify(self, connection: sa.Connection, sinks: Collection[str], /) -> None:
        """With the commit, tell other processes that there is something new for these sinks."""
        ...

    def is_transient(self, error: Exception, /) -> bool:
        """Whether what the driver complains of may pass by itself."""
        ...

    def is_refusal(self, error: Exception, /) -> bool:
        """Whether the driver complains of what it was given: nothing is wrong with the store."""
        ...

    def error_text(self, error: Exception, /) -> str:
        """What the driver complains of, in one line, without a secret."""
        ...


def backend_of(bind: sa.Connection | sa.Engine) -> Backend:
    """The backend of a connection or an engine."""
    return _backend(bind.dialect.name)


@cache
def _backend(name: str) -> Backend:
    if name == "sqlite":
        return sqlite
    from bridge.store import postgres

    return postgres


def open_engine(url: str, *, replica: str = "", patience: float = COMMAND_PATIENCE) -> sa.Engine:
    """An engine for the store at `url`; raise StoreError where it cannot be one.

    replica   who opens it
    patience  seconds after which a server that says nothing counts as lost
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return sqlite.open_engine(parsed, replica, patience)
    if parsed.drivername in _POSTGRES and parsed.database:
        return _backend("postgresql").open_engine(parsed, replica, patience)
    raise StoreError(_NO_STORE)


def parse_url(url: str) -> sa.URL:
    """The parts of a store's URL; raise StoreError where it is none, or its password would be misread."""
    if is_misread(url):
        raise StoreError(f"store: {HOW_TO_WRITE}")
    try:
        return sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        raise StoreError("store: not a database URL, such as sqlite:////var/lib/panelbridge/panelbridge.db") from None


def autocommit(connection: sa.Connection) -> sa.Connection:
    """The connection, with no transactions but those of `Backend.transaction`."""
    return connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def store_errors(file: str | None = None) -> Iterator[None]:
    """Turn a driver's errors into ours: StoreUnavailable for what may pass, StoreRefused for what it was given,
    StoreError for the rest.
    """
    try:
        yield
    except OverflowError:
        raise StoreRefused("store: a number has more than 64 bits") from None
    except UnicodeEncodeError:
        raise StoreRefused("store: a text is not UTF-8") from None
    except exc.TimeoutError as error:
        raise StoreUnavailable("store: no connection came free in time") from error
    except Exception as error:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        backend = _raised_by(cause)
        if backend is None or not isinstance(cause, Exception):
            raise
        text = backend.error_text(cause)
        raise _kind(backend, cause)(f"store: {file}: {text}" if file else f"store: {text}") from error


def _kind(backend: Backend, error: Exception) -> type[StoreError]:
    if backend.is_refusal(error):
        return StoreRefused
    return StoreUnavailable if backend.is_transient(error) else StoreError


def _raised_by(error: BaseException | None) -> Backend | None:
    """Whose driver raised an error, None for nobody's."""
    if isinstance(error, sqlite3.Error):
        return _backend("sqlite")
    return _backend("postgresql") if type(error).__module__.partition(".")[0] == "psycopg" else None
