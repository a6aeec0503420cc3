"""What of an event and a delivery stands in a column of its own, so that it can be looked for. On both engines."""

import pytest
import sqlalchemy as sa

from bridge.outcome import Again, Attempt, Away, Delivered, Done
from bridge.store import open_ledger
from bridge.store.base import Settlement
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from bridge.store.schema import events
from bridge.value import replace
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import after, claimed


@pytest.mark.parametrize(
    ("owner", "kept"),
    [("reseller-7", "reseller-7"), ("' OR 1=1 --", "' OR 1=1 --"), ("", None), (7, None), (None, None)],
)
async def test_an_event_is_kept_with_whom_its_user_belongs_to(
    outbox: SqlOutbox, any_store_url: str, owner: object, kept: str | None
) -> None:
    await outbox.put(an_intake(replace(an_event(), data={"owner": owner})))
    assert owners(any_store_url) == [(kept, "marzban")]


async def test_an_event_is_kept_with_the_realm_of_its_source_or_its_name(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    await outbox.put(replace(an_intake(an_event()), realm="fra"))
    assert owners(any_store_url) == [(None, "marzban"), (None, "fra")]


async def test_a_delivery_tells_how_long_its_last_try_took_and_how_the_service_calls_it(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    tries = [(Again(after(1), "HTTP 502"), Attempt(Away("HTTP 502"), 502)), (Done(ref="m7"), Attempt(Delivered(), 200))]
    seen = []
    for number, (fate, attempt) in enumerate(tries):
        await outbox.settle([Settlement(delivery, fate, attempt, START, ms=30.4 + number)])
        with open_ledger(any_store_url) as ledger:
            [record] = ledger.read(delivery_records, DeliveryQuery())
        seen.append((record.ref, record.ms))
    assert seen == [(None, 30), ("m7", 31)]


def owners(url: str) -> list[tuple[str | None, str]]:
    with open_ledger(url) as ledger:
        select = sa.select(events.c.owner, events.c.realm).order_by(events.c.id)
        return ledger.read(lambda connection: [tuple(row) for row in connection.execute(select)])
