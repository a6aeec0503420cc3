"""A report for each owner: of their own users alone, at their own address, once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.alerts.report_settings import ReportSettings
from bridge.alerts.reporting import Reporter, ReportPlan
from bridge.event import Event
from bridge.intake import Decision, Intake, Routed, Table
from bridge.routing import Route, Router
from bridge.store import open_ledger
from bridge.store.base import Delivery
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import owners
from bridge.store.queries.records import event, set_aside_records
from bridge.store.records import DeliveryQuery
from bridge.value import replace
from tests.alerts.telling import Enabled, came, kept
from tests.alerts.test_reporting import DAY, NINE, TEHRAN
from tests.fakes import FakeClock

EACH = {"mine": ReportSettings(at="09:00", to="resellers", each="owner")}  # type: ignore[arg-type]
YESTERDAY = NINE - DAY


class Replica:
    """One process that reports to owners, of two panels."""

    def __init__(
        self,
        outbox: SqlOutbox,
        at: datetime,
        *,
        realms: Sequence[str] = ("shop",),
        reports: Mapping[str, ReportSettings] = EACH,
    ) -> None:
        self.announced: list[Delivery] = []
        self.reporter = Reporter(outbox, FakeClock(at), announce=self.announced.extend)
        rows = [("route 1", Route(match="*", to=("ops",)))]  # type: ignore[arg-type]
        sinks = ("ops", "resellers")
        router = Router(rows, sinks={name: Enabled() for name in sinks})
        self.reporter.configure(ReportPlan(reports, TEHRAN, router, frozenset(sinks), {}, realms))

    async def tell(self) -> list[Delivery]:
        await self.reporter.tell()
        return self.announced


def about(owner: str | None, *, at: datetime = YESTERDAY, type_: str = "user.created", user: str = "alice") -> Event:
    data = {"user": {"username": user}} | ({"owner": owner} if owner else {})
    return replace(came("marzban", at), type=type_, subject=f"user:{user}", data=data)


async def put(outbox: SqlOutbox, *told: Event, realm: str = "shop") -> None:
    await outbox.put(Intake([Routed(one, (), Decision(Table("x", "[]"))) for one in told], realm=realm))


def reports(url: str) -> dict[str, dict[str, Any]]:
    """Owner → what they were told last."""
    with open_ledger(url) as ledger:
        found = [ledger.read(event, one.id) for one in kept(url)]
    return {one[0].data["owner"]: one[0].data["report"] for one in found if one is not None}


async def test_each_is_told_of_their_own_users_alone_and_who_had_nothing_is_told_nothing(
    outbox: SqlOutbox, store_url: str
) -> None:
    await put(
        outbox,
        about(None, at=YESTERDAY - 2 * DAY),  # since then it is counted
        *(about("seven", user=name) for name in ("alice", "alice", "bob")),
        about("seven", type_="user.expired", at=YESTERDAY - DAY),
        about("seven", type_="user.expired"),
        about("nine", user="carol"),
        about("old", at=YESTERDAY - DAY),
        about(None),
    )
    announced = await Replica(outbox, NINE).tell()
    assert {(one.sink, one.row, one.recipient) for one in announced} == {
        ("resellers", "reports.mine", "shop/owner:seven"),
        ("resellers", "reports.mine", "shop/owner:nine"),
    }
    told = reports(store_url)
    assert told.keys() == {"seven", "nine"}
    assert (told["seven"]["events"], told["seven"]["before"]) == (4, 1)
    assert told["seven"]["users"] == [{"name": "alice", "events": 3}, {"name": "bob", "events": 1}]
    assert [(one["type"], one["events"]) for one in told["seven"]["types"]] == [
        ("user.created", 3),
        ("user.expired", 1),
    ]
    assert told["nine"]["users"] == [{"name": "carol", "events": 1}]
    assert "before" not in told["nine"]


async def test_what_was_not_counted_whole_is_no_comparison_and_what_is_told_says_from_when_it_counts(
    outbox: SqlOutbox, store_url: str
) -> None:
    await put(outbox, about("seven", at=YESTERDAY - DAY), about("seven"))
    await Replica(outbox, NINE - DAY).tell()
    assert reports(store_url)["seven"]["counted_from"] == "2026-11-27T05:30:00Z"
    await Replica(outbox, NINE).tell()
    told = reports(store_url)["seven"]
    assert told["events"] == 1
    assert {"before", "counted_from"}.isdisjoint(told)


async def test_a_month_is_told_to_each_owner_of_their_users_against_the_month_before(
    outbox: SqlOutbox, store_url: str
) -> None:
    month = {"mine": ReportSettings(every="month", at="09:00", to="resellers", each="owner")}  # type: ignore[arg-type]
    first = datetime(2026, 12, 1, 5, 30, tzinfo=UTC)  # nine in Tehran
    days = [(95, None), (34, "seven"), (25, "seven"), (3, "seven"), (3, "nine")]
    await put(outbox, *(about(owner, at=first - days * DAY) for days, owner in days))
    for at in (first, first + DAY, first + 5 * DAY):
        await Replica(outbox, at, reports=month).tell()
    told = reports(store_url)
    assert {name: (one["every"], one["events"], one.get("before")) for name, one in told.items()} == {
        "seven": ("month", 2, 1),
        "nine": ("month", 1, None),
    }
    assert len(kept(store_url)) == 2


async def test_with_a_picture_each_sees_the_hours_of_their_own_users_in_one_panel_alone(
    outbox: SqlOutbox, store_url: str
) -> None:
    midnight = datetime(2026, 11, 27, 20, 30, tzinfo=UTC)
    at = [midnight, midnight + timedelta(hours=3), midnight + timedelta(hours=3, minutes=59)]
    await put(outbox, *(about("seven", at=one) for one in at), about("nine", at=midnight))
    await put(outbox, about("seven", at=midnight + timedelta(hours=8)), realm="other")
    mine = {"mine": EACH["mine"].model_copy(update={"picture": True})}
    announced = await Replica(outbox, NINE, reports=mine, realms=("other", "shop")).tell()
    bars = {one.recipient: one.event.data["report"]["bars"] for one in announced}
    assert bars["shop/owner:seven"] == [1, 0, 0, 2, *[0] * 20]
    assert bars["shop/owner:nine"] == [1, *[0] * 23]
    assert bars["other/owner:seven"] == [*[0] * 8, 1, *[0] * 15]


async def test_an_owner_is_told_nothing_of_the_operators_business(outbox: SqlOutbox, store_url: str) -> None:
    await put(outbox, about("seven"))
    await Replica(outbox, NINE).tell()
    known = {"name", "every", "begins_at", "ends_at", "hours", "counted_from", "events", "types", "users"}
    assert set(reports(store_url)["seven"]) == known


async def test_each_is_told_once_by_all_replicas_and_restarts_of_a_day(outbox: SqlOutbox, store_url: str) -> None:
    await put(outbox, about("seven"), about("nine"))
    times = [NINE + timedelta(hours=hours) for hours in range(0, 24, 3) for _ in range(2)]
    told = [len(await Replica(outbox, at).tell()) for at in times]
    assert told == [2] + [0] * 15
    with open_ledger(store_url) as ledger:
        assert ledger.read(set_aside_records, DeliveryQuery(limit=10)) == []  # nobody said anything twice


async def test_who_was_not_told_when_the_bridge_was_killed_is_told_then(outbox: SqlOutbox, store_url: str) -> None:
    await put(outbox, about("seven"))
    await Replica(outbox, NINE).tell()
    await put(outbox, about("nine"))  # as if its commit had not been made
    [one] = await Replica(outbox, NINE + timedelta(hours=1)).tell()
    assert one.recipient == "shop/owner:nine"
    assert "late_at" in reports(store_url)["nine"]


async def test_owners_of_two_panels_are_two_though_they_have_one_name(outbox: SqlOutbox, store_url: str) -> None:
    await put(outbox, about("seven", user="alice"), realm="shop")
    await put(outbox, about("seven", user="bob"), about("seven", user="bob"), realm="other")
    announced = await Replica(outbox, NINE, realms=("other", "shop")).tell()
    assert {(one.recipient, one.event.data["report"]["events"]) for one in announced} == {
        ("shop/owner:seven", 1),
        ("other/owner:seven", 2),
    }


async def test_what_was_told_of_a_day_is_nothing_that_happened_on_the_next(outbox: SqlOutbox, store_url: str) -> None:
    await put(outbox, about("seven"))
    assert len(await Replica(outbox, NINE).tell()) == 1
    assert await Replica(outbox, NINE + DAY).tell() == []


async def test_so_many_events_are_looked_at_and_more_is_said(
    outbox: SqlOutbox, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "MOST_LOOKED_AT", 3)
    await put(outbox, *(about("seven", user=f"user-{number}") for number in range(5)))
    await Replica(outbox, NINE).tell()
    told = reports(store_url)["seven"]
    assert (told["events"], told["cut"]) == (3, True)
