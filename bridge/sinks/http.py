"""The outgoing sockets: one shared HTTP session, one more per SOCKS proxy; those of other protocols stand beside it."""

import asyncio
import os
import socket
import ssl
import traceback
from asyncio import IncompleteReadError
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Protocol, TypeVar

import aiohttp
from yarl import URL

from bridge import __version__, tracing
from bridge.sinks.deadlines import answered_within
from bridge.sinks.trust import NoRoots, Trust
from bridge.tracing import Attributes, SpanKind
from bridge.value import Value, field, replace

#: What is read of an answer, bytes. The longest that matters: Discord repeats a message of 8,000 escaped characters.
ANSWER_LIMIT = 256 * 1024
USER_AGENT = f"Panelbridge/{__version__}"
OURS = aiohttp.ClientTimeout()  # none of the library's: `deadlines.py`

#: Called whenever a request is on the wire: the service counts it from then on.
OnSent = Callable[[], None] | None


class Request(Value):
    """One request to a service. `body` goes out as it is: what was signed is what is sent.

    payload  what it says as JSON, where the body is a form around it
    traced   whether the service is told the trace of the attempt, where it has one
    """

    method: str
    url: URL
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    traced: bool = False
    payload: bytes | None = None

    @property
    def json(self) -> bytes:
        """What it says, for who reads JSON."""
        return self.body if self.payload is None else self.payload


class Response(Value):
    """A service's answer, to what was sent to `url`. Header names are lower case."""

    HIDDEN: ClassVar = frozenset({"url"})

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: URL | None = None  # a credential, often


class Sockets(Protocol):
    """The connections of a protocol that is not HTTP."""

    async def close(self) -> None: ...


S = TypeVar("S", bound=Sockets)


class Unanswered(Exception):
    """No whole response: refused, reset, timed out, broken off. The text says which, without the address."""


class ProxyRefused(Unanswered):
    """The proxy on the way to the service does not let us through: the service was not asked."""


def trusted(trust: Trust, ca: Path | None) -> ssl.SSLContext:
    """The context for the connections of whoever named that file; Unanswered, in words, where it has no roots."""
    try:
        return trust.of(ca)
    except NoRoots as fault:
        raise Unanswered(f"no answer: the file under ca {fault}") from None


class Http:
    """Sends requests; follows no redirect, reads no environment, and gives up in time."""

    def __init__(self) -> None:
        self._sessions: dict[str | None, aiohttp.ClientSession] = {}
        self._trust = Trust()
        self._beside: dict[type[Any], Any] = {}
        self._faults: tuple[type[Exception], ...] = (aiohttp.ClientError, OSError, ValueError, IncompleteReadError)

    async def send(
        self,
        request: Request,
        *,
        within: float,
        proxy: str | None = None,
        ca: Path | None = None,
        on_sent: OnSent = None,
        most: int = ANSWER_LIMIT,
    ) -> Response:
        """The answer, and of its body so many bytes at the most; raise Unanswered where none came whole in time.

        within: seconds
        ca      a file with roots that are trusted beside the machine's
        """
        if tracing.trace_id() is None:
            return await self._send(request, within=within, proxy=proxy, ca=ca, on_sent=on_sent, most=most)
        with tracing.span(request.method, _about(request.url), SpanKind.CLIENT) as span:
            if request.traced and (trace := tracing.traceparent()) is not None:
                request = replace(request, headers={**request.headers, tracing.HEADER: trace})
            response = await self._send(request, within=within, proxy=proxy, ca=ca, on_sent=on_sent, most=most)
            if span is not None:
                span.set_attribute("http.response.status_code", response.status)
            return response

    async def _send(
        self, request: Request, *, within: float, proxy: str | None, ca: Path | None, on_sent: OnSent, most: int
    ) -> Response:
        session = self._session(proxy)
        try:
            async with (
                answered_within(within),
                session.request(
                    request.method,
                    request.url,
                    data=request.body or None,
                    headers=request.headers,
                    timeout=OURS,
                    allow_redirects=False,
                    proxy=proxy if proxy and proxy.startswith("http") else None,
                    ssl=trusted(self._trust, ca) if ca else True,
                    trace_request_ctx=on_sent,
                ) as response,
            ):
                return Response(response.status, _headers(response), await _body(response, most), request.url)
        except TimeoutError as error:
            _let_go(error)
            raise Unanswered(f"no answer within {within:g} s") from None
        except aiohttp.ClientHttpProxyError as error:
            refused = ProxyRefused if error.status < 500 else Unanswered  # from 500 on it did not reach the service
            raise refused(f"no answer: the proxy answered {error.status}") from None
        except self._faults as error:
            _let_go(error)
            raise Unanswered(f"no answer: {reason_of(error)}") from None

    def beside(self, kind: type[S]) -> S:
        """The sockets of another protocol: the same for all that ask for this kind, and closed with these."""
        if kind not in self._beside:
            self._beside[kind] = kind()
        found: S = self._beside[kind]
        return found

    async def reach(
        self, url: URL, *, within: float, proxy: str | None = None, ca: Path | None = None
    ) -> datetime | None:
        """Connect to the host of an address, and with https have its certificate proved: say when that ends.

        Not one byte of a request is sent. Raise Unanswered where it cannot be reached within so many seconds.
        """
        try:
            async with asyncio.timeout(within):
                return await _reached(url, proxy, trusted(self._trust, ca) if url.scheme == "https" else None)
        except TimeoutError:
            raise Unanswered(f"no answer within {within:g} s") from None
        except (OSError, ValueError) as error:
            raise Unanswered(f"no answer: {reason_of(error)}") from None

    async def close(self) -> None:
        for one in (*self._sessions.values(), *self._beside.values()):
            await one.close()
        self._sessions.clear()
        self._beside.clear()

    def _session(self, proxy: str | None) -> aiohttp.ClientSession:
        socks = proxy if proxy and proxy.startswith("socks") else None
        if (session := self._sessions.get(socks)) is None:
            session = self._sessions[socks] = aiohttp.ClientSession(
                connector=self._socks(socks) if socks else aiohttp.TCPConnector(limit=0),
                headers={"User-Agent": USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[_telling_when_sent()],
            )
        return session

    def _socks(self, proxy: str) -> aiohttp.BaseConnector:
        from aiohttp_socks import (
            ProxyConnectionError,
            ProxyConnector,
            ProxyError,
            ProxyTimeoutError,
        )  # who has one pays

        self._faults = (*self._faults, ProxyConnectionError, ProxyError, ProxyTimeoutError)
        # names are looked up at the proxy's end in any case, and the library does not know socks5h
        connector: aiohttp.BaseConnector = ProxyConnector.from_url(proxy.replace("socks5h:", "socks5:", 1), limit=0)
        return connector


async def _reached(url: URL, proxy: str | None, tls: ssl.SSLContext | None) -> datetime | None:
    """When the certificate ends of the host that an address leads to; None where it needs none."""
    writer = await (_opened_through(proxy, url, tls) if proxy else _opened(url, tls))
    try:
        certificate = writer.get_extra_info("ssl_object").getpeercert() if tls else None
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC) if certificate else None


async def _opened(url: URL, tls: ssl.SSLContext | None) -> asyncio.StreamWriter:
    return (await asyncio.open_connection(url.host, url.port, ssl=tls))[1]


async def _opened_through(proxy: str, url: URL, tls: ssl.SSLContext | None) -> asyncio.StreamWriter:
    from python_socks import ProxyConnectionError, ProxyError
    from python_socks.async_.asyncio.v2 import Proxy  # who has one pays

    to_proxy = ssl.create_default_context() if proxy.startswith("https:") else None
    address = proxy.replace("https:", "http:", 1).replace("socks5h:", "socks5:", 1)
    try:
        stream = await Proxy.from_url(address, rdns=True, proxy_ssl=to_proxy).connect(
            url.host or "", url.port or 0, dest_ssl=tls
        )
    except ProxyConnectionError as error:
        raise Unanswered(f"no answer: proxy: {_system_reason(error)}") from None
    except ProxyError as error:
        raise Unanswered(f"no answer: proxy: {error}".lower()) from None
    return stream.writer


def _about(url: URL) -> Attributes:
    """What a trace says of an address: its host. The rest is a credential, often."""
    return {"url.scheme": url.scheme, "server.address": url.host or "", "server.port": url.port or 0}


def _telling_when_sent() -> aiohttp.TraceConfig:
    """Has whoever asks for it told when his request is written; the connection is there by then.

    The library keeps a head back until the body's first part is written, and uvloop what is written until the turn of
    all that is ready is over. On a busy machine that is late, and who counted from before would send the next one too
    early.
    """

    async def on_head(
        _: aiohttp.ClientSession, context: SimpleNamespace, head: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        context.waits_for_body = _has_body(head.headers)
        if not context.waits_for_body:
            tell(context)

    async def on_part(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
        if context.waits_for_body:
            context.waits_for_body = False
            tell(context)

    def tell(context: SimpleNamespace) -> None:
        if (on_sent := context.trace_request_ctx) is not None:
            asyncio.get_running_loop().call_soon(on_sent)

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(on_head)
    trace.on_request_chunk_sent.append(on_part)
    return trace


def _has_body(head: Mapping[str, str]) -> bool:
    return "Transfer-Encoding" in head or head.get("Content-Length", "0") != "0"


def _let_go(error: BaseException | None) -> None:
    """Empty the frames that an error and those behind it have gone through: with them it would keep the request.

    The library's errors refer to themselves by these, so that a body of many megabytes stayed until a collection.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {name.lower(): value for name, value in response.headers.items()}
    if "retry-after" in headers:
        headers.setdefault("date", formatdate(usegmt=True))  # RFC 9110 §6.6.1: the recipient dates what has none
    return headers


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The whole body, or its first `most` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= most:
            break
    return bytes(body[:most])


def reason_of(error: BaseException) -> str:
    """What went wrong, in a person's words. Never the error's own text: it holds the address."""
    match error:
        case aiohttp.ClientConnectorDNSError() | socket.gaierror():
            return "host not found"
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return "the certificate is not trusted"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed"
        case aiohttp.ClientPayloadError():
            return "the answer broke off"
        case ssl.SSLError() | aiohttp.ClientSSLError():
            return "TLS failed"
        case _ if isinstance(error.__cause__, ssl.SSLError):  # as it comes through a SOCKS proxy
            return reason_of(error.__cause__)
        case aiohttp.ClientProxyConnectionError():
            return f"proxy: {_system_reason(error)}"
        case OSError():
            return _system_reason(error)
        case _ if type(error).__name__ == "ProxyError":  # of aiohttp_socks: what the proxy said
            return f"proxy: {error}".lower()
        case _ if isinstance(error.__cause__, OSError):
            return f"proxy: {_system_reason(error.__cause__)}"
        case _:
            return type(error).__name__


def _system_reason(error: OSError) -> str:
    """What the system calls it, `connection refused`; several addresses may have failed in several ways."""
    return os.strerror(error.errno).lower() if error.errno else "connection failed"
