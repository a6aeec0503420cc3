"""The world of a run: a store that can fail, replicas beside it, services around them, and their troubles."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from bridge.store import open_ledger
from bridge.store.queries.records import delivery_records, event, lane_records
from bridge.store.records import Query
from tests.chaos.laws import StoredDelivery, Story
from tests.chaos.panels import SECRET
from tests.chaos.plan import SINK, Fault, Plan, Step
from tests.chaos.replica import ROOT, Replica
from tests.chaos.sinks import TEMPLATE, Watched, services
from tests.postgres import Postgres, a_postgres
from tests.processes import PATIENCE
from tests.services import discord, telegram
from tests.services.service import serving

DISK = "96m"
BALLAST = 1 << 20
UNTIL_PARKED = 3.0  # seconds that a lane may take to find out that its address is gone


class Store(Protocol):
    url: str

    def fail(self, fault: Fault) -> None: ...
    def mend(self) -> None: ...


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
        self._versions = {"keep": 30, "timeout": 2.0}

    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def begin(self, urls: Mapping[str, str]) -> None:
        """The services are there: write the files, and want all replicas."""
        self._urls = dict(urls)
        for service in ("discord", "telegram"):
            (self._folder / "templates" / service).mkdir(parents=True)
        (self._folder / "templates" / "discord" / "base.j2").write_text(
            '{% extends "shipped/discord/base.j2" %}\n{% block description %}' + TEMPLATE + "{% endblock %}\n"
            "{% block fields %}{% endblock %}\n"
        )
        (self._folder / "templates" / "telegram" / "base.j2").write_text(
            "{% block text %}" + TEMPLATE + "{% endblock %}"
        )
        self._write()
        for replica in self.replicas.values():
            replica.wanted.set()

    async def up(self) -> None:
        """Returns once all replicas are there: that is when the run begins."""
        for replica in self.replicas.values():
            assert await _up(replica, PATIENCE), replica.log.read_text()
        self._began = time.monotonic()

    async def apply(self, step: Step) -> None:
        """One fault, from its beginning to its end."""
        if step.fault in SINK:
            await self._spoil(step)
        elif step.target in self.replicas:
            await self._hurt(self.replicas[step.target], step)
        elif step.target == "file":
            await self._rewrite(step.fault)
        else:
            await asyncio.to_thread(self.store.fail, step.fault)
            await asyncio.sleep(step.lasts)
            await asyncio.to_thread(self.store.mend)

    async def _spoil(self, step: Step) -> None:
        service: Watched = self.services[step.target]
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
            case Fault.TERM:
                await _up(replica)
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
            lanes = await self.command("lanes", "--json") or []
            if any(lane["sink"] == sink and lane["standing"] == "parked" for lane in lanes):
                break
            if lanes and self.now() > until:
                return  # nothing was sent meanwhile
            await asyncio.sleep(0.2)
        self.story.resumed.append((sink, self.now()))
        while await self.command("resume", sink) is None:
            await asyncio.sleep(0.5)

    async def command(self, *words: str) -> list[dict[str, str]] | str | None:
        """What `panelbridge` prints, as JSON where it is; None where it cannot, because the store is away."""
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
        with open_ledger(self.store.url) as ledger:
            records = ledger.read(delivery_records, Query(limit=None))
            marks: dict[str, str] = {}
            for one in records:
                if one.event_id not in marks and (found := ledger.read(event, one.event_id)) is not None:
                    marks[one.event_id] = found[0].data["mark"]
            return [
                StoredDelivery(one.id, one.event_id, marks[one.event_id], one.sink, one.state, one.reason)
                for one in reversed(records)
            ]

    def unsettled(self) -> int:
        with open_ledger(self.store.url) as ledger:
            return sum(lane.pending + lane.waiting for lane in ledger.read(lane_records))

    def parked(self) -> list[str]:
        with open_ledger(self.store.url) as ledger:
            return [lane.sink for lane in ledger.read(lane_records) if lane.standing == "parked"]

    async def _rewrite(self, fault: Fault) -> None:
        if fault is Fault.RELOAD:
            self._versions["keep"] += 1
        else:
            self._versions["timeout"] += 0.1
        self._write()
        for replica in self.replicas.values():
            if await _up(replica):
                replica.send(signal.SIGHUP)

    def _write(self) -> None:
        for replica in self.replicas.values():
            other = replica.config.with_suffix(".new")
            other.write_text(self._file(replica.port))
            other.rename(replica.config)

    def _file(self, port: int) -> str:
        at, retry = self._urls, "jitter: 0.1, waits: [0.2s, 0.5s, 1s]"
        fast = f"rate: unlimited, timeout: 2s, retry: {{max_retries: 100, {retry}}}"
        shop = fast.replace("2s,", f"{self._versions['timeout']:g}s,", 1)
        hook = f"/api/webhooks/{discord.ID}/{discord.TOKEN}"
        chat = f"storm: null, timeout: 2s, retry: {{max_retries: 100, {retry}}}"
        return f"""
listen: 127.0.0.1:{port}
store: {self.store.url}
keep: {self._versions["keep"]}d
templates: templates
sources:
  panel: {{panel: json, secret: {SECRET}, type: body.kind, subject: body.about}}
sinks:
  shop: {{type: webhook, url: '{at["shop"]}/hook', {shop}}}
  fast: {{type: webhook, url: '{at["fast"]}/hook', concurrency: 8, {fast}}}
  flaky: {{type: webhook, url: '{at["flaky"]}/hook', {fast.replace("max_retries: 100", "max_retries: 2")}}}
  spare: {{type: webhook, url: '{at["spare"]}/hook', {fast}}}
  nodes: {{type: webhook, url: '{at["nodes"]}/hook', {fast}}}
  chat: {{type: discord, url: '{at["chat"]}{hook}', {chat}}}
  group: {{type: telegram, token: '{telegram.TOKEN}', chat_id: -1001, api_base: '{at["group"]}', {chat}}}
routes:
  - {{match: user.*, to: flaky, fallback: spare, fallback_after: 3s}}
  - {{match: user.*, to: [shop, fast]}}
  - {{match: node.*, to: nodes, hold: 1s}}
  - {{match: alert.*, to: chat, digest: {{window: 3s, max: 9}}}}
  - {{match: alert.*, to: group, digest: {{window: 5s, max: 9}}}}
"""


async def _up(replica: Replica, within: float = 10.0) -> bool:
    """Whether it came up: a signal that comes before it listens for it ends it, as it ends every program."""
    try:
        async with asyncio.timeout(within):
            await replica.up()
    except TimeoutError:  # the store may be missing
        return False
    return True


@asynccontextmanager
async def a_world(folder: Path, plan: Plan) -> AsyncIterator[World]:
    """A world that is up; nothing of it is left at the end."""
    with _a_store(plan, folder) as store:
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


class _Server:
    """A store on a PostgreSQL server of its own."""

    def __init__(self, server: Postgres) -> None:
        self.url = server.fresh()
        self._server = server

    def fail(self, fault: Fault) -> None:
        self._server.stop("fast" if fault is Fault.STOP_STORE else "immediate")

    def mend(self) -> None:
        self._server.start()


class _File:
    """A store in a file, on a disk that can be filled."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/panelbridge.db"
        self._ballast = folder / "ballast"

    def fail(self, fault: Fault) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            size = BALLAST
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 2

    def mend(self) -> None:
        self._ballast.unlink()


@contextmanager
def _a_store(plan: Plan, folder: Path) -> Iterator[Store]:
    if plan.store == "postgresql":
        with a_postgres() as server:
            yield _Server(server)
    elif plan.counted(Fault.FILL_DISK):
        with a_small_disk(folder / "disk") as disk:
            yield _File(disk)
    else:
        yield _File(folder)


@contextmanager
def a_small_disk(folder: Path) -> Iterator[Path]:
    """A folder with little room; raise CalledProcessError where one may not be mounted."""
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    subprocess.run(line, check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def disk_can_be_filled(folder: Path) -> bool:
    """Whether a small disk can be mounted here: not without being root."""
    try:
        with a_small_disk(folder / "can-it-be-mounted"):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False
