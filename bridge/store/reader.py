"""The reader: the store of a running bridge for who only looks, on connections of its own and for a short time.

A slow look holds up neither the writer nor a lane, and SQLite can move its log into the file again as soon as it ends.
"""

import time
from collections.abc import Callable
from typing import Concatenate

import sqlalchemy as sa

from bridge.errors import StoreError, StoreSlow, StoreUnavailable
from bridge.store.backend import backend_of, store_errors
from bridge.store.ledger import Ledger, P, T


class LedgerReader(Ledger):
    """A ledger that cannot write; `limit` is how many seconds one look may take."""

    def __init__(self, engine: sa.Engine, limit: float) -> None:
        super().__init__(engine)
        self._backend, self._limit = backend_of(engine), limit

    def read(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a query finds; raise StoreSlow where it takes too long."""
        began = time.monotonic()
        try:
            with (
                store_errors(),
                self._engine.connect().execution_options(reads=True) as connection,
                self._backend.limit_reading(connection, self._limit),
            ):
                return query(connection, *args, **kwargs)
        except StoreUnavailable:
            if time.monotonic() - began >= self._limit:
                raise StoreSlow(f"store: it took longer than {self._limit:g} s, and was stopped") from None
            raise

    def write(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        raise StoreError("store: who looks writes nothing")

    def patiently(self, seconds: float) -> Ledger:
        """The same, where a look may take so many seconds: what somebody asks for, and then waits for."""
        return LedgerReader(self._engine, seconds)

    def close(self) -> None:
        self._engine.dispose()
