"""What this process has counted since it began: plain numbers in memory, for whoever asks.

One object for the process, as the log is one: whoever does something counts it there and then, and knows of nobody who
asks. It costs an addition; no library is on that way. All of it happens on the loop's thread but the store's commits,
which one thread counts that nobody else counts on.

What a sender chooses is bounded: so many types have a name of their own, what comes after them is `other`.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from bridge.intake import Intake
from bridge.outcome import Again, Dead, Done, Fate, HeldBack, Outcome
from bridge.vocabulary import TYPES

UNKNOWN = "unknown"  # the source of a request that names none of ours, the route of what is no request
OTHER = "other"  # the type of an event whose own has no name here
NAMED_TYPES, NAME_LENGTH = 200, 64  # types that have a name here, and its characters at the most
TAKEN = 200  # of whatever dialect: Discord's own answer is 204

#: Upper bounds, in seconds, and in writes of a commit.
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
ATTEMPT_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
DELAY_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
COMMIT_WRITES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)


class Histogram:
    """How many values were at most each of the `bounds`, which ascend; the last of `counts` is of those above all."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds, self.counts, self.sum = bounds, [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Histograms(dict[str, Histogram]):
    """One for each name, made when it is first asked for."""

    def __init__(self, bounds: Sequence[float]) -> None:
        super().__init__()
        self.bounds = bounds

    def __missing__(self, name: str) -> Histogram:
        self[name] = made = Histogram(self.bounds)
        return made


class Settled(StrEnum):
    """What may become of a delivery for good."""

    DELIVERED = "delivered"
    DEAD = "dead"
    HELD_BACK = "held_back"


class Counters:
    """The numbers, and what is added to them when something happens. Keys are names of the file and closed words."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.requests: defaultdict[tuple[str, int], int] = defaultdict(int)  # source, status
        self.request_seconds = Histograms(REQUEST_SECONDS)  # source
        self.events: defaultdict[tuple[str, str], int] = defaultdict(int)  # source, type
        self.redelivered: defaultdict[str, int] = defaultdict(int)  # source
        self.set_aside: defaultdict[str, int] = defaultdict(int)  # source
        self.unrouted: defaultdict[str, int] = defaultdict(int)  # source
        self.row_matches: defaultdict[str, int] = defaultdict(int)  # row
        self.row_failures: defaultdict[str, int] = defaultdict(int)  # row
        self.attempts: defaultdict[tuple[str, str], int] = defaultdict(int)  # sink, outcome
        self.attempt_seconds = Histograms(ATTEMPT_SECONDS)  # sink
        self.template_faults: defaultdict[str, int] = defaultdict(int)  # sink
        self.deliveries: defaultdict[tuple[str, str], int] = defaultdict(int)  # sink, Settled
        self.delay_seconds = Histograms(DELAY_SECONDS)  # sink
        self.fallbacks: defaultdict[tuple[str, str], int] = defaultdict(int)  # sink, the one it went to
        self.alerts: defaultdict[str, int] = defaultdict(int)  # type
        self.admin_requests: defaultdict[tuple[str, int], int] = defaultdict(int)  # route, status
        self.sign_ins: defaultdict[str, int] = defaultdict(int)  # what came of them
        self.config_applied, self.config_rejected = 0, 0
        self.config_in_force = True  # what stands in the file; not where it was rejected
        self.config_applied_at = 0.0  # seconds since 1970
        self.commit_seconds = {durable: Histogram(COMMIT_SECONDS) for durable in (True, False)}
        self.commit_writes = Histogram(COMMIT_WRITES)
        self._types = {name: name for name in TYPES}  # type → how it is counted

    def request_taken(self, source: str, seconds: float) -> None:
        """A request was taken, and answered after so long."""
        self.requests[source, TAKEN] += 1
        self.request_seconds[source].observe(seconds)

    def request_refused(self, source: str | None, status: int) -> None:
        """A request was not taken; None where it names no source of ours."""
        self.requests[source or UNKNOWN, status] += 1

    def admin_answered(self, route: str | None, status: int) -> None:
        """The admin side has answered; `route` is a pattern of its own, None where what came was no request."""
        self.admin_requests[route or UNKNOWN, status] += 1

    def events_taken(self, source: str, intake: Intake, repeated: Collection[str]) -> None:
        """A request's events are kept, but for those that are `repeated`, by their ids."""
        for routed in intake.routed:
            if repeated and routed.event.id in repeated:
                continue
            name = routed.event.type
            self.events[source, self._types.get(name) or self._named(name)] += 1
            for row in routed.decision.matched:
                self.row_matches[row] += 1
            for row, _ in routed.decision.failed:
                self.row_failures[row] += 1
            if not routed.destinations:
                self.unrouted[source] += 1
        if repeated:
            self.redelivered[source] += len(repeated)
        if intake.set_aside:
            self.set_aside[source] += len(intake.set_aside)

    def attempted(self, sink: str, outcome: Outcome, seconds: float, *, fault: bool) -> None:
        """A message was sent, or could not be; `fault`: its template failed."""
        self.attempts[sink, type(outcome).__name__.lower()] += 1
        self.attempt_seconds[sink].observe(seconds)
        if fault:
            self.template_faults[sink] += 1

    def settled(self, sink: str, fate: Fate, *, made_at: datetime, at: datetime) -> None:
        """What became of a delivery is recorded."""
        match fate:
            case Done():
                self.deliveries[sink, Settled.DELIVERED] += 1
                self.delay_seconds[sink].observe((at - made_at).total_seconds())
            case Dead():
                self.deliveries[sink, Settled.DEAD] += 1
            case HeldBack():
                self.deliveries[sink, Settled.HELD_BACK] += 1
            case Again():
                pass
            case never:
                assert_never(never)

    def committed(self, writes: int, seconds: float, *, durable: bool) -> None:
        """The store has committed so many writes at once; `durable`: they are on the disk."""
        self.commit_seconds[durable].observe(seconds)
        self.commit_writes.observe(writes)

    def config_applies(self, at: float) -> None:
        """What stands in the file is in force since then, in seconds since 1970."""
        self.config_applied += 1
        self.config_in_force, self.config_applied_at = True, at

    def config_is_rejected(self) -> None:
        """What stands in the file is wrong, and what stood there before in force."""
        self.config_rejected += 1
        self.config_in_force = False

    def _named(self, name: str) -> str:
        """A strange type as it is counted, from its first event on."""
        if len(self._types) >= NAMED_TYPES or len(name) > NAME_LENGTH or not name.isprintable():
            return OTHER
        self._types[name] = name
        return name


#: What this process has counted.
COUNTERS = Counters()
