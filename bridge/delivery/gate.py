"""What of a batch goes to the socket now, and where: its terms, quiet hours, the address, the message that it updates.

Whom a delivery is for was decided when it was routed. Where that is, is looked up here, right before it is sent: a
mended directory holds for what already waits.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from bridge.clock import Clock
from bridge.delivery.address_book import AddressBook
from bridge.delivery.announcing import uncertain
from bridge.delivery.attempt import Customer
from bridge.delivery.customers import Customers, unwanted, with_wants
from bridge.delivery.earlier import NOTHING_TO_DELETE, earlier_message, is_deletion, wants_earlier
from bridge.delivery.erased import ERASED, Erased
from bridge.delivery.muting import Mutes
from bridge.delivery.pace import Pace
from bridge.delivery.policy import Send, admission, suppressed_by
from bridge.delivery.queue import Batch
from bridge.delivery.reminding import ending
from bridge.message import Earlier
from bridge.outcome import Again, Attempt, Fate, HeldBack, Limited, Spaced
from bridge.people.address import Address, Addressing, NoAddress
from bridge.people.directory import DEFAULT
from bridge.people.recipient import Audience
from bridge.people.reduced import reduced
from bridge.people.rules import NO_RULES, CustomerRules
from bridge.people.wants import chat_scope, mailbox_scope
from bridge.sinks.base import Sink
from bridge.store.base import Delivery, Known, Outbox, State
from bridge.terms import Quiet, Storm

SOON = 2.0  # seconds that an address is waited for whose time was promised: it was spoken to a little late
LATE = 1.0  # seconds behind the age from which on a sink's storm guard makes one message of what waits
#: What the directory says of recipients, by their keys.
Records = Mapping[str, Mapping[str, Any]]
PACED = "waits for its turn at this address"


@dataclass(frozen=True, slots=True)
class Admitted:
    """What of a batch is to be sent.

    sink     the one that sends it: the lane's, for the address that all of it goes to
    settled  what is not sent, and why
    apart    whether it has to go one by one: it is not for one address
    place    what the limits of that address are kept by; None where the sink has but one
    customer  who is told, where that is a customer
    known     what was known of customers and their chats when this was decided
    """

    batch: Batch
    sink: Sink
    silent: bool = False
    earlier: Earlier | None = None
    settled: Sequence[tuple[Delivery, Fate]] = ()
    apart: bool = False
    place: str | None = None
    customer: Customer | None = None
    known: Mapping[str, Known] = field(default_factory=dict)


class Gate:
    """What lets the deliveries of one sink through."""

    def __init__(self, sink: Sink, outbox: Outbox, clock: Clock) -> None:
        self._sink = sink
        self._outbox = outbox
        self._clock = clock
        self._mutes = Mutes(outbox, clock)
        self._erased = Erased(outbox, clock)
        self._pace = Pace(clock.monotonic())
        self._awaited = 0  # deliveries that wait here until their address may be spoken to
        self._book = AddressBook(sink.sender, outbox, clock)
        self._customers = Customers(outbox, clock)

    async def admit(self, batch: Batch, zone: ZoneInfo, rules: CustomerRules = NO_RULES) -> Admitted:
        """What of a batch is to be sent now; the rest is to be settled as is said of it."""
        gone = await self._erased.among(batch.deliveries)
        erased = [(one, ERASED) for one in batch.deliveries if one.id in gone]
        admitted = await self._admit_kept(without(batch, erased), zone, rules)
        return replace(admitted, settled=[*erased, *admitted.settled]) if erased else admitted

    async def _admit_kept(self, batch: Batch, zone: ZoneInfo, rules: CustomerRules) -> Admitted:
        """What of a batch that the store still has is to be sent now: nothing else of it could be read."""
        addressing = self._sink.addressing
        if addressing is None:
            return await self._wanted(batch, {}, zone)
        keys = sorted({one.recipient for one in batch.deliveries if one.recipient is not None})
        records = await self._outbox.records([*keys, *([DEFAULT] if addressing.default else [])])
        if addressing.audience is Audience.PERSON:
            return await self._for_customers(batch, addressing, records, zone, rules)
        admitted = await self._wanted(batch, records, zone)
        return await self._addressed(admitted, addressing, records) if admitted.batch.deliveries else admitted

    async def still_stands(self, admitted: Admitted) -> bool:
        """Whether nobody has said stop, or has another chat, since it was decided: asked right before the socket."""
        return not admitted.known or await self._known(list(admitted.known)) == admitted.known

    async def with_earlier(self, admitted: Admitted) -> Admitted:
        """The same with the message that it updates; nothing is left of a deletion where there is nothing to delete."""
        batch = admitted.batch
        if len(batch.deliveries) != 1 or not wants_earlier(batch.deliveries[0]):
            return admitted
        [delivery] = batch.deliveries
        if (earlier := await earlier_message(delivery, self._outbox)) is None and is_deletion(delivery):
            return replace(admitted, batch=Batch([]), settled=[(delivery, HeldBack(NOTHING_TO_DELETE))])
        return replace(admitted, earlier=earlier, settled=())

    @asynccontextmanager
    async def turn(self, admitted: Admitted) -> AsyncIterator[Admitted]:
        """The same once its address may be spoken to, where that is soon; else to be settled until then."""
        place, rates = admitted.place, admitted.sink.spacing
        if place is None or not rates or not admitted.batch.deliveries:
            yield admitted
        elif await self._may_go(place, rates, admitted.batch.deliveries[0]):
            try:
                yield admitted
            finally:
                self._pace.give_back(place, by=admitted.batch.deliveries[0])
        else:
            now, wall = self._clock.monotonic(), self._clock.now()
            wait = min(self._pace.promise(place, rates, now) - now, self._longest_wait)
            later = Again(wall + timedelta(seconds=wait), PACED, counts=False)
            yield replace(admitted, batch=Batch([]), settled=[(one, later) for one in admitted.batch.deliveries])

    async def sent(self, admitted: Admitted, attempt: Attempt, at: float) -> Attempt:
        """Count a send at `at`; what came of it, with whether a limit is the address's own, or its end everybody's."""
        place, rates = admitted.place, admitted.sink.spacing
        if place is None:
            return attempt
        attempt = await self._book.judge(place, attempt)
        if not rates:
            return attempt
        busy = self._pace.was_busy(place, at)
        self._pace.sent(place, rates, at)
        if not busy or not isinstance(attempt.outcome, Limited) or attempt.outcome.after is None:
            return attempt
        self._pace.pause(place, rates, at + attempt.outcome.after)
        return replace(attempt, outcome=replace(attempt.outcome, where="address"))

    async def _may_go(self, place: str, rates: Sequence[Spaced], delivery: Delivery) -> bool:
        """Whether it is the address's turn; what had its time promised waits for it a little.

        One for each address, and so few that others can still be on their way: what is late for its address is late for
        nobody else.
        """
        now = self._clock.monotonic()
        soon = self._pace.free_at(place, rates) - now
        few = self._awaited < max(1, self._sink.concurrency // 2)
        if delivery.state is State.WAITING and 0 < soon <= SOON and few and self._pace.hold(place, delivery):
            self._awaited += 1
            try:
                await self._clock.sleep(soon)
            finally:
                self._awaited -= 1
                self._pace.give_back(place, delivery)
        return self._pace.take(place, rates, self._clock.monotonic(), delivery)

    @property
    def _longest_wait(self) -> float:
        """Seconds after which what waits for its address goes together, as one message."""
        storm = storm_of(self._sink)
        return storm.age + LATE if storm is not None else float("inf")

    async def _wanted(
        self, batch: Batch, records: Records, zone: ZoneInfo, rules: CustomerRules = NO_RULES
    ) -> Admitted:
        """What nobody has muted, still lasts, and the quiet hours let through, and whether silently."""
        now = self._clock.now()
        settled: list[tuple[Delivery, Fate]] = [(one, suppressed_by(opposite)) for one, opposite in batch.suppressed]
        through, silent = [], True
        for delivery in batch.deliveries:
            record = records.get(delivery.recipient or "", {})
            quiet = quiet_hours(record["quiet"]) if "quiet" in record else self._sink.quiet or rules.quiet
            local = now.astimezone(zone_of(record, zone))
            unwanted = await self._mutes.held_back(delivery) or await ending(delivery, self._outbox)
            match unwanted or admission(delivery, quiet, local):
                case Send(silent=silently):
                    through.append(delivery)
                    silent = silent and silently
                case Again() | HeldBack() as fate:
                    settled.append((delivery, fate))
                case never:
                    assert_never(never)
        return Admitted(Batch(through, storm=batch.storm), self._sink, silent, settled=settled)

    async def _for_customers(
        self, batch: Batch, addressing: Addressing, records: Records, zone: ZoneInfo, rules: CustomerRules
    ) -> Admitted:
        """What of a batch customers want to be told now, and where."""
        begun = await uncertain(batch.deliveries, self._outbox)
        batch = without(batch, begun)
        known = await self._known([one.recipient for one in batch.deliveries if one.recipient is not None])
        records = with_wants(records, known)
        zones = {key: zone_of(records.get(key, {}), zone) for key in known}
        settled = await self._customers.willing(batch.deliveries, known, rules)
        admitted = await self._wanted(without(batch, settled), records, zone, rules)
        over = await self._customers.over_limit(admitted.batch.deliveries, zones, rules)
        left = without(admitted.batch, over)
        admitted = replace(admitted, batch=left, settled=[*begun, *settled, *admitted.settled, *over], known=known)
        if not left.deliveries:
            return admitted
        first = left.deliveries[0].recipient or ""
        customer = Customer(zones.get(first, zone), several=first in known and known[first].several)
        admitted = await self._addressed(replace(admitted, customer=customer), addressing, records)
        return await self._in_chat(admitted, rules)

    async def _in_chat(self, admitted: Admitted, rules: CustomerRules) -> Admitted:
        """The same as far as what was said in that very chat lets it through, whoever it is told to."""
        if admitted.place is None or not admitted.batch.deliveries:
            return admitted
        service, place = self._sink.look.service, admitted.place
        by_mail = service is not None and service.mailboxes
        scope = mailbox_scope(place) if by_mail else chat_scope(self._sink.sender, place)
        stop = rules.stops.link(place) if by_mail and rules.stops is not None else ""
        there = (await self._known([scope]))[scope]
        both = {key: replace(one, wants=one.wants | there.wants) for key, one in admitted.known.items()}
        found = [(one, unwanted(one, both.get(one.recipient or "", there), rules)) for one in admitted.batch.deliveries]
        left = [(one, HeldBack(why)) for one, why in found if why is not None]
        told = both.get(admitted.batch.deliveries[0].recipient or "", there)
        locale = told.wants.chosen.get("locale")
        return replace(
            admitted,
            batch=without(admitted.batch, left),
            settled=[*admitted.settled, *left],
            known={**admitted.known, scope: there},
            customer=replace(admitted.customer, locale=locale, stop=stop) if admitted.customer is not None else None,
        )

    async def _known(self, keys: Sequence[str]) -> Mapping[str, Known]:
        return await self._outbox.known(self._sink.sender, keys)

    async def _addressed(self, admitted: Admitted, addressing: Addressing, records: Records) -> Admitted:
        """The same with the address that all of it goes to; what has none is held back."""
        deliveries = admitted.batch.deliveries
        whole = await self._outbox.load(deliveries) if addressing.needs_data else deliveries
        links = {key: one.link for key, one in admitted.known.items()}
        found = [
            (one, address_of(loaded, addressing, records, links.get(one.recipient or "")))
            for one, loaded in zip(deliveries, whole, strict=True)
        ]
        unreached = [(one, unreachable(to)) for one, to in found if isinstance(to, NoAddress)]
        reached = [(one, to) for one, to in found if isinstance(to, Address)]
        settled = [*admitted.settled, *unreached]
        if not reached:
            return replace(admitted, batch=Batch([]), settled=settled)
        batch, address = Batch([one for one, _ in reached], storm=admitted.batch.storm), reached[0][1]
        if any(to != address or to.settings != address.settings for _, to in reached):
            return replace(admitted, batch=batch, settled=settled, apart=True)
        if (why := await self._book.obstacle(address.place)) is not None:
            gone = [(one, HeldBack(why, unreached=True)) for one, _ in reached]
            return replace(admitted, batch=Batch([]), settled=[*settled, *gone])
        return replace(admitted, batch=batch, sink=self._sink.at(address), settled=settled, place=address.place)


def zone_of(record: Mapping[str, Any], zone: ZoneInfo) -> ZoneInfo:
    """The zone of whoever a record is about; `zone` where it names none."""
    return ZoneInfo(record["zone"]) if "zone" in record else zone


@lru_cache(256)
def quiet_hours(hours: str) -> Quiet:
    """A record's own: what comes in them is held until they end."""
    return Quiet(hours=hours, mode="hold")


def without(batch: Batch, settled: Sequence[tuple[Delivery, Fate]]) -> Batch:
    """A batch without what is settled."""
    if not settled:
        return batch
    left = {one.id for one, _ in settled}
    return replace(batch, deliveries=[one for one in batch.deliveries if one.id not in left])


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


def unreachable(missing: NoAddress) -> HeldBack:
    """The fate of a delivery that has no address."""
    return HeldBack(f"no address: {missing.reason}", unreached=True)


def storm_of(sink: Sink) -> Storm | None:
    """When what waits is told together: never to a customer, for whom there are no digests."""
    is_customers = sink.addressing is not None and sink.addressing.audience is Audience.PERSON
    return sink.storm if sink.digests and not is_customers else None


def for_audience(delivery: Delivery, addressing: Addressing | None) -> Delivery:
    """A delivery with what of its event whoever is addressed may see."""
    if addressing is None or addressing.audience is None:
        return delivery
    return replace(delivery, event=reduced(delivery.event, addressing.audience))
