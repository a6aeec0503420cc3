"""Recording what became of deliveries: behind the next one's back, or at once; again until the store takes it.

A store that is away is waited for. One that refuses what it is told of a delivery is there for all others: that one is
settled with less, or given up.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import assert_never

from bridge.clock import Clock
from bridge.counters import COUNTERS
from bridge.errors import StoreError, StoreRefused
from bridge.incident import DeadLetter, OnIncident, ignore
from bridge.outcome import Again, Attempt, Dead, Done, Fate, HeldBack, Refused
from bridge.store.base import Delivery, Outbox, Settlement
from bridge.telemetry import Throttle, log
from bridge.value import replace
from bridge.vocabulary import OWN_SOURCE

LOG = logging.getLogger("bridge.delivery")
STORE_WAIT = 1.0  # seconds between two tries at a store that is away
NOT_SENT = Attempt(Refused("not sent"), requests=0)
DEAD_EVERY = 600.0  # seconds between two lines about dead letters of one sink for one reason

#: Done after the commit, with the deliveries that this made: fallbacks, reminders.
Recorded = asyncio.Future[Sequence[Delivery]]


def unsent(fates: Sequence[tuple[Delivery, Fate]], now: datetime, *, epoch: int) -> Sequence[Settlement]:
    """What becomes of deliveries that were not sent."""
    return [Settlement(one, fate, NOT_SENT, now, epoch=epoch) for one, fate in fates]


class Settler:
    """Records settlements of one lane.

    announce    called with the deliveries that this made: fallbacks, reminders
    on_refused  called with a delivery that was begun to be recorded, and was settled otherwise: the store refused it
    on_incident told of what is dead, but for what the bridge tells of itself: an alert that dies makes none
    """

    def __init__(
        self,
        sink: str,
        outbox: Outbox,
        clock: Clock,
        announce: Callable[[Sequence[Delivery]], None],
        on_refused: Callable[[Delivery], None],
        on_incident: OnIncident = ignore,
    ) -> None:
        self._sink = sink
        self._outbox = outbox
        self._clock = clock
        self._announce = announce
        self._on_refused = on_refused
        self._on_incident = on_incident
        self._dead: Throttle[str] = Throttle(1, per=DEAD_EVERY, now=clock.monotonic)
        self._begun: tuple[Sequence[Settlement], Recorded] | None = None
        self._recording: set[Recorded] = set()

    async def record(self, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        """Return when these are recorded, as they are."""
        return await self._finish(settlements, self._record(settlements))

    async def begin(self, settlements: Sequence[Settlement]) -> None:
        """Begin to record these, when those before them are recorded."""
        await self.flush()
        self._begun = settlements, self._record(settlements)

    async def flush(self) -> None:
        """Return when all that was begun is recorded."""
        while self._begun is not None:
            settlements, recorded = begun = self._begun
            finished = await self._finish(settlements, recorded)
            if self._begun is begun:
                self._begun = None
                for one in finished if finished is not settlements else ():
                    if one not in settlements:
                        self._on_refused(one.delivery)

    async def finish(self) -> None:
        """The same for all that was handed in until now, also by whoever was cancelled and waits for it no more."""
        await self.flush()
        if self._recording:
            await asyncio.wait(self._recording)

    async def _finish(self, settlements: Sequence[Settlement], recorded: Recorded) -> Sequence[Settlement]:
        """Return when these are recorded, as they are; `recorded` is the first try."""
        while True:
            try:
                if not recorded.done():
                    await asyncio.shield(recorded)  # whoever is cancelled here must not take the record with it
                recorded.result()
            except StoreRefused as error:
                if len(settlements) > 1:  # one of them is to blame
                    return [two for one in settlements for two in await self.record([one])]
                settlements = [await self._reduced(settlements[0], error)]
            except StoreError as error:
                await wait_for_store(self._sink, error, self._clock)
            else:
                return settlements
            recorded = self._record(settlements)

    async def _reduced(self, refused: Settlement, error: StoreRefused) -> Settlement:
        """As little as can be told of what the store refuses to record: the lane must go on."""
        log(LOG, logging.ERROR, "delivery.refused_by_store", delivery=refused.delivery.id, reason=str(error))
        reduced = _without_texts(refused, error)
        if reduced == refused:  # there is nothing less to tell
            await wait_for_store(self._sink, error, self._clock)
        return reduced

    def _record(self, settlements: Sequence[Settlement]) -> Recorded:
        recorded = self._outbox.settle(settlements)
        self._recording.add(recorded)
        recorded.add_done_callback(self._recording.discard)
        recorded.add_done_callback(partial(self._tell, settlements))
        return recorded

    def _tell(self, settlements: Sequence[Settlement], recorded: Recorded) -> None:
        """Once they are recorded: count them, announce what this made, and log what is dead."""
        if recorded.cancelled() or recorded.exception() is not None:
            return
        if made := recorded.result():
            self._announce(made)
            for delivery in made:
                if delivery.instead:
                    COUNTERS.fallbacks[self._sink, delivery.sink] += 1
        for one in settlements:
            COUNTERS.settled(self._sink, one.fate, made_at=one.delivery.made_at, at=one.at)
            if isinstance(one.fate, Dead):
                self._tell_dead(one.fate.reason, one.delivery)

    def _tell_dead(self, reason: str, delivery: Delivery) -> None:
        if (left_out := self._dead.left_out(reason)) is not None:
            self._log_dead(reason, left_out or None, delivery.id)
        if delivery.event.source != OWN_SOURCE:
            self._on_incident(DeadLetter(self._sink, reason))

    def log_left_out(self) -> None:
        """Tell of dead letters that no line was about yet, where it is time."""
        for reason, left_out in self._dead.overdue():
            self._log_dead(reason, left_out)

    def _log_dead(self, reason: str, repeated: int | None, delivery: int | None = None) -> None:
        log(
            LOG,
            logging.WARNING,
            "delivery.dead",
            sink=self._sink,
            delivery=delivery,
            reason=reason,
            repeated=repeated,
        )


def _without_texts(settlement: Settlement, error: StoreRefused) -> Settlement:
    """The same without what a store could refuse; what should have been tried again is dead, to be replayed."""
    attempt = Attempt(settlement.attempt.outcome, requests=settlement.attempt.requests)
    match settlement.fate:
        case Done():
            fate: Fate = Done("the store refused what came of it")
        case Again() | Dead() | HeldBack():
            fate = Dead(f"refused by the store: {error}")
        case never:
            assert_never(never)
    return replace(settlement, fate=fate, attempt=attempt, fault=None)


async def wait_for_store(sink: str, error: StoreError, clock: Clock) -> None:
    """Say that the store is away, and leave it alone for a while."""
    log(LOG, logging.WARNING, "delivery.store_away", sink=sink, reason=str(error))
    await clock.sleep(STORE_WAIT)
