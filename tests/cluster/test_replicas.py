"""Several replicas on one real PostgreSQL: every lane on exactly one of them, whatever ends, freezes or is cut."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bridge.cluster import assignment
from bridge.cluster import replicas as cluster
from bridge.cluster.membership import STALE
from bridge.cluster.replicas import HEARTBEAT, LEASE, SharedOwnership
from bridge.store.backend import open_engine
from bridge.store.schema import metadata, replicas
from tests.postgres import Postgres, a_postgres
from tests.processes import PATIENCE, Standstill

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SINKS = [f"sink-{n}" for n in range(6)]
FAILOVER = 5.0  # what is promised
HEARTBEAT_OF = (
    "INSERT INTO replicas VALUES (%s, extract(epoch FROM clock_timestamp()) * 1000000)"
    " ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at"
)
LONG = 1.0  # seconds for which we stood still: heartbeats may be missing


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with a_postgres() as running:
        yield running


@pytest.fixture
def url(server: Postgres) -> str:
    fresh = server.fresh()
    engine = sa.create_engine(fresh)
    metadata.create_all(engine)
    engine.dispose()
    return fresh


class Recording:
    """A carrier that remembers what it was told; `stopping` holds up the end of lanes."""

    def __init__(self) -> None:
        self.lanes: dict[str, int] = {}
        self.woken: list[tuple[str, ...] | None] = []
        self.stopping = asyncio.Event()
        self.stopping.set()

    async def own(self, epochs: Mapping[str, int]) -> None:
        going = self.lanes.items() - epochs.items()
        self.lanes |= epochs
        if going:
            await self.stopping.wait()
        self.lanes = dict(epochs)

    def wake(self, sinks: Collection[str] | None) -> None:
        self.woken.append(None if sinks is None else tuple(sinks))


class Replica:
    """One replica and its carrier."""

    def __init__(self, url: str, name: str, scopes: Mapping[str, Collection[str]]) -> None:
        self.carrier = Recording()
        self.met_others = asyncio.Event()
        self.ownership = SharedOwnership(url, name=name, on_peer=self.met_others.set)
        self.ownership.want(scopes)
        self._running = asyncio.create_task(self.ownership.run(self.carrier))

    @property
    def lanes(self) -> dict[str, int]:
        return self.carrier.lanes

    async def end(self) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running


Start = Callable[..., Replica]


@pytest.fixture
async def start(url: str) -> AsyncIterator[Start]:
    started: list[Replica] = []

    def start_(name: str, scopes: Mapping[str, Collection[str]] | None = None) -> Replica:
        started.append(Replica(url, name, scopes if scopes is not None else dict.fromkeys(SINKS, ())))
        return started[-1]

    yield start_
    for one in started:
        await one.end()


async def until(true: Callable[[], object]) -> None:
    """Returns once it is so."""
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.005)


Took = Callable[[Callable[[], object]], Awaitable[float]]


@pytest.fixture
def took(server: Postgres) -> Took:
    """Seconds until it is so, without those of a machine that stood still, and of who gives others time after that."""

    async def took_(true: Callable[[], object]) -> float:
        async with Standstill(lambda: server.pids) as still:
            began = time.monotonic()
            await until(true)
            seconds = time.monotonic() - began - still.seconds
        return seconds - STALE * sum(late > LONG for late in still.late)

    return took_


def assigned(*running: Replica) -> bool:
    """Every lane is on exactly one of them, evenly, and they are sure of it."""
    counts = Counter(sink for one in running for sink in one.lanes)
    sizes = [len(one.lanes) for one in running]
    even = max(sizes) - min(sizes) <= 1
    return counts == Counter(SINKS) and even and all(one.ownership.sure() for one in running)


def rows(url: str, query: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []


async def test_a_replica_alone_carries_all_lanes_under_the_epochs_of_the_table(start: Start, url: str) -> None:
    one = start("one")
    await until(lambda: assigned(one))
    assert dict(rows(url, "SELECT sink, epoch FROM lanes WHERE owner = 'one'")) == one.lanes


async def test_two_replicas_carry_half_of_the_lanes_each_and_none_twice(start: Start) -> None:
    one, two = start("one"), start("two")
    await until(lambda: assigned(one, two))
    assert len(one.lanes) == len(two.lanes) == 3


async def test_a_replica_is_told_that_it_has_peers_as_long_as_it_has_some(start: Start) -> None:
    one = start("one")
    await until(lambda: assigned(one))
    assert not one.met_others.is_set()
    two = start("two")
    await until(lambda: one.met_others.is_set() and two.met_others.is_set())
    await two.end()
    await until(lambda: assigned(one))
    one.met_others.clear()
    await asyncio.sleep(1.1)  # two heartbeats
    assert not one.met_others.is_set()


async def test_no_lane_is_on_two_replicas_while_they_come_and_go(start: Start) -> None:
    running: list[Replica] = []
    seen: Counter[str] = Counter()

    def settled(*living: Replica) -> Callable[[], bool]:
        def check() -> bool:
            now = Counter(sink for one in running for sink in one.lanes)
            seen.update({sink: 1 for sink, count in now.items() if count > 1})
            return assigned(*living)

        return check

    for name in ("one", "two", "three"):
        running.append(start(name))
        await until(settled(*running))
    gone = running.pop(0)
    await gone.end()
    gone.carrier.lanes = {}
    await until(settled(*running))
    assert not seen


async def test_a_lane_moves_only_once_it_has_stopped(start: Start) -> None:
    one = start("one")
    await until(lambda: assigned(one))
    one.carrier.stopping.clear()
    two = start("two")
    await until(lambda: one.carrier.lanes and len(one.ownership._held) == 3)
    await asyncio.sleep(1.5)  # three heartbeats of the other
    assert (len(one.lanes), two.lanes) == (6, {})
    await until(one.ownership.sure)
    one.carrier.stopping.set()
    await until(lambda: assigned(one, two))


async def test_each_new_carrier_of_a_lane_has_a_higher_epoch(start: Start) -> None:
    one = start("one")
    await until(lambda: assigned(one))
    before = dict(one.lanes)
    await one.end()
    two = start("two")
    await until(lambda: assigned(two))
    assert all(two.lanes[sink] > before[sink] for sink in SINKS)


async def test_a_replica_that_ends_hands_over_at_once(
    start: Start, url: str, took: Took, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "LEAVE_TIMEOUT", PATIENCE)  # whoever does not hear it finds him dead, and later
    one, two = start("one"), start("two")
    await until(lambda: assigned(one, two))
    await one.end()
    assert rows(url, "SELECT name FROM replicas") == [("two",)]
    assert rows(url, "SELECT sink FROM lanes WHERE owner = 'one'") == []
    assert await took(lambda: assigned(two)) < 1.0


async def test_lanes_that_share_a_limit_stay_together(start: Start) -> None:
    scopes = {"a1": ["bot a"], "a2": ["bot a"], "a3": ["bot a"], "b1": ["bot b"]}
    one, two = start("one", scopes), start("two", scopes)
    await until(lambda: one.lanes and two.lanes and len(one.lanes) + len(two.lanes) == 4)
    assert sorted((len(one.lanes), len(two.lanes))) == [1, 3]


async def test_what_is_wanted_may_change_at_any_time(start: Start, took: Took) -> None:
    one = start("one", {})
    await until(one.ownership.sure)
    one.ownership.want({"ops": (), "team": ()})
    assert await took(lambda: one.lanes.keys() == {"ops", "team"}) < 0.5
    kept = one.lanes["team"]
    one.ownership.want({"team": ()})
    assert await took(lambda: one.lanes == {"team": kept}) < 0.5


async def test_a_lane_that_is_left_to_a_replica_that_does_not_know_it_is_not_left_alone(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignment, "ADOPTION", 0.5)
    one, two = start("one"), start("two", {"other": ()})
    await until(lambda: one.lanes.keys() == set(SINKS) and two.lanes.keys() <= {"other"})
    two.ownership.want(dict.fromkeys(SINKS, ()))
    await until(lambda: assigned(one, two))


async def test_all_connections_of_a_dead_replica_are_ended(start: Start, url: str) -> None:
    engine = open_engine(url, replica="dead")
    with pytest.raises(sa.exc.OperationalError), engine.connect() as connection:  # noqa: PT012
        connection.execute(sa.insert(replicas), {"name": "dead", "seen_at": 1})
        connection.commit()
        one = start("one")
        await until(lambda: assigned(one))
        connection.execute(sa.text("SELECT 1"))
    engine.dispose()


@pytest.mark.parametrize(
    ("payload", "woken"),
    [(":ops", ("ops",)), ("panelbridge two:ops,team", ("ops", "team")), ("panelbridge two:", None)],
)
async def test_a_notification_wakes_the_lanes_that_it_names(
    start: Start, url: str, payload: str, woken: tuple[str, ...] | None, took: Took
) -> None:
    one = start("one")
    await until(lambda: assigned(one))
    one.carrier.woken.clear()
    rows(url, "SELECT pg_notify('panelbridge', %s)", payload)
    assert await took(lambda: woken in one.carrier.woken) < 0.5


async def test_what_a_replica_put_itself_wakes_nobody_there(start: Start, url: str) -> None:
    one, two = start("one"), start("two")
    await until(lambda: assigned(one, two))
    one.carrier.woken.clear()
    two.carrier.woken.clear()
    rows(url, "SELECT pg_notify('panelbridge', 'panelbridge one:ops')")
    await until(lambda: ("ops",) in two.carrier.woken)
    assert ("ops",) not in one.carrier.woken


async def test_lanes_are_woken_now_and_then_without_being_told(start: Start, took: Took) -> None:
    one = start("one")
    await until(lambda: assigned(one))
    one.carrier.woken.clear()
    assert await took(lambda: None in one.carrier.woken) < 3.0


async def test_a_dead_replica_of_yesterday_is_forgotten(start: Start, url: str) -> None:
    rows(url, "INSERT INTO replicas VALUES ('old', 1), ('ahead', 99999999999999999)")
    one = start("one")
    await until(lambda: assigned(one))
    assert rows(url, "SELECT name FROM replicas") == [("one",)]


async def test_a_replica_whose_connection_was_cut_goes_on_under_the_same_epochs(
    start: Start, url: str, took: Took
) -> None:
    one = start("one")
    await until(lambda: assigned(one))
    before = dict(one.lanes)
    rows(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'panelbridge one'")
    assert await took(lambda: not one.ownership.sure()) < 0.5
    assert one.lanes == before
    assert await took(one.ownership.sure) < 1.0
    assert one.lanes == before


async def test_a_lane_that_another_took_meanwhile_is_dropped_before_anyone_is_sure(start: Start, url: str) -> None:
    one = start("one")
    await until(lambda: assigned(one))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        key = other.execute(
            "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"
        ).fetchone()
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%% one'")
        other.execute("SELECT pg_advisory_lock(%s)", key)
        one.carrier.stopping.clear()
        one.carrier.woken.clear()
        await until(lambda: one.carrier.woken)  # it has been back at the server
        await asyncio.sleep(0.2)
        assert not one.ownership.sure()
        one.carrier.stopping.set()
        await until(one.ownership.sure)
        assert len(one.lanes) == 5
    await until(lambda: assigned(one))


async def test_a_restart_of_the_server_changes_no_lane(server: Postgres, start: Start, took: Took) -> None:
    one, two = start("one"), start("two")
    await until(lambda: assigned(one, two))
    before = dict(one.lanes), dict(two.lanes)
    await asyncio.to_thread(server.stop)
    await until(lambda: not one.ownership.sure() and not two.ownership.sure())
    await asyncio.sleep(4)  # so long that each looks dead to the other
    assert (one.lanes, two.lanes) == before
    await asyncio.to_thread(server.start)
    assert await took(lambda: assigned(one, two)) < 3.0
    assert (one.lanes, two.lanes) == before


async def test_who_comes_back_gives_the_others_time_to_come_back_too(server: Postgres, start: Start, url: str) -> None:
    one = start("one")
    await until(lambda: assigned(one))

    async def give_heartbeats() -> None:
        with suppress(psycopg.Error):  # until the server is stopped, however long that takes on a busy machine
            while True:
                rows(url, HEARTBEAT_OF, "late")
                await asyncio.sleep(HEARTBEAT)

    late = asyncio.create_task(give_heartbeats())
    await until(lambda: len(one.lanes) == 3)
    await asyncio.sleep(3 * HEARTBEAT)  # it has seen that nobody carries the others
    await asyncio.to_thread(server.stop)
    await late
    await asyncio.sleep(STALE)
    away_until = time.monotonic()
    await asyncio.to_thread(server.start)
    await until(lambda: assigned(one))
    assert time.monotonic() - away_until > STALE


async def test_a_network_that_swallows_everything_ends_in_failover(
    server: Postgres, start: Start, url: str, took: Took
) -> None:
    async with a_wire(server.port) as wire:
        cut = Replica(url.replace(str(server.port), str(wire.port)), "cut", {sink: [sink] for sink in SINKS})
        whole = start("whole")
        await until(lambda: assigned(cut, whole))
        wire.swallows = True
        assert await took(lambda: not cut.ownership.sure()) <= LEASE + 0.1
        assert len(whole.lanes) == 3  # nobody carries a lane that another is still sure of
        assert await took(lambda: assigned(whole)) <= FAILOVER - LEASE
        wire.swallows = False
        await until(lambda: assigned(cut, whole))
        await cut.end()


async def test_a_replica_alone_ends_the_connection_that_the_server_still_believes_in(
    server: Postgres, url: str
) -> None:
    async with a_wire(server.port) as wire:
        alone = Replica(url.replace(str(server.port), str(wire.port)), "alone", {sink: [sink] for sink in SINKS})
        await until(lambda: assigned(alone))
        before = dict(alone.lanes)
        wire.swallows = True
        await until(lambda: not alone.ownership.sure())
        wire.swallows = False
        await until(lambda: assigned(alone))
        assert alone.lanes == before
        await alone.end()


class Process:
    """A replica in a process of its own, and what it last said."""

    def __init__(self, url: str, name: str) -> None:
        command = [sys.executable, "-m", "tests.cluster.a_replica", url, name, *SINKS]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._half = b""
        self.said: list[dict[str, object]] = []

    def last(self, what: str) -> object:
        """The last that it said of this."""
        assert self._process.stdout is not None
        *lines, self._half = (self._half + (self._process.stdout.read() or b"")).split(b"\n")
        self.said += [json.loads(line) for line in lines]
        return next((one[what] for one in reversed(self.said) if what in one), None)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def process(url: str) -> Iterator[Process]:
    running = Process(url, "child")
    yield running
    running.end()


async def shared(process: Process, one: Replica) -> None:
    """Returns once the process and the replica have half of the lanes each."""

    def both() -> bool:
        own = process.last("own")
        return isinstance(own, dict) and len(own) == 3 and len(one.lanes) == 3 and process.last("sure") is True

    await until(both)


async def test_the_lanes_of_a_killed_replica_are_taken_over_in_time(process: Process, start: Start, took: Took) -> None:
    one = start("one")
    await shared(process, one)
    process.signal(signal.SIGKILL)
    assert await took(lambda: assigned(one)) <= FAILOVER


async def test_a_frozen_replica_loses_its_lanes_in_time_and_knows_it_when_it_wakes(
    process: Process, start: Start, url: str, took: Took
) -> None:
    one = start("one")
    await shared(process, one)
    stale = process.last("own")
    assert isinstance(stale, dict)
    process.signal(signal.SIGSTOP)
    assert await took(lambda: assigned(one)) <= FAILOVER
    assert all(one.lanes[sink] > epoch for sink, epoch in stale.items())
    assert rows(url, "SELECT name FROM replicas") == [("one",)]
    process.last("own")  # all that it said before
    process.said.clear()
    process.signal(signal.SIGCONT)
    await until(lambda: process.last("sure") is not None)
    assert process.said[0] == {"sure": False}  # before anything else
    await shared(process, one)
    again = process.last("own")
    assert isinstance(again, dict)
    assert min(again.values()) > max(stale.values())


class Wire:
    """A way to a port that can begin to swallow all that is sent, without ending a connection."""

    def __init__(self) -> None:
        self.port = 0
        self.swallows = False
        self.writers: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        swallowed = False
        while data := await reader.read(65536):
            swallowed |= self.swallows
            if not swallowed:
                writer.write(data)


@asynccontextmanager
async def a_wire(port: int) -> AsyncIterator[Wire]:
    wire = Wire()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        wire.writers += [writer, far_writer]
        with suppress(ConnectionError):
            await asyncio.gather(wire.carry(reader, far_writer), wire.carry(far_reader, writer))

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    wire.port = listening.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        listening.close()
        for writer in wire.writers:
            writer.close()
