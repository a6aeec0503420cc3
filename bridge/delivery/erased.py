"""What was forgotten after a lane had claimed it: asked while there is something to send, once a second at most."""

from collections.abc import Sequence, Set

from bridge.clock import Clock
from bridge.outcome import HeldBack
from bridge.store.base import Delivery, Outbox

ASKED_EVERY = 1.0  # seconds
ERASED = HeldBack("forgotten while it waited")


class Erased:
    """Knows which deliveries are not there any more. What was claimed after the last erasure is."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock
        self._asked = float("-inf")
        self._version = 0
        self._through = 0  # the newest delivery when something was last erased

    async def among(self, deliveries: Sequence[Delivery]) -> Set[int]:
        """Ids of those that are gone. Raise StoreError where nobody can know."""
        now = self._clock.monotonic()
        if now - self._asked >= ASKED_EVERY:
            version, newest = await self._outbox.last_erasure()
            if version != self._version:
                self._version, self._through = version, newest
            self._asked = now
        older = [one.id for one in deliveries if one.id <= self._through]
        return set(older) - await self._outbox.kept(older) if older else set()
