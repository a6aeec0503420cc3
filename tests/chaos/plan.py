"""What will go wrong, and when: a plan is made whole beforehand, and the same seed makes the same plan. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Literal

Store = Literal["sqlite", "postgresql"]

WEBHOOKS = ("shop", "fast", "flaky", "nodes", "night")
CHATS = ("chat", "group", "board")
FIRST = 2.0  # seconds in which nothing goes wrong yet
BETWEEN = (0.4, 1.8)  # seconds from one fault to the next
REST = 1.0  # seconds that a target is whole before it goes wrong again


class Fault(StrEnum):
    KILL = "kill -9, started again later"
    TERM = "SIGTERM, started again later"
    FREEZE = "SIGSTOP, then SIGCONT"
    CLOCK = "its clock is set wrong, then right again"
    STEP = "the clock of its machine is set far on or back, then right again"
    STOP_STORE = "PostgreSQL stops in order, then starts"
    CRASH_STORE = "PostgreSQL crashes, then starts"
    FREEZE_STORE = "PostgreSQL is frozen, then thawed"
    FILL_DISK = "the store's disk is full"
    LOCK_STORE = "another process holds the store's lock"
    TAKE_STORE = "a file of the store is taken away, or another is in its place; then it is put back"
    DELETE_STORE = "the store is deleted; then a new one is begun"
    RELOAD = "the file changes in what does not matter, SIGHUP"
    CHANGE_SINK = "the file changes a sink's settings, SIGHUP"
    QUIET = "the file sets quiet hours, SIGHUP"
    REPLAY = "is told again what is dead, and what it took last"
    SCRIBBLE = "strangers send what is no HTTP, or nobody's request"
    DAWDLE = "strangers begin requests and do not end them"
    ERROR = "answers 500"
    BUSY = "answers 503 with Retry-After"
    LIMIT = "answers 429 with Retry-After"
    BUSY_ZERO = "answers 503 with Retry-After: 0"
    LIMIT_ZERO = "answers 429 with Retry-After: 0"
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
    Fault.STEP: (2.0, 6.0),
    Fault.STOP_STORE: (0.0, 5.0),
    Fault.CRASH_STORE: (0.0, 5.0),
    Fault.FREEZE_STORE: (1.0, 12.0),
    Fault.FILL_DISK: (1.0, 5.0),
    Fault.LOCK_STORE: (1.0, 9.0),
    Fault.TAKE_STORE: (1.5, 5.0),
    Fault.DELETE_STORE: (1.5, 3.0),
    Fault.RELOAD: (0.0, 0.0),
    Fault.CHANGE_SINK: (0.0, 0.0),
    Fault.QUIET: (6.0, 10.0),
    Fault.REPLAY: (0.0, 0.0),
    Fault.SCRIBBLE: (1.0, 4.0),
    Fault.DAWDLE: (1.0, 6.0),
    Fault.ERROR: (0.5, 6.0),
    Fault.BUSY: (0.5, 4.0),
    Fault.LIMIT: (0.2, 3.0),
    Fault.BUSY_ZERO: (0.5, 4.0),
    Fault.LIMIT_ZERO: (0.5, 3.0),
    Fault.RESET: (0.5, 5.0),
    Fault.HANG: (1.0, 6.0),
    Fault.GARBAGE: (0.5, 5.0),
    Fault.LOSE: (0.2, 3.0),
    Fault.REFUSE: (0.2, 2.0),
    Fault.GONE: (1.0, 5.0),
}
PROCESS = (Fault.KILL, Fault.TERM, Fault.FREEZE, Fault.CLOCK, Fault.STEP)
FILE = (Fault.RELOAD, Fault.CHANGE_SINK, Fault.QUIET)
DOOR = (Fault.SCRIBBLE, Fault.DAWDLE)
SINK = (*list(Fault)[list(Fault).index(Fault.ERROR) :],)
STORE: dict[Store, tuple[Fault, ...]] = {
    "sqlite": (Fault.FILL_DISK, Fault.LOCK_STORE, Fault.TAKE_STORE, Fault.DELETE_STORE),
    "postgresql": (Fault.STOP_STORE, Fault.CRASH_STORE, Fault.FREEZE_STORE),
}
#: Faults in which nothing else may happen to the process: one that starts where the store is not makes a new one.
WHOLE = (Fault.TAKE_STORE, Fault.DELETE_STORE)
#: Faults after which what was on its way may be sent again.
REPEATING = (
    *(Fault.KILL, Fault.FREEZE, Fault.STOP_STORE, Fault.CRASH_STORE),
    *(Fault.FREEZE_STORE, Fault.DELETE_STORE),
)
SKEW = 2.0  # seconds by which a clock may be wrong
STEPPED = 30.0  # and by which it may be stepped
QUIET_MODES = ("hold", "drop", "silent")
STORE_FILES = ("", "-wal", "-shm", ".lock")
LONG = 1200.0  # seconds: in a longer run panels post more slowly, so that what is known of it keeps its size


@dataclass(frozen=True, slots=True)
class Step:
    """One fault: `at` so many seconds after the beginning, for so many; `by` how many, or which, where that matters."""

    at: float
    fault: Fault
    target: str
    lasts: float
    by: float = 0.0

    @property
    def ends(self) -> float:
        return self.at + self.lasts

    def __str__(self) -> str:
        by = f" ({self.by:+g})" if self.by else ""
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
    def slower(self) -> float:
        """By how much more slowly panels post."""
        return max(1.0, self.seconds / LONG)


def a_plan(
    seed: int, *, seconds: float, store: Store, replicas: int = 1, without: Collection[Fault] = frozenset()
) -> Plan:
    """Every kind of fault in turn, as a shuffled deck of cards, dealt again when it is through.

    Nothing goes wrong twice at once with the same target, and all is repaired when the time is over.
    `without`: what cannot be made to happen here.
    """
    chance = Random(f"{seed} {store} {replicas}")
    steps: list[Step] = []
    free: dict[str, float] = {}  # target → when it is whole again
    at = FIRST
    for fault in _deck(chance, store, without):
        at = round(at + chance.uniform(*BETWEEN), 1)
        lasts = round(chance.uniform(*LASTS[fault]), 1)
        if at + lasts > seconds:
            if at > seconds:
                break
            continue
        also = _touched(fault, replicas)
        whole = [target for target in _targets(fault, replicas) if free.get(target, 0.0) <= at]
        if whole and all(free.get(target, 0.0) <= at for target in also):
            step = Step(at, fault, chance.choice(whole), lasts, _by(fault, chance))
            steps.append(step)
            free |= dict.fromkeys((step.target, *also), step.ends + REST)
    return Plan(seed, seconds, store, replicas, steps)


def touched(step: Step, replicas: int) -> Collection[str]:
    """What nothing else may happen to meanwhile."""
    return {step.target, *_touched(step.fault, replicas)}


def _touched(fault: Fault, replicas: int) -> Sequence[str]:
    return _targets(Fault.KILL, replicas) if fault in WHOLE else ()


def _deck(chance: Random, store: Store, without: Collection[Fault]) -> Iterator[Fault]:
    cards = [one for one in (*PROCESS, *FILE, *DOOR, Fault.REPLAY, *SINK, *STORE[store]) if one not in without]
    while True:
        yield from chance.sample(cards, len(cards))


def _targets(fault: Fault, replicas: int) -> Sequence[str]:
    if fault in PROCESS:
        return [f"replica {number}" for number in range(1, replicas + 1)]
    if fault in (Fault.REFUSE, Fault.REPLAY):  # a chat would be told each event by itself, which takes a minute
        return WEBHOOKS
    if fault in SINK:
        return (*WEBHOOKS, *CHATS)
    if fault in DOOR:
        return ["door"]
    return ["file"] if fault in FILE else ["store"]


def _by(fault: Fault, chance: Random) -> float:
    match fault:
        case Fault.CLOCK:
            return round(chance.choice((-1, 1)) * chance.uniform(0.5, SKEW), 1)
        case Fault.STEP:
            return round(chance.choice((-1, 1)) * chance.uniform(SKEW, STEPPED), 1)
        case Fault.BUSY | Fault.LIMIT:
            return 1.0 + chance.randrange(3)
        case Fault.TAKE_STORE:
            return 1.0 + chance.randrange(2 * len(STORE_FILES))
        case Fault.QUIET:
            return 1.0 + chance.randrange(len(QUIET_MODES))
        case _:
            return 0.0
