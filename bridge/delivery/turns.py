"""Whose turn it is: which of a sink's deliveries may be carried next.

Order is kept per subject: while a delivery waits for its retry, later ones of its subject wait behind it and all
others pass. The outbox holds that order in the rows; here stands only how far the pending ones were looked through,
and that is looked through again when a retry has cleared the way. Whoever starts anew looks from the beginning.
Nobody else makes this sink's deliveries wait, so it is also known when the next retry is due.

Why `offer`: asking the store for what was put a moment ago would cost more than sending it. While nothing is held
back and everything has been seen, a delivery goes from hand to hand; in all other cases it is found in the store.
"""

from collections import deque
from datetime import UTC, datetime

from bridge.clock import Clock
from bridge.outcome import Again, Fate
from bridge.store.base import Delivery, Outbox

CLAIMED = 100  # deliveries claimed at once; their events are what a lane holds in memory
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Turns:
    """The order of one sink's deliveries. One delivery is out at a time, between `take` and `back`."""

    def __init__(self, sink: str, outbox: Outbox, clock: Clock) -> None:
        self.due: datetime | None = LONG_AGO  # when the next retry is; one that waits from before may be due
        self._sink = sink
        self._outbox = outbox
        self._clock = clock
        self._ready: deque[Delivery] = deque()
        self._seen = 0
        self._all_seen = False  # whatever is pending in the store is in `_ready`
        self._missed = False  # something was put while the store was being asked

    def offer(self, delivery: Delivery) -> None:
        """Hand over a delivery that was just put: its turn comes now, or when it is claimed."""
        if self._all_seen and self.due is None and len(self._ready) < CLAIMED:
            self._ready.append(delivery)
        else:
            self.look_again()

    def look_again(self) -> None:
        """There may be something in the store that has not been seen."""
        self._all_seen = False
        self._missed = True

    @property
    def known(self) -> bool:
        """Whether the next turn, or that there is none, is known without asking the store."""
        return bool(self._ready) or (self._all_seen and self.due is None)

    async def next(self) -> Delivery | None:
        """Whose turn it is, None for nobody's. All that was sent must be recorded where it is not `known`."""
        if not self.known:
            await self._claim()
        return self._ready[0] if self._ready else None

    def take(self) -> Delivery:
        """Take out the delivery that `next` named."""
        return self._ready.popleft()

    def back(self, delivery: Delivery, fate: Fate) -> None:
        """Keep the order, now that the fate of what was taken out is known."""
        if isinstance(fate, Again):
            self.due = min(self.due or fate.at, fate.at)
            if (subject := delivery.event.subject) is not None:
                self._ready = deque(one for one in self._ready if one.event.subject != subject)
            self.look_again()
        elif delivery.retried:
            self._seen = min(self._seen, delivery.id)
            self.look_again()

    async def _claim(self) -> None:
        now = self._clock.now()
        due = self.due is not None and self.due <= now
        self._missed = False
        claim = await self._outbox.claim(self._sink, after=self._seen, now=now if due else None, limit=CLAIMED)
        self._all_seen = not claim.more and not self._missed
        self._ready.extend(claim.deliveries)
        self._seen = claim.seen
        if due:
            self.due = claim.next_due
