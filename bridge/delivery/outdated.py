"""What is past by the time that a customer could be told: what a later event says to be over, and who was deleted."""

from collections.abc import AsyncIterator
from datetime import datetime

from bridge.delivery.customers import CLOSED
from bridge.event import Event
from bridge.outcome import HeldBack
from bridge.people.thresholds import is_renewed, threshold_of
from bridge.store.base import Delivery, Outbox


async def past(delivery: Delivery, closed_at: datetime | None, outbox: Outbox) -> HeldBack | None:
    """Why a customer is not told any more of what is sent now; None where it is still so. Its event is loaded.

    `closed_at`: when whoever is called so was deleted. Of what came in the same request their order tells whose it is.
    A replay tells what is over, for somebody wants it so.
    """
    event, key = delivery.event, delivery.recipient
    if key is None:
        return None
    if closed_at == event.received_at and event.id <= (await outbox.deleted_by(key, closed_at) or event.id):
        return HeldBack(CLOSED)
    if delivery.replay_of is not None or threshold_of(event) is None:
        return None
    async for later in _later(key, event, outbox):
        if is_renewed(event, later):
            return HeldBack(f"renewed meanwhile: {later.type}, event {later.id}")
    return None


async def _later(key: str, event: Event, outbox: Outbox) -> AsyncIterator[Event]:
    """All events about a customer after that one."""
    after = event.id
    while some := await outbox.later_events(key, after):
        for one in some:
            yield one
        after = some[-1].id
