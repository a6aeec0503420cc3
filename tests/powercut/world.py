"""What is around the machine, and keeps its power: panels that post, a sink that takes, and the operator's file."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
from aiohttp import web

from tests.powercut.laws import original_of
from tests.powercut.machine import Machine
from tests.powercut.report import Answered, Arrival, Report

SECRET = "s3cret-of-the-panel"
KEY = "the key by which originals are sealed"
PANELS = 8
FILE = """\
listen: 127.0.0.1:{port}
store: {store}
keep: {keep}
shutdown: 2s
secret_key: {key}
sources:
  panel: {{panel: json, secret: {secret}, type: body.kind, subject: body.about}}
sinks:
  shop: {{type: webhook, url: '{url}', rate: unlimited, timeout: {timeout:g}s, unmask: {unmask}, retry: {retry}}}
routes:
  - {{match: user.*, to: shop}}
"""


class World:
    """`status` and `delay` are how the sink answers; `keep` and `timeout` stand in the file."""

    def __init__(self, machine: Machine, report: Report, chance: random.Random, http: aiohttp.ClientSession) -> None:
        self.machine, self.report, self.chance = machine, report, chance
        self.status, self.delay = 200, 0.0
        self.keep, self.timeout = "30d", 20.0
        self._http = http
        self._url = ""
        self._next = dict.fromkeys((f"p{number}" for number in range(PANELS)), 1)
        report.once.update(list(self._next)[::2])

    def begin(self, url: str) -> None:
        """The sink listens: write the file."""
        self._url = url
        self.configure()

    def configure(self) -> None:
        """Write the file anew."""
        text = FILE.format(
            port=self.machine.port,
            store=self.machine.bridge.store,
            keep=self.keep,
            secret=SECRET,
            url=self._url,
            timeout=self.timeout,
            key=KEY,
            unmask="[password]" if self.report.unmasks else "[]",
            retry="{waits: [0.2s], jitter: 0}",
        )
        other = self.machine.bridge.config.with_suffix(".new")
        other.write_text(text)
        other.rename(self.machine.bridge.config)

    async def take(self, request: web.Request) -> web.Response:
        """What the sink does."""
        body, status = await request.json(), self.status
        await asyncio.sleep(self.delay)
        if status == 200 and request.transport is not None and not request.transport.is_closing():
            mark, original = body["data"]["mark"], (body["native"] or {}).get("password")
            self.report.arrivals.append(Arrival(mark, body["id"], time.monotonic(), original))
        return web.json_response({}, status=status)

    def posted_before(self, *, each: int) -> list[str]:
        """What panels were answered 200 for before all this, so many events of each: the marks, in order."""
        marks = [f"{name}.{number}" for number in range(1, each + 1) for name in self._next]
        self.report.answered += (Answered(mark, 0.0) for mark in marks)
        self._next = dict.fromkeys(self._next, each + 1)
        return marks

    async def post_on(self, *, pace: float = 0.02) -> None:
        """All panels post, one event after the other, until this is cancelled."""
        async with asyncio.TaskGroup() as panels:
            for name in self._next:
                panels.create_task(self._post_on(name, pace))

    async def post_each(self, count: int = 1) -> None:
        """Each panel posts so many events, one after the other."""
        async with asyncio.TaskGroup() as panels:
            for name in self._next:
                panels.create_task(self._post_several(name, count))

    async def _post_on(self, name: str, pace: float) -> None:
        while True:
            await self._post(name)
            await asyncio.sleep(self.chance.uniform(0, pace))

    async def _post_several(self, name: str, count: int) -> None:
        for _ in range(count):
            await self._post(name)

    async def _post(self, name: str) -> None:
        """Post the panel's next event until it is answered 200."""
        mark = f"{name}.{self._next[name]}"
        chance = random.Random(mark)
        filling = "x" * (chance.randint(0, 20_000) if chance.random() < 0.05 else chance.randint(0, 1500))
        body = {"kind": "user.updated", "about": f"user:{name}", "mark": mark, "filling": filling}
        body |= {"password": original_of(mark)} if self.report.unmasks else {}
        headers = {"X-Webhook-Secret": SECRET} | ({"webhook-id": mark} if name in self.report.once else {})
        while not await self._is_taken(body, headers):
            await asyncio.sleep(0.05)
        self.report.answered.append(Answered(mark, time.monotonic()))
        self._next[name] += 1

    async def _is_taken(self, body: dict[str, str], headers: dict[str, str]) -> bool:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self._http.post(f"{self.machine.bridge.url}/in/panel", json=body, headers=headers) as response:
                return response.status == 200
        return False


@asynccontextmanager
async def a_world(machine: Machine, report: Report, chance: random.Random) -> AsyncIterator[World]:
    """A world around a machine; at its end no bridge runs any more."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as http:
        world = World(machine, report, chance, http)
        app = web.Application()
        app.router.add_post("/hook", world.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        world.begin(f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
        try:
            yield world
        finally:
            if machine.bridge.running:
                await machine.bridge.kill()
            await runner.cleanup()
