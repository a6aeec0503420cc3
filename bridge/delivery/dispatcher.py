"""The dispatcher keeps one lane per sink: starts it, hands it what comes in, replaces it on reload, drains it."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from random import Random

from bridge.clock import Clock
from bridge.delivery.lane import Lane
from bridge.delivery.limiter import Limiter
from bridge.delivery.retry import Policy
from bridge.messages.renderer import Renderer
from bridge.sinks.base import Sink
from bridge.store.base import Delivery, Outbox


class Dispatcher:
    """All lanes of this process. Their tasks live in the task group that is handed in."""

    def __init__(self, outbox: Outbox, *, clock: Clock, chance: Random, tasks: asyncio.TaskGroup) -> None:
        self._outbox = outbox
        self._clock = clock
        self._chance = chance
        self._tasks = tasks
        self._lanes: dict[str, tuple[Lane, asyncio.Task[None]]] = {}

    async def carry(self, sinks: Mapping[str, Sink], renderer: Renderer, *, grace: float) -> None:
        """Run a lane for each of these sinks and no other; a lane whose sink is still the same object goes on."""
        await self._stop([name for name, (lane, _) in self._lanes.items() if sinks.get(name) is not lane.sink], grace)
        for name, sink in sinks.items():
            if name in self._lanes:
                self._lanes[name][0].renderer = renderer
            else:
                lane = self._lane(name, sink, renderer)
                self._lanes[name] = lane, self._tasks.create_task(lane.run(), name=f"lane {name}")

    def offer(self, deliveries: Iterable[Delivery]) -> None:
        """Hand deliveries that were just put to the lanes of their sinks."""
        for delivery in deliveries:
            if delivery.sink in self._lanes:
                self._lanes[delivery.sink][0].offer(delivery)

    async def drain(self, grace: float) -> None:
        """Let every lane finish what it is sending, for at most `grace` seconds, and record it."""
        await self._stop(list(self._lanes), grace)

    def _lane(self, name: str, sink: Sink, renderer: Renderer) -> Lane:
        return Lane(
            name,
            sink,
            outbox=self._outbox,
            renderer=renderer,
            limiter=Limiter(sink.rates),
            policy=Policy(sink.retry, self._chance),
            clock=self._clock,
        )

    async def _stop(self, names: list[str], grace: float) -> None:
        stopped = [self._lanes.pop(name) for name in names]
        for lane, task in stopped:
            lane.stopping = True
            if not lane.carrying:
                task.cancel()
        if not stopped:
            return
        _, late = await asyncio.wait([task for _, task in stopped], timeout=grace)
        for task in late:
            task.cancel()
        with suppress(TimeoutError):  # a store that is away: what was sent last will be sent again
            async with asyncio.timeout(grace):
                await asyncio.gather(*(lane.settled() for lane, _ in stopped))
