"""A lane carries one sink's deliveries: take the next, wait for the limiter, render, send, settle.

What may go next stands in `queue.py`, whether and how fast it may be sent in `health.py` and `limiter.py`, the sending
in `attempt.py`, what follows from it in `policy.py`, how that is recorded in `settling.py`.

A lane that sends one at a time lets the commit of one settlement overlap the sending of the next delivery: after a
crash at most these two repeat. One that sends several at once commits each before another takes its place.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import assert_never
from zoneinfo import ZoneInfo

from bridge.clock import Clock, JumpDetector
from bridge.delivery.attempt import AttemptResult, log_attempt, send_batch
from bridge.delivery.health import Health
from bridge.delivery.limiter import RateWindows
from bridge.delivery.policy import Policy, Send, admission, fallback_fate, splits, suppressed_by
from bridge.delivery.queue import Batch, Queue
from bridge.delivery.settling import Settler, store_away
from bridge.errors import StoreError
from bridge.message import Earlier
from bridge.messages.renderer import Renderer
from bridge.outcome import Again, Attempt, Away, Fate, HeldBack, Refused
from bridge.sinks.base import Sink
from bridge.store.base import Delivery, Outbox, Settlement, Standing
from bridge.telemetry import say

LOG = logging.getLogger("bridge.delivery")
POLL = 2.0  # seconds after which a lane looks by itself: a replay is put by another process
BUG_WAIT = 1.0  # seconds between two tries at what a bug of our own is in the way of
UNSURE_WAIT = 0.1  # seconds between two looks at whether the lane is still ours
LOOK_AFTER = 1.0  # seconds between two looks at what waits for a service that is away
FALLBACK_PAGE, FALLBACK_PAGES = 200, 5  # deliveries of a page, pages of a look: it must not hold up the lane
NOT_SENT = Attempt(Refused("not sent"), requests=0)


@dataclass(frozen=True, slots=True)
class Voice:
    """What messages are made with, replaced whole on reload."""

    renderer: Renderer
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Shared:
    """What all lanes of a process share.

    sure     whether this process still owns its lanes
    tell     told of the sinks for which deliveries were made
    learned  told when an answer has told of a limit
    """

    outbox: Outbox
    clock: Clock
    chance: Random
    windows: RateWindows
    sure: Callable[[], bool]
    tell: Callable[[Iterable[str]], None]
    learned: Callable[[], None]


class Lane:
    """What carries one sink's deliveries, under one term of office."""

    def __init__(self, name: str, sink: Sink, voice: Voice, shared: Shared, *, epoch: int = 0) -> None:
        self.name = name
        self.sink = sink
        self.voice = voice
        self.epoch = epoch
        self.stopping = False
        self._shared = shared
        self._outbox, self._clock = shared.outbox, shared.clock
        self._health = Health(name, sink, shared.outbox, shared.clock, shared.windows, epoch)
        self._settler = Settler(name, shared.outbox, shared.clock, shared.tell)
        self._policy = Policy(sink.retry, shared.chance)
        storm = sink.storm if sink.digests else None
        self._queue = Queue(
            name,
            self._outbox,
            self._clock,
            settled=self._settler.settled,
            storm=storm,
            digests=sink.digests,
            at_once=sink.concurrency,
        )
        self._jumps = JumpDetector()
        self._set_back = 0.0  # seconds by which the clock was, and what waits has not been brought forward yet
        self._fallback_cursor = 0
        self._flights: set[asyncio.Task[None]] = set()
        self._carrying = 0  # turns that are on their way
        self._still = asyncio.Event()  # there are none
        self._still.set()
        self._begun = False
        self._looked_after = float("-inf")
        self._woken = asyncio.Event()

    @property
    def scopes(self) -> Iterable[str]:
        """The scopes of the limits that it keeps to together with other lanes, wherever they are carried."""
        return self._health.limiter.scopes

    def offer(self, delivery: Delivery) -> None:
        """Hand over a delivery that was just put."""
        self._queue.offer(delivery)
        self._woken.set()

    def look_again(self) -> None:
        """There is something new in the store."""
        self._queue.look_again()
        self._woken.set()

    def wake(self) -> None:
        """There may be something in the store that another process put there."""
        self._queue.look_anew()
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing more."""
        self.stopping = True
        self._woken.set()

    async def rest(self, grace: float) -> None:
        """Return when nothing is on its way, at the latest after `grace` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._still.wait()

    async def run(self) -> None:
        """Carry until stopped; cancel it only when it is at rest."""
        try:
            while not self.stopping:
                self._woken.clear()
                await self._step()
            while self._flights:
                await asyncio.wait(self._flights)
            await self.settled()
        finally:
            for flight in self._flights:
                flight.cancel()

    async def _step(self) -> None:
        """Carry one turn, or wait for one. Nothing that goes wrong ends the lane."""
        try:
            if not await self.step():
                await self._idle()
        except StoreError as error:
            await store_away(self.name, error, self._clock)
        except Exception as error:
            say(LOG, logging.ERROR, "delivery.bug", sink=self.name, error=error)
            await self._clock.sleep(BUG_WAIT)

    async def step(self) -> bool:
        """Carry one turn, or send it on its way; False when none may be carried now."""
        if not self._begun:
            await self._health.restore()
            self._begun = True
        self._set_back += self._jumps.set_back(self._clock.monotonic(), self._clock.now())
        if self._set_back:
            await self._outbox.advance_due(self.name, self._set_back, epoch=self.epoch)
            self._set_back = 0.0
            self._queue.look_anew()
        if self._shut():
            await self._look_after()
            return False
        probe = self._health.breaker.probing
        first = await self._queue.next(probe=probe, resting=not self._flights)
        if first is None:
            await self._look_after()
            return False
        await self._allowed()
        together = self.sink.digests and not probe
        if self._flights and self._queue.gathers(first, together=together):
            return False
        turn = await self._queue.take(first, together=together)
        if self.sink.concurrency == 1:
            await self._carry(turn)
        else:
            flight = asyncio.create_task(self._carry(turn))
            self._flights.add(flight)
            flight.add_done_callback(self._landed)
        return True

    async def settled(self) -> None:
        """Return once all that was sent is recorded: what is not would be sent again."""
        await self._settler.settled()

    def _shut(self) -> bool:
        """Whether nothing more may be begun now."""
        at_once = 1 if self._health.breaker.probing else self.sink.concurrency
        return len(self._flights) >= at_once or self._closed()

    def _closed(self) -> bool:
        """Whether nothing may be sent now."""
        crowded = self._health.breaker.probing and self._carrying > 0
        return crowded or not self._shared.sure() or self._health.closed_for != 0.0

    async def _allowed(self) -> None:
        while (wait := self._health.limiter.wait(self._clock.monotonic())) > 0:
            await self._clock.sleep(wait)

    async def _carry(self, turn: Batch) -> None:
        try:
            batch, silent = await self._admitted(turn)
            earlier = await self._earlier(batch)
            await self._allowed()
            if self._closed():  # by the answer to another one
                self._queue.restore(turn)
            elif batch.deliveries:
                await self._attempt(batch, silent=silent, earlier=earlier)
        except StoreError as error:  # before anything was sent: nothing has happened
            self._queue.restore(turn)
            await store_away(self.name, error, self._clock)
        except Exception as error:  # our own bug must not stop the lane
            say(LOG, logging.ERROR, "delivery.bug", sink=self.name, error=error)
            self._queue.restore(turn)
            await self._clock.sleep(BUG_WAIT)

    async def _admitted(self, batch: Batch) -> tuple[Batch, bool]:
        """What is to be sent of a batch, and whether silently; the rest is settled as its terms want it."""
        now = self._clock.now()
        local = now.astimezone(self.voice.zone)
        fates: list[tuple[Delivery, Fate]] = [(one, suppressed_by(opposite)) for one, opposite in batch.suppressed]
        left, silent = [], True
        for delivery in batch.deliveries:
            match admission(delivery, self.sink.quiet, local):
                case Send(silent=quiet):
                    left.append(delivery)
                    silent = silent and quiet
                case Again() | HeldBack() as fate:
                    fates.append((delivery, fate))
                case never:
                    assert_never(never)
        if fates:
            await self._settle([Settlement(one, fate, NOT_SENT, now, epoch=self.epoch) for one, fate in fates])
        return Batch(left, storm=batch.storm), silent

    async def _attempt(self, batch: Batch, *, silent: bool, earlier: Earlier | None) -> None:
        self._carrying += 1
        self._still.clear()
        try:
            started, now = self._clock.monotonic(), self._clock.now()
            self._health.limiter.sent(started)
            result = await send_batch(batch, self.sink, self.voice.renderer, at=now, silent=silent, earlier=earlier)
            if self._health.record(result, started=started):
                self._shared.learned()
            settlements = self._settlements(batch.deliveries, result)
            log_attempt(settlements, milliseconds=(self._clock.monotonic() - started) * 1000)
            await self._settle(settlements)
        finally:
            self._carrying -= 1
            if not self._carrying:
                self._still.set()

    async def _earlier(self, batch: Batch) -> Earlier | None:
        """The message that this one updates."""
        if len(batch.deliveries) != 1:
            return None
        [delivery] = batch.deliveries
        terms, subject = delivery.terms, delivery.event.subject
        if terms is None or terms.update is None or subject is None:
            return None
        await self.settled()
        earlier = await self._outbox.earlier_message(self.name, subject)
        return earlier and replace(earlier, thread=terms.update == "thread")

    def _settlements(self, deliveries: Sequence[Delivery], result: AttemptResult) -> list[Settlement]:
        now, attempt = self._clock.now(), result.attempt
        if len(deliveries) > 1 and splits(attempt.outcome, bug=result.bug):
            self._queue.alone(deliveries)
        fates = self._policy.fates(deliveries, attempt.outcome, bug=result.bug, now=now)
        return [
            Settlement(one, fate, attempt, now, result.fault, self.epoch)
            for one, fate in zip(deliveries, fates, strict=True)
        ]

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        """Begin to record these where one is sent at a time; else return when they are."""
        if self.sink.concurrency > 1:
            await self._settler.record(settlements)
        for one in settlements:
            self._queue.back(one.delivery, one.fate)
        if self.sink.concurrency == 1:
            await self._settler.begin(settlements)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._woken.set()

    async def _look_after(self) -> None:
        """While the lane does not flow: see whether someone resumed it, and what should be told elsewhere."""
        now, breaker = self._clock.monotonic(), self._health.breaker
        if breaker.standing is Standing.OPEN or now < self._looked_after + LOOK_AFTER or not self._shared.sure():
            return
        self._looked_after = now
        await self.settled()
        if await self._health.resumed():
            self._queue.look_anew()
            self._woken.set()
        elif breaker.since is not None:
            await self._fall_back(since=breaker.since, reason=breaker.reason or "away")

    async def _fall_back(self, *, since: datetime, reason: str) -> None:
        """Give up what has waited for long enough for a fallback; from page to page, round and round."""
        now, attempt = self._clock.now(), Attempt(Away(reason), requests=0)
        given_up: list[Settlement] = []
        for _ in range(FALLBACK_PAGES):
            page = await self._outbox.fallback_candidates(self.name, after=self._fallback_cursor, limit=FALLBACK_PAGE)
            self._fallback_cursor = page[-1].id if len(page) == FALLBACK_PAGE else 0
            for delivery in page:
                fate = fallback_fate(delivery, since=since, reason=reason, now=now)
                if fate is not None and not self._queue.is_out(delivery):
                    given_up.append(Settlement(delivery, fate, attempt, now, epoch=self.epoch))
            if not self._fallback_cursor:
                break
        if given_up:
            await self._settler.record(given_up)
            self._queue.drop(one.delivery for one in given_up)

    async def _idle(self) -> None:
        wait = POLL
        if self._flights:
            wait = POLL  # the first one that lands wakes it
        elif not self._shared.sure():
            wait = UNSURE_WAIT
        elif self._health.breaker.standing is not Standing.OPEN:
            wait = min(LOOK_AFTER, self._health.closed_for or LOOK_AFTER)
        elif (due := self._queue.due) is not None:
            wait = min(POLL, max(0.0, (due - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(wait):
                await self._woken.wait()
        except TimeoutError:
            self._queue.look_again()
