"""Series: what was counted, as people look at it. Each look is at hours or minutes, whatever the store holds."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from bridge.store.queries.tallies import HOUR, MINUTE, What
from bridge.store.records import PointRecord, RowCountRecord
from bridge.store.schema import tallies

_t = tallies.c
_sum = sa.func.sum


def series(
    connection: sa.Connection,
    what: What,
    *,
    step: int,
    since: datetime,
    name: str | None = None,
    limit: int | None = None,
) -> list[PointRecord]:
    """How often something was counted in each step of so many seconds, of an hour or less in the last two days."""
    counted = MINUTE if step < HOUR else HOUR
    begins = _t.at - _t.at % step
    select = (
        sa.select(begins.label("at"), _t.detail, _t.name, _sum(_t.n), _sum(_t.ms_sum), sa.func.max(_t.ms_max))
        .where(_t.what == what.value, _t.step == counted, _t.at >= int(since.timestamp()))
        .group_by(begins, _t.detail, _t.name)
        .order_by(begins, _t.name, _t.detail)
        .limit(limit)
    )
    if name is not None:
        select = select.where(_t.name == name)
    return [
        PointRecord(at=_moment(at), name=found, detail=detail, n=int(n), ms_sum=int(ms_sum), ms_max=int(ms_max))
        for at, detail, found, n, ms_sum, ms_max in connection.execute(select)
    ]


def row_counts(connection: sa.Connection, *, day: datetime, week: datetime) -> list[RowCountRecord]:
    """How often each row of the table took something since then, when it last did, and how often it could not tell."""
    is_match = _t.detail == "matched"
    since_day, since_week = _t.at >= int(day.timestamp()), _t.at >= int(week.timestamp())
    select = (
        sa.select(
            _t.name,
            _sum(sa.case((sa.and_(is_match, since_day), _t.n), else_=0)),
            _sum(sa.case((sa.and_(is_match, since_week), _t.n), else_=0)),
            _sum(sa.case((sa.and_(~is_match, since_week), _t.n), else_=0)),
            sa.func.max(sa.case((is_match, _t.at))),
        )
        .where(_t.what == What.ROW.value, _t.step == HOUR)
        .group_by(_t.name)
    )
    minutes = dict(_last_minutes(connection))
    return [
        RowCountRecord(
            name=name,
            day=int(of_day),
            week=int(of_week),
            failed=int(failed),
            last_at=None if last is None else _moment(max(last, minutes.get(name, 0))),
        )
        for name, of_day, of_week, failed, last in connection.execute(select)
    ]


def _last_minutes(connection: sa.Connection) -> Sequence[tuple[str, int]]:
    select = (
        sa.select(_t.name, sa.func.max(_t.at))
        .where(_t.what == What.ROW.value, _t.step == MINUTE, _t.detail == "matched")
        .group_by(_t.name)
    )
    return [(name, at) for name, at in connection.execute(select)]


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
