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
from bridge.store.dialect import explained, relaxed, transaction, unmanaged

#: Writes several things of a kind, and returns as many results.
Kind = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]
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


class Writer:
    """The store's only writing connection of this process, on a thread of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        # kept open: opening a connection costs as much as writing an event
        self._durable, self._light = unmanaged(engine.connect()), relaxed(unmanaged(engine.connect()))
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
        self._durable.close()
        self._light.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job, *self._waiting()]
            connection = self._durable if any(one.durable for one in jobs) else self._light
            try:
                _commit(connection, jobs)
            except Exception:
                for one in jobs:  # one bad job must not fail its neighbours
                    _commit_alone(connection, one)
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


def _commit(connection: sa.Connection, jobs: list[Job]) -> None:
    kinds: dict[Kind, list[Job]] = {}
    for job in jobs:
        kinds.setdefault(job.kind, []).append(job)
    with explained(), transaction(connection):
        for kind, same in kinds.items():
            for job, result in zip(same, kind(connection, [job.what for job in same]), strict=True):
                job.result = result


def _commit_alone(connection: sa.Connection, job: Job) -> None:
    try:
        _commit(connection, [job])
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
