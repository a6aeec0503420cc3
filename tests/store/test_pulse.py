"""The pulse: it beats when something happens that people look at, and else it does not. On both engines."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bridge.admin import operations
from bridge.intake import Intake, SetAside
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate, HeldBack, Refused
from bridge.store import open_outbox, open_reader
from bridge.store.base import LaneState, Settlement, Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.pulse import pulse
from tests.fakes import START, an_event, an_intake

NOW = START + timedelta(seconds=30)


async def settle(outbox: SqlOutbox, fate: Fate, attempt: Attempt) -> None:
    [delivery] = (await outbox.claim("ops", after=0, now=NOW, limit=1)).deliveries
    await outbox.settle([Settlement(delivery, fate, attempt, NOW, ms=12.0)])


def settled(fate: Fate, attempt: Attempt) -> Callable[[SqlOutbox], Awaitable[None]]:
    return lambda outbox: settle(outbox, fate, attempt)


async def put(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event("user:bob", at=NOW)))


async def nowhere(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event("user:bob", at=NOW), sinks=()))


async def set_aside(outbox: SqlOutbox) -> None:
    odd = SetAside(source="berlin", received_at=NOW, path="0", reason="should be an object", element=1)
    await outbox.put(Intake((), [odd]))


async def park(outbox: SqlOutbox) -> None:
    await outbox.save_lane_state("ops", LaneState(standing=Standing.PARKED, reason="gone", since=NOW), epoch=0)


async def act(outbox: SqlOutbox) -> None:
    await outbox.operate(lambda ledger: operations.remember(ledger, "reload", {}, who="page", now=NOW))


HAPPENINGS = {
    "an event": put,
    "an event that goes nowhere": nowhere,
    "what is not understood": set_aside,
    "a delivery": settled(Done(), Attempt(Delivered(), 200)),
    "a try in vain": settled(Again(NOW + timedelta(seconds=30), "HTTP 502"), Attempt(Away("HTTP 502"), 502)),
    "what is given up": settled(Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400)),
    "what is held back": settled(HeldBack("quiet hours"), Attempt(Delivered())),
    "a lane that is parked": park,
    "an action": act,
}


@pytest.mark.parametrize("happens", HAPPENINGS.values(), ids=HAPPENINGS)
async def test_it_is_another_when_something_has_happened_and_the_same_where_nothing_has(
    any_store_url: str, happens: Callable[[SqlOutbox], Awaitable[None]]
) -> None:
    async with open_outbox(any_store_url) as outbox:
        await outbox.put(an_intake(an_event()))
        reader = open_reader(any_store_url, limit=30)
        try:
            before = reader.read(pulse, now=NOW)
            assert reader.read(pulse, now=NOW + timedelta(seconds=1)) == before
            await happens(outbox)
            after = reader.read(pulse, now=NOW + timedelta(seconds=2))
            assert after != before
            assert reader.read(pulse, now=NOW + timedelta(seconds=3)) == after
        finally:
            reader.close()
