"""Start and memory: from the command to the first answer, and what a process weighs, whatever waits on its disk."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from bench.backlog import fill
from bench.bodies import events
from bench.bridges import PAUSED, bridge, sinks
from bench.client import load
from bench.counts import Counts
from bench.figures import Aim, Figure
from bench.processes import Process, a_folder
from bench.receiver import Receiver
from bench.rounds import in_turn
from bench.yardsticks import bare, libraries

GRAIN = 1.0  # MB by which memory grows without a reason


@dataclass(frozen=True, slots=True)
class Start:
    """Milliseconds to the first answer, of processor time until then, and MB once it is at rest."""

    elapsed: float
    cpu: float
    memory: float


async def starting(counts: Counts) -> list[Figure]:
    """The floor are the libraries alone, imported and listening."""
    async with Receiver() as receiver:
        with a_folder() as folder:
            store, waiting = f"sqlite:///{folder}/full.db", counts.waiting[-1]
            await fill(store, "sink0", waiting)
            paused = sinks(receiver.url, PAUSED)
            contenders: dict[str, Callable[[], AbstractAsyncContextManager[Process]]] = {
                "ours": partial(bridge, paused),
                "full": partial(bridge, paused, store=store),
                "floor": libraries,
                "bare": bare,
            }
            starts = await in_turn(
                counts.rounds, {name: partial(_start, server, counts.rest) for name, server in contenders.items()}
            )
        return [*_figures(starts, waiting), *await _loaded(counts, receiver)]


def _figures(starts: dict[str, list[Start]], waiting: int) -> list[Figure]:
    ours, full, floors, bares = (starts[who] for who in ("ours", "full", "floor", "bare"))
    elapsed = [tuple(one.elapsed for one in rounds) for rounds in (ours, bares, floors)]
    spent = [tuple(one.cpu for one in rounds) for rounds in (ours, bares, floors)]
    idle, beneath = tuple(one.memory for one in ours), tuple(one.memory for one in floors)
    growth = tuple(one.memory - other for one, other in zip(full, idle, strict=True))
    return [
        Figure("start to first answer", "ms", elapsed[0], elapsed[1], elapsed[2], Aim("≤", 2.2)),
        Figure("start: processor time", "ms", spent[0], spent[1], spent[2]),
        Figure("memory, idle", "MB", idle, floor=beneath, aim=Aim("≤", 68)),
        Figure(f"memory, growth with {waiting:,} waiting", "MB", growth, aim=Aim("≤", 8), grain=GRAIN),
    ]


async def _start(server: Callable[[], AbstractAsyncContextManager[Process]], rest: float) -> Start:
    async with server() as process:
        spent = process.cpu_seconds
        await asyncio.sleep(rest)
        return Start(process.start_seconds * 1e3, spent * 1e3, process.memory)


async def _loaded(counts: Counts, receiver: Receiver) -> list[Figure]:
    """What is left in memory of a load that is on the disk."""
    async with bridge(sinks(receiver.url, PAUSED)) as ours:
        await asyncio.sleep(counts.rest)
        idle = ours.memory
        for _ in range(10):
            await load(ours.url, events(ours.url, counts.heavy_load // 10), connections=16)
        await asyncio.sleep(counts.rest)
        name = f"memory, growth by a load of {counts.heavy_load:,} events"
        return [Figure(name, "MB", (ours.memory - idle,), grain=GRAIN)]
