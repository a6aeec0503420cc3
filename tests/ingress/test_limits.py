"""What one request, and all of them together, may take: of bytes, of time, of memory."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bridge.errors import TooLarge
from bridge.ingress.budget import MemoryBudget
from bridge.ingress.limits import Limits, Overloaded
from bridge.ingress.receiver import BIG_BODY
from tests.fakes import FakeClock
from tests.ingress.running import ELEMENT, HEADERS, PATIENCE, Ingress, post, running_ingress


def test_a_body_may_have_as_many_bytes_as_the_limit_says_and_not_one_more() -> None:
    with MemoryBudget(Limits(body=10, memory=100)).reserve() as reservation:
        reservation.grow(6)
        reservation.grow(4)
        with pytest.raises(TooLarge):
            reservation.grow(1)


def test_all_bodies_together_may_have_as_many_and_not_one_more_until_one_of_them_is_done() -> None:
    budget = MemoryBudget(Limits(body=10, memory=15))
    with budget.reserve() as first:
        first.grow(10)
        with budget.reserve() as second:
            second.grow(5)
            with pytest.raises(Overloaded):
                second.grow(1)
        with budget.reserve() as third:
            third.grow(5)
    with budget.reserve() as last:
        last.grow(10)


@pytest.mark.parametrize("size", [1001, 5_000_000])
@pytest.mark.parametrize("chunked", [True, False])
async def test_what_is_bigger_than_the_limit_is_413(
    store_url: str, clock: FakeClock, http: aiohttp.ClientSession, size: int, chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(0, size, 1000):
            yield b" " * 1000
        yield b" "

    async with running_ingress(store_url, clock, Limits(body=1000)) as ingress:
        body: Any = pieces() if chunked else io.BytesIO(b" " * size)
        async with http.post(f"{ingress.url}/in/marzban", data=body, headers=HEADERS) as response:
            assert response.status == 413


async def test_what_says_that_it_is_bigger_is_413_before_it_is_sent(store_url: str, clock: FakeClock) -> None:
    async with running_ingress(store_url, clock, Limits(body=1000, body_timeout=PATIENCE)) as ingress:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(ingress.url.rpartition(":")[2]))
        writer.write(b"POST /in/open HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
        assert b"413" in await reader.readline()
        writer.close()


async def test_what_is_not_encoded_as_it_says_is_400_and_the_last_on_its_connection(
    ingress: Ingress, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {**HEADERS, "Content-Encoding": "gzip"}
    async with http.post(f"{ingress.url}/in/marzban", data=b"not gzip", headers=headers) as response:
        assert (response.status, response.headers["Connection"]) == (400, "close")
    assert [record.getMessage() for record in caplog.records] == ["ingress.refused"]


async def test_a_bomb_is_cut_off_by_the_size_it_unpacks_to(
    store_url: str, clock: FakeClock, http: aiohttp.ClientSession
) -> None:
    async with running_ingress(store_url, clock, Limits(body=100_000)) as ingress:
        bomb = gzip.compress(b" " * 50_000_000)
        headers = {**HEADERS, "Content-Encoding": "gzip"}
        async with http.post(f"{ingress.url}/in/marzban", data=bomb, headers=headers) as response:
            assert response.status == 413


async def test_a_body_that_does_not_arrive_is_cut_off(store_url: str, clock: FakeClock) -> None:
    async with running_ingress(store_url, clock, Limits(body_timeout=0.05)) as ingress:
        port = int(ingress.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /in/open HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert b"408" in await reader.readline()
        writer.close()


async def test_requests_that_do_not_fit_in_memory_together_are_asked_to_come_again(
    store_url: str, clock: FakeClock, http: aiohttp.ClientSession
) -> None:
    async with running_ingress(store_url, clock, Limits(body=1000, memory=1500)) as ingress:
        port = int(ingress.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps(ELEMENT).ljust(1000).encode()
        head = f"POST /in/open HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        writer.write(head + body[:-1])
        await writer.drain()
        async with asyncio.timeout(PATIENCE):
            while (answer := await post(http, f"{ingress.url}/in/open", body))[0] == 200:
                pass
            assert answer[0] == 503
            writer.write(body[-1:])
            assert b"200" in await reader.readline()
        writer.close()
        assert (await post(http, f"{ingress.url}/in/open", body))[0] == 200


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        (Limits(elements=2), [ELEMENT] * 2, [ELEMENT] * 3),
        (Limits(values=12), [{**ELEMENT, "a": [0] * 6}], [{**ELEMENT, "a": [0] * 7}]),
    ],
)
async def test_what_a_request_holds_has_a_limit(
    store_url: str, clock: FakeClock, http: aiohttp.ClientSession, limits: Limits, good: Any, bad: Any
) -> None:
    async with running_ingress(store_url, clock, limits) as ingress:
        assert (await post(http, f"{ingress.url}/in/marzban", good))[0] == 200
        assert (await post(http, f"{ingress.url}/in/marzban", bad))[0] == 413


async def test_twenty_thousand_elements_are_taken_and_a_hundred_levels(
    ingress: Ingress, http: aiohttp.ClientSession
) -> None:
    many = [{**ELEMENT, "username": f"user_{number}"} for number in range(20_000)]
    assert await post(http, f"{ingress.url}/in/marzban", many) == (200, {"accepted": 20_000, "set_aside": 0})
    deep = json.dumps(ELEMENT)[:-1] + ', "a": ' + "[" * 99 + "]" * 99 + "}"
    assert (await post(http, f"{ingress.url}/in/marzban", deep.encode()))[0] == 200


async def test_one_sources_big_body_does_not_hold_up_anothers(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    body = json.dumps(ELEMENT).ljust(BIG_BODY).encode()
    async with ingress.receiver._big_bodies["marzban"]:
        assert (await post(http, f"{ingress.url}/in/open", body))[0] == 200
