"""A report is told once for each period, over restarts, replicas and changed clocks, with what was counted of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.alerts.periods import LONGEST, TOO_LATE, Every
from bridge.alerts.report_settings import ReportSettings
from bridge.alerts.reporting import Reporter, ReportPlan
from bridge.event import Event
from bridge.outcome import Attempt, Dead, Delivered, Done
from bridge.people.announcement import ANNOUNCEMENT, announcement
from bridge.routing import Route, Router
from bridge.samples import sample
from bridge.store import open_ledger
from bridge.store.base import Settlement
from bridge.store.keep import Keep
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import figures
from bridge.store.queries.events import deliveries_of
from bridge.store.queries.records import event
from bridge.store.retention import prune
from bridge.value import replace
from tests.alerts.telling import Enabled, came, kept
from tests.fakes import FakeClock, an_intake
from tests.store.boxes import claimed

TEHRAN, BERLIN = ZoneInfo("Asia/Tehran"), ZoneInfo("Europe/Berlin")
MORNING = {"morning": ReportSettings(at="09:00", to="ops")}  # type: ignore[arg-type]
NINE = datetime(2026, 11, 29, 5, 30, tzinfo=UTC)  # in Tehran
DAY = timedelta(days=1)


class Replica:
    """One process that reports."""

    def __init__(
        self,
        outbox: SqlOutbox,
        clock: FakeClock,
        *,
        reports: Mapping[str, ReportSettings] = MORNING,
        zone: ZoneInfo = TEHRAN,
        rows: tuple[Route, ...] = (),
        sources: tuple[str, ...] = ("marzban",),
    ) -> None:
        self.announced: list[Any] = []
        self.reporter = Reporter(outbox, clock, announce=self.announced.extend)
        table = [(f"route {number}", row) for number, row in enumerate(rows, start=1)]
        router = Router(table, sinks={name: Enabled() for name in ("ops", "night")})
        self.plan = ReportPlan(reports, zone, router, frozenset({"ops", "night"}), dict.fromkeys(sources))
        self.reporter.configure(self.plan)

    async def tell(self) -> None:
        await self.reporter.tell()


def told(url: str) -> list[dict[str, Any]]:
    """The reports that were told, the oldest first."""
    with open_ledger(url) as ledger:
        found = [ledger.read(event, one.id) for one in kept(url)]
        return [one[0].data["report"] for one in found if one is not None and one[0].type != ANNOUNCEMENT]


def about(at: datetime, *, type_: str = "user.created", user: str = "alice", **data: Any) -> Event:
    known = {"user": {"username": user}, **data}
    return replace(came("marzban", at), type=type_, subject=f"user:{user}", data=known)


async def test_it_is_told_at_its_time_and_not_before(outbox: SqlOutbox, store_url: str) -> None:
    clock = FakeClock(NINE - timedelta(seconds=1))
    await outbox.put(an_intake(about(NINE - 3 * DAY), about(NINE - DAY)))
    replica = Replica(outbox, clock)
    await Replica(outbox, FakeClock(NINE - DAY + timedelta(minutes=1))).tell()
    before = len(told(store_url))
    await replica.tell()
    assert len(told(store_url)) == before
    clock.step(1)
    await replica.tell()
    assert len(told(store_url)) == before + 1
    assert [one.sink for one in replica.announced] == ["ops"]


async def test_it_is_told_once_by_all_replicas_and_restarts_of_a_day(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(about(NINE - 3 * DAY), about(NINE - DAY)))
    for hours in range(0, 24, 3):
        for _ in range(2):
            await Replica(outbox, FakeClock(NINE + timedelta(hours=hours))).tell()
    assert len(told(store_url)) == 1
    await Replica(outbox, FakeClock(NINE + DAY)).tell()
    assert len(told(store_url)) == 2


@pytest.mark.parametrize("zone", [TEHRAN, BERLIN])
async def test_over_changed_clocks_each_day_is_told_once(outbox: SqlOutbox, store_url: str, zone: ZoneInfo) -> None:
    reports = {"night": ReportSettings(at="02:30", to="ops")}  # type: ignore[arg-type]
    begin = datetime(2026, 3, 27, tzinfo=UTC)
    await outbox.put(an_intake(about(begin - 2 * DAY)))
    clock = FakeClock(begin)
    replica = Replica(outbox, clock, reports=reports, zone=zone)
    for _ in range(4 * 24 * 4):
        await replica.tell()
        clock.step(900)
    days = [one["begins_at"] for one in told(store_url)]
    assert len(days) == len(set(days))
    assert sum(one["hours"] for one in told(store_url)) == 24 * len(days) - (zone == BERLIN)


@pytest.mark.parametrize("picture", [True, False])
async def test_with_a_picture_it_tells_how_many_events_each_hour_had(
    outbox: SqlOutbox, store_url: str, picture: bool
) -> None:
    begins = datetime(2026, 11, 27, 20, 30, tzinfo=UTC)
    hours = [0, 0, 5.99, 6, 23.75]
    at = [begins - timedelta(minutes=1), *(begins + timedelta(hours=hour) for hour in hours), begins + DAY]
    await outbox.put(an_intake(*map(about, [begins - DAY, *at])))
    reports = {"morning": ReportSettings(at="09:00", to="ops", picture=picture)}  # type: ignore[arg-type]
    await Replica(outbox, FakeClock(NINE), reports=reports).tell()
    [report] = told(store_url)
    wanted = [0] * 24
    for hour in hours:
        wanted[int(hour)] += 1
    assert report.get("bars") == (wanted if picture else None)
    assert report["events"] == len(hours)


async def test_with_a_picture_a_month_tells_how_many_events_each_day_had(outbox: SqlOutbox, store_url: str) -> None:
    begins = datetime(2026, 9, 30, 20, 30, tzinfo=UTC)
    at = [
        begins - 40 * DAY,
        begins,
        begins + DAY,
        begins + DAY,
        begins + 31 * DAY - timedelta(seconds=1),
        begins + 31 * DAY,
    ]
    await outbox.put(an_intake(*map(about, at)))
    reports = {"month": MONTH["month"].model_copy(update={"picture": True})}
    await Replica(outbox, FakeClock(FIRST - 30 * DAY), reports=reports).tell()
    assert told(store_url)[0]["bars"] == [1, 2, *[0] * 28, 1]


MONTH = {"month": ReportSettings(every="month", at="09:00", to="ops")}  # type: ignore[arg-type]
FIRST = datetime(2026, 12, 1, 5, 30, tzinfo=UTC)  # nine in Tehran


async def test_a_month_is_told_on_its_day_once_by_all_replicas_and_restarts_against_the_month_before(
    outbox: SqlOutbox, store_url: str
) -> None:
    begins = [datetime(2026, month, day, 20, 30, tzinfo=UTC) for month, day in ((9, 30), (10, 31), (11, 30))]
    second = timedelta(seconds=1)
    at = [begins[0] - DAY, begins[0], begins[1] - second, begins[1], begins[1] + 9 * DAY, begins[2] - second, begins[2]]
    await outbox.put(an_intake(*map(about, at)))
    await Replica(outbox, FakeClock(FIRST - second), reports=MONTH).tell()
    assert [one["begins_at"] for one in told(store_url)] == []  # of October, told on 1 November, it is too late by now
    for hours in range(0, 24 * 30, 24):
        await Replica(outbox, FakeClock(FIRST + timedelta(hours=hours)), reports=MONTH).tell()
    [report] = told(store_url)
    assert (report["every"], report["events"], report["before"]) == ("month", 3, 2)
    assert report["begins_at"] == "2026-10-31T20:30:00Z"
    assert {"week_before", "counted_from", "late_at"}.isdisjoint(report)


async def test_a_month_of_the_persian_calendar_is_told_on_the_first_of_the_next(
    outbox: SqlOutbox, store_url: str
) -> None:
    aban, azar = (datetime(2026, month, day, 20, 30, tzinfo=UTC) for month, day in ((10, 22), (11, 21)))
    reports = {"month": MONTH["month"].model_copy(update={"calendar": "jalali"})}
    await outbox.put(an_intake(*map(about, [aban - 40 * DAY, aban - DAY, aban, aban + DAY, azar - DAY, azar])))
    for at in (azar, azar + timedelta(hours=9), azar + 2 * DAY):
        await Replica(outbox, FakeClock(at), reports=reports).tell()
    [report] = told(store_url)
    assert (report["begins_at"], report["events"], report["before"]) == ("2026-10-22T20:30:00Z", 3, 1)


async def test_what_is_kept_for_less_than_a_month_says_from_when_on_it_counts(
    outbox: SqlOutbox, store_url: str
) -> None:
    await outbox.put(an_intake(*(about(FIRST - days * DAY) for days in (60, 31, 20, 3))))
    await prune(outbox, keep=Keep(operators=25 * 86400.0), clock=FakeClock(FIRST))
    await Replica(outbox, FakeClock(FIRST), reports=MONTH).tell()
    [report] = told(store_url)
    assert (report["events"], report["counted_from"]) == (2, "2026-11-11T05:30:00Z")
    assert "before" not in report


@pytest.mark.parametrize("every", ["day", "week", "month"])
async def test_what_is_told_as_late_as_it_may_be_finds_all_that_it_needs(
    outbox: SqlOutbox, store_url: str, every: Every
) -> None:
    last = ReportSettings(every=every, at="23:59", to="ops", day=28 if every == "month" else None)  # type: ignore[arg-type]
    late = datetime(2026, 9, 28, 20, 29, tzinfo=UTC) + timedelta(seconds=TOO_LATE[every])
    await outbox.put(an_intake(*(about(late - days * DAY) for days in range(98))))
    await prune(outbox, keep=Keep(operators=last.rhythm().reach.total_seconds()), clock=FakeClock(late))
    await Replica(outbox, FakeClock(late), reports={"last": last}).tell()
    [report] = told(store_url)
    assert report["events"] == report["before"] == LONGEST[every]
    assert "counted_from" not in report


async def test_what_was_missed_is_told_late_and_says_so_and_what_is_too_old_is_not(
    outbox: SqlOutbox, store_url: str
) -> None:
    reports = {"week": ReportSettings(every="week", weekday="sun", at="09:00", to="ops")}  # type: ignore[arg-type]
    await outbox.put(an_intake(about(NINE - 9 * DAY), about(NINE - DAY)))
    old = NINE + timedelta(seconds=TOO_LATE["week"] + 1)
    await Replica(outbox, FakeClock(old), reports=reports).tell()
    assert told(store_url) == []
    late = NINE + timedelta(hours=2)
    await Replica(outbox, FakeClock(late), reports=reports).tell()
    await Replica(outbox, FakeClock(late + timedelta(hours=1)), reports=reports).tell()
    [report] = told(store_url)
    assert report["late_at"] == "2026-11-29T07:30:00Z"


async def test_what_is_told_in_time_is_not_late(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(about(NINE - 3 * DAY), about(NINE - DAY)))
    await Replica(outbox, FakeClock(NINE + timedelta(seconds=20))).tell()
    assert "late_at" not in told(store_url)[0]


async def test_it_tells_the_local_day_and_compares_it(outbox: SqlOutbox, store_url: str) -> None:
    begins, ends = (datetime(2026, 11, day, 20, 30, tzinfo=UTC) for day in (27, 28))
    second = timedelta(seconds=1)
    yesterday = [begins, begins + timedelta(hours=5), ends - second]
    beside = [begins - second, ends]  # the last of the day before, and the first of today
    week_before = [begins - 7 * DAY, begins - 7 * DAY + second]
    await outbox.put(an_intake(*map(about, [begins - 9 * DAY, *yesterday, *beside, *week_before])))
    await Replica(outbox, FakeClock(NINE)).tell()
    [report] = told(store_url)
    assert (report["events"], report["before"], report["week_before"]) == (3, 1, 2)
    assert report["types"] == [{"type": "user.created", "events": 3, "before": 1, "week_before": 2}]
    assert report["begins_at"] == "2026-11-27T20:30:00Z"


async def test_what_was_not_counted_yet_is_compared_with_nothing(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(about(NINE - DAY)))
    await Replica(outbox, FakeClock(NINE)).tell()
    assert {"before", "week_before"}.isdisjoint(told(store_url)[0])


async def test_it_tells_what_went_where_and_who_had_most(outbox: SqlOutbox, store_url: str) -> None:
    at = NINE - DAY
    node = {"node": {"name": "fra-1"}}
    events = [about(at, owner="reseller-7"), about(at, user="bob"), about(at, type_="node.connection_lost", **node)]
    await outbox.put(an_intake(*events))
    first, *others = await claimed(outbox)
    fates = [(first, Dead("HTTP 422")), *((one, Done()) for one in others)]
    await outbox.settle([Settlement(one, fate, Attempt(Delivered()), at, ms=1.0) for one, fate in fates])
    await Replica(outbox, FakeClock(NINE), sources=("marzban", "remnawave")).tell()
    [report] = told(store_url)
    assert report["sinks"] == [{"name": "ops", "delivered": 2, "given_up": 1, "held_back": 0}]
    assert report["dead_letters"] == [{"sink": "ops", "reason": "HTTP 422", "events": 1}]
    assert report["owners"] == [{"name": "reseller-7", "events": 1}]
    assert report["nodes"] == [{"name": "fra-1", "events": 1, "down": 1}]
    assert report["users"] == [{"name": "alice", "events": 2}, {"name": "bob", "events": 1}]
    assert report["silent"] == [{"name": "remnawave"}]


async def test_what_the_bridge_itself_announces_is_no_event_of_anybody(outbox: SqlOutbox, store_url: str) -> None:
    at = NINE - DAY
    announced = [replace(announcement("bob", "hello", at), id=about(at).id) for _ in range(3)]
    await outbox.put(an_intake(about(at), *announced))
    await Replica(outbox, FakeClock(NINE)).tell()
    [report] = told(store_url)
    assert report["events"] == 1
    assert [(one["type"], one["events"]) for one in report["types"]] == [("user.created", 1)]
    assert report["users"] == [{"name": "alice", "events": 1}]


async def test_it_tells_apart_what_the_file_wants(outbox: SqlOutbox, store_url: str) -> None:
    reports = {"morning": ReportSettings(at="09:00", to="ops", by="owner")}  # type: ignore[arg-type]
    await outbox.put(an_intake(about(NINE - DAY, owner="reseller-7")))
    await Replica(outbox, FakeClock(NINE), reports=reports).tell()
    assert {"types", "nodes", "users"}.isdisjoint(told(store_url)[0])
    assert told(store_url)[0]["owners"] == [{"name": "reseller-7", "events": 1}]


async def test_users_are_looked_for_among_so_many_events_and_more_is_said(
    outbox: SqlOutbox, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST_LOOKED_AT", 2)
    await outbox.put(an_intake(*(about(NINE - DAY + timedelta(seconds=n), user=f"u{n}") for n in range(3))))
    await Replica(outbox, FakeClock(NINE)).tell()
    assert told(store_url)[0]["cut"] is True


@pytest.mark.parametrize(("skip", "number"), [(False, 1), (True, 0)])
async def test_a_day_without_events_is_told_unless_nobody_wants_it(
    outbox: SqlOutbox, store_url: str, skip: bool, number: int
) -> None:
    reports = {"morning": ReportSettings(at="09:00", to="ops", skip_empty=skip)}  # type: ignore[arg-type]
    await outbox.put(an_intake(about(NINE - 4 * DAY), sinks=()))
    await Replica(outbox, FakeClock(NINE), reports=reports).tell()
    assert len(told(store_url)) == number


async def test_of_days_before_the_bridge_came_nothing_is_told(outbox: SqlOutbox, store_url: str) -> None:
    await Replica(outbox, FakeClock(NINE)).tell()
    await outbox.put(an_intake(about(NINE)))
    await Replica(outbox, FakeClock(NINE)).tell()
    assert told(store_url) == []


async def test_it_goes_to_its_sinks_and_to_rows_that_ask_for_it(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(about(NINE - DAY)))
    await Replica(outbox, FakeClock(NINE), rows=(Route(match="bridge.*", to=("night", "ops")),)).tell()  # type: ignore[arg-type]
    with open_ledger(store_url) as ledger:
        [report] = kept(store_url)
        went = ledger.read(deliveries_of, [report.id])[report.id]
    assert sorted((one.sink, one.row) for one in went) == [("night", "route 1"), ("ops", "reports.morning")]


async def test_it_is_sampled_as_it_is_told(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(about(NINE - 9 * DAY), about(NINE - DAY)))
    await Replica(outbox, FakeClock(NINE)).tell()
    [report] = kept(store_url)
    likely = sample(report.type, at=NINE)
    assert (report.source, report.panel, report.subject) == (likely.source, likely.panel, likely.subject)
    assert set(told(store_url)[0]) == set(likely.data["report"])


async def test_its_own_reports_are_not_counted(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(about(NINE - DAY)))
    await Replica(outbox, FakeClock(NINE)).tell()
    await Replica(outbox, FakeClock(NINE + DAY)).tell()
    second = told(store_url)[-1]
    assert (second["events"], second["types"], second["sources"]) == (0, [], [])


async def test_what_is_added_up_day_by_day_is_what_is_counted_at_once(outbox: SqlOutbox, store_url: str) -> None:
    begin = datetime(2026, 10, 31, 20, 30, tzinfo=UTC)
    hours = [0, 23, 24, 24 * 7, 24 * 12 + 5, 24 * 29, 24 * 30 - 1]
    at = [begin + timedelta(hours=n) for n in (-24 * 35, -1, *hours, 24 * 30)]
    nodes = ({"node": {"name": f"fra-{n % 2}"}, "owner": f"reseller-{n % 3}"} for n in range(len(at)))
    down = "node.connection_lost"
    await outbox.put(
        an_intake(*(about(one, type_=down, user=f"u{one.hour}", **data) for one, data in zip(at, nodes, strict=True)))
    )
    month = (begin, begin + 30 * DAY)
    spans = [month, (begin - 31 * DAY, begin), (begin, begin + timedelta(hours=25, minutes=30))]
    with open_ledger(store_url) as ledger:
        assert await outbox.collected(spans) == ledger.read(figures.collected, spans)
    assert (await outbox.collected(spans)).figures[0].events == len(hours)
