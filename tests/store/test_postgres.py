"""PostgreSQL: servers that go and come back, several replicas at once, and what others are told."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa

from bridge.errors import StoreError, StoreUnavailable
from bridge.outcome import Dead, Done
from bridge.store import migrate, open_ledger, open_outbox
from bridge.store.backend import BRIDGE_PATIENCE, open_engine
from bridge.store.base import LaneState, Standing, State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.lanes import resume
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery
from bridge.terms import Terms
from tests.fakes import START, an_event, an_intake
from tests.postgres import VERSIONS, Postgres, a_postgres
from tests.processes import PATIENCE, Standstill
from tests.store.boxes import claimed, settle, subjects, under

pytestmark = pytest.mark.process


@pytest.fixture(scope="module", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A server that may be stopped."""
    with a_postgres(request.param) as one:
        yield one


@pytest.fixture
async def outbox(server: Postgres) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(server.fresh(), replica="a") as opened:
        yield opened


async def test_a_server_that_is_away_is_unavailable_and_all_works_again_when_it_is_back(
    outbox: SqlOutbox, server: Postgres
) -> None:
    await outbox.put(an_intake(an_event("user:before")))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Done())
    server.stop()
    try:
        for verb in (
            outbox.put(an_intake(an_event("user:lost"))),
            claimed(outbox),
            settle(outbox, delivery, Dead("HTTP 400")),
            outbox.save_lane_state("ops", LaneState(), epoch=0),
            outbox.lane_state("ops"),
            outbox.check(),
        ):
            with pytest.raises(StoreUnavailable):
                await verb
    finally:
        server.start()
    await outbox.put(an_intake(an_event("user:after")))
    assert subjects(await claimed(outbox)) == ["user:after"]
    await outbox.check()


async def test_a_server_that_is_frozen_is_unavailable_within_seconds_and_all_works_again_when_it_wakes(
    outbox: SqlOutbox, server: Postgres
) -> None:
    await outbox.put(an_intake(an_event("user:before")))
    assert subjects(await claimed(outbox)) == ["user:before"]
    server.freeze()
    try:
        for _ in range(2):  # on the connection there is, and on a new one
            async with Standstill() as still:
                started = time.monotonic()
                verbs = [outbox.put(an_intake(an_event("user:lost"))) for _ in range(20)]
                verbs += [outbox.check(), claimed(outbox)]
                results = await asyncio.gather(*verbs, return_exceptions=True)
                assert [type(one) for one in results] == [StoreUnavailable] * 22
                assert time.monotonic() - started - still.seconds < 2 * BRIDGE_PATIENCE
    finally:
        server.thaw()
    await outbox.put(an_intake(an_event("user:after")))
    kept = subjects(await claimed(outbox))
    assert (kept[0], kept[-1]) == ("user:before", "user:after")


async def test_a_statement_that_takes_too_long_is_cut_and_one_that_goes_on_is_not(
    outbox: SqlOutbox, server: Postgres
) -> None:
    def sleep(connection: sa.Connection, values: list[tuple[float, int]]) -> list[int]:
        [(seconds, times)] = values
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, psycopg.Connection)
        rows = [(seconds, "what a server says when it has enough to say" * 20)] * times
        driver.cursor().executemany("SELECT pg_sleep(%s), %s::text", rows)
        return [times]

    with pytest.raises(StoreUnavailable, match="statement timeout"):
        await outbox._writer.write(sleep, (60.0, 1))
    for last in (False, False, True):
        async with Standstill(lambda: server.pids) as still:
            try:
                assert await outbox._writer.write(sleep, (BRIDGE_PATIENCE / 500, 1000)) == 1000
                break
            except StoreUnavailable:  # one of them stood still for so long
                assert not last
                assert still.seconds > 1


@pytest.mark.parametrize(
    "lock",
    [
        "LOCK TABLE events",
        "LOCK TABLE deliveries",
        "LOCK TABLE set_aside",
        "LOCK TABLE fingerprints",
        "LOCK TABLE tables",
        "SELECT pg_advisory_xact_lock(28770, 1)",
    ],
)
async def test_a_store_that_takes_no_event_is_not_ready(lock: str, postgres_url: str) -> None:
    async with open_outbox(postgres_url) as outbox:
        await outbox.check()
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
            other.execute(lock)
            with pytest.raises(StoreUnavailable):
                await outbox.check()
        await outbox.check()


async def test_a_restart_that_nobody_noticed_costs_nobody_anything(outbox: SqlOutbox, server: Postgres) -> None:
    await outbox.put(an_intake(an_event("user:before")))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Done())
    server.stop()
    server.start()
    assert await claimed(outbox) == []
    await outbox.put(an_intake(an_event("user:after")))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Done())


async def test_a_crash_of_the_server_loses_nothing_that_was_put(outbox: SqlOutbox, server: Postgres) -> None:
    """What was settled in its last second may be sent again."""
    await outbox.put(an_intake(an_event("user:before")))
    server.stop("immediate")
    server.start()
    assert subjects(await claimed(outbox)) == ["user:before"]


async def test_a_commit_whose_answer_is_lost_is_unavailable_and_may_have_happened(
    outbox: SqlOutbox, server: Postgres
) -> None:
    [last] = (await outbox.put(an_intake(an_event("user:before")))).deliveries

    async def put_until_one_waits() -> None:  # the server's own processes learn one by one that a commit waits
        nonlocal last
        while True:
            [last] = (await outbox.put(an_intake(an_event("user:lost")))).deliveries

    waits = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE wait_event = 'SyncRep' AND application_name LIKE 'panelbridge%'"
    )
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as other:
        try:
            other.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")  # a commit waits for its answer
            other.execute("SELECT pg_reload_conf()")
            puts = asyncio.ensure_future(put_until_one_waits())
            await asyncio.to_thread(_until, other, waits)
            with pytest.raises(StoreUnavailable):
                await puts
        finally:
            other.execute("SET synchronous_commit = off")
            other.execute("ALTER SYSTEM RESET synchronous_standby_names")
            other.execute("SELECT pg_reload_conf()")
            await asyncio.to_thread(_until, other, "SELECT current_setting('synchronous_standby_names') = ''")
    await outbox.put(an_intake(an_event("user:after")))
    assert subjects(await claimed(outbox, after=last.id)) == ["user:lost", "user:after"]


async def test_a_connection_that_is_cut_before_the_commit_fails_its_job_and_nothing_happens(
    outbox: SqlOutbox, server: Postgres
) -> None:
    def cut(connection: sa.Connection, whats: list[None]) -> list[None]:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        return whats

    await outbox.put(an_intake(an_event("user:before")))
    lost = outbox._writer.write(cut, None)
    put = asyncio.ensure_future(outbox.put(an_intake(an_event("user:lost"))))
    results = await asyncio.gather(lost, put, return_exceptions=True)
    assert isinstance(results[0], StoreUnavailable)
    expected = ["user:before"] if isinstance(results[1], StoreUnavailable) else ["user:before", "user:lost"]
    assert subjects(await claimed(outbox)) == expected
    await outbox.put(an_intake(an_event("user:after")))
    assert subjects(await claimed(outbox)) == [*expected, "user:after"]


async def test_a_replica_that_stops_amid_a_commit_holds_up_the_others_for_seconds_only(server: Postgres) -> None:
    url = server.fresh()
    async with open_outbox(url) as outbox:
        code = (
            "import sys, os, signal\n"
            "from bridge.store.backend import backend_of, open_engine\n"
            "with open_engine(sys.argv[1]).begin() as connection:\n"
            "    backend_of(connection).lock_changes(connection)\n"
            "    print('mine', flush=True)\n"
            "    os.kill(os.getpid(), signal.SIGSTOP)\n"
        )
        frozen = subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert frozen.stdout is not None
            assert frozen.stdout.readline() == b"mine\n"
            async with Standstill(lambda: server.pids) as still:
                started = time.monotonic()
                while True:
                    try:
                        await outbox.put(an_intake(an_event()))
                        break
                    except StoreUnavailable:
                        assert time.monotonic() - started - still.seconds < 15
        finally:
            frozen.kill()
            os.kill(frozen.pid, signal.SIGCONT)
            frozen.communicate()
        assert len(await claimed(outbox)) == 1


async def test_replicas_that_put_at_once_hide_nothing_from_a_lane(server: Postgres) -> None:
    """A lane looks upwards and never back: an id that became visible late would never be carried."""
    url, each = server.fresh(), 150
    async with open_outbox(url) as one, open_outbox(url) as other:
        seen: list[int] = []

        async def put(outbox: SqlOutbox) -> None:
            for _ in range(each):
                await outbox.put(an_intake(an_event(), an_event("user:bob")))

        async def look() -> None:
            after = 0
            while len(seen) < each * 4:
                claim = await one.claim("ops", after=after, now=None, limit=50)
                seen.extend(delivery.id for delivery in claim.deliveries)
                after = claim.cursor

        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(put(one), put(other), look())
        assert seen == list(range(1, each * 4 + 1))


async def test_a_replay_and_a_put_at_once_take_turns(server: Postgres) -> None:
    url = server.fresh()
    async with open_outbox(url) as outbox:
        await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(20))))
        for delivery in await claimed(outbox):
            await settle(outbox, delivery, Dead("HTTP 400"))

        def replay() -> int:
            with open_ledger(url) as ledger:
                return len(ledger.write(replay_deliveries, DeliveryQuery(states=(State.DEAD,), limit=None), now=START))

        replays = [asyncio.to_thread(replay) for _ in range(4)]
        puts = [outbox.put(an_intake(an_event("user:new"))) for _ in range(40)]
        await asyncio.gather(*replays, *puts)
        ids = [delivery.id for delivery in await claimed(outbox, after=0)]
        more = [delivery.id for delivery in await claimed(outbox, after=ids[-1])]
        assert [*ids, *more] == list(range(21, 21 + 120))


async def test_four_replays_at_once_send_each_dead_letter_once(server: Postgres) -> None:
    url = server.fresh()
    async with open_outbox(url) as outbox:
        await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(20))))
        for delivery in await claimed(outbox):
            await settle(outbox, delivery, Dead("HTTP 400"))

        def replay() -> int:
            query = DeliveryQuery(states=(State.DEAD,), cleared=(None,), limit=None)
            with open_ledger(url) as ledger:
                return len(ledger.write(replay_deliveries, query, now=START))

        assert sum(await asyncio.gather(*(asyncio.to_thread(replay) for _ in range(4)))) == 20


async def test_replicas_that_start_at_once_make_one_store(server: Postgres) -> None:
    url = server.fresh()

    def start(_: int) -> None:
        engine = open_engine(url)
        migrate.migrate(engine)
        engine.dispose()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(start, range(6)))
    async with open_outbox(url) as one, open_outbox(url) as other:
        await one.put(an_intake(an_event()))
        assert len(await claimed(other)) == 1


async def test_others_are_told_what_is_new_once_it_is_there(server: Postgres) -> None:
    url = server.fresh()
    async with open_outbox(url) as outbox:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as ear:
            ear.execute("LISTEN panelbridge")

            def told() -> list[str]:
                return [one.payload for one in ear.notifies(timeout=PATIENCE, stop_after=1)]

            terms = Terms(fallback=("crm",), fallback_after=600)
            await outbox.put(under(terms, an_event(), sinks=["team", "ops"]))
            assert told() == ["panelbridge:ops,team"]
            [delivery] = await claimed(outbox)
            await settle(outbox, delivery, Dead("HTTP 400"))
            assert told() == ["panelbridge:crm"]
            [other] = await claimed(outbox, sink="team")
            await settle(outbox, other, Done())
            assert list(ear.notifies(timeout=0.3)) == []
            await outbox.save_lane_state("ops", LaneState(standing=Standing.PARKED), epoch=0)
            with open_ledger(url) as ledger:
                ledger.write(replay_deliveries, DeliveryQuery(ids=(delivery.id,)), now=START)
                assert told() == ["panelbridge:ops"]
                ledger.write(resume, "ops")
                assert told() == ["panelbridge:ops"]
            await outbox.put(an_intake(an_event(), sinks=tuple(f"sink-{n:0>100}" for n in range(100))))
            assert told() == ["panelbridge:"]  # too many to name


async def test_connections_carry_the_name_of_their_replica(server: Postgres) -> None:
    url = server.fresh()
    async with open_outbox(url, replica="fra-1") as outbox:
        await outbox.check()
        with psycopg.connect(url.replace("+psycopg", "")) as other:
            names = other.execute(
                "SELECT DISTINCT application_name FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        assert names == [("panelbridge fra-1",)]


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgresql", "postgres"])
async def test_a_database_may_be_named_in_any_of_the_usual_ways(server: Postgres, scheme: str) -> None:
    url = server.fresh().replace("postgresql+psycopg", scheme) + "?options=-csearch_path%3Dpublic&connect_timeout=3"
    async with open_outbox(url) as outbox:
        await outbox.put(an_intake(an_event()))
        assert "?" not in outbox.name


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bridge:hunter2secret@127.0.0.1:1/x",
        "postgresql://bridge:hunter2secret@127.0.0.1:{port}/nothing_here",
        "postgresql://bridge:hunter2secret@127.0.0.1:{port}/postgres?nonsense=1",
        "postgresql://127.0.0.1:1/x?user=bridge&password=hunter2secret",
        "postgresql://bridge:hunter2secret@127.0.0.1:99999/x",
        "postgresql://bridge:hunter2secret@127.0.0.1:port/x",
    ],
)
def test_a_database_that_cannot_be_opened_is_refused_in_words_without_the_password(server: Postgres, url: str) -> None:
    with pytest.raises(StoreError) as refused, open_ledger(url.replace("{port}", str(server.port))):
        pass
    error: BaseException | None = refused.value
    while error is not None:
        assert "hunter2secret" not in f"{error}{error!r}"
        error = error.__cause__


async def test_what_postgres_cannot_keep_is_replaced(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event("user:a\0b\ud800")))
    [delivery] = await claimed(outbox)
    assert delivery.event.subject == "user:a�b?"
    await settle(outbox, delivery, Dead("HTTP 400: \0"))
    assert await claimed(outbox) == []


def _until(connection: "psycopg.Connection[tuple[object, ...]]", query: str) -> None:
    """Ask until the answer is yes."""
    deadline = time.monotonic() + PATIENCE
    while (connection.execute(query).fetchone() or (False,))[0] is not True:
        assert time.monotonic() < deadline, query
        time.sleep(0.02)  # another process


async def test_who_reads_may_take_his_time_and_who_writes_holds_nobody_up_for_long(
    outbox: SqlOutbox, server: Postgres
) -> None:
    def limit(connection: sa.Connection) -> str:
        return connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one()

    with open_ledger(server.url) as ledger:
        assert ledger.read(limit) == "0"
        assert ledger.write(limit) == "4s"
        assert ledger.read(limit) == "0"
