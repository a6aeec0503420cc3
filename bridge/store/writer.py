"""Group commit: what waits to be written at the same moment shares one transaction.

Why: an fsync costs more than everything else about an event. One writer thread takes all that has queued up while
the last commit ran, and commits it together; under load a commit carries hundreds of events, idle it carries one.
Nothing is answered before its commit, so the queue holds nothing that anyone was promised.

Why a commit is waited with for a moment where the one before was shared: whoever is answered comes again at once, and
just misses the next commit, so that two halves would take turns for good, at twice the cost.

A commit that only records what became of deliveries need not reach the disk at once: it outlives the process, and
after a power cut those deliveries are sent again. It is on the disk with the next commit that must be, and within
`SYNC_WITHIN` where there is none: then one comes that changes nothing.

After a commit that failed nobody knows what of the earlier ones is on the disk: all of it is brought there before the
next commit, or there is none. So it is at the start, for nobody knows why the bridge before ended.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bridge.counters import COUNTERS
from bridge.errors import BridgeError, StoreError, StoreUnavailable
from bridge.store.backend import autocommit, backend_of
from bridge.store.connection import PersistentConnection
from bridge.store.queries.changes import keep_version
from bridge.telemetry import log

LOG = logging.getLogger("bridge.store")

#: Writes several values, and returns a result for each.
BatchQuery = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]
LARGEST_COMMIT = 1000  # writes that share one at the most
GATHER_FOR = 0.0005  # seconds that fewer wait for others than shared the commit before
SLOW_FAILURE = 1.0  # seconds of a commit that failed, after which the next ones would wait too long as well
SYNC_WITHIN = 1.0  # seconds until a commit is on the disk that need not be at once


@dataclass(slots=True)
class Write:
    """Something to write: values for the same `query` are written by one call of it.

    `durable`: its commit outlives a power cut.
    """

    query: BatchQuery
    value: Any
    durable: bool
    future: "asyncio.Future[Any] | None" = None
    result: Any = None
    error: Exception | None = field(default=None, repr=False)


class Writer:
    """What writes to the store in this process, on a thread of its own."""

    def __init__(self, engine: sa.Engine, check: Callable[[], None]) -> None:
        self._durable = PersistentConnection(lambda: _checkpointing(autocommit(engine.connect())), check)
        self._deferred = PersistentConnection(lambda: self._deferring_sync(autocommit(engine.connect())), check)
        self.moves = 0  # commits of this process that changed something that lanes look up
        self.on_failure: Callable[[str], None] = lambda reason: None
        self._defers_sync = False
        self._unsynced_since: float | None = None  # when the first commit was made that may not be on the disk yet
        self._needs_resync = True
        self._shared = 1  # writes of the last commit
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, query: BatchQuery, value: Any, *, durable: bool = True) -> "asyncio.Future[Any]":
        """Begin to write; the result is there after the commit, or StoreUnavailable where there was none."""
        future = self._loop.create_future()
        if self._thread.is_alive():
            self._queue.put(Write(query, value, durable, future))
        else:
            future.set_exception(StoreUnavailable("store: closed"))
        return future

    async def close(self) -> None:
        """Write what has been handed in, then stop."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._durable.close()
        self._deferred.close()

    def _run(self) -> None:
        while writes := self._next():
            began = time.monotonic()
            try:
                self._commit(writes)
            except StoreUnavailable as error:  # nobody's fault: alone, each would only wait for the same
                if time.monotonic() - began > SLOW_FAILURE:  # and so would those that came meanwhile
                    writes += self._queued()
                for one in writes:
                    one.error = error
            except Exception:
                for one in writes:  # one bad write must not fail its neighbours
                    self._commit_alone(one)
            self._loop.call_soon_threadsafe(self._resolve, writes)
            del writes  # they may be big, and the next ones may be long in coming
        if self._unsynced_since is not None:
            self._commit_alone(Write(touch, None, durable=True))

    def _next(self) -> list[Write]:
        """What is to be written, nothing when there will be no more; when it is time, also what syncs all before it."""
        writes: list[Write] = []
        left = None if self._unsynced_since is None else self._unsynced_since + SYNC_WITHIN - time.monotonic()
        with suppress(queue.Empty):
            if (first := self._queue.get(timeout=None if left is None else max(0.0, left))) is None:
                return []
            if 1 + self._queue.qsize() < self._shared:
                time.sleep(GATHER_FOR)
            writes = [first, *self._queued()]
            self._shared = len(writes)
        if not writes or (left is not None and left <= 0):
            self._unsynced_since = time.monotonic()  # in vain, it is tried again a while later
            writes.append(Write(touch, None, durable=True))
        return writes

    def _queued(self) -> Iterable[Write]:
        for _ in range(LARGEST_COMMIT - 1):
            try:
                write = self._queue.get_nowait()
            except queue.Empty:
                return
            if write is None:
                self._queue.put(None)
                return
            yield write

    def _commit(self, writes: list[Write]) -> None:
        if self._needs_resync:
            self._durable.run(lambda opened: backend_of(opened).resync(opened))
            self._needs_resync = False
        durable = any(write.durable for write in writes)
        by_query: dict[BatchQuery, list[Write]] = {}
        for write in writes:
            by_query.setdefault(write.query, []).append(write)
        connection = self._durable if durable else self._deferred
        began = time.monotonic()
        try:
            self.moves += connection.run(lambda opened: _execute(opened, by_query))
        except StoreUnavailable:
            self._needs_resync = True
            raise
        if empty_log in by_query:
            self._empty_log(by_query[empty_log])
        COUNTERS.committed(len(writes), time.monotonic() - began, durable=durable)
        if touch in by_query:
            self._unsynced_since = None
        elif not durable and self._defers_sync and self._unsynced_since is None:
            self._unsynced_since = time.monotonic()

    def _empty_log(self, writes: list[Write]) -> None:
        """All is committed already: where it cannot be done, nothing has failed but this."""
        done = False
        with suppress(StoreError):
            done = self._durable.run(lambda opened: backend_of(opened).empty_log(opened))
        for one in writes:
            one.result = done

    def _resolve(self, writes: list[Write]) -> None:
        _resolve(writes)
        if failed := next((one.error for one in writes if isinstance(one.error, StoreUnavailable)), None):
            self.on_failure(str(failed))

    def _commit_alone(self, write: Write) -> None:
        try:
            self._commit([write])
        except BridgeError as error:
            write.error = error
        except Exception as error:  # a bug of ours: whoever waits hears that nothing was kept
            log(LOG, logging.ERROR, "store.bug", query=getattr(write.query, "__qualname__", None), error=error)
            write.error = StoreUnavailable(f"store: unforeseen {type(error).__name__}, see the log")

    def _deferring_sync(self, connection: sa.Connection) -> sa.Connection:
        self._defers_sync = backend_of(connection).defer_sync(connection)
        connection.detach()  # it must not go back among those whose commits reach the disk at once
        return connection


def _checkpointing(connection: sa.Connection) -> sa.Connection:
    backend_of(connection).enable_checkpoints(connection)
    return connection


def _execute(connection: sa.Connection, by_query: dict[BatchQuery, list[Write]]) -> bool:
    """Commit all of it; whether it changed something that lanes look up."""
    with backend_of(connection).transaction(connection):
        if len(by_query) > 1:  # in one order for all, or one replica holds a row while it waits for who waits for it
            backend_of(connection).lock_changes(connection)
        for query, writes in by_query.items():
            for write, result in zip(writes, query(connection, [one.value for one in writes]), strict=True):
                write.result = result
        return keep_version(connection)


def touch(connection: sa.Connection, values: Sequence[None]) -> Sequence[None]:
    """Write, and change nothing: whether the store takes anything, and all that was written before is on the disk."""
    connection.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
    return values


def empty_log(connection: sa.Connection, values: Sequence[None]) -> Sequence[bool]:
    """Write, and change nothing; behind the commit the log is emptied. Whether it was."""
    touch(connection, values)
    return [False] * len(values)


def _resolve(writes: list[Write]) -> None:
    for write in writes:
        if write.future is None or write.future.done():  # nobody waited, or whoever did has gone
            continue
        if write.error is not None:
            write.future.set_exception(write.error)
        else:
            write.future.set_result(write.result)
