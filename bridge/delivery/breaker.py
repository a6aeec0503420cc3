"""Whether a lane may send at all: what it has learnt of its service.

    open ── no answer, 5xx ──▶ away ── one delivery tries; any answer ──▶ open
      └──── the address is gone ──▶ parked ── someone resumes, or changes the sink ──▶ open

While it is away, one delivery at a time is sent as a probe, after a wait that doubles from one second up to the longest
wait of the sink's retries, or when the service said that it may. What waits meanwhile burns no attempt.
"""

from datetime import datetime, timedelta

from bridge.outcome import Attempt, Away, Gone
from bridge.store.base import LaneState, Standing

FIRST = 1.0  # seconds: a service that hiccups is asked again soon


class Breaker:
    """Times that are waited for are monotonic seconds, times that people see are aware UTC."""

    def __init__(self, ceiling: float) -> None:
        self.standing = Standing.OPEN
        self.reason: str | None = None
        self.since: datetime | None = None
        self.failures = 0
        self._ceiling = ceiling
        self._until = float("-inf")

    @property
    def probing(self) -> bool:
        """Whether only one delivery may be on its way."""
        return self.standing is Standing.AWAY

    def wait(self, now: float) -> float | None:
        """Seconds until something may be sent, 0.0 if it is now; None until someone resumes."""
        return None if self.standing is Standing.PARKED else max(0.0, self._until - now)

    def judge(self, attempt: Attempt, now: float, at: datetime) -> bool:
        """Learn from an attempt; whether the standing changed, or what is known of it.

        Of a parked lane nothing more is learned: what answers now was sent before it was parked.
        """
        if self.standing is Standing.PARKED:
            return False
        match attempt.outcome:
            case Away(reason, after):
                self.failures += 1
                # of several that were on their way at once, the longest wait counts
                self._until = max(self._until, now + (self._backoff() if after is None else after))
                self._health(Standing.AWAY, reason, at)
                return True
            case Gone(reason):
                self._health(Standing.PARKED, reason, at)
                return True
            case _:
                return self.resume()

    def resume(self) -> bool:
        """Flow again; whether it did not."""
        changed = self.standing is not Standing.OPEN
        self.standing, self.reason, self.since, self.failures = Standing.OPEN, None, None, 0
        self._until = float("-inf")
        return changed

    def restore(self, state: LaneState, now: float, at: datetime) -> None:
        """Stand as was written."""
        self.standing, self.reason, self.since = state.standing, state.reason, state.since
        self.failures = state.failures
        if state.standing is Standing.AWAY and state.until is not None:
            self._until = now + max(0.0, (state.until - at).total_seconds())

    def until(self, now: float, at: datetime, pause: float) -> datetime | None:
        """When something may be sent again, also after a `pause` of so many seconds; None where that is now."""
        wait = max(pause, self._until - now)
        return at + timedelta(seconds=wait) if wait > 0 else None

    def _health(self, standing: Standing, reason: str, at: datetime) -> None:
        if self.standing is Standing.OPEN:
            self.since = at
        self.standing, self.reason = standing, reason

    def _backoff(self) -> float:
        return min(FIRST * 2.0 ** min(self.failures - 1, 30), self._ceiling)
