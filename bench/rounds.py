"""Rounds in turn: whoever is measured is measured in every round, so that a machine that slows down slows them all."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.client import load
from bench.figures import Aim, Figure, Rounds
from bench.processes import Process

K = TypeVar("K", int, str)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """Events per second, and µs: of processor time for each, and until they were answered.

    `answered`: events per second until the last was answered, where `rate` is that until the last has arrived.
    """

    rate: float
    cpu: float
    p50: float = 0.0
    p99: float = 0.0
    answered: float = 0.0


async def in_turn(rounds: int, contenders: Mapping[K, Callable[[], Awaitable[T]]]) -> dict[K, list[T]]:
    """What each of them gives in every round; every other round goes backwards, for who comes second finds it warm."""
    results: dict[K, list[T]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            results[name].append(await contenders[name]())
    return results


async def taken(process: Process, requests: Iterable[bytes], connections: int) -> Run:
    """How a load is taken."""
    before = process.cpu_seconds
    rate = await load(process.url, requests, connections=connections)
    cpu = (process.cpu_seconds - before) / rate.requests
    return Run(rate.per_second, cpu * 1e6, rate.latency(0.5) * 1e6, rate.latency(0.99) * 1e6)


def column(runs: Sequence[Run], name: str) -> Rounds:
    return tuple(getattr(run, name) for run in runs)


def rate_and_cost(
    name: str,
    unit: str,
    ours: Sequence[Run],
    *,
    beside: Sequence[Run] = (),
    floor: Sequence[Run] = (),
    rate: Aim | None = None,
    cost: Aim | None = None,
) -> list[Figure]:
    """A rate, and the processor time of each event beside it."""
    return [
        Figure(name, unit, column(ours, "rate"), column(beside, "rate"), column(floor, "rate"), rate),
        Figure(f"{name}: processor time", "µs", column(ours, "cpu"), column(beside, "cpu"), column(floor, "cpu"), cost),
    ]
