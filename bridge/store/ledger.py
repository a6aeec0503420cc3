"""The ledger: the store as commands open it, to look things up and send them again. What can be asked of it stands in
`queries/records.py` and `queries/replay.py`.
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from bridge.store.backend import store_errors
from bridge.store.queries.changes import keep_version

P = ParamSpec("P")
T = TypeVar("T")


class Ledger:
    """Runs queries, each in a transaction of its own, beside a running bridge; raises StoreError where one fails."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def read(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a query finds; it keeps nobody from writing, and may take its time over the rows."""
        with store_errors(), self._engine.connect().execution_options(reads=True) as connection:
            return query(connection, *args, **kwargs)

    def write(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a query that changes something returns, once it is committed; the lanes of a running bridge find it."""
        with store_errors(), self._engine.begin() as connection:
            result = query(connection, *args, **kwargs)
            keep_version(connection)
            return result

    def patiently(self, seconds: float) -> "Ledger":
        """The same for who looks for longer than pages may; this one lets everybody take their time."""
        return self


class InCommit(Ledger):
    """A ledger inside of somebody's commit: all that is asked of it is one, and nothing is there before it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def read(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return query(self._connection, *args, **kwargs)

    def write(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return query(self._connection, *args, **kwargs)
