"""The only outgoing socket: one shared session, one more per proxy."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from bridge import __version__

#: What is read of an answer, bytes; no service says more that we need.
ANSWER_LIMIT = 64 * 1024
USER_AGENT = f"Panelbridge/{__version__}"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a service. `body` goes out as it is: what was signed is what is sent."""

    method: str
    url: URL
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """A service's answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Unanswered(Exception):
    """No response at all: refused, reset, timed out, garbage. The text says which, without the address."""


class Http:
    """Sends requests; follows no redirect, reads no environment, and gives up after `timeout` seconds."""

    def __init__(self) -> None:
        self._sessions: dict[str | None, aiohttp.ClientSession] = {}

    async def send(self, request: Request, *, timeout: float, proxy: str | None = None) -> Response:
        """Raise Unanswered where no response came."""
        session = self._session(proxy)
        try:
            async with session.request(
                request.method,
                request.url,
                data=request.body or None,
                headers=request.headers,
                timeout=aiohttp.ClientTimeout(total=timeout),
                allow_redirects=False,
                proxy=proxy if proxy and proxy.startswith("http") else None,
            ) as response:
                body = await response.content.read(ANSWER_LIMIT)
                headers = {key.lower(): value for key, value in response.headers.items()}
                return Response(response.status, headers, body)
        except TimeoutError:
            raise Unanswered(f"no answer within {timeout:g} s") from None
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            raise Unanswered(f"no answer: {type(error).__name__}") from None

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _session(self, proxy: str | None) -> aiohttp.ClientSession:
        socks = proxy if proxy and proxy.startswith("socks") else None
        if (session := self._sessions.get(socks)) is None:
            session = self._sessions[socks] = aiohttp.ClientSession(
                connector=_connector(socks),
                headers={"User-Agent": USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return session


def _connector(socks: str | None) -> aiohttp.BaseConnector:
    if socks is None:
        return aiohttp.TCPConnector(limit=0)
    from aiohttp_socks import ProxyConnector  # only who has a SOCKS proxy pays for it

    connector: aiohttp.BaseConnector = ProxyConnector.from_url(socks, limit=0)
    return connector
