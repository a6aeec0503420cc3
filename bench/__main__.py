"""`python -m bench`: every figure of docs/performance.md, as ratios against a bare aiohttp handler in the same run."""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.backlog import BATCH, SIZES, backlog
from bench.load import Connection, Rate, Receiver, a_request, load
from bench.processes import Process, bare, bridge
from bench.strangers import strangers, verifying
from tests.postgres import a_postgres

CONNECTIONS = (1, 16, 64)
REQUESTS = {1: 2000, 16: 8000, 64: 12000}
BURST = 5000
BACKLOG = 100_000
STARTS = 5
ROUNDS = 3
#: How a burst may be carried: name, the sink's settings, the row's, the aims of its two figures.
BURSTS = (
    ("one at a time", "rate: unlimited", "", ("", "")),
    ("concurrency: 16", "rate: unlimited, concurrency: 16", "", ("≥ 0.20", "≤ 5")),
    ("a storm guard", "rate: unlimited, storm: {backlog: 50}", "", ("≥ 0.20", "≤ 5")),
)
SLOW = (
    ("concurrency: 128", "rate: unlimited, concurrency: 128", ""),
    ("digests", "rate: unlimited, concurrency: 4", ", digest: {window: 1s, max: 200}"),
)
PAUSED, UNLIMITED = "rate: 1/d", "rate: unlimited"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what the bridge does, what the bare handler does, and the ratio that is aimed at."""

    name: str
    ours: float
    bare: float
    unit: str
    target: str = ""

    def __str__(self) -> str:
        ratio = f"{self.ours / self.bare:.2f}" if self.bare else ""
        bare = f"{self.bare:,.1f}" if self.bare else ""
        return f"| {self.name} | {self.ours:,.1f} | {bare} | {self.unit} | {ratio} | {self.target} |"


async def main() -> None:
    figures = [
        figure
        for measure in (ingest, delivery, starting, weight, refusing, replicas, waiting)
        for figure in await measure()
    ]
    print("| figure | bridge | bare | unit | ratio | aim |\n| --- | ---: | ---: | --- | ---: | --- |")
    print(*figures, sep="\n")


async def ingest() -> list[Figure]:
    """How fast events are taken, durable: delivery paused, and delivering to two sinks."""
    figures = []
    async with Receiver() as receiver:
        paused = dict.fromkeys(("a", "b"), (receiver.url, PAUSED))
        flowing = dict.fromkeys(("a", "b"), (receiver.url, UNLIMITED))
        async with bare() as yardstick:
            async with bridge(paused) as ours:
                for connections, aim in zip(CONNECTIONS, ("0.25", "", "0.40"), strict=True):
                    mine, base = await side_by_side(ours, yardstick, connections)
                    name = f"ingest, delivery paused, {connections} connections"
                    figures.append(Figure(name, mine.per_second, base.per_second, "requests/s", aim and f"≥ {aim}"))
                    for word, quantile in (("p50", 0.5), ("p99", 0.99)):
                        figures.append(
                            Figure(f"… {word}", mine.latency(quantile) * 1e6, base.latency(quantile) * 1e6, "µs")
                        )
            async with bridge(flowing) as ours:
                for connections in CONNECTIONS:
                    mine, base = await side_by_side(ours, yardstick, connections)
                    name = f"ingest, delivering, {connections} connections"
                    figures.append(Figure(name, mine.per_second, base.per_second, "requests/s"))
    return figures


async def delivery() -> list[Figure]:
    """From the panel's POST to the sink: one at a time, and bursts."""
    async with bare() as yardstick, Receiver() as receiver:
        async with bridge({"a": (receiver.url, UNLIMITED)}) as ours:
            accept = await one_at_a_time(yardstick, 300)
            idle = await one_at_a_time(ours, 300, receiver)
        middle = statistics.median
        figures = [Figure("POST to sink, idle, p50", middle(idle) * 1e6, middle(accept) * 1e6, "µs", "≤ 4")]
        for name, settings, more, aims in BURSTS:
            figures += await burst(name, receiver, yardstick, settings, more, aims)
    async with Receiver(delay=0.08) as slow:
        for name, settings, more in SLOW:
            async with bridge({"a": (slow.url, settings)}, more=more) as ours:
                rate, _ = await one_burst(ours, slow)
                figures.append(Figure(f"burst to a sink that takes 80 ms, {name}", rate, 0, "events/s", "≥ 1,000"))
    return figures


async def burst(
    name: str, receiver: Receiver, yardstick: Process, settings: str, more: str, aims: tuple[str, str]
) -> list[Figure]:
    """A burst of events, the middle of three rounds in turn with the bare handler's."""
    mine, base = [], []
    for _ in range(ROUNDS):
        async with bridge({"a": (receiver.url, settings)}, more=more) as ours:
            mine.append(await one_burst(ours, receiver))
        cpu = yardstick.cpu_seconds
        rate = await load(yardstick.url, events(yardstick), requests=BURST, connections=16)
        base.append((rate.per_second, (yardstick.cpu_seconds - cpu) / BURST))
    (rates, costs), (rates_bare, costs_bare) = zip(*mine, strict=True), zip(*base, strict=True)
    middle = statistics.median
    return [
        Figure(f"burst of {BURST:,}, {name}", middle(rates), middle(rates_bare), "events/s", aims[0]),
        Figure("… CPU per event", middle(costs) * 1e6, middle(costs_bare) * 1e6, "µs", aims[1]),
    ]


async def one_burst(ours: Process, receiver: Receiver) -> tuple[float, float]:
    """Events per second until the last has arrived, and seconds of processor time for each."""
    before, cpu, started = len(receiver.arrived), ours.cpu_seconds, time.perf_counter()
    await load(ours.url, events(ours), requests=BURST, connections=16)
    await receiver.count(before + BURST, within=120)
    return BURST / (receiver.arrived[-1] - started), (ours.cpu_seconds - cpu) / BURST


async def replicas() -> list[Figure]:
    """What two replicas on one PostgreSQL take and deliver, beside what one does."""
    rates = {}
    with a_postgres() as server:
        for count in (1, 2):
            async with Receiver() as receiver, AsyncExitStack() as stack:
                store = server.fresh()
                sinks = dict.fromkeys("abcd", (receiver.url, f"{UNLIMITED}, concurrency: 8"))
                ours = [await stack.enter_async_context(bridge(sinks, store=store)) for _ in range(count)]
                await asyncio.sleep(5)  # until they have shared out the lanes
                started = time.perf_counter()
                loads = (load(one.url, events(one), requests=BURST // count, connections=32 // count) for one in ours)
                await asyncio.gather(*loads)
                taken = BURST / (time.perf_counter() - started)
                await receiver.count(BURST * len(sinks), within=120)
                rates[count] = taken, BURST * len(sinks) / (receiver.arrived[-1] - started)
    return [
        Figure(f"two replicas beside one, {what}", two, one, unit, "≥ 1")
        for what, unit, two, one in zip(
            ("taken", "delivered"), ("requests/s", "deliveries/s"), rates[2], rates[1], strict=True
        )
    ]


async def waiting() -> list[Figure]:
    """What a batch costs behind a backlog, beside an empty store, on both engines."""
    figures = []
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder, a_postgres() as server:
        stores = {
            "SQLite": [f"sqlite:///{folder}/{size}.db" for size in SIZES],
            "PostgreSQL": [server.fresh() for _ in SIZES],
        }
        for engine, urls in stores.items():
            costs = await backlog(urls)
            for size in SIZES[1:]:
                for verb, seconds in costs[size].items():
                    name = f"{engine}, {verb} of {BATCH}, {size:,} waiting, beside none"
                    figures.append(Figure(name, seconds * 1e6, costs[0][verb] * 1e6, "µs", "≤ 1.2"))
    return figures


async def starting() -> list[Figure]:
    """From the command to the first answer."""
    ours, base = [], []
    for _ in range(STARTS):
        async with bridge({"a": ("http://127.0.0.1:9/x", PAUSED)}) as process:
            ours.append(process.start_seconds)
        async with bare() as process:
            base.append(process.start_seconds)
    return [
        Figure("start to first answer", statistics.median(ours) * 1e3, statistics.median(base) * 1e3, "ms", "≤ 2.5")
    ]


async def weight() -> list[Figure]:
    """Resident memory: idle, and with a backlog waiting."""
    async with Receiver() as receiver, bridge(dict.fromkeys(("a", "b"), (receiver.url, PAUSED))) as ours:
        await asyncio.sleep(3)
        idle = ours.memory
        await load(ours.url, events(ours), requests=BACKLOG // 2, connections=16)
        await asyncio.sleep(1)
        return [
            Figure("memory, idle", idle, 0, "MB", "≤ 72 MB"),
            Figure(f"memory, {BACKLOG:,} deliveries waiting", ours.memory, 0, "MB", "no growth"),
        ]


async def refusing() -> list[Figure]:
    """What strangers' requests cost beside a small one that is refused, and how long the panel waits meanwhile."""
    last, first = verifying()
    figures = [
        Figure("a secret wrong at its last letter, beside its first", last * 1e6, first * 1e6, "µs", "0.95–1.05")
    ]
    async with bridge({"a": ("http://127.0.0.1:9/x", PAUSED)}) as ours:
        small, *others = await strangers(ours, events(ours))
        for one in others:
            aim = "" if one.name.endswith(("MiB", "connections", "proves")) else "≤ 2"
            figures += [
                Figure(
                    f"a stranger: {one.name}, CPU each, beside a small one", one.cpu * 1e6, small.cpu * 1e6, "µs", aim
                ),
                Figure("… memory, growth", one.growth, 0, "MB", "≤ 16 MB"),
                Figure("… the panel's slowest answer meanwhile", one.panel * 1e3, small.panel * 1e3, "ms"),
            ]
    return figures


async def side_by_side(ours: Process, yardstick: Process, connections: int) -> tuple[Rate, Rate]:
    """The median of three rounds in turn, so that a machine that slows down slows both."""
    mine, base = [], []
    for _ in range(ROUNDS):
        for process, results in ((ours, mine), (yardstick, base)):
            results.append(
                await load(
                    process.url, events(process), requests=REQUESTS[connections] // ROUNDS, connections=connections
                )
            )
    return sorted(mine, key=lambda r: r.per_second)[ROUNDS // 2], sorted(base, key=lambda r: r.per_second)[ROUNDS // 2]


async def one_at_a_time(process: Process, count: int, receiver: Receiver | None = None) -> list[float]:
    """Seconds from a POST to its answer, or to its arrival at the sink, with rests between."""
    request, latencies = events(process), []
    connection = await Connection.open(process.url)
    for number in range(count):
        wanted, started = len(receiver.arrived) + 1 if receiver else 0, time.perf_counter()
        await connection.send(request(number))
        if receiver is not None:
            await receiver.count(wanted, within=10)
        latencies.append((receiver.arrived[-1] if receiver else time.perf_counter()) - started)
        await asyncio.sleep(0.005)
    connection.close()
    return latencies


def events(process: Process) -> Callable[[int], bytes]:
    """Requests of one Marzban event of 1 kB, each about another user."""
    headers = {"Content-Type": "application/json", "x-webhook-secret": "bench"}

    def request(number: int) -> bytes:
        return a_request(process.url, event(number), headers)

    return request


def event(number: int) -> bytes:
    user = {
        "username": f"user_{number}",
        "status": "active",
        "expire": 1797826458,
        "data_limit": 53687091200,
        "data_limit_reset_strategy": "no_reset",
        "used_traffic": 1073741824,
        "lifetime_used_traffic": 1073741824,
        "note": "paid until December",
        "proxies": {"vless": {"id": "b52e0610-3b41-4f80-94da-8ac07eda9651", "flow": ""}},
        "links": ["vless://b52e0610-3b41-4f80-94da-8ac07eda9651@127.0.0.1:443?security=reality&type=tcp"],
        "subscription_url": "https://sub.example.com/sub/ZXhhbXBsZV91c2VyLDE3OTUyMzQ0NTk1Xfb04",
        "created_at": "2026-11-21T04:14:18.161673",
        "admin": {"username": "reseller1", "is_sudo": False, "telegram_id": 987654321, "discord_webhook": None},
    }
    element = {
        "enqueued_at": 1795234456.661964,
        "send_at": 1795234456.661972,
        "tries": 0,
        "username": f"user_{number}",
        "action": "user_created",
        "by": {"username": "reseller1", "is_sudo": False, "telegram_id": 987654321, "discord_webhook": None},
        "user": user,
    }
    return json.dumps([element]).encode()


if __name__ == "__main__":
    uvloop.run(main())
