"""A connection to PostgreSQL whose server may be silent for so long.

Why: a server that is frozen, or a network that swallows everything, is no lost connection to anyone. Its own limits,
`statement_timeout` and such, are kept by nobody then; what is counted here is the silence, not how long a statement
takes in all, for a big one answers in between.
"""

import math
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


class WatchedConnection(psycopg.Connection[Any]):
    """Closes itself, and raises OperationalError, when its server has said nothing for `silence` seconds."""

    silence = math.inf

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        return super().wait(self._watched(gen), *args, **kwargs)

    def rollback(self) -> None:
        """Where it is closed there is nothing to take back, and nothing to complain of."""
        if not self.closed:
            super().rollback()

    def _watched(self, waiting: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """The same generator: it yields what it waits for, and is told what is ready, nothing from time to time."""
        heard = time.monotonic()
        try:
            wanted = next(waiting)
            while True:
                ready = yield wanted
                if ready:
                    heard = time.monotonic()
                elif time.monotonic() - heard > self.silence:
                    self.close()  # whatever else is tried on it would wait as long
                    raise psycopg.OperationalError(f"the server has not answered for {self.silence:g} s")
                wanted = waiting.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result
