"""Errands: what takes longer than a request may, and goes on after it was asked for.

Each works with a ledger of its own, on a thread of its own, as a command beside the bridge does: what comes in does not
wait for it. Whatever interrupts one, it can be asked for again, and goes on where it was.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Concatenate, TypeVar

import sqlalchemy as sa

from bridge.errors import BridgeError, StoreUnavailable
from bridge.store.ledger import Ledger, P
from bridge.telemetry import log

LOG = logging.getLogger("bridge.admin")
MOST = 4  # errands at once
WITHIN = 20.0  # seconds that whoever asks for one waits for it
ENDING = "store: the bridge is ending"
T = TypeVar("T")


class Errands:
    """Those of one bridge. `open_ledger` opens its store, as for a command."""

    def __init__(self, open_ledger: Callable[[], AbstractContextManager[Ledger]]) -> None:
        self._open = open_ledger
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._over = threading.Event()

    def under_way(self, name: str) -> bool:
        """Whether one of that name is."""
        return name in self._tasks

    async def run(self, name: str, job: Callable[[], Awaitable[T]], *, within: float = WITHIN) -> T | None:
        """What comes of it, where that is soon; None where it goes on. Of a name there is one at once: who asks for
        what is under way waits for that. Raise StoreUnavailable where too many are, and where the bridge ends first.
        """
        if (task := self._tasks.get(name)) is None:
            if len(self._tasks) >= MOST:
                raise StoreUnavailable(f"store: {MOST} long works are under way already")
            task = self._tasks[name] = asyncio.ensure_future(_result(name, job))
            task.add_done_callback(lambda _: self._tasks.pop(name, None))
        done, _ = await asyncio.wait({task}, timeout=within)
        if task.cancelled():
            raise StoreUnavailable(ENDING)
        return task.result() if done else None

    async def on_ledger(self, work: Callable[[Ledger], T]) -> T:
        """What a work finds or does; each of its steps is refused once the bridge ends."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[T] = loop.create_future()

        def work_apart() -> None:
            try:
                with self._open() as ledger:
                    settle = partial(_set_result, found, work(_ClosableLedger(ledger, self._over)))
            except Exception as error:
                settle = partial(_set_error, found, error)
            if not self._over.is_set():
                loop.call_soon_threadsafe(settle)

        threading.Thread(target=work_apart, name="admin-errand", daemon=True).start()
        return await found

    async def close(self) -> None:
        """End what is under way: a step that has begun is done, and no other begins."""
        self._over.set()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _set_result(found: asyncio.Future[T], value: T) -> None:
    if not found.done():
        found.set_result(value)


def _set_error(found: asyncio.Future[Any], error: Exception) -> None:
    if not found.done():
        found.set_exception(error)


class _ClosableLedger(Ledger):
    """A ledger of which nothing is asked any more once it is over."""

    def __init__(self, ledger: Ledger, over: threading.Event) -> None:
        self._ledger, self._over = ledger, over

    def read(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._check()
        return self._ledger.read(query, *args, **kwargs)

    def write(self, query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._check()
        return self._ledger.write(query, *args, **kwargs)

    def _check(self) -> None:
        if self._over.is_set():
            raise StoreUnavailable(ENDING)


async def _result(name: str, job: Callable[[], Awaitable[T]]) -> T:
    """What comes of it; a failure is told in the log, for whoever asked may have gone. Of the name its first word: what
    follows may be a person's.
    """
    errand = name.partition(" ")[0]
    try:
        return await job()
    except BridgeError as error:
        log(LOG, logging.WARNING, "admin.errand_failed", errand=errand, reason=str(error))
        raise
    except Exception as error:
        log(LOG, logging.ERROR, "admin.bug", errand=errand, error=error)
        raise
