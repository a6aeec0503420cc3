"""What is known of a run: records that its parts write while it goes on, and that the laws read.

Times are seconds since its beginning.
"""

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.plan import Fault, Plan, Step

REMEMBERED = 60.0  # seconds after which what was written by a wrong clock matters no more: the longest of the limits
NOTICED = 0.1  # seconds: less is no delay of the machine


@dataclass(frozen=True, slots=True)
class Promise:
    """An event that was answered 200, and the sinks that it is for. `mark`: subject.number, as `u03.17`.

    `asked`, `answered`: when the request that was answered so began, and ended.
    """

    mark: str
    sinks: tuple[str, ...]
    asked: float = 0.0
    answered: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """An event that a sink took; `lost`: the sink then failed to say so. `replay`: it was said to be one."""

    sink: str
    event: str
    mark: str
    at: float
    lost: bool = False
    replay: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a sink got, and its answer: 0 where it was cut. `wait`: seconds of its Retry-After."""

    sink: str
    at: float
    status: int
    answered: float
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery in the ledger, when all was over, or its store was about to be deleted: `forgotten`, if it waited.

    `store`: how many stores were deleted before this one, whose numbers begin anew.
    """

    id: int
    event: str
    mark: str
    sink: str
    state: str
    reason: str | None = None
    replay_of: int | None = None
    store: int = 0


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of a process that lived for so long; `asked` is the signal that it got, None where it had none.

    `started`: whether it had come so far as to take events.
    """

    name: str
    at: float
    lived: float
    code: int
    asked: str | None
    started: bool = True


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when something was so. `what`: which."""

    began: float
    ended: float
    what: str = ""

    def meets(self, begin: float, end: float) -> bool:
        return begin < self.ended and self.began < end


@dataclass
class Story:
    """All that is known of a run.

    steps     what went wrong, and when it really did: a busy machine is late
    once      marks whose repeats the panel marks as such
    resumed   (sink, at)
    replayed  (store, the number of the new delivery), of all that a `replay` said was done
    spared    what was planned and did not go wrong, because what it is for was not whole again
    absent    when files of the store were not where they belong
    unsaid    (since when, what), of what became of these files and no log said
    deleted   from when on the store was looked at for the last time, until it was deleted
    anew      from when a store was deleted until a process had a new one
    quiet     when the quiet hours of a sink were in force, and how they were meant
    said      how often the logs had which record
    delays    when the machine was late to wake us, and by how much; requests may seem early by as much
    """

    plan: Plan
    steps: list[Step] = field(default_factory=list)
    promised: list[Promise] = field(default_factory=list)
    once: set[str] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    kept: list[StoredDelivery] = field(default_factory=list)
    resumed: list[tuple[str, float]] = field(default_factory=list)
    replayed: list[tuple[int, int]] = field(default_factory=list)
    spared: list[Step] = field(default_factory=list)
    absent: list[Period] = field(default_factory=list)
    unsaid: list[tuple[float, str]] = field(default_factory=list)
    deleted: list[Period] = field(default_factory=list)
    anew: list[Period] = field(default_factory=list)
    quiet: list[Period] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    strangers: Counter[int] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    logs: dict[str, str] = field(default_factory=dict)
    delays: list[tuple[float, float]] = field(default_factory=list)
    standstill: str | None = None

    def late(self, begin: float, end: float) -> float:
        """Seconds by which the machine was late, at the most, between these moments."""
        return max((by for at, by in self.delays if begin - by <= at <= end + by), default=0.0)

    def woken(self, at: float, late: float) -> None:
        """Note how late the machine was to wake us."""
        if late > NOTICED:
            self.delays.append((at, late))

    def counted(self, *faults: Fault) -> int:
        return sum(step.fault in faults for step in self.steps)

    def skew(self, begin: float, end: float) -> float:
        """How far two clocks may be apart, or one from itself, in what is remembered between these moments."""
        wrong = (step for step in self.steps if step.fault in (Fault.CLOCK, Fault.STEP))
        return max((abs(step.by) for step in wrong if step.at < end and begin < step.ends + REMEMBERED), default=0.0)

    @property
    def progress(self) -> tuple[int, ...]:
        """Another one when something was told or taken."""
        return len(self.promised), len(self.told), len(self.exits)
