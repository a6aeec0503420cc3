"""A host is reached without a byte of a request: through the sink's proxy, and with its certificate proved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from yarl import URL

from bridge.sinks.http import Http, Unanswered
from tests.certificates import TRUSTED, certificate, serving_with
from tests.processes import PATIENCE
from tests.sinks.test_http import SocksProxy, listening, pipe

WITHIN = 60.0  # seconds
ENDS = datetime(2126, 3, 1, tzinfo=UTC)


class Silent:
    """A host with TLS where a certificate is given; `heard` is all that anybody says to it."""

    def __init__(self) -> None:
        self.heard = b""
        self.left = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heard += await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
            self.left.set()


@asynccontextmanager
async def a_host(silent: Silent, file: Path | None = None, *, comes: bool = True) -> AsyncIterator[int]:
    """Its port, until whoever `comes` has left."""
    server = await asyncio.start_server(silent, "127.0.0.1", 0, ssl=serving_with(file) if file else None)
    async with server:
        yield server.sockets[0].getsockname()[1]
        if comes:
            await asyncio.wait_for(silent.left.wait(), PATIENCE)


async def test_the_end_of_a_certificate_is_told_and_nothing_is_said(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, silent = certificate(tmp_path, ends=ENDS), Silent()
    monkeypatch.setenv(TRUSTED, str(file))
    async with a_host(silent, file) as port:
        assert await http.reach(URL(f"https://127.0.0.1:{port}/secret"), within=WITHIN) == ENDS
    assert silent.heard == b""


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_certificate_that_is_not_trusted_or_has_ended_is_told(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    file = certificate(tmp_path, ends=datetime.now(UTC) - timedelta(days=1) if trusted else ENDS)
    if trusted:
        monkeypatch.setenv(TRUSTED, str(file))
    async with a_host(Silent(), file, comes=False) as port:
        with pytest.raises(Unanswered, match="the certificate is not trusted"):
            await http.reach(URL(f"https://127.0.0.1:{port}/"), within=WITHIN)


async def test_without_tls_the_connection_is_all(http: Http) -> None:
    silent = Silent()
    async with a_host(silent) as port:
        assert await http.reach(URL(f"http://127.0.0.1:{port}/"), within=WITHIN) is None


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_it_goes_through_a_socks_proxy(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    file = certificate(tmp_path, ends=ENDS)
    monkeypatch.setenv(TRUSTED, str(file))
    async with a_host(Silent(), file) as port:
        proxy = SocksProxy(to=port)
        async with listening(proxy) as at:
            address = f"{scheme}://user:pa%3Ass@127.0.0.1:{at}"
            assert await http.reach(URL("https://name.invalid/"), within=WITHIN, proxy=address) == ENDS
    assert proxy.asked == ["name.invalid"]


async def test_it_goes_through_a_tunnel_of_an_http_proxy(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, seen = certificate(tmp_path, ends=ENDS), []
    monkeypatch.setenv(TRUSTED, str(file))
    async with a_host(Silent(), file) as port:

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pipe(reader, upstream), pipe(upstream_reader, writer))

        async with listening(tunnel) as at:
            proxy = f"http://127.0.0.1:{at}"
            assert await http.reach(URL("https://name.invalid/"), within=WITHIN, proxy=proxy) == ENDS
    assert seen == [b"CONNECT name.invalid:443 HTTP/1.1"]


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("socks5://user:pa%3Ass@127.0.0.1:{port}", "no answer: proxy: connection refused by destination host"),
        ("socks5://user:wrong@127.0.0.1:{port}", "no answer: proxy: username and password authentication failure"),
        ("socks5://user:pa%3Ass@127.0.0.1:{closed}", "no answer: proxy: connection refused"),
        ("http://127.0.0.1:{closed}", "no answer: proxy: connection refused"),
    ],
)
async def test_a_proxy_that_does_not_help_is_told(http: Http, proxy: str, reason: str, unused_tcp_port: int) -> None:
    async with listening(SocksProxy(reply=5)) as port:
        address = proxy.format(port=port, closed=unused_tcp_port)
        with pytest.raises(Unanswered) as caught:
            await http.reach(URL("http://name.invalid/x"), within=WITHIN, proxy=address)
    assert str(caught.value) == reason


async def test_a_host_that_says_nothing_is_given_up_in_time(http: Http) -> None:
    async with a_host(Silent()) as port:
        with pytest.raises(Unanswered, match=r"no answer within 0\.05 s"):
            await http.reach(URL(f"https://127.0.0.1:{port}/"), within=0.05)
