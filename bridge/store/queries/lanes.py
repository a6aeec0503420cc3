"""Lanes: how each stands, and under which epoch it is carried."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from bridge.outcome import Limit, Rate
from bridge.store.backend import backend_of
from bridge.store.base import LaneState, Standing
from bridge.store.compiled import first, read, write
from bridge.store.moments import micros, micros_or_none, moment, moment_or_none
from bridge.store.rows import Row
from bridge.store.schema import deliveries, lanes

ADVANCED = 2000  # deliveries that are made due earlier in one commit
_OF_SINK = lanes.c.sink == sa.bindparam("sink_")
_STATE_COLUMNS = ("standing", "reason", "since", "until", "failures", "address", "spent", "learned")

# FOR SHARE: until our commit nobody else can begin a new term of office
EPOCH = sa.select(lanes.c.epoch).where(_OF_SINK).with_for_update(read=True)
_LANE = sa.select(lanes).where(_OF_SINK)
_SAVE_LANE = (
    sa.update(lanes)
    .where(_OF_SINK, lanes.c.epoch == sa.bindparam("epoch_"))
    .values({name: sa.bindparam(f"{name}_") for name in _STATE_COLUMNS})
)
_PUT_LANE = sa.text(
    "INSERT INTO lanes (sink, epoch, standing, reason, since, until, failures, address, spent, learned)"
    " VALUES (:sink_, 0, :standing_, :reason_, :since_, :until_, :failures_, :address_, :spent_, :learned_)"
    " ON CONFLICT (sink) DO NOTHING"
)
_limit: sa.BindParameter[int] = sa.bindparam("limit_")
_WAITING = (
    deliveries.c.sink == sa.bindparam("sink_"),
    deliveries.c.due_at.is_not(None),
    deliveries.c.id > sa.bindparam("after_"),
)
_NEXT_WAITING: sa.Select[Any] = sa.select(sa.func.max(sa.column("id"))).select_from(
    sa.select(deliveries.c.id).where(*_WAITING).order_by(deliveries.c.id).limit(_limit).subquery()
)
_ADVANCE_DUE = (
    sa.update(deliveries)
    .where(*_WAITING, deliveries.c.id <= sa.bindparam("last_"))
    .values(due_at=deliveries.c.due_at - sa.bindparam("by_"))
)

#: Of what was put off, and not of what is collected, or reminds of something: that has no reason. What is to wait on,
#: as in quiet hours, is put off again.
_DUE_AT_ONCE = (
    sa.update(deliveries)
    .where(deliveries.c.sink == sa.bindparam("sink_"), deliveries.c.due_at > deliveries.c.made_at)
    .where(deliveries.c.reason.is_not(None))
    .values(due_at=deliveries.c.made_at)
)


def epoch_of(connection: sa.Connection, sink: str) -> int:
    """The number of the term of office under which a lane is carried, 0 where it was never carried."""
    row = first(connection, EPOCH, {"sink_": sink})
    return 0 if row is None else int(row[0])


def lane_state(connection: sa.Connection, sink: str) -> LaneState:
    """How a lane stands."""
    return next(map(lane_state_of, read(connection, _LANE, {"sink_": sink})), LaneState())


def save_lane_state(connection: sa.Connection, states: Sequence[tuple[str, LaneState, int]]) -> Sequence[None]:
    """Record how lanes stand, under their epochs; an old epoch changes nothing."""
    rows = {sink: _lane_row(sink, state, epoch) for sink, state, epoch in states}  # the last word of each
    in_order = [rows[sink] for sink in sorted(rows)]
    if unowned := [row for row in in_order if row["epoch_"] == 0]:
        write(connection, _PUT_LANE, unowned)
    write(connection, _SAVE_LANE, in_order)
    return [None] * len(states)


def advance_due(connection: sa.Connection, advances: Sequence[tuple[str, float, int, int]]) -> Sequence[int | None]:
    """Make what waits at a sink due so many seconds earlier, the next ones after that id; an old epoch changes nothing.

    The last id that it was done for, None where there is nothing left: in steps, so that what comes in finds its turn.
    """
    return [_advanced(connection, *advance) for advance in advances]


def _advanced(connection: sa.Connection, sink: str, seconds: float, epoch: int, after: int) -> int | None:
    if epoch_of(connection, sink) != epoch:
        return None
    [(last,)] = read(connection, _NEXT_WAITING, {"sink_": sink, "after_": after, "limit_": ADVANCED})
    if last is not None:
        by = int(seconds * 1_000_000)
        write(connection, _ADVANCE_DUE, [{"sink_": sink, "after_": after, "last_": last, "by_": by}])
    return None if last is None else int(last)


def resume(connection: sa.Connection, sink: str) -> bool:
    """Let a lane flow again, and what waits to be tried again be due at once; whether anything held it."""
    freed = sa.update(lanes).values(standing=Standing.OPEN.value, failures=0, reason=None, since=None, until=None)
    held = sa.or_(lanes.c.standing != Standing.OPEN.value, lanes.c.until.is_not(None))
    done = connection.execute(freed.where(lanes.c.sink == sink, held)).rowcount
    if done:
        write(connection, _DUE_AT_ONCE, [{"sink_": sink}])
    backend_of(connection).notify(connection, {sink})
    return done > 0


def _lane_row(sink: str, state: LaneState, epoch: int) -> dict[str, Any]:
    spent = {scope: [micros(at) for at in times] for scope, times in state.spent.items()}
    learned = [[one.scope, one.rate.count, one.rate.period, one.sends] for one in state.learned]
    return {
        "sink_": sink,
        "epoch_": epoch,
        "standing_": state.standing.value,
        "reason_": state.reason,
        "since_": micros_or_none(state.since),
        "until_": micros_or_none(state.until),
        "failures_": state.failures,
        "address_": state.address,
        "spent_": json.dumps(spent, ensure_ascii=False),
        "learned_": json.dumps(learned, ensure_ascii=False),
    }


def lane_state_of(row: Row) -> LaneState:
    return LaneState(
        standing=Standing(row.standing),
        reason=row.reason,
        since=moment_or_none(row.since),
        until=moment_or_none(row.until),
        failures=row.failures,
        address=row.address,
        spent={scope: tuple(map(moment, times)) for scope, times in json.loads(row.spent).items()},
        learned=tuple(
            Limit(scope, Rate(count, period), sends) for scope, count, period, sends in json.loads(row.learned)
        ),
    )
