"""One run: a scene is played until the power goes, perhaps once more; then a bridge starts on what the disk shows."""

import asyncio
import random
import shutil
from contextlib import suppress
from pathlib import Path

from tests.powercut.disk import Outage
from tests.powercut.laws import breaches
from tests.powercut.look import UNSETTLED, faults_of, kept, kept_in_full, look
from tests.powercut.machine import Machine
from tests.powercut.report import Report
from tests.powercut.scenes import AFTERWARDS, SCENES, Scene
from tests.powercut.world import World, a_world
from tests.processes import PATIENCE

AGAIN = 0.3  # the chance that the power goes a second time, soon after the bridge has started again
LOOKS = 10  # at what the disk would show had the power gone earlier
MANY = 1_000_000  # more than there are seeds in a run of many cuts


def cut(scene: str, seed: int, shim: Path, folder: Path) -> tuple[Report, list[str]]:
    """What is to be known of one run, and which laws it broke; its files are left where it broke one."""
    own = folder / f"{scene.replace(' ', '-')}-{seed}"
    own.mkdir()
    report = Report()
    try:
        asyncio.run(_run(scene, seed, shim, own, report))
        broken = breaches(report)
    except Exception as error:  # noqa: BLE001  # a run that cannot be judged must not end the others
        broken = [f"{type(error).__name__}: {error}"]
    if not broken:
        shutil.rmtree(own)
    return report, broken


async def _run(scene: str, seed: int, shim: Path, folder: Path, report: Report) -> None:
    chance = random.Random(f"{scene} {seed}")
    machine = Machine(folder, shim, report, chance)
    async with a_world(machine, report, chance) as world:
        SCENES[scene].prepare(world)
        await _life(world, SCENES[scene], seed)
        if chance.random() < AGAIN:
            await _life(world, AFTERWARDS, seed + MANY)
        await _carry_on(world)
    report.log = machine.bridge.log.read_text("utf-8", "replace")


async def _life(world: World, scene: Scene, seed: int) -> None:
    """Play a scene until the power goes, and look at the disk."""
    machine = world.machine
    machine.switch_on()
    if scene.operations:
        machine.cut_within(scene.operations)
    play, gone = asyncio.ensure_future(scene.play(world)), asyncio.ensure_future(machine.gone())
    await asyncio.wait({play, gone}, return_when=asyncio.FIRST_COMPLETED)
    await machine.switch_off(Outage.of(seed))
    for task in (play, gone):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    world.status, world.delay = 200, 0.0
    _look(world, seed)


def _look(world: World, seed: int) -> None:
    """At what the disk shows, and at what it would show had the power gone earlier."""
    machine, report, copy = world.machine, world.report, world.machine.root.with_name("copy")
    shutil.copytree(machine.root, copy)
    report.faults += look(copy, report, report.breaks[-1])
    earlier = machine.moments()
    for number, (operation, moment) in enumerate(world.chance.choices(earlier, k=LOOKS) if earlier else (), 1):
        machine.show(operation, Outage.of(seed + number * MANY), copy)
        report.faults += look(copy, report, moment)
        report.looks += 1
    report.backup = None
    shutil.rmtree(copy)


async def _carry_on(world: World) -> None:
    """Start a bridge that nothing happens to: each panel posts once more, everything is carried out."""
    machine, report = world.machine, world.report
    async with asyncio.timeout(PATIENCE):
        await machine.start()
        await world.post_each()
        while any(one.state in UNSETTLED for one in kept(machine.store)):
            await asyncio.sleep(0.1)
    if status := await machine.end():
        report.faults.append(f"it ended with {status}")
    report.faults += faults_of(machine.store)
    report.kept = kept_in_full(machine.store)
