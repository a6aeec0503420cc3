"""Whose turn it is: which of a sink's deliveries may be carried next, alone or together.

Order is kept per subject: while a delivery waits or is on its way, later ones of its subject wait behind it and all
others pass. The outbox holds that order in the rows; here stands only how far the pending ones were looked through, and
that is looked through again when a retry has cleared the way. Whoever starts anew looks from the beginning.

The store is asked for what is due, or belongs together, only while nothing is on its way and all that was sent is
recorded. For what is pending it may be asked in between; what comes back meanwhile makes its answer old, and so is kept
beside it.

Why `offer`: asking the store for what was put a moment ago would cost more than sending it. While nothing is held
back and everything has been seen, a delivery goes from hand to hand; in all other cases it is found in the store.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.clock import Clock
from bridge.delivery.filling import Filling
from bridge.delivery.pairs import cancelled
from bridge.outcome import Again, Fate
from bridge.store.base import Claim, Delivery, Outbox, State
from bridge.terms import DigestWindow, Storm

CLAIMED = 100  # deliveries claimed at once; their events are what a lane holds in memory
STORM = 1000  # and in a storm, where they become one message
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Meanwhile:
    """What happened while the store was being asked, and its answer does not know."""

    put: bool = False
    back: set[int] = field(default_factory=set)
    stirred: set[str | None] = field(default_factory=set)  # subjects of what waits now, or has ceased to
    look_from: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is carried next: one delivery, or several as a digest; and pairs that cancel out, which are not sent."""

    deliveries: Sequence[Delivery]
    suppressed: Sequence[tuple[Delivery, Delivery]] = ()  # each with the one that takes it back
    storm: bool = False


class Queue:
    """The order of one sink's deliveries. What is out, between `take` and `back`, holds up its subject."""

    def __init__(
        self,
        sink: str,
        outbox: Outbox,
        clock: Clock,
        *,
        settled: Callable[[], Awaitable[None]],
        storm: Storm | None,
        digests: bool = True,
        at_once: int = 1,
    ) -> None:
        self.due: datetime | None = LONG_AGO  # when the next waiting one is; one that waits from before may be due
        self._sink = sink
        self._outbox = outbox
        self._clock = clock
        self._settled = settled  # returns when all that was sent is recorded
        self._storm = storm
        self._digests = digests
        self._limit = max(CLAIMED, 8 * at_once)
        self._ready: deque[Delivery] = deque()
        self._out: dict[int, Delivery] = {}
        self._busy: Counter[str] = Counter()  # subjects of what is out
        self._alone: set[int] = set()  # ids of what is told by itself, however it was collected
        self._filling = Filling()
        self._seen = 0  # the pending ones up to that id were looked through
        self._all_seen = False  # whatever is pending in the store, and waits behind nothing, is in `_ready`
        self._more = False  # when the store was asked last, there were more pending ones
        self._meanwhile: Meanwhile | None = None  # only while the store is being asked
        self._overflown = False  # more was put than is held ready: the lane may have fallen behind
        self._raging = False  # the lane has fallen behind, and has not caught up yet

    def offer(self, delivery: Delivery) -> None:
        """Hand over a delivery that was just put: its turn comes now, or when it is claimed."""
        if delivery.due_at is not None:
            self._wait(delivery, delivery.due_at)
        elif delivery.id <= self._seen:
            return  # it was found in the store already
        elif self._all_seen and self.due is None and self._meanwhile is None and len(self._ready) < CLAIMED:
            self._ready.append(delivery)
        else:
            self._overflown = self._overflown or len(self._ready) >= CLAIMED
            self.look_again()

    def look_again(self) -> None:
        """There may be something pending in the store that has not been seen."""
        self._all_seen = False
        if self._meanwhile is not None:
            self._meanwhile.put = True

    def look_anew(self) -> None:
        """There may be anything in the store: another process may have made something wait."""
        self._filling.forget()
        self.due = LONG_AGO
        self.look_again()

    @property
    def known(self) -> bool:
        """Whether the next turn, or that there is none, is known without asking the store."""
        return any(map(self._free, self._ready)) or (self._all_seen and not self._is_due())

    async def next(self, *, probe: bool = False, resting: bool = True) -> Delivery | None:
        """Whose turn it is, None for nobody's. `resting`: nothing is on its way.

        A `probe` is one that has not been tried yet, where there is one: a service that is away should not use up the
        attempts of one delivery.
        """
        if resting and not self.known:
            await self._claim(self._limit)
        elif not resting and not self._is_due() and not self._all_seen and not any(map(self._free, self._ready)):
            await self._look_ahead()  # but not when something is due: then all come to rest first, and it is claimed
        elif self._overflown:
            await self._look_behind()
        first = next(filter(self._free, self._ready), None)
        if probe and first is not None and first.attempts:
            return next(filter(self._untold, self._ready), first)
        return first

    def _untold(self, delivery: Delivery) -> bool:
        """Whether it has not been tried, and comes before all others of its subject."""
        subject = delivery.event.subject
        ahead = next(one for one in self._ready if one is delivery or (subject and one.event.subject == subject))
        return not delivery.attempts and ahead is delivery and self._free(delivery)

    def alone(self, deliveries: Iterable[Delivery]) -> None:
        """From now on, tell each of these by itself: as one they could not be told."""
        self._alone.update(one.id for one in deliveries)

    def gathers(self, first: Delivery, *, together: bool) -> bool:
        """Whether others are taken with it: then the store is asked for them, and nothing may be out."""
        return self._collects(first) or self._rages(first, together)

    async def take(self, first: Delivery, *, together: bool) -> Batch:
        """Take out the delivery that `next` named, and what is told together with it."""
        turn = await self._turn(first, together)
        for delivery in (*turn.deliveries, *(one for one, _ in turn.suppressed)):
            self._out[delivery.id] = delivery
            if delivery.event.subject is not None:
                self._busy[delivery.event.subject] += 1
        if self._ready[0] is first and turn == Batch([first]):
            self._ready.popleft()  # the common case, without a look at all the others
        else:
            self._ready = deque(one for one in self._ready if one.id not in self._out)
        return turn

    def back(self, delivery: Delivery, fate: Fate) -> None:
        """Keep the order, now that the fate of what was taken out is known, and recorded or about to be."""
        self._in(delivery)
        if self._meanwhile is not None:
            self._meanwhile.back.add(delivery.id)
        if isinstance(fate, Again):
            self._make_due(fate.at)
            self._pass_over(delivery)
            self.look_again()
        else:
            self._alone.discard(delivery.id)
            if delivery.state is State.WAITING:
                self._clear_the_way(delivery)

    def restore(self, turn: Batch) -> None:
        """Nothing became of what is out of this turn: find it again."""
        for delivery in (*turn.deliveries, *(one for one, _ in turn.suppressed)):
            if delivery.id in self._out:
                self._in(delivery)
                self._pass_over(delivery)
                self._look_from(delivery.id - 1)
        self.look_anew()

    def drop(self, settled: Iterable[Delivery]) -> None:
        """These are settled, and were not carried."""
        for delivery in settled:
            self._ready = deque(one for one in self._ready if one.id != delivery.id)
            self._clear_the_way(delivery)

    def is_out(self, delivery: Delivery) -> bool:
        return delivery.id in self._out

    def _in(self, delivery: Delivery) -> None:
        del self._out[delivery.id]
        if (subject := delivery.event.subject) is not None:
            self._busy[subject] -= 1
            if not self._busy[subject]:
                del self._busy[subject]

    def _clear_the_way(self, delivery: Delivery) -> None:
        """What waited behind a delivery may go now: pending ones that were passed over, and those that are due."""
        self._pass_over(delivery)
        self._look_from(delivery.id)
        self._make_due(LONG_AGO)

    def _pass_over(self, delivery: Delivery) -> None:
        """Later ones of its subject are found again in the store, when it is out of their way."""
        if (subject := delivery.event.subject) is not None:
            if self._meanwhile is not None:
                self._meanwhile.stirred.add(subject)
            self._ready = deque(one for one in self._ready if one.event.subject != subject)

    def _look_from(self, id_: int) -> None:
        """Something above that id may have been passed over."""
        self._seen = min(self._seen, id_)
        if self._meanwhile is not None:
            self._meanwhile.look_from.append(id_)
        self.look_again()

    def _make_due(self, at: datetime) -> None:
        self.due = min(self.due or at, at)

    def _is_due(self) -> bool:
        return self.due is not None and self.due <= self._clock.now()

    def _free(self, delivery: Delivery) -> bool:
        """Whether nothing of its subject is out, or comes before it. Only what was collected may be early."""
        subject = delivery.event.subject
        if subject is None:
            return True
        if subject in self._busy:
            return False
        if not self._untried(delivery):
            return True
        earlier = (one for one in self._ready if one.state is not State.WAITING and one.id < delivery.id)
        return all(one.event.subject != subject for one in earlier)

    async def _turn(self, first: Delivery, together: bool) -> Batch:
        if self._collects(first) and (self._digests or not _digest_of(first)):
            return await self._gathered(first)
        if self._rages(first, together):
            return await self._raged()
        return Batch([first])

    def _collects(self, delivery: Delivery) -> bool:
        return delivery.state is State.WAITING and delivery.id not in self._alone and _collecting(delivery)

    def _untried(self, delivery: Delivery) -> bool:
        """Whether it was put to wait: earlier ones of its subject may be pending still."""
        return delivery.state is State.WAITING and not delivery.attempts and _collecting(delivery)

    def _rages(self, first: Delivery, together: bool) -> bool:
        return together and (self._raging or self._late(first)) and first.id not in self._alone

    async def _gathered(self, first: Delivery) -> Batch:
        """What was collected with it: a digest, or whether a hold ends with nothing to tell."""
        assert first.terms is not None
        digest = first.terms.digest
        await self._settled()
        found = await self._outbox.batch_members(first, limit=digest.max or STORM if digest else CLAIMED)
        # what is pending is looked at after them: whatever comes before one of them is known then
        self._seen = min(self._seen, first.id)
        passed = await self._look(CLAIMED, now=None)
        members = [first, *(one for one in found if one.id != first.id and self._free(one))]
        pairs = cancelled(members)
        if digest is None:  # the others wait for as long as they were promised to
            members = [first, pairs[first.id]] if first.id in pairs else [first]
        self._filling.forget()
        left = [one for one in members if one.id not in pairs and (one is first or self._joins(one, passed))]
        return Batch(left, [(one, pairs[one.id]) for one in members if one.id in pairs])

    def _joins(self, found: Delivery, passed: Sequence[tuple[int, str]]) -> bool:
        """Whether nothing pending comes before it."""
        if self._more and found.id > self._seen:
            return False
        return all(subject != found.event.subject or id_ > found.id for id_, subject in passed)

    async def _raged(self) -> Batch:
        """All that may go, as one."""
        if not self._all_seen and len(self._ready) < STORM:
            await self._claim(STORM)
        ready = [one for one in self._ready if self._free(one) and one.id not in self._alone]
        pairs = cancelled([one for one in ready if self._collects(one)])
        told = [one for one in ready if one.id not in pairs][:STORM]
        self._raging = not self._all_seen or len(told) + len(pairs) < len(ready)
        return Batch(told, [(one, pairs[one.id]) for one in ready if one.id in pairs], storm=len(told) > 1)

    def _wait(self, delivery: Delivery, due: datetime) -> None:
        self._make_due(due)
        if self._meanwhile is not None:
            self._meanwhile.put = True
            self._filling.forget()
        elif self._filling.fills(delivery):
            self._make_due(LONG_AGO)  # the store says which digests are full

    async def _claim(self, limit: int) -> None:
        """Ask for what is due, if anything is, and for what is pending."""
        await self._settled()
        if not self._filling.known:
            with self._noting() as meanwhile:
                collected = await self._outbox.digest_fill(self._sink)
            if not meanwhile.put:
                self._filling.count(collected)
        await self._look(limit, now=self._clock.now() if self._is_due() else None)
        await self._look_behind()

    async def _look_ahead(self) -> None:
        """Ask for more that is pending, while others are on their way; not without end for a subject that is busy."""
        if len(self._ready) < 2 * self._limit:
            await self._look(self._limit, now=None)

    async def _look(self, limit: int, *, now: datetime | None) -> Sequence[tuple[int, str]]:
        """Ask the store for what is pending, and for what is due `now`; what was passed over on the way."""
        before, self.due = self.due, None if now is not None else self.due
        try:
            with self._noting() as meanwhile:
                claim = await self._outbox.claim(self._sink, after=self._seen, now=now, limit=limit)
        except BaseException:
            self.due = min(filter(None, [before, self.due]), default=None)
            raise
        self._seen, self._more = min([claim.cursor, *meanwhile.look_from]), claim.has_more
        self._all_seen = not claim.has_more and not meanwhile.put
        if claim.next_due is not None:
            self._make_due(claim.next_due)
        self._ready.extend(self._in_turn(claim, meanwhile))
        return claim.blocked

    @contextmanager
    def _noting(self) -> Iterator[Meanwhile]:
        self._meanwhile = Meanwhile()
        try:
            yield self._meanwhile
        finally:
            self._meanwhile = None

    def _in_turn(self, claim: Claim, meanwhile: Meanwhile) -> Iterable[Delivery]:
        """What of a claim is new, without what was collected and came after pending ones that are not claimed yet."""
        known = {one.id for one in self._ready} | self._out.keys() | meanwhile.back
        for delivery in claim.deliveries:
            if claim.has_more and self._untried(delivery) and delivery.id > claim.cursor:
                self._make_due(LONG_AGO)
            elif delivery.id not in known and delivery.event.subject not in meanwhile.stirred:
                yield delivery

    async def _look_behind(self) -> None:
        """Notice when the lane falls behind."""
        overflown, self._overflown = self._overflown, False
        if self._storm is None or self._raging:
            return
        self._raging = len(self._ready) > self._storm.backlog
        if not self._raging and (self._more or overflown or self._is_due()):
            backlog = await self._outbox.backlog(self._sink, now=self._clock.now(), most=self._storm.backlog + 1)
            self._raging = backlog > self._storm.backlog

    def _late(self, first: Delivery) -> bool:
        """Whether one of several has waited for too long."""
        if self._storm is None or len(self._ready) < 2:
            return False
        return (self._clock.now() - first.made_at).total_seconds() > self._storm.age


def _digest_of(delivery: Delivery) -> DigestWindow | None:
    return delivery.terms.digest if delivery.terms is not None else None


def _collecting(delivery: Delivery) -> bool:
    terms = delivery.terms
    return terms is not None and delivery.replay_of is None and terms.collecting(delivery.event) > 0
