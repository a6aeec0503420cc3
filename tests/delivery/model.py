"""A simple model of a lane: it is told of all that happens, and says which law was broken."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bridge.message import Digest, Message
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate, Gone, HeldBack, Limited, Outcome, Refused
from bridge.sinks.base import OnSent
from bridge.store.base import Delivery, LaneState, Settlement, Standing
from bridge.vocabulary import opposite
from tests.delivery.lanes import ScriptedSink
from tests.fakes import FakeClock

SOON = timedelta(milliseconds=1)


class Died(BaseException):
    """The process is no more."""


@dataclass
class Known:
    """What the model knows of a delivery. `due`: not before then."""

    delivery: Delivery
    due: datetime | None
    attempts: int = 0
    fate: Fate | None = None

    def __str__(self) -> str:
        one = self.delivery
        return f"{one.id} {one.event.subject} {one.event.type} {one.row} attempts={self.attempts} {self.fate}"

    @property
    def settled(self) -> bool:
        return self.fate is not None and not isinstance(self.fate, Again)


@dataclass
class Model:
    """The laws. Each method is told of something that happens, and fails where it must not."""

    clock: FakeClock
    concurrency: int
    known: dict[int, Known] = field(default_factory=dict)
    in_flight: dict[str, bool] = field(default_factory=dict)  # event id → whether it is a probe
    answered: dict[str, Outcome] = field(default_factory=dict)  # event id → the answer that is not settled yet
    standing: Standing = Standing.OPEN
    pause: float = 0.0  # monotonic: nothing is sent before then
    stored: LaneState = field(default_factory=LaneState)
    breaches: list[str] = field(default_factory=list)

    def check(self, what: Callable[..., None], *arguments: Any) -> None:
        """Note the first breach: raised, it would be taken for a bug of the sink, and tried again."""
        try:
            if not self.breaches:
                what(*arguments)
        except AssertionError as error:
            self.breaches.append(f"{what.__name__}: {error}")

    def put(self, deliveries: Sequence[Delivery]) -> None:
        self.known |= {one.id: Known(one, one.due_at) for one in deliveries}

    def begins(self, sent: Sequence[str]) -> None:
        """The sink is sent these events, as one message."""
        found = [self._open(event) for event in sent]
        assert [one.delivery.id for one in found] == sorted(one.delivery.id for one in found)
        for one in found:
            behind = [other for other in self._before(one) if not other.settled and other not in found]
            assert not behind, f"{one} was sent before {listed(behind)}"
            subject = one.delivery.event.subject
            subjects = [self._open(event).delivery.event.subject for event in self.in_flight]
            assert subject is None or subject not in subjects, f"two of {subject} at once"
        self._is_due(found)
        assert self.standing is not Standing.PARKED, "sent to an address that is gone"
        assert self.clock.monotonic() >= self.pause - 1e-3, f"sent {self.pause - self.clock.monotonic()} s too early"
        probe = self.standing is Standing.AWAY
        assert not (probe and any(self.in_flight.values())), "two probes at once"
        self.in_flight |= dict.fromkeys(sent, probe)
        assert self.concurrency > 1 or len(self.in_flight) == len(sent)

    def ends(self, sent: Sequence[str], outcome: Outcome) -> None:
        """The sink has answered."""
        now = self.clock.monotonic()
        for event in sent:
            del self.in_flight[event]
            self.answered[event] = outcome
        match outcome:
            case Away() | Limited(None) if self.standing is Standing.PARKED:
                pass  # it was sent before
            case Away(_, after) | Limited(after) if after is None or isinstance(outcome, Away):
                self.standing = Standing.AWAY
                self.pause = max(self.pause, now + (1.0 if after is None else after))
            case Gone():
                self.standing = Standing.PARKED
            case _:
                if self.standing is Standing.AWAY:
                    self.standing, self.pause = Standing.OPEN, 0.0
                if isinstance(outcome, Limited):
                    self.pause = max(self.pause, now + (outcome.after or 0.0))

    def settles(self, settlements: Sequence[Settlement]) -> None:
        """The store is told what became of deliveries."""
        batch = [one.delivery.id for one in settlements]
        for one in settlements:
            known = self.known[one.delivery.id]
            assert not known.settled, f"{known} is settled already"
            self._is_right(one, together=len(settlements))
            known.fate = one.fate
            known.due = one.fate.at if isinstance(one.fate, Again) else known.due
            if isinstance(one.fate, Done | Dead) or (isinstance(one.fate, Again) and one.fate.counts):
                known.attempts += 1
            if known.settled and not isinstance(one.fate, HeldBack):  # what is not sent follows nothing
                left = [other for other in self._before(known) if not other.settled and other.delivery.id not in batch]
                assert not left, f"{known} is settled before {listed(left)}"
        self._are_pairs([one for one in settlements if isinstance(one.fate, HeldBack)])

    def keeps(self, state: LaneState) -> None:
        self.stored = state

    def dies(self) -> None:
        """All that was only in memory is gone: what was sent and not recorded is sent again."""
        self.in_flight.clear()
        self.answered.clear()
        self.standing = self.stored.standing
        self.pause = 0.0

    def resumes(self) -> None:
        self.standing, self.pause, self.stored = Standing.OPEN, 0.0, LaneState()
        for known in self.known.values():
            if isinstance(known.fate, Again):  # what was put off is due at once
                known.due = self.clock.now()

    def _open(self, event: str) -> Known:
        """The one delivery of an event that may be sent: the first that is not settled."""
        found = [one for one in self.known.values() if one.delivery.event.id == event and not one.settled]
        assert found, "sent what is settled"
        return found[0]

    def _before(self, known: Known) -> list[Known]:
        subject, id_ = known.delivery.event.subject, known.delivery.id
        if subject is None:
            return []
        return [one for one in self.known.values() if one.delivery.id < id_ and one.delivery.event.subject == subject]

    def _is_due(self, found: Sequence[Known]) -> None:
        """What waits is not sent before it is due, but in a digest with one that is, or in one that is full."""
        waits = [one for one in found if one.due is not None and one.due > self.clock.now() + SOON]
        terms = found[0].delivery.terms
        if not waits or terms is None:
            assert not waits, f"{listed(waits)} sent before due"
            return
        most = terms.digest.max if terms.digest else None
        of_row = [one for one in self.known.values() if one.delivery.row == found[0].delivery.row and one.fate is None]
        full = most is not None and len(of_row) >= most
        assert full or len(waits) < len(found), f"{listed(waits)} sent before due"

    def _is_right(self, one: Settlement, *, together: int) -> None:
        """The fate is what follows from the answer."""
        if isinstance(one.fate, HeldBack):
            return
        match self.answered.pop(one.delivery.event.id), one.fate:
            case (Delivered(), Done()) | (Limited(), Again(counts=False)) | (Gone(), Again(counts=False)):
                pass
            case Away(_, after, counted), Again(counts=counts):
                assert counts is (after is None and counted)
            case Away(_, None, counts=True), Dead():
                assert self.known[one.delivery.id].attempts == 3
            case Refused(), Dead():
                assert together == 1
            case Refused(), Again(counts=False):
                assert together > 1
            case wrong:
                raise AssertionError(f"{wrong}")

    def _are_pairs(self, held: Sequence[Settlement]) -> None:
        for subject in {one.delivery.event.subject for one in held}:
            deliveries = [one.delivery for one in held if one.delivery.event.subject == subject]
            assert len(deliveries) % 2 == 0
            types = [one.event.type for one in deliveries]
            assert sorted(types) == sorted(map(str, map(opposite, types)))


class WatchedSink(ScriptedSink):
    """A sink that takes its time, and tells the model."""

    def __init__(self, clock: FakeClock, model: Model) -> None:
        super().__init__(clock)
        self.model = model
        self.concurrency = model.concurrency
        self.meanwhile: Callable[[], Awaitable[None]]  # what happens while it takes its time

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        return await self._take([message.event.id])

    async def send_digest(self, digest: Digest, on_sent: OnSent = None) -> Attempt:
        return await self._take([event.id for event in digest.events])

    async def _take(self, events: list[str]) -> Attempt:
        self.model.check(self.model.begins, events)
        await self.meanwhile()
        for _ in range(len(self.answers) % 4):
            await asyncio.sleep(0)
        attempt = self._answer()
        self.model.check(self.model.ends, events, attempt.outcome)
        return attempt


class MortalOutbox:
    """An outbox that tells the model; once the process `dies`, at the next word that it is told."""

    def __init__(self, outbox: Any, model: Model) -> None:
        self.dies = False
        self._outbox, self._model = outbox, model

    def settle(self, settlements: Sequence[Settlement]) -> "asyncio.Future[Sequence[Delivery]]":
        self._live()
        self._model.check(self._model.settles, settlements)
        future: asyncio.Future[Sequence[Delivery]] = self._outbox.settle(settlements)
        return future

    def save_lane_state(self, sink: str, state: LaneState, *, epoch: int) -> "asyncio.Future[None]":
        self._live()
        self._model.keeps(state)
        future: asyncio.Future[None] = self._outbox.save_lane_state(sink, state, epoch=epoch)
        return future

    def _live(self) -> None:
        if self.dies:
            raise Died

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)


def listed(known: Sequence[Known]) -> str:
    return "; ".join(map(str, known))
