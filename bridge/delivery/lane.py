"""A lane carries one sink's deliveries: take the next, wait for the limiter, render, send, settle.

Whose turn it is stands in `turns.py`, how fast in `limiter.py`, what follows from an answer in `retry.py`.

The commit of one settlement overlaps the sending of the next delivery: after a crash at most these two repeat.
"""

import asyncio
import logging
from datetime import datetime

from bridge.clock import Clock
from bridge.delivery.limiter import Limiter
from bridge.delivery.retry import Policy
from bridge.delivery.turns import Turns
from bridge.errors import StoreError
from bridge.message import Message
from bridge.messages.renderer import Renderer
from bridge.outcome import Attempt, Away, Limited
from bridge.sinks.base import Sink
from bridge.store.base import Delivery, Outbox, Settlement
from bridge.telemetry import say

LOG = logging.getLogger("bridge.delivery")
POLL = 2.0  # seconds after which a lane looks by itself: a replay is put by another process
STORE_WAIT = 1.0  # seconds between two tries at a store that is away


class Lane:
    """What carries one sink's deliveries, one at a time."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        *,
        outbox: Outbox,
        renderer: Renderer,
        limiter: Limiter,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self.name = name
        self.sink = sink
        self.renderer = renderer
        self.limiter = limiter
        self.carrying = False
        self.stopping = False
        self._outbox = outbox
        self._policy = policy
        self._clock = clock
        self._turns = Turns(name, outbox, clock)
        self._settling: tuple[Settlement, asyncio.Future[None]] | None = None
        self._woken = asyncio.Event()

    def offer(self, delivery: Delivery) -> None:
        """Hand over a delivery that was just put."""
        self._turns.offer(delivery)
        self._woken.set()

    async def run(self) -> None:
        """Carry until stopped; cancel only while not `carrying`."""
        while not self.stopping:
            self._woken.clear()
            try:
                if not await self.step():
                    await self._idle()
            except StoreError as error:
                say(LOG, logging.WARNING, "delivery.store_away", sink=self.name, reason=str(error))
                await self._clock.sleep(STORE_WAIT)
        await self.settled()

    async def step(self) -> bool:
        """Carry one delivery; False when none may be carried now."""
        if not self._turns.known:
            await self.settled()
        if await self._turns.next() is None:
            return False
        while (wait := self.limiter.wait(self._clock.monotonic())) > 0:
            await self._clock.sleep(wait)
        self.carrying = True
        try:
            await self._carry(self._turns.take())
        finally:
            self.carrying = False
        return True

    async def settled(self) -> None:
        """Return once all that was sent is recorded: what is not would be sent again."""
        while self._settling is not None:
            settlement, committed = self._settling
            try:
                if not committed.done():
                    await asyncio.shield(committed)  # whoever is cancelled here must not take the record with it
                committed.result()
                self._settling = None
            except StoreError as error:
                say(LOG, logging.WARNING, "delivery.store_away", sink=self.name, reason=str(error))
                await self._clock.sleep(STORE_WAIT)
                self._settle(settlement)

    async def _carry(self, delivery: Delivery) -> None:
        started, now = self._clock.monotonic(), self._clock.now()
        self.limiter.sent(started)
        attempt, fault = await self._attempt(delivery, now)
        finished = self._clock.monotonic()
        settled_at = self._clock.now()
        fate = self._policy.fate(attempt.outcome, attempt=delivery.attempts + 1, since=delivery.made_at, now=settled_at)
        pause = attempt.outcome.after if isinstance(attempt.outcome, Limited) else attempt.pause
        self.limiter.pause(pause, finished)
        settlement = Settlement(delivery, fate, attempt, settled_at, fault)
        _tell(settlement, milliseconds=(finished - started) * 1000)
        self._turns.back(delivery, fate)
        await self.settled()
        self._settle(settlement)

    async def _attempt(self, delivery: Delivery, now: datetime) -> tuple[Attempt, str | None]:
        try:
            rendered = self.renderer.render(delivery.event, self.sink.look, delivery.template)
            message = Message(event=delivery.event, at=now, blocks=rendered.blocks, template=delivery.template)
            return await self.sink.send(message), rendered.fault
        except Exception as error:  # our own bug: it costs an attempt, and never the lane
            say(LOG, logging.ERROR, "delivery.bug", delivery=delivery.id, sink=self.name, error=error)
            return Attempt(Away(f"unforeseen {type(error).__name__}, see the log")), None

    def _settle(self, settlement: Settlement) -> None:
        self._settling = settlement, self._outbox.settle(settlement)

    async def _idle(self) -> None:
        due = self._turns.due
        wait = POLL if due is None else min(POLL, max(0.0, (due - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(wait):
                await self._woken.wait()
        except TimeoutError:
            self._turns.look_again()


def _tell(settlement: Settlement, *, milliseconds: float) -> None:
    delivery, fate = settlement.delivery, settlement.fate
    say(
        LOG,
        logging.INFO,
        "delivery.attempted",
        delivery=delivery.id,
        event_id=delivery.event.id,
        type=delivery.event.type,
        sink=delivery.sink,
        attempt=delivery.attempts + 1,
        outcome=type(settlement.attempt.outcome).__name__.lower(),
        fate=type(fate).__name__.lower(),
        status=settlement.attempt.status,
        reason=getattr(fate, "reason", None),
        until=getattr(fate, "at", None),
        note=getattr(fate, "note", None),
        fault=settlement.fault,
        ms=round(milliseconds, 1),
    )
