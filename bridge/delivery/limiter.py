"""How fast a sink may be spoken to, alone and together with others that share a channel, a bot or an address.

Why not a library: those that are well kept (aiolimiter, limits, pyrate-limiter) each ask their own clock and know
only a configured rate. A lane needs four things in one place, with the time as an argument: the rates of its
settings, windows that several lanes share, the pause that a 429 or a header asks for, and what was sent before a
restart or on another replica.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bridge.outcome import Limit, Rate

#: Windows that are kept in the store, and go from process to process: shared ones, and those of a sink alone that are
#: not over at once. Large ones would cost too much.
KEPT_PERIOD, KEPT_COUNT = 5.0, 100


RESERVED_WAIT = 0.05  # seconds between two looks at a window of which all places are reserved


class RateWindow:
    """At most `count` in any `period` seconds. Times are monotonic seconds.

    A place is `reserved` before the send, and has a time as soon as the request is on the wire: the service counts from
    then on, and rendering and connecting take as long as they take.
    """

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.times = deque[float](maxlen=rate.count)
        self.reserved = 0

    def free_at(self, now: float) -> float:
        """When the next one is allowed."""
        over = len(self.times) + self.reserved - self.rate.count  # the send that has to be over by then
        if over < 0:
            return float("-inf")
        return self.times[over] + self.rate.period if over < len(self.times) else now + RESERVED_WAIT

    def add(self, times: Iterable[float]) -> None:
        """Count these."""
        self.times = deque(sorted([*self.times, *times]), maxlen=self.rate.count)

    def restore(self, times: Iterable[float]) -> None:
        """Count these too; where two say the same of one send, once."""
        known, new = Counter(round(at, 3) for at in self.times), []
        for at in times:
            if known[round(at, 3)] > 0:
                known[round(at, 3)] -= 1
            else:
                new.append(at)
        self.add(new)


class Slot:
    """A place in every window for a send that is allowed. `sent_at`: when its last request was on the wire."""

    def __init__(self, windows: Collection[RateWindow]) -> None:
        self.sent_at: float | None = None
        self._windows = windows
        for window in windows:
            window.reserved += 1

    def sent(self, now: float) -> None:
        """A request is on the wire. The first takes the place that is reserved; each one after it counts as well."""
        first = self.sent_at is None
        self.sent_at = now
        for window in self._windows:
            window.times.append(now)
            if first:
                window.reserved -= 1

    def close(self, now: float) -> float:
        """The attempt is over; when it was sent. What never said that it was on the wire counts from now on."""
        if self.sent_at is not None:
            return self.sent_at
        self.sent(now)
        return now

    def give_back(self) -> None:
        """Nothing was sent after all. Who has sent has nothing to give back."""
        if self.sent_at is None:
            for window in self._windows:
                window.reserved -= 1


class RateWindows:
    """The windows that lanes of this process share, by the scope of their limit."""

    def __init__(self) -> None:
        self._shared: dict[tuple[str, Rate], RateWindow] = {}

    def of(self, limit: Limit) -> RateWindow:
        """The window of a limit: one for all who name its scope, one of its own where it names none."""
        if not limit.scope:
            return RateWindow(limit.rate)
        return self._shared.setdefault((limit.scope, limit.rate), RateWindow(limit.rate))


class Limiter:
    """None before a pause is over, and no more than every one of the limits allows."""

    def __init__(self, limits: Sequence[Limit], windows: RateWindows | None = None) -> None:
        self._windows = windows or RateWindows()
        self._limits = {limit: self._windows.of(limit) for limit in limits}
        self._own = frozenset(limits)
        self._quiet_until = float("-inf")

    @property
    def learned(self) -> tuple[Limit, ...]:
        """The limits that are not in the settings."""
        return tuple(limit for limit in self._limits if limit not in self._own)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What is shared with sinks that other processes may carry."""
        return shared_scopes(self._limits)

    def learn(self, limits: Iterable[Limit], *, sent: float | None = None) -> bool:
        """Keep to these limits too; whether one was new. What others have sent counts, and the send that told of it."""
        new = [limit for limit in limits if limit not in self._limits]
        for limit in new:
            self._limits[limit] = self._windows.of(limit)
            if sent is not None and limit.sends:
                self._limits[limit].add([sent])
        return bool(new)

    def wait(self, now: float) -> float:
        """Seconds until the next send is allowed, 0.0 if it is now."""
        until = self._quiet_until
        for window in self._limits.values():
            until = max(until, window.free_at(now))
        return max(0.0, until - now)

    def reserve(self) -> Slot:
        """A place for a send that is allowed, until it is on the wire."""
        return Slot([window for limit, window in self._limits.items() if limit.sends])

    def spend(self, scopes: Iterable[str], now: float) -> None:
        """Count an answer against the limits that only some answers count against."""
        for scope in scopes:
            for limit, window in self._limits.items():
                if limit.scope == scope and not limit.sends:
                    window.times.append(now)

    def pause(self, seconds: float, now: float) -> None:
        """Allow no send for so long; a longer pause that is already on stays."""
        self._quiet_until = max(self._quiet_until, now + seconds)

    def paused(self, now: float) -> float:
        """Seconds that are left of the pause."""
        return max(0.0, self._quiet_until - now)

    @property
    def lasting(self) -> bool:
        """Whether something of it must outlive the process."""
        return any(map(_lasts, self._limits))

    def spent(self, now: float, wall: datetime) -> Mapping[str, Sequence[datetime]]:
        """What must outlive the process: scope → times of what counts against it, oldest first."""
        kept: dict[str, list[datetime]] = {}
        for limit, window in self._limits.items():
            if _lasts(limit):
                recent = [wall - timedelta(seconds=now - at) for at in window.times if at > now - limit.rate.period]
                kept[limit.scope] = max(kept.get(limit.scope, []), recent, key=len)
        return {scope: times for scope, times in kept.items() if times}

    def restore(
        self, spent: Mapping[str, Sequence[datetime]], now: float, wall: datetime, *, unrecorded: int = 0
    ) -> None:
        """Count what was sent before, and as many more as may have been sent and not written down.

        Of a window that is shared, every lane knows a part; and each may have had its own on their way. A window of a
        sink alone of which nothing was written is taken for empty: it may be as long as a day.
        """
        for limit, window in self._limits.items():
            times = spent.get(limit.scope, ())
            if _lasts(limit) and (times or limit.scope):
                ages = ((wall - at).total_seconds() for at in times)
                window.restore([now - max(0.0, age) for age in ages if age < limit.rate.period])
                window.add([now] * (unrecorded if limit.sends else 0))


def shared_scopes(limits: Iterable[Limit]) -> tuple[str, ...]:
    """What of these limits is shared with sinks that other processes may carry."""
    return tuple(limit.scope for limit in limits if _is_shared(limit))


def _is_shared(limit: Limit) -> bool:
    return bool(limit.scope) and not limit.scope.startswith("ip ")


def _lasts(limit: Limit) -> bool:
    return limit.rate.count <= KEPT_COUNT and (_is_shared(limit) or limit.rate.period >= KEPT_PERIOD)
