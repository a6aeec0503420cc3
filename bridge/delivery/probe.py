"""A probe: a sample is sent through a sink at once, marked as a test, past the outbox.

It takes the way of a delivery, through the sink and the limiter of its lane, and what it finds out counts there: a lane
whose service answers again flows, one whose address is gone is parked. Each costs somebody a message, so that they are
few: one in five seconds for each sink, ten a minute in all.
"""

import logging
from collections.abc import Callable
from math import ceil

from bridge.clock import Clock
from bridge.delivery.attempt import AttemptResult, rendered_message
from bridge.delivery.limiter import Limiter, RateWindow
from bridge.errors import BridgeError, TooSoon
from bridge.event import Event
from bridge.message import Circumstances
from bridge.messages.renderer import Renderer
from bridge.outcome import Attempt, Away, Delivered, Rate
from bridge.sinks.base import OnSent, Sink
from bridge.telemetry import log
from bridge.value import Value, replace

LOG = logging.getLogger("bridge.delivery")
PER_SINK, IN_ALL = Rate(1, 5.0), Rate(10, 60.0)
LONGEST_WAIT = 5.0  # seconds for which a probe waits until the sink's limits allow it
A_TEST = Circumstances(test=True)


class ProbeResult(Value):
    """What came of a probe: the attempt, a template's fault, and how many milliseconds it took."""

    attempt: Attempt
    fault: str | None = None
    ms: float = 0.0


def check_own_address(name: str, sink: Sink) -> None:
    """Raise BridgeError where a sink has none: each event says where it goes, and a sample is about nobody."""
    if sink.addressing is not None:
        whom = sink.addressing.audience or "event"
        shown = f"`panelbridge render --sink {name}` shows what it would send"
        raise BridgeError(f'sink "{name}" has an address for each {whom}, and no own to send a sample to: {shown}')


async def send_probe(
    event: Event, sink: Sink, renderer: Renderer, clock: Clock, *, locale: str | None = None, on_sent: OnSent = None
) -> tuple[AttemptResult, float]:
    """Send a sample once, in `locale` or else the sink's own language; what came of it, and how many milliseconds that
    took."""
    started, look = clock.monotonic(), replace(sink.look, locale=locale) if locale else sink.look
    try:
        message, fault = rendered_message(event, look, renderer, at=clock.now(), circumstances=A_TEST)
        result = AttemptResult(await sink.send(message, on_sent), fault)
    except Exception as error:
        log(LOG, logging.ERROR, "delivery.bug", error=error)
        result = AttemptResult(Attempt(Away(f"unforeseen {type(error).__name__}, see the log")), bug=True)
    return result, (clock.monotonic() - started) * 1000


class ProbeChannel(Value):
    """What a probe goes through. `record` is told what came of it, and when it was sent."""

    sink: Sink
    renderer: Renderer
    limiter: Limiter
    record: Callable[[AttemptResult, float], None] = lambda result, sent: None


class Prober:
    """Sends probes, and no more than so many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._in_all, self._per_sink = RateWindow(IN_ALL), dict[str, RateWindow]()

    async def probe(self, name: str, event: Event, way: ProbeChannel, *, locale: str | None = None) -> ProbeResult:
        """Send a sample to the sink of that name; raise TooSoon where that may not be yet, BridgeError where it has no
        address of its own."""
        check_own_address(name, way.sink)
        self._admit(name)
        await self._wait(name, way.limiter)
        slot = way.limiter.reserve()
        try:
            result, ms = await send_probe(
                event,
                way.sink,
                way.renderer,
                self._clock,
                locale=locale,
                on_sent=lambda: slot.sent(self._clock.monotonic()),
            )
        finally:
            sent = slot.close(self._clock.monotonic())
        way.record(result, sent)
        _log(name, event, result, ms)
        return ProbeResult(result.attempt, result.fault, ms)

    def _admit(self, name: str) -> None:
        """Count it, whatever comes of it."""
        now, own = self._clock.monotonic(), self._per_sink.setdefault(name, RateWindow(PER_SINK))
        for window, text in ((own, f"{name} was sent a test just now"), (self._in_all, "too many tests in a minute")):
            if (wait := window.free_at(now) - now) > 0:
                raise TooSoon(f"{text}: try again in {ceil(wait)} s", after=wait)
        own.times.append(now)
        self._in_all.times.append(now)

    async def _wait(self, name: str, limiter: Limiter) -> None:
        """Until the sink's limits allow it, where that is soon."""
        ends = self._clock.monotonic() + LONGEST_WAIT
        while (wait := limiter.wait(now := self._clock.monotonic())) > 0:
            if now + wait > ends:
                raise TooSoon(f"the limits of {name} allow nothing for {ceil(wait)} s", after=wait)
            await self._clock.sleep(wait)


def _log(name: str, event: Event, result: AttemptResult, ms: float) -> None:
    outcome = result.attempt.outcome
    log(
        LOG,
        logging.WARNING if not isinstance(outcome, Delivered) or result.fault else logging.INFO,
        "delivery.tested",
        sink=name,
        type=event.type,
        outcome=type(outcome).__name__.lower(),
        status=result.attempt.status,
        reason=getattr(outcome, "reason", None),
        fault=result.fault,
        ms=round(ms, 1),
    )
