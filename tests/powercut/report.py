"""What is known of a run: what was answered, what the sink took, when the power went, and what was left."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

LOOK = 0.2  # seconds, more than are between two looks at how the bridge does


@dataclass(frozen=True, slots=True)
class Answered:
    """An event that was answered 200. `mark`: panel.number, as `p3.17`. Times are monotonic seconds."""

    mark: str
    at: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that the sink took. `original`: what it was given of a field that is masked."""

    mark: str
    event: str
    at: float
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command has printed as done, at a moment; until another one begins to undo it.

    `new`: replays that it made. `cleared`: deliveries that are dealt with since, and how.
    """

    at: float
    new: tuple[int, ...] = ()
    cleared: Mapping[int, str | None] = field(default_factory=dict)
    until: float = math.inf


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery in the store, when all was over.

    `cleared`: how it was dealt with; `sealed`: whether its originals are kept.
    """

    id: int
    mark: str
    event: str
    state: str
    replay_of: int | None
    cleared: str | None = None
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Backup:
    """What must be in a backup that was done then."""

    marks: set[str]
    at: float


@dataclass
class Report:
    """What is known of a run.

    once         panels whose requests have an id
    printed      what commands have
    breaks       when the power went, a process was ended, or an fsync failed
    faults       what was found wrong on the way
    stood_still  moments, and the seconds that the bridge had waited for a processor, or for the machine, by then
    forgets      the bridge keeps nothing that is settled
    unmasks      the sink is given originals, and nobody else
    looks        how many disks were looked at besides
    loose        how many writes and names were at stake on all of them
    """

    answered: list[Answered] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)
    breaks: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    once: set[str] = field(default_factory=set)
    stood_still: list[tuple[float, float]] = field(default_factory=list)
    backup: Backup | None = None
    forgets: bool = False
    unmasks: bool = False
    looks: int = 0
    loose: int = 0
    log: str = ""

    def stood_still_between(self, start: float, end: float) -> float:
        """Seconds that the bridge waited for a processor: what a busy machine adds to whatever it does."""
        waited = [seconds for moment, seconds in self.stood_still if start - LOOK <= moment <= end + LOOK]
        return waited[-1] - waited[0] if waited else 0.0
