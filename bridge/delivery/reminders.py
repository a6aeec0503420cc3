"""Reminders: whether the trouble that one tells of still lasts, and what it says of that."""

from datetime import datetime

from bridge.message import Reminder
from bridge.outcome import HeldBack
from bridge.store.base import Delivery, Outbox


async def ending(delivery: Delivery, outbox: Outbox) -> HeldBack | None:
    """What becomes of a reminder whose trouble is over, or was told anew since; None where it is still to be sent."""
    event, terms = delivery.event, delivery.terms
    if delivery.reminder is None or terms is None:
        return None
    later = await outbox.ended_by(event, {*terms.ended_by(event), event.type})
    if later is None:
        return None
    ended = f"{later.type}, event {later.event_id}"
    return HeldBack(f"told anew: {ended}") if later.type == event.type else HeldBack(f"over: {ended}")


def reminder_of(delivery: Delivery, at: datetime) -> Reminder | None:
    """What a message of it says: which reminder it is, and for how long the trouble lasts `at` that time."""
    if delivery.reminder is None or delivery.terms is None or delivery.terms.repeat is None:
        return None
    lasts = (at - delivery.event.occurred_at).total_seconds()
    return Reminder(delivery.reminder, delivery.terms.repeat.max, max(0.0, lasts))
