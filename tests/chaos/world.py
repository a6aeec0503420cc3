"""The world of a run: a store that can fail, replicas beside it, services around them, and their troubles."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bridge.errors import StoreError
from bridge.store import open_ledger
from bridge.store.queries.records import lane_records
from tests.chaos.config import ChaosSettings, write_templates, written
from tests.chaos.noticed import noticed
from tests.chaos.plan import DOOR, FILE, QUIET_MODES, SINK, Fault, Plan, Step
from tests.chaos.replica import ROOT, Replica
from tests.chaos.sinks import Watched, services
from tests.chaos.stores import FileStore, Store, a_store, ledger_of
from tests.chaos.story import Period, StoredDelivery, Story
from tests.chaos.strangers import dawdle, scribble
from tests.processes import PATIENCE
from tests.services.service import serving

UNTIL_PARKED = 3.0  # seconds that a lane may take to find out that its address is gone
BEFORE = 60.0  # seconds by which quiet hours have begun when they are written down
LATEST = "4s"  # since when what came is replayed, whether it arrived or not


class World:
    """Everything there is; `apply` lets one thing go wrong, and puts it right again."""

    def __init__(self, folder: Path, plan: Plan, store: Store) -> None:
        self.story = Story(plan)
        self.store = store
        self.services = services(self.story, self.now)
        self._began = time.monotonic()
        self._folder = folder
        names = [f"replica {number}" for number in range(1, plan.replicas + 1)]
        self.replicas = {name: Replica(name, folder, self.story, self.now) for name in names}
        self._urls: dict[str, str] = {}
        self._settings = ChaosSettings()
        self._stores = 0  # that were deleted
        self._store_busy = asyncio.Lock()  # one thing at a time happens to it
        self._hands = asyncio.Lock()  # of the operator: one command at a time, and none while the store is not there
        self._writing = asyncio.Lock()  # the file: one change after the other is in force

    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def begin(self, urls: Mapping[str, str]) -> None:
        """The services are there: write the files, and want all replicas."""
        self._urls = dict(urls)
        write_templates(self._folder / "templates")
        self._write()
        for replica in self.replicas.values():
            replica.wanted.set()

    async def up(self) -> None:
        """Returns once all replicas are there: that is when the run begins."""
        for replica in self.replicas.values():
            assert await replica.came_up(), replica.log.path.read_text()
        self._began = time.monotonic()

    async def up_again(self, targets: Collection[str]) -> None:
        """Returns once those of them that are replicas are there, or cannot be."""
        for name in targets:
            if name in self.replicas:
                await self.replicas[name].came_up()

    async def apply(self, step: Step) -> None:
        """One fault, from its beginning to its end."""
        if step.fault in SINK:
            await self._spoil(step)
        elif step.target in self.replicas:
            replica = self.replicas[step.target]
            async with replica.busy:
                with self._noted(step):
                    await self._hurt(replica, step)
        elif step.fault in FILE:
            await self._rewrite(step)
        elif step.fault in DOOR:
            await self._knock(step)
        elif step.fault is Fault.REPLAY:
            await self._replay(step)
        elif step.fault is Fault.TAKE_STORE:
            await self._take_away(step)
        elif step.fault is Fault.DELETE_STORE:
            await self._begin_anew(step)
        else:
            await self._break(step)

    @contextmanager
    def _noted(self, step: Step) -> Iterator[None]:
        """Write down when it really went wrong, and for how long."""
        began = self.now()
        yield
        self.story.steps.append(replace(step, at=began, lasts=self.now() - began))

    @asynccontextmanager
    async def _untouched(self) -> AsyncIterator[bool]:
        """Nothing else happens to the store or the bridge meanwhile, and no command runs. Whether the bridge runs."""
        async with AsyncExitStack() as stack:
            for lock in (self._store_busy, self._hands, *(one.busy for one in self.replicas.values())):
                await stack.enter_async_context(lock)
            yield await self._all_up()

    async def _break(self, step: Step) -> None:
        async with self._store_busy:
            with self._noted(step):
                await asyncio.to_thread(self.store.fail, step)
                try:
                    await asyncio.sleep(step.lasts)
                finally:
                    await asyncio.to_thread(self.store.mend, step)

    async def _take_away(self, step: Step) -> None:
        """Files go while the bridge runs, and come back; a bridge that started meanwhile would make a new store."""
        assert isinstance(self.store, FileStore)
        async with self._untouched() as up:
            if up:
                with self._noted(step):
                    file = self.store.taken(step)[0].name
                    async with self._away(step, file):
                        pass
                    async with self._noticed("store.back", f"{file} is back"):
                        self.store.mend(step)

    async def _begin_anew(self, step: Step) -> None:
        """The store is deleted while the bridge stands still: what was in it is known. A new one is begun later."""
        async with self._untouched() as up:
            if up:
                with self._noted(step):
                    await self._delete(step)

    async def _delete(self, step: Step) -> None:
        froze = await self._remember()
        async with self._away(step, "the store"):
            self.story.deleted.append(Period(froze, self.now()))
            self._send(signal.SIGCONT)
        for one in self.replicas.values():
            await one.end(signal.SIGTERM)
        self.store.mend(step)
        self._stores += 1
        for one in self.replicas.values():
            one.wanted.set()
        await self._all_up()
        self.story.anew.append(Period(froze, self.now()))

    @asynccontextmanager
    async def _away(self, step: Step, what: str) -> AsyncIterator[None]:
        """Take something of the store away, for at least as long as planned and until a log says so."""
        async with self._noticed("store.gone", f"{what} was away"):
            self.store.fail(step)
            began = self.now()
            yield
            await asyncio.sleep(step.lasts)
        self.story.absent.append(Period(began, self.now(), what))

    def _noticed(self, record: str, what: str) -> AbstractAsyncContextManager[None]:
        return noticed(record, what, self.replicas.values(), self.story, self.now())

    def _send(self, number: signal.Signals) -> None:
        for one in self.replicas.values():
            one.send(number)

    async def _remember(self) -> float:
        """Freeze the bridge, since when is returned, and keep what is in its store. What waits there is forgotten.

        One that stands still in the middle of a commit keeps everybody out, and has to go on first.
        """
        while True:
            self._send(signal.SIGSTOP)
            froze = self.now()
            try:
                kept = await asyncio.to_thread(self.kept)
            except StoreError:
                self._send(signal.SIGCONT)
                await asyncio.sleep(0.1)
                continue
            waits = ("pending", "waiting")
            self.story.kept += (replace(one, state="forgotten") if one.state in waits else one for one in kept)
            return froze

    async def _knock(self, step: Step) -> None:
        come: Callable[[int, Random], Awaitable[None]] = (
            (lambda port, chance: scribble(port, self.story, chance, step.lasts))
            if step.fault is Fault.SCRIBBLE
            else (lambda port, chance: dawdle(port, chance, step.lasts))
        )
        chance = Random(f"{self.story.plan.seed} {step.at}")
        await asyncio.gather(*(come(one.port, Random(chance.random())) for one in self.replicas.values()))

    async def _replay(self, step: Step) -> None:
        """What the operator does of whom something is missing."""
        which = ("--sink", step.target, "--dead", "--delivered", "--since", LATEST)
        async with self._hands:
            done = await self._run("replay", *which, "--json")
            if isinstance(done, dict):
                self.story.replayed += ((self._stores, number) for number in done["replayed"])

    async def _spoil(self, step: Step) -> None:
        service: Watched = self.services[step.target]
        with self._noted(step):
            service.fault = step
            await asyncio.sleep(step.lasts)
            service.fault = None
        if step.fault is Fault.GONE:
            await self.resume(step.target)

    async def _hurt(self, replica: Replica, step: Step) -> None:
        match step.fault:
            case Fault.FREEZE:
                replica.send(signal.SIGSTOP)
                await asyncio.sleep(step.lasts)
                replica.send(signal.SIGCONT)
            case Fault.CLOCK:
                replica.skew(step.by)
                await asyncio.sleep(step.lasts)
                replica.skew(0.0)
            case Fault.STEP:
                replica.step(step.by)
                await asyncio.sleep(step.lasts)
                replica.step(0.0)
            case Fault.TERM:
                await replica.came_up()
                await replica.end(signal.SIGTERM)
                await asyncio.sleep(step.lasts)
                replica.wanted.set()
            case _:
                await replica.end(signal.SIGKILL)
                await asyncio.sleep(step.lasts)
                replica.wanted.set()

    async def resume(self, sink: str) -> None:
        """What the operator does once the address is repaired: look whether the lane is parked, and resume it."""
        until = self.now() + UNTIL_PARKED
        while True:
            lanes = await self.command("lanes", "--json")
            if isinstance(lanes, list):
                if any(lane["sink"] == sink and lane["standing"] == "parked" for lane in lanes):
                    break
                if lanes and self.now() > until:
                    return  # nothing was sent meanwhile
            await asyncio.sleep(0.2)
        self.story.resumed.append((sink, self.now()))
        while await self.command("resume", sink) is None:
            await asyncio.sleep(0.5)

    async def command(self, *words: str) -> object:
        """What `panelbridge` prints, as JSON where it is; None where it cannot, because the store is away."""
        async with self._hands:
            return await self._run(*words)

    async def _run(self, *words: str) -> object:
        config = next(iter(self.replicas.values())).config
        line = [sys.executable, "-m", "bridge", *words, "--config", str(config)]
        done = await asyncio.to_thread(subprocess.run, line, capture_output=True, text=True, check=False, cwd=ROOT)
        if "Traceback" in done.stderr:
            self.story.logs[f"panelbridge {' '.join(words)}"] = done.stderr
        if done.returncode:
            return None
        return json.loads(done.stdout) if "--json" in words else done.stdout

    def kept(self) -> list[StoredDelivery]:
        """The ledger, in the order of its deliveries."""
        return ledger_of(self.store.url, self._stores)

    def unsettled(self) -> int:
        with open_ledger(self.store.url) as ledger:
            return sum(lane.pending + lane.waiting for lane in ledger.read(lane_records))

    def parked(self) -> list[str]:
        with open_ledger(self.store.url) as ledger:
            return [lane.sink for lane in ledger.read(lane_records) if lane.standing == "parked"]

    async def _rewrite(self, step: Step) -> None:
        """Change the file, and wait until it is in force everywhere: what is known of the next change counts from then.

        Whoever is not there reads it when it starts.
        """
        async with self._writing:
            self.story.steps.append(replace(step, at=self.now()))
            if step.fault is Fault.RELOAD:
                self._settings.keep += 1
            elif step.fault is Fault.CHANGE_SINK:
                self._settings.timeout += 0.1
            else:
                mode, ends = QUIET_MODES[int(step.by) - 1], datetime.now(UTC) + timedelta(seconds=step.lasts)
                hours = f"{ends - timedelta(seconds=BEFORE + step.lasts):%H:%M:%S}-{ends:%H:%M:%S}"
                self._settings.quiet = f", quiet: {{hours: '{hours}', mode: {mode}}}"
            before = {name: replica.changes for name, replica in self.replicas.items()}
            until = self.now() + step.lasts
            self._write()
            await self._in_force(before)
            if step.fault is Fault.QUIET and (began := self.now()) < until:
                self.story.quiet.append(Period(began, until - 1, mode))  # they end with a whole second
                await asyncio.sleep(until - began)

    async def _in_force(self, before: Mapping[str, int]) -> None:
        for name, replica in self.replicas.items():
            if await replica.came_up() and replica.changes == before[name]:
                replica.send(signal.SIGHUP)
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    while replica.changes == before[name]:
                        await asyncio.sleep(0.1)

    async def _all_up(self) -> bool:
        return all([await replica.came_up() for replica in self.replicas.values()])

    def _write(self) -> None:
        for replica in self.replicas.values():
            other = replica.config.with_suffix(".new")
            other.write_text(written(self._settings, self._urls, port=replica.port, store=self.store.url))
            other.rename(replica.config)


@asynccontextmanager
async def a_world(folder: Path, plan: Plan) -> AsyncIterator[World]:
    """A world that is up; nothing of it is left at the end."""
    with a_store(plan, folder) as store:
        world = World(folder, plan, store)
        async with AsyncExitStack() as stack:
            urls = {name: await stack.enter_async_context(serving(one)) for name, one in world.services.items()}
            world.begin(urls)
            keeping = asyncio.gather(*(replica.run() for replica in world.replicas.values()))
            try:
                await world.up()
                yield world
            finally:
                keeping.cancel()
                for replica in world.replicas.values():
                    replica.close()
                with suppress(asyncio.CancelledError):
                    await keeping
