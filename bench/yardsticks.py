"""What a bridge is measured beside: the bare handler, the floor, and the libraries alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.bridges import bridge, sinks
from bench.processes import Process, a_folder, free_port, listening


@asynccontextmanager
async def bare() -> AsyncIterator[Process]:
    """An aiohttp handler that reads and answers (`bench/bare.py`)."""
    port = free_port()
    async with listening("bench.bare", str(port), port=port) as process:
        yield process


@asynccontextmanager
async def floor(*more: str) -> AsyncIterator[Process]:
    """The bare stack that keeps and delivers (`bench/floor.py`), with its options."""
    port = free_port()
    with a_folder() as folder:
        async with listening("bench.floor", str(port), f"{folder}/floor.db", *more, port=port) as process:
            yield process


@asynccontextmanager
async def libraries() -> AsyncIterator[Process]:
    """A listening process with the same libraries, and nothing of ours (`bench/libraries.py`)."""
    port = free_port()
    async with listening("bench.libraries", str(port), port=port) as process:
        yield process


async def warm() -> None:
    """Start each once, so that all bytecode is there."""
    for one in (bare(), floor(), libraries(), bridge(sinks("http://127.0.0.1:9/x", "rate: 1/d"))):
        async with one:
            pass
