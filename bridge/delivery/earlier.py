"""The message that a delivery changes or answers: the last one about its subject that the sink has taken."""

from dataclasses import replace

from bridge.message import Earlier
from bridge.posted import DELETED, is_change
from bridge.store.base import Delivery, Outbox

#: Why a change is not sent where there is nothing to be changed: the message died, or went out among others.
NOTHING_TO_CHANGE = "there is no message of its own here that it could change"


def wants_earlier(delivery: Delivery) -> bool:
    """Whether it goes with the message before it, as its row asks for, or because it changes that."""
    updates = delivery.terms is not None and delivery.terms.update is not None
    return delivery.event.subject is not None and (updates or is_change(delivery.event))


async def earlier_message(delivery: Delivery, outbox: Outbox) -> Earlier | None:
    """That message; None where the sink was told nothing of its subject yet."""
    event, terms = delivery.event, delivery.terms
    assert event.subject is not None
    earlier = await outbox.earlier_message(delivery.sink, event.subject)
    if earlier is None or is_change(event):
        return earlier and replace(earlier, delete=event.native_type == DELETED)
    return replace(earlier, thread=terms is not None and terms.update == "thread")
