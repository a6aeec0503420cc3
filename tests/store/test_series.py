"""What was counted, as people look at it: in steps, by rows, and nothing but what there was. On both engines."""

from datetime import timedelta

from bridge.intake import Decision, Intake, Routed
from bridge.outcome import Attempt, Dead, Delivered, Done, Refused
from bridge.store import open_ledger
from bridge.store.base import Settlement
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.series import row_counts, series
from bridge.store.queries.tallies import TallyKind
from tests.fakes import START, TABLE, an_event, an_intake
from tests.store.boxes import after, claimed

DAY = timedelta(days=1)


async def test_a_series_has_a_point_for_each_step_in_which_there_was_something(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    for seconds in (0, 60, 1800, 7200):
        await outbox.put(an_intake(an_event(at=after(seconds))))
    with open_ledger(any_store_url) as ledger:
        halves = ledger.read(series, TallyKind.IN, step=1800, since=START - DAY)
        hours = ledger.read(series, TallyKind.IN, step=3600, since=START - DAY, name="marzban")
        assert ledger.read(series, TallyKind.IN, step=3600, since=START - DAY, name="rebecca") == []
        assert ledger.read(series, TallyKind.IN, step=3600, since=after(7200)) == []
    full = START.replace(minute=0, second=0)
    assert [(one.at - full, one.n) for one in halves] == [
        (timedelta(), 2),
        (timedelta(minutes=30), 1),
        (timedelta(hours=2), 1),
    ]
    assert [(one.at - full, one.n) for one in hours] == [(timedelta(), 3), (timedelta(hours=2), 1)]
    assert {(one.name, one.detail) for one in halves} == {("marzban", "accepted")}


async def test_a_series_of_a_sink_tells_what_arrived_from_what_did_not_and_how_long_it_took(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(3))))
    fates = [(Done(), 20.0), (Done(), 40.0), (Dead("HTTP 400"), 9.0)]
    for delivery, (fate, ms) in zip(await claimed(outbox), fates, strict=True):
        attempt = Attempt(Delivered() if isinstance(fate, Done) else Refused("HTTP 400"))
        await outbox.settle([Settlement(delivery, fate, attempt, START, ms=ms)])
    with open_ledger(any_store_url) as ledger:
        found = ledger.read(series, TallyKind.OUT, step=86400, since=START - DAY, name="ops")
    assert [(one.detail, one.n, one.ms_sum, one.ms_max) for one in found] == [
        ("dead", 1, 9, 9),
        ("delivered", 2, 60, 40),
    ]


async def test_rows_are_counted_within_a_day_and_a_week_and_the_last_time_is_told(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    now = START + timedelta(days=40)
    failed = Decision(TABLE, (), failed=(("route 2", "no such name"),))
    for days in (39, 5, 1.5, 0.5):
        await outbox.put(an_intake(an_event(at=now - timedelta(days=days))))
    await outbox.put(Intake([Routed(an_event(at=now), (), failed)]))
    with open_ledger(any_store_url) as ledger:
        one, two = sorted(ledger.read(row_counts, day=now - DAY, week=now - 7 * DAY), key=lambda one: one.name)
    assert (one.name, one.day, one.week, one.failed) == ("route 1", 1, 3, 0)
    assert one.last_at == (now - timedelta(days=0.5)).replace(second=0)
    assert (two.name, two.day, two.week, two.failed, two.last_at) == ("route 2", 0, 0, 1, None)
