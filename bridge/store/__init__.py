"""The store: what was taken in and what became of it.

`open_outbox` is for the bridge that runs, `open_reader` for who looks into its store meanwhile, `open_ledger` for the
commands beside it.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from bridge.store import migrate
from bridge.store.backend import BRIDGE_PATIENCE, backend_of, open_engine, store_errors
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.polled import end_turns
from bridge.store.reader import LedgerReader


@asynccontextmanager
async def open_outbox(url: str, *, replica: str = "") -> AsyncIterator[SqlOutbox]:
    """The outbox of a bridge that runs on this store, migrated; raise StoreError where that cannot be.

    A file has only one; a database any number of replicas, and shows them by their names.
    """
    engine = open_engine(url, replica=replica, patience=BRIDGE_PATIENCE)
    backend = backend_of(engine)
    with backend.exclusive(engine) as alone:
        migrate.migrate(engine)
        if alone:
            with store_errors(engine.url.database), engine.begin() as connection:
                end_turns(connection)
        with backend.watched(engine) as check:
            outbox = SqlOutbox(engine, check, replica)
            try:
                yield outbox
            finally:
                await outbox.close()


def open_reader(url: str, *, limit: float) -> LedgerReader:
    """The store of a running bridge, for looking only, each time for at most `limit` seconds; it wants to be closed.

    Raise StoreError where there cannot be one.
    """
    return LedgerReader(open_engine(url, patience=BRIDGE_PATIENCE), limit)


@contextmanager
def open_ledger(url: str) -> Iterator[Ledger]:
    """The ledger of a store, migrated; raise StoreError where that cannot be."""
    engine = open_engine(url)
    try:
        migrate.migrate(engine)
        yield Ledger(engine)
    finally:
        engine.dispose()
