"""Whom deliveries are for, and where they are told: looked up for as many as a claim has, in a few statements together.

It is kept until something has changed, or others are asked for. With those that are on their way at once, who comes
next is looked up: the more of them, the more went by the same version before. Where much changes, few are in vain.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bridge.delivery.queue import CLAIMED
from bridge.people.address import Address, Addressing, NoAddress
from bridge.people.directory import DEFAULT
from bridge.people.recipient import Audience
from bridge.people.wants import NOTHING_SAID, all_of, away_scope, place_scope
from bridge.sinks.base import Sink
from bridge.store.base import NOBODY, AddressState, Delivery, Outbox, PlaceFacts, RecipientFacts
from bridge.value import Value, replace

#: What the directory says of recipients, by their keys.
Records = Mapping[str, Mapping[str, Any]]
Upcoming = Callable[[], Sequence[Delivery]]
NOWHERE = PlaceFacts()


class DeliveryTarget(Value):
    """Whom a delivery is for, and where they are told.

    to      the address, or why there is none
    record  what the directory says of them; where a customer chose language, zone or hours, those are theirs
    known   what else is known of them; of a customer with what was said in that very chat, whoever is told there
    state   how that address stands; None where it was never spoken to
    """

    to: Address | NoAddress
    record: Mapping[str, Any]
    known: RecipientFacts = NOBODY
    state: AddressState | None = None


class Lookups:
    """What was looked up last for the deliveries of a sink with many addresses."""

    def __init__(self, sink: Sink, addressing: Addressing, outbox: Outbox) -> None:
        self._sink, self._addressing, self._outbox = sink, addressing, outbox
        self._asking = asyncio.Lock()
        self._version: int | None = None  # of the store, when it was asked
        self._found: Mapping[int, DeliveryTarget] = {}
        self._served = 0  # deliveries that were asked for at that version

    async def reaches(
        self, deliveries: Sequence[Delivery], upcoming: Upcoming, version: int
    ) -> Mapping[int, DeliveryTarget]:
        """Whom at least these are for, by their ids, at a version of the store. `upcoming`: what comes behind them."""
        async with self._asking:  # several are on their way, and the first one asks for all of them
            if version != self._version:
                self._version, self._found, self._served = version, {}, 0
            self._served += len(deliveries)
            if any(one.id not in self._found for one in deliveries):
                some = {one.id: one for one in (*deliveries, *filter(self._is_ready, upcoming()))}
                most = max(len(deliveries), min(CLAIMED, self._sink.concurrency * self._served))
                self._found = await self._look_up(list(some.values())[:most])
            return self._found

    def _is_ready(self, delivery: Delivery) -> bool:
        """Whether nothing of its event has to be read to know where it goes: big ones are read when they are sent."""
        return delivery.loaded or not self._addressing.needs_data

    async def _look_up(self, deliveries: Sequence[Delivery]) -> Mapping[int, DeliveryTarget]:
        sender, addressing = self._sink.sender, self._addressing
        keys = {one.recipient for one in deliveries if one.recipient is not None}
        known = await self._outbox.known(sender, sorted(keys | ({DEFAULT} if addressing.default else set())))
        records = records_of(known, addressing)
        whole = await self._outbox.load(deliveries) if addressing.needs_data else deliveries
        links = {key: one.link for key, one in known.items()}
        to = {one.id: address_of(one, addressing, records, links.get(one.recipient or "")) for one in whole}
        scopes = {one.place: self._scope(one.place) for one in to.values() if isinstance(one, Address)}
        if addressing.audience is Audience.PERSON and not is_mail(self._sink):
            away = (away_of(one, to[one.id], sender) for one in deliveries)
            scopes.update((scope, scope) for scope in away if scope is not None)
        places = await self._outbox.places(sender, scopes)
        return {one.id: reach_of(one, to[one.id], addressing, known, records, places, sender) for one in deliveries}

    def _scope(self, place: str) -> str:
        """By what the wishes of a place are kept."""
        return place_scope(self._sink.sender, place, is_mailbox=is_mail(self._sink))


def is_mail(sink: Sink) -> bool:
    """Whether its addresses are mailboxes."""
    return sink.look.service is not None and sink.look.service.mailboxes


def records_of(known: Mapping[str, RecipientFacts], addressing: Addressing) -> Records:
    """What the directory says of recipients; where customers chose language, zone or hours, those are theirs."""
    if addressing.audience is not Audience.PERSON:
        return {key: one.record for key, one in known.items() if one.record is not None}
    said = {key: one for key, one in known.items() if one.record is not None or one.wants.chosen}
    return {key: {**(one.record or {}), **one.wants.chosen} for key, one in said.items()}


def reach_of(
    delivery: Delivery,
    to: Address | NoAddress,
    addressing: Addressing,
    known: Mapping[str, RecipientFacts],
    records: Records,
    places: Mapping[str, PlaceFacts],
    sender: str,
) -> DeliveryTarget:
    """Whom a delivery is for that goes `to` there; of a customer with what was said in that very chat."""
    key = delivery.recipient or ""
    theirs, record = known.get(key, NOBODY), records.get(key, {})
    place = places.get(to.place, NOWHERE) if isinstance(to, Address) else NOWHERE
    away = places.get(away_of(delivery, to, sender) or "", NOWHERE)
    said = [one.wants for one in (place, away) if one.wants is not NOTHING_SAID]
    if addressing.audience is not Audience.PERSON or not said:
        return DeliveryTarget(to, record, theirs, place.state)
    wants = all_of([theirs.wants, *said])
    return DeliveryTarget(to, {**record, **wants.chosen}, replace(theirs, wants=wants), place.state)


def away_of(delivery: Delivery, to: Address | NoAddress, sender: str) -> str | None:
    """By what it is kept that its recipient is told nothing there, by the word of whoever is."""
    if delivery.recipient is None or not isinstance(to, Address):
        return None
    return away_scope(sender, to.place, delivery.recipient)


def address_of(
    delivery: Delivery, addressing: Addressing, records: Records, link: str | None = None
) -> Address | NoAddress:
    """Where a delivery goes: to the chat that its recipient has linked, else by the record of its recipient, and by
    nobody else's but the default one.
    """
    record = records.get(delivery.recipient) if delivery.recipient is not None else None
    if link is not None and (linked := addressing.of_link(link, record or {})) is not None:
        return linked
    address = addressing.resolve(delivery.event, record, recipient=delivery.recipient)
    if isinstance(address, NoAddress) and addressing.default and DEFAULT in records:
        return addressing.of_record(delivery.event, records[DEFAULT])
    return address
