"""Ingest: how fast events are taken in, each answered after its commit, with both sinks paused by their rate."""

from contextlib import AsyncExitStack
from functools import partial

from bench.bodies import events
from bench.bridges import PAUSED, bridge, sinks
from bench.counts import Counts
from bench.figures import Aim, Figure
from bench.processes import Process
from bench.receiver import Receiver
from bench.rounds import Run, column, in_turn, rate_and_cost, taken
from bench.yardsticks import bare, floor

#: By connections: the aims of the rate and of the processor time.
AIMS = {64: (Aim("≥", 0.35), Aim("≤", 2.8))}
LOG_AIM = Aim("≤", 1.08)


async def ingest(counts: Counts) -> list[Figure]:
    figures: list[Figure] = []
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(Receiver())
        paused = sinks(receiver.url, PAUSED)
        contenders = {
            "warning": await stack.enter_async_context(bridge(paused)),
            "info": await stack.enter_async_context(bridge(paused, log="info")),
            "floor": await stack.enter_async_context(floor()),
            "bare": await stack.enter_async_context(bare()),
        }
        for connections, requests in counts.requests:
            runs = await in_turn(
                counts.rounds,
                {name: partial(_load, process, requests, connections) for name, process in contenders.items()},
            )
            figures += _figures(connections, runs)
    return figures


async def _load(process: Process, requests: int, connections: int) -> Run:
    return await taken(process, events(process.url, requests), connections)


def _figures(connections: int, runs: dict[str, list[Run]]) -> list[Figure]:
    name = "1 connection" if connections == 1 else f"{connections} connections"
    rate, cost = AIMS.get(connections, (None, None))
    ours, told, floors, bares = (runs[who] for who in ("warning", "info", "floor", "bare"))
    figures = rate_and_cost(name, "requests/s", ours, beside=bares, floor=floors, rate=rate, cost=cost)
    figures += [
        Figure(f"{name}: {word}", "µs", column(ours, word), column(bares, word), column(floors, word))
        for word in ("p50", "p99")
    ]
    figures += rate_and_cost(f"{name}, log at info", "requests/s", told, beside=bares, floor=floors)
    beside = f"{name}: processor time at info beside warning"
    return [*figures, Figure(beside, "µs", column(told, "cpu"), column(ours, "cpu"), aim=LOG_AIM)]
