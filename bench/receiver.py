"""A sink without limits, over raw sockets on 127.0.0.1."""

import asyncio
import json
import time
from typing import cast

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


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
