"""What one request has at hand while it is worked out, on a thread of its own, and what it has looked up already."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from graphql import GraphQLError

from bridge.admin import operations
from bridge.admin.actions import BridgeControls
from bridge.admin.reader_pool import ReaderPool
from bridge.admin.shapes import Lane, Try
from bridge.admin.state import ConfigState
from bridge.admin.trials.shapes import SentTest
from bridge.event import Event, JsonObject
from bridge.store.ledger import Ledger
from bridge.store.queries.attempts import attempts_of
from bridge.store.queries.records import event as stored_event

T = TypeVar("T")
LIMIT = 2.0  # seconds that looking things up may take


@dataclass
class GraphQLContext:
    """loop: the one that the bridge runs in; acted: keeps an action, as in `rest.endpoint`."""

    loop: asyncio.AbstractEventLoop
    reading: ReaderPool
    means: BridgeControls
    state: ConfigState
    now: datetime
    tests: dict[str, SentTest]
    acted: Callable[[str, Mapping[str, object]], None]
    ends: float = field(default_factory=lambda: time.monotonic() + LIMIT)
    wanted: set[str] = field(default_factory=set)  # events that may be asked for, and are looked up together
    tried: set[int] = field(default_factory=set)  # deliveries whose tries may be
    _events: dict[str, tuple[Event, Sequence[JsonObject]] | None] = field(default_factory=dict)
    _tries: dict[int, Sequence[Try]] = field(default_factory=dict)
    _lanes: Mapping[str, Lane] | None = None
    _pages: dict[object, Any] = field(default_factory=dict)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What comes of something that the bridge does."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def read(self, look: Callable[[Ledger], T]) -> T:
        """What a look finds, while there is time."""
        if time.monotonic() > self.ends:
            raise GraphQLError(f"took longer than {LIMIT:g} s", extensions={"code": "TIMEOUT"})
        return self.wait(self.reading.run(look))

    def page(self, key: object, look: Callable[[Ledger], T]) -> T:
        """The same; once for each key."""
        if key not in self._pages:
            self._pages[key] = self.read(look)
        found: T = self._pages[key]
        return found

    def lanes(self) -> Mapping[str, Lane]:
        if self._lanes is None:
            found = self.read(lambda ledger: operations.lanes(ledger, self.state.sinks))
            self._lanes = {one.sink: one for one in found}
        return self._lanes

    def event(self, id_: str) -> tuple[Event, Sequence[JsonObject]] | None:
        """An event, and what each row said of it; all that are wanted are looked up at once."""
        if id_ not in self._events:
            ids = [*({*self.wanted, id_} - self._events.keys())]
            self._events.update(self.read(lambda ledger: {one: _event(ledger, one) for one in ids}))
        return self._events[id_]

    def tries(self, id_: int) -> Sequence[Try]:
        if id_ not in self._tries:
            ids = [*({*self.tried, id_} - self._tries.keys())]
            found = self.read(lambda ledger: ledger.read(attempts_of, ids))
            self._tries.update({one: [Try.model_validate(each) for each in found.get(one, ())] for one in ids})
        return self._tries[id_]


def _event(ledger: Ledger, id_: str) -> tuple[Event, Sequence[JsonObject]] | None:
    found = ledger.read(stored_event, id_)
    return None if found is None else (found[0], operations.row_verdicts(*found))
