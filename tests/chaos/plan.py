"""What will go wrong, and when: a plan is made whole beforehand, and the same seed makes the same plan. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Literal

Store = Literal["sqlite", "postgresql"]

WEBHOOKS = ("shop", "fast", "flaky", "nodes")
CHATS = ("chat", "group")
FIRST = 2.0  # seconds in which nothing goes wrong yet
BETWEEN = (0.4, 1.8)  # seconds from one fault to the next


class Fault(StrEnum):
    KILL = "kill -9, started again later"
    TERM = "SIGTERM, started again later"
    FREEZE = "SIGSTOP, then SIGCONT"
    CLOCK = "its clock is set wrong, then right again"
    STOP_STORE = "PostgreSQL stops in order, then starts"
    CRASH_STORE = "PostgreSQL crashes, then starts"
    FILL_DISK = "the store's disk is full"
    RELOAD = "the file changes in what does not matter, SIGHUP"
    CHANGE_SINK = "the file changes a sink's settings, SIGHUP"
    ERROR = "answers 500"
    BUSY = "answers 503 with Retry-After"
    LIMIT = "answers 429 with Retry-After"
    RESET = "resets the connection"
    HANG = "does not answer in time"
    GARBAGE = "answers what is no HTTP"
    LOSE = "takes it, then cuts the connection"
    REFUSE = "answers 400"
    GONE = "answers that the address is gone, until someone resumes the lane"


#: Fault → how long it may last, in seconds.
LASTS = {
    Fault.KILL: (0.0, 5.0),
    Fault.TERM: (0.0, 5.0),
    Fault.FREEZE: (1.0, 10.0),
    Fault.CLOCK: (2.0, 6.0),
    Fault.STOP_STORE: (0.0, 5.0),
    Fault.CRASH_STORE: (0.0, 5.0),
    Fault.FILL_DISK: (1.0, 5.0),
    Fault.RELOAD: (0.0, 0.0),
    Fault.CHANGE_SINK: (0.0, 0.0),
    Fault.ERROR: (0.5, 6.0),
    Fault.BUSY: (0.5, 4.0),
    Fault.LIMIT: (0.2, 3.0),
    Fault.RESET: (0.5, 5.0),
    Fault.HANG: (1.0, 6.0),
    Fault.GARBAGE: (0.5, 5.0),
    Fault.LOSE: (0.2, 3.0),
    Fault.REFUSE: (0.2, 2.0),
    Fault.GONE: (1.0, 5.0),
}
PROCESS = (Fault.KILL, Fault.TERM, Fault.FREEZE, Fault.CLOCK)
FILE = (Fault.RELOAD, Fault.CHANGE_SINK)
SINK = (*list(Fault)[list(Fault).index(Fault.ERROR) :],)
STORE: dict[Store, tuple[Fault, ...]] = {
    "sqlite": (Fault.FILL_DISK,),
    "postgresql": (Fault.STOP_STORE, Fault.CRASH_STORE),
}
#: Faults after which what was on its way may be sent again.
REPEATING = (Fault.KILL, Fault.FREEZE, Fault.STOP_STORE, Fault.CRASH_STORE)
SKEW = 2.0  # seconds by which a clock may be wrong


@dataclass(frozen=True, slots=True)
class Step:
    """One fault: `at` so many seconds after the beginning, for so many seconds; `by` how many, where that matters."""

    at: float
    fault: Fault
    target: str
    lasts: float
    by: float = 0.0

    @property
    def ends(self) -> float:
        return self.at + self.lasts

    def __str__(self) -> str:
        by = f" by {self.by:+.1f} s" if self.by else ""
        return f"{self.at:7.1f} s  {self.target:10}  {self.fault}{by}" + (f", {self.lasts:.1f} s" if self.lasts else "")


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    seconds: float
    store: Store
    replicas: int
    steps: Sequence[Step]

    def __str__(self) -> str:
        head = f"seed {self.seed}: {self.seconds:g} s on {self.store}, {self.replicas} replica(s)"
        return "\n".join([head, *map(str, self.steps)])

    def counted(self, *faults: Fault) -> int:
        return sum(step.fault in faults for step in self.steps)

    @property
    def skew(self) -> float:
        """How far two clocks may be apart, or one from itself."""
        return max((abs(step.by) for step in self.steps), default=0.0)


def a_plan(seed: int, *, seconds: float, store: Store, replicas: int = 1, disk: bool = True) -> Plan:
    """Every kind of fault in turn, as a shuffled deck of cards, dealt again when it is through.

    Nothing goes wrong twice at once with the same target, and all is repaired when the time is over.
    `disk`: whether a full one can be made here.
    """
    chance = Random(f"{seed} {store} {replicas}")
    steps: list[Step] = []
    free: dict[str, float] = {}  # target → when it is whole again
    at = FIRST
    for fault in _deck(chance, store, disk):
        at = round(at + chance.uniform(*BETWEEN), 1)
        lasts = round(chance.uniform(*LASTS[fault]), 1)
        if at + lasts > seconds:
            if at > seconds:
                break
            continue
        whole = [target for target in _targets(fault, replicas) if free.get(target, 0.0) <= at]
        if whole:
            step = Step(at, fault, chance.choice(whole), lasts, _by(fault, chance))
            steps.append(step)
            free[step.target] = step.ends + 1.0
    return Plan(seed, seconds, store, replicas, steps)


def _deck(chance: Random, store: Store, disk: bool) -> Iterator[Fault]:
    cards = [*PROCESS, *FILE, *SINK, *(fault for fault in STORE[store] if disk or fault is not Fault.FILL_DISK)]
    while True:
        yield from chance.sample(cards, len(cards))


def _targets(fault: Fault, replicas: int) -> Sequence[str]:
    if fault in PROCESS:
        return [f"replica {number}" for number in range(1, replicas + 1)]
    if fault is Fault.REFUSE:  # a chat would be told each event of a digest by itself, which takes a minute
        return WEBHOOKS
    if fault in SINK:
        return (*WEBHOOKS, *CHATS)
    return ["file"] if fault in FILE else ["store"]


def _by(fault: Fault, chance: Random) -> float:
    if fault is Fault.CLOCK:
        return round(chance.choice((-1, 1)) * chance.uniform(0.5, SKEW), 1)
    return 1.0 + chance.randrange(3) if fault in (Fault.BUSY, Fault.LIMIT) else 0.0
