"""Room for big events: first come, first served, and nobody waits for ever."""

import asyncio

import pytest

from bridge.delivery.memory import EventMemory
from tests.processes import PATIENCE


async def holding(memory: EventMemory, size: int, held: list[int], release: asyncio.Event) -> None:
    async with memory.reserve(size):
        held.append(size)
        await release.wait()
    held.remove(size)


async def turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_has_no_room_waits_until_there_is_some_in_the_order_in_which_it_came() -> None:
    memory, held, release = EventMemory(10), list[int](), [asyncio.Event() for _ in range(4)]
    sizes = (6, 7, 3, 100)
    tasks = [asyncio.create_task(holding(memory, size, held, one)) for size, one in zip(sizes, release, strict=True)]
    await turn()
    assert held == [6]
    release[0].set()
    await turn()
    assert held == [7, 3]
    release[1].set()
    await turn()
    assert held == [3]
    release[2].set()
    await turn()
    assert held == [100]  # it is bigger than the room, and alone
    release[3].set()
    await asyncio.gather(*tasks)


async def test_what_needs_no_room_never_waits() -> None:
    memory = EventMemory(10)
    async with memory.reserve(10), asyncio.timeout(PATIENCE), memory.reserve(0):
        pass


async def test_who_is_cancelled_or_fails_leaves_the_room_to_others() -> None:
    memory, held, release = EventMemory(10), list[int](), asyncio.Event()
    holder, waiter, last = (asyncio.create_task(holding(memory, size, held, release)) for size in (10, 9, 8))
    await turn()
    waiter.cancel()
    holder.cancel()
    await turn()
    assert held == [10, 8]  # whoever was cancelled said nothing more
    release.set()
    await last
    with pytest.raises(ValueError, match="fails"):
        async with memory.reserve(10):
            raise ValueError("fails")
    async with asyncio.timeout(PATIENCE), memory.reserve(10):
        pass
