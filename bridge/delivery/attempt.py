"""One try at telling a delivery, or several as a digest: composed, sent, and said in the log."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.delivery.composer import compose, compose_digest
from bridge.message import Earlier
from bridge.messages.renderer import Renderer
from bridge.outcome import Attempt, Away
from bridge.sinks.base import Sink
from bridge.store.base import Delivery, Settlement
from bridge.telemetry import say

LOG = logging.getLogger("bridge.delivery")


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try: the attempt, a template's fault, and whether it failed by a bug of our own."""

    attempt: Attempt
    fault: str | None = None
    bug: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """A try at a sink, made at a time."""

    name: str
    sink: Sink
    renderer: Renderer
    at: datetime

    async def tell(self, told: Sequence[Delivery], *, silent: bool, storm: bool, earlier: Earlier | None) -> Tried:
        """Send these as one message. Whatever goes wrong unforeseen costs attempts, and never the lane."""
        try:
            if len(told) > 1:
                return await self._tell_all(told, silent=silent, storm=storm)
            message, fault = compose(told[0], self.sink, self.renderer, at=self.at, silent=silent, earlier=earlier)
            return Tried(await self.sink.send(message), fault)
        except Exception as error:
            say(LOG, logging.ERROR, "delivery.bug", delivery=told[0].id, sink=self.name, error=error)
            return Tried(Attempt(Away(f"unforeseen {type(error).__name__}, see the log")), bug=True)

    async def _tell_all(self, told: Sequence[Delivery], *, silent: bool, storm: bool) -> Tried:
        digest, fault = compose_digest(told, self.sink, self.renderer, at=self.at, silent=silent, storm=storm)
        return Tried(await self.sink.send_digest(digest), fault)


def say_attempted(settlements: Sequence[Settlement], *, milliseconds: float) -> None:
    """One line for each attempt."""
    delivery, fate, attempt = settlements[0].delivery, settlements[0].fate, settlements[0].attempt
    say(
        LOG,
        logging.INFO,
        "delivery.attempted",
        delivery=delivery.id,
        deliveries=len(settlements) if len(settlements) > 1 else None,
        event_id=delivery.event.id,
        type=delivery.event.type,
        sink=delivery.sink,
        attempt=delivery.attempts + 1,
        outcome=type(attempt.outcome).__name__.lower(),
        fate=type(fate).__name__.lower(),
        status=attempt.status,
        reason=getattr(fate, "reason", None),
        until=getattr(fate, "at", None),
        note=getattr(fate, "note", None),
        fault=settlements[0].fault,
        ms=round(milliseconds, 1),
    )
