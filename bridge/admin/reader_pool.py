"""Looking things up for pages, on two threads of their own: neither the loop nor a lane waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from bridge.errors import StoreUnavailable
from bridge.store.ledger import Ledger
from bridge.store.reader import LedgerReader

THREADS = 2
MOST = 32  # looks at once, of which two are under way
LIMIT = 0.5  # seconds for one query

T = TypeVar("T")


class ReadStore(Protocol):
    """Runs a look into the store off the loop; raises StoreError where it fails."""

    def __call__(self, look: Callable[[Ledger], T], /) -> Awaitable[T]: ...


class ReaderPool:
    """Runs looks into the store. `open_reader` is called before the first one."""

    def __init__(self, open_reader: Callable[[], LedgerReader]) -> None:
        self._open = open_reader
        self._reader: LedgerReader | None = None
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="admin-reader")
        self._under_way = 0

    async def run(self, look: Callable[[Ledger], T]) -> T:
        """What a look finds; raise StoreUnavailable where too many wait already."""
        if self._under_way >= MOST:
            raise StoreUnavailable(f"store: more than {MOST} look at it already")
        self._under_way += 1
        try:
            if self._reader is None:
                self._reader = self._open()
            return await asyncio.get_running_loop().run_in_executor(self._pool, look, self._reader)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._reader is not None:
            self._reader.close()
