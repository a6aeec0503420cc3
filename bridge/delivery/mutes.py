"""What is muted by the time that it would be sent."""

from collections.abc import Sequence
from datetime import datetime

from bridge.mute import MUTED, Mute, muting
from bridge.outcome import HeldBack
from bridge.store.base import Delivery


def muted(delivery: Delivery, mutes: Sequence[Mute], now: datetime) -> HeldBack | None:
    """The fate of what was made before it was muted, or elsewhere: what is new is held back as it is put.

    What somebody has replayed is wanted.
    """
    if not mutes or delivery.replay_of is not None:
        return None
    mute = muting(mutes, delivery.event, delivery.sink, now)
    return None if mute is None else HeldBack(MUTED, mute.note)
