"""The dispatcher keeps the lanes that this process owns: starts, wakes and replaces them, drains them at the end."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Protocol

from bridge.clock import Clock
from bridge.delivery.attempt import AttemptResult
from bridge.delivery.lane import Lane
from bridge.delivery.limiter import Limiter, RateWindows, shared_scopes
from bridge.delivery.memory import EventMemory
from bridge.delivery.probe import ProbeChannel, Prober, ProbeResult
from bridge.delivery.resources import LaneSettings, Resources
from bridge.errors import StoreError, UnknownName, suggestion
from bridge.event import Event
from bridge.incident import OnIncident, ignore
from bridge.outcome import Limit
from bridge.sinks.base import Sink
from bridge.store.base import Delivery, Outbox, State

REGROUP = 10.0  # seconds between two looks at which lanes share a limit that was learned from an answer


class Ownership(Protocol):
    """Which lanes this process carries, as the dispatcher knows it. One of several replicas carries each."""

    def want(self, scopes: Mapping[str, Iterable[str]]) -> None:
        """The sinks that there are → the scopes of their limits; those that share one go to the same replica."""
        ...

    def sure(self) -> bool:
        """Whether the lanes are still ours, as far as anyone can know. Nothing is sent while it is not."""
        ...


class Dispatcher:
    """All lanes of this process. Their tasks live in the task group that is handed in."""

    def __init__(
        self,
        outbox: Outbox,
        ownership: Ownership,
        *,
        clock: Clock,
        chance: Random,
        tasks: asyncio.TaskGroup,
        on_incident: OnIncident = ignore,
    ) -> None:
        self._outbox = outbox
        self._ownership = ownership
        self._tasks = tasks
        self._limit_learned = asyncio.Event()
        self._resources = Resources(
            outbox,
            clock,
            chance,
            RateWindows(),
            EventMemory(),
            ownership.sure,
            announce=self.announce,
            on_limit=self._limit_learned.set,
            on_incident=on_incident,
        )
        self._prober = Prober(clock)
        self._sinks: Mapping[str, Sink] = {}
        self._epochs: Mapping[str, int] = {}
        self._settings: LaneSettings
        self._grace = 0.0
        self._lanes: dict[str, tuple[Lane, asyncio.Task[None]]] = {}
        self._changing = asyncio.Lock()

    async def carry(self, sinks: Mapping[str, Sink], settings: LaneSettings, *, grace: float) -> None:
        """Want a lane for each of these sinks and no other; a lane whose sink is still the same object goes on."""
        async with self._changing:
            self._sinks, self._settings, self._grace = sinks, settings, grace
            for lane, _ in self._lanes.values():
                lane.settings = settings
            await self._match()
        await self.regroup()

    async def own(self, epochs: Mapping[str, int]) -> None:
        """Carry the lanes of these sinks, each under its epoch, and no other; returns once the others have stopped."""
        async with self._changing:
            self._epochs = epochs
            await self._match()

    def carries(self, sink: str) -> bool:
        """Whether this process carries the lane of that sink."""
        return sink in self._lanes

    def wake(self, sinks: Collection[str] | None) -> None:
        """There may be something new for these sinks; None: for any."""
        for name in self._lanes if sinks is None else sinks:
            if name in self._lanes:
                self._lanes[name][0].wake()

    def announce(self, deliveries: Iterable[Delivery]) -> None:
        """These were just made: their lanes find them in the store."""
        for delivery in deliveries:
            if delivery.sink in self._lanes:
                self._lanes[delivery.sink][0].wake(waiting=delivery.state is State.WAITING)

    async def probe(self, sink: str, event: Event, locale: str | None = None) -> ProbeResult:
        """Send a sample to a sink now, past the outbox: through its lane, or beside it where another process has that.

        Raise UnknownName where nothing is sent to such a sink, TooSoon where it may not be tried yet.
        """
        if sink not in self._sinks:
            raise UnknownName(f'nothing is sent to a sink named "{sink}": {suggestion(sink, self._sinks)}')
        if (carried := self._lanes.get(sink)) is None or carried[0].stopping:
            limiter = Limiter(self._sinks[sink].limits, self._resources.windows)
            way = ProbeChannel(self._sinks[sink], self._settings.renderer, limiter)
        else:
            way = await self._way_of(carried[0])
        return await self._prober.probe(sink, event, way, locale=locale)

    async def _way_of(self, lane: Lane) -> ProbeChannel:
        await lane.health.ensure_restored()

        def record(result: AttemptResult, sent: float) -> None:
            if lane.stopping:  # another one stands in its place, and perhaps for another address
                return
            if lane.health.record(result, sent=sent, probe=True):
                self._limit_learned.set()
            lane.wake()

        return ProbeChannel(lane.sink, lane.settings.renderer, lane.health.limiter, record)

    async def drain(self, grace: float) -> None:
        """Let every lane finish what it is sending, for at most `grace` seconds, and record it; start none again."""
        async with self._changing:
            self._sinks, self._grace = {}, grace
            await self._match()

    async def regroup(self) -> None:
        """Tell the ownership what the limits of the lanes are kept over: those that share one belong together."""
        scopes: dict[str, Iterable[str]] = {}
        for name, sink in self._sinks.items():
            if name in self._lanes:
                scopes[name] = self._lanes[name][0].scopes
            else:
                scopes[name] = shared_scopes([*sink.limits, *await self._learned_limits(name)])
        self._ownership.want(scopes)

    async def regroup_forever(self) -> None:
        """At once when a lane of ours has learnt of a limit, and now and then for what others have learnt."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REGROUP):
                    await self._limit_learned.wait()
            self._limit_learned.clear()
            await self.regroup()

    async def _learned_limits(self, name: str) -> Sequence[Limit]:
        """The limits that whoever carries the lane has learnt of."""
        try:
            return (await self._outbox.lane_state(name)).learned
        except StoreError:
            return ()

    async def _match(self) -> None:
        """Stop the lanes that are not ours or not wanted any more, and start those that are.

        Those that take no other's place begin at once: one that is slow to stop must not keep them waiting.
        """
        stopping = [name for name, (lane, _) in self._lanes.items() if not self._stays(name, lane)]
        self._start()
        await self._stop(stopping)
        self._start()

    def _start(self) -> None:
        for name, sink in self._sinks.items():
            if name in self._epochs and name not in self._lanes:
                lane = Lane(name, sink, self._settings, self._resources, epoch=self._epochs[name])
                self._lanes[name] = lane, self._tasks.create_task(lane.run(), name=f"lane {name}")

    def _stays(self, name: str, lane: Lane) -> bool:
        return not lane.stopping and self._sinks.get(name) is lane.sink and self._epochs.get(name) == lane.epoch

    async def _stop(self, names: list[str]) -> None:
        """Return once these are at rest. Where whoever waits for that is cancelled, the next one waits for them too."""
        stopped = [self._lanes[name] for name in names]
        if not stopped:
            return
        deadline = asyncio.get_running_loop().time() + self._grace
        for lane, _ in stopped:
            lane.stop()
        await asyncio.gather(*(lane.rest(deadline) for lane, _ in stopped))
        for _, task in stopped:
            task.cancel()
        await asyncio.wait([task for _, task in stopped])
        with suppress(TimeoutError):  # a store that is away: what was sent last will be sent again
            async with asyncio.timeout_at(deadline):
                await asyncio.gather(*(lane.flush() for lane, _ in stopped))
        for name in names:
            del self._lanes[name]
