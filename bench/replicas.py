"""Replicas: what two bridges on one PostgreSQL take and deliver, beside what one does there."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from bench.bodies import events
from bench.bridges import UNLIMITED, bridge, sinks
from bench.client import load
from bench.counts import Counts
from bench.figures import Aim, Figure
from bench.postgres import a_durable_postgres
from bench.processes import Process
from bench.receiver import Receiver
from bench.rounds import in_turn

SINKS, CONNECTIONS = 4, 32
AIM = Aim("≥", 1)

#: Requests and deliveries, per second; µs of processor time of all bridges for each event.
Shared = tuple[float, float, float]


async def replicas(counts: Counts) -> list[Figure]:
    with a_durable_postgres() as server:
        async with AsyncExitStack() as stack:
            receiver = await stack.enter_async_context(Receiver())
            target = sinks(receiver.url, f"{UNLIMITED}, concurrency: 8", count=SINKS)
            groups = {}
            for name, many in (("one", 1), ("two", 2)):
                store = server.fresh()
                groups[name] = [await stack.enter_async_context(bridge(target, store=store)) for _ in range(many)]
            await asyncio.sleep(counts.dealt)
            runs = await in_turn(
                counts.rounds, {name: partial(_shared, ours, counts.shared, receiver) for name, ours in groups.items()}
            )
    one, two = zip(*runs["one"], strict=True), zip(*runs["two"], strict=True)
    names = (
        ("taken", "requests/s", AIM),
        ("delivered", "deliveries/s", AIM),
        ("processor time of an event", "µs", None),
    )
    return [
        Figure(f"two replicas beside one, {what}", unit, ours, beside, aim=aim)
        for (what, unit, aim), ours, beside in zip(names, two, one, strict=True)
    ]


async def _shared(ours: Sequence[Process], many: int, receiver: Receiver) -> Shared:
    """A load that they share, until its last delivery has arrived."""
    share = many // len(ours)
    requests = [events(one.url, share) for one in ours]
    wanted = len(receiver.arrived) + share * len(ours) * SINKS
    spent, started = sum(one.cpu_seconds for one in ours), time.perf_counter()
    await asyncio.gather(
        *(load(one.url, mine, connections=CONNECTIONS // len(ours)) for one, mine in zip(ours, requests, strict=True))
    )
    taken = share * len(ours) / (time.perf_counter() - started)
    await receiver.count(wanted, within=120)
    delivered = share * len(ours) * SINKS / (receiver.arrived[-1] - started)
    cpu = (sum(one.cpu_seconds for one in ours) - spent) / (share * len(ours))
    return taken, delivered, cpu * 1e6
