"""Gauges: how much is stored, and how each lane fares now, as numbers. A count looks through an index alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bridge.store.base import Standing
from bridge.store.moments import micros, moment
from bridge.store.schema import deliveries, lanes

_d = deliveries.c
_pending = sa.and_(_d.settled_at.is_(None), _d.due_at.is_(None))  # in the words of the indexes: see schema.py
_waiting = _d.due_at.is_not(None)
_dead = sa.and_(_d.state == sa.literal_column("'dead'"), _d.cleared_at.is_(None))
_count = sa.func.count().label("number")

STANDINGS = sa.select(lanes.c.sink, lanes.c.standing)
PENDING = sa.select(_d.sink, _count, sa.func.min(_d.id).label("first")).where(_pending).group_by(_d.sink)
WAITING = sa.select(_d.sink, _count, sa.func.min(_d.due_at).label("first")).where(_waiting).group_by(_d.sink)
DEAD = sa.select(_d.sink, _count).where(_dead).group_by(_d.sink)
_SIZES = {
    "sqlite": sa.text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
    "postgresql": sa.text("SELECT pg_database_size(current_database())"),
}


@dataclass(slots=True)
class LaneGauge:
    """How a lane stands, and how many of its deliveries are pending, are due later, and are dead and not dealt with.

    oldest  since when one is there that could be sent: pending since it was made, or due since then. None where there
            is none: what its terms or a retry have wait is not behind
    """

    standing: Standing = Standing.OPEN
    pending: int = 0
    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None


def lane_gauges(connection: sa.Connection, *, now: datetime) -> dict[str, LaneGauge]:
    """Every lane that was carried or has deliveries that did not arrive, by its sink."""
    gauges: defaultdict[str, LaneGauge] = defaultdict(LaneGauge)
    for sink, standing in connection.execute(STANDINGS):
        gauges[sink].standing = Standing(standing)
    for sink, number in connection.execute(DEAD):
        gauges[sink].dead = number
    since: dict[str, int] = {}
    for sink, number, due_at in connection.execute(WAITING):
        gauges[sink].waiting = number
        if due_at <= micros(now):
            since[sink] = due_at
    oldest_ids = []
    for sink, number, id_ in connection.execute(PENDING):
        gauges[sink].pending = number
        oldest_ids.append(id_)
    for sink, made_at in _made_times(connection, oldest_ids):
        since[sink] = min(made_at, since.get(sink, made_at))
    for sink, at in since.items():
        gauges[sink].oldest = moment(at)
    return dict(gauges)


def store_size(connection: sa.Connection) -> int:
    """How many bytes the store takes."""
    return int(connection.execute(_SIZES[connection.dialect.name]).scalar_one())


def _made_times(connection: sa.Connection, ids: Sequence[int]) -> Sequence[tuple[str, int]]:
    found = connection.execute(sa.select(_d.sink, _d.made_at).where(_d.id.in_(ids)))
    return [(sink, made_at) for sink, made_at in found]
