"""What was counted, as an operator looks at it: what came in, what went out, and what each row of the table took."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bridge.admin.charts import BarChart, begin, chart
from bridge.admin.rows import rows_of
from bridge.admin.shapes import Point, RowCounts
from bridge.routing import Route
from bridge.store.ledger import Ledger
from bridge.store.queries.series import row_counts, series
from bridge.store.queries.tables import kept_table
from bridge.store.queries.tallies import HOUR, TallyKind

DAY, WEEK = timedelta(days=1), timedelta(days=7)
HALF_HOUR, AN_HOUR = timedelta(minutes=30), timedelta(hours=1)
LOST = ("dead",)


def points(
    ledger: Ledger, what: TallyKind, *, step: int, since: datetime, name: str | None = None, limit: int | None = None
) -> list[Point]:
    """What was counted in each step, of so many seconds: whole hours, or less within the last two days."""
    found = ledger.read(series, what, step=step, since=since, name=name, limit=limit)
    return [
        Point(
            at=one.at, name=one.name, detail=one.detail, n=one.n, ms_mean=round(one.ms_sum / one.n), ms_max=one.ms_max
        )
        for one in found
    ]


def arrivals(ledger: Ledger, *, now: datetime) -> BarChart:
    """What came in within a day, by half hours, and what of the messages was given up."""
    since, step = begin(now, HALF_HOUR, 48), int(HALF_HOUR.total_seconds())
    came = [one for one in points(ledger, TallyKind.IN, step=step, since=since) if one.detail == "accepted"]
    out = points(ledger, TallyKind.OUT, step=step, since=since)
    return chart(came, lost=[one for one in out if one.detail in LOST], since=since, step=HALF_HOUR, count=48)


def departures(ledger: Ledger, *, now: datetime, hours: int = 24) -> dict[str, BarChart]:
    """What was delivered to each sink, and what was given up, by hours."""
    since = begin(now, AN_HOUR, hours)
    by_sink: defaultdict[str, list[Point]] = defaultdict(list)
    for one in points(ledger, TallyKind.OUT, step=HOUR, since=since):
        if one.detail in ("delivered", *LOST):
            by_sink[one.name].append(one)
    return {sink: _departed(found, since, AN_HOUR, hours) for sink, found in by_sink.items()}


def departures_of(ledger: Ledger, sink: str, *, now: datetime, days: int) -> BarChart:
    """What was delivered to a sink within some days, and what was given up: by hours of one, else by days."""
    step = AN_HOUR if days == 1 else DAY
    count = 24 if days == 1 else days
    since = begin(now, step, count)
    found = points(ledger, TallyKind.OUT, step=int(step.total_seconds()), since=since, name=sink)
    return _departed([one for one in found if one.detail in ("delivered", *LOST)], since, step, count)


def _departed(found: Sequence[Point], since: datetime, step: timedelta, count: int) -> BarChart:
    return chart(found, lost=[one for one in found if one.detail in LOST], since=since, step=step, count=count)


def table_counts(ledger: Ledger, table: Sequence[tuple[str, Route]], *, now: datetime) -> list[RowCounts]:
    """How often each row of the table in force has taken something, in its order."""
    found = {one.name: one for one in ledger.read(row_counts, day=now - DAY, week=now - WEEK)}
    nothing = {"day": 0, "week": 0, "failed": 0, "last_at": None}
    return [
        RowCounts.model_validate({**nothing, **(found[name].to_json() if name in found else {}), "name": name})
        for name, _ in table
    ]


def table_as_it_was(ledger: Ledger, key: str) -> tuple[Mapping[str, Route], datetime] | None:
    """The rows of a table by which an event was routed, by their names, and when it was last asked."""
    found = ledger.read(kept_table, key)
    return None if found is None else (rows_of(found[0]), found[1])


def gone_nowhere(ledger: Ledger, *, now: datetime) -> int:
    """How many events of a week went to no sink."""
    found = points(ledger, TallyKind.IN, step=HOUR, since=now - WEEK)
    return sum(one.n for one in found if one.detail == "nowhere")
