"""Which deliveries belong together: what was collected, what cancels out, and what has room in one message. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from bridge.store.base import Delivery, State
from bridge.vocabulary import are_opposite, opposite

DIGEST_BYTES = 2 * 2**20  # of the events that go out as one message: they are all in memory when it is rendered


def opposite_pairs(deliveries: Sequence[Delivery]) -> dict[int, Delivery]:
    """Of deliveries in order: the id of each that is taken back → the one that it cancels out with. Pure.

    A node lost and restored within the row's `hold` is no news. What is left over is sent: of lost, restored, lost the
    last one.
    """
    pairs: dict[int, Delivery] = {}
    unpaired: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        terms, subject = delivery.terms, delivery.order
        if terms is None or not terms.hold or subject is None or opposite(delivery.event.type) is None:
            continue
        before = unpaired.setdefault(subject, [])
        last = before[-1] if before and are_opposite(delivery.event.type, before[-1].event.type) else None
        if last is not None and delivery.made_at <= last.made_at + timedelta(seconds=terms.hold):
            before.pop()
            pairs[last.id], pairs[delivery.id] = delivery, last
        else:
            before.append(delivery)
    return pairs


def collects(delivery: Delivery) -> bool:
    """Whether its row collects it before it is sent."""
    terms = delivery.terms
    return terms is not None and delivery.replay_of is None and terms.collecting(delivery.event) > 0


def may_be_early(delivery: Delivery) -> bool:
    """Whether it was put to wait: earlier ones of its subject may be pending still."""
    return delivery.state is State.WAITING and not delivery.attempts and collects(delivery)


def waits_for_more(delivery: Delivery, now: datetime) -> bool:
    """Whether it waits, and not for what it was put to wait for: for its next try, or for quiet hours to end."""
    terms = delivery.terms
    if delivery.due_at is None or delivery.due_at <= now:
        return False
    seconds = terms.collecting(delivery.event) if terms is not None else 0.0
    return delivery.attempts > 0 or delivery.due_at > delivery.made_at + timedelta(seconds=seconds)


def fitting(deliveries: Sequence[Delivery], most: int) -> list[Delivery]:
    """The first ones that have room in one message, `most` of them and one at least."""
    sizes = accumulate(one.size for one in deliveries[:most])
    return [one for one, size in zip(deliveries, sizes, strict=False) if size <= DIGEST_BYTES] or list(deliveries[:1])
