"""How far digests with a `max` are filled, so that a full one need not wait for its window to end."""

from collections import Counter
from collections.abc import Iterable

from bridge.store.base import Delivery, DigestFill
from bridge.terms import Terms


class Filling:
    """Counts what waits for each digest of one sink; `known` says whether it still knows."""

    def __init__(self) -> None:
        self.known = False
        self._counts: Counter[tuple[str, Terms]] = Counter()

    def count(self, collected: Iterable[DigestFill]) -> None:
        """Begin with what the store says."""
        self.known = True
        self._counts = Counter({(one.row, one.terms): one.count for one in collected})

    def forget(self) -> None:
        """Something has changed that was not counted."""
        self.known = False

    def fills(self, delivery: Delivery) -> bool:
        """Count a delivery that was put to wait; whether its digest is full with it."""
        terms = delivery.terms
        if not self.known or terms is None or terms.digest is None or terms.digest.max is None:
            return False
        self._counts[delivery.row, terms] += 1
        return self._counts[delivery.row, terms] >= terms.digest.max
