"""Whom a claim is for is looked up together, decided as if each were alone, and never for more than a claim."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.gate import Admitted, Gate
from bridge.delivery.lookup import Lookups
from bridge.delivery.queue import CLAIMED, Batch
from bridge.event import Event
from bridge.markup.service import ServiceLook
from bridge.mute import Mute
from bridge.outcome import Fate
from bridge.people.address import Address, Addressing, Form
from bridge.people.directory import DEFAULT
from bridge.people.rules import CustomerRules
from bridge.people.wants import NOTHING_SAID, Wants, chat_scope
from bridge.sinks.telegram.service import TELEGRAM
from bridge.store.base import NOBODY, AddressState, Delivery, PlaceFacts, RecipientFacts
from bridge.terms import Quiet, Terms
from bridge.value import replace
from tests.delivery.lanes import ScriptedSink
from tests.fakes import START, FakeClock, an_event
from tests.store.boxes import after

CHAT = Form("[0-9]+", "a chat", linked=True)
CUSTOMERS = Addressing({"to": "{{ person.to or data.user.telegram_id }}"}, {"to": CHAT})
OWNERS = Addressing({"to": "{{ owner.to }}"}, {"to": CHAT}, default=True)
UTC = ZoneInfo("UTC")
NAMES = ("alice", "bob", "carol", "dora")


@dataclass
class Town:
    """All that a gate asks an outbox, from memory; it remembers how many were asked for at once."""

    people: dict[str, RecipientFacts] = field(default_factory=dict)
    chats: dict[str, PlaceFacts] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    now: int = 0
    moves: int = 0
    asked: list[int] = field(default_factory=list)

    def change(self) -> None:
        self.now, self.moves = self.now + 1, self.moves + 1

    async def version(self) -> int:
        return self.now

    async def known(self, sender: str, keys: Sequence[str]) -> Mapping[str, RecipientFacts]:
        self.asked.append(len(keys))
        await asyncio.sleep(0)
        return {key: self.people.get(key, NOBODY) for key in keys}

    async def places(self, sender: str, scopes: Mapping[str, str]) -> Mapping[str, PlaceFacts]:
        own = {place: scope for place, scope in scopes.items() if place != scope}  # beside what is no chat itself
        assert all(scope == chat_scope(sender, place) for place, scope in own.items())
        await asyncio.sleep(0)
        return {place: self.chats.get(place, PlaceFacts()) for place in scopes}

    async def load(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        return deliveries

    async def mutes(self, **_: Any) -> Sequence[Mute]:
        return ()

    async def last_erasure(self) -> tuple[int, int]:
        return 0, 0

    async def told_since(self, key: str, since: object) -> int:
        return self.told.get(key, 0)

    async def deleted_by(self, key: str, at: datetime) -> str | None:
        return None

    async def later_events(self, key: str, event_id: str) -> Sequence[Event]:
        return ()


class Chats(ScriptedSink):
    look = ServiceLook(TELEGRAM)
    concurrency = 8

    def __init__(self, addressing: Addressing) -> None:
        super().__init__(FakeClock())
        self.addressing = addressing


def a_gate(town: Town, addressing: Addressing = CUSTOMERS) -> Gate:
    return Gate(Chats(addressing), town, FakeClock())  # type: ignore[arg-type]


def a_delivery(number: int, name: str, type_: str = "user.expired", terms: Terms | None = None) -> Delivery:
    user = {"username": name, "telegram_id": sum(name.encode())}
    event = replace(an_event(f"user:{name}", type_=type_), source="marzban", data={"user": user, "owner": name})
    return Delivery(
        id=number, event=event, sink="ops", row="route 1", made_at=START, recipient=f"marzban/user:{name}", terms=terms
    )


def for_owners(delivery: Delivery) -> Delivery:
    assert delivery.recipient is not None
    return replace(delivery, recipient=delivery.recipient.replace("user:", "owner:"))


CHOSEN = st.fixed_dictionaries(
    {},
    optional={
        "locale": st.just("fa"),
        "zone": st.sampled_from(["Asia/Tehran", "UTC"]),
        "quiet": st.sampled_from(["00:00-12:00", "20:00-21:00"]),
    },
)
WANTS = st.builds(
    Wants,
    stopped=st.integers(0, 4).map(lambda one: one == 0),
    categories=st.dictionaries(st.sampled_from(["reminders", "status"]), st.booleans()),
    chosen=CHOSEN,
)
CHATS = ("7", "8", *(str(sum(name.encode())) for name in NAMES))
BLOCKED, ASKED_AGAIN = AddressState(START, "blocked", START, after(60)), AddressState(None, "gone", START, START)
STATES = st.sampled_from([None, AddressState(START), BLOCKED, ASKED_AGAIN])
KEYS = [f"marzban/{kind}:{name}" for kind in ("user", "owner") for name in NAMES] + [DEFAULT]
PEOPLE = st.dictionaries(
    st.sampled_from(KEYS),
    st.builds(
        RecipientFacts,
        wants=st.just(NOTHING_SAID) | WANTS,
        link=st.sampled_from([None, None, "7", "8"]),
        closed_at=st.sampled_from([None, None, START, after(-60)]),
        several=st.booleans(),
        record=st.none() | CHOSEN.map(lambda said: {"to": "8", **said}) | st.just({"to": "no chat"}),
    ),
)
TOWNS = st.builds(
    Town,
    people=PEOPLE,
    chats=st.dictionaries(st.sampled_from(CHATS), st.builds(PlaceFacts, STATES, st.just(NOTHING_SAID) | WANTS)),
    told=st.dictionaries(st.sampled_from(KEYS), st.integers(0, 4)),
)
DELIVERIES = st.lists(
    st.builds(
        a_delivery,
        st.just(0),
        st.sampled_from(NAMES),
        st.sampled_from(["user.expired", "user.expiring", "user.created"]),
        st.sampled_from([None, Terms(critical=True), Terms(max_per_day=3), Terms(category="reminders")]),
    ),
    min_size=1,
    max_size=12,
).map(lambda some: [replace(one, id=number) for number, one in enumerate(some, start=1)])
RULES = st.builds(
    CustomerRules,
    categories=st.dictionaries(st.sampled_from(["reminders", "status"]), st.booleans()),
    max_per_day=st.sampled_from([None, 2]),
    quiet=st.sampled_from([None, Quiet(hours="00:00-05:00", mode="drop")]),
)


@given(town=TOWNS, deliveries=DELIVERIES, rules=RULES, addressing=st.sampled_from([CUSTOMERS, OWNERS]))
def test_whoever_is_looked_up_with_others_is_told_the_same_as_alone(
    town: Town, deliveries: list[Delivery], rules: CustomerRules, addressing: Addressing
) -> None:
    if addressing is OWNERS:
        deliveries = [for_owners(one) for one in deliveries]

    async def together() -> list[Admitted]:
        gate = a_gate(town, addressing)
        return [await gate.admit(Batch([one]), UTC, rules, lambda: deliveries) for one in deliveries]

    async def each_alone() -> list[Admitted]:
        return [await a_gate(town, addressing).admit(Batch([one]), UTC, rules) for one in deliveries]

    assert list(map(decision, asyncio.run(together()))) == list(map(decision, asyncio.run(each_alone())))


def decision(admitted: Admitted) -> tuple[Any, ...]:
    settled: list[tuple[int, Fate]] = [(one.id, fate) for one, fate in admitted.settled]
    to: Address | None = admitted.address
    return (
        [one.id for one in admitted.batch.deliveries],
        settled,
        to and (to.place, to.settings, to.locale),
        (admitted.silent, admitted.apart, admitted.customer, admitted.state),
    )


def many(count: int) -> list[Delivery]:
    return [a_delivery(number, f"user-{number}") for number in range(1, count + 1)]


async def admit_all(town: Town, deliveries: Sequence[Delivery]) -> None:
    gate = a_gate(town)
    for number, one in enumerate(deliveries):
        await gate.admit(Batch([one]), UTC, CustomerRules(), lambda behind=deliveries[number:]: behind[:CLAIMED])


async def test_never_more_are_looked_up_at_once_than_are_claimed_and_nearly_all_of_them_together() -> None:
    town = Town()
    await admit_all(town, many(1000))
    assert max(town.asked) == CLAIMED
    assert sum(town.asked) == 1000
    assert len(town.asked) <= 1000 / CLAIMED + 3


async def test_of_fifty_thousand_no_more_are_remembered_than_are_claimed() -> None:
    town, lookups = Town(), Lookups(Chats(CUSTOMERS), CUSTOMERS, Town())  # type: ignore[arg-type]
    deliveries = many(50_000)
    for number in range(0, len(deliveries), CLAIMED // 2):
        some = deliveries[number : number + CLAIMED]
        assert len(await lookups.reaches(some[:1], lambda some=some: some, town.now)) <= CLAIMED  # type: ignore[misc]


async def test_where_something_changes_all_the_time_only_those_are_looked_up_that_are_on_their_way() -> None:
    town, deliveries = Town(), many(100)
    gate = a_gate(town)
    for one in deliveries:
        town.change()
        await gate.admit(Batch([one]), UTC, CustomerRules(), lambda: deliveries)
    assert set(town.asked) == {Chats.concurrency}


async def test_those_that_are_on_their_way_together_ask_once() -> None:
    town, deliveries = Town(), many(Chats.concurrency)
    gate = a_gate(town)
    await asyncio.gather(*(gate.admit(Batch([one]), UTC, CustomerRules(), lambda: deliveries) for one in deliveries))
    assert town.asked == [Chats.concurrency]


async def test_what_has_to_be_read_to_be_addressed_is_looked_up_when_it_is_sent() -> None:
    town, (first, big, third) = Town(), many(3)
    big = replace(big, loaded=False)
    gate = a_gate(town)
    await gate.admit(Batch([first, third]), UTC, CustomerRules(), lambda: [first, big, third])
    assert town.asked == [2]


@pytest.mark.parametrize(
    ("changed", "stands"),
    [
        (lambda town: None, True),
        (lambda town: town.people.update({"marzban/user:bob": RecipientFacts(Wants(stopped=True))}), True),
        (lambda town: town.people.update({"marzban/user:alice": RecipientFacts(Wants(stopped=True))}), False),
        (lambda town: town.people.update({"marzban/user:alice": RecipientFacts(link="7")}), False),
        (lambda town: town.people.update({"marzban/user:alice": RecipientFacts(closed_at=after(60))}), False),
        (lambda town: town.people.update({"marzban/user:alice": RecipientFacts(record={"to": "9"})}), False),
        (lambda town: town.people.update({"marzban/user:alice": RecipientFacts(record={"locale": "fa"})}), False),
        (lambda town: town.chats.update({"510": PlaceFacts(BLOCKED)}), False),
        (lambda town: town.chats.update({"510": PlaceFacts(wants=Wants(stopped=True))}), False),
        (lambda town: town.chats.update({"510": PlaceFacts(AddressState(START))}), True),
    ],
)
async def test_only_what_is_about_somebody_keeps_a_message_to_them_from_the_socket(changed: Any, stands: bool) -> None:
    town, alice = Town(), a_delivery(1, "alice")
    gate = a_gate(town)
    admitted = await gate.admit(Batch([alice]), UTC)
    assert admitted.place == "510"
    changed(town)
    assert await gate.still_stands(admitted, UTC)  # nothing is asked while nobody says that anything has changed
    town.change()
    assert await gate.still_stands(admitted, UTC) is stands
