"""What takes itself back: a node lost and restored within the row's `hold` is no news. Pure."""

from collections.abc import Sequence

from bridge.store.base import Delivery
from bridge.vocabulary import opposite


def cancelled(deliveries: Sequence[Delivery]) -> dict[int, Delivery]:
    """Of deliveries in order: the id of each that is taken back → the one that it cancels out with.

    What is left over is sent: of lost, restored, lost it is the last one.
    """
    pairs: dict[int, Delivery] = {}
    open_: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        terms, subject = delivery.terms, delivery.event.subject
        if terms is None or not terms.hold or subject is None or opposite(delivery.event.type) is None:
            continue
        before = open_.setdefault(subject, [])
        last = before[-1] if before else None
        if last and opposite(delivery.event.type) == last.event.type and _within(last, delivery, terms.hold):
            before.pop()
            pairs[last.id], pairs[delivery.id] = delivery, last
        else:
            before.append(delivery)
    return pairs


def _within(earlier: Delivery, later: Delivery, seconds: float) -> bool:
    return (later.made_at - earlier.made_at).total_seconds() <= seconds
