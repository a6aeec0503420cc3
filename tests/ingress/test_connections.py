"""Connections: what says nothing is closed, and what waits gives way."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import pytest

from bridge.ingress.limits import Limits
from bridge.telemetry import Log, configure_logging
from tests.fakes import FakeClock
from tests.ingress.feeding import CHUNK, Feeder, begun, fed
from tests.ingress.running import ELEMENT, PATIENCE, SECRET, Ingress, post, running_ingress

Logged = Callable[[], AbstractContextManager[list[str]]]
GET = "GET /healthz HTTP/1.1\r\nHost: x"


@asynccontextmanager
async def capped(store_url: str, clock: FakeClock, cap: int) -> AsyncIterator[Ingress]:
    async with running_ingress(store_url, clock, Limits(connections=cap)) as ingress:
        yield ingress


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_new_connection_finds_room_whatever_silent_ones_there_are(
    store_url: str, clock: FakeClock, http: aiohttp.ClientSession
) -> None:
    async with capped(store_url, clock, 3) as ingress:
        silent = [Feeder(ingress.server()) for _ in range(3)]
        assert (await post(http, f"{ingress.url}/in/marzban", ELEMENT))[0] == 200
        assert [one.closed for one in silent] == [True, False, False]


async def test_strangers_give_way_before_those_that_were_answered(store_url: str, clock: FakeClock) -> None:
    async with capped(store_url, clock, 3) as ingress:
        idle = await fed(ingress.server, GET, size=0)
        silent = Feeder(ingress.server())
        half = await begun(ingress.server, "POST /in/open HTTP/1.1\r\nHost: x\r\nContent-Le", 0)
        for _ in range(2):
            Feeder(ingress.server())
        assert [one.closed for one in (idle, silent, half)] == [False, True, True]


async def test_an_idle_connection_gives_way_and_a_proven_request_never_does(store_url: str, clock: FakeClock) -> None:
    async with capped(store_url, clock, 2) as ingress:
        head = f"POST /in/marzban HTTP/1.1\r\nHost: x\r\nx-webhook-secret: {SECRET}\r\nContent-Length: 1000"
        panel = await begun(ingress.server, head, 10)
        idle = await fed(ingress.server, GET, size=0)
        Feeder(ingress.server())
        assert [one.closed for one in (panel, idle)] == [False, True]
        signed = f"POST /in/signed HTTP/1.1\r\nHost: x\r\nX-Remnawave-Signature: {'0' * 64}\r\nContent-Length: 1000"
        unproven = await begun(ingress.server, signed, 10)
        other = await begun(ingress.server, head, 10)
        assert [one.closed for one in (panel, unproven, other)] == [False, True, False]
        refused = Feeder(ingress.server())
        assert [one.closed for one in (panel, other, refused)] == [False, False, True]


@pytest.mark.parametrize("sent", ["", "POST /in/marzban HT", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r"])
async def test_headers_have_ten_seconds_to_arrive(ingress: Ingress, sent: str) -> None:
    began, feeder = now(), Feeder(ingress.server())
    await feeder.offer(sent.encode(), 0)
    ingress.server.sweep(began + 9)
    assert not feeder.closed
    ingress.server.sweep(now() + 11)
    assert feeder.closed


async def test_between_requests_a_connection_may_be_silent_but_not_in_the_middle_of_headers(ingress: Ingress) -> None:
    feeder = await fed(ingress.server, GET, size=0)
    ingress.server.sweep(now() + 60)
    assert not feeder.closed
    began = now()
    await feeder.offer(b"GET", 0)
    ingress.server.sweep(began + 9)
    assert not feeder.closed
    ingress.server.sweep(now() + 11)
    assert feeder.closed


async def test_a_body_that_is_under_way_is_not_taken_for_silence(ingress: Ingress) -> None:
    head = f"POST /in/marzban HTTP/1.1\r\nHost: x\r\nx-webhook-secret: {SECRET}\r\nContent-Length: 1000"
    feeder = await begun(ingress.server, head, 10)
    ingress.server.sweep(now() + 11)
    assert not feeder.closed
    feeder.close()


async def test_all_headers_together_are_bounded(ingress: Ingress) -> None:
    feeder = Feeder(ingress.server())
    await feeder.offer(b"GET / HTTP/1.1\r\n", 1_000_000, b"A: " + b"b" * 4000 + b"\r\n")
    assert feeder.closed
    assert feeder.taken <= 70_000


async def test_headers_may_arrive_in_any_pieces(ingress: Ingress) -> None:
    body = json.dumps(ELEMENT)
    head = f"POST /in/marzban HTTP/1.1\r\nHost: x\r\nx-webhook-secret: {SECRET}\r\nContent-Length: {len(body)}"
    feeder = Feeder(ingress.server())
    for _ in range(2):
        feeder.answer = b""
        for one in f"{head}\r\n\r\n{body}":
            await feeder.offer(one.encode(), 0)
        await feeder.answered()
        assert feeder.answer.startswith(b"HTTP/1.1 200")


# What the log says


@pytest.fixture
def levels() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("bridge")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], root.level, ours.level = before


@pytest.fixture
def logged(levels: None, capsys: pytest.CaptureFixture[str]) -> Logged:
    """What the log says meanwhile, line by line: to be called by the test, whose standard error is its own."""

    @contextmanager
    def lines() -> Iterator[list[str]]:
        said: list[str] = []
        configure_logging(Log(level="debug"))
        yield said
        said += capsys.readouterr().err.splitlines()

    return lines


S = "the-secret-that-nobody-may-see"


@pytest.mark.parametrize(
    "sent",
    [
        f"POST /in/marzban HTTP/1.1\r\nHost: x\r\nx-webhook-secret : {S}\r\nContent-Length: 2\r\n\r\n{{}}",
        f"POST /in/marzban HTTP/1.1\r\nHost: x\r\nx-webhook-secret\r\n {S}\r\n\r\n",
        f"POST /in/marzban HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {S}\r\nContent-Length: x\r\n\r\n",
        f"POST /in/orb/{S} HTTP/1.1 \r\nHost: x\r\n\r\n",
        f"POST /in/orb/{S} HTTP/1.1 more\r\nHost: x\r\n\r\n",
        f"POST  /in/orb/{S} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"POST /in/orb/{S}\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        f"POST /in/orb/{S} HTTP/9.9\r\nHost: x\r\n\r\n",
        f"POST http://[/in/orb/{S} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"/in/orb/{S}\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + S,
        "\x00\xff\xfe" + S,
        f"POST /in/orb/{S} HTTP/1.1\r\nHost: x\r\nA: {'b' * 9000}\r\n\r\n",
        f"POST /in/orb/{S}{'b' * 9000} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"POST /in/orb/{S} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnot hex {S}\r\n",
        f"POST /in/open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnot hex {S}\r\n",
        f"POST /in/open HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{S}",
        f"POST /in/open HTTP/1.1\r\nHost: x\r\nExpect: {S}\r\nContent-Length: 2\r\n\r\n{{}}",
        f"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: {S}\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: \xe9{S}\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: {S}\r\nConnection: upgrade\r\n\r\nnonsense {S}",
        f"CONNECT {S}:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_whatever_a_stranger_sends_is_one_line_at_most_without_a_word_of_it(
    ingress: Ingress, logged: Logged, sent: str
) -> None:
    with logged() as lines:
        reader, writer = await connected(ingress)
        writer.write(sent.encode("latin-1"))
        await writer.drain()
        async with asyncio.timeout(PATIENCE):
            answer = await reader.readline()
        writer.close()
    assert not answer.startswith(b"HTTP/1.1 5")
    assert len(lines) <= 1
    assert S not in "".join(lines)
    assert all(" ingress." in line and "Traceback" not in line for line in lines)


@pytest.mark.parametrize(("version", "first"), [("1.1", b" 100 "), ("1.0", b" 200 ")])
async def test_who_speaks_an_older_http_is_not_told_to_go_on(ingress: Ingress, version: str, first: bytes) -> None:
    reader, writer = await connected(ingress)
    writer.write(f"GET /healthz HTTP/{version}\r\nHost: x\r\nExpect: 100-continue\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        assert first in await reader.readline()
    writer.close()


class Pressing(Feeder):
    """Sends on while it is answered."""

    def write(self, data: Any) -> None:
        super().write(data)
        for _ in range(4):
            if not self.paused:
                self.protocol.data_received(b"a" * CHUNK)


async def test_the_rest_of_a_refused_body_is_no_request_of_its_own(ingress: Ingress, logged: Logged) -> None:
    head = f"POST /in/marzban HTTP/1.1\r\nHost: x\r\nx-webhook-secret: {S}\r\nContent-Length: {2**25}\r\n\r\n"
    with logged() as lines:
        feeder = Pressing(ingress.server())
        await feeder.offer(head.encode(), 2**25)
        await feeder.ended()
    assert feeder.answer.startswith(b"HTTP/1.1 401")
    assert [line.partition("status=")[2][:3] for line in lines] == ["401"]


async def test_many_strangers_are_ten_lines_a_second_and_a_count(ingress: Ingress, logged: Logged) -> None:
    with logged() as lines:
        for _ in range(300):
            await fed(ingress.server, "nonsense", size=0)
    told = sum(1 + int(line.partition(" repeated=")[2] or 0) for line in lines)
    assert len(lines) <= 10 * (1 + PATIENCE)
    assert told <= 300
    assert 0 < len(lines) < 300


async def connected(ingress: Ingress) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(ingress.url.rpartition(":")[2]))
