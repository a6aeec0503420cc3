"""What an outage gives up, for it has waited long enough for its fallback: from page to page, round and round."""

from collections.abc import Sequence
from datetime import datetime

from bridge.delivery.policy import fallback_fate
from bridge.outcome import Attempt, Away
from bridge.store.base import Outbox, Settlement

PAGE, PAGES = 200, 5  # deliveries of a page, pages of a look: it must not hold up the lane


class Fallbacks:
    """The deliveries of one sink that have a fallback."""

    def __init__(self, sink: str, outbox: Outbox) -> None:
        self._sink = sink
        self._outbox = outbox
        self._cursor = 0  # deliveries up to that id were looked through

    async def due(self, *, since: datetime, reason: str, now: datetime) -> Sequence[Settlement]:
        """What is to be given up at `now`, in an outage that lasts `since` then for that `reason`."""
        attempt, found = Attempt(Away(reason), requests=0), list[Settlement]()
        for _ in range(PAGES):
            page = await self._outbox.fallback_candidates(self._sink, after=self._cursor, limit=PAGE)
            self._cursor = page[-1].id if len(page) == PAGE else 0
            for delivery in page:
                if (fate := fallback_fate(delivery, since=since, reason=reason, now=now)) is not None:
                    found.append(Settlement(delivery, fate, attempt, now))
            if not self._cursor:
                break
        return found
