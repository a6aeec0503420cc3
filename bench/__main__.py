"""`python -m bench`: every figure of docs/performance.md, as ratios against a bare aiohttp handler in the same run."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import uvloop

from bench.load import Connection, Rate, Receiver, a_request, load
from bench.processes import Process, bare, bridge

CONNECTIONS = (1, 16, 64)
REQUESTS = {1: 2000, 16: 8000, 64: 12000}
BURST = 5000
BACKLOG = 100_000
STARTS = 5
ROUNDS = 3
PAUSED = "1/d"


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
    figures = [*await ingest(), *await delivery(), *await starting(), *await weight()]
    print("| figure | bridge | bare | unit | ratio | aim |\n| --- | ---: | ---: | --- | ---: | --- |")
    print(*figures, sep="\n")


async def ingest() -> list[Figure]:
    """How fast events are taken, durable: delivery paused, and delivering to two sinks."""
    figures = []
    async with Receiver() as receiver:
        paused = dict.fromkeys(("a", "b"), (receiver.url, PAUSED))
        flowing = dict.fromkeys(("a", "b"), (receiver.url, "unlimited"))
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
    """From the panel's POST to the sink: one at a time, and a burst."""
    async with bare() as yardstick, Receiver() as receiver:
        async with bridge({"a": (receiver.url, "unlimited")}) as ours:
            accept = await one_at_a_time(yardstick, 300)
            idle = await one_at_a_time(ours, 300, receiver)
        rates, costs, bases, base_costs = [], [], [], []
        for _ in range(ROUNDS):
            async with bridge({"a": (receiver.url, "unlimited")}) as ours:
                before, cpu, started = len(receiver.arrived), ours.cpu_seconds, time.perf_counter()
                await load(ours.url, events(ours), requests=BURST, connections=16)
                await receiver.count(before + BURST, within=120)
                rates.append(BURST / (receiver.arrived[-1] - started))
                costs.append((ours.cpu_seconds - cpu) / BURST)
            cpu = yardstick.cpu_seconds
            bases.append((await load(yardstick.url, events(yardstick), requests=BURST, connections=16)).per_second)
            base_costs.append((yardstick.cpu_seconds - cpu) / BURST)
    middle = statistics.median
    return [
        Figure("POST to sink, idle, p50", middle(idle) * 1e6, middle(accept) * 1e6, "µs", "≤ 4"),
        Figure(f"burst of {BURST:,}, POST to sink", middle(rates), middle(bases), "events/s", "≥ 0.10"),
        Figure("CPU per event, burst", middle(costs) * 1e6, middle(base_costs) * 1e6, "µs"),
    ]


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
