"""What follows from an outcome: done, again later, or dead. Pure: the time and chance are arguments."""

from datetime import datetime, timedelta
from random import Random
from typing import assert_never

from bridge.outcome import Again, Away, Dead, Delivered, Done, Fate, Gone, Limited, Outcome, Refused
from bridge.sinks.base import Retry


class Policy:
    """A sink's way of trying again."""

    def __init__(self, retry: Retry, chance: Random) -> None:
        self._retry = retry
        self._chance = chance

    def fate(self, outcome: Outcome, *, attempt: int, since: datetime, now: datetime) -> Fate:
        """Decide after `attempt`, counted from 1, at a delivery made at `since`.

        A wait that the service asks for is honoured and costs no attempt, until the delivery is too old. Nor does an
        address that is gone.
        """
        match outcome:
            case Delivered(ref, note):
                return Done(note, ref)
            case Limited(after):
                return self._asked("rate limited", after, since, now)
            case Away(reason, after) if after is not None:
                return self._asked(reason, after, since, now)
            case Away(reason) if attempt <= self._retry.max_retries:
                return Again(now + timedelta(seconds=self._wait(attempt)), reason)
            case Away(reason):
                return Dead(f"{reason}; gave up after {attempt} attempts")
            case Refused(reason):
                return Dead(reason)
            case Gone(reason):  # the lane is parked, and this one goes first when it flows again
                return Again(now, f"the address is gone: {reason}", counts=False)
            case _:
                assert_never(outcome)

    def _asked(self, reason: str, after: float, since: datetime, now: datetime) -> Fate:
        age = (now - since).total_seconds()
        if age > self._retry.give_up:
            return Dead(f"{reason}; gave up after {age / 3600:.0f} hours of being asked to wait")
        return Again(now + timedelta(seconds=after), reason, counts=False)

    def _wait(self, attempt: int) -> float:
        waits = self._retry.waits
        wait = waits[min(attempt, len(waits)) - 1]
        return wait * (1 + self._retry.jitter * self._chance.uniform(-1, 1))
