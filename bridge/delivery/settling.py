"""Recording what became of deliveries: behind the next one's back, or at once; again until the store takes it."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.store.base import Delivery, Outbox, Settlement
from bridge.telemetry import log

LOG = logging.getLogger("bridge.delivery")
STORE_WAIT = 1.0  # seconds between two tries at a store that is away

#: Done after the commit, with the deliveries that fallbacks made.
Recorded = asyncio.Future[Sequence[Delivery]]


class Settler:
    """Records settlements of one lane; `announce` is called with the deliveries that fallbacks made."""

    def __init__(self, sink: str, outbox: Outbox, clock: Clock, announce: Callable[[Sequence[Delivery]], None]) -> None:
        self._sink = sink
        self._outbox = outbox
        self._clock = clock
        self._announce = announce
        self._begun: tuple[Sequence[Settlement], Recorded] | None = None

    async def record(self, settlements: Sequence[Settlement]) -> None:
        """Return when these are recorded."""
        while True:
            try:
                await self._record(settlements)
            except StoreError as error:
                await wait_for_store(self._sink, error, self._clock)
            else:
                return

    async def begin(self, settlements: Sequence[Settlement]) -> None:
        """Begin to record these, when those before them are recorded."""
        await self.flush()
        self._begun = settlements, self._record(settlements)

    async def flush(self) -> None:
        """Return when all that was begun is recorded."""
        while self._begun is not None:
            settlements, recorded = self._begun
            try:
                if not recorded.done():
                    await asyncio.shield(recorded)  # whoever is cancelled here must not take the record with it
                recorded.result()
                self._begun = None
            except StoreError as error:
                await wait_for_store(self._sink, error, self._clock)
                self._begun = settlements, self._record(settlements)

    def _record(self, settlements: Sequence[Settlement]) -> Recorded:
        recorded = self._outbox.settle(settlements)
        recorded.add_done_callback(self._announce_fallbacks)
        return recorded

    def _announce_fallbacks(self, recorded: Recorded) -> None:
        if not recorded.cancelled() and recorded.exception() is None and (made := recorded.result()):
            self._announce(made)


async def wait_for_store(sink: str, error: StoreError, clock: Clock) -> None:
    """Say that the store is away, and leave it alone for a while."""
    log(LOG, logging.WARNING, "delivery.store_away", sink=sink, reason=str(error))
    await clock.sleep(STORE_WAIT)
