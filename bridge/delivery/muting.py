"""What is muted, as a lane knows it: the store is asked while there is something to send, once a second at most."""

from collections.abc import Sequence

from bridge.clock import Clock
from bridge.mute import MUTED, Mute, muting
from bridge.outcome import HeldBack
from bridge.store.base import Delivery, Outbox

ASKED_EVERY = 1.0  # seconds


class Mutes:
    """Holds back what was made before it was muted, or elsewhere: what is new is held back as it is put."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock
        self._known: Sequence[Mute] = ()
        self._asked = float("-inf")

    async def held_back(self, delivery: Delivery) -> HeldBack | None:
        """The fate of what is muted; what somebody has replayed is wanted. Raise StoreError where nobody can know."""
        if delivery.replay_of is not None:
            return None
        now = self._clock.monotonic()
        if now - self._asked >= ASKED_EVERY:
            self._known, self._asked = await self._outbox.mutes(now=self._clock.now()), now
        mute = muting(self._known, delivery.event, delivery.sink, self._clock.now())
        return None if mute is None else HeldBack(MUTED, mute.note)
