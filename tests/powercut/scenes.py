"""What goes on when the power goes. Each scene is played until then; what is not over by then is cut at its end."""

import asyncio
import json
import math
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from tests.powercut.laws import Muting
from tests.powercut.prepared import first_release, months_old
from tests.powercut.report import Backup, Printed
from tests.powercut.world import PANELS, World

BRIDGE = (sys.executable, "-m", "bridge")


@dataclass(frozen=True, slots=True)
class Scene:
    """`operations`: how many writes, names and fsyncs it has, about; the power goes at one of them, drawn by chance.

    `prepare` is done before there is anything to cut.
    """

    play: Callable[[World], Awaitable[None]]
    operations: int
    prepare: Callable[[World], None] = lambda world: None


async def puts(world: World) -> None:
    """Panels post, and nothing is delivered."""
    world.delay = 60.0
    await world.machine.start()
    await _for(2.0, world.post_on(pace=0))


async def deliveries(world: World) -> None:
    """A burst is delivered, and nobody posts any more."""
    world.delay = world.chance.choice((0.0, 0.01))
    await world.machine.start()
    await world.post_each(40)
    await asyncio.sleep(world.chance.uniform(1.0, 4.0))


async def both(world: World) -> None:
    """Panels post, and it is delivered; now and then the sink is away."""
    await world.machine.start()
    async with _posting(world):
        for _ in range(12):
            world.status = world.chance.choice((200, 200, 200, 503))
            await asyncio.sleep(0.2)


async def first_start(world: World) -> None:
    """The bridge makes its folders and its store, and is posted to at once."""
    await world.machine.start()
    await _for(0.3, world.post_on(pace=0))


async def replay(world: World) -> None:
    """Dead letters are sent again by a command beside the bridge."""
    world.status = 400
    await world.machine.start()
    await world.post_each(5)
    await asyncio.sleep(0.5)
    world.status = 200
    async with _posting(world):
        if done := await _command(world, "replay", "--dead"):
            repeated = {one["replay_of"]: "replayed" for one in done["deliveries"]}
            world.report.printed.append(Printed(time.monotonic(), tuple(done["replayed"]), repeated))
        await asyncio.sleep(world.chance.uniform(0, 0.5))


async def dismiss(world: World) -> None:
    """Dead letters are put away by a command beside the bridge, and some of them are had back."""
    world.status, printed = 400, world.report.printed
    await world.machine.start()
    await world.post_each(5)
    await asyncio.sleep(0.5)
    world.status = 200
    async with _posting(world):
        if done := await _command(world, "dismiss", "--all"):
            printed.append(Printed(time.monotonic(), cleared=dict.fromkeys(done["deliveries"], "dismissed")))
            back = world.chance.sample(done["deliveries"], len(done["deliveries"]) // 2)
            stay = dict.fromkeys(set(done["deliveries"]) - set(back), "dismissed")
            printed[-1] = replace(printed[-1], until=time.monotonic())
            printed.append(Printed(printed[-1].until, cleared=stay))
            if await _command(world, "dismiss", "--undo", *map(str, back)):
                printed.append(Printed(time.monotonic(), cleared=dict.fromkeys(back)))
        await asyncio.sleep(world.chance.uniform(0, 0.5))


async def mutes(world: World) -> None:
    """Two users are muted by a command beside the bridge while panels post, and one of them is told of again."""
    printed = world.report.printed
    first, second = (f"user:p{number}" for number in world.chance.sample(range(PANELS), 2))
    await world.machine.start()
    async with _posting(world, pace=0.3):  # slowly: commands take their time
        for subject in (first, second):
            printed.append(Muting(math.inf, mutes={subject: True}))
            if await _command(world, "mute", subject, "2h"):
                printed[-1] = replace(printed[-1], at=time.monotonic())
        muted = next(number for number, one in enumerate(printed) if first in getattr(one, "mutes", ()))
        printed[muted] = replace(printed[muted], until=time.monotonic())
        printed.append(Muting(math.inf, mutes={first: False}))
        if await _command(world, "mute", "--end", first):
            printed[-1] = replace(printed[-1], at=time.monotonic())
        await asyncio.sleep(world.chance.uniform(0, 0.5))


async def forget(world: World) -> None:
    """A command beside the bridge forgets somebody while panels post: the bridge empties its log, again and again."""
    await world.machine.start()
    async with _posting(world, pace=0.1):
        for _ in range(3):
            await _command(world, "forget", "user:nobody", "--yes", "--realm", "panel")


async def originals(world: World) -> None:
    """What the sink may have unmasked waits sealed beside its deliveries, while the sink is away now and then."""
    await both(world)


async def prune(world: World) -> None:
    """What is old is forgotten while panels post."""
    await world.machine.start()
    await _for(2.0, world.post_on())


async def migration(world: World) -> None:
    """A store of the first release is brought to today's tables, and carried on."""
    await world.machine.start()
    await _for(1.0, world.post_on())


async def reload(world: World) -> None:
    """The file changes while panels post."""
    await world.machine.start()
    async with _posting(world):
        for _ in range(5):
            await asyncio.sleep(0.3)
            world.timeout += 1
            world.configure()
            world.machine.send_signal(signal.SIGHUP)


async def stop(world: World) -> None:
    """SIGTERM while panels post: the power goes while the bridge ends, or when it has ended."""
    machine = world.machine
    await machine.start()
    async with _posting(world):
        await asyncio.sleep(world.chance.uniform(0.2, 1.0))
        machine.cut_within(200)
        status = await machine.end()
        if machine.is_on and status != 0:
            world.report.faults.append(f"SIGTERM: it ended with {status}")


async def failing_fsync(world: World) -> None:
    """Some fsyncs fail while panels post; then the bridge may be started again."""
    machine, chance = world.machine, world.chance
    await machine.start()
    async with _posting(world, pace=0.01):
        for _ in range(chance.randint(1, 3)):
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            await machine.fsyncs_fail(chance.randint(1, 3))
        if chance.random() < 0.4:
            await chance.choice((machine.kill, machine.end))()
            machine.control["fail"] = 0
            await machine.start()
        machine.cut_within(chance.choice((50, 3000)))
        await asyncio.sleep(1.5)


async def backup(world: World) -> None:
    """The operator backs the store up while panels post; the power goes when that is done."""
    machine = world.machine
    await machine.start()
    async with _posting(world):
        await asyncio.sleep(world.chance.uniform(0.2, 0.8))
        known = {one.mark for one in world.report.answered}
        words = ("backup", "panelbridge.db", "--config", str(machine.bridge.config))
        well, _ = await machine.command(*BRIDGE, *words, folder=machine.root / "backup")
        if well:
            world.report.backup = Backup(known, time.monotonic())


async def _command(world: World, *words: str) -> Any:
    """What a command beside the bridge has printed, None where it did not come to that."""
    config = str(world.machine.bridge.config)
    well, printed = await world.machine.command(*BRIDGE, *words, "--json", "--config", config)
    return json.loads(printed) if well else None


async def recovery(world: World) -> None:
    """The bridge starts again on what a power cut has left."""
    await world.machine.start()
    await _for(1.0, world.post_on())


async def _for(seconds: float, doing: Awaitable[None]) -> None:
    """Do it for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await doing


@asynccontextmanager
async def _posting(world: World, *, pace: float = 0.02) -> AsyncIterator[None]:
    """Panels post meanwhile."""
    posting = asyncio.ensure_future(world.post_on(pace=pace))
    try:
        yield
    finally:
        posting.cancel()
        with suppress(asyncio.CancelledError):
            await posting


def _prepare_first_release(world: World) -> None:
    first_release(world.machine.store, world.posted_before(each=40))


def _prepare_old(world: World) -> None:
    world.keep, world.report.forgets = "1s", True
    world.configure()
    months_old(world.machine.store, world.posted_before(each=5), delivered=3000)


def _prepare_originals(world: World) -> None:
    world.report.unmasks = True
    world.configure()


def _prepare_backup(world: World) -> None:
    (world.machine.root / "backup").mkdir()


SCENES = {
    "puts": Scene(puts, 6000),
    "deliveries": Scene(deliveries, 8000),
    "both": Scene(both, 6000),
    "first start": Scene(first_start, 300),
    "replay": Scene(replay, 6000),
    "dismiss": Scene(dismiss, 6000),
    "mutes": Scene(mutes, 12_000),
    "forget": Scene(forget, 8000),
    "originals": Scene(originals, 6000, _prepare_originals),
    "prune": Scene(prune, 8000, _prepare_old),
    "migration": Scene(migration, 3000, _prepare_first_release),
    "reload": Scene(reload, 6000),
    "stop": Scene(stop, 0),
    "failing fsync": Scene(failing_fsync, 0),
    "backup": Scene(backup, 0, _prepare_backup),
}
AFTERWARDS = Scene(recovery, 600)
