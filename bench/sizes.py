"""Sizes: rows of the table, sinks of an event, bytes of a body; and what an event takes on the disk."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench.bodies import batch, events
from bench.bridges import PAUSED, bridge, sinks
from bench.client import load
from bench.counts import Counts
from bench.figures import Aim, Figure
from bench.processes import Process, a_folder
from bench.receiver import Receiver
from bench.rounds import Run, in_turn, rate_and_cost, taken
from bench.yardsticks import bare, floor
from bridge.vocabulary import TYPES

CONNECTIONS = 64
#: Rows before the one that matches: name, how many, whether they ask `when`, the aim of their processor time.
TABLES = (
    ("100 rows", 99, False, None),
    ("1,000 rows", 999, False, Aim("≤", 1.3)),
    ("1,000 rows with `when`", 999, True, Aim("≤", 6)),
)
K = TypeVar("K", int, str)
SINKS = (1, 10, 50)
BODIES = (("1 kB", 0), ("10 kB", 10 * 2**10))


async def sizes(counts: Counts) -> list[Figure]:
    async with Receiver() as receiver:
        url = receiver.url
        return [
            *await _rows(counts, url),
            *await _sinks(counts, url),
            *await _bodies(counts, url),
            *await _batch(counts, url),
            *await _bytes(counts, url),
        ]


async def _rows(counts: Counts, url: str) -> list[Figure]:
    """Beside a table of one row."""
    paused = sinks(url, PAUSED)
    tables = {name: unmatched(many, when=when) for name, many, when, _ in TABLES}
    runs = await _compared(
        counts, {"1 row": bridge(paused)} | {name: bridge(paused, rows=tables[name]) for name in tables}
    )
    figures = rate_and_cost("1 row", "requests/s", runs["1 row"])
    for name, _, _, aim in TABLES:
        figures += rate_and_cost(f"{name}, beside 1 row", "requests/s", runs[name], beside=runs["1 row"], cost=aim)
    return figures


async def _sinks(counts: Counts, url: str) -> list[Figure]:
    """An event that goes to many, beside one that goes to one."""
    servers = {many: bridge(sinks(url, PAUSED, count=many)) for many in SINKS}
    one, *others = (await _compared(counts, servers)).values()
    figures = rate_and_cost("1 sink", "requests/s", one)
    for many, runs in zip(SINKS[1:], others, strict=True):
        figures += rate_and_cost(f"{many} sinks, beside 1 sink", "requests/s", runs, beside=one)
    return figures


async def _bodies(counts: Counts, url: str) -> list[Figure]:
    """One event of so many bytes, beside the bare handler."""
    figures = []
    for name, size in BODIES:
        requests = partial(events, how_many=counts.shapes, size=size)
        runs = await _compared(counts, _contenders(url), requests)
        figures += rate_and_cost(
            f"bodies of {name}", "requests/s", runs["ours"], beside=runs["bare"], floor=runs["floor"]
        )
    return figures


async def _batch(counts: Counts, url: str) -> list[Figure]:
    """One request with many events, beside the bare handler."""
    async with AsyncExitStack() as stack:
        processes = {name: await stack.enter_async_context(one) for name, one in _contenders(url).items()}
        runs = await in_turn(
            counts.rounds, {name: partial(_one_batch, one, counts.batch) for name, one in processes.items()}
        )
    return rate_and_cost("a batch of 10 MB", "events/s", runs["ours"], beside=runs["bare"], floor=runs["floor"])


async def _one_batch(process: Process, size: int) -> Run:
    request, many = batch(process.url, size)
    run = await taken(process, [request], 1)
    return Run(run.rate * many, run.cpu / many)


async def _bytes(counts: Counts, url: str) -> list[Figure]:
    """Of the file, with its indexes and two deliveries of each event; the floor keeps the body as it came."""
    rows = {"1 row": (), "1,000 rows": unmatched(999, when=False)}
    aims = {"1 row": Aim("≤", 2000), "1,000 rows": Aim("≤", 5000)}
    figures = []
    for name, more in rows.items():
        with a_folder() as folder:
            file = folder / "kept.db"
            async with bridge(sinks(url, PAUSED), rows=more, store=f"sqlite:///{file}") as ours:
                empty = _size(file)
                await load(ours.url, events(ours.url, counts.kept), connections=CONNECTIONS)
            kept = (_size(file) - empty) / counts.kept
        figures.append(Figure(f"file, an event, {name}", "bytes", (kept,), aim=aims[name]))
    return figures


async def _compared(
    counts: Counts,
    servers: Mapping[K, AbstractAsyncContextManager[Process]],
    requests: Callable[[str], Iterable[bytes]] | None = None,
) -> dict[K, list[Run]]:
    """The same load for each of these, in turn."""
    made = requests or partial(events, how_many=counts.shapes)
    async with AsyncExitStack() as stack:
        processes = {name: await stack.enter_async_context(one) for name, one in servers.items()}
        return await in_turn(counts.rounds, {name: partial(_load, one, made) for name, one in processes.items()})


async def _load(process: Process, requests: Callable[[str], Iterable[bytes]]) -> Run:
    return await taken(process, requests(process.url), CONNECTIONS)


def _contenders(url: str) -> dict[str, AbstractAsyncContextManager[Process]]:
    return {"ours": bridge(sinks(url, PAUSED)), "floor": floor(), "bare": bare()}


def unmatched(many: int, *, when: bool) -> list[str]:
    """Rows that match none of the bench's events: those of other types, or, with `when`, of other resellers."""
    if when:
        return [f"match: user.*, when: data.owner == 'reseller-{number}', to: [sink0]" for number in range(many)]
    others = [name for name in TYPES if not name.startswith("user.")]
    return [f"match: {others[number % len(others)]}, to: [sink0]" for number in range(many)]


def _size(file: Path) -> int:
    """Bytes that are in use, whatever of it is still in the log."""
    connection = sqlite3.connect(file)
    try:
        pages, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    finally:
        connection.close()
    return int(pages * page)
