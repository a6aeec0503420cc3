"""The poller against a panel that lives, over a real store: what it asks, how often, and what it keeps of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from bridge.panels.base import Watch
from bridge.panels.marzban import MarzbanConfig
from bridge.panels.threexui.panel import TYPES
from bridge.people.proof import Proof, ProofKind
from bridge.polled import Polling
from bridge.polling.jobs import Job, jobs_of
from bridge.polling.poller import LARGEST_ANSWER, REMEMBERED, Poller
from bridge.sealing import Sealer, Unmasking
from bridge.sinks.http import Http, Request, Response
from bridge.store import open_outbox
from bridge.store.backend import open_engine
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.proofs import whose
from bridge.store.schema import events, metadata, polled
from tests.fakes import START, FakeClock
from tests.polling.a_poller import a_table, the_jobs
from tests.polling.a_shop import KEY
from tests.polling.threexui import (
    ADDRESS,
    GIB,
    PATHS,
    SECRETS_OF_IT,
    FakeHttp,
    Life,
    Panel3xUi,
    a_client,
    a_node,
    told_of,
)


@pytest.fixture
async def outbox(store_url: str) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(store_url) as opened:
        yield opened


@pytest.fixture
def panel() -> Panel3xUi:
    return Panel3xUi(clients={1: a_client(1, email="alice", totalGB=10 * GIB)}, nodes={1: a_node(1)})


class Asking:
    """A poller with its clock, over that panel."""

    def __init__(self, outbox: SqlOutbox, clock: FakeClock, panel: Any, *jobs: Job) -> None:
        self.http = FakeHttp(panel)
        self.clock = clock
        self.announced: list[Any] = []
        self.jobs = jobs or tuple(the_jobs(ADDRESS, interval=60))
        self.poller = Poller(outbox, cast(Http, self.http), clock, announce=self.announced.extend)
        self.poller.configure(self.jobs, a_table())

    async def look(self, *, times: int = 1, after: float = 60.0) -> None:
        for _ in range(times):
            for job in self.jobs:
                await self.poller.step(job)
            self.clock.step(after)


def kept(store_url: str) -> list[Any]:
    engine = open_engine(store_url)
    with engine.connect() as connection:
        rows = list(connection.execute(sa.select(events).order_by(events.c.id)))
    engine.dispose()
    return rows


def told(store_url: str) -> list[tuple[str, str]]:
    return told_of((row.native_type, row.subject) for row in kept(store_url))


async def test_the_first_look_tells_nothing(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    await Asking(outbox, clock, panel).look(times=3)
    assert told(store_url) == []


async def test_what_has_changed_is_told_once_and_its_lanes_are_woken(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    asking = Asking(outbox, clock, panel)
    await asking.look()
    panel.clients[1]["traffic"]["up"] = 11 * GIB
    await asking.look(times=3)
    assert told(store_url) == [("client.first_connected", "alice"), ("client.limited", "alice")]
    assert [one.event.native_type for one in asking.announced] == ["client.first_connected", "client.limited"]


async def test_a_bridge_that_begins_anew_tells_what_happened_meanwhile_and_nothing_twice(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    await Asking(outbox, clock, panel).look()
    panel.clients[2] = a_client(2, email="bob")
    await Asking(outbox, clock, panel).look(times=2)
    await Asking(outbox, clock, panel).look(times=2)
    assert told(store_url) == [("client.created", "bob")]


async def test_several_replicas_ask_no_more_than_one(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    replicas = [Asking(outbox, clock, panel) for _ in range(3)]
    for minute in range(10):
        panel.clients[10 + minute] = a_client(10 + minute)
        for one in replicas:
            await one.look(after=0)
        clock.step(60)
    assert panel.asked == [*PATHS] * 10
    assert [name for _, name in told(store_url)] == [f"client-{10 + minute}" for minute in range(1, 10)]


async def test_one_request_of_each_kind_is_made_an_interval_and_one_at_a_time(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi
) -> None:
    asking = Asking(outbox, clock, panel)
    await asking.look(times=60, after=10)
    assert panel.asked == [*PATHS] * 10
    assert asking.http.most_at_once == 1


async def test_no_secret_of_the_panel_is_kept(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    asking = Asking(outbox, clock, panel)
    await asking.look()
    panel.clients[2] = a_client(2)
    panel.nodes = {1: a_node(1, status="offline"), 2: a_node(2)}
    await asking.look()
    panel.silent = True
    await asking.look(times=10, after=600)
    engine = open_engine(store_url)
    with engine.connect() as connection:
        everything = str([list(connection.execute(sa.select(table))) for table in metadata.sorted_tables])
    engine.dispose()
    assert "node-2" in everything
    assert [secret for secret in SECRETS_OF_IT if secret in everything] == []


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"silent": True}, "no answer: connection refused"),
        ({"refuses": 404}, "HTTP 404: there is no panel at this address, or it does not know the token"),
        ({"refuses": 403}, "HTTP 403: the token may not read this, its scope should not be monitor"),
        ({"refuses": 502}, "HTTP 502"),
    ],
)
async def test_a_panel_that_is_silent_is_told_of_and_so_is_that_it_is_back(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str, trouble: dict[str, Any], reason: str
) -> None:
    asking = Asking(outbox, clock, panel)
    await asking.look()
    began = clock.now()
    vars(panel).update(trouble)
    await asking.look(times=40)
    (lost,) = kept(store_url)
    assert (lost.type, lost.subject, lost.source) == ("node.connection_lost", "node/panel:main", "main")
    assert json.loads(lost.data) == {"node": {"name": "main", "address": "panel.example.com"}, "reason": reason}
    assert lost.occurred_at == int(began.timestamp() * 1_000_000)
    panel.silent, panel.refuses = False, None
    panel.clients[2] = a_client(2, email="bob")
    await asking.look(times=20)
    assert told(store_url)[1:] == [("client.created", "bob"), ("watch.restored", "main")]


async def test_a_panel_that_fails_is_asked_ever_less_often(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi
) -> None:
    panel.silent = True
    await Asking(outbox, clock, panel).look(times=60)
    assert panel.asked == [PATHS[0]] * 9  # after 0, 1, 3, 7, 15 minutes, and then every ten


async def test_what_was_refused_is_not_followed_by_more_questions(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi
) -> None:
    panel.refuses = 404
    await Asking(outbox, clock, panel).look()
    assert panel.asked == [PATHS[0]]


async def test_a_panel_without_nodes_is_asked_all_the_same_and_tells_nothing_once_it_has_learnt_of_them(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    panel.nodes = None
    asking = Asking(outbox, clock, panel)
    await asking.look()
    panel.clients[2] = a_client(2, email="bob")
    await asking.look()
    panel.nodes = {1: a_node(1)}
    await asking.look(times=2)
    assert told(store_url) == [("client.created", "bob")]
    panel.nodes[2] = a_node(2)
    await asking.look()
    assert told(store_url)[1:] == [("node.created", "node-2")]


async def test_an_answer_without_end_is_no_answer(outbox: SqlOutbox, clock: FakeClock, store_url: str) -> None:
    endless = SimpleNamespace(answer=lambda request: Response(200, body=b"x" * LARGEST_ANSWER))
    await Asking(outbox, clock, endless).look(times=10)
    (lost,) = kept(store_url)
    assert json.loads(lost.data)["reason"] == "the answer is longer than 32 MiB"


async def test_another_panel_under_the_name_of_a_source_is_looked_at_anew(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    await Asking(outbox, clock, panel).look()
    moved = Panel3xUi(clients={7: a_client(7)}, nodes={})
    answer = moved.answer
    moved.answer = lambda request: answer(  # type: ignore[method-assign]
        Request("GET", type(request.url)(str(request.url).replace("elsewhere", "panel")), headers=request.headers)
    )
    asking = Asking(outbox, clock, moved, *the_jobs(ADDRESS.replace("panel.", "elsewhere."), interval=60))
    await asking.look(times=2)
    assert told(store_url) == []


def a_watch(**settings: Any) -> Job:
    """The job that a watch makes, of a source whose panel posts."""
    watch = Watch.model_validate({"address": "https://marzban.example.com/health?key=a-secret-key", **settings})
    (job,) = jobs_of("main", "marzban", MarzbanConfig(panel="marzban", secret="none", watch=watch).open(), _nothing)
    return job


def _nothing(_: Any) -> Any:
    return [], []


@pytest.mark.parametrize(
    ("settings", "statuses", "expected"),
    [
        ({}, [200] * 9, []),
        ({}, [302] * 9, []),
        ({}, [404] * 9, ["watch.lost"]),
        ({}, [502] * 9 + [200], ["watch.lost", "watch.restored"]),
        ({}, [502, 200] * 9, []),
        ({"status": [401]}, [401] * 9, []),
        ({"status": [401]}, [200] * 9, ["watch.lost"]),
    ],
)
async def test_any_panel_can_be_watched(
    outbox: SqlOutbox,
    clock: FakeClock,
    store_url: str,
    settings: dict[str, Any],
    statuses: list[int],
    expected: list[str],
) -> None:
    left = iter(statuses)
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(next(left))

    asking = Asking(outbox, clock, SimpleNamespace(answer=answer), a_watch(**settings))
    while len(asked) < len(statuses):
        await asking.look()
    assert [(row.native_type, row.panel, row.subject) for row in kept(store_url)] == [
        (native, "marzban", "node/watch:main") for native in expected
    ]
    assert {str(request.url) for request in asked} == {"https://marzban.example.com/health?key=a-secret-key"}
    assert not any("a-secret-key" in str(row) for row in kept(store_url))


async def test_a_panel_that_is_asked_can_be_watched_besides(outbox: SqlOutbox) -> None:
    jobs = the_jobs(ADDRESS, watch={"address": "https://panel.example.com/"})
    assert [job.key.what for job in jobs] == [Polling.EVENTS, Polling.HEALTH]


async def test_whatever_goes_wrong_with_one_turn_the_next_one_comes(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    asking = Asking(outbox, clock, panel)
    await asking.look()
    whole = panel.clients
    panel.clients = cast(Any, SimpleNamespace(values=lambda: [None, 7, {"email": None}, {"email": "x", "traffic": 3}]))
    await asking.look()
    panel.clients = whole
    await asking.look()
    assert told(store_url) == [
        ("client.created", "x"),
        ("client.deleted", "alice"),
        ("client.created", "alice"),
        ("client.deleted", "x"),
    ]


def test_whatever_can_happen_happens_in_the_life_that_is_told() -> None:
    """But for what only an operator does with nodes: that stands in the tests of the panel."""
    life, now = Life(300, Random(7), START), START
    for _ in range(24 * 40):
        now += timedelta(hours=1)
        life.pass_time(now)
    rare = {"client.on_hold", "node.created", "node.updated", "node.deleted", "node.enabled", "node.disabled"}
    assert {native for native, _ in life.happened} == set(TYPES) - rare


# What is masked, and who may have it all the same


async def test_a_program_that_unmasks_is_given_the_originals_of_what_a_poll_found_and_nobody_else_is(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    sealer = Sealer("k" * 44)
    jobs = the_jobs(ADDRESS, Unmasking(sealer, {"ops": ("client.subId",)}), interval=60)
    asking = Asking(outbox, clock, panel, *jobs)
    await asking.look()
    panel.clients[2] = a_client(2, email="bob")
    await asking.look()
    [delivery] = asking.announced
    assert delivery.event.native["client"]["subId"] == "***"
    assert sealer.unseal(delivery.sealed) == {"client.subId": ["sub-secret-2"]}
    assert "sub-secret-2" not in str(kept(store_url))


async def test_a_sink_that_unmasks_nothing_is_given_no_seal(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi
) -> None:
    jobs = the_jobs(ADDRESS, Unmasking(Sealer("k" * 44), {"shop": ("client.subId",)}), interval=60)
    asking = Asking(outbox, clock, panel, *jobs)
    await asking.look()
    panel.clients[2] = a_client(2, email="bob")
    await asking.look()
    assert [one.sealed for one in asking.announced] == [None]


async def test_what_only_a_client_has_is_kept_as_a_hash_with_what_a_poll_found(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    asking = Asking(outbox, clock, panel, *the_jobs(ADDRESS, proof_key=KEY, interval=60))
    await asking.look()
    panel.clients[2] = a_client(2, email="bob", subId="x7k2m9q4w1z8v5b3")
    await asking.look()
    [shown] = KEY.hashes(["main"], [Proof(ProofKind.SUBSCRIPTION, "x7k2m9q4w1z8v5b3")])
    assert await outbox.operate(lambda ledger: ledger.read(whose, [shown])) == ["main/user:bob"]
    assert "x7k2m9q4w1z8v5b3" not in str(kept(store_url))


# What is kept of sources that are gone from the file


def rows(store_url: str) -> set[str]:
    engine = open_engine(store_url)
    with engine.connect() as connection:
        found = {str(one) for one in connection.execute(sa.select(polled.c.source)).scalars()}
    engine.dispose()
    return found


async def test_a_source_that_is_gone_from_the_file_is_forgotten_after_a_while_and_no_other_is(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    asking = Asking(outbox, clock, panel)
    await asking.look()
    clock.step(REMEMBERED * 5)  # the bridge itself was away: what the file names is kept, however old it is
    assert await asking.poller.tidy() == 0
    await asking.look()
    asking.poller.configure([], a_table())
    assert await asking.poller.tidy() == 0  # it may come back, and another replica's file may name it still
    assert rows(store_url) == {"main"}
    clock.step(REMEMBERED + 3600)
    assert await asking.poller.tidy() == 1
    assert rows(store_url) == set()


async def test_what_another_replica_asks_is_not_forgotten(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, store_url: str
) -> None:
    asking, other = Asking(outbox, clock, panel), Asking(outbox, clock, panel)
    other.poller.configure([], a_table())
    for _ in range(3):
        clock.step(REMEMBERED)
        await asking.look()
        assert await other.poller.tidy() == 0


async def test_nothing_is_forgotten_before_there_is_a_file(
    outbox: SqlOutbox, clock: FakeClock, panel: Panel3xUi, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_sources: asyncio.Queue[set[str]] = asyncio.Queue()

    async def forget(*, others_than: Collection[str], before: datetime) -> int:
        kept_sources.put_nowait(set(others_than))
        return 0

    monkeypatch.setattr(outbox, "forget_polled", forget)
    poller = Poller(outbox, cast(Http, FakeHttp(panel)), clock, announce=lambda deliveries: None)
    running = asyncio.create_task(poller.run())
    for _ in range(20):  # as many turns as every task that it might begin would need
        await asyncio.sleep(0)
    assert kept_sources.empty()
    poller.configure(the_jobs(ADDRESS, interval=60), a_table())
    first = asyncio.create_task(kept_sources.get())
    await asyncio.wait((running, first), return_when=asyncio.FIRST_COMPLETED)
    assert first.result() == {"main"}
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
