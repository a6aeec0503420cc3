"""What must be true of a run, whatever went wrong in it. Pure: records in, breaches out, as sentences.

Times are seconds since the beginning of the run.
"""

import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tests.chaos.plan import REPEATING, STORE, Fault, Plan

#: Sink → how many events may be on their way, or told and not yet recorded: two messages, of nine events in a digest.
ON_THE_WAY = {"shop": 2, "fast": 8, "flaky": 2, "spare": 2, "nodes": 2, "chat": 18, "group": 18}
AT_ONCE = {"fast": 8}
DIGESTED = ("chat", "group")  # what says the same in one of their messages is said once
#: Sink → who is told instead when it could not be.
INSTEAD = {"flaky": "spare"}
#: Sink → (requests, seconds) that its service allows.
LIMITS = {"chat": ((5, 2.0), (30, 60.0)), "group": ((1, 1.0), (20, 60.0))}
AWAY = (Fault.ERROR, Fault.RESET, Fault.GARBAGE, Fault.HANG, Fault.BUSY)
PROBES = 0.9  # seconds that are at least between two probes of a service that is away
JITTER = 0.25  # seconds by which a request may seem early: ours and the service's moments are not the same
STARTING = 15.0  # seconds in which a process that finds no store may end, and be started again
V = TypeVar("V")
K = TypeVar("K", bound=Hashable)
BUGS = ("Traceback", "delivery.bug", "never retrieved", "unforeseen", "Fatal Python")


@dataclass(frozen=True, slots=True)
class Promise:
    """An event that was answered 200, and the sinks that it is for. `mark`: subject.number, as `u03.17`."""

    mark: str
    sinks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """An event that a sink took; `lost`: the sink then failed to say so."""

    sink: str
    event: str
    mark: str
    at: float
    lost: bool = False


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
    """A delivery in the ledger, when all was over."""

    id: int
    event: str
    mark: str
    sink: str
    state: str
    reason: str | None = None


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


@dataclass
class Story:
    """All that is known of a run. `once`: marks whose repeats the panel marks as such. `resumed`: (sink, at).

    `late`: by how many seconds, at the most, the machine was late to wake us; requests seem early by as much.
    """

    plan: Plan
    promised: list[Promise] = field(default_factory=list)
    once: set[str] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    kept: list[StoredDelivery] = field(default_factory=list)
    resumed: list[tuple[str, float]] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    logs: dict[str, str] = field(default_factory=dict)
    late: float = 0.0


def breaches(story: Story) -> list[str]:
    """All that was not as it must be, none where all was well."""
    return [breach for law in LAWS for breach in law(story)]


def nothing_is_lost(story: Story) -> Iterator[str]:
    """What was answered 200 arrives at every sink of its rows, or is dead or held back with a reason.

    What a panel told twice, because the first answer was lost, says the same: a digest has it once, with ×2.
    """
    kept = _grouped(story.kept, lambda one: (one.mark, one.sink))
    told = {(one.event, one.sink) for one in story.told}
    for promise in story.promised:
        for sink in promise.sinks:
            rows = kept.get((promise.mark, sink), [])
            if not rows:
                yield f"{promise.mark} was answered 200, and is not kept for {sink}"
            for row in rows:
                as_one = sink in DIGESTED and any((other.event, sink) in told for other in rows)
                if row.state == "delivered" and (row.event, sink) not in told and not as_one:
                    yield f"{promise.mark} is delivered to {sink} by the ledger, and did not arrive (delivery {row.id})"
                elif row.state in ("dead", "held_back") and not row.reason:
                    yield f"{promise.mark} is {row.state} on {sink} without a reason (delivery {row.id})"


def nothing_waits_for_ever(story: Story) -> Iterator[str]:
    """When all is repaired, all is settled."""
    unsettled = [row for row in story.kept if row.state in ("pending", "waiting")]
    for (sink, state), rows in _grouped(unsettled, lambda row: (row.sink, row.state)).items():
        yield f"{len(rows)} still {state} for {sink}: deliveries {_some([row.id for row in rows])}"


def who_is_told_instead_is_told(story: Story) -> Iterator[str]:
    """What is dead on a sink with a fallback was for the fallback sink too."""
    kept = {(row.event, row.sink) for row in story.kept}
    for row in story.kept:
        fallback = INSTEAD.get(row.sink)
        if fallback and row.state == "dead" and (row.event, fallback) not in kept:
            yield f"{row.mark} is dead on {row.sink}, and {fallback} was not told (delivery {row.id})"


def what_is_taken_back_is_a_pair(story: Story) -> Iterator[str]:
    """What is held back was cancelled out by another that is held back too."""
    held = {row.id for row in story.kept if row.state == "held_back"}
    for row in story.kept:
        words = (row.reason or "").replace(",", "").split()
        if row.state == "held_back" and not any(word.isdigit() and int(word) in held for word in words):
            yield f"{row.mark} is held back on {row.sink} by none that is: {row.reason} (delivery {row.id})"


def order_holds(story: Story) -> Iterator[str]:
    """What is told about a subject is told in order; repeats come later, if they must."""
    seen: set[tuple[str, str]] = set()
    last: dict[tuple[str, str], Told] = {}
    for one in story.told:
        if (one.sink, one.mark) in seen:
            continue
        seen.add((one.sink, one.mark))
        subject, number = _read(one.mark)
        before = last.get((one.sink, subject))
        if before is not None and _read(before.mark)[1] > number:
            yield f"{one.sink} was told {before.mark} at {before.at:.2f} s, and {one.mark} only at {one.at:.2f} s"
        else:
            last[one.sink, subject] = one


def repeats_are_bounded(story: Story) -> Iterator[str]:
    """What is told twice was on its way when a process or the store broke, or the sink failed to say it took it."""
    broke = story.plan.counted(*REPEATING)
    for sink, told in _grouped(story.told, lambda one: one.sink).items():
        repeats = len(told) - len({one.event for one in told})
        lost = sum(one.lost for one in told)
        if repeats > (most := broke * ON_THE_WAY[sink] + lost):
            again = Counter(one.mark for one in told)
            twice = [mark for mark, count in again.items() if count > 1]
            yield f"{sink} was told {repeats} again, {most} would do ({broke} crashes, {lost} lost): {_some(twice)}"


def a_repeat_of_the_panel_is_told_once(story: Story) -> Iterator[str]:
    """A request that the panel sent again under the same id is one event."""
    events = _grouped(story.kept, lambda row: row.mark)
    for mark in sorted(story.once & events.keys()):
        if len(ids := {row.event for row in events[mark]}) > 1:
            yield f"{mark} was taken {len(ids)} times, as {_some(sorted(ids))}"


def limits_are_kept(story: Story) -> Iterator[str]:
    """No service gets more than it allows."""
    for sink, limits in LIMITS.items():
        times = sorted(one.at for one in story.asked if one.sink == sink)
        for count, period in limits:
            least = period - JITTER - story.late - (story.plan.skew if period > 5 else 0.0)
            for first, last in zip(times, times[count:], strict=False):
                if last - first < least:
                    yield f"{sink} got {count + 1} requests in {last - first:.2f} s, from {first:.2f} s on"


def waits_are_honoured(story: Story) -> Iterator[str]:
    """Who asks for a wait is left alone for so long."""
    for sink, asked in _grouped(story.asked, lambda one: one.sink).items():
        for wait in (one for one in asked if one.wait):
            room = JITTER + story.late
            begins, ends = wait.answered + room, wait.answered + wait.wait - room - story.plan.skew
            if early := [one.at for one in asked if begins < one.at < ends]:
                since = f"asked at {wait.answered:.2f} s for {wait.wait:g} s"
                yield f"{sink} {since}, and got a request at {early[0]:.2f} s"


def nobody_is_hammered(story: Story) -> Iterator[str]:
    """A service that is away is probed now and then; an address that is gone is left alone."""
    more = story.plan.counted(*REPEATING, Fault.TERM, Fault.CHANGE_SINK)  # each may send once more
    for step in story.plan.steps:
        if step.fault in AWAY and step.lasts > 2:
            got = _between(story, step.target, step.at + 1, step.ends)
            if got > (most := (step.lasts - 1) / PROBES + AT_ONCE.get(step.target, 1) + more):
                yield f"{step.target} was away from {step.at:g} s on, and got {got} requests where {most:.0f} would do"
        if step.fault is Fault.GONE:
            until = min(
                (at for sink, at in story.resumed if sink == step.target and at >= step.ends), default=step.ends
            )
            got = _between(story, step.target, step.at, until)
            if got > (most := AT_ONCE.get(step.target, 1) + more):
                yield f"{step.target} was gone from {step.at:g} s on, and got {got} requests where {most} would do"


def processes_end_well(story: Story) -> Iterator[str]:
    """SIGTERM ends a process with 0, at once while it starts; by itself ends only one that finds no store then."""
    faults = [step for step in story.plan.steps if step.fault in STORE[story.plan.store]]
    for end in story.exits:
        at_once = end.code == -signal.SIGTERM and not end.started
        if end.asked == "SIGTERM" and end.code != 0 and not at_once:
            yield f"{end.name} ended with {end.code} at SIGTERM, at {end.at:.1f} s"
        if end.asked is None:
            missing = any(step.at <= end.at <= step.ends + STARTING for step in faults)
            if end.lived > STARTING or end.code != 1 or not missing:
                yield f"{end.name} ended by itself with {end.code} at {end.at:.1f} s"


def the_door_answers_200_or_503(story: Story) -> Iterator[str]:
    """Nothing else is ever said to a panel that does nothing wrong."""
    for status, count in story.answers.items():
        if status not in (200, 503):
            yield f"the door answered {status} {count} times"


def logs_show_no_bug(story: Story) -> Iterator[str]:
    """No traceback in any log."""
    for name, log in story.logs.items():
        lines = log.splitlines()
        if found := [n for n, line in enumerate(lines) if any(word in line for word in BUGS)]:
            last = next((line for line in lines[found[0] + 1 :] if line[:1].strip()), "")
            first = lines[found[0]].strip()[:200]
            yield f"{name}, line {found[0] + 1}: {first} … {last.strip()[:200]} ({len(found)} such)"


LAWS: Sequence[Callable[[Story], Iterator[str]]] = (
    nothing_is_lost,
    nothing_waits_for_ever,
    who_is_told_instead_is_told,
    what_is_taken_back_is_a_pair,
    order_holds,
    repeats_are_bounded,
    a_repeat_of_the_panel_is_told_once,
    limits_are_kept,
    waits_are_honoured,
    nobody_is_hammered,
    processes_end_well,
    the_door_answers_200_or_503,
    logs_show_no_bug,
)


def _grouped(values: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for one in values:
        groups[key(one)].append(one)
    return groups


def _between(story: Story, sink: str, begin: float, end: float) -> int:
    return sum(one.sink == sink and begin < one.at < end for one in story.asked)


def _read(mark: str) -> tuple[str, int]:
    subject, _, number = mark.partition(".")
    return subject, int(number)


def _some(values: Sequence[object]) -> str:
    return ", ".join(map(str, values[:5])) + (" …" if len(values) > 5 else "")
