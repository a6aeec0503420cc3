"""A lane carries one sink's deliveries: claim the next batch, wait for the limiter, attempt, settle.

What may go next stands in `queue.py`, whether and how fast it may be sent in `health.py` and `limiter.py`, the sending
in `attempt.py`, what follows from it in `policy.py`, how that is recorded in `settler.py`.

A lane that sends one at a time lets the commit of one settlement overlap the sending of the next delivery: after a
crash at most these two repeat. One that sends several at once commits each before another takes its place.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from bridge.clock import JumpDetector
from bridge.delivery.announcing import begin
from bridge.delivery.attempt import AttemptResult, log_attempt, send_batch, unforeseen
from bridge.delivery.customers import keep_links
from bridge.delivery.earlier import wants_earlier
from bridge.delivery.fallback import Fallbacks
from bridge.delivery.gate import Admitted, Gate, for_audience, storm_of, without
from bridge.delivery.health import LaneHealth
from bridge.delivery.limiter import Slot
from bridge.delivery.policy import Policy, splits
from bridge.delivery.queue import Batch, Queue
from bridge.delivery.resources import LaneSettings, Resources
from bridge.delivery.settler import Settler, unsent, wait_for_store
from bridge.delivery.tracing import attempt_span, tell, traces_of
from bridge.errors import StoreError
from bridge.outcome import Attempt, Away, Fate
from bridge.sinks.base import Sink
from bridge.store.base import Delivery, Settlement, Standing
from bridge.telemetry import log
from bridge.value import replace

LOG = logging.getLogger("bridge.delivery")
POLL = 2.0  # seconds after which a lane looks by itself: a replay is put by another process
BUG_WAIT = 1.0  # seconds between two tries at what a bug of our own is in the way of
UNSURE_WAIT = 0.1  # seconds between two looks at whether the lane is still ours
OUTAGE_CHECK = 1.0  # seconds between two looks at what waits for a service that is away


class Lane:
    """What carries one sink's deliveries, under one term of office."""

    def __init__(self, name: str, sink: Sink, settings: LaneSettings, resources: Resources, *, epoch: int = 0) -> None:
        self.name = name
        self.sink = sink
        self.settings = settings
        self.epoch = epoch
        self.stopping = False
        self._resources = resources
        self._outbox, self._clock = resources.outbox, resources.clock
        on_incident = resources.on_incident
        self.health = LaneHealth(name, sink, self._outbox, self._clock, resources.windows, epoch, on_incident)
        self._settler = Settler(
            name, self._outbox, self._clock, resources.announce, lambda one: self._queue.remove([one]), on_incident
        )
        self._policy = Policy(sink.retry, resources.chance)
        self._gate = Gate(sink, self._outbox, self._clock)
        self._queue = Queue(
            name,
            self._outbox,
            self._clock,
            flush=self._settler.flush,
            storm=storm_of(sink),
            apart=sink.addressing is not None,
            digests=sink.digests,
            concurrency=sink.concurrency,
        )
        self._jumps = JumpDetector()
        self._set_back = 0.0  # seconds by which the clock was, and what waits has not been brought forward yet
        self._flights: set[asyncio.Task[None]] = set()  # batches on their way, where several may be
        self._attempts = 0  # that are being made, and not recorded yet
        self._at_rest = asyncio.Event()  # there are none
        self._at_rest.set()
        self._outage_checked = float("-inf")
        self._fallbacks = Fallbacks(name, self._outbox)
        self._woken = asyncio.Event()

    @property
    def scopes(self) -> Collection[str]:
        """The scopes of the limits that it keeps to together with other lanes, wherever they are carried."""
        return self.health.limiter.scopes

    def wake(self, *, waiting: bool = True) -> None:
        """There may be something new in the store. `waiting`: also something that waits, and may be due."""
        self._queue.recheck(waiting=waiting)
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing more."""
        self.stopping = True
        self._woken.set()

    async def rest(self, deadline: float) -> None:
        """Return when nothing is on its way, at the latest when the loop's time is `deadline`."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._at_rest.wait()

    async def flush(self) -> None:
        """Return once all that was sent, or given up, is recorded: what is not would be sent again."""
        await self._settler.finish()

    async def run(self) -> None:
        """Carry until stopped; cancel it only when it is at rest. Nothing that goes wrong ends the lane."""
        try:
            while not self.stopping:
                self._woken.clear()
                self._settler.log_left_out()
                try:
                    if not await self.step():
                        await self._idle()
                except StoreError as error:
                    await wait_for_store(self.name, error, self._clock)
                except Exception as error:
                    log(LOG, logging.ERROR, "delivery.bug", sink=self.name, error=error)
                    await self._clock.sleep(BUG_WAIT)
            while self._flights:
                await asyncio.wait(self._flights)
            await self.flush()
        finally:
            for flight in self._flights:
                flight.cancel()

    async def step(self) -> bool:
        """Carry the next batch, or send it on its way; False when none may be carried now."""
        await self.health.ensure_restored()
        await self._follow_clock()
        probe = self.health.breaker.probing
        first = None if self._is_full() or self._is_closed() else await self._queue.next(probe=probe)
        if first is None:
            await self._check_outage()
            return False
        await self._wait_for_limiter()
        if (batch := await self._queue.take(first, probe=probe)) is None:
            return False
        if self.sink.concurrency == 1:
            await self._carry(batch)
        else:
            flight = asyncio.create_task(self._carry(batch))
            self._flights.add(flight)
            flight.add_done_callback(self._landed)
        return True

    async def _carry(self, batch: Batch) -> None:
        """Attempt what of a batch may be sent now, and settle it."""
        try:
            async with self._gate.turn(await self._admit(batch)) as admitted, self._room(admitted.batch) as slot:
                await self._settle_unsent(admitted.settled)
                stands = await self._gate.still_stands(admitted, self.settings.zone, self.settings.rules)
                if admitted.apart or self._is_closed() or not stands:
                    self._queue.restore(batch)  # closed meanwhile, or its customer has said stop
                elif admitted.batch.deliveries:
                    await self._attempt(admitted, slot)
        except StoreError as error:  # before anything was sent: nothing has happened
            self._queue.restore(batch)
            await wait_for_store(self.name, error, self._clock)
        except Exception as error:  # our own bug must not stop the lane
            log(LOG, logging.ERROR, "delivery.bug", sink=self.name, error=error)
            await self._fail(batch, error)
            await self._clock.sleep(BUG_WAIT)

    async def _fail(self, batch: Batch, error: Exception) -> None:
        """A bug of our own came in the way of a batch. It may be that of others that were looked up with it, so it goes
        by itself from now on; where it does already, it has cost an attempt.
        """
        try:
            if self._queue.go_singly(batch.deliveries):
                left = [one for one in batch.deliveries if self._queue.is_taken(one)]
                failed = Attempt(Away(unforeseen(error)), requests=0)
                await self._settle(self._settlements(left, AttemptResult(failed, bug=True), ms=0.0))
            else:
                self._queue.send_singly(batch.taken)
        finally:
            self._queue.restore(batch)

    @asynccontextmanager
    async def _room(self, batch: Batch) -> AsyncIterator[Slot]:
        """Wait until a batch may be sent, and there is room for its events; its place among what is sent is kept."""
        size = sum(one.size for one in batch.deliveries if not one.loaded)
        while True:
            await self._wait_for_limiter()
            async with self._resources.memory.reserve(size):
                if self.health.limiter.wait(self._clock.monotonic()) <= 0:  # others may have been quicker
                    slot = self.health.limiter.reserve()
                    try:
                        yield slot
                    finally:
                        slot.give_back()
                    return

    async def _admit(self, batch: Batch) -> Admitted:
        """What of a batch is to be sent, and where; the rest is settled as its terms want it."""
        upcoming = tuple if self._queue.go_singly(batch.deliveries) else self._queue.upcoming
        admitted = await self._gate.admit(batch, self.settings.zone, self.settings.rules, upcoming)
        await self._settle_unsent(admitted.settled)
        if admitted.apart:
            self._queue.send_singly(admitted.batch.deliveries)
        elif len(admitted.batch.deliveries) == 1 and wants_earlier(admitted.batch.deliveries[0]):
            await self.flush()
            admitted = await self._gate.with_earlier(admitted)
            await self._settle_unsent(admitted.settled)
        return replace(admitted, settled=()) if admitted.settled else admitted

    async def _settle_unsent(self, fates: Sequence[tuple[Delivery, Fate]]) -> None:
        if fates:
            await self._settle(unsent(fates, self._clock.now(), epoch=self.epoch))

    async def _attempt(self, admitted: Admitted, slot: Slot) -> None:
        batch = admitted.batch
        self._attempts += 1
        self._at_rest.clear()
        try:
            loaded = [for_audience(one, self.sink.addressing) for one in await self._outbox.load(batch.deliveries)]
            links = await traces_of(self._outbox, batch.deliveries)
            stopped = await begin(batch.deliveries, self._outbox, now=self._clock.now())
            await self._settle_unsent(stopped)
            if not (batch := without(batch, stopped)).deliveries:
                return
            with attempt_span(batch.deliveries, links) as span:
                started, at = self._clock.monotonic(), self._clock.now()
                try:
                    result = await send_batch(
                        without(Batch(loaded, storm=batch.storm), stopped),
                        admitted.sink,
                        self.settings.renderer,
                        at=at,
                        silent=admitted.silent,
                        earlier=admitted.earlier,
                        customer=admitted.customer,
                        on_sent=lambda: slot.sent(self._clock.monotonic()),
                        on_links=lambda made: keep_links(self._outbox, self.settings.links, made, at),
                    )
                finally:
                    sent = slot.close(self._clock.monotonic())
                result = replace(result, attempt=await self._judged(admitted, result.attempt, sent))
                del loaded  # what is recorded needs no more than was claimed
                if self.health.record(result, sent=sent):
                    self._resources.on_limit()
                settlements = self._settlements(batch.deliveries, result, ms=(self._clock.monotonic() - started) * 1000)
                tell(span, settlements)
                log_attempt(settlements)
            await self._settle(settlements)
        finally:
            self._attempts -= 1
            if not self._attempts:
                self._at_rest.set()

    async def _judged(self, admitted: Admitted, attempt: Attempt, at: float) -> Attempt:
        """What came of it, once what it says of its address is kept.

        It was sent: a store that is away is waited for, or it would be sent again.
        """
        while True:
            try:
                return await self._gate.sent(admitted, attempt, at)
            except StoreError as error:
                await wait_for_store(self.name, error, self._clock)

    def _settlements(self, deliveries: Sequence[Delivery], result: AttemptResult, *, ms: float) -> Sequence[Settlement]:
        """What becomes of deliveries that were sent as one message."""
        now, attempt = self._clock.now(), result.attempt
        if len(deliveries) > 1 and splits(attempt.outcome, bug=result.bug):
            self._queue.send_singly(deliveries)
        fates = self._policy.fates(deliveries, attempt.outcome, bug=result.bug, now=now)
        pairs = zip(deliveries, fates, strict=True)
        return [Settlement(one, fate, attempt, now, result.fault, self.epoch, ms) for one, fate in pairs]

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        """Begin to record these where one is sent at a time; else return when they are."""
        if self.sink.concurrency > 1:
            settlements = await self._settler.record(settlements)
        for one in settlements:
            self._queue.settled(one.delivery, one.fate)
        if self.sink.concurrency == 1:
            await self._settler.begin(settlements)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._woken.set()

    def _is_full(self) -> bool:
        """Whether no further batch may be on its way."""
        return len(self._flights) >= (1 if self.health.breaker.probing else self.sink.concurrency)

    def _is_closed(self) -> bool:
        """Whether nothing may be sent now. A lane that stops is cancelled once it is at rest, and so begins nothing."""
        probed = self.health.breaker.probing and self._attempts > 0
        return self.stopping or probed or not self._resources.sure() or self.health.closed_for != 0.0

    async def _wait_for_limiter(self) -> None:
        while (wait := self.health.limiter.wait(self._clock.monotonic())) > 0:
            await self._clock.sleep(wait)

    async def _follow_clock(self) -> None:
        """Bring forward what waits by as much as the clock was set back."""
        self._set_back += self._jumps.set_back(self._clock.monotonic(), self._clock.now())
        if self._set_back:
            await self._outbox.advance_due(self.name, self._set_back, epoch=self.epoch)
            self._set_back = 0.0
            self._queue.recheck()

    async def _check_outage(self) -> None:
        """While the lane does not flow: see whether someone resumed it, and what goes to its fallback."""
        now, breaker = self._clock.monotonic(), self.health.breaker
        if breaker.standing is Standing.OPEN or now < self._outage_checked + OUTAGE_CHECK or not self._resources.sure():
            return
        self._outage_checked = now
        await self.flush()
        if await self.health.resumed():
            self._queue.recheck()  # what waits to be tried again is due at once
            self.wake()
        elif breaker.since is not None:
            await self._fall_back(since=breaker.since, reason=breaker.reason or "away")

    async def _fall_back(self, *, since: datetime, reason: str) -> None:
        """Give up what has waited for its fallback for long enough."""
        found = await self._fallbacks.due(since=since, reason=reason, now=self._clock.now())
        given_up = [replace(one, epoch=self.epoch) for one in found if not self._queue.is_taken(one.delivery)]
        if given_up:
            await self._settler.record(given_up)
            self._queue.remove(one.delivery for one in given_up)

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(self._idle_seconds()):
                await self._woken.wait()
        except TimeoutError:
            self._queue.recheck()  # what was put to wait, too: whoever put it may have ended before it said so

    def _idle_seconds(self) -> float:
        """After which there may be something to do that nobody wakes the lane for."""
        if self._flights:
            return POLL  # the first one that lands wakes it
        if not self._resources.sure():
            return UNSURE_WAIT
        if self.health.breaker.standing is not Standing.OPEN:
            return min(OUTAGE_CHECK, self.health.closed_for or OUTAGE_CHECK)
        due = self._queue.next_due
        return POLL if due is None else min(POLL, max(0.0, (due - self._clock.now()).total_seconds()))
