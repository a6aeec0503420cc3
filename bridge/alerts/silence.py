"""Which sources have fallen silent, and which are back: judged by what the store has kept of them.

Why the store: events come in at every replica, and a silence outlives the process that noticed it. Whoever looks finds
the same last event, and what is told of it has a key that is made of it (`alert.py`). Taking an event costs no more.

A look goes through what has come since the look before, the first one as far back as it must.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from bridge.alerts.alert import Alert, source_heard, source_silent
from bridge.clock import Clock
from bridge.settings import SilentAfter
from bridge.store.base import Outbox

WEEK = 7 * 86400.0  # seconds that the usual gap is found in
GAPS = 6  # usual gaps that are a silence
SHORTEST = 3600.0  # seconds that are one at the least, where it is found
#: Times of a source that are kept. Of so many within a week half of the gaps are shorter than a sixth of `SHORTEST`:
#: what came before them changes nothing.
KEPT = int(2 * WEEK / (SHORTEST / GAPS)) + 2
PAGE, PAUSE = 1000, 0.02  # events that are looked at in one go, seconds until the next ones
OVERLAP = timedelta(seconds=15)  # in which an event may be committed after a later one
CRASHED = timedelta(hours=1)  # before the start: what happened since then may not have been told
GRACE = 900.0  # seconds after the start in which a panel may tell what it kept while the bridge was away
LOOK = 30.0  # seconds between two looks, fewer where a silence is short
#: Source → when it spoke, in order.
Times = Mapping[str, Sequence[datetime]]


def usual_silence(times: Sequence[datetime], now: datetime) -> float | None:
    """Seconds without an event that are a silence, by when the last ones came, the oldest first; None where nobody can
    tell yet."""
    week = [at for at in times if at >= now - timedelta(seconds=WEEK)]
    gaps = [(after - before).total_seconds() for before, after in pairwise(week)]
    return max(SHORTEST, GAPS * median(gaps)) if gaps else None


@dataclass(slots=True)
class _Watched:
    """What is known of a source: when its last events came, the oldest first, and whether it is known to be silent."""

    limit: SilentAfter
    times: list[datetime] = field(default_factory=list)
    found: bool = False  # its past was looked for
    silent: bool = False

    def seconds(self, now: datetime) -> float | None:
        """What is a silence; None where nobody can tell yet."""
        if not isinstance(self.limit, str):
            return self.limit
        return usual_silence(self.times, now)


class SilenceWatch:
    """Looks which of the sources are silent."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._started = clock.now()
        self._looked = self._started
        self._next_look = float("-inf")
        self._sources: dict[str, _Watched] = {}

    def watch(self, limits: Mapping[str, SilentAfter]) -> None:
        """From now on, these sources; what is known of one that was watched before stays."""
        self._sources = {name: self._sources.get(name) or _Watched(limit) for name, limit in limits.items()}
        for name, limit in limits.items():
            self._sources[name].limit = limit
        self._next_look = float("-inf")

    async def look(self) -> list[Alert]:
        """What is to be told now; nothing where it is not yet time to look."""
        if not self._sources or self._clock.monotonic() < self._next_look:
            return []
        now = self._clock.now()
        new = {name: one for name, one in self._sources.items() if not one.found}
        known = {name: one for name, one in self._sources.items() if one.found}
        past = await self._past(new, now) if new else {}
        since = await self._since_last_look(known) if known else {}
        # nothing counts before all of it was found: a store that is away is asked for all of it again
        alerts = [alert for name, times in since.items() for alert in self._spoke(name, known[name], times)]
        for name, times in past.items():
            new[name].found = True
            alerts += self._spoke(name, new[name], times, past=True)
        self._looked = now
        self._next_look = self._clock.monotonic() + self.often
        return alerts + [alert for name, one in self._sources.items() if (alert := self._judged(name, one, now))]

    @property
    def often(self) -> float:
        """Seconds between two looks."""
        now = self._clock.now()
        return min((LOOK, *((one.seconds(now) or SHORTEST) / 4 for one in self._sources.values())))

    async def _past(self, sources: Mapping[str, _Watched], now: datetime) -> Times:
        """When these spoke last: what is back since the process before ended is told."""
        found: dict[str, list[datetime]] = {name: [] for name in sources}
        before, settled = None, self._started - CRASHED
        week = now - timedelta(seconds=WEEK)
        while page := await self._outbox.arrivals(before=before, since=None, limit=PAGE):
            before = page[-1].id
            for arrival in page:
                if arrival.source in found:
                    _keep(found[arrival.source], arrival.at)
            oldest = page[-1].at
            if all(times and times[-1] <= settled and _reaches(sources[name], times, oldest, week)
                   for name, times in found.items()):  # fmt: skip
                break
            await self._clock.sleep(PAUSE)
        return _in_order(found)

    async def _since_last_look(self, sources: Mapping[str, _Watched]) -> Times:
        """When these have spoken since the last look."""
        found: dict[str, list[datetime]] = {name: [] for name in sources}
        before, since = None, self._looked - OVERLAP
        while page := await self._outbox.arrivals(before=before, since=since, limit=PAGE):
            before = page[-1].id
            for arrival in page:
                if arrival.source in found:
                    _keep(found[arrival.source], arrival.at)
            await self._clock.sleep(PAUSE)
        return _in_order(found)

    def _spoke(self, name: str, one: _Watched, times: Sequence[datetime], *, past: bool = False) -> list[Alert]:
        """Take into account that a source has spoken at these times; what is to be told of it."""
        alerts = []
        for at in times:
            if one.times and at <= one.times[-1]:
                continue
            last = one.times[-1] if one.times else None
            limit = one.seconds(at)
            recent = not past or at > self._started - CRASHED
            if last is not None and recent and (one.silent or (limit and (at - last).total_seconds() >= limit)):
                alerts.append(source_heard(name, last, at))
            one.silent = False
            one.times.append(at)
        del one.times[:-KEPT]
        return alerts

    def _judged(self, name: str, one: _Watched, now: datetime) -> Alert | None:
        """What is to be told of a source that has not spoken for too long."""
        limit = one.seconds(now)
        if limit is None or not one.times or one.silent:
            return None
        running = (now - self._started).total_seconds()
        silent = (now - one.times[-1]).total_seconds()
        if silent < limit or running < min(limit, GRACE):
            return None
        one.silent = True
        return source_silent(name, one.times[-1], now)


def _keep(times: list[datetime], at: datetime) -> None:
    """Keep a time, later ones before it: the latest, and in any case the oldest."""
    if len(times) < KEPT:
        times.append(at)
    else:
        times[-1] = at


def _in_order(found: Mapping[str, Sequence[datetime]]) -> Times:
    return {name: sorted(set(times)) for name, times in found.items()}


def _reaches(one: _Watched, times: list[datetime], oldest: datetime, week: datetime) -> bool:
    """Whether so much of the past is enough to tell what is a silence."""
    return not isinstance(one.limit, str) or oldest < week or len(times) >= KEPT
