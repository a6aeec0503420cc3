"""Strangers: what requests with a wrong secret cost, beside small ones, and how long the panel waits meanwhile."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
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
DISCORD, HEADER, SIGNED = "/api/webhooks/posts/wrong", "/in/marzban", "/in/signed"
BIG = b'{"a": "' + b"a" * (32 * MIB - 9) + b'"}'
CHEAP = Aim("≤", 2)
GRAIN = 1.0  # MB by which memory grows without a reason


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request with a wrong secret, and what it may cost beside a small one; without an aim `limits:` bound it."""

    name: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    aim: Aim | None = None


SMALL = Hostile("small", HEADER, {}, b"{}")


@cache
def hostile() -> tuple[Hostile, ...]:
    """Made once it is needed: packing takes seconds."""
    form, gzipped = "application/x-www-form-urlencoded", {"Content-Encoding": "gzip"}
    packed_form = gzip.compress(b"&".join(b"a%d=" % number for number in range(100_000)))[: 31 * 1024]
    part = b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n\r\n'
    parts = b"".join(part % number for number in range(60_000)) + b"--x--"
    bomb, wrong = gzip.compress(bytes(512 * MIB), 9), {"x-webhook-secret": "wrong"}
    unsigned = {"x-remnawave-signature": "0" * 64}
    return (
        Hostile("a gzipped form of 31 KB", DISCORD, {"Content-Type": form, **gzipped}, packed_form, CHEAP),
        Hostile("60,000 parts", DISCORD, {"Content-Type": "multipart/form-data; boundary=x"}, parts, CHEAP),
        Hostile("512 MiB in 0.5 MB of gzip", HEADER, wrong | gzipped, bomb, CHEAP),
        Hostile("32 MiB", HEADER, wrong, BIG),
        Hostile("8 MiB that only a signature proves", SIGNED, unsigned, BIG[: 8 * MIB]),
    )


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
        costs = await in_turn(counts.rounds, _attacks(ours, counts))
    small, aims = costs.pop(SMALL.name), {one.name: one.aim for one in hostile()}
    for name, rounds in costs.items():
        figures += _figures(name, rounds, small, aims.get(name))
    return figures


def _figures(name: str, rounds: list[Cost], small: list[Cost], aim: Aim | None) -> list[Figure]:
    spent, beside = tuple(one.cpu for one in rounds), tuple(one.cpu for one in small)
    waits, usual = tuple(one.panel for one in rounds), tuple(one.panel for one in small)
    growth = tuple(one.growth for one in rounds)
    return [
        Figure(f"{name}: processor time of each, beside a small one", "µs", spent, beside, aim=aim),
        Figure(f"{name}: growth of memory", "MB", growth, aim=Aim("≤", 16), grain=GRAIN),
        Figure(f"{name}: the panel's slowest answer meanwhile", "ms", waits, usual),
    ]


def _attacks(ours: Process, counts: Counts) -> Mapping[str, Callable[[], Awaitable[Cost]]]:
    """What is measured, by name: requests so many times, and what holds connections once."""
    requests = {
        one.name: partial(_measured, ours, partial(_refused, ours, one), counts.hostile) for one in (SMALL, *hostile())
    }
    return requests | {
        "unfinished bodies of 32 MiB": partial(_measured, ours, partial(_unfinished, ours, counts), 1),
        "silent connections": partial(_measured, ours, partial(_silent, ours, counts), 1),
    }


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
        slowest = max(slowest, await connection.send(next(events(ours.url, 1))))
        connection.close()
        await asyncio.sleep(0.1)
    return slowest


async def _refused(ours: Process, one: Hostile) -> None:
    """Send as much as is taken, and read the answer; raise where it is not a refusal."""
    reader, writer = await _connected(ours)
    writer.write(_head(one.path, one.headers, len(one.body)))
    writer.write(one.body)
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    if not answer.startswith(b"HTTP/1.1 4"):
        raise RuntimeError(f"not refused: {answer!r}")


async def _unfinished(ours: Process, counts: Counts) -> None:
    """Bodies that only a signature proves, and that do not end."""
    held = [await _connected(ours) for _ in range(counts.unfinished)]
    for _, writer in held:
        writer.write(_head(SIGNED, {"x-remnawave-signature": "0" * 64}, 32 * MIB) + BIG[: 16 * MIB])
    await asyncio.sleep(counts.held)
    for _, writer in held:
        writer.close()


async def _silent(ours: Process, counts: Counts) -> None:
    held = [await _connected(ours) for _ in range(counts.silent)]
    await asyncio.sleep(counts.held)
    for _, writer in held:
        writer.close()


async def _connected(ours: Process) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(ours.url)
    return await asyncio.open_connection(address.hostname, address.port)


def _head(path: str, headers: Mapping[str, str], length: int) -> bytes:
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
