"""What strangers cost: requests with a wrong secret, beside small ones, and what the panel notices meanwhile."""

import asyncio
import gzip
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bench.load import Connection
from bench.processes import Process
from bridge.errors import BadSignature
from bridge.panels.base import Hook
from bridge.panels.marzban import MarzbanConfig

MIB = 2**20
SMALL = b"{}"
FORM = gzip.compress(b"&".join(b"a%d=" % number for number in range(3_000_000)))[: 31 * 1024]
PARTS = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n\r\n' % n for n in range(60_000)) + b"--x--"
BOMB = gzip.compress(bytes(512 * MIB), 9)
BIG = b'{"a": "' + bytes(32 * MIB - 9).replace(b"\0", b"a") + b'"}'
DISCORD, HEADER, SIGNED = "/api/webhooks/posts/wrong", "/in/marzban", "/in/signed"
#: name, path, headers, body. Each is sent with a wrong secret, and refused.
REQUESTS = (
    ("a gzipped form of 31 KB", DISCORD, {"Content-Type": "application/x-www-form-urlencoded"}, FORM),
    ("60,000 parts", DISCORD, {"Content-Type": "multipart/form-data; boundary=x"}, PARTS),
    ("512 MiB in 0.5 MB of gzip", HEADER, {"x-webhook-secret": "wrong"}, BOMB),
    ("32 MiB", HEADER, {"x-webhook-secret": "wrong"}, BIG),
    ("8 MiB that only a signature proves", SIGNED, {"x-remnawave-signature": "0" * 64}, BIG[: 8 * MIB]),
)
SILENT, UNFINISHED = 1200, 8
PANEL, COUNT = 300, 100


@dataclass(frozen=True, slots=True)
class Cost:
    """What requests cost: seconds of processor time each, MB of memory that it grew by, and the panel's wait.

    `panel`: seconds until the panel's slowest small request was answered meanwhile.
    """

    name: str
    cpu: float
    growth: float
    panel: float


async def strangers(ours: Process, panel: Callable[[int], bytes]) -> list[Cost]:
    """All of them in turn, the small refused request first."""
    costs = [await _measured(ours, panel, "small", lambda: _refused(ours, HEADER, {}, SMALL), COUNT)]
    for name, path, headers, body in REQUESTS:
        encoding = {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
        send = lambda path=path, headers=headers | encoding, body=body: _refused(ours, path, headers, body)  # noqa: E731
        costs.append(await _measured(ours, panel, name, send, COUNT))
    costs.append(
        await _measured(ours, panel, f"{UNFINISHED} unfinished bodies of 32 MiB", lambda: _unfinished(ours), 1)
    )
    costs.append(await _measured(ours, panel, f"{SILENT} silent connections", lambda: _silent(ours), 1))
    return costs


async def _measured(
    ours: Process, panel: Callable[[int], bytes], name: str, attack: Callable[[], Awaitable[None]], count: int
) -> Cost:
    memory, slowest = ours.memory, [0.0]
    asking = asyncio.ensure_future(_ask(ours, panel, slowest))
    await asyncio.sleep(0.1)
    before = ours.cpu_seconds
    for _ in range(count):
        await attack()
    cpu, peak = ours.cpu_seconds - before, ours.memory
    asking.cancel()
    return Cost(name, cpu / count, max(0.0, peak - memory), slowest[0])


async def _ask(ours: Process, panel: Callable[[int], bytes], slowest: list[float]) -> None:
    """The panel posts small events, ten a second; how long the slowest took."""
    for number in range(PANEL):
        connection = await Connection.open(ours.url)
        started = time.perf_counter()
        await connection.send(panel(number))
        slowest[0] = max(slowest[0], time.perf_counter() - started)
        connection.close()
        await asyncio.sleep(0.1)


async def _refused(ours: Process, path: str, headers: dict[str, str], body: bytes) -> None:
    """Send as much as is taken, and read the answer; raise where it is not a refusal."""
    reader, writer = await _connected(ours)
    writer.write(_head(path, headers, len(body)))
    writer.write(body)
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    if not answer.startswith(b"HTTP/1.1 4"):
        raise RuntimeError(f"not refused: {answer!r}")


async def _unfinished(ours: Process) -> None:
    """Bodies that only a signature proves, and that do not end."""
    held = [await _connected(ours) for _ in range(UNFINISHED)]
    for _, writer in held:
        writer.write(_head(SIGNED, {"x-remnawave-signature": "0" * 64}, 32 * MIB) + BIG[: 16 * MIB])
    await asyncio.sleep(3)
    for _, writer in held:
        writer.close()


async def _silent(ours: Process) -> None:
    held = [await _connected(ours) for _ in range(SILENT)]
    await asyncio.sleep(3)
    for _, writer in held:
        writer.close()


async def _connected(ours: Process) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(ours.url)
    return await asyncio.open_connection(address.hostname, address.port)


def _head(path: str, headers: dict[str, str], length: int) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Length: {length}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


def verifying(rounds: int = 20_000) -> tuple[float, float]:
    """Seconds to refuse a secret that is wrong at its last letter, and at its first: medians, measured in turn."""
    secret = "b52e0610-3b41-4f80-94da-8ac07eda9651"
    panel = MarzbanConfig.model_validate({"panel": "marzban", "secret": secret}).open()
    wrong = [
        Hook(body=b"", received_at=datetime.now(UTC), headers={"x-webhook-secret": one})
        for one in (secret[:-1] + "2", "c" + secret[1:])
    ]
    seconds: tuple[list[float], list[float]] = ([], [])
    pairs = list(zip(wrong, seconds, strict=True))
    for number in range(rounds):
        for hook, taken in pairs[:: 1 if number % 2 else -1]:  # who comes second finds the caches warm
            started = time.perf_counter()
            with suppress(BadSignature):
                panel.verify_head(hook)
            taken.append(time.perf_counter() - started)
    return statistics.median(seconds[0]), statistics.median(seconds[1])
