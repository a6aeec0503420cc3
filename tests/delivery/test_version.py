"""What was said, mended or forgotten holds for what is about to be sent: here at once, elsewhere in half a second."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.admin.people.forgetting import forget
from bridge.delivery.gate import Admitted, Gate
from bridge.delivery.queue import Batch
from bridge.delivery.version import ASKED_EVERY, StoreVersion
from bridge.intake import Destination, Intake, Routed
from bridge.mute import MuteKind
from bridge.people.wants import chat_scope
from bridge.store import open_ledger, open_outbox
from bridge.store.base import AddressState
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.addresses import put_states
from bridge.store.queries.directory import put_in_force, put_records
from bridge.store.queries.links import close_links, put_link, unlink
from bridge.store.queries.mutes import add_mute
from bridge.store.queries.wishes import set_stopped, set_wants
from bridge.value import replace
from tests.delivery.lanes import ScriptedSink
from tests.delivery.test_customers import ALICE, BOT, Dm
from tests.fakes import DECISION, START, FakeClock, an_event
from tests.store.boxes import after
from tests.store.forgetting import ALICE as PERSON
from tests.store.forgetting import nowhere

UTC = ZoneInfo("UTC")
BLOCKED = AddressState(START, "has blocked the bot", START, after(86400))


def say(query: Callable[..., Any], *args: Any, **more: Any) -> Callable[[Ledger], Any]:
    return lambda ledger: ledger.write(query, *args, **more)


def mend(ledger: Ledger) -> None:
    ledger.write(put_records, [("two", [(ALICE, {"to": "6", "locale": "fa"})])])
    ledger.write(put_in_force, [("two", 0)])


#: What happens, and where alice is told then: her link is chat 7.
FOR_CUSTOMERS: dict[str, tuple[Callable[[Ledger], Any], str | None]] = {
    "she says stop": (say(set_stopped, ALICE, stop=True, by="them", now=START), None),
    "her chat says stop": (say(set_stopped, chat_scope(BOT, "7"), stop=True, by="them", now=START), None),
    "she wants less": (say(set_wants, ALICE, {"status": False}, by="them", now=START), None),
    "she wants to sleep": (say(set_wants, ALICE, {"quiet": "00:00-23:59"}, by="them", now=START), None),
    "she has another chat": (say(put_link, ALICE, BOT, "8", how="token", now=START), "8"),
    "her link is ended": (say(unlink, ALICE, START), "5"),
    "she is deleted": (say(close_links, ALICE, START), None),
    "she has blocked the bot": (say(put_states, [(BOT, "7", BLOCKED)]), None),
    "the directory is mended": (mend, "7"),
    "she is muted": (say(add_mute, MuteKind.SUBJECT, "user:alice", until=after(60), by="me", now=START), None),
    "she is forgotten": (lambda ledger: forget(ledger, PERSON, places=nowhere, now=START, pause=lambda: None), None),
}
FOR_OPERATORS = {name: FOR_CUSTOMERS[name][0] for name in ("she is muted", "she is forgotten")}


@pytest.fixture
async def outbox(any_store_url: str) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(any_store_url) as opened:
        yield opened


async def about_to_be_sent(gate: Gate, outbox: SqlOutbox, *, to: str | None = None) -> Admitted:
    """Something about alice, on the way to the socket."""
    user = {"username": "alice", "telegram_id": 1}
    event = replace(an_event("user:alice", type_="user.expired", at=START), source="marzban", data={"user": user})
    await outbox.keep_directory("one", [(ALICE, {"to": "5"})])
    await outbox.operate(say(put_link, ALICE, BOT, "7", how="token", now=START))
    destination = Destination("ops", "route 1", recipient=to)
    [delivery] = (await outbox.put(Intake([Routed(event, (destination,), DECISION)]))).deliveries
    admitted = await gate.admit(Batch([delivery]), UTC)
    assert admitted.batch.deliveries
    assert await gate.still_stands(admitted, UTC)
    return admitted


@pytest.mark.parametrize("name", FOR_CUSTOMERS)
async def test_what_happens_here_holds_at_once(outbox: SqlOutbox, clock: FakeClock, name: str) -> None:
    gate = Gate(Dm(clock), outbox, clock)
    admitted = await about_to_be_sent(gate, outbox, to=ALICE)
    happens, chat = FOR_CUSTOMERS[name]
    await outbox.operate(happens)
    await _holds(gate, admitted, chat)


@pytest.mark.parametrize("name", FOR_CUSTOMERS)
async def test_what_happens_elsewhere_holds_half_a_second_later(
    outbox: SqlOutbox, any_store_url: str, clock: FakeClock, name: str
) -> None:
    gate = Gate(Dm(clock), outbox, clock)
    admitted = await about_to_be_sent(gate, outbox, to=ALICE)
    happens, chat = FOR_CUSTOMERS[name]
    with open_ledger(any_store_url) as ledger:
        happens(ledger)
    clock.step(ASKED_EVERY)
    await _holds(gate, admitted, chat)


async def _holds(gate: Gate, admitted: Admitted, chat: str | None) -> None:
    assert not await gate.still_stands(admitted, UTC)
    again = await gate.admit(admitted.batch, UTC)
    assert (again.place, bool(again.batch.deliveries)) == (chat, chat is not None)


@pytest.mark.parametrize("name", FOR_OPERATORS)
@pytest.mark.parametrize("here", [True, False])
async def test_what_an_operator_is_told_is_decided_anew_as_well(
    outbox: SqlOutbox, any_store_url: str, clock: FakeClock, name: str, *, here: bool
) -> None:
    gate = Gate(ScriptedSink(clock), outbox, clock)
    admitted = await about_to_be_sent(gate, outbox)
    if here:
        await outbox.operate(FOR_OPERATORS[name])
    else:
        with open_ledger(any_store_url) as ledger:
            FOR_OPERATORS[name](ledger)
        clock.step(ASKED_EVERY)
    assert not await gate.still_stands(admitted, UTC)
    assert not (await gate.admit(admitted.batch, UTC)).batch.deliveries


async def test_what_is_about_somebody_else_holds_up_nobody(outbox: SqlOutbox, clock: FakeClock) -> None:
    gate = Gate(Dm(clock), outbox, clock)
    admitted = await about_to_be_sent(gate, outbox, to=ALICE)
    await outbox.operate(say(set_stopped, "marzban/user:bob", stop=True, by="them", now=START))
    assert await gate.still_stands(admitted, UTC)


class Counted:
    """An outbox that counts how often it is asked for its version."""

    def __init__(self) -> None:
        self.moves, self.asked = 0, 0

    async def version(self) -> int:
        self.asked += 1
        return 0


async def test_the_store_is_asked_no_more_often_than_that_while_nothing_happens_here(clock: FakeClock) -> None:
    outbox = Counted()
    version = StoreVersion(outbox, clock)  # type: ignore[arg-type]
    for _ in range(80):
        await version.now()
        clock.step(ASKED_EVERY / 8)
    assert outbox.asked == 10
    await version.now()
    outbox.moves += 1
    await version.now()
    assert outbox.asked == 12
