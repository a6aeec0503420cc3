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
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa

from bridge.errors import BridgeError, StoreUnavailable
from bridge.store.backend import autocommit, backend_of, store_errors

#: Writes several things of a kind, and returns as many results.
Kind = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]
T = TypeVar("T")
MOST = 1000  # jobs that share one commit at the most


@dataclass(slots=True)
class Job:
    """Something to write: jobs of one `kind` are written by one call, which answers each of them.

    `durable`: its commit outlives a power cut.
    """

    kind: Kind
    what: Any
    durable: bool
    future: "asyncio.Future[Any]"
    result: Any = None
    error: Exception | None = field(default=None, repr=False)


class Line:
    """A connection that is kept open, for opening one costs as much as writing an event; a new one after a failure."""

    def __init__(self, open_: Callable[[], sa.Connection]) -> None:
        self._open = open_
        self._connection: sa.Connection | None = None

    def use(self, work: Callable[[sa.Connection], T]) -> T:
        """Do some work on it; a driver's errors are ours then, and one that may pass takes the connection with it."""
        try:
            with store_errors():
                return work(self._ready())
        except StoreUnavailable:
            self.drop()
            raise

    def drop(self) -> None:
        """Close it, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.detach()  # it must not go back to the pool
            with suppress(Exception):
                connection.close()

    def _ready(self) -> sa.Connection:
        if self._connection is not None and backend_of(self._connection).is_disconnected(self._connection):
            self.drop()
        if self._connection is None:
            self._connection = self._open()
        return self._connection


class Writer:
    """What writes to the store in this process, on a thread of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._durable = Line(lambda: autocommit(engine.connect()))
        self._light = Line(lambda: _deferring_sync(autocommit(engine.connect())))
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, kind: Kind, what: Any, *, durable: bool = True) -> "asyncio.Future[Any]":
        """Begin to write; the result is there after the commit, or StoreUnavailable where there was none."""
        job = Job(kind, what, durable, self._loop.create_future())
        if self._thread.is_alive():
            self._jobs.put(job)
        else:
            job.future.set_exception(StoreUnavailable("store: closed"))
        return job.future

    async def close(self) -> None:
        """Write what has been handed in, then stop."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._durable.drop()
        self._light.drop()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job, *self._waiting()]
            line = self._durable if any(one.durable for one in jobs) else self._light
            try:
                _commit(line, jobs)
            except StoreUnavailable as error:  # nobody's fault: alone, each would only wait for the same
                for one in jobs:
                    one.error = error
            except Exception:
                for one in jobs:  # one bad job must not fail its neighbours
                    _commit_alone(line, one)
            self._loop.call_soon_threadsafe(_resolve, jobs)

    def _waiting(self) -> Iterable[Job]:
        for _ in range(MOST - 1):
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is None:
                self._jobs.put(None)
                return
            yield job


def _deferring_sync(connection: sa.Connection) -> sa.Connection:
    backend_of(connection).defer_sync(connection)
    connection.detach()  # it must not go back among those whose commits reach the disk at once
    return connection


def _commit(line: Line, jobs: list[Job]) -> None:
    kinds: dict[Kind, list[Job]] = {}
    for job in jobs:
        kinds.setdefault(job.kind, []).append(job)
    line.use(lambda connection: _write(connection, kinds))


def _write(connection: sa.Connection, kinds: dict[Kind, list[Job]]) -> None:
    with backend_of(connection).transaction(connection):
        for kind, same in kinds.items():
            for job, result in zip(same, kind(connection, [job.what for job in same]), strict=True):
                job.result = result


def _commit_alone(line: Line, job: Job) -> None:
    try:
        _commit(line, [job])
    except Exception as error:
        job.error = error if isinstance(error, BridgeError) else StoreUnavailable(f"store: {type(error).__name__}")


def _resolve(jobs: list[Job]) -> None:
    for job in jobs:
        if job.future.done():  # whoever waited has gone
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
