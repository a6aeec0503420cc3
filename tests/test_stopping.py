"""SIGTERM ends a bridge within `shutdown`, whatever hangs; what it was in the middle of is done afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psycopg
import pytest

from tests.postgres import Postgres, a_postgres
from tests.processes import PATIENCE, Bridge, Receiver, Standstill, a_bridge, a_receiver, until
from tests.test_process import FILE, names, post

pytestmark = pytest.mark.process

SHUTDOWN = 4
SOON = 3.0  # seconds that its end may take besides; what hung did so for much longer, or for ever


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server that may be stopped."""
    with a_postgres() as one:
        yield one


@asynccontextmanager
async def a_pair(folder: Path, store: str | None = None) -> AsyncIterator[tuple[Bridge, Receiver]]:
    """A bridge and what it sends to; the bridge has taken an event that has arrived."""
    async with a_receiver() as receiver:
        text = FILE.format(url=receiver.url) + f"shutdown: {SHUTDOWN}s\n"
        async with a_bridge(folder, text, store=store) as bridge:
            await bridge.start()
            async with aiohttp.ClientSession() as http:
                assert await post(http, bridge.url, "first")
            await receiver.until(1)
            yield bridge, receiver


async def ended_in_time(bridge: Bridge) -> None:
    async with Standstill(lambda: (bridge.pid,)) as still:
        started = time.monotonic()
        assert await bridge.end() == 0
        assert time.monotonic() - started - still.seconds < SHUTDOWN + SOON


async def status_of(http: aiohttp.ClientSession, bridge: Bridge, name: str) -> int | None:
    """What a panel is answered, None where nobody answers any more."""
    body = {"action": "user_created", "username": name, "tries": 0}
    try:
        async with http.post(f"{bridge.url}/in/marzban", json=body, headers={"x-webhook-secret": "s3cret"}) as response:
            return response.status
    except aiohttp.ClientError:
        return None


async def test_a_database_that_is_down(tmp_path: Path, server: Postgres) -> None:
    async with a_pair(tmp_path, server.fresh()) as (bridge, receiver):
        receiver.slowly = 0.5
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, "second")
        await until(lambda: receiver.asked == 2)
        server.stop("immediate")
        try:
            await receiver.until(2)  # it arrived, and cannot be recorded
            await ended_in_time(bridge)
        finally:
            server.start()
        await bridge.start()
        await receiver.until(3)
        assert names(receiver)[1:] == ["second", "second"]


async def test_a_database_that_is_frozen_with_requests_under_way(tmp_path: Path, server: Postgres) -> None:
    async with a_pair(tmp_path, server.fresh()) as (bridge, _), aiohttp.ClientSession() as http:
        server.freeze()
        try:
            waiting = [asyncio.create_task(status_of(http, bridge, f"user_{n}")) for n in range(10)]
            await asyncio.sleep(0.5)
            await ended_in_time(bridge)
            assert 200 not in await asyncio.gather(*waiting)
        finally:
            server.thaw()


async def test_a_database_that_is_frozen_is_503_within_seconds_and_taken_up_again_when_it_wakes(
    tmp_path: Path, server: Postgres
) -> None:
    async with a_pair(tmp_path, server.fresh()) as (bridge, receiver), aiohttp.ClientSession() as http:
        server.freeze()
        try:
            for name in ("second", "third"):
                async with Standstill(lambda: (bridge.pid,)) as still:
                    started = time.monotonic()
                    assert await status_of(http, bridge, name) == 503
                    assert time.monotonic() - started - still.seconds < 15
            async with http.get(f"{bridge.url}/readyz") as response:
                assert response.status == 503
            async with http.get(f"{bridge.url}/healthz") as response:
                assert response.status == 200
        finally:
            server.thaw()
        async with asyncio.timeout(PATIENCE):
            while await status_of(http, bridge, "fourth") != 200:
                await asyncio.sleep(0.1)
        await until(lambda: "fourth" in names(receiver))


async def test_a_lock_that_somebody_holds_in_the_database(tmp_path: Path, server: Postgres) -> None:
    url = server.fresh()
    async with a_pair(tmp_path, url) as (bridge, _), aiohttp.ClientSession() as http:
        with psycopg.connect(url.replace("+psycopg", "")) as other:
            other.execute("LOCK TABLE events, deliveries")
            waiting = asyncio.create_task(status_of(http, bridge, "second"))
            await asyncio.sleep(0.5)
            await ended_in_time(bridge)
            assert await waiting in (503, None)


async def test_a_service_that_takes_a_message_and_says_nothing(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (bridge, receiver), aiohttp.ClientSession() as http:
        receiver.slowly = 60
        assert await post(http, bridge.url, "second")
        await until(lambda: receiver.asked == 2)
        await ended_in_time(bridge)


async def test_a_panel_that_never_finishes_its_request(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as (bridge, _):
        port = int(bridge.url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /in/marzban HTTP/1.1\r\nHost: x\r\nX-Webhook-Secret: s3cret\r\nContent-Length: 1000\r\n\r\n["
        )
        await writer.drain()
        await asyncio.sleep(0.2)
        await ended_in_time(bridge)
        writer.close()
