"""Load: a client that costs little itself, over raw sockets to 127.0.0.1 alone."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOCAL = "127.0.0.1"
WITHIN = 120.0  # seconds in which a load has to be taken


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
        """Connect; raise ValueError where that would leave this machine."""
        split = urlsplit(url)
        if split.hostname != LOCAL:
            raise ValueError(f"a load goes to {LOCAL} alone, not to {split.hostname}")
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


async def load(url: str, requests: Iterable[bytes], *, connections: int) -> Rate:
    """Send all over `connections` that each wait for their answer; raise where one is not 2xx, or in `WITHIN`."""
    left = iter(requests)
    latencies: list[float] = []

    async def one() -> None:
        connection = await Connection.open(url)
        latencies.extend([await connection.send(request) for request in left])
        connection.close()

    started = time.perf_counter()
    async with asyncio.timeout(WITHIN):
        await asyncio.gather(*(one() for _ in range(connections)))
    return Rate(len(latencies), time.perf_counter() - started, sorted(latencies))
