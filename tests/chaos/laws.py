"""What must be true of a run, whatever went wrong in it. Pure: records in, breaches out, as sentences.

Times are seconds since the beginning of the run.
"""

import signal
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from tests.chaos.log import BUGS
from tests.chaos.plan import FILE, QUIET_MODES, REPEATING, STORE, WHOLE, Fault, Step
from tests.chaos.story import Story, Told

#: Sink → how many events may be on their way, or told and not yet recorded: two messages, of nine events in a digest.
ON_THE_WAY = {"shop": 2, "fast": 8, "flaky": 2, "spare": 2, "nodes": 2, "night": 2} | {
    "chat": 18,
    "group": 18,
    "board": 2,
}
AT_ONCE = {"fast": 8}
DIGESTED = ("chat", "group")  # what says the same in one of their messages is said once
#: Sink → who is told instead when it could not be.
INSTEAD = {"flaky": "spare"}
#: Sink → (requests, seconds) that its service allows.
LIMITS = {"chat": ((5, 2.0), (30, 60.0)), "group": ((1, 1.0), (20, 60.0)), "board": ((1, 1.0),)}
AWAY = (Fault.ERROR, Fault.RESET, Fault.GARBAGE, Fault.HANG, Fault.BUSY, Fault.BUSY_ZERO, Fault.LIMIT_ZERO)
PROBES = 0.9  # seconds that are at least between two probes of a service that is away
JITTER = 0.25  # seconds by which a request may seem early: ours and the service's moments are not the same
DROP = 1.0 + QUIET_MODES.index("drop")
NOTICED = 1.0  # seconds after which a store that is not there takes nothing
FINISHING = 3.0  # seconds in which what was being sent is finished: longer than any sink waits for an answer
STARTING = 15.0  # seconds that a process may look for a store, and those for which the store itself takes to start
SETTLED = 20.0  # seconds in which lanes that were dealt anew, and processes that were started again, are at work
V = TypeVar("V")
K = TypeVar("K", bound=Hashable)


def breaches(story: Story) -> list[str]:
    """All that was not as it must be, none where all was well."""
    return [breach for law in LAWS for breach in law(story)]


def nothing_is_lost(story: Story) -> Iterator[str]:
    """What was answered 200 arrives at every sink of its rows, or is dead or held back with a reason.

    What a panel told twice, because the first answer was lost, says the same: a digest has it once, with ×2. What was
    answered while its store was being deleted is gone with it.
    """
    kept = _grouped(story.kept, lambda one: (one.mark, one.sink))
    told = {(one.event, one.sink, one.replay) for one in story.told}
    for promise in story.promised:
        for sink in promise.sinks:
            rows = kept.get((promise.mark, sink), [])
            deleted = any(one.meets(promise.asked - NOTICED, promise.answered) for one in story.deleted)
            if not rows and not deleted:
                yield f"{promise.mark} was answered 200, and is not kept for {sink}"
            for row in rows:
                replay = row.replay_of is not None
                as_one = sink in DIGESTED and any((other.event, sink, replay) in told for other in rows)
                if row.state == "delivered" and (row.event, sink, replay) not in told and not as_one:
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
    """What is held back was cancelled out by another that is held back too, or fell into hours that drop it."""
    held = {(row.store, row.id) for row in story.kept if row.state == "held_back"}
    drops = any(step.fault is Fault.QUIET and step.by == DROP for step in story.steps)
    for row in story.kept:
        words = (row.reason or "").replace(",", "").split()
        dropped = drops and row.sink == "night" and row.reason == "quiet hours"
        is_pair = any(word.isdigit() and (row.store, int(word)) in held for word in words)
        if row.state == "held_back" and not is_pair and not dropped:
            yield f"{row.mark} is held back on {row.sink} by none that is: {row.reason} (delivery {row.id})"


def quiet_hours_are_kept(story: Story) -> Iterator[str]:
    """While they are in force, nobody is woken; what was being sent when they began is finished."""
    for hours in (one for one in story.quiet if one.what != "silent"):
        begins = hours.began + FINISHING + story.late(hours.began, hours.ended)
        ends = hours.ended - JITTER - story.late(hours.began, hours.ended) - story.skew(begins, hours.ended)
        if woken := [one.at for one in story.asked if one.sink == "night" and begins < one.at < ends]:
            yield f"night got a request at {woken[0]:.2f} s, in quiet hours that were in force from {begins:.2f} s on"


def what_is_replayed_is_sent_again(story: Story) -> Iterator[str]:
    """What a replay said that it made is there, and remembers what it repeats."""
    known = {(row.store, row.id) for row in story.kept if row.replay_of is not None}
    for store, number in story.replayed:
        if (store, number) not in known:
            yield f"delivery {number} was said to be a replay, and is none"


def order_holds(story: Story) -> Iterator[str]:
    """What is told about a subject is told in order; repeats come later, if they must, and so does what is replayed."""
    seen: set[tuple[str, str]] = set()
    last: dict[tuple[str, str], Told] = {}
    for one in story.told:
        if one.replay or (one.sink, one.mark) in seen:
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
    broke = story.counted(*REPEATING) + _ended_without_store(story)
    for sink, told in _grouped(story.told, lambda one: one.sink).items():
        lost = sum(one.lost for one in told)
        again = repeated(story, sink)
        if (repeats := again.total()) > (most := broke * ON_THE_WAY[sink] + lost):
            yield f"{sink} was told {repeats} again, {most} would do ({broke} crashes, {lost} lost): {_some([*again])}"


def repeated(story: Story, sink: str) -> Counter[str]:
    """What a sink was told more often than it should have been, by the event's mark, and how often."""
    told = Counter((one.event, one.mark) for one in story.told if one.sink == sink)
    replays = Counter(row.event for row in story.kept if row.sink == sink and row.replay_of is not None)
    again = {mark: count - 1 - replays[event] for (event, mark), count in told.items()}
    return Counter({mark: more for mark, more in again.items() if more > 0})


def _ended_without_store(story: Story) -> int:
    """How many processes ended in order while the store was away: what they sent could not be recorded."""
    away = [step for step in story.steps if step.fault in STORE[story.plan.store]]
    ended = [step for step in story.steps if step.fault is Fault.TERM]
    return sum(any(one.at - STARTING <= end.at <= one.ends + STARTING for one in away) for end in ended)


def a_repeat_of_the_panel_is_told_once(story: Story) -> Iterator[str]:
    """A request that the panel sent again under the same id is one event."""
    events = _grouped(story.kept, lambda row: (row.store, row.mark))
    for store, mark in sorted(events):
        if mark in story.once and len(ids := {row.event for row in events[store, mark]}) > 1:
            yield f"{mark} was taken {len(ids)} times, as {_some(sorted(ids))}"


def limits_are_kept(story: Story) -> Iterator[str]:
    """No service gets more than it allows; what it got is not known to a store that was made anew."""
    for sink, limits in LIMITS.items():
        times = sorted(one.at for one in story.asked if one.sink == sink)
        for count, period in limits:
            for first, last in zip(times, times[count:], strict=False):
                if last - first >= period - JITTER or any(one.meets(first, last) for one in story.anew):
                    continue
                skew = story.skew(first, last) if period > 5 else 0.0
                if last - first < period - JITTER - story.late(first, last) - skew:
                    yield f"{sink} got {count + 1} requests in {last - first:.2f} s, from {first:.2f} s on"


def waits_are_honoured(story: Story) -> Iterator[str]:
    """Who asks for a wait is left alone for so long."""
    for sink, asked in _grouped(story.asked, lambda one: one.sink).items():
        asked.sort(key=lambda one: one.at)
        times = [one.at for one in asked]
        for wait in (one for one in asked if one.wait):
            until = wait.answered + wait.wait
            room = JITTER + story.late(wait.at, until)
            begins, ends = wait.answered + room, until - room - story.skew(wait.at, until)
            early = times[bisect_right(times, begins) : bisect_left(times, ends)]
            if early and not any(one.meets(wait.answered, early[0]) for one in story.anew):
                since = f"asked at {wait.answered:.2f} s for {wait.wait:g} s"
                yield f"{sink} {since}, and got a request at {early[0]:.2f} s"


def nobody_is_hammered(story: Story) -> Iterator[str]:
    """A service that is away is probed now and then; an address that is gone is left alone."""
    for step in story.steps:
        more = _may_send_once_more(story, step)
        if step.fault in AWAY and step.lasts > 2:
            got = _between(story, step.target, step.at + 1, step.ends)
            if got > (most := (step.lasts - 1) / PROBES + AT_ONCE.get(step.target, 1) + more):
                yield f"{step.target} was away from {step.at:g} s on, and got {got} requests where {most:.0f} would do"
        if step.fault is Fault.GONE:
            until = _gone_until(story, step)
            got = _between(story, step.target, step.at, until)
            if got > (most := AT_ONCE.get(step.target, 1) + more):
                yield f"{step.target} was gone from {step.at:g} s on, and got {got} requests where {most} would do"


def _gone_until(story: Story, step: Step) -> float:
    """When someone resumed the lane that found its address gone; what no lane found out ends by itself, and what it had
    found out may be forgotten where a process or the store broke."""
    broke = any(
        one.fault in (*REPEATING, *WHOLE) and one.at < step.ends + SETTLED and step.at < one.ends for one in story.steps
    )
    if broke or not _between(story, step.target, step.at, step.ends):
        return step.ends
    resumed = (at for sink, at in story.resumed if sink == step.target and at >= step.ends)
    return min(resumed, default=step.ends)


def _may_send_once_more(story: Story, step: Step) -> int:
    """How many times a lane may have begun anew about the time of a step, and sends once to see how things are."""
    anew = (*REPEATING, *WHOLE, Fault.TERM, *FILE)
    return sum(
        one.fault in anew and one.at < step.ends + SETTLED and step.at - SETTLED < one.ends for one in story.steps
    )


def processes_end_well(story: Story) -> Iterator[str]:
    """SIGTERM ends a process with 0, at once while it starts; by itself ends only one that finds no store."""
    faults = [step for step in story.steps if step.fault in STORE[story.plan.store]]
    for end in story.exits:
        at_once = end.code == -signal.SIGTERM and not end.started
        if end.asked == "SIGTERM" and end.code != 0 and not at_once:
            yield f"{end.name} ended with {end.code} at SIGTERM, at {end.at:.1f} s"
        if end.asked is None:
            began = end.at - end.lived
            missing = any(began <= step.ends + STARTING and step.at <= end.at for step in faults)
            if end.started or end.code != 1 or not missing:
                yield f"{end.name} ended by itself with {end.code} at {end.at:.1f} s"


def a_store_that_is_taken_away_takes_nothing(story: Story) -> Iterator[str]:
    """While a file of it is not where it belongs, nothing is answered 200; the log says why, and when it is back."""
    for period in story.absent:
        begins = period.began + NOTICED
        if early := [one.mark for one in story.promised if begins < one.asked and one.answered < period.ended]:
            yield f"{period.what} was away from {period.began:.2f} s on, and {_some(early)} answered 200"
    for at, what in story.unsaid:
        yield f"{what} from {at:.2f} s on, and no log says so"


def strangers_are_refused(story: Story) -> Iterator[str]:
    """Whoever proves nothing is refused, or not answered: 0."""
    for status, count in story.strangers.items():
        if status and not 400 <= status < 500 and status != 503:
            yield f"strangers were answered {status} {count} times"


def it_goes_on(story: Story) -> Iterator[str]:
    """However slow the machine, something moves."""
    if story.standstill:
        yield story.standstill


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
    quiet_hours_are_kept,
    what_is_replayed_is_sent_again,
    order_holds,
    repeats_are_bounded,
    a_repeat_of_the_panel_is_told_once,
    limits_are_kept,
    waits_are_honoured,
    nobody_is_hammered,
    processes_end_well,
    a_store_that_is_taken_away_takes_nothing,
    strangers_are_refused,
    it_goes_on,
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
