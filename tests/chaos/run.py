"""One run: the plan is carried out while panels post; then all is repaired, and settles as long as something moves."""

import asyncio
import signal
from pathlib import Path

from bridge.errors import StoreError
from tests.chaos.laws import breaches
from tests.chaos.panels import post_all
from tests.chaos.plan import REST, Plan, Step, touched
from tests.chaos.story import Story
from tests.chaos.world import World, a_world

STANDSTILL = 300.0  # seconds in which nothing moves: longer than any wait of a lane, on a busy machine too
LONGEST = 1800.0  # seconds in which all is told in the end: what moves without end does not settle
TICK = 0.05  # seconds


async def run(plan: Plan, folder: Path) -> tuple[Story, list[str]]:
    """What happened, and what was not as it must be. Logs and records are left in the folder."""
    (folder / "plan").write_text(f"{plan}\n")
    async with a_world(folder, plan) as world:
        watching = asyncio.create_task(_watch(world))
        going = asyncio.create_task(_go(world, plan))
        await asyncio.wait([watching, going], return_when=asyncio.FIRST_COMPLETED)
        for task in (watching, going):
            task.cancel()
        await asyncio.gather(watching, going, return_exceptions=True)
        if not going.cancelled():
            going.result()
        await _end(world)
        story = world.story
    for name in ("told", "asked", "kept", "promised"):
        with (folder / name).open("w") as file:
            file.writelines(f"{one}\n" for one in getattr(story, name))
    return story, breaches(story)


async def _go(world: World, plan: Plan) -> None:
    async with asyncio.TaskGroup() as tasks:
        urls = [replica.url for replica in world.replicas.values()]
        tasks.create_task(post_all(urls, world.story, world.now, seconds=plan.seconds))
        tasks.create_task(_go_wrong(world, plan))
    await _settled(world)


async def _go_wrong(world: World, plan: Plan) -> None:
    """Carry out the plan. What is not whole again when its next fault is due, as on a slow machine, is spared that one.

    Why: faults that waited for each other would leave a bridge no moment in which it works, and outlast the panels.
    """
    busy: set[str] = set()
    async with asyncio.TaskGroup() as tasks:
        for step in plan.steps:
            await asyncio.sleep(max(0.0, step.at - world.now()))
            if busy.isdisjoint(touched(step, plan.replicas)):
                tasks.create_task(_carry_out(world, step, busy))
            else:
                world.story.spared.append(step)


async def _carry_out(world: World, step: Step, busy: set[str]) -> None:
    targets = touched(step, world.story.plan.replicas)
    busy |= targets
    await world.apply(step)
    await world.up_again(targets)
    await asyncio.sleep(REST)
    busy -= targets


async def _watch(world: World) -> None:
    """Note how late the machine wakes us. Returns when nothing has moved for long."""
    before, moved = world.story.progress, world.now()
    while world.now() - moved < STANDSTILL:
        at = world.now()
        await asyncio.sleep(TICK)
        world.story.woken(world.now(), world.now() - at - TICK)
        if world.story.progress != before:
            before, moved = world.story.progress, world.now()
    world.story.standstill = f"nothing has moved from {moved:.0f} s on"


async def _settled(world: World) -> None:
    """Returns when nothing waits any more, or when the time is over."""
    until = world.now() + LONGEST
    while world.now() < until:
        try:
            for sink in await asyncio.to_thread(world.parked):  # a frozen replica may find out late
                await world.resume(sink)
            if not await asyncio.to_thread(world.unsettled):
                return
        except StoreError:
            pass
        await asyncio.sleep(0.5)


async def _end(world: World) -> None:
    """End all in order, and take note of what they leave."""
    for replica in world.replicas.values():
        await replica.end(signal.SIGTERM)
    world.story.kept += await asyncio.to_thread(world.kept)
    for name, replica in world.replicas.items():
        replica.log.read()
        world.story.logs[name] = "\n".join(replica.log.bugs)
        world.story.said += replica.log.said
