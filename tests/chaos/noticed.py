"""What is done to a store under a bridge, and a log has to say."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from tests.chaos.replica import Replica
from tests.chaos.story import Story
from tests.processes import PATIENCE


@asynccontextmanager
async def noticed(
    record: str, what: str, replicas: Collection[Replica], story: Story, at: float
) -> AsyncIterator[None]:
    """After this was done, have the bridge look, and wait until a log has this record; note it where none has.

    Why: how soon it looks by itself is up to the machine, and what is undone before is rightly not said.
    """
    before = _count(record, replicas)
    yield
    try:
        async with asyncio.timeout(PATIENCE):
            while _count(record, replicas) == before:
                await asyncio.gather(*(one.ready() for one in replicas))
                await asyncio.sleep(0.1)
    except TimeoutError:
        story.unsaid.append((at, what))


def _count(record: str, replicas: Collection[Replica]) -> int:
    for one in replicas:
        one.log.read()
    return sum(one.log.said[record] for one in replicas)
