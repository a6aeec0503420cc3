"""A desk over a real store, and what it has told."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any, cast

from bridge.alerts.desk import AlertDesk, AlertPlan
from bridge.alerts.settings import AlertSettings
from bridge.event import Event
from bridge.messages.renderer import Renderer
from bridge.routing import Route, Router
from bridge.settings import SilentAfter
from bridge.store import open_ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.events import event_records
from bridge.store.records import DeliveryQuery, EventRecord
from bridge.store.rows import lowest_event_id
from bridge.value import replace
from tests.delivery.lanes import BlankRenderer, ScriptedSink
from tests.fakes import FakeClock, an_event


class Replica:
    """One process with a desk; `carries` are the sinks whose lanes it has."""

    def __init__(
        self,
        outbox: SqlOutbox,
        clock: FakeClock,
        *,
        to: Iterable[str] = ("ops", "night"),
        rows: Iterable[Route] = (),
        silent_after: Mapping[str, SilentAfter] | None = None,
        window: float = 30.0,
    ) -> None:
        self.clock = clock
        self.sinks = {name: ScriptedSink(clock) for name in to}
        self.carries = {"ops", "night", "team"}
        self.announced: list[Any] = []
        self.desk = AlertDesk(outbox, clock)
        self.desk.introduce(announce=self.announced.extend, carries=self.carries.__contains__)
        switches = {name: Enabled() for name in ("ops", "night", "team")}
        table = [(f"route {number}", row) for number, row in enumerate(rows, start=1)]
        self.plan = AlertPlan(
            AlertSettings(to=tuple(self.sinks), window=window) if self.sinks else AlertSettings(window=window),
            Router(table, sinks=switches),
            cast(Renderer, BlankRenderer()),
            dict(self.sinks),
            silent_after or {},
        )
        self.desk.configure(self.plan)

    async def pass_time(self, seconds: float, *, by: float = 5.0) -> None:
        """Let time pass, and the desk tell what it may after each step."""
        end = self.clock.monotonic() + seconds
        await self.desk.tell()
        while self.clock.monotonic() < end:
            self.clock.step(min(by, end - self.clock.monotonic()))
            await self.desk.tell()


NUMBERS = count()


def came(source: str, at: datetime) -> Event:
    """An event of a source that came at that time, as its id says too."""
    id_ = f"{lowest_event_id(at)}-7000-8000-{next(NUMBERS):012x}"
    return replace(an_event(None, at=at), id=id_, source=source)


class Enabled:
    enabled = True


def kept(store_url: str) -> list[EventRecord]:
    """The events of the bridge itself, the oldest first."""
    with open_ledger(store_url) as ledger:
        return list(reversed(ledger.read(event_records, DeliveryQuery(source="panelbridge", limit=None))))


def told(store_url: str) -> list[tuple[str, str | None]]:
    """Types and subjects of what was told."""
    return [(one.type, one.subject) for one in kept(store_url)]
