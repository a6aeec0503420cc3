"""Series: what was counted, as people look at it. Each look is at hours or minutes, whatever the store holds."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bridge.store.index_key import index_key
from bridge.store.moments import moment_of_second
from bridge.store.queries.tallies import HOUR, MINUTE, STEPS, TallyKind
from bridge.store.records import PointRecord, RowCountRecord
from bridge.store.schema import tallies

DAY = timedelta(days=1)
_t = tallies.c
_sum = sa.func.sum


def series(
    connection: sa.Connection,
    what: TallyKind,
    *,
    step: int,
    since: datetime,
    name: str | None = None,
    limit: int | None = None,
) -> list[PointRecord]:
    """How often something was counted in each step of so many seconds: of whole hours for as long as the ledger is
    kept, of whole quarters of an hour for three months at most, of less for two days.
    """
    counted = _counted(what, step)
    select = _as_counted() if counted == step else _added_up(step)
    select = select.where(_t.what == what.value, _t.step == counted, _t.at >= int(since.timestamp()))
    if name is not None:
        select = select.where(_t.name == name)
    select = select.limit(limit)
    return [
        PointRecord(
            at=moment_of_second(at), name=found, detail=detail, n=int(n), ms_sum=int(ms_sum), ms_max=int(ms_max)
        )
        for at, detail, found, n, ms_sum, ms_max in connection.execute(select)
    ]


def _as_counted() -> sa.Select[Any]:
    """In the order of their key: nothing is sorted, and no more is read than is wanted."""
    return sa.select(_t.at, _t.detail, _t.name, _t.n, _t.ms_sum, _t.ms_max).order_by(_t.at, _t.name, _t.detail)


def _added_up(step: int) -> sa.Select[Any]:
    begins = _t.at - _t.at % step
    numbers = (_sum(_t.n), _sum(_t.ms_sum), sa.func.max(_t.ms_max))
    every = (begins, _t.name, _t.detail)
    return sa.select(begins.label("at"), _t.detail, _t.name, *numbers).group_by(*every).order_by(*every)


def _counted(what: TallyKind, step: int) -> int:
    """The longest step that is counted of which this one is a multiple: there are the fewest of it."""
    return max((one for one in STEPS[what] if step % one == 0), default=step)


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
        .where(_t.what == TallyKind.ROW.value, _t.step == HOUR)
        .group_by(_t.name)
    )
    rows = connection.execute(select).all()
    minutes = _last_minutes(
        connection, {row[-1] for row in rows if row[-1] is not None and moment_of_second(row[-1]) >= day - DAY}
    )
    return [
        RowCountRecord(
            name=name,
            day=int(of_day),
            week=int(of_week),
            failed=int(failed),
            last_at=None if last is None else moment_of_second(max(last, minutes.get(name, 0))),
        )
        for name, of_day, of_week, failed, last in rows
    ]


def has_come_from(connection: sa.Connection, source: str) -> bool:
    """Whether anything of that source was counted, for as long as the ledger is kept."""
    found = sa.select(_t.n).where(_t.what == TallyKind.IN.value, _t.step == HOUR, _t.name == index_key(source)).limit(1)
    return connection.execute(found).first() is not None


def _last_minutes(connection: sa.Connection, hours: Collection[int]) -> dict[str, int]:
    """The minute in which each row last took something, within the hours in which any did for the last time."""
    found: dict[str, int] = {}
    for hour in sorted(hours):
        select = (
            sa.select(_t.name, sa.func.max(_t.at))
            .where(_t.what == TallyKind.ROW.value, _t.step == MINUTE, _t.at >= hour, _t.at < hour + HOUR)
            .where(_t.detail == "matched")
            .group_by(_t.name)
        )
        found.update((name, at) for name, at in connection.execute(select))
    return found
