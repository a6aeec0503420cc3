"""What an owner may see, on both engines: their own events, by the exact name and realm, and who of theirs was told."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.event import Event
from bridge.intake import Destination, Intake, Routed
from bridge.outcome import Done
from bridge.people.owner import Owner
from bridge.store import open_ledger, open_outbox
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import owned
from bridge.store.scope import OwnedLedger
from bridge.value import replace
from tests.fakes import DECISION, START, an_event
from tests.store.boxes import after, claimed, settle

SEVEN = Owner("marzban", "reseller-7")
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)


def of_owner(owner: str | None, user: str = "alice", *, at: float = 0, type_: str = "user.created") -> Event:
    event = an_event(f"user:{user}", type_=type_, at=after(at))
    return replace(event, data={"user": {"username": user}, "owner": owner})


async def put(outbox: SqlOutbox, event: Event, *recipients: str | None, realm: str = "marzban") -> None:
    to = tuple(Destination(f"sink-{number}", "row", recipient=one) for number, one in enumerate(recipients))
    await outbox.put(Intake([Routed(event, to, DECISION)], realm=realm))


async def test_events_are_found_by_user_and_type_newest_first(outbox: SqlOutbox, any_store_url: str) -> None:
    first, second = of_owner("reseller-7", at=1), of_owner("reseller-7", "bob", at=2, type_="user.expired")
    for event in (first, second, of_owner("reseller-9", at=3), of_owner(None, at=4)):
        await put(outbox, event)
    await put(outbox, of_owner("reseller-7", at=5), realm="fra")
    with open_ledger(any_store_url) as opened:
        ledger = OwnedLedger(opened, SEVEN)
        assert [one.id for one in ledger.read(owned.owned_events, limit=9)] == [second.id, first.id]
        assert [one.id for one in ledger.read(owned.owned_events, limit=1)] == [second.id]
        assert [one.id for one in ledger.read(owned.owned_events, before=second.id, limit=9)] == [first.id]
        assert [one.id for one in ledger.read(owned.owned_events, subject="user:bob", limit=9)] == [second.id]
        assert [one.id for one in ledger.read(owned.owned_events, type_="user.created", limit=9)] == [first.id]
        assert ledger.read(owned.count_owned, since=START) == {"user.created": 1, "user.expired": 1}
        assert ledger.read(owned.count_owned, since=after(1.5)) == {"user.expired": 1}


async def test_of_what_was_told_they_see_what_was_for_them_and_theirs(outbox: SqlOutbox, any_store_url: str) -> None:
    event = of_owner("reseller-7")
    theirs = ["marzban/user:alice", "marzban/owner:reseller-7"]
    await put(outbox, event, *theirs, None, "marzban/node:fra-1", "marzban/owner:reseller-9", "fra/user:alice")
    [told] = await claimed(outbox, sink="sink-0")
    await settle(outbox, told, Done(), at=after(9))
    with open_ledger(any_store_url) as opened:
        ledger = OwnedLedger(opened, SEVEN)
        found = ledger.read(owned.owned_deliveries, [event.id])[event.id]
        assert [(one.recipient, one.state, one.settled_at) for one in found] == [
            (theirs[0], State.DELIVERED, after(9)),
            (theirs[1], State.PENDING, None),
        ]
        assert ledger.read(owned.count_told, since=START) == {State.DELIVERED: 1, State.PENDING: 1}
        assert OwnedLedger(opened, Owner("marzban", "reseller-9")).read(owned.owned_deliveries, [event.id]) == {}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(owner=names, other=names)
def test_no_name_is_another(any_store_url: str, owner: str, other: str) -> None:
    event = of_owner(owner)

    async def fill() -> None:
        async with open_outbox(any_store_url) as outbox:
            await put(outbox, event, realm="a realm")

    asyncio.run(fill())
    with open_ledger(any_store_url) as ledger:
        for name in {owner, other, owner[:-1], f"{owner} ", owner.swapcase()}:
            found = ledger.read(owned.owned_event, Owner("a realm", name), event.id)
            assert (found is not None) is (name == owner)


@pytest.mark.parametrize("odd", ["", "none", "' OR 1=1 --", "\u200b", "%", "_" * 36])
async def test_what_is_no_id_is_no_event(outbox: SqlOutbox, any_store_url: str, odd: str) -> None:
    await put(outbox, of_owner("reseller-7"))
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(owned.owned_event, SEVEN, odd) is None
