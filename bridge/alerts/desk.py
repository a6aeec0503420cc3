"""The desk: hears of incidents, and tells them as ordinary events, by the table and to the first sink of `alerts.to`.

incident → what is worth telling (`lanes.py`, `silence.py`) → Alert (`alert.py`) → routed, put, carried like any event

Alerts are collected by the digest that their row asks for, and fall back to the other sinks. An alert that dies makes
none. That the store fails cannot be kept: it is sent at once, by whoever carries the first sink's lane.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from bridge.alerts.alert import Alert, config_rejected, dead_letters, lane_open, lane_trouble, store_failing, stored_key
from bridge.alerts.lanes import DeadLetters, LaneWatch
from bridge.alerts.settings import AlertSettings
from bridge.alerts.silence import SilenceWatch
from bridge.clock import Clock
from bridge.counters import COUNTERS
from bridge.errors import StoreError, StoreRefused
from bridge.incident import ConfigRejected, DeadLetter, Incident, LaneStanding, StoreFailing
from bridge.intake import Destination, Intake, Routed
from bridge.message import Message
from bridge.messages.renderer import Renderer
from bridge.outcome import Delivered
from bridge.routing import Router
from bridge.settings import SilentAfter
from bridge.sinks.base import Sink
from bridge.store.base import Delivery, Outbox, Standing
from bridge.telemetry import log
from bridge.terms import DigestWindow, Terms
from bridge.value import Value, replace

LOG = logging.getLogger("bridge.alerts")
ROW = "alerts"  # what the verdicts and the deliveries call it
ROUND = 5.0  # seconds between two looks at what is to be told; fewer where a silence is short
UNTOLD = 1000  # alerts that wait for the store, at the most
FALLBACK_AFTER = 600.0  # seconds that a sink is away, after which the next one is told
FAILING_EVERY = 900.0  # seconds between two messages that the store fails


class AlertPlan(Value):
    """What a reload changes.

    sinks         the enabled ones of `to`, in its order
    silent_after  source → when it is silent
    """

    settings: AlertSettings
    router: Router
    renderer: Renderer
    sinks: Mapping[str, Sink]
    silent_after: Mapping[str, SilentAfter]


class AlertDesk:
    """Hears of incidents, and tells what is worth it."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._announce: Callable[[Sequence[Delivery]], None]
        self._carries: Callable[[str], bool]
        self._plan: AlertPlan | None = None
        self._lanes = LaneWatch()
        self._dead = DeadLetters()
        self._silence = SilenceWatch(outbox, clock)
        self._untold: deque[Alert] = deque(maxlen=UNTOLD)
        self._store_failed: str | None = None
        self._store_failing = asyncio.Event()

    def introduce(self, *, announce: Callable[[Sequence[Delivery]], None], carries: Callable[[str], bool]) -> None:
        """Before it runs: what is called with deliveries that were just made, and tells whether this process carries
        the lane of a sink."""
        self._announce, self._carries = announce, carries

    def configure(self, plan: AlertPlan | None) -> None:
        """From now on, tell by this plan; nothing where there is none."""
        self._plan = plan
        self._silence.watch(plan.silent_after if plan is not None else {})

    def hear(self, incident: Incident) -> None:
        """Take note of an incident."""
        match incident:
            case LaneStanding():  # whatever the plan: it may change while the trouble lasts
                self._lanes.hear(incident)
            case DeadLetter():
                if self._plan is not None:
                    self._dead.hear(incident)
            case ConfigRejected():
                if self._plan is not None:
                    self._untold.append(config_rejected(incident, self._clock.now()))
            case StoreFailing(reason):
                self._store_failed = reason
                self._store_failing.set()

    async def run(self) -> None:
        """Tell, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_forever())
            tasks.create_task(self._tell_of_the_store_forever())

    async def _tell_forever(self) -> None:
        while True:
            try:
                await self.tell()
            except StoreError as error:  # it is told when the store takes it
                log(LOG, logging.DEBUG, "alert.store_away", reason=str(error))
            except Exception as error:
                log(LOG, logging.ERROR, "alert.bug", error=error)
            await self._clock.sleep(min(ROUND, self._silence.often))

    async def tell(self) -> None:
        """Tell what is to be told now; raise StoreError where the store does not take it: it is told later."""
        if self._plan is None:
            return
        self._collect(self._plan.settings.away_after)
        await self._tell_all(self._plan)
        self._untold.extend(await self._silence.look())  # the first time this may take a while
        await self._tell_all(self._plan)

    async def _tell_all(self, plan: AlertPlan) -> None:
        while self._untold:
            alert = self._untold.popleft()
            try:
                await self._tell(alert, plan)
            except StoreRefused as error:  # nor would it take it later
                log(LOG, logging.ERROR, "alert.refused_by_store", type=alert.word, reason=str(error))
            except StoreError:
                self._untold.appendleft(alert)
                raise

    def _collect(self, away_after: float) -> None:
        now = self._clock.now()
        for lane in self._lanes.troubles(now, away_after):
            if self._carries(lane.sink):  # else another replica does, and knows better
                self._untold.append(lane_trouble(lane, now))
        self._untold.extend(lane_open(lane, now) for lane in self._lanes.over())
        for sink, reason, count in self._dead.due(self._clock.monotonic()):
            self._untold.append(dead_letters(sink, reason, count, now))

    async def _tell(self, alert: Alert, plan: AlertPlan) -> None:
        if alert.key is not None and await self._is_kept(alert.key):
            return
        if alert.after and not any([await self._is_kept(key) for key in alert.after]):
            return
        routed = await self._routed(alert, plan)
        if not routed.destinations:
            return
        put = await self._outbox.put(Intake([routed]))
        self._announce(put.deliveries)
        if put.deliveries:
            COUNTERS.alerts[routed.event.type] += 1
            event, sinks = routed.event, [one.sink for one in routed.destinations]
            log(LOG, logging.INFO, "alert.told", type=event.type, subject=event.subject, sinks=sinks)

    async def _is_kept(self, key: str) -> bool:
        return await self._outbox.is_remembered(stored_key(key), now=self._clock.now())

    async def _routed(self, alert: Alert, plan: AlertPlan) -> Routed:
        """Its fate at the table, and at the first of our sinks that is open."""
        routed = replace(plan.router.route(alert.event(self._clock.now())), fingerprint=alert.fingerprint())
        if not plan.sinks:
            return routed
        sink = await self._first_open(list(plan.sinks))
        why = f"{sink} is the first of {', '.join(plan.sinks)} that can be told"
        destinations = routed.destinations
        if all(one.sink != sink for one in destinations):
            destinations = (*destinations, Destination(sink, ROW, None, _terms(plan, sink)))
        return replace(routed, destinations=destinations, decision=replace(routed.decision, beside=((ROW, why),)))

    async def _first_open(self, sinks: Sequence[str]) -> str:
        """The first whose lane is open; where none is, the first that is away, for it comes back by itself."""
        standings = {sink: await self._standing(sink) for sink in sinks}
        for wanted in (Standing.OPEN, Standing.AWAY):
            if found := next((sink for sink in sinks if standings[sink] is wanted), None):
                return found
        return sinks[0]

    async def _standing(self, sink: str) -> Standing:
        """How a lane stands: as it was heard where it is ours, for what is kept of it may not be written yet."""
        heard = self._lanes.standings.get(sink)
        if heard is not None and self._carries(sink):
            return Standing(heard)
        return (await self._outbox.lane_state(sink)).standing

    async def _tell_of_the_store_forever(self) -> None:
        while True:
            await self._store_failing.wait()
            try:
                told = await self.tell_of_the_store()
            except Exception as error:
                log(LOG, logging.ERROR, "alert.bug", error=error)
                told = True
            await self._clock.sleep(FAILING_EVERY if told else ROUND)
            self._store_failing.clear()

    async def tell_of_the_store(self) -> bool:
        """Send the first sink that takes it that the store fails; whether it was for us to tell."""
        plan = self._plan
        if plan is None or not plan.sinks or not self._carries(next(iter(plan.sinks))):
            return False
        now = self._clock.now()
        event = store_failing(self._store_failed or "", now).event(now)
        for name, sink in plan.sinks.items():
            rendered = plan.renderer.render(event, sink.look)
            attempt = await sink.send(Message(event=event, at=now, blocks=rendered.blocks))
            if isinstance(attempt.outcome, Delivered):
                COUNTERS.alerts[event.type] += 1
                log(LOG, logging.INFO, "alert.sent", type=event.type, sink=name)
                break
            reason = getattr(attempt.outcome, "reason", "rate limited")
            log(LOG, logging.WARNING, "alert.not_sent", type=event.type, sink=name, reason=reason)
        return True


def _terms(plan: AlertPlan, sink: str) -> Terms | None:
    """Collected for a while; told on another sink where this one does not take it."""
    window = plan.settings.window
    others = tuple(name for name in plan.sinks if name != sink)
    terms = Terms(
        digest=DigestWindow(window=window) if window else None,
        fallback=others,
        fallback_after=FALLBACK_AFTER if others else None,
    )
    return None if terms == Terms() else terms
