"""How long an answer is waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LATE = 0.1  # seconds by which we notice that the time is over: more, and we stood still
CATCH_UP = 1.0  # seconds for what has come while we did


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError where what is inside takes longer.

    A machine that swaps, is moved or is put to sleep holds up everything, and wakes with the time over and the answer
    in the socket. That counts: what was taken would be sent again.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    timer: asyncio.TimerHandle
    async with asyncio.timeout(None) as deadline:

        def over() -> None:
            nonlocal timer
            if loop.time() - due > LATE:
                timer = loop.call_later(CATCH_UP, deadline.reschedule, due)
            else:
                deadline.reschedule(due)

        timer = loop.call_at(due, over)
        try:
            yield
        finally:
            timer.cancel()
