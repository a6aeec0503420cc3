"""What of a batch goes to the socket now, and where: its terms, quiet hours, the address, the message that it updates.

Whom a delivery is for was decided when it was routed. Where that is, and whether they want it, is looked up for a
claim (`lookup.py`), decided when it is its turn (`decision.py`), and anew right before it is sent where something has
changed (`version.py`): a stop or a mended directory holds for what already waits.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from bridge.clock import Clock
from bridge.delivery.address_book import AddressBook
from bridge.delivery.announcing import uncertain
from bridge.delivery.attempt import Customer
from bridge.delivery.decision import LaneConditions, midnight, most_a_day, resolve, zone_of
from bridge.delivery.earlier import NOTHING_TO_DELETE, earlier_message, is_deletion, wants_earlier
from bridge.delivery.erased import ERASED, Erased
from bridge.delivery.lookup import DeliveryTarget, Lookups, Upcoming, is_mail
from bridge.delivery.outdated import past
from bridge.delivery.pace import Pace
from bridge.delivery.policy import SendNow, suppressed_by
from bridge.delivery.queue import Batch
from bridge.delivery.reminders import ending
from bridge.delivery.version import StoreVersion
from bridge.message import Earlier
from bridge.mute import Mute
from bridge.outcome import Again, Attempt, Fate, HeldBack, Limited, Spaced
from bridge.people.address import Address, Addressing
from bridge.people.recipient import Audience
from bridge.people.reduced import reduced
from bridge.people.rules import NO_RULES, CustomerRules
from bridge.sinks.base import Sink
from bridge.store.base import AddressState, Delivery, Outbox, State
from bridge.terms import Storm
from bridge.value import Value, replace

SOON = 2.0  # seconds that an address is waited for whose time was promised: it was spoken to a little late
LATE = 1.0  # seconds behind the age from which on a sink's storm guard makes one message of what waits
PACED = "waits for its turn at this address"
NO_REACHES: Mapping[int, DeliveryTarget] = {}
NOBODY_TOLD: Mapping[int, int] = {}


class Admitted(Value):
    """What of a batch is to be sent.

    sink     the one that sends it: the lane's, for the address that all of it goes to
    settled  what is not sent, and why
    apart    whether it has to go one by one: it is not for one address
    address  that address; None where the sink has but one
    state    how that stands, as it was looked up
    customer who is told, where that is a customer
    version  of the store, by which this was decided
    """

    batch: Batch
    sink: Sink
    silent: bool = False
    earlier: Earlier | None = None
    settled: Sequence[tuple[Delivery, Fate]] = ()
    apart: bool = False
    address: Address | None = None
    state: AddressState | None = None
    customer: Customer | None = None
    version: int = 0

    @property
    def place(self) -> str | None:
        """What the limits of its address are kept by; None where the sink has but one."""
        return None if self.address is None else self.address.place

    def is_like(self, other: "Admitted") -> bool:
        """Whether the same goes to the same people, in the same way."""
        return (
            [one.id for one in self.batch.deliveries] == [one.id for one in other.batch.deliveries]
            and self.address == other.address
            and (self.silent, self.apart, self.customer) == (other.silent, other.apart, other.customer)
        )


class Gate:
    """What lets the deliveries of one sink through."""

    def __init__(self, sink: Sink, outbox: Outbox, clock: Clock) -> None:
        self._sink = sink
        self._outbox = outbox
        self._clock = clock
        self._version = StoreVersion(outbox, clock)
        self._erased = Erased(outbox)
        self._mutes: Sequence[Mute] = ()
        self._refreshing = asyncio.Lock()
        self._known_at: int | None = None  # the version of the store at which these are known
        self._lookups = Lookups(sink, sink.addressing, outbox) if sink.addressing is not None else None
        self._is_customers = sink.addressing is not None and sink.addressing.audience is Audience.PERSON
        self._pace = Pace(clock.monotonic())
        self._awaited = 0  # deliveries that wait here until their address may be spoken to
        self._book = AddressBook(sink.sender, outbox, clock)

    async def admit(
        self, batch: Batch, zone: ZoneInfo, rules: CustomerRules = NO_RULES, upcoming: Upcoming = tuple
    ) -> Admitted:
        """What of a batch is to be sent now; the rest is to be settled as is said of it. `upcoming`: what is next."""
        version = await self._refreshed()
        over = await self._over(batch.deliveries)
        suppressed = [(one, suppressed_by(opposite)) for one, opposite in batch.suppressed]
        deliveries = without(batch, over).deliveries
        reaches = await self._lookups.reaches(deliveries, upcoming, version) if self._lookups else NO_REACHES
        given = self._conditions(zone, rules)
        told = await self._delivered_today(deliveries, reaches, given) if self._is_customers else NOBODY_TOLD
        whole = await self._outbox.load(deliveries) if self._is_customers else deliveries
        through, settled, silent = list[Delivery](), [*over, *suppressed], True
        for delivery, loaded in zip(deliveries, whole, strict=True):
            match resolve(loaded, reaches.get(delivery.id), given, told=told.get(delivery.id, 0)):
                case SendNow() if ended := await self._past(loaded, reaches.get(delivery.id)):
                    settled.append((delivery, ended))
                case SendNow(silent=silently):
                    through.append(delivery)
                    silent = silent and silently
                case Again() | HeldBack() as fate:
                    settled.append((delivery, fate))
                case never:
                    assert_never(never)
        admitted = Admitted(Batch(through, storm=batch.storm), self._sink, silent, settled=settled, version=version)
        return self._addressed(admitted, [reaches[one.id] for one in through], given) if reaches else admitted

    async def still_stands(self, admitted: Admitted, zone: ZoneInfo, rules: CustomerRules = NO_RULES) -> bool:
        """Whether it would be decided the same now, asked right before the socket: nothing has changed, or nothing that
        is about these.
        """
        if admitted.version == await self._version.now():
            return True
        return admitted.is_like(await self.admit(admitted.batch, zone, rules))

    async def _refreshed(self) -> int:
        """The store's version, at which it is known what is muted, and what was erased."""
        version = await self._version.now()
        if version != self._known_at:
            async with self._refreshing:  # several are on their way, and the first one asks for all of them
                if version != self._known_at:
                    await self._erased.refresh()
                    self._mutes = await self._outbox.mutes(now=self._clock.now())
                    self._known_at = version
        return version

    async def _over(self, deliveries: Sequence[Delivery]) -> list[tuple[Delivery, Fate]]:
        """What of these is not there any more, may have been told already, or tells of what is over."""
        gone = await self._erased.among(deliveries)
        over: list[tuple[Delivery, Fate]] = [(one, ERASED) for one in deliveries if one.id in gone]
        left = [one for one in deliveries if one.id not in gone]
        over += await uncertain(left, self._outbox) if self._is_customers else []
        for one in left:
            if one.reminder is not None and (ended := await ending(one, self._outbox)) is not None:
                over.append((one, ended))
        return over

    async def _past(self, delivery: Delivery, reach: DeliveryTarget | None) -> HeldBack | None:
        """Why a customer is not told any more of what could be sent now."""
        if not self._is_customers or reach is None:
            return None
        return await past(delivery, reach.known.closed_at, self._outbox)

    def _conditions(self, zone: ZoneInfo, rules: CustomerRules) -> LaneConditions:
        now, quiet = self._clock.now(), self._sink.quiet
        if not self._is_customers:
            return LaneConditions(now, zone, quiet, self._mutes)
        return LaneConditions(now, zone, quiet or rules.quiet, self._mutes, rules)

    async def _delivered_today(
        self, deliveries: Sequence[Delivery], reaches: Mapping[int, DeliveryTarget], given: LaneConditions
    ) -> Mapping[int, int]:
        """How many messages each of these customers was delivered today, where that counts."""
        return {
            one.id: await self._outbox.told_since(
                one.recipient, midnight(given.now, zone_of(reaches[one.id].record, given.zone))
            )
            for one in deliveries
            if one.recipient is not None and most_a_day(one, given.rules) is not None
        }

    def _addressed(self, admitted: Admitted, reaches: Sequence[DeliveryTarget], given: LaneConditions) -> Admitted:
        """The same with the address that all of it goes to, and who is told."""
        addresses = [one.to for one in reaches if isinstance(one.to, Address)]
        if not addresses:
            return admitted
        if any(one != addresses[0] for one in addresses):
            return replace(admitted, apart=True)
        first, address = reaches[0], addresses[0]
        [delivery, *_], rules = admitted.batch.deliveries, given.rules
        customer = self._customer(delivery, first, address, given.zone, rules) if rules is not None else None
        return replace(admitted, sink=self._sink.at(address), address=address, state=first.state, customer=customer)

    def _customer(
        self, delivery: Delivery, reach: DeliveryTarget, address: Address, zone: ZoneInfo, rules: CustomerRules
    ) -> Customer:
        by_mail, brand = rules.stops if is_mail(self._sink) else None, rules.speaker(delivery.terms)
        brands = None if "locale" in reach.record else brand.locale  # what a record says comes with the address
        return Customer(
            zone_of(reach.record, zone),
            locale=reach.known.wants.chosen.get("locale") or brands,
            several=reach.known.several and not is_mail(self._sink),  # a mailbox is its own
            stop=by_mail.link(address.place) if by_mail is not None else "",
            brand=brand,
        )

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
        state = admitted.state if admitted.version == await self._version.now() else None
        attempt = await self._book.judge(place, attempt, state)
        if not rates:
            return attempt
        busy = self._pace.was_busy(place, at)
        self._pace.sent(place, rates, at)
        if attempt.pause:  # what headers say is left, is left of the address's own
            self._pace.pause(place, rates, at + attempt.pause)
            attempt = replace(attempt, pause=0.0)
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


def without(batch: Batch, settled: Sequence[tuple[Delivery, Fate]]) -> Batch:
    """A batch without what is settled."""
    if not settled:
        return batch
    left = {one.id for one, _ in settled}
    return replace(batch, deliveries=[one for one in batch.deliveries if one.id not in left])


def storm_of(sink: Sink) -> Storm | None:
    """When what waits is told together: never to a customer, for whom there are no digests."""
    is_customers = sink.addressing is not None and sink.addressing.audience is Audience.PERSON
    return sink.storm if sink.digests and not is_customers else None


def for_audience(delivery: Delivery, addressing: Addressing | None) -> Delivery:
    """A delivery with what of its event whoever is addressed may see."""
    if addressing is None or addressing.audience is None:
        return delivery
    return replace(delivery, event=reduced(delivery.event, addressing.audience))
