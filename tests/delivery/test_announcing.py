"""Announcements in a lane: what went to the socket goes there no second time by itself, what did not is not lost."""

from inspect import iscoroutinefunction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.admin.people.announcing import AnnouncementRecipient, put_all
from bridge.delivery.resources import LaneSettings
from bridge.errors import StoreError, StoreUnavailable
from bridge.markup.service import Service
from bridge.message import Message
from bridge.messages.customer import Me
from bridge.messages.renderer import Rendered
from bridge.outcome import Attempt
from bridge.people import announcement
from bridge.people.brand import Brand
from bridge.people.rules import CustomerRules
from bridge.sinks.base import OnSent
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.announcements import add_announcement, stop
from bridge.store.records import AnnouncementRecord
from bridge.value import replace
from tests.delivery.lanes import Fleet, carry_all
from tests.delivery.test_customers import ALICE, Shop, Words
from tests.fakes import START, FakeClock

RECORD = AnnouncementRecord(
    at=START, by="ops", sink="ops", chosen=("all",), text="soon", category="news", critical=False, counted=1
)


class Told(Words):
    """A renderer that says an announcement as it stands."""

    def announcement(self, service: Service, source: str, me: Me, brand: Brand) -> Rendered:
        return Rendered({"text": source})


class Store:
    """A store that is away for one call, the next but `left` of them; `failed` are the verbs that it failed at."""

    def __init__(self, outbox: SqlOutbox) -> None:
        self._outbox = outbox
        self.left: int | None = None
        self.failed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._outbox, name)
        if not iscoroutinefunction(verb):
            return verb

        async def asked(*args: Any, **more: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    self.left = None
                    self.failed.append(name)
                    raise StoreUnavailable("store: away")
            return await verb(*args, **more)

        return asked


class Announcing(Shop):
    """A lane of customers that are announced something; alice has linked a chat, 7."""

    def __init__(self, outbox: SqlOutbox, clock: FakeClock, store_url: str) -> None:
        super().__init__(outbox, clock, store_url, CustomerRules())
        self.store = Store(outbox)
        self.lane = Fleet(self.store, clock).lane(self.sink, renderer=Told())
        self.lane.settings = LaneSettings(Told(), ZoneInfo("UTC"), CustomerRules())  # type: ignore[arg-type]

    async def announce(self) -> int:
        """Put an announcement to alice; its id."""

        def put(ledger: Ledger) -> int:
            id_ = ledger.write(add_announcement, RECORD)
            list(put_all(ledger, replace(RECORD, id=id_), [AnnouncementRecipient(ALICE)], self.clock.now()))
            return id_

        return await self.outbox.operate(put)

    async def carry(self) -> None:
        self.clock.step(5)
        self.lane.wake()
        while True:
            try:
                await carry_all(self.lane)
                return
            except StoreError:
                continue


@pytest.fixture
async def shop(outbox: SqlOutbox, clock: FakeClock, store_url: str) -> Announcing:
    shop = Announcing(outbox, clock, store_url)
    await shop.link()
    return shop


async def test_what_went_to_the_socket_before_is_held_back_as_uncertain(shop: Announcing) -> None:
    await shop.announce()
    await shop.outbox.begin([1], now=START)
    await shop.carry()
    assert (shop.sink.chats, shop.reasons()) == ([], [announcement.UNCERTAIN])


async def test_what_is_stopped_right_before_the_socket_is_not_sent(
    shop: Announcing, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, begin = await shop.announce(), shop.outbox.begin

    async def stopped_meanwhile(*args: Any, **more: Any) -> Any:
        await shop.outbox.operate(lambda ledger: ledger.write(stop, id_, now=START))
        return await begin(*args, **more)

    monkeypatch.setattr(shop.outbox, "begin", stopped_meanwhile)
    await shop.carry()
    assert (shop.sink.chats, shop.reasons()) == ([], ["the announcement was stopped"])


async def test_wherever_the_store_goes_away_before_the_socket_it_is_told_once(
    shop: Announcing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round the store fails one call later, until it would be behind the socket."""
    at = shop.sink.at

    def there(address: Any) -> Any:
        there = at(address)
        send = there.send

        async def sent(message: Message, on_sent: OnSent = None) -> Attempt:
            shop.store.left = None
            return await send(message, on_sent)

        there.send = sent  # type: ignore[method-assign]
        return there

    monkeypatch.setattr(shop.sink, "at", there)
    for number in range(100):
        await shop.announce()
        shop.store.left = number
        await shop.carry()
        assert shop.reasons() == [None] * (number + 1), shop.store.failed
        assert shop.sink.chats == ["7"] * (number + 1)
        if len(shop.store.failed) == number:
            break
    assert {"begun", "known", "load", "begin"} <= set(shop.store.failed)
