"""What a scrape asks of the store, how often, and how long it waits."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.admin.metrics import scrape
from bridge.admin.metrics.scrape import KEPT, Scrape, scope_of
from bridge.errors import StoreUnavailable
from bridge.outcome import Refused
from bridge.panels import TOLD
from bridge.routing import Route, Router
from bridge.store import open_ledger, open_outbox
from bridge.store.ledger import Ledger
from bridge.vocabulary import TYPES
from tests.admin.scraped import a_scope, parsed, value
from tests.delivery.lanes import ScriptedSink, a_lane
from tests.fakes import FakeClock, Switch, an_event, an_intake

BOTH = ("ops", "team")


class Store:
    """A real one, which can be away, or silent."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.away = False
        self.silent: asyncio.Event | None = None
        self.asked: list[str] = []

    async def look(self, look: Callable[[Ledger], Any]) -> Any:
        await self._answer("look")
        return look(self.ledger)

    async def ready(self) -> None:
        await self._answer("ready")

    async def _answer(self, verb: str) -> None:
        self.asked.append(verb)
        if self.silent is not None:
            await self.silent.wait()
        if self.away:
            raise StoreUnavailable("store: the server is away")


@pytest.fixture
async def store(store_url: str, clock: FakeClock) -> Any:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(), an_event("user:bob")))
        lane = a_lane(outbox, ScriptedSink(clock, [Refused("HTTP 400")]), clock)
        await lane.step()
        await lane.flush()
    with open_ledger(store_url) as ledger:
        yield Store(ledger)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for what never comes need not wait for long."""
    monkeypatch.setattr(scrape, "WITHIN", 0.05)


def a_scrape(store: Store, clock: FakeClock, carried: Any = BOTH) -> Scrape:
    return Scrape(store.look, store.ready, lambda sink: sink in carried, clock)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("sqlite:////var/lib/panelbridge/panelbridge.db", "sqlite"),
        ("postgresql+psycopg://bridge@db/panelbridge", "postgresql"),
        ("postgres://db/panelbridge", "postgresql"),
    ],
)
def test_what_is_counted_is_what_the_file_in_force_names(url: str, kind: str) -> None:
    sinks = {"ops": Switch(), "off": Switch(enabled=False)}
    state: Any = SimpleNamespace(
        store=url,
        sources=[SimpleNamespace(name="one", panel="marzban"), SimpleNamespace(name="two", panel="json")],
        sinks=sinks,
        router=Router([("route 1", Route(to=("ops",))), ("webhook mine", Route(to=("off",)))], sinks=sinks),
    )
    scope = scope_of(state)
    assert (scope.store, scope.sinks, scope.rows) == (kind, ["ops"], ["route 1", "webhook mine"])
    assert "user.created" in scope.sources["one"]
    assert not scope.sources["two"]


@pytest.mark.parametrize("panel", TOLD)
def test_types_that_are_there_from_the_start_have_names_of_their_own(panel: str) -> None:
    source = SimpleNamespace(name="one", panel=panel)
    state: Any = SimpleNamespace(store="", sources=[source], sinks={}, router=Router([], sinks={}))
    assert scope_of(state).sources["one"] <= TYPES.keys()


async def test_the_lanes_of_this_process_are_told_as_they_stand_in_the_store(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "WITHIN", 60)
    text = await a_scrape(store, clock, carried=("ops",)).exposition(a_scope(sinks=BOTH))
    assert value(text, "panelbridge_dead_letters", sink="ops") == 1
    assert value(text, "panelbridge_lane_deliveries", sink="ops", state="pending") == 1
    assert value(text, "panelbridge_store_up") == 1
    size = value(text, "panelbridge_store_size_bytes")
    assert size is not None
    assert size > 4096
    assert value(text, "panelbridge_dead_letters", sink="team") is None


async def test_a_lane_that_the_store_has_not_heard_of_is_open_and_empty(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "WITHIN", 60)
    look = await a_scrape(store, clock).look(["team"])
    assert (look.lanes["team"].standing.value, look.lanes["team"].pending) == ("open", 0)


async def test_the_store_is_asked_once_however_many_scrape(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "WITHIN", 60)
    one = a_scrape(store, clock)
    await asyncio.gather(*(one.look(BOTH) for _ in range(20)))
    clock.step(KEPT - 0.1)
    await one.look(BOTH)
    assert sorted(store.asked) == ["look", "ready"]
    clock.step(0.1)
    await one.look(BOTH)
    assert sorted(store.asked) == ["look", "look", "ready", "ready"]


async def test_a_store_that_is_away_is_told_as_such_and_asked_no_oftener(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "WITHIN", 60)
    one, store.away = a_scrape(store, clock), True
    for _ in range(3):
        text = await one.exposition(a_scope())
    assert value(text, "panelbridge_store_up") == 0
    assert not parsed(text)["panelbridge_lane_standing"].samples
    assert sorted(store.asked) == ["look", "ready"]


async def test_a_store_that_says_nothing_keeps_nobody_waiting_and_is_not_asked_again_meanwhile(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, store.silent = a_scrape(store, clock), asyncio.Event()
    for _ in range(3):
        assert await one.look(BOTH) == scrape.StoreLook()
        clock.step(KEPT)
    assert sorted(store.asked) == ["look", "ready"]
    store.silent.set()
    monkeypatch.setattr(scrape, "WITHIN", 60)
    assert (await one.look(BOTH)).up
