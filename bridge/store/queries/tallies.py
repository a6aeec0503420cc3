"""Tallies: what happened, counted in the commit that makes it so: by the minute for two days, by the hour for as long
as the ledger is kept. What reports tell is counted by the quarter of an hour too, for as long as a month and the one
before it may be told of: a day begins at a full quarter of an hour of UTC in every zone, but not at a full hour
(Tehran's at 20:30).

A commit writes one row for each name and step, however many events it carries, and in one order, so that two of them
cannot be in each other's way.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bridge.foreign import name_of, object_at
from bridge.intake import Decision, Routed, SetAside
from bridge.outcome import Again, Dead, Done, Fate, HeldBack
from bridge.store.base import Delivery, Settlement
from bridge.store.compiled import read, write
from bridge.store.index_key import index_key
from bridge.store.schema import tallies
from bridge.vocabulary import OWN_SOURCE


class TallyKind(StrEnum):
    """What is counted, and by which name."""

    IN = "in"  # source: accepted, nowhere (of these, what went to no sink), redelivered
    OUT = "out"  # sink: delivered, dead, held_back; again (a try that others follow)
    TYPE = "type"  # type
    ROW = "row"  # row: matched; failed (its `when` could not be told)
    ASIDE = "aside"  # source
    OWNER = "owner"  # owner
    NODE = "node"  # node: down; nothing where it is another event of it


MINUTE, QUARTER, HOUR, DAY = 60, 900, 3600, 86400
KEEP_MINUTES = timedelta(hours=48)
KEEP_QUARTERS = timedelta(days=97)  # two months, 28 days until the last is told, and 7 that it may be late
MOST_TYPES = 200  # names of types that are told apart in a day: a panel may make up any number
MOST_OWNERS, MOST_NODES = 1000, 200  # likewise
OTHER = "other"
DOWN = "node.connection_lost"

#: By which steps each is counted.
STEPS = dict.fromkeys(TallyKind, (MINUTE, HOUR)) | {
    **dict.fromkeys((TallyKind.IN, TallyKind.OUT, TallyKind.TYPE), (MINUTE, QUARTER, HOUR)),
    **dict.fromkeys((TallyKind.OWNER, TallyKind.NODE), (QUARTER,)),
}
_KINDS = [(what, step) for what, steps in STEPS.items() for step in steps]
MOST = {TallyKind.TYPE: MOST_TYPES, TallyKind.OWNER: MOST_OWNERS, TallyKind.NODE: MOST_NODES}

#: What is counted, a second since 1970, the name, the detail.
TallyKey = tuple[TallyKind, int, str, str]
#: How many, milliseconds of all of them, milliseconds of the longest.
TallyCounts = tuple[int, int, int]
#: What is counted, the seconds of a step, and where the step begins.
Old = tuple[str, int, int]

_ADD = sa.text(
    "INSERT INTO tallies (what, step, at, name, detail, n, ms_sum, ms_max)"
    " VALUES (:what, :step, :at, :name, :detail, :n, :ms_sum, :ms_max)"
    " ON CONFLICT (what, step, at, name, detail) DO UPDATE SET n = tallies.n + excluded.n,"
    " ms_sum = tallies.ms_sum + excluded.ms_sum,"
    " ms_max = CASE WHEN excluded.ms_max > tallies.ms_max THEN excluded.ms_max ELSE tallies.ms_max END"
)
NAMES_OF_DAY = (
    sa.select(tallies.c.name)
    .where(tallies.c.what == sa.bindparam("what_"), tallies.c.step == sa.bindparam("step_"))
    .where(tallies.c.at >= sa.bindparam("since_"), tallies.c.at < sa.bindparam("until_"))
)


class TallyNames:
    """Under which names of a kind things are counted: their own, as long as a day has not too many of them."""

    def __init__(self, what: TallyKind) -> None:
        self._what, self._most, self._step = what, MOST[what], STEPS[what][-1]
        self._day, self._known = -1, set[str]()

    def name_of(self, connection: sa.Connection, name: str, at: int) -> str:
        """The name of what came then, in seconds since 1970."""
        day, key = at // DAY, index_key(name)
        if day != self._day:
            self._day, self._known = day, set()
        if key not in self._known:
            if len(self._known) < self._most:  # others count as well, and this began anew when it was started
                self._known |= self._counted(connection, day)
            if key not in self._known and len(self._known) >= self._most:
                return OTHER
            self._known.add(key)
        return name

    def _counted(self, connection: sa.Connection, day: int) -> set[str]:
        span = {"since_": day * DAY, "until_": (day + 1) * DAY}
        values = {"what_": self._what.value, "step_": self._step, **span}
        return {known for (known,) in read(connection, NAMES_OF_DAY, values)}


class CountedNames:
    """Under which names types, owners and nodes are counted."""

    def __init__(self) -> None:
        self._of = {what: TallyNames(what) for what in MOST}

    def name_of(self, connection: sa.Connection, what: TallyKind, name: str, at: int) -> str:
        return self._of[what].name_of(connection, name, at)


def counted_intake(
    connection: sa.Connection,
    names: CountedNames,
    new: Iterable[Routed],
    repeats: Iterable[SetAside],
    set_aside: Iterable[SetAside],
) -> dict[TallyKey, TallyCounts]:
    """Events that are put, what was repeated, and what could not be understood."""
    alike: Counter[tuple[int, str, str, Decision, bool]] = Counter()
    about: Counter[tuple[TallyKind, int, str, str]] = Counter()
    received_at, at = None, 0
    for one in new:
        event = one.event
        if event.received_at is not received_at:  # those of one request came at once
            received_at, at = event.received_at, minute_of(event.received_at)
        alike[at, event.source, event.type, one.decision, not one.destinations] += 1
        if event.source != OWN_SOURCE and (owner := name_of(event.data.get("owner"))):
            about[TallyKind.OWNER, at, owner, ""] += 1
        if node := name_of(object_at(event.data, "node").get("name")):
            about[TallyKind.NODE, at, node, "down" if event.type == DOWN else ""] += 1
    count: Counter[TallyKey] = Counter()
    for (at, source, type_, decision, nowhere), n in alike.items():
        count[TallyKind.IN, at, source, "accepted"] += n
        if nowhere:
            count[TallyKind.IN, at, source, "nowhere"] += n
        count[TallyKind.TYPE, at, names.name_of(connection, TallyKind.TYPE, type_, at), ""] += n
        for row in decision.matched:
            count[TallyKind.ROW, at, row, "matched"] += n
        for row, _ in decision.failed:
            count[TallyKind.ROW, at, row, "failed"] += n
    for (what, at, name, detail), n in about.items():
        count[what, at, names.name_of(connection, what, name, at), detail] += n
    for element in repeats:
        count[TallyKind.IN, minute_of(element.received_at), element.source, "redelivered"] += 1
    for element in set_aside:
        count[TallyKind.ASIDE, minute_of(element.received_at), element.source, ""] += 1
    return {key: (n, 0, 0) for key, n in count.items()}


def counted_muted(held: Iterable[Delivery]) -> dict[TallyKey, TallyCounts]:
    """What is held back as it is put."""
    count = Counter((TallyKind.OUT, minute_of(one.made_at), one.sink, "held_back") for one in held)
    return {key: (n, 0, 0) for key, n in count.items()}


def counted_settlements(settlements: Iterable[Settlement]) -> Mapping[TallyKey, TallyCounts]:
    """What became of deliveries; what is put off without a try is not counted."""
    took: defaultdict[TallyKey, list[int]] = defaultdict(list)
    for one in settlements:
        if detail := _detail(one.fate, tried=one.ms is not None):
            took[TallyKind.OUT, minute_of(one.at), one.delivery.sink, detail].append(round(one.ms or 0))
    return {key: (len(each), sum(each), max(each)) for key, each in took.items()}


def _detail(fate: Fate, *, tried: bool) -> str | None:
    match fate:
        case Done():
            return "delivered"
        case Dead():
            return "dead"
        case HeldBack():
            return "held_back"
        case Again():
            return "again" if tried else None


def add_tallies(connection: sa.Connection, counted: Mapping[TallyKey, TallyCounts]) -> None:
    """Add what was counted by the minute, to each of its steps."""
    steps: dict[tuple[int, TallyKey], TallyCounts] = {}
    for (what, at, name, detail), tally in counted.items():
        for step in STEPS[what]:
            key = step, (what, at - at % step, name, detail)
            steps[key] = _together(steps[key], tally) if key in steps else tally
    rows = [_row(step, key, tally) for (step, key), tally in sorted(steps.items())]
    if rows:
        write(connection, _ADD, rows)


def _row(step: int, key: TallyKey, tally: TallyCounts) -> dict[str, Any]:
    what, at, name, detail = key
    n, ms_sum, ms_max = tally
    return {
        "what": what.value,
        "step": step,
        "at": at,
        "name": index_key(name),
        "detail": detail,
        "n": n,
        "ms_sum": ms_sum,
        "ms_max": ms_max,
    }


def _together(one: TallyCounts, other: TallyCounts) -> TallyCounts:
    return one[0] + other[0], one[1] + other[1], max(one[2], other[2])


def minute_of(when: datetime) -> int:
    """The beginning of its minute, in seconds since 1970."""
    second = int(when.timestamp())
    return second - second % MINUTE


def old_tallies(connection: sa.Connection, *, before: datetime, now: datetime, limit: int) -> list[Old]:
    """What may be forgotten of what was over before then, up to `limit`: of each kind the oldest first."""
    kept = {MINUTE: max(before, now - KEEP_MINUTES), QUARTER: max(before, now - KEEP_QUARTERS), HOUR: before}
    found: list[Old] = []
    for kind, step in _KINDS:
        old = (
            sa.select(tallies.c.what, tallies.c.step, tallies.c.at)
            .where(tallies.c.what == kind.value, tallies.c.step == step)
            .where(tallies.c.at <= int(kept[step].timestamp()) - step)
            .distinct()
            .order_by(tallies.c.at)
            .limit(limit)
        )
        found += [(name, length, at) for name, length, at in connection.execute(old)]
    return found[:limit]


def delete_old(old: Sequence[Old]) -> sa.Delete:
    return sa.delete(tallies).where(sa.tuple_(tallies.c.what, tallies.c.step, tallies.c.at).in_(old))
