"""Records: what people look up."""

from datetime import timedelta
from typing import Any

import pytest

from bridge.intake import Intake, SetAside
from bridge.outcome import Dead, HeldBack
from bridge.store import open_ledger
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import records
from bridge.store.records import DeliveryQuery
from tests.fakes import DECISION, START, an_event, an_intake
from tests.store.boxes import after, claimed, settle


async def test_what_was_set_aside_is_in_the_ledger(outbox: SqlOutbox, any_store_url: str) -> None:
    aside = SetAside(source="marzban", received_at=START, path="[1]", reason="should be an object", element=7)
    await outbox.put(Intake([], [aside]))
    with open_ledger(any_store_url) as ledger:
        [record] = ledger.read(records.set_aside_records, DeliveryQuery(limit=10))
    assert (record.path, record.reason, record.element) == ("[1]", "should be an object", 7)


async def test_what_was_set_aside_is_found_by_its_source_and_its_time(outbox: SqlOutbox, any_store_url: str) -> None:
    for hour, source in enumerate(("marzban", "remnawave", "marzban")):
        aside = SetAside(
            source=source, received_at=START + timedelta(hours=hour), path="", reason=f"{hour}", element=hour
        )
        await outbox.put(Intake([], [aside]))
    with open_ledger(any_store_url) as ledger:

        def found(**query: Any) -> list[Any]:
            return [one.element for one in ledger.read(records.set_aside_records, DeliveryQuery(**query))]

        newest, *_ = ledger.read(records.set_aside_records, DeliveryQuery())
        assert found() == [2, 1, 0]
        assert found(source="marzban") == [2, 0]
        assert found(since=START + timedelta(hours=1)) == [2, 1]
        assert found(until=START + timedelta(hours=1)) == [0]
        assert found(behind=newest.id, limit=1) == [1]


async def test_the_ledger_tells_why_an_event_went_where_it_went(outbox: SqlOutbox, any_store_url: str) -> None:
    event = an_event()
    await outbox.put(an_intake(event))
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(records.event, event.id) == (
            event,
            DECISION,
        )
        assert ledger.read(records.event, "no such id") is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (DeliveryQuery(), [3, 2, 1]),
        (DeliveryQuery(limit=1), [3]),
        (DeliveryQuery(ids=(1, 2)), [2, 1]),
        (DeliveryQuery(states=(State.DEAD,)), [1]),
        (DeliveryQuery(sink="team"), []),
        (DeliveryQuery(type="user.deleted"), [3]),
        (DeliveryQuery(subject="user:bob"), [2]),
        (DeliveryQuery(source="elsewhere"), []),
        (DeliveryQuery(since=START + timedelta(seconds=1)), [3]),
    ],
)
async def test_the_ledger_finds_what_is_meant(
    outbox: SqlOutbox, any_store_url: str, query: DeliveryQuery, found: list[int]
) -> None:
    later = START + timedelta(seconds=5)
    await outbox.put(an_intake(an_event(), an_event("user:bob"), an_event("user:eve", type_="user.deleted", at=later)))
    first, *_ = await claimed(outbox)
    await settle(outbox, first, Dead("HTTP 400"))
    with open_ledger(any_store_url) as ledger:
        assert [record.id for record in ledger.read(records.delivery_records, query)] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (DeliveryQuery(until=START), []),
        (DeliveryQuery(until=after(5)), [2, 1]),
        (DeliveryQuery(since=START, until=after(5.000001)), [3, 2, 1]),
        (DeliveryQuery(states=(State.HELD_BACK,)), [2]),
        (DeliveryQuery(states=(State.HELD_BACK, State.PENDING)), [3, 2, 1]),
    ],
)
async def test_the_ledger_finds_what_was_held_back_and_what_came_before_a_time(
    outbox: SqlOutbox, any_store_url: str, query: DeliveryQuery, found: list[int]
) -> None:
    await outbox.put(an_intake(an_event(), an_event("user:bob"), an_event("user:eve", at=after(5))))
    _, second, _ = await claimed(outbox)
    await settle(outbox, second, HeldBack("quiet hours"))
    with open_ledger(any_store_url) as ledger:
        assert [record.id for record in ledger.read(records.delivery_records, query)] == found
