"""How a lane stands, in memory and in the store: its breaker and its limiter, which outlive the process together."""

import asyncio
import logging
from functools import partial

from bridge.clock import Clock
from bridge.delivery.breaker import Breaker
from bridge.delivery.limiter import Limiter, RateWindows
from bridge.outcome import Attempt, Limited
from bridge.sinks.base import Sink
from bridge.store.base import LaneState, Outbox, Standing
from bridge.telemetry import say

LOG = logging.getLogger("bridge.delivery")
TOLD = {
    Standing.OPEN: (logging.INFO, "lane.open"),
    Standing.AWAY: (logging.WARNING, "lane.away"),
    Standing.PARKED: (logging.ERROR, "lane.parked"),
}


class Health:
    """A lane's breaker and limiter, kept under its epoch."""

    def __init__(self, name: str, sink: Sink, outbox: Outbox, clock: Clock, windows: RateWindows, epoch: int) -> None:
        self.breaker = Breaker(ceiling=max(sink.retry.waits))
        self.limiter = Limiter(sink.limits, windows)
        self._name = name
        self._address = sink.address
        self._outbox = outbox
        self._clock = clock
        self._epoch = epoch
        self._words = 0  # how often the store was told
        self._heard = 0  # the last word that it has heard

    async def begin(self) -> None:
        """Stand as the lane stood when it was last carried; a changed sink starts with a clean sheet."""
        state = await self._outbox.lane_state(self._name)
        now, wall = self._clock.monotonic(), self._clock.now()
        if state.address == self._address:
            self.limiter.learn(state.learned)
            self.breaker.restore(state, now, wall)
            if state.until is not None and state.standing is Standing.OPEN:  # else the breaker waits
                self.limiter.pause((state.until - wall).total_seconds(), now)
            self._tell(self.breaker.standing is not Standing.OPEN)
        elif state.standing is not Standing.OPEN:
            self._tell(True)
        self.limiter.restore(state.spent, now, wall)
        if state.address != self._address:
            self._keep()

    def learn(self, attempt: Attempt, *, started: float, bug: bool) -> bool:
        """Take an attempt into account; one that failed by a bug of our own says nothing of the service.

        Returns whether it told of a limit.
        """
        now = self._clock.monotonic()
        before = self.breaker.standing
        changed = not bug and self.breaker.judge(attempt, now, self._clock.now())
        pause = attempt.outcome.after if isinstance(attempt.outcome, Limited) else attempt.pause
        self.limiter.pause(pause, now)
        self.limiter.spend(attempt.scopes, started)
        for _ in range(attempt.requests - 1):
            self.limiter.sent(now)
        learned = self.limiter.learn(attempt.learned, sent=started)
        self._tell(before is not self.breaker.standing)
        if changed or learned or pause or self.limiter.lasting:
            self._keep()
        return learned

    async def resumed(self) -> bool:
        """Whether someone has resumed the lane; then it flows."""
        if self._heard < self._words:
            self._keep()
            return False
        state = await self._outbox.lane_state(self._name)
        if state.standing is not Standing.OPEN or not self.breaker.resume():
            return False
        self._tell(True)
        return True

    @property
    def shut_for(self) -> float | None:
        """Seconds for which the service is left alone, None until someone resumes the lane."""
        return self.breaker.wait(self._clock.monotonic())

    def _keep(self) -> None:
        now, wall = self._clock.monotonic(), self._clock.now()
        paused = self.limiter.paused(now)
        state = LaneState(
            standing=self.breaker.standing,
            reason=self.breaker.reason,
            since=self.breaker.since,
            until=self.breaker.until(now, wall, paused),
            failures=self.breaker.failures,
            address=self._address,
            spent=self.limiter.spent(now, wall),
            learned=self.limiter.learned,
        )
        self._words += 1
        told = self._outbox.save_lane_state(self._name, state, epoch=self._epoch)
        told.add_done_callback(partial(self._kept, self._words))

    def _kept(self, word: int, future: asyncio.Future[None]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._heard = max(self._heard, word)

    def _tell(self, changed: bool) -> None:
        if changed:
            level, event = TOLD[self.breaker.standing]
            say(LOG, level, event, sink=self._name, reason=self.breaker.reason)
