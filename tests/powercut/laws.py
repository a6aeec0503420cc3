"""What must hold after a power cut. Pure: a report in, breaches out, as sentences."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

from tests.powercut.report import Arrival, Kept, Printed, Report

SETTLED_WITHIN = 1.0  # seconds until it is on the disk what became of a delivery
ON_THE_WAY = 0.5  # seconds from the sink to the record, and for the fsync
BUGS = ("Traceback", "delivery.bug", "never retrieved", "unforeseen", "Fatal Python", "malformed")


@dataclass(frozen=True, slots=True)
class Muting(Printed):
    """That a command has printed of these subjects that they are muted, or told of again; while it runs and has printed
    nothing, `at` is infinite, and either may be so.
    """

    mutes: Mapping[str, bool] = field(default_factory=dict)


def breaches(report: Report) -> list[str]:
    """All that was not as it must be."""
    return [breach for law in LAWS for breach in law(report)]


def nothing_is_broken(report: Report) -> Iterator[str]:
    yield from report.faults
    yield from (f"the log says: {bug}" for bug in BUGS if bug in report.log)


def nothing_is_lost(report: Report) -> Iterator[str]:
    """What was answered 200 is kept, and arrives or is dead."""
    kept, arrived = {one.mark: one.state for one in report.kept}, {one.mark for one in report.arrivals}
    for one in report.answered:
        if one.mark not in kept and not report.forgets:
            yield f"{one.mark} was answered 200, and is not kept"
        elif one.mark not in arrived and kept.get(one.mark) not in ("dead", *_held(report, one.mark)):
            yield f"{one.mark} was answered 200, and did not arrive"


def what_a_command_printed_is_done(report: Report) -> Iterator[str]:
    yield from undone(report, report.kept, math.inf)


def undone(report: Report, kept: Sequence[Kept], moment: float) -> Iterator[str]:
    """What a command had printed as done before that moment, and is not so in what is kept."""
    replays = {one.id for one in kept if one.replay_of is not None}
    cleared = {one.id: one.cleared for one in kept}
    for printed in (one for one in report.printed if one.at < moment <= one.until):
        yield from (f"delivery {id_} was replayed, and is not kept" for id_ in printed.new if id_ not in replays)
        for id_, how in printed.cleared.items():
            if cleared.get(id_) != how:
                yield f"delivery {id_} was said to be {how or 'there again'}, and is {cleared.get(id_) or 'not'}"


def unmuted(report: Report, muted: Set[str], moment: float) -> Iterator[str]:
    """What a command had printed of a mute before that moment, and is not so where these are muted."""
    for printed in (one for one in report.printed if one.at < moment <= one.until):
        for subject, is_muted in printed.mutes.items() if isinstance(printed, Muting) else ():
            if is_muted and subject not in muted:
                yield f"{subject} was said to be muted, and is not"
            elif not is_muted and subject in muted:
                yield f"{subject} was said to be told of again, and is muted"


def a_mute_takes_what_comes_after_it(report: Report) -> Iterator[str]:
    """And one that was ended nothing any more: the last event of each panel is posted when all is over."""
    kept, last = {one.mark: one.state for one in report.kept}, {_panel(one.mark): one.mark for one in report.answered}
    said = {subject: one for one in report.printed if isinstance(one, Muting) for subject in one.mutes}
    for subject, one in said.items():
        mark = last.get(subject.removeprefix("user:"))
        if mark is None or one.at == math.inf:
            continue
        expected = "held_back" if one.mutes[subject] else "delivered"
        if kept.get(mark) != expected:
            yield f"{mark} was to be {expected}, and is {kept.get(mark)}"


def _held(report: Report, mark: str) -> tuple[str, ...]:
    """How an event may be kept beside, that a mute may have taken."""
    subjects = {subject for one in report.printed if isinstance(one, Muting) for subject in one.mutes}
    return ("held_back",) if f"user:{_panel(mark)}" in subjects else ()


def _panel(mark: str) -> str:
    return mark.split(".")[0]


def originals_arrive_and_are_forgotten(report: Report) -> Iterator[str]:
    """Who may have originals gets them, but with a replay, whose originals are gone; none is kept after that."""
    replayed = _replayed(report)
    for one in report.arrivals if report.unmasks else ():
        if one.original != original_of(one.mark) and one.event not in replayed:
            yield f"{one.mark} arrived with {one.original} in place of its original"
    yield from (f"the originals of delivery {one.id} are still kept" for one in report.kept if one.sealed)


def original_of(mark: str) -> str:
    """What a panel says in a field that is masked."""
    return f"original-of-{mark}"


def nothing_waits(report: Report) -> Iterator[str]:
    for one in report.kept:
        if one.state in ("pending", "waiting"):
            yield f"{one.mark} is still {one.state} (delivery {one.id})"


def only_the_last_second_is_told_again(report: Report) -> Iterator[str]:
    """What arrives again had arrived within a second before the power went."""
    by_event: dict[str, list[Arrival]] = defaultdict(list)
    for one in report.arrivals:
        by_event[one.event].append(one)
    replayed = _replayed(report)
    for event, arrivals in by_event.items():
        for before, again in pairwise(arrivals if event not in replayed else ()):
            breaks = [moment for moment in report.breaks if before.at <= moment <= again.at]
            if not breaks:
                yield f"{before.mark} arrived twice, and the power did not go in between"
            elif is_overdue(report, before, breaks[0]):
                yield f"{before.mark} arrived {breaks[0] - before.at:.1f} s before the power went, and again after it"


def is_overdue(report: Report, arrival: Arrival, moment: float) -> bool:
    """Whether it must be on the disk that this has arrived, if the power goes at that moment."""
    passed = moment - arrival.at - report.stood_still_between(arrival.at, moment)
    return passed > SETTLED_WITHIN + ON_THE_WAY


def order_holds(report: Report) -> Iterator[str]:
    """What a panel told about its subject arrives in order; repeats come later, if they must, and replays do."""
    seen: set[str] = set()
    last: dict[str, int] = defaultdict(int)
    replayed = _replayed(report)
    for one in report.arrivals:
        if one.event in replayed:
            continue
        panel, number = one.mark.split(".")
        if one.mark not in seen and int(number) < last[panel]:
            yield f"{one.mark} arrived after {panel}.{last[panel]}"
        last[panel] = max(last[panel], int(number))
        seen.add(one.mark)


def what_has_an_id_is_kept_once(report: Report) -> Iterator[str]:
    """What a panel told again because the power went is known again by the id of its request."""
    events: dict[str, set[str]] = defaultdict(set)
    for one in report.kept:
        events[one.mark].add(one.event)
    for mark, known in events.items():
        if mark.split(".")[0] in report.once and len(known) > 1:
            yield f"{mark} has an id, and was kept {len(known)} times"


def _replayed(report: Report) -> set[str]:
    """The events that were sent again by a command."""
    return {one.event for one in report.kept if one.replay_of is not None}


LAWS = (
    nothing_is_broken,
    nothing_is_lost,
    what_a_command_printed_is_done,
    a_mute_takes_what_comes_after_it,
    originals_arrive_and_are_forgotten,
    nothing_waits,
    only_the_last_second_is_told_again,
    order_holds,
    what_has_an_id_is_kept_once,
)
