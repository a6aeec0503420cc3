"""A clock for readers that look again and again: who sleeps by it sleeps until the test wakes him."""

import asyncio
from datetime import datetime

from bridge.admin.streams.broadcast import EVERY
from tests.fakes import START


class Hands:
    """A clock by which whoever sleeps sleeps on until the test wakes him."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []
        self._sleeping: asyncio.Future[None] | None = None

    def now(self) -> datetime:
        return START

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._sleeping = asyncio.get_running_loop().create_future()
        await self._sleeping

    async def wake(self, seconds: float = EVERY) -> None:
        """So much later; returns when he sleeps again, or has gone."""
        await self.rest()
        sleeping, self._sleeping = self._sleeping, None
        self.time += seconds
        if sleeping is not None:
            sleeping.set_result(None)
        await self.rest()

    async def rest(self) -> None:
        """Until he sleeps; not for long, for he may have gone."""
        for _ in range(100):
            if self._sleeping is not None:
                return
            await asyncio.sleep(0)
