"""Group commit: what waits to be written at the same moment shares one transaction.

Why: an fsync costs more than everything else about an event. One writer thread takes all that has queued up while
the last commit ran, and commits it together; under load a commit carries hundreds of events, idle it carries one.
Nothing is answered before its commit, so the queue holds nothing that anyone was promised.

A commit that only records what became of deliveries need not reach the disk at once: it outlives the process, and
after a power cut those deliveries are sent again. It is on the disk with the next commit that must be.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bridge.errors import BridgeError, StoreUnavailable
from bridge.store.backend import autocommit, backend_of
from bridge.store.connection import PersistentConnection

#: Writes several values, and returns a result for each.
BatchQuery = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]
LARGEST_COMMIT = 1000  # writes that share one at the most


@dataclass(slots=True)
class Write:
    """Something to write: values for the same `query` are written by one call of it.

    `durable`: its commit outlives a power cut.
    """

    query: BatchQuery
    value: Any
    durable: bool
    future: "asyncio.Future[Any]"
    result: Any = None
    error: Exception | None = field(default=None, repr=False)


class Writer:
    """What writes to the store in this process, on a thread of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._durable = PersistentConnection(lambda: autocommit(engine.connect()))
        self._deferred = PersistentConnection(lambda: _deferring_sync(autocommit(engine.connect())))
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, query: BatchQuery, value: Any, *, durable: bool = True) -> "asyncio.Future[Any]":
        """Begin to write; the result is there after the commit, or StoreUnavailable where there was none."""
        write = Write(query, value, durable, self._loop.create_future())
        if self._thread.is_alive():
            self._queue.put(write)
        else:
            write.future.set_exception(StoreUnavailable("store: closed"))
        return write.future

    async def close(self) -> None:
        """Write what has been handed in, then stop."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._durable.close()
        self._deferred.close()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            writes = [first, *self._queued()]
            connection = self._durable if any(one.durable for one in writes) else self._deferred
            try:
                _commit(connection, writes)
            except StoreUnavailable as error:  # nobody's fault: alone, each would only wait for the same
                for one in writes:
                    one.error = error
            except Exception:
                for one in writes:  # one bad write must not fail its neighbours
                    _commit_alone(connection, one)
            self._loop.call_soon_threadsafe(_resolve, writes)

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


def _deferring_sync(connection: sa.Connection) -> sa.Connection:
    backend_of(connection).defer_sync(connection)
    connection.detach()  # it must not go back among those whose commits reach the disk at once
    return connection


def _commit(connection: PersistentConnection, writes: list[Write]) -> None:
    by_query: dict[BatchQuery, list[Write]] = {}
    for write in writes:
        by_query.setdefault(write.query, []).append(write)
    connection.run(lambda opened: _execute(opened, by_query))


def _execute(connection: sa.Connection, by_query: dict[BatchQuery, list[Write]]) -> None:
    with backend_of(connection).transaction(connection):
        for query, writes in by_query.items():
            for write, result in zip(writes, query(connection, [one.value for one in writes]), strict=True):
                write.result = result


def _commit_alone(connection: PersistentConnection, write: Write) -> None:
    try:
        _commit(connection, [write])
    except Exception as error:
        write.error = error if isinstance(error, BridgeError) else StoreUnavailable(f"store: {type(error).__name__}")


def _resolve(writes: list[Write]) -> None:
    for write in writes:
        if write.future.done():  # whoever waited has gone
            continue
        if write.error is not None:
            write.future.set_exception(write.error)
        else:
            write.future.set_result(write.result)
