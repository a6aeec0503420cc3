"""A scrape: what was counted here, and what the store says now.

Whoever scrapes waits for the store half a second at most, and has it asked once in five seconds, however often they
come: what it has not said by then is left out.
"""

import asyncio
import platform
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

from bridge import __version__
from bridge.admin.reader_pool import ReadStore
from bridge.admin.state import ConfigState
from bridge.clock import Clock
from bridge.counters import COUNTERS
from bridge.errors import StoreError
from bridge.panels import TOLD
from bridge.store.queries.gauges import LaneGauge, lane_gauges, store_size
from bridge.store_url import is_database
from bridge.value import Value, field
from bridge.vocabulary import TYPES

WITHIN = 0.5  # seconds that the store has for an answer
KEPT = 5.0  # seconds for which what it said is told again

T = TypeVar("T")


class Scope(Value, kw_only=True):
    """What there is to be counted: names of the file, and what this bridge is.

    store    its kind, as `sqlite`
    sources  with the types that each panel is known to tell
    """

    version: str
    python: str
    store: str
    sources: Mapping[str, Collection[str]]
    sinks: Collection[str]
    rows: Collection[str]


def scope_of(state: ConfigState) -> Scope:
    """What this process has to count, by the file that is in force."""
    return Scope(
        version=__version__,
        python=platform.python_version(),
        store="postgresql" if is_database(state.store) else "sqlite",
        sources={one.name: TOLD.get(one.panel, frozenset()) & TYPES.keys() for one in state.sources},
        sinks=[name for name, one in state.sinks.items() if one.enabled],
        rows=state.router.names,
    )


class StoreLook(Value):
    """What the store says now: whether it takes events, how many bytes it has, and the lanes of this process."""

    up: bool = False
    size: int | None = None
    lanes: Mapping[str, LaneGauge] = field(default_factory=dict)


class Scrape:
    """Answers scrapes.

    look     how the store is looked into
    ready    raises StoreError unless the store takes events
    carries  whether this process carries the lane of a sink
    """

    def __init__(
        self, look: ReadStore, ready: Callable[[], Awaitable[None]], carries: Callable[[str], bool], clock: Clock
    ) -> None:
        self._look, self._ready, self._carries, self._clock = look, ready, carries, clock
        self._up = CachedValue(self._is_ready, clock)
        self._stored = CachedValue(self._ask, clock)

    async def exposition(self, scope: Scope) -> bytes:
        """All metrics in Prometheus' text format."""
        from bridge.admin.metrics.families import exposition  # with the library: for nobody who is not scraped

        return exposition(COUNTERS, scope, await self.look(scope.sinks))

    async def look(self, sinks: Collection[str]) -> StoreLook:
        """What the store says of itself, and of these sinks' lanes as far as this process carries them."""
        up, stored = await asyncio.gather(self._up.value(), self._stored.value())
        if stored is None:
            return StoreLook(up is True)
        size, lanes = stored
        return StoreLook(up is True, size, {one: lanes.get(one, LaneGauge()) for one in sinks if self._carries(one)})

    async def _is_ready(self) -> bool:
        await self._ready()
        return True

    async def _ask(self) -> tuple[int, Mapping[str, LaneGauge]]:
        now = self._clock.now()
        return await self._look(lambda ledger: (ledger.read(store_size), ledger.read(lane_gauges, now=now)))


class CachedValue(Generic[T]):
    """A value that is asked for by one at a time, and told for a while; None where it was not there in time."""

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Clock) -> None:
        self._ask, self._clock = ask, clock
        self._asked_at = 0.0
        self._asking: asyncio.Task[T | None] | None = None

    async def value(self) -> T | None:
        asking, now = self._asking, self._clock.monotonic()
        if asking is None or (asking.done() and now - self._asked_at >= KEPT):
            self._asked_at, self._asking = now, asyncio.create_task(self._answer())
            asking = self._asking
        await asyncio.wait((asking,), timeout=WITHIN)
        return asking.result() if asking.done() else None

    async def _answer(self) -> T | None:
        try:
            return await self._ask()
        except StoreError:
            return None
