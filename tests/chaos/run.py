"""One run: the plan is carried out while panels post; then all is repaired, and has a bounded time to settle."""

import asyncio
import signal
from pathlib import Path

from bridge.errors import StoreError
from tests.chaos.laws import Story, breaches
from tests.chaos.panels import post_all
from tests.chaos.plan import Plan
from tests.chaos.world import World, a_world

SETTLING = 200.0  # seconds: a chat that has had its 20 messages of a minute takes the next one a minute later


TICK = 0.05  # seconds


async def run(plan: Plan, folder: Path) -> tuple[Story, list[str]]:
    """What happened, and what was not as it must be. Logs and records are left in the folder."""
    (folder / "plan").write_text(f"{plan}\n")
    async with a_world(folder, plan) as world:
        watching = asyncio.create_task(_watch(world))
        async with asyncio.TaskGroup() as tasks:
            urls = [replica.url for replica in world.replicas.values()]
            tasks.create_task(post_all(urls, world.story, seconds=plan.seconds))
            tasks.create_task(_go_wrong(world, plan))
        await _settled(world)
        watching.cancel()
        for replica in world.replicas.values():
            await replica.end(signal.SIGTERM)
        world.story.kept = await asyncio.to_thread(world.kept)
        world.story.logs |= {name: one.log.read_text("utf-8", "replace") for name, one in world.replicas.items()}
        story = world.story
    (folder / "told").write_text("".join(f"{one}\n" for one in story.told))
    (folder / "asked").write_text("".join(f"{one}\n" for one in story.asked))
    (folder / "kept").write_text("".join(f"{one}\n" for one in story.kept))
    return story, breaches(story)


async def _go_wrong(world: World, plan: Plan) -> None:
    async with asyncio.TaskGroup() as tasks:
        for step in plan.steps:
            await asyncio.sleep(max(0.0, step.at - world.now()))
            tasks.create_task(world.apply(step))


async def _watch(world: World) -> None:
    """Note how late the machine wakes us."""
    while True:
        before = world.now()
        await asyncio.sleep(TICK)
        world.story.late = max(world.story.late, world.now() - before - TICK)


async def _settled(world: World) -> None:
    """Returns when nothing waits any more, or when the time is over."""
    until = world.now() + SETTLING
    while world.now() < until:
        try:
            for sink in await asyncio.to_thread(world.parked):  # a frozen replica may find out late
                await world.resume(sink)
            if not await asyncio.to_thread(world.unsettled):
                return
        except StoreError:
            pass
        await asyncio.sleep(0.5)
