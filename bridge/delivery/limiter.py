"""How fast a sink may be spoken to.

Why not a library: those that are well kept (aiolimiter, limits, pyrate-limiter) each ask their own clock and know
only a configured rate. A lane needs three things in one place, with the time as an argument: the rates of its
settings, the pause that a 429 asks for, and the allowance that the service's headers announce.
"""

from collections import deque
from collections.abc import Sequence

from bridge.sinks.base import Rate


class Limiter:
    """At most `count` sends in any window of `period` seconds, for each rate; and none before a pause is over.

    Times are monotonic seconds.
    """

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._windows = [(rate.period, deque[float](maxlen=rate.count)) for rate in rates]
        self._quiet_until = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until the next send is allowed, 0.0 if it is now."""
        until = self._quiet_until
        for period, sent in self._windows:
            if len(sent) == sent.maxlen:
                until = max(until, sent[0] + period)
        return max(0.0, until - now)

    def sent(self, now: float) -> None:
        """Count a send."""
        for _, sent in self._windows:
            sent.append(now)

    def pause(self, seconds: float, now: float) -> None:
        """Allow no send for so long; a longer pause that is already on stays."""
        self._quiet_until = max(self._quiet_until, now + seconds)
