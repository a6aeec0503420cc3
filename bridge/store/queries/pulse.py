"""The pulse: whether anything has happened that people look at, found without looking at what."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bridge.store.queries.tallies import MINUTE, TallyKind
from bridge.store.schema import audit, lanes, tallies

LATE = timedelta(minutes=10)  # that something may be counted after the minute in which it began
_t = tallies.c
_OF_A_LANE = ("sink", "owner", "standing", "reason", "since", "until", "failures")

#: What has happened; two of them are equal where nothing has. A value to compare, and nothing else.
Pulse = tuple[Any, ...]


def pulse(connection: sa.Connection, *, now: datetime) -> Pulse:
    """What was counted of late, how each lane stands, and what people did last: few rows, whatever the store holds."""
    counted = (
        sa.select(_t.what, _t.at, sa.func.sum(_t.n))
        .where(_t.what.in_([TallyKind.IN.value, TallyKind.OUT.value, TallyKind.ASIDE.value]), _t.step == MINUTE)
        .where(_t.at >= int((now - LATE).timestamp()))
        .group_by(_t.what, _t.at)
        .order_by(_t.what, _t.at)
    )
    standings = sa.select(*(lanes.c[name] for name in _OF_A_LANE)).order_by(lanes.c.sink)
    return (
        tuple((what, at, int(n)) for what, at, n in connection.execute(counted)),
        tuple(map(tuple, connection.execute(standings))),
        connection.execute(sa.select(sa.func.max(audit.c.id))).scalar_one(),
    )
