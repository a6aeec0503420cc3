"""The outgoing socket against real servers: what is no whole answer is Unanswered, and proxies are gone through."""

import asyncio
import base64
import select
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from yarl import URL

from bridge.outcome import Attempt, Away, Delivered
from bridge.sinks.base import retry_after
from bridge.sinks.http import ANSWER_LIMIT, Http, OnSent, Request, Response, Unanswered
from tests.services.receiver import Receiver
from tests.services.service import serving
from tests.sinks.values import a_message, a_sink

ON_THE_WIRE = 2.0  # seconds that the system may take to carry it from one socket of its own to another

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    """A TCP server that treats every connection so; gives its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def answering(*parts: bytes) -> Handler:
    """Read a request's head, then write these parts one by one and close."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)

    return handle


async def ask(
    http: Http,
    port: int,
    *,
    scheme: str = "http",
    within: float = 60.0,
    proxy: str | None = None,
    on_sent: OnSent = None,
) -> Response:
    request = Request(
        "POST", URL(f"{scheme}://127.0.0.1:{port}/secret-path"), b"{}", {"Content-Type": "application/json"}
    )
    return await http.send(request, within=within, proxy=proxy, on_sent=on_sent)


async def refused(http: Http, port: int, **options: Any) -> str:
    """What Unanswered says; it never says where."""
    with pytest.raises(Unanswered) as caught:
        await ask(http, port, **options)
    assert "127.0.0.1" not in str(caught.value)
    assert "secret-path" not in str(caught.value)
    return str(caught.value)


async def test_whoever_asks_is_told_when_his_request_is_on_the_wire(http: Http) -> None:
    told: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        told.append("heard")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    async with listening(handle) as port:
        for _ in range(2):
            await ask(http, port, on_sent=lambda: told.append("sent"))
        await ask(http, port)
    assert told == ["sent", "heard"] * 2 + ["heard"]


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize(("method", "body"), [("POST", b"{}"), ("POST", b"x" * 300_000), ("POST", b""), ("GET", b"")])
def test_what_is_said_to_be_on_the_wire_is_there_whoever_else_has_his_turn(
    new_loop: Callable[[], asyncio.AbstractEventLoop], method: str, body: bytes
) -> None:
    """However busy the bridge: who counts from then on sends the next one no sooner."""
    there: list[bool] = []

    async def send(server: socket.socket) -> None:
        def look() -> None:
            connection, _ = server.accept()
            with connection:
                there.append(bool(select.select([connection], [], [], ON_THE_WIRE)[0]))

        http, request = Http(), Request(method, URL(f"http://127.0.0.1:{server.getsockname()[1]}/"), body, {})
        with pytest.raises(Unanswered):
            await http.send(request, within=60, on_sent=look)
        await http.close()

    with socket.create_server(("127.0.0.1", 0)) as server, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(send(server))
    assert set(there) == {True}  # a GET whose connection breaks is sent again


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_answer_that_came_while_the_bridge_stood_still_counts(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """A machine that swaps, or is moved, holds up everything: what was taken meanwhile would be sent again."""

    async def send(server: socket.socket) -> Response:
        def stand_still() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
                time.sleep(3 * within)

        within, http = 0.2, Http()
        try:
            return await ask(http, server.getsockname()[1], within=within, on_sent=stand_still)
        finally:
            await http.close()

    with socket.create_server(("127.0.0.1", 0)) as server, asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(send(server)).body == b"done"


async def test_nothing_is_on_the_wire_that_found_no_connection(http: Http, unused_tcp_port: int) -> None:
    told: list[str] = []
    async with listening(answering(b"no TLS here")) as port:
        assert await refused(http, port, scheme="https", within=5, on_sent=lambda: told.append("sent"))
    await refused(http, unused_tcp_port, on_sent=lambda: told.append("sent"))
    assert told == []


async def test_an_answer_in_many_parts_is_read_to_its_end(http: Http) -> None:
    parts = [b"HTTP/1.1 200 OK\r\nX-Some: Thing\r\nContent-Length: 8\r\n\r\n", b"[1,", b"2,3", b",4"]
    async with listening(answering(*parts)) as port:
        answer = await ask(http, port)
    assert answer == Response(200, {"x-some": "Thing", "content-length": "8"}, b"[1,2,3,4", answer.url)


async def test_of_an_endless_answer_only_the_beginning_is_read(http: Http) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    async with listening(answering(head, *[b"x" * 65_536] * 8)) as port:
        assert len((await ask(http, port)).body) == ANSWER_LIMIT


async def test_a_closed_port_is_a_refused_connection(http: Http, unused_tcp_port: int) -> None:
    assert await refused(http, unused_tcp_port) == "no answer: connection refused"


async def test_a_reset_connection(http: Http) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with listening(reset) as port:
        assert await refused(http, port) in (
            "no answer: connection reset by peer",
            "no answer: the connection was closed",
        )


async def test_a_connection_closed_without_a_word(http: Http) -> None:
    async with listening(answering()) as port:
        assert await refused(http, port) == "no answer: the connection was closed"


async def test_an_answer_that_breaks_off_is_none(http: Http) -> None:
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")) as port:
        assert await refused(http, port) == "no answer: the answer broke off"


async def test_garbage_is_no_answer(http: Http) -> None:
    async with listening(answering(b"\x00\x01\x02 garbage\r\n\r\n")) as port:
        assert (await refused(http, port)).startswith("no answer: ")


async def test_a_service_that_says_nothing_is_given_up_in_time(http: Http) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as port:
        assert await refused(http, port, within=0.05) == "no answer within 0.05 s"


async def test_a_service_that_trickles_is_given_up_in_time(http: Http) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while not reader.at_eof():
            writer.write(b"x")
            await writer.drain()
            await reader.read(64)

    async with listening(trickle) as port:
        assert await refused(http, port, within=0.05) == "no answer within 0.05 s"


async def test_what_does_not_speak_tls(http: Http) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(plain) as port:
        assert await refused(http, port, scheme="https") == "no answer: TLS failed"


async def test_a_wait_until_a_date_is_counted_from_the_answers_own_date_or_its_arrival(http: Http) -> None:
    head = b"HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n"
    async with listening(answering(head)) as port:
        assert retry_after(await ask(http, port)) == 86400.0


async def test_the_same_session_serves_all_and_can_be_closed_twice(http: Http) -> None:
    service = Receiver()
    async with serving(service) as base:
        sink = a_sink(http, type="webhook", url=base + "/x")
        assert [(await sink.send(a_message())).outcome for _ in range(3)] == [Delivered()] * 3
        await http.close()
        assert (await sink.send(a_message())).outcome == Delivered()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


class HttpProxy:
    """Forwards requests for http addresses, for those who know the password."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.seen.append(head)
        if b"Proxy-Authorization: Basic " + base64.b64encode(b"user:pa:ss") not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        url = URL(head.split(b" ")[1].decode())
        upstream_reader, upstream = await asyncio.open_connection(url.host, url.port)
        upstream.write(head.replace(str(url).encode(), url.path_qs.encode(), 1))
        await asyncio.gather(pipe(reader, upstream), pipe(upstream_reader, writer))


async def test_an_http_proxy_is_gone_through_with_its_password(http: Http) -> None:
    proxy, service = HttpProxy(), Receiver()
    async with listening(proxy) as port, serving(service) as base:
        sink = a_sink(http, type="webhook", url=base + "/x", proxy=f"http://user:pa%3Ass@127.0.0.1:{port}")
        assert (await sink.send(a_message())).outcome == Delivered()
        await http.close()
    assert proxy.seen[0].startswith(f"POST {base}/x HTTP/1.1\r\n".encode())
    assert len(service.taken) == 1


@pytest.mark.parametrize(("status", "counts"), [(401, False), (403, False), (404, False), (407, False), (502, True)])
async def test_a_proxy_that_refuses_a_tunnel_is_in_between_and_one_that_fails_is_away(
    http: Http, status: int, counts: bool
) -> None:
    async with listening(answering(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)) as port:
        sink = a_sink(http, type="webhook", url="https://x.example/", proxy=f"http://127.0.0.1:{port}")
        attempt = await sink.send(a_message())
    assert attempt == Attempt(Away(f"no answer: the proxy answered {status}", counts=counts))


class SocksProxy:
    """SOCKS 5 with a password (RFC 1928, 1929); looks names up itself."""

    def __init__(self, *, to: int | None = None, reply: int = 0) -> None:
        self.asked: list[str] = []
        self._to, self._reply = to, reply

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        assert 2 in await reader.readexactly(methods)
        writer.write(b"\x05\x02")
        user = await reader.readexactly((await reader.readexactly(2))[1])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x01\x00" if (user, password) == (b"user", b"pa:ss") else b"\x01\x01")
        _, _, _, kind = await reader.readexactly(4)
        length = (await reader.readexactly(1))[0] if kind == 3 else 4
        self.asked.append((await reader.readexactly(length)).decode("latin-1"))
        await reader.readexactly(2)
        writer.write(bytes([5, self._reply, 0, 1, 0, 0, 0, 0, 0, 0]))
        if self._reply == 0:
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self._to)
            await asyncio.gather(pipe(reader, upstream), pipe(upstream_reader, writer))


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_a_socks_proxy_is_gone_through_and_looks_the_name_up(http: Http, scheme: str) -> None:
    service = Receiver()
    async with serving(service) as base:
        proxy = SocksProxy(to=URL(base).port)
        async with listening(proxy) as port:
            address = f"{scheme}://user:pa%3Ass@127.0.0.1:{port}"
            sink = a_sink(http, type="webhook", url="http://name.invalid/x", proxy=address)
            assert (await sink.send(a_message())).outcome == Delivered()
            await http.close()
    assert proxy.asked == ["name.invalid"]
    assert len(service.taken) == 1


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("socks5://user:pa%3Ass@127.0.0.1:{port}", "no answer: proxy: connection refused by destination host"),
        ("socks5://user:wrong@127.0.0.1:{port}", "no answer: proxy: username and password authentication failure"),
        ("socks5://user:pa%3Ass@127.0.0.1:{closed}", "no answer: proxy: connection refused"),
    ],
)
async def test_a_socks_proxy_that_does_not_help_is_away(
    http: Http, address: str, reason: str, unused_tcp_port: int
) -> None:
    async with listening(SocksProxy(reply=5)) as port:
        proxy = address.format(port=port, closed=unused_tcp_port)
        sink = a_sink(http, type="webhook", url="http://name.invalid/x", proxy=proxy)
        assert await sink.send(a_message()) == Attempt(Away(reason))


class Pipes:
    """The sockets of some other protocol."""

    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


async def test_sockets_of_another_protocol_are_shared_by_all_and_closed_once() -> None:
    http = Http()
    pipes = http.beside(Pipes)
    assert http.beside(Pipes) is pipes
    await http.close()
    await http.close()
    assert pipes.closed == 1
