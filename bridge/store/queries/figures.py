"""Figures: what happened in spans of time that begin and end with quarters of an hour. What a look costs is bounded."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bridge.figures import Collected, Figures, GivenUp, SinkFigures, TimeSpan
from bridge.people.announcement import ANNOUNCEMENT
from bridge.store.queries.dead import dead_groups
from bridge.store.queries.tallies import QUARTER, TallyKind
from bridge.store.rows import lowest_event_id
from bridge.store.schema import events, tallies
from bridge.vocabulary import OWN_FAMILY, OWN_SOURCE

MOST_LOOKED_AT = 50_000  # events of which the busiest users are found, the newest of the span
MOST_USERS = 10
MOST_DEAD = 5
USER = "user:"

#: What is counted, the detail, the name.
EventCounts = Counter[tuple[str, str, str]]

_TOLD = (TallyKind.IN, TallyKind.OUT, TallyKind.TYPE, TallyKind.OWNER, TallyKind.NODE)
_t = tallies.c
_accepted = sa.and_(_t.what == TallyKind.IN.value, _t.step == QUARTER, _t.detail == "accepted", _t.name != OWN_SOURCE)


def collected(
    connection: sa.Connection,
    spans: Sequence[TimeSpan],
    parts: Sequence[TimeSpan] = (),
    counts: Sequence[EventCounts] | None = None,
) -> Collected:
    """What a report on the first of these spans tells, and what it compares that with; how many events in each part.

    counts: of each span, where they were added up already
    """
    counts = [counted(connection, span) for span in spans] if counts is None else counts
    first, since = spans[0], counted_since(connection)
    users, cut = _busiest(connection, first)
    dead = Counter[tuple[str, str]]()
    for one in dead_groups(connection):
        dead[one.sink, one.reason] += one.count
    return Collected(
        figures=[_figures(count, span, since) for count, span in zip(counts, spans, strict=True)],
        users=users,
        cut=cut,
        heard=_last_events(connection, first[1]),
        dead=[GivenUp(sink, reason, number) for (sink, reason), number in dead.most_common(MOST_DEAD)],
        bars=_bars(connection, parts) if parts else (),
    )


def _bars(connection: sa.Connection, parts: Sequence[TimeSpan]) -> list[int]:
    """How many events were taken in in each of these parts, which lie side by side."""
    begins = [int(begin.timestamp()) for begin, _ in parts]
    number = sa.func.sum(_t.n)
    counted = sa.select(_t.at, number).where(_accepted, _t.at >= begins[0], _t.at < int(parts[-1][1].timestamp()))
    bars = [0] * len(parts)
    for at, n in connection.execute(counted.group_by(_t.at)):
        bars[bisect_right(begins, at) - 1] += int(n)
    return bars


def days_of(span: TimeSpan) -> Iterator[TimeSpan]:
    """A span in pieces of a day at most: what adds up a month piece by piece holds up nobody else."""
    begin, end = span
    while begin < end:
        piece = min(begin + timedelta(days=1), end)
        yield begin, piece
        begin = piece


def counted(connection: sa.Connection, span: TimeSpan) -> EventCounts:
    """How often what happened in a span."""
    begins, ends = (int(one.timestamp()) for one in span)
    found = (
        sa.select(_t.what, _t.detail, _t.name, sa.func.sum(_t.n))
        .where(_t.what.in_([one.value for one in _TOLD]), _t.step == QUARTER, _t.at >= begins, _t.at < ends)
        .where(_t.name != OWN_SOURCE)
        .group_by(_t.what, _t.name, _t.detail)
    )
    return Counter({(what, detail, name): int(n) for what, detail, name, n in connection.execute(found)})


def _figures(counts: EventCounts, span: TimeSpan, since: datetime | None) -> Figures:
    found: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (what, detail, name), n in counts.items():
        found[what, detail][name] = n
    return Figures(
        whole=since is not None and since <= span[0],
        since=since if since is not None and span[0] < since < span[1] else None,
        sources=found[TallyKind.IN, "accepted"],
        nowhere=sum(found[TallyKind.IN, "nowhere"].values()),
        sinks=_sinks(found),
        types={one: n for one, n in found[TallyKind.TYPE, ""].items() if not _is_own_type(one)},
        owners=found[TallyKind.OWNER, ""],
        nodes=dict(Counter(found[TallyKind.NODE, ""]) + Counter(found[TallyKind.NODE, "down"])),
        downs=found[TallyKind.NODE, "down"],
    )


def _is_own_type(name: str) -> bool:
    return name == ANNOUNCEMENT or name.startswith(f"{OWN_FAMILY}.")


def counted_since(connection: sa.Connection) -> datetime | None:
    """From when on there are figures, to the quarter of an hour; None where there are none."""
    first = sa.select(sa.func.min(_t.at)).where(_t.what == TallyKind.IN.value, _t.step == QUARTER)
    at = connection.execute(first).scalar()
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _sinks(found: Mapping[tuple[str, str], Mapping[str, int]]) -> dict[str, SinkFigures]:
    by = {fate: found.get((TallyKind.OUT, fate), {}) for fate in ("delivered", "dead", "held_back")}
    names = {name: None for counted in by.values() for name in counted}
    return {name: SinkFigures(**{fate: counted.get(name, 0) for fate, counted in by.items()}) for name in names}


def _busiest(connection: sa.Connection, span: TimeSpan) -> tuple[dict[str, int], bool]:
    """The users that most events were about, and whether there were more events than are looked at."""
    begins, ends = (lowest_event_id(one) for one in span)
    newest = (
        sa.select(events.c.subject, events.c.source)
        .where(events.c.id >= begins, events.c.id < ends)
        .order_by(events.c.id.desc())
        .limit(MOST_LOOKED_AT + 1)
        .subquery()
    )
    about: Counter[str] = Counter()
    looked = 0
    number = sa.func.count().label("number")
    by = newest.c.subject, newest.c.source
    for subject, source, n in connection.execute(sa.select(*by, number).group_by(*by)):
        looked += n
        if source != OWN_SOURCE and subject is not None and subject.startswith(USER):
            about[subject.removeprefix(USER)] += n
    return dict(about.most_common(MOST_USERS)), looked > MOST_LOOKED_AT


def _last_events(connection: sa.Connection, before: datetime) -> dict[str, datetime]:
    last = sa.select(_t.name, sa.func.max(_t.at)).where(_accepted, _t.at < int(before.timestamp())).group_by(_t.name)
    return {name: datetime.fromtimestamp(at + QUARTER, UTC) for name, at in connection.execute(last)}
