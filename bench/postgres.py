"""PostgreSQL as it runs where it matters: an answer to a COMMIT means that it is on the disk."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.postgres import Postgres, a_postgres


@contextmanager
def a_durable_postgres() -> Iterator[Postgres]:
    with a_postgres(fsync=True) as server:
        yield server
