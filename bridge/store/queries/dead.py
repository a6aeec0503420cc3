"""Dead letters in groups: what was given up at one sink for one reason, and what of it somebody has seen.

What a look costs is bounded, however many there are: of a sink the newest `MOST` are looked through, and fewer of those
with most where all sinks have more than `IN_ALL`; what was dealt with is looked for among the newest `RECENT`
deliveries.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bridge.store.base import Cleared
from bridge.store.compiled import read
from bridge.store.moments import moment
from bridge.store.queries.gauges import DEAD
from bridge.store.records import DeadGroupRecord
from bridge.store.rows import Row
from bridge.store.schema import deliveries, events
from bridge.value import INT64_MAX, replace

MOST = 1000  # dead letters of a sink that are grouped, the newest
IN_ALL = 2000  # of all sinks: each one's event lies elsewhere
RECENT = 100_000  # deliveries, the newest, among which is looked for what was dealt with

_d = deliveries.c
_is_dead = _d.state == sa.literal_column("'dead'")  # in the words of the index: see schema.py
_COLUMNS = (_d.id, _d.sink, sa.func.coalesce(_d.reason, "").label("reason"), _d.event_id, _d.settled_at)
_limit: sa.BindParameter[int] = sa.bindparam("limit_")

#: The newest of a sink that nobody has dealt with.
TO_LOOK_AT = (
    sa.select(*_COLUMNS)
    .where(_is_dead, _d.cleared_at.is_(None), _d.sink == sa.bindparam("sink_"))
    .where(_d.id >= sa.bindparam("first_"), _d.id <= sa.bindparam("through_"))
    .order_by(_d.id.desc())
    .limit(_limit)
)
#: The newest that were dealt with in one way.
DEALT_WITH = (
    sa.select(*_COLUMNS)
    .where(_is_dead, _d.cleared_at.is_not(None), _d.cleared == sa.bindparam("cleared_"))
    .where(_d.id >= sa.bindparam("first_"), _d.id <= sa.bindparam("through_"))
    .order_by(_d.id.desc())
    .limit(_limit)
)
_WORDS = ("attempts", "status", "answer", "note")


def _grouped(newest: sa.Select[Any]) -> sa.Select[Any]:
    seen = newest.subquery()
    by = (seen.c.sink, seen.c.reason, events.c.type)
    return (
        sa.select(
            *by,
            sa.func.count().label("number"),
            *(f(seen.c.id).label(name) for f, name in ((sa.func.min, "first"), (sa.func.max, "through"))),
            *(f(seen.c.settled_at).label(name) for f, name in ((sa.func.min, "since"), (sa.func.max, "until"))),
        )
        .select_from(seen.join(events, events.c.id == seen.c.event_id))
        .group_by(*by)
    )


_GROUPS_TO_LOOK_AT, _GROUPS_DEALT_WITH = _grouped(TO_LOOK_AT), _grouped(DEALT_WITH)


def dead_groups(
    connection: sa.Connection, cleared: Cleared | None = None, *, most: int = MOST
) -> list[DeadGroupRecord]:
    """Groups of what nobody has dealt with, or of what was dealt with in that way; the one with the newest first."""
    groups: dict[tuple[str, str], DeadGroupRecord] = {}
    for row, of_sink in _group_rows(connection, cleared, most):
        one = replace(_record(row), of_sink=of_sink)
        key = one.sink, one.reason
        groups[key] = _together(groups[key], one) if key in groups else one
    newest = _last_words(connection, [one.through for one in groups.values()])
    found = [replace(one, **newest[one.through]) for one in groups.values()]
    return sorted(found, key=lambda one: one.through, reverse=True)


def _group_rows(connection: sa.Connection, cleared: Cleared | None, most: int) -> Iterator[tuple[Row, int]]:
    """A row for each sink, reason and type, and how many its sink has."""
    if cleared is not None:
        values = {"cleared_": cleared.value, "first_": _first_recent(connection), "through_": INT64_MAX, "limit_": most}
        yield from ((row, 0) for row in read(connection, _GROUPS_DEALT_WITH, values))
        return
    counts = {row.sink: row.number for row in read(connection, DEAD, {})}
    for sink, limit in _shares(counts, most).items():
        values = {"sink_": sink, "first_": 0, "through_": INT64_MAX, "limit_": limit}
        yield from ((row, counts[sink]) for row in read(connection, _GROUPS_TO_LOOK_AT, values))


def _shares(counts: Mapping[str, int], most: int) -> dict[str, int]:
    """How many of each sink are looked through: what those with few leave is for those with more."""
    shares, left = {}, IN_ALL
    for place, (sink, number) in enumerate(sorted(counts.items(), key=lambda one: one[1])):
        shares[sink] = min(number, most, left // (len(counts) - place) or 1)
        left = max(0, left - shares[sink])
    return shares


def seen_letters(
    connection: sa.Connection, sink: str, *, first: int, through: int, cleared: Cleared | None = None, most: int = MOST
) -> list[tuple[int, str]]:
    """Id and reason of the dead letters of a sink from one id to another, in order; of more than `most` the newest."""
    values = {"sink_": sink, "first_": first, "through_": through, "limit_": most}
    if cleared is None:
        rows = read(connection, TO_LOOK_AT, values)
    else:
        recent = max(first, _first_recent(connection))
        rows = read(connection, DEALT_WITH, values | {"cleared_": cleared.value, "first_": recent})
    return [(row.id, row.reason) for row in reversed(rows) if row.sink == sink]


def _first_recent(connection: sa.Connection) -> int:
    newest = connection.execute(sa.select(sa.func.max(_d.id))).scalar_one()
    return max(0, (newest or 0) - RECENT)


def _record(row: Row) -> DeadGroupRecord:
    return DeadGroupRecord(
        sink=row.sink,
        reason=row.reason,
        count=row.number,
        first=row.first,
        through=row.through,
        since=moment(row.since),
        until=moment(row.until),
        types={row.type: row.number},
    )


def _together(one: DeadGroupRecord, other: DeadGroupRecord) -> DeadGroupRecord:
    return replace(
        one,
        count=one.count + other.count,
        first=min(one.first, other.first),
        through=max(one.through, other.through),
        since=min(one.since, other.since),
        until=max(one.until, other.until),
        types=one.types | other.types,
    )


def _last_words(connection: sa.Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What the service said to each of these."""
    said = sa.select(_d.id, *(_d[name] for name in _WORDS)).where(_d.id.in_(ids))
    return {row[0]: dict(zip(_WORDS, row[1:], strict=True)) for row in connection.execute(said)}
