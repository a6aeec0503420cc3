"""Whether something has changed by which it is decided whether, and where, a message goes.

What this process has changed is known at once, without a question. What others have, is asked for while there is
something to send, so often that nothing is sent by what was true longer ago than that.
"""

from bridge.clock import Clock
from bridge.store.base import Outbox

ASKED_EVERY = 0.5  # seconds


class StoreVersion:
    """Knows the version that the store is at."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock
        self._asked = float("-inf")
        self._moves = 0  # of this process, when the store was asked
        self._version = 0

    async def now(self) -> int:
        """The store's version: read before something is looked up, what was looked up holds while it is the same.

        Raise StoreError where nobody can know.
        """
        now, moves = self._clock.monotonic(), self._outbox.moves
        if moves != self._moves or now - self._asked >= ASKED_EVERY:
            self._version = await self._outbox.version()
            self._asked, self._moves = now, moves
        return self._version
