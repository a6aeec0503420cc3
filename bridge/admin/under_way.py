"""What is done at somebody's word: to its end, with its line in the log and in the audit.

Why apart from the request: that has a deadline, and ends with the bridge. What was committed stands, and nobody would
have been told who did it.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class UnderWay:
    """All that is."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it; nobody has to wait for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of it. It goes on where whoever waits is cancelled."""
        return await asyncio.shield(self.begin(work))

    async def close(self, *, within: float) -> None:
        """Return once all is done; what is not by then is cancelled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
