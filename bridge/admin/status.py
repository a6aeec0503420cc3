"""Whether it works, and what needs somebody: what the first page and `status` say."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.admin.shapes import DeadGroup, EventBrief, Lane, Shape
from bridge.store.base import Standing
from bridge.store.queries.gauges import LaneGauge

if TYPE_CHECKING:
    from bridge.admin.silence import Silence
    from bridge.admin.state import Rejected
    from bridge.admin.trouble import StoreTrouble

BEHIND = timedelta(minutes=10)  # that what could be sent may wait, before somebody is told
MOST_NEEDS = 5


class Situation(StrEnum):
    """The first that holds."""

    STORE_FAILS = "store_fails"  # nothing can be taken in
    BROKEN_FILE = "broken_file"  # the file on disk is wrong, the one before is in force
    NEEDS_YOU = "needs_you"  # a lane is parked, or something was given up
    AWAY = "away"  # a service does not answer, something waits too long, a source is silent, or the store has failed
    NO_SOURCE = "no_source"  # nothing can come in
    NO_EVENT = "no_event"  # nothing has come in yet
    WORKS = "works"


class NeedKind(StrEnum):
    """What needs somebody, the worst first."""

    STORE = "store"
    BROKEN_FILE = "broken_file"
    PARKED = "parked"
    DEAD = "dead"
    AWAY = "away"
    BEHIND = "behind"
    SILENT = "silent"


class Need(Shape):
    """One thing that needs somebody.

    evidence  in the words of the service or of the store, or the first mistake of the file
    count     messages that wait for it or were given up, mistakes, or requests that were answered 503
    line      of the first mistake
    group     the dead letters that are meant
    limit     seconds after which the source is silent; `usual` where they were found out, and not in the file
    is_over   whether the store has taken something since
    """

    kind: NeedKind
    sink: str | None = None
    source: str | None = None
    service: str | None = None
    evidence: str | None = None
    count: int = 0
    since: datetime | None = None
    until: datetime | None = None
    line: int | None = None
    group: DeadGroup | None = None
    limit: float | None = None
    usual: bool = False
    is_over: bool = False


class Status(Shape):
    """How the bridge fares.

    needs    what needs somebody, the worst first; `more_needs` follow that are not among them, of `more_kinds`
    waiting  messages that are not told yet, and since when the oldest of them
    dead     messages that were given up and nobody has dealt with
    latest   the newest events
    """

    verdict: Situation
    needs: tuple[Need, ...]
    more_needs: int
    more_kinds: tuple[NeedKind, ...] = ()
    last_event: datetime | None
    waiting: int
    oldest: datetime | None
    dead: int
    sinks: tuple[Lane, ...]
    latest: tuple[EventBrief, ...]

    @property
    def things(self) -> int:
        """How many things need somebody."""
        return len(self.needs) + self.more_needs


def status_of(
    lanes: Sequence[Lane],
    gauges: Mapping[str, LaneGauge],
    groups: Sequence[DeadGroup],
    latest: Sequence[EventBrief],
    *,
    sources: int,
    rejected: "Rejected | None",
    trouble: "StoreTrouble | None" = None,
    silent: "Sequence[Silence]" = (),
    now: datetime,
) -> Status:
    """What follows from what is known; `sources`: how many the file names."""
    needs = [
        *_store_needs(trouble),
        *_file_needs(rejected),
        *_parked(lanes),
        *_dead(groups, lanes),
        *_away(lanes),
        *_behind(lanes, gauges, now),
        *_silent(silent),
    ]
    waiting = [one for one in lanes if one.pending + one.waiting]
    return Status(
        verdict=_verdict(needs, latest, sources=sources),
        needs=tuple(needs[:MOST_NEEDS]),
        more_needs=max(0, len(needs) - MOST_NEEDS),
        more_kinds=tuple(dict.fromkeys(one.kind for one in needs[MOST_NEEDS:])),
        last_event=latest[0].received_at if latest else None,
        waiting=sum(one.pending + one.waiting for one in waiting),
        oldest=min((one.oldest for one in waiting if one.oldest is not None), default=None),
        dead=sum(one.dead for one in lanes),
        sinks=tuple(lanes),
        latest=tuple(latest),
    )


def _verdict(needs: Sequence[Need], latest: Sequence[EventBrief], *, sources: int) -> Situation:
    kinds = {one.kind for one in needs}
    if any(one.kind is NeedKind.STORE and not one.is_over for one in needs):
        return Situation.STORE_FAILS
    if NeedKind.BROKEN_FILE in kinds:
        return Situation.BROKEN_FILE
    if kinds & {NeedKind.PARKED, NeedKind.DEAD}:
        return Situation.NEEDS_YOU
    if kinds:
        return Situation.AWAY
    if not sources:
        return Situation.NO_SOURCE
    return Situation.WORKS if latest else Situation.NO_EVENT


def _store_needs(trouble: "StoreTrouble | None") -> Iterator[Need]:
    if trouble is not None:
        yield Need(
            kind=NeedKind.STORE,
            evidence=trouble.reason.removeprefix("store: "),
            count=trouble.refused,
            since=trouble.since,
            is_over=trouble.is_over,
        )


def _file_needs(rejected: "Rejected | None") -> Iterator[Need]:
    if rejected is not None:
        first = next(iter(rejected.mistakes), None)
        yield Need(
            kind=NeedKind.BROKEN_FILE,
            evidence=first.text if first else None,
            line=first.line if first else None,
            count=len(rejected.mistakes),
            since=rejected.at,
        )


def _parked(lanes: Sequence[Lane]) -> Iterator[Need]:
    return (_lane_need(NeedKind.PARKED, one) for one in lanes if one.enabled and one.standing is Standing.PARKED)


def _away(lanes: Sequence[Lane]) -> Iterator[Need]:
    return (_lane_need(NeedKind.AWAY, one) for one in lanes if one.enabled and one.standing is Standing.AWAY)


def _lane_need(kind: NeedKind, lane: Lane) -> Need:
    return Need(
        kind=kind,
        sink=lane.sink,
        service=lane.service,
        evidence=lane.reason,
        count=lane.pending + lane.waiting,
        since=lane.since,
        until=lane.until,
    )


def _dead(groups: Sequence[DeadGroup], lanes: Sequence[Lane]) -> Iterator[Need]:
    services = {one.sink: one.service for one in lanes}
    for one in groups:
        yield Need(
            kind=NeedKind.DEAD,
            sink=one.sink,
            service=services.get(one.sink),
            evidence=one.reason,
            count=one.count,
            since=one.since,
            until=one.until,
            group=one,
        )


def _behind(lanes: Sequence[Lane], gauges: Mapping[str, LaneGauge], now: datetime) -> Iterator[Need]:
    """Lanes that flow, and have what could be sent wait all the same."""
    for one in lanes:
        oldest = gauges[one.sink].oldest if one.sink in gauges else None
        limited = one.until is not None and one.until > now
        flows = one.enabled and one.standing is Standing.OPEN and not limited
        if flows and oldest is not None and now - oldest > BEHIND:
            yield Need(
                kind=NeedKind.BEHIND,
                sink=one.sink,
                service=one.service,
                count=one.pending + one.waiting,
                since=oldest,
            )


def _silent(silent: "Sequence[Silence]") -> Iterator[Need]:
    for one in silent:
        yield Need(kind=NeedKind.SILENT, source=one.source, since=one.since, limit=one.limit, usual=one.usual)
