"""What may go next on a lane, alone or together: order, digests, storms, and flap suppression.

Order is kept per subject: while a delivery waits or is on its way, later ones of its subject wait behind it and all
others pass. The outbox holds that order in the rows; here stands only how far the pending ones were looked through, and
that is looked through again when a retry has cleared the way. Whoever starts anew looks from the beginning.

What belongs together is asked for only while nothing is on its way and all that was sent is recorded. What is pending
or due may be asked for in between; what is settled meanwhile makes the store's answer old, and so is kept beside it.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, islice

from bridge.clock import Clock
from bridge.delivery.changes import Changes
from bridge.delivery.collecting import collects, fitting, may_be_early, opposite_pairs, waits_for_more
from bridge.outcome import Again, Fate
from bridge.posted import is_change
from bridge.store.base import Claim, Delivery, Outbox, State
from bridge.terms import Storm
from bridge.value import Value

CLAIMED = 100  # deliveries claimed at once; big events stay in the store until they are sent
STORM = 1000  # and in a storm, where they become one message
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Batch(Value):
    """What goes out as one message: a delivery, or several as a digest.

    suppressed  what is not sent, each with the one that takes it back
    storm       whether it is a digest because the lane has fallen behind
    """

    deliveries: Sequence[Delivery]
    suppressed: Sequence[tuple[Delivery, Delivery]] = ()
    storm: bool = False

    @property
    def taken(self) -> Sequence[Delivery]:
        """All that was taken out of the queue."""
        return [*self.deliveries, *(delivery for delivery, _ in self.suppressed)]


class Queue:
    """The deliveries of one sink. One that is taken, and neither settled nor restored yet, holds up its subject."""

    def __init__(
        self,
        sink: str,
        outbox: Outbox,
        clock: Clock,
        *,
        flush: Callable[[], Awaitable[None]],
        storm: Storm | None,
        digests: bool = True,
        concurrency: int = 1,
        apart: bool = False,
    ) -> None:
        self.next_due: datetime | None = LONG_AGO  # of what waits; what waits from before may be due
        self._sink = sink
        self._outbox = outbox
        self._clock = clock
        self._flush = flush  # returns when all that was sent is recorded
        self._storm = storm
        self._digests = digests
        self._apart = apart  # each recipient is one to whom it is late, or not
        self._limit = max(CLAIMED, 8 * concurrency)
        self._ready: deque[Delivery] = deque()
        self._taken: dict[int, Delivery] = {}
        self._busy: Counter[str] = Counter()  # subjects of what is taken
        self._singles: set[int] = set()  # ids of what is sent by itself, however it was collected
        self._cursor = 0  # the pending ones up to that id were looked through
        self._all_seen = False  # whatever is pending in the store, and waits behind nothing, is in `_ready`
        self._has_more = False  # when the store was asked last, there were more pending ones
        self._changes = Changes()
        self._storming = False  # the lane has fallen behind, and has not caught up yet

    def recheck(self, *, waiting: bool = True) -> None:
        """There may be something new in the store: pending, or also `waiting`, which may be due or fill a digest."""
        self._all_seen = False
        if waiting:
            self.next_due = LONG_AGO

    async def next(self, *, probe: bool = False) -> Delivery | None:
        """The delivery that goes next, None where none may.

        A `probe` is one that has not been tried yet, where there is one: a service that is away should not use up the
        attempts of one delivery.
        """
        first = self._first_free()
        unknown = first is None and (not self._all_seen or self._is_due())
        if unknown and len(self._ready) < 2 * self._limit:  # not without end behind a subject that is busy
            await self._claim(self._limit)
            first = self._first_free()
        if probe and first is not None and first.attempts:
            return next(filter(self._is_untried, self._ready), first)
        return first

    async def take(self, first: Delivery, *, probe: bool = False) -> Batch | None:
        """Take out the delivery that `next` named, and what is sent together with it.

        None where others would go with it, and something is still on its way.
        """
        gathers, storms = self._gathers(first), not probe and self._storms(first)
        if (gathers or storms) and self._taken:
            return None
        batch = Batch([first])
        if gathers:
            batch = await self._collected_batch(first)
        elif storms:
            batch = await self._storm_batch(first)
        for delivery in batch.taken:
            self._taken[delivery.id] = delivery
            if (order := delivery.order) is not None:
                self._busy[order] += 1
        if self._ready[0] is first and batch == Batch([first]):
            self._ready.popleft()  # the common case, without a look at all the others
        else:
            self._ready = deque(one for one in self._ready if one.id not in self._taken)
        return batch

    def settled(self, delivery: Delivery, fate: Fate) -> None:
        """Keep the order, now that the fate of what was taken is known, and recorded or about to be."""
        self._release(delivery)
        self._changes.settled.add(delivery.id)
        if isinstance(fate, Again):
            self._make_due(fate.at)
            self._forget_subject(delivery)
            self.recheck(waiting=False)
        else:
            self._singles.discard(delivery.id)
            if delivery.state is State.WAITING:
                self._unblock(delivery)

    def restore(self, batch: Batch) -> None:
        """Nothing became of what is still taken of this batch: find it again."""
        for delivery in batch.taken:
            if delivery.id in self._taken:
                self._release(delivery)
                self._forget_subject(delivery)
                self._rewind(delivery.id - 1)
        self.recheck()

    def remove(self, settled: Iterable[Delivery]) -> None:
        """These are settled, and were not taken."""
        for delivery in settled:
            self._ready = deque(one for one in self._ready if one.id != delivery.id)
            self._unblock(delivery)

    def send_singly(self, deliveries: Iterable[Delivery]) -> None:
        """From now on, each of these goes by itself: as one they could not be sent."""
        self._singles.update(one.id for one in deliveries)

    def go_singly(self, deliveries: Iterable[Delivery]) -> bool:
        """Whether each of these goes by itself."""
        return all(one.id in self._singles for one in deliveries)

    def upcoming(self) -> Sequence[Delivery]:
        """What is on its way, and what comes next: as many as are claimed at once."""
        return list(islice(chain(self._taken.values(), self._ready), CLAIMED))

    def is_taken(self, delivery: Delivery) -> bool:
        return delivery.id in self._taken

    # order

    def _first_free(self) -> Delivery | None:
        return next(filter(self._is_free, self._ready), None)

    def _is_free(self, delivery: Delivery) -> bool:
        """Whether nothing of its subject is taken, or comes before it. Only what was collected may be early."""
        subject = delivery.order
        if subject is None:
            return True
        if subject in self._busy:
            return False
        if not may_be_early(delivery):
            return True
        earlier = (one for one in self._ready if one.state is not State.WAITING and one.id < delivery.id)
        return all(one.order != subject for one in earlier)

    def _is_untried(self, delivery: Delivery) -> bool:
        """Whether it has not been tried, and comes before all others of its subject."""
        subject = delivery.order
        ahead = next(one for one in self._ready if one is delivery or (subject and one.order == subject))
        return not delivery.attempts and ahead is delivery and self._is_free(delivery)

    def _release(self, delivery: Delivery) -> None:
        del self._taken[delivery.id]
        if (subject := delivery.order) is not None:
            self._busy[subject] -= 1
            if not self._busy[subject]:
                del self._busy[subject]

    def _unblock(self, delivery: Delivery) -> None:
        """What waited behind a delivery may go now: pending ones that were passed over, and those that are due."""
        self._forget_subject(delivery)
        self._rewind(delivery.id)
        self._make_due(LONG_AGO)

    def _forget_subject(self, delivery: Delivery) -> None:
        """Later ones of its subject are found again in the store, when it is out of their way."""
        if (subject := delivery.order) is not None:
            self._changes.subjects.add(subject)
            self._ready = deque(one for one in self._ready if one.order != subject)

    def _rewind(self, id_: int) -> None:
        """Something above that id may have been passed over."""
        self._cursor = min(self._cursor, id_)
        self._changes.cursors.append(id_)
        self.recheck(waiting=False)

    def _make_due(self, at: datetime) -> None:
        self.next_due = min(self.next_due or at, at)

    def _is_due(self) -> bool:
        return self.next_due is not None and self.next_due <= self._clock.now()

    # what goes together

    def _gathers(self, first: Delivery) -> bool:
        """Whether it goes with what was collected with it."""
        digest = first.terms is not None and first.terms.digest is not None
        return self._is_collected(first) and (self._digests or not digest)

    def _is_collected(self, delivery: Delivery) -> bool:
        return delivery.state is State.WAITING and delivery.id not in self._singles and collects(delivery)

    async def _collected_batch(self, first: Delivery) -> Batch:
        """What was collected with it: a digest, or whether a hold ends with nothing to send."""
        assert first.terms is not None
        digest = first.terms.digest
        await self._flush()
        found = await self._outbox.batch_members(first, limit=(digest.max or STORM) if digest else CLAIMED)
        # what is pending is looked at after them: whatever comes before one of them is known then
        self._cursor = min(self._cursor, first.id)
        blocked = await self._fetch(CLAIMED, due=False)
        members = [first, *(one for one in found if one.id != first.id and self._is_free(one))]
        pairs = opposite_pairs(members)
        if digest is None:  # the others wait for as long as they were promised to
            members = [first, pairs[first.id]] if first.id in pairs else [first]
        sent = self._joining(first, [one for one in members if one.id not in pairs], blocked)
        return Batch(fitting(sent, len(sent)), [(one, pairs[one.id]) for one in members if one.id in pairs])

    def _joining(
        self, first: Delivery, members: Iterable[Delivery], blocked: Sequence[tuple[int, str]]
    ) -> list[Delivery]:
        """Those that may go with the first one now: each that waits for something else stays, with its later ones."""
        now, joining, staying = self._clock.now(), list[Delivery](), set[str | None]()
        for one in members:
            stays = one.order in staying or waits_for_more(one, now) or not self._joins(one, blocked)
            if one is first or not stays:
                joining.append(one)
            elif one.order is not None:
                staying.add(one.order)
        return joining

    def _joins(self, found: Delivery, blocked: Sequence[tuple[int, str]]) -> bool:
        """Whether nothing pending comes before it."""
        if self._has_more and found.id > self._cursor:
            return False
        return all(subject != found.order or id_ > found.id for id_, subject in blocked)

    def _storms(self, first: Delivery) -> bool:
        """Whether it goes with all that may go: the lane has fallen behind, or it is late and not alone."""
        if self._storm is None or first.id in self._singles or is_change(first.event):
            return False
        late = (self._clock.now() - first.made_at).total_seconds() > self._storm.age
        if self._apart:
            return late and first.recipient is not None and sum(first.recipient == x.recipient for x in self._ready) > 1
        return self._storming or (late and len(self._ready) > 1)

    async def _storm_batch(self, first: Delivery) -> Batch:
        """All that may go, as one; where recipients are apart, all for the same one."""
        if not self._all_seen and len(self._ready) < STORM:
            await self._claim(STORM)
        free = (one for one in self._ready if self._is_free(one) and one.id not in self._singles)
        same = (one for one in free if not self._apart or one.recipient == first.recipient)
        ready = [one for one in same if not is_change(one.event)]
        suppressed = await self._taken_back(ready)
        ids = {one.id for one, _ in suppressed}
        left = [one for one in ready if one.id not in ids]
        sent = fitting(left, STORM)
        self._storming = not self._apart and (not self._all_seen or len(sent) < len(left))
        return Batch(sent, suppressed, storm=len(sent) > 1)

    async def _taken_back(self, ready: Sequence[Delivery]) -> Sequence[tuple[Delivery, Delivery]]:
        """Of what was held, each that is taken back with its opposite: that waits behind it, and is not ready."""
        held = [one for one in ready if self._is_collected(one) and one.terms is not None and one.terms.hold]
        if held:
            await self._flush()
        found: list[tuple[Delivery, Delivery]] = []
        for first in held:
            members = await self._outbox.batch_members(first, limit=CLAIMED)
            if (other := opposite_pairs(members).get(first.id)) is not None and other.id not in self._taken:
                found += [(first, other), (other, first)]
        return found

    async def _watch_backlog(self) -> None:
        """Notice when the lane falls behind."""
        if self._storm is None or self._storming or self._apart:
            return
        behind = len(self._ready)
        if behind <= self._storm.backlog and (self._has_more or self._is_due()):
            behind = await self._outbox.backlog(self._sink, now=self._clock.now(), most=self._storm.backlog + 1)
        self._storming = behind > self._storm.backlog

    # what the store has

    async def _claim(self, limit: int) -> None:
        """Ask for what is due, if anything is, and for what is pending."""
        await self._flush()
        await self._fetch(limit, due=self._is_due())
        await self._watch_backlog()

    async def _fetch(self, limit: int, *, due: bool) -> Sequence[tuple[int, str]]:
        """Ask the store for what is pending, and for what is `due`; what was passed over on the way."""
        before, self.next_due = self.next_due, None if due else self.next_due
        now = self._clock.now() if due else None
        changes = self._changes = Changes()
        self._all_seen = True  # unless something comes while the store is asked
        try:
            claim = await self._outbox.claim(self._sink, after=self._cursor, now=now, limit=limit)
        except BaseException:
            self.next_due = min(filter(None, [before, self.next_due]), default=None)
            self._all_seen = False
            raise
        self._cursor, self._has_more = min([claim.cursor, *changes.cursors]), claim.has_more
        self._all_seen = self._all_seen and not claim.has_more
        if claim.next_due is not None:
            self._make_due(claim.next_due)
        self._ready.extend(self._new_deliveries(claim, changes))
        return claim.blocked

    def _new_deliveries(self, claim: Claim, changes: Changes) -> Iterable[Delivery]:
        """What of a claim is new, without what was collected and came after pending ones that are not claimed yet."""
        known = {one.id for one in self._ready} | self._taken.keys() | changes.settled
        for delivery in claim.deliveries:
            if claim.has_more and may_be_early(delivery) and delivery.id > claim.cursor:
                self._make_due(LONG_AGO)
            elif delivery.id not in known and delivery.order not in changes.subjects:
                yield delivery
