"""Delivery: from the panel's POST to the sink, one by one with rests between, and in bursts."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.bodies import events
from bench.bridges import UNLIMITED, bridge, sinks
from bench.client import Connection, load
from bench.counts import Counts
from bench.figures import Aim, Figure
from bench.processes import Process
from bench.receiver import Receiver
from bench.rounds import Run, column, in_turn, rate_and_cost, taken
from bench.yardsticks import bare, floor

CONNECTIONS = 16
DELAY = 0.08
SETTLED = 0.1  # seconds until the last ones are recorded too
LOG_AIM = Aim("≤", 1.08)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to carry a burst: the sink's settings, what the row asks for, what the floor is told, and the aims."""

    name: str
    settings: str
    floor: tuple[str, ...]
    row: str = ""
    rate: Aim | None = None
    cost: Aim | None = None


WAYS = (
    Way("one at a time", UNLIMITED, ()),
    Way(
        "16 at once",
        f"{UNLIMITED}, concurrency: 16",
        ("--at-once", "16"),
        rate=Aim("≥", 0.20),
        cost=Aim("≤", 5),
    ),
    Way("a storm guard", f"{UNLIMITED}, storm: {{backlog: 50}}", ("--arrays",), cost=Aim("≤", 4.5)),
)
SLOW = (
    Way("128 at once", f"{UNLIMITED}, concurrency: 128", ("--at-once", "128"), rate=Aim("≥", 1000)),
    Way(
        "digests",
        f"{UNLIMITED}, concurrency: 4",
        ("--at-once", "4", "--arrays"),
        ", digest: {window: 1s, max: 200}",
        rate=Aim("≥", 1000),
    ),
)


async def delivery(counts: Counts) -> list[Figure]:
    figures = await _idle(counts)
    async with Receiver() as receiver, bare() as yardstick:
        for way in WAYS:
            figures += await _bursts(counts, receiver, yardstick, way)
    async with Receiver(delay=DELAY) as slow:
        for way in SLOW:
            figures += await _slow(counts, slow, way)
    return figures


async def _idle(counts: Counts) -> list[Figure]:
    """The middle of each round; the bare handler's is its answer."""
    many = counts.one_at_a_time
    async with Receiver() as receiver, AsyncExitStack() as stack:
        ours = await stack.enter_async_context(bridge(sinks(receiver.url, UNLIMITED, count=1)))
        least = await stack.enter_async_context(floor("--sinks", "1", "--url", receiver.url))
        yardstick = await stack.enter_async_context(bare())
        runs = await in_turn(
            counts.rounds,
            {
                "ours": partial(_one_at_a_time, ours, many, receiver),
                "floor": partial(_one_at_a_time, least, many, receiver),
                "bare": partial(_one_at_a_time, yardstick, many),
            },
        )
    times = [tuple(runs[who]) for who in ("ours", "bare", "floor")]
    return [Figure("idle, POST to sink, p50", "µs", times[0], times[1], times[2], Aim("≤", 4))]


async def _bursts(counts: Counts, receiver: Receiver, yardstick: Process, way: Way) -> list[Figure]:
    async with _carrying(receiver, way, "warning", "info") as (warning, info, least):
        runs = await in_turn(
            counts.rounds,
            {
                "warning": partial(_burst, warning, counts.burst, receiver),
                "info": partial(_burst, info, counts.burst, receiver),
                "floor": partial(_burst, least, counts.burst, receiver),
                "bare": partial(_answered, yardstick, counts.burst),
            },
        )
    name = f"burst, {way.name}"
    ours, told, bares, floors = (runs[who] for who in ("warning", "info", "bare", "floor"))
    figures = rate_and_cost(name, "events/s", ours, beside=bares, floor=floors, rate=way.rate, cost=way.cost)
    answered, answered_floor = column(ours, "answered"), column(floors, "answered")
    figures.append(Figure(f"{name}: taken meanwhile", "events/s", answered, column(bares, "rate"), answered_floor))
    figures += rate_and_cost(f"{name}, log at info", "events/s", told, beside=bares, floor=floors)
    beside = f"{name}: processor time at info beside warning"
    return [*figures, Figure(beside, "µs", column(told, "cpu"), column(ours, "cpu"), aim=LOG_AIM)]


async def _slow(counts: Counts, slow: Receiver, way: Way) -> list[Figure]:
    async with _carrying(slow, way, "warning") as (ours, least):
        runs = await in_turn(
            counts.rounds,
            {
                "ours": partial(_burst, ours, counts.burst, slow),
                "floor": partial(_burst, least, counts.burst, slow),
            },
        )
    name = f"burst to a sink that takes {DELAY * 1000:.0f} ms, {way.name}"
    return rate_and_cost(name, "events/s", runs["ours"], floor=runs["floor"], rate=way.rate)


@asynccontextmanager
async def _carrying(receiver: Receiver, way: Way, *levels: str) -> AsyncIterator[Sequence[Process]]:
    """A bridge for each level of its log, and the floor last, all of which carry to one sink."""
    async with AsyncExitStack() as stack:
        target = sinks(receiver.url, way.settings, count=1)
        ours = [await stack.enter_async_context(bridge(target, more=way.row, log=level)) for level in levels]
        yield [*ours, await stack.enter_async_context(floor("--sinks", "1", "--url", receiver.url, *way.floor))]


async def _burst(process: Process, many: int, receiver: Receiver) -> Run:
    """Until the last has arrived."""
    requests = events(process.url, many)
    before, cpu, started = len(receiver.arrived), process.cpu_seconds, time.perf_counter()
    taken_in = await load(process.url, requests, connections=CONNECTIONS)
    await receiver.count(before + many, within=120)
    await asyncio.sleep(SETTLED)
    spent = process.cpu_seconds - cpu
    rate = many / (receiver.arrived[-1] - started)
    return Run(rate, spent / many * 1e6, answered=taken_in.per_second)


async def _answered(process: Process, many: int) -> Run:
    return await taken(process, events(process.url, many), CONNECTIONS)


async def _one_at_a_time(process: Process, many: int, receiver: Receiver | None = None) -> float:
    """µs from a POST to its arrival at the sink, or to its answer, with rests between: the median."""
    connection, times = await Connection.open(process.url), []
    for request in events(process.url, many):
        wanted, started = len(receiver.arrived) + 1 if receiver else 0, time.perf_counter()
        await connection.send(request)
        if receiver is not None:
            await receiver.count(wanted, within=10)
        times.append((receiver.arrived[-1] if receiver else time.perf_counter()) - started)
        await asyncio.sleep(0.005)
    connection.close()
    return median(times) * 1e6
