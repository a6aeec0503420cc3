"""What waits for a service that has been away for too long, and whose row names another sink: it is told there."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bridge.outcome import Attempt, Away, Dead
from bridge.store.base import Delivery, Outbox, Settlement

PAGE, PAGES = 200, 5  # deliveries of a page, pages of a look: one look must not hold up the lane


class Stranded:
    """Looks through a sink's deliveries from page to page, round and round."""

    def __init__(self, sink: str, outbox: Outbox) -> None:
        self._sink = sink
        self._outbox = outbox
        self._seen = 0

    async def look(
        self, *, since: datetime, reason: str, now: datetime, epoch: int, out: Callable[[Delivery], bool]
    ) -> Sequence[Settlement]:
        """What is given up after the lane has not flowed `since` then, for `reason`; not what is `out`."""
        away = (now - since).total_seconds()
        why = Dead(f"{reason}; {self._sink} has not taken anything for {_span(away)}")
        given_up: list[Settlement] = []
        for _ in range(PAGES):
            page = await self._outbox.fallback_candidates(self._sink, after=self._seen, limit=PAGE)
            self._seen = page[-1].id if len(page) == PAGE else 0
            late = [one for one in page if _patience(one) <= away and not out(one)]
            given_up += [Settlement(one, why, Attempt(Away(reason), requests=0), now, epoch=epoch) for one in late]
            if not self._seen:
                break
        return given_up


def _patience(delivery: Delivery) -> float:
    after = delivery.terms.fallback_after if delivery.terms is not None else None
    return float("inf") if after is None else after


def _span(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
