"""Announcements on their way: none of them goes to the socket twice by itself, whenever the bridge ends."""

from collections.abc import Sequence
from datetime import datetime

from bridge.outcome import HeldBack
from bridge.people.announcement import UNCERTAIN, is_announcement
from bridge.store.base import Delivery, Outbox


async def uncertain(deliveries: Sequence[Delivery], outbox: Outbox) -> list[tuple[Delivery, HeldBack]]:
    """Which of these went to the socket before, and nobody knows what came of it."""
    announced = _announced(deliveries)
    begun = await outbox.begun(announced) if announced else ()
    return [(one, HeldBack(UNCERTAIN)) for one in deliveries if one.id in begun]


async def begin(deliveries: Sequence[Delivery], outbox: Outbox, *, now: datetime) -> list[tuple[Delivery, HeldBack]]:
    """Keep that these go to the socket now: what is not settled after that is never sent by itself again.

    What of them may not go: it was stopped meanwhile, or somebody else has sent it.
    """
    announced = _announced(deliveries)
    unsent = await outbox.begin(announced, now=now) if announced else {}
    return [(one, HeldBack(unsent[one.id])) for one in deliveries if one.id in unsent]


def _announced(deliveries: Sequence[Delivery]) -> list[int]:
    return [one.id for one in deliveries if is_announcement(one.event)]
