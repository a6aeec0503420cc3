"""The message that a delivery changes or answers: the last one about its subject that the sink has taken."""

from bridge.message import Earlier
from bridge.posted import DELETED, is_change
from bridge.store.base import Delivery, Outbox
from bridge.value import replace

#: Why a message is not taken back that died, or went out among others. An edit of such a one is sent anew.
NOTHING_TO_DELETE = "there is no message of its own here that could be taken back"


def wants_earlier(delivery: Delivery) -> bool:
    """Whether it goes with the message before it, as its row asks for, or because it changes that."""
    updates = delivery.terms is not None and delivery.terms.update is not None
    return delivery.event.subject is not None and (updates or is_change(delivery.event))


def is_deletion(delivery: Delivery) -> bool:
    """Whether it takes a message back: without that there is nothing to send."""
    return is_change(delivery.event) and delivery.event.native_type == DELETED


async def earlier_message(delivery: Delivery, outbox: Outbox) -> Earlier | None:
    """That message; None where the sink was told nothing of its subject yet."""
    event, terms = delivery.event, delivery.terms
    assert delivery.order is not None
    earlier = await outbox.earlier_message(delivery.sink, delivery.order)
    if earlier is None or is_change(event):
        return earlier and replace(earlier, delete=is_deletion(delivery))
    return replace(earlier, thread=terms is not None and terms.update == "thread")
