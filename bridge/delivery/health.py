"""Whether a service can be asked: what its lane has learnt of it, in memory and in the store.

    open ── no answer, 5xx, 429 without a time ──▶ away ── one delivery tries; any answer ──▶ open
      └──── the address is gone ──▶ parked ── someone resumes, or changes the sink ──▶ open

While it is away, one delivery at a time is sent as a probe, after a wait that doubles from one second up to the longest
wait of the sink's retries, or when the service said that it may. What waits meanwhile burns no attempt. A service that
asks us to wait and does not say how long is away as well: a constant wait would have it asked for as long as it lasts.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from bridge.clock import Clock
from bridge.delivery.attempt import AttemptResult
from bridge.delivery.limiter import Limiter, RateWindows
from bridge.incident import LaneStanding, OnIncident, ignore
from bridge.outcome import SHORTEST_WAIT, Attempt, Away, Delivered, Gone, Limited, Refused
from bridge.sinks.base import Sink
from bridge.store.base import LaneState, Outbox, Standing
from bridge.telemetry import log

LOG = logging.getLogger("bridge.delivery")
LOGGED = {
    Standing.OPEN: (logging.INFO, "lane.open"),
    Standing.AWAY: (logging.WARNING, "lane.away"),
    Standing.PARKED: (logging.ERROR, "lane.parked"),
}
FIRST_WAIT = 1.0  # seconds: a service that hiccups is asked again soon
LIMITED = "rate limited, and it does not say for how long"
LIMITED_CEILING = 300.0  # seconds that such waits grow to, however soon the sink's retries come


class LaneHealth:
    """A lane's breaker and limiter, which outlive the process together; kept under its epoch."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        outbox: Outbox,
        clock: Clock,
        windows: RateWindows,
        epoch: int,
        on_incident: OnIncident = ignore,
    ) -> None:
        self.breaker = Breaker(ceiling=max(sink.retry.waits))
        self.limiter = Limiter(sink.limits, windows)
        self._name = name
        self._address = sink.address
        self._outbox = outbox
        self._clock = clock
        self._on_incident = on_incident
        # one at a time: what was being sent, and the one before it whose record was being written
        self._unrecorded = max(2, sink.concurrency)
        self._epoch = epoch
        self._restored, self._restoring = False, asyncio.Lock()
        self._saves = 0  # begun
        self._saved = 0  # the last of them that the store has taken

    @property
    def closed_for(self) -> float | None:
        """Seconds for which the service is left alone, None until someone resumes the lane."""
        return self.breaker.wait(self._clock.monotonic())

    async def ensure_restored(self) -> None:
        """Restore once: when the lane begins, or is probed before."""
        async with self._restoring:
            if not self._restored:
                await self.restore()
                self._restored = True

    async def restore(self) -> None:
        """Stand as the lane stood when it was last carried; a changed sink starts with a clean sheet."""
        state = await self._outbox.lane_state(self._name)
        now, wall = self._clock.monotonic(), self._clock.now()
        unchanged = state.address == self._address
        if unchanged:
            self.limiter.learn(state.learned)
            self.breaker.restore(state, now, wall)
            if state.until is not None and state.standing is Standing.OPEN:  # else the breaker waits
                self.limiter.pause((state.until - wall).total_seconds(), now)
        if state.standing is not Standing.OPEN:
            self._tell(since=state.since)
        carried = bool(state.address)  # by whoever was killed, perhaps
        self.limiter.restore(state.spent, now, wall, unrecorded=self._unrecorded if carried else 0)
        if not unchanged:
            self._save()

    def record(self, result: AttemptResult, *, sent: float, probe: bool = False) -> bool:
        """Take an attempt into account, which was `sent` then; one that failed by a bug of our own says nothing of the
        service. `probe`: somebody had it sent to see whether the service is there.

        Returns whether it told of a limit.
        """
        attempt, now = result.attempt, self._clock.monotonic()
        before, since = self.breaker.standing, self.breaker.since
        changed = not result.bug and self.breaker.record(attempt, now, self._clock.now(), probe=probe)
        pause = _pause(attempt)
        self.limiter.pause(pause, now)
        self.limiter.spend(attempt.scopes, now)
        learned = self.limiter.learn(attempt.learned, sent=sent)
        if before is not self.breaker.standing:
            self._tell(since=self.breaker.since or since)
        if changed or learned or pause or self.limiter.lasting:
            self._save()
        return learned

    async def resumed(self) -> bool:
        """Whether someone has resumed the lane; then it flows."""
        saves = self._saves
        if self._saved < saves:
            self._save()
            return False
        state = await self._outbox.lane_state(self._name)
        since = self.breaker.since
        answered = self._saves > saves  # while the store was asked: that is newer
        if answered or state.standing is not Standing.OPEN or not self.breaker.resume():
            return False
        self._tell(since=since)
        return True

    def _save(self) -> None:
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
        self._saves += 1
        saved = self._outbox.save_lane_state(self._name, state, epoch=self._epoch)
        saved.add_done_callback(partial(self._note_saved, self._saves))

    def _note_saved(self, number: int, saved: asyncio.Future[None]) -> None:
        if not saved.cancelled() and saved.exception() is None:
            self._saved = max(self._saved, number)

    def _tell(self, *, since: datetime | None) -> None:
        """Say how the lane stands; `since` is when its trouble began, though it be over."""
        standing, reason = self.breaker.standing, self.breaker.reason
        level, event = LOGGED[standing]
        log(LOG, level, event, sink=self._name, reason=reason)
        self._on_incident(LaneStanding(self._name, standing.value, since, reason))


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

    def until(self, now: float, at: datetime, pause: float) -> datetime | None:
        """When something may be sent again, also after a `pause` of so many seconds; None where that is now."""
        wait = max(pause, self._until - now)
        return at + timedelta(seconds=wait) if wait > 0 else None

    def record(self, attempt: Attempt, now: float, at: datetime, *, probe: bool = False) -> bool:
        """Learn from an attempt; whether the standing changed, or what is known of it.

        Of a parked lane nothing more is learned: what answers now was sent before it was parked. Only a probe that is
        delivered says that its address is mended.
        """
        if self.standing is Standing.PARKED and not (probe and isinstance(attempt.outcome, Delivered)):
            return False
        match attempt.outcome:
            case Away(reason, after):
                self.failures += 1
                self._leave_alone(reason, self._backoff(self._ceiling) if after is None else _wait(after), now, at)
                return True
            case Limited(None, "sink"):
                self.failures += 1
                self._leave_alone(LIMITED, self._backoff(max(self._ceiling, LIMITED_CEILING)), now, at)
                return True
            case Gone(where="address"):
                return self.resume()
            case Gone(reason):
                self._close(Standing.PARKED, reason, at)
                return True
            case Delivered() | Limited() | Refused():
                return self.resume()
            case _:
                assert_never(attempt.outcome)

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

    def _leave_alone(self, reason: str, wait: float, now: float, at: datetime) -> None:
        """Be away for a while; of several that were on their way at once, the longest wait counts."""
        self._until = max(self._until, now + wait)
        self._close(Standing.AWAY, reason, at)

    def _close(self, standing: Standing, reason: str, at: datetime) -> None:
        if self.standing is Standing.OPEN:
            self.since = at
        self.standing, self.reason = standing, reason

    def _backoff(self, ceiling: float) -> float:
        return min(FIRST_WAIT * 2.0 ** min(self.failures - 1, 30), ceiling)


def _pause(attempt: Attempt) -> float:
    """Seconds for which a service that answered wants to be left alone."""
    match attempt.outcome:
        case Limited(where="address"):
            return 0.0
        case Limited(float() | int() as after):
            return max(_wait(after), attempt.pause)
        case _:
            return attempt.pause


def _wait(after: float) -> float:
    """The wait that a service asks for, as it is kept."""
    return max(after, SHORTEST_WAIT)
