"""Room in memory for the events that lanes read from the store to send; the others wait where they are, on the disk.

Why one for all lanes: how many there are is the operator's to say, and what waits while services are away may be as big
as the disk. Small events come with a claim and need no room here, so that nobody's big ones hold them up.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

ROOM = 4 * 2**20  # bytes, as they are in the store; in memory it may be ten times as much


class EventMemory:
    """Whoever comes first is let in first; what is bigger than the room is let in alone."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = self._free = room
        self._turn = asyncio.Lock()
        self._released = asyncio.Event()

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[None]:
        """Wait for room for so many bytes, and keep it."""
        size = min(size, self._room)
        if size:
            async with self._turn:
                while self._free < size:
                    self._released.clear()
                    await self._released.wait()
                self._free -= size
        try:
            yield
        finally:
            self._free += size
            self._released.set()
