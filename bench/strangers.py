"""Strangers: what requests with a wrong secret cost, beside small ones, and how long the panel waits meanwhile."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from statistics import median
from urllib.parse import urlsplit

from bench.bodies import events
from bench.bridges import PAUSED, bridge, sinks
from bench.client import Connection
from bench.counts import Counts
from bench.figures import Aim, Figure
from bench.processes import Process
from bench.rounds import in_turn
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
#: Attacks that may cost more than a small request: what the sender can make us do is bounded by `limits:` instead.
DEARER = ("32 MiB", "8 MiB that only a signature proves")
SMALL_ONE = "small"
GRAIN = 1.0  # MB by which memory grows without a reason
HELD = 3.0  # seconds that connections are held open


@dataclass(frozen=True, slots=True)
class Cost:
    """µs of processor time of each, MB that it grew by, and ms until the panel's slowest small request was answered."""

    cpu: float
    growth: float
    panel: float


async def strangers(counts: Counts) -> list[Figure]:
    last, first = zip(*(_verifying(counts.secrets) for _ in range(counts.rounds)), strict=True)
    name = "a secret wrong at its last letter, beside its first"
    figures = [Figure(name, "µs", last, first, aim=Aim("≤", 1.05))]
    async with bridge(sinks("http://127.0.0.1:9/x", PAUSED)) as ours:
        contenders = {
            name: partial(_measured, ours, attack, many) for name, (attack, many) in _attacks(ours, counts).items()
        }
        costs = await in_turn(counts.rounds, contenders)
    small = costs.pop(SMALL_ONE)
    for name, rounds in costs.items():
        figures += _figures(name, rounds, small)
    return figures


def _figures(name: str, rounds: list[Cost], small: list[Cost]) -> list[Figure]:
    cheap = name in {one for one, *_ in REQUESTS} - set(DEARER)
    spent, beside = tuple(one.cpu for one in rounds), tuple(one.cpu for one in small)
    waits, usual = tuple(one.panel for one in rounds), tuple(one.panel for one in small)
    return [
        Figure(
            f"{name}: processor time of each, beside a small one",
            "µs",
            spent,
            beside,
            aim=Aim("≤", 2) if cheap else None,
        ),
        Figure(f"{name}: growth of memory", "MB", tuple(one.growth for one in rounds), aim=Aim("≤", 16), grain=GRAIN),
        Figure(f"{name}: the panel's slowest answer meanwhile", "ms", waits, usual),
    ]


def _attacks(ours: Process, counts: Counts) -> Mapping[str, tuple[Callable[[], Awaitable[None]], int]]:
    """By name: what is sent, and how often."""
    attacks: dict[str, tuple[Callable[[], Awaitable[None]], int]] = {
        SMALL_ONE: (partial(_refused, ours, HEADER, {}, SMALL), counts.hostile)
    }
    for name, path, headers, body in REQUESTS:
        encoding = {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
        attacks[name] = partial(_refused, ours, path, headers | encoding, body), counts.hostile
    attacks["unfinished bodies of 32 MiB"] = partial(_unfinished, ours, counts.unfinished), 1
    attacks["silent connections"] = partial(_silent, ours, counts.silent), 1
    return attacks


async def _measured(ours: Process, attack: Callable[[], Awaitable[None]], many: int) -> Cost:
    memory, over = ours.memory, asyncio.Event()
    asking = asyncio.ensure_future(_slowest_answer(ours, over))
    await asyncio.sleep(0.1)
    before = ours.cpu_seconds
    try:
        for _ in range(many):
            await attack()
    finally:
        over.set()
    peak, panel = ours.memory, await asking
    spent = ours.cpu_seconds - before  # with what was still done behind the last answer
    return Cost(spent / many * 1e6, max(0.0, peak - memory), panel * 1e3)


async def _slowest_answer(ours: Process, over: asyncio.Event) -> float:
    """Seconds: the panel posts small events, ten a second, until the attack is over and the last one is answered."""
    slowest = 0.0
    while not over.is_set():
        connection = await Connection.open(ours.url)
        slowest = max(slowest, await connection.send(events(ours.url, 1)[0]))
        connection.close()
        await asyncio.sleep(0.1)
    return slowest


async def _refused(ours: Process, path: str, headers: dict[str, str], body: bytes) -> None:
    """Send as much as is taken, and read the answer; raise where it is not a refusal."""
    reader, writer = await _connected(ours)
    writer.write(_head(path, headers, len(body)))
    writer.write(body)
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    if not answer.startswith(b"HTTP/1.1 4"):
        raise RuntimeError(f"not refused: {answer!r}")


async def _unfinished(ours: Process, many: int) -> None:
    """Bodies that only a signature proves, and that do not end."""
    held = [await _connected(ours) for _ in range(many)]
    for _, writer in held:
        writer.write(_head(SIGNED, {"x-remnawave-signature": "0" * 64}, 32 * MIB) + BIG[: 16 * MIB])
    await asyncio.sleep(HELD)
    for _, writer in held:
        writer.close()


async def _silent(ours: Process, many: int) -> None:
    held = [await _connected(ours) for _ in range(many)]
    await asyncio.sleep(HELD)
    for _, writer in held:
        writer.close()


async def _connected(ours: Process) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(ours.url)
    return await asyncio.open_connection(address.hostname, address.port)


def _head(path: str, headers: dict[str, str], length: int) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Length: {length}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


def _verifying(rounds: int) -> tuple[float, float]:
    """µs to refuse a secret that is wrong at its last letter, and at its first: medians, measured in turn."""
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
    return median(seconds[0]) * 1e6, median(seconds[1]) * 1e6
