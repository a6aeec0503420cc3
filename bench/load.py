"""Load: a client that costs little itself, and a receiver that takes everything. Both over raw sockets on 127.0.0.1."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(frozen=True, slots=True)
class Rate:
    """What a load measured: requests per second, and latencies in seconds, sorted."""

    requests: int
    seconds: float
    latencies: list[float] = field(repr=False)

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def latency(self, quantile: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * quantile))]


def a_request(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """An HTTP/1.1 POST as bytes."""
    split = urlsplit(url)
    lines = [f"POST {split.path} HTTP/1.1", f"Host: {split.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One connection that is kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> "Connection":
        split = urlsplit(url)
        return cls(*await asyncio.open_connection(split.hostname, split.port))

    async def send(self, request: bytes) -> float:
        """Seconds until the answer; raise where it is not 2xx."""
        started = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(f"not taken: {head[:200]!r}")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if int(length or 0):
            await self._reader.readexactly(int(length))
        return time.perf_counter() - started

    def close(self) -> None:
        self._writer.close()


async def load(url: str, request: Callable[[int], bytes], *, requests: int, connections: int) -> Rate:
    """Send `requests` over `connections` that each wait for their answer; raise where one is not 2xx."""
    numbers = iter(range(requests))
    latencies: list[float] = []

    async def one() -> None:
        connection = await Connection.open(url)
        latencies.extend([await connection.send(request(number)) for number in numbers])
        connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return Rate(requests, time.perf_counter() - started, sorted(latencies))


class Receiver:
    """A sink without limits: answers 200, at once or after `delay` seconds, and notes when each event came.

    A request counts as many events as its body has elements: one, or those of a digest.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self.arrived: list[float] = []
        self.delay = delay
        self.url = ""
        self._server: asyncio.Server | None = None
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    async def __aenter__(self) -> "Receiver":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def count(self, wanted: int, *, within: float) -> None:
        """Return once that many requests have come."""
        if len(self.arrived) < wanted:
            future = asyncio.get_running_loop().create_future()
            self._waiters.append((wanted, future))
            async with asyncio.timeout(within):
                await future

    def note(self, body: bytes) -> None:
        events = len(json.loads(body)) if body[:1] == b"[" else 1
        self.arrived += [time.perf_counter()] * events
        for wanted, future in self._waiters:
            if len(self.arrived) >= wanted and not future.done():
                future.set_result(None)


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = self._buffer[:end].lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            whole = end + 4 + int(length or 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            self._receiver.note(body)
            if self._receiver.delay:
                asyncio.get_running_loop().call_later(self._receiver.delay, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(OK)
