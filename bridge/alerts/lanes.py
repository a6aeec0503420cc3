"""Which of what happens to lanes is worth an alert: who is parked, away for long, or back, and what was given up.

Pure: times are arguments.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from bridge.incident import DeadLetter, LaneStanding

DEAD_EVERY = 600.0  # seconds between two alerts about dead letters of one sink for one reason
REASONS = 200  # that are told apart; what comes beyond is told of each sink as one
VARIOUS = "various reasons"


class LaneWatch:
    """What of the lanes is to be told, and has not been yet. `standings`: how each stands, as far as it was heard."""

    def __init__(self) -> None:
        self.standings: dict[str, str] = {}
        self._troubles: dict[str, LaneStanding] = {}
        self._over: dict[str, LaneStanding] = {}

    def hear(self, lane: LaneStanding) -> None:
        self.standings[lane.sink] = lane.standing
        if lane.standing == "open":
            self._troubles.pop(lane.sink, None)
            if lane.since is not None:
                self._over[lane.sink] = lane
        else:
            self._troubles[lane.sink] = lane

    def troubles(self, now: datetime, away_after: float) -> list[LaneStanding]:
        """Take out what is worth an alert now: a parked lane at once, one that is away after so many seconds."""
        due = [one for one in self._troubles.values() if _is_due(one, now, away_after)]
        for one in due:
            del self._troubles[one.sink]
        return due

    def over(self) -> list[LaneStanding]:
        """Take out the lanes whose trouble is over."""
        over, self._over = list(self._over.values()), {}
        return over


class DeadLetters:
    """Counts what is given up, by sink and reason, and says now and then how much that was. Bounded.

    Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._told: dict[tuple[str, str], float] = {}

    def hear(self, dead: DeadLetter) -> None:
        kind = (dead.sink, dead.reason)
        if kind not in self._counts and len(self._counts) >= REASONS:
            kind = (dead.sink, VARIOUS)
        self._counts[kind] += 1

    def due(self, now: float) -> Iterator[tuple[str, str, int]]:
        """Take out the sinks, reasons and counts that nothing was told of for a while."""
        self._told = {kind: told for kind, told in self._told.items() if now - told < DEAD_EVERY}
        for kind in [kind for kind in self._counts if kind not in self._told]:
            self._told[kind] = now
            yield *kind, self._counts.pop(kind)


def _is_due(lane: LaneStanding, now: datetime, away_after: float) -> bool:
    if lane.standing == "parked" or lane.since is None:
        return True
    return (now - lane.since).total_seconds() >= away_after
