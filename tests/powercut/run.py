"""One run: a scene is played until the power goes, perhaps once more; then a bridge starts on what the disk shows."""

import asyncio
import json
import random
import shutil
import signal
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from tests.powercut.disk import Outage
from tests.powercut.laws import breaches
from tests.powercut.machine import Machine
from tests.powercut.report import Kept, Report
from tests.powercut.scenes import AFTERWARDS, SCENES, Scene
from tests.powercut.world import World, a_world

WITHIN = 60.0  # seconds in which all is carried out afterwards
AGAIN = 0.3  # the chance that the power goes a second time, soon after the bridge has started again
KEPT = (
    "SELECT deliveries.id, events.data, event_id, state, replay_of FROM deliveries JOIN events ON events.id = event_id"
    " ORDER BY deliveries.id"
)


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
        await _life(world, SCENES[scene], Outage.of(seed))
        if chance.random() < AGAIN:
            await _life(world, AFTERWARDS, Outage.of(seed + 1_000_000))
        await _carry_on(world)
    report.log = machine.bridge.log.read_text("utf-8", "replace")


async def _life(world: World, scene: Scene, outage: Outage) -> None:
    """Play a scene until the power goes, and look at what the disk shows."""
    world.machine.switch_on()
    if scene.operations:
        world.machine.cut_within(scene.operations)
    play, gone = asyncio.ensure_future(scene.play(world)), asyncio.ensure_future(world.machine.gone())
    await asyncio.wait({play, gone}, return_when=asyncio.FIRST_COMPLETED)
    await world.machine.switch_off(outage)
    for task in (play, gone):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    world.status, world.delay = 200, 0.0
    _look(world)


def _look(world: World) -> None:
    """What can be said of the files without a bridge: in a copy, for whoever opens a store repairs it."""
    copy, report = world.machine.root.with_name("copy"), world.report
    shutil.copytree(world.machine.root, copy)
    stores = [one for one in copy.rglob("*.db") if one.stat().st_size]
    for store in stores:
        report.faults += [f"{store.relative_to(copy)}: {fault}" for fault in _faults(store)]
    if report.backed_up is not None:
        backups = [one for one in stores if "var" not in one.parts]
        missing = report.backed_up - {one.mark for store in backups for one in _kept_or_none(store)}
        report.faults += [f"{mark} is not in the backup" for mark in sorted(missing)]
        report.backed_up = None
    shutil.rmtree(copy)


async def _carry_on(world: World) -> None:
    """Start a bridge that nothing happens to: each panel posts once more, everything is carried out."""
    machine, report = world.machine, world.report
    async with asyncio.timeout(WITHIN):
        await machine.start()
        await world.post_each()
        while any(one.state in ("pending", "waiting") for one in kept(machine.store)):
            await asyncio.sleep(0.1)
    if status := await machine.end(signal.SIGTERM):
        report.faults.append(f"it ended with {status}")
    report.faults += _faults(machine.store)
    report.kept = kept(machine.store)


def kept(store: Path) -> list[Kept]:
    """The deliveries of a store."""
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute(KEPT).fetchall()
    return [Kept(id_, json.loads(data)["mark"], event, *rest) for id_, data, event, *rest in rows]


def _kept_or_none(store: Path) -> list[Kept]:
    try:
        return kept(store)
    except sqlite3.DatabaseError:
        return []


def _faults(store: Path) -> list[str]:
    try:
        with closing(sqlite3.connect(store)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if found == "ok" else [found]
