"""The table by which events were routed: kept once, and for as long as one of them is. On both engines."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bridge.event import Event
from bridge.intake import NO_TABLE, Decision, Destination, Intake, Routed, Table
from bridge.outcome import Done
from bridge.store import open_ledger, open_outbox
from bridge.store.keep import Keep
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import records
from bridge.store.retention import prune
from bridge.store.rows import lowest_event_id
from bridge.store.schema import tables
from bridge.value import replace
from tests.fakes import START, FakeClock, an_event
from tests.store.boxes import claimed, settle

DAY = timedelta(days=1)
OLD, NEW = Table("old", '["old"]'), Table("new", '["new"]')


def routed(event: Event, table: Table, *, sinks: tuple[str, ...] = ()) -> Intake:
    return Intake([Routed(event, tuple(Destination(sink, "route 1") for sink in sinks), Decision(table, ("route 1",)))])


def an_event_of(at: datetime, subject: str) -> Event:
    """An event that came in then, as its id says too."""
    return replace(an_event(subject, at=at), id=f"{lowest_event_id(at)}-7000-8000-{abs(hash(subject)) % 16**12:012x}")


def kept(url: str) -> dict[str, str]:
    """The rows of each table that is kept, by its key."""
    with open_ledger(url) as ledger:
        return ledger.read(lambda connection: {row.key: row.rows for row in connection.execute(sa.select(tables))})


def said(url: str, event: Event) -> object:
    with open_ledger(url) as ledger:
        found = ledger.read(records.event, event.id)
    return found and found[1]


@pytest.mark.parametrize("failed", [(), (("route 2", "division by zero"), ("route 3", "no ‮such thing"))])
async def test_an_event_is_kept_with_what_the_table_said_of_it(
    outbox: SqlOutbox, any_store_url: str, failed: tuple[tuple[str, str], ...]
) -> None:
    event, decision = an_event(), Decision(OLD, ("route 1", "route 4"), failed, beside=failed[:1])
    await outbox.put(Intake([Routed(event, (), decision)]))
    assert said(any_store_url, event) == decision


async def test_an_event_that_no_table_was_asked_about_is_kept_without_one(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    event, decision = an_event(), Decision(NO_TABLE, beside=(("message", "changes another"),))
    await outbox.put(Intake([Routed(event, (), decision)]))
    assert said(any_store_url, event) == decision
    assert kept(any_store_url) == {}


async def test_each_table_is_kept_once_however_often_it_is_in_force(any_store_url: str) -> None:
    events = [an_event(f"user:{n}") for n in range(6)]
    by = [OLD, OLD, NEW, OLD, OLD, NEW]
    for opened in range(2):  # the second time by a process that does not know what is kept
        async with open_outbox(any_store_url) as outbox:
            for event, table in zip(events[opened::2], by[opened::2], strict=True):
                await outbox.put(routed(event, table))
    assert kept(any_store_url) == {"old": OLD.rows, "new": NEW.rows}
    assert [said(any_store_url, event) for event in events] == [Decision(table, ("route 1",)) for table in by]


async def test_a_table_is_forgotten_with_the_last_event_that_was_routed_by_it(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    first, last = an_event_of(START, "user:first"), an_event_of(START + 10 * DAY, "user:last")
    await outbox.put(routed(first, OLD, sinks=("ops",)))
    await outbox.put(routed(last, NEW, sinks=("team",)))

    async def forget(days: int) -> None:
        await prune(outbox, keep=Keep(operators=DAY.total_seconds()), clock=FakeClock(START + days * DAY))

    await forget(9)
    assert kept(any_store_url).keys() == {"old", "new"}, "its delivery waits: the event is there"
    [waiting] = await claimed(outbox)
    await settle(outbox, waiting, Done())
    await forget(9)
    assert kept(any_store_url).keys() == {"new"}


async def test_a_table_that_is_in_use_for_long_is_not_forgotten(outbox: SqlOutbox, any_store_url: str) -> None:
    for day in range(8):
        await outbox.put(routed(an_event_of(START + day * DAY, f"user:{day}"), OLD))
    await prune(outbox, keep=Keep(operators=DAY.total_seconds()), clock=FakeClock(START + 8 * DAY))
    assert kept(any_store_url).keys() == {"old"}


async def test_what_every_row_said_of_an_event_from_before_tables_were_kept_is_told_as_it_was(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    event = replace(an_event(), subject=None)
    await outbox.put(routed(event, OLD))
    before = '[{"row":"route 1","matched":false,"why":"no"}]'
    with open_ledger(any_store_url) as ledger:
        ledger.write(
            lambda connection: connection.execute(
                sa.text("UPDATE events SET verdicts = :verdicts, table_key = NULL"), {"verdicts": before}
            )
        )
    assert said(any_store_url, event) == [{"row": "route 1", "matched": False, "why": "no"}]
