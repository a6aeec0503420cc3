"""How a plan is carried out."""

import asyncio
from collections.abc import Collection
from typing import cast

import pytest

from tests.chaos import run
from tests.chaos.noticed import noticed
from tests.chaos.plan import Fault, Plan, Step
from tests.chaos.replica import Replica
from tests.chaos.story import Story
from tests.chaos.world import World

KILL = Step(0.0, Fault.KILL, "replica 1", 1.0)
TAKE = Step(0.0, Fault.TAKE_STORE, "store", 1.0)
REFUSE = Step(0.0, Fault.REFUSE, "shop", 1.0)


class SlowWorld:
    """Every fault lasts until it is let go, and all replicas are down as long as this."""

    def __init__(self, *steps: Step) -> None:
        self.story = Story(Plan(7, 60.0, "sqlite", 1, steps))
        self.applied: list[Step] = []
        self.mended, self.up = asyncio.Event(), asyncio.Event()

    def now(self) -> float:
        return 0.0

    async def apply(self, step: Step) -> None:
        self.applied.append(step)
        await self.mended.wait()

    async def up_again(self, targets: Collection[str]) -> None:
        await self.up.wait()

    async def go(self) -> None:
        await run._go_wrong(cast("World", self), self.story.plan)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("steps", "applied", "spared"),
    [
        ((KILL, KILL), [KILL], [KILL]),
        ((KILL, REFUSE), [KILL, REFUSE], []),
        ((KILL, TAKE), [KILL], [TAKE]),
        ((TAKE, KILL, TAKE), [TAKE], [KILL, TAKE]),
    ],
)
async def test_what_is_not_whole_again_is_spared_its_next_fault(
    monkeypatch: pytest.MonkeyPatch, steps: tuple[Step, ...], applied: list[Step], spared: list[Step]
) -> None:
    monkeypatch.setattr(run, "REST", 0.0)
    world = SlowWorld(*steps)
    going = asyncio.create_task(world.go())
    await settled()
    assert (world.applied, world.story.spared) == (applied, spared)
    world.mended.set()
    world.up.set()
    await going
    assert (world.applied, world.story.spared) == (applied, spared)


@pytest.mark.parametrize(("mended", "up"), [(True, False), (False, True)])
async def test_a_target_is_whole_when_its_fault_is_over_and_it_is_up(
    monkeypatch: pytest.MonkeyPatch, mended: bool, up: bool
) -> None:
    monkeypatch.setattr(run, "REST", 0.0)
    world, busy = SlowWorld(KILL), set[str]()
    carried = asyncio.create_task(run._carry_out(cast("World", world), KILL, busy))
    for event, is_set in ((world.mended, mended), (world.up, up)):
        if is_set:
            event.set()
    await settled()
    assert busy == {"replica 1"}
    world.mended.set()
    world.up.set()
    await carried
    assert busy == set()


class SilentReplica:
    """Its log has a record as soon as it has been made to look so often, and never where that is None."""

    def __init__(self, looks: int | None) -> None:
        self.log = self
        self.said = {"store.gone": 3}
        self._looks = looks

    def read(self) -> None:
        pass

    async def ready(self) -> bool:
        if self._looks is not None:
            self._looks -= 1
            self.said["store.gone"] += self._looks == 0
        return False


@pytest.mark.parametrize(("looks", "unsaid"), [(1, []), (3, []), (None, [(5.0, "it was away")])])
async def test_what_no_log_says_is_noted(
    monkeypatch: pytest.MonkeyPatch, looks: int | None, unsaid: list[tuple[float, str]]
) -> None:
    monkeypatch.setattr("tests.chaos.noticed.PATIENCE", 60.0 if looks else 0.3)
    story = Story(Plan(7, 60.0, "sqlite", 1, ()))
    async with noticed("store.gone", "it was away", [cast("Replica", SilentReplica(looks))], story, 5.0):
        pass
    assert story.unsaid == unsaid
