"""What is muted, as a lane knows it: looked up again where something has changed."""

from collections.abc import Sequence
from datetime import datetime

from bridge.mute import MUTED, Mute, muting
from bridge.outcome import HeldBack
from bridge.store.base import Delivery, Outbox


class Mutes:
    """Knows what is muted."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._known: Sequence[Mute] = ()
        self._version: int | None = None  # of the store, when it was asked

    async def at(self, version: int, now: datetime) -> Sequence[Mute]:
        """What is muted at a version of the store; some of it may be over. Raise StoreError where nobody can know."""
        if version != self._version:
            self._known, self._version = await self._outbox.mutes(now=now), version
        return self._known


def muted(delivery: Delivery, mutes: Sequence[Mute], now: datetime) -> HeldBack | None:
    """The fate of what was made before it was muted, or elsewhere: what is new is held back as it is put.

    What somebody has replayed is wanted.
    """
    if not mutes or delivery.replay_of is not None:
        return None
    mute = muting(mutes, delivery.event, delivery.sink, now)
    return None if mute is None else HeldBack(MUTED, mute.note)
