"""A connection that is kept open."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import sqlalchemy as sa

from bridge.errors import StoreUnavailable
from bridge.store.backend import backend_of, store_errors

T = TypeVar("T")


class PersistentConnection:
    """A connection that is kept open, for opening one costs as much as writing an event; a new one after a failure.

    `check` raises StoreUnavailable while nothing may be done on it.
    """

    def __init__(self, connect: Callable[[], sa.Connection], check: Callable[[], None]) -> None:
        self._connect, self._check = connect, check
        self._connection: sa.Connection | None = None

    def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Do some work on it; raise StoreError where it fails. A failure that may pass takes the connection with it."""
        self._check()
        try:
            with store_errors():
                return work(self._connected())
        except StoreUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """Close it, whatever state it is in; the next work opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.detach()  # it must not go back to the pool
            with suppress(Exception):
                connection.close()

    def _connected(self) -> sa.Connection:
        if self._connection is not None and backend_of(self._connection).is_disconnected(self._connection):
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection
