"""The connections behind the port: how many there are, how long each may say nothing, and which gives way.

aiohttp speaks HTTP on each of them; here is counted. At the cap the one that has waited longest gives way to a new one:
first of those that have proved nothing, then of those that are idle between two requests. A proven request never does.
"""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from socket import socket
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bridge.ingress.body import ask_now
from bridge.ingress.limits import Limits
from bridge.ingress.refusals import HttpLog, Refusals, other_protocol, shown_method
from bridge.listening import BACKLOG

#: What a request is marked with once it has proved who sent it.
PROVEN = web.RequestKey("proven", bool)
KEPT_BACK = 256  # descriptors that are not for connections: sinks, the store, files
HEAD = 64 * 1024  # bytes: all the headers of a request
SWEEP_EVERY = 1.0  # seconds
BLANK_LINE = b"\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def serving(
    listener: socket,
    routes: Iterable[web.RouteDef],
    limits: Limits,
    refusals: Refusals,
    *,
    shutdown: float,
    body: int = 2**20,
    middlewares: Sequence[Middleware] = (),
    finish: Callable[[web.Request, web.StreamResponse], Awaitable[None]] | None = None,
) -> AsyncIterator["Connections"]:
    """Take requests; at the end, let those that are under way finish.

    `body`: bytes of what aiohttp reads by itself; `finish` has the last word on every head.
    """
    connections = Connections(min(limits.connections, _descriptors_for_connections()), limits, refusals)
    app = web.Application(middlewares=[connections.follow, *middlewares], client_max_size=body)
    if finish is not None:
        app.on_response_prepare.append(finish)
    app.router.add_routes(
        web.route(one.method, one.path, one.handler, **{"expect_handler": ask_now, **one.kwargs}) for one in routes
    )
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=shutdown,
        logger=HttpLog(refusals),
        auto_decompress=False,  # nothing is unpacked before it is proven
        lingering_time=0,  # nor read after it was refused
        read_bufsize=64 * 1024,
    )
    await runner.setup()
    connections.server = runner.server
    port = await asyncio.get_running_loop().create_server(connections, sock=listener, backlog=BACKLOG)
    sweeping = asyncio.create_task(connections.sweep_forever())
    try:
        yield connections
    finally:
        sweeping.cancel()
        port.close()
        await runner.cleanup()


class Connections:
    """All that are open. Called, it makes the protocol of a new one."""

    def __init__(self, cap: int, limits: Limits, refusals: Refusals) -> None:
        self.cap = cap
        self.server: web.Server | None = None
        self._head_timeout = limits.head_timeout
        self._refusals = refusals
        self._open: dict[asyncio.Protocol, Connection] = {}
        # the longest waiting first
        self._unproven: dict[Connection, None] = {}
        self._idle: dict[Connection, None] = {}

    def __call__(self) -> "Connection":
        assert self.server is not None
        return Connection(self, self.server())

    @web.middleware
    async def follow(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Know of each connection whether a request is under way on it."""
        connection = self._open.get(request.protocol)
        if connection is None:
            return await handler(request)
        self._idle.pop(connection, None)
        self._unproven[connection] = None
        connection.begin(request)
        try:
            response = await self._handled(request, handler)
            if response.keep_alive is False:  # a refusal, the last that is answered here
                connection.read_no_more()
            return response
        finally:
            connection.end()
            self._unproven.pop(connection, None)
            if request.protocol in self._open:
                self._idle[connection] = None

    async def _handled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as refusal:  # what aiohttp answers by itself: a target that is no path
            self._refusals.log(None, refusal.status, f"{shown_method(request.method)}: {refusal.reason}")
            raise

    async def sweep_forever(self) -> None:
        """Close what sends no request, and tell of what the log left out."""
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            self.sweep(asyncio.get_running_loop().time())
            self._refusals.log_left_out()

    def sweep(self, now: float) -> None:
        for connection in [*self._unproven, *self._idle]:
            if connection.is_late(now, self._head_timeout):
                self.cut(connection, 408, f"no request arrived within {self._head_timeout:g} s")

    def admit(self, connection: "Connection") -> bool:
        """Whether there is room for one more, made where there is none."""
        if len(self._open) >= self.cap:
            giving_way = next(
                (one for waiting in (self._unproven, self._idle) for one in waiting if one.gives_way()), None
            )
            if giving_way is None:
                self._refusals.log(None, 503, f"more than {self.cap} connections at once")
                return False
            self.cut(giving_way, 503, f"more than {self.cap} connections at once, the longest waiting gave way")
        self._open[connection.handler] = connection
        self._unproven[connection] = None
        return True

    def forget(self, connection: "Connection") -> None:
        self._open.pop(connection.handler, None)
        self._unproven.pop(connection, None)
        self._idle.pop(connection, None)

    def cut(self, connection: "Connection", status: int, reason: str, answer: bytes = b"") -> None:
        """Close it at once, or once it was answered."""
        self.forget(connection)
        if answer:
            connection.read_no_more()
            connection.transport.write(answer)
            connection.transport.close()
        else:
            connection.transport.abort()
        self._refusals.log(None, status, reason)


class Connection(asyncio.Protocol):
    """One of them, in front of aiohttp's handler of it."""

    transport: asyncio.Transport

    def __init__(self, connections: Connections, handler: asyncio.Protocol) -> None:
        self.handler = handler
        self._connections = connections
        self._admitted = False
        self._request: web.Request | None = None
        self._answered = False
        self._refused = False
        self._head: int | None = 0  # bytes of the headers so far, None once they are complete
        self._tail = b""
        self._since = 0.0  # when it was opened, or when the headers began

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class
        self._since = asyncio.get_running_loop().time()
        self._admitted = self._connections.admit(self)
        if self._admitted:
            self.handler.connection_made(transport)
        else:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._head == 0 and (reason := other_protocol(data)) is not None:
            self._connections.cut(self, 400, reason, BAD_REQUEST)
            return
        if self._head is not None:
            self._count_head(data)
            if self._head is not None and self._head > HEAD:
                self._connections.cut(self, 431, f"its headers have more than {HEAD} bytes")
                return
        self.handler.data_received(data)

    def eof_received(self) -> bool | None:
        return self.handler.eof_received()

    def pause_writing(self) -> None:
        self.handler.pause_writing()

    def resume_writing(self) -> None:
        self.handler.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.forget(self)
        if self._admitted:
            self.handler.connection_lost(error)

    def begin(self, request: web.Request) -> None:
        self._request, self._head = request, None

    def end(self) -> None:
        self._request, self._head, self._tail, self._answered = None, 0, b"", True

    def read_no_more(self) -> None:
        """The rest of a refused body is no request of its own."""
        self._refused = True
        self.transport.pause_reading()

    def gives_way(self) -> bool:
        return self._request is None or not self._request.get(PROVEN)

    def is_late(self, now: float, timeout: float) -> bool:
        """Whether the headers, begun or not, have taken too long. Between two requests it may be silent."""
        waiting = bool(self._head) or not self._answered
        return self._request is None and self._head is not None and waiting and now - self._since > timeout

    def _count_head(self, data: bytes) -> None:
        assert self._head is not None
        if not self._head and self._answered:
            self._since = asyncio.get_running_loop().time()
        around = self._tail + data
        complete = BLANK_LINE in around
        self._head, self._tail = (None, b"") if complete else (self._head + len(data), around[-3:])


def _descriptors_for_connections() -> int:
    """How many the system allows, raised to all that it lets us have, without those that are needed elsewhere."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft == resource.RLIM_INFINITY:
        return 2**20
    return max(soft // 2, soft - KEPT_BACK)
