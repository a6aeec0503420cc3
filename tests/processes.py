"""Real bridges in processes of their own, and a real receiver for what they send."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.forked import Forked

#: Seconds that what is sure to come may take: a machine may be busy. No test waits for them to pass.
PATIENCE = 120.0


def free_port() -> int:
    """A port that is for who asked: whoever else wants any, to listen at or to connect from, is given another one.

    It stays bound here until the tests end, and nothing listens: so Linux lets whoever names this one listen at it.
    """
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
    port: int = one.getsockname()[1]
    if sys.platform == "linux":
        one.detach()
    one.close()
    return port


def stood_still(pid: int) -> float:
    """Seconds that the threads of a process have waited for a processor: what a busy machine adds to whatever it does.

    An upper bound in time leaves them out. 0.0 where the kernel does not count them.
    """
    waited = 0
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # the thread has ended meanwhile
            waited += int(file.read_text().split()[1])
    return waited / 1e9


class Standstill:
    """How long the machine has kept us from our work, or processes beside us; since it was entered.

    A processor was waited for (`stood_still`), or our loop had no turn, as where a machine is stopped for a while.
    others   the processes beside us, as they are when that is asked
    late     by how many seconds each turn came that was late
    """

    TURN = 0.02

    def __init__(self, others: Callable[[], Iterable[int]] = tuple) -> None:
        self.late: list[float] = []
        self._others = others
        self._before: dict[int, float] = {}
        self._waited: dict[int, float] = {}  # process → seconds; it may have ended since
        self._last = 0.0

    async def __aenter__(self) -> Self:
        self._look()
        self._before, self._last = self._waited, time.monotonic()
        self._waited = dict(self._before)
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ticking.cancel()

    @property
    def seconds(self) -> float:
        """Those of all of them: where two stood still at once each counts. Of ours no more than turns were late."""
        self._turn()
        self._look()
        return sum(self.late) + sum(seconds - self._before.get(pid, 0.0) for pid, seconds in self._waited.items())

    async def _tick(self) -> None:
        while True:
            for _ in range(10):
                await asyncio.sleep(self.TURN)
                self._turn()
            self._look()

    def _turn(self) -> None:
        now = time.monotonic()
        if (late := now - self._last - self.TURN) > self.TURN:
            self.late.append(late)
        self._last = now

    def _look(self) -> None:
        for pid in self._others():
            self._waited[pid] = max(self._waited.get(pid, 0.0), stood_still(pid))


class Bridge:
    """`panelbridge run`, killed and ended like an operator's.

    It is begun like one, too, where it has a `program` or an `environment` of its own: what the loader is told there
    (LD_PRELOAD) reaches an interpreter that begins, and no copy of one that runs.
    """

    #: The module that an interpreter runs, and what it is told first; None for ours.
    program: Sequence[str] | None = None

    def __init__(self, config: Path, port: int, store: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = config.with_suffix(".log")
        self.config = config
        self.store = store
        self.environment: dict[str, str] | None = None
        self._process: subprocess.Popen[bytes] | Forked | None = None

    async def start(self) -> None:
        """Start it; returns once it answers."""
        self.launch()
        async with aiohttp.ClientSession() as http, asyncio.timeout(PATIENCE):
            while not await self.answers(http):
                assert self.running, self.log.read_text()
                await asyncio.sleep(0.02)

    def launch(self) -> None:
        """Start it, and do not wait."""
        words = ["run", "--config", str(self.config)]
        if self.program is None and self.environment is None:
            self._process = Forked(words, out=self.log, err=self.log)
            return
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", *(self.program or ("bridge",)), *words]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)

    async def answers(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """kill -9: no goodbye."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def restart(self) -> None:
        """kill -9, and start it again."""
        await self.kill()
        await self.start()

    async def logged(self, text: str, *, times: int = 1) -> None:
        """Returns once the log says so, so often."""
        async with asyncio.timeout(PATIENCE):
            while self.log.read_text().count(text) < times:
                await asyncio.sleep(0.05)

    async def command(self, *words: str) -> str:
        """What a `panelbridge` command beside the running bridge prints."""
        about = [] if words[0] == "store" else ["--config", str(self.config)]
        with TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            process = Forked([*words, *about], out=out, err=err)
            assert await asyncio.to_thread(process.wait, PATIENCE) == 0, err.read_text()
            return out.read_text()

    async def reload(self, change: Callable[[str], str]) -> None:
        """Change the file; returns once it is in force."""
        times = self.log.read_text().count("config.reloaded")
        self.config.write_text(change(self.config.read_text()))
        self.signal(signal.SIGHUP)
        await self.logged("config.reloaded", times=times + 1)

    async def end(self) -> int:
        """SIGTERM; returns the exit status."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, PATIENCE)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None


async def until(true: Callable[[], object]) -> None:
    """Returns once it is so."""
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.02)


@dataclass
class Receiver:
    """What came in over HTTP, as JSON objects; `slowly` makes it take its time. `asked`: how many requests began."""

    url: str = ""
    asked: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)
    slowly: float = 0.0
    status: int = 200

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked += 1
        if self.slowly:
            await asyncio.sleep(self.slowly)
        if self.status == 200:
            self.got.append(body)
        return web.json_response({}, status=self.status)

    async def until(self, count: int) -> None:
        """Returns once that many have come."""
        await until(lambda: len(self.got) >= count)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def a_bridge(folder: Path, text: str, *, name: str = "config", store: str | None = None) -> AsyncIterator[Bridge]:
    """A bridge with this file; `listen` and `store` are added, and that it has no admin side unless the file says so.

    It is not started yet.
    """
    port, store = free_port(), store or f"sqlite:///{folder}/panelbridge.db"
    config = folder / f"{name}.yaml"
    admin = "" if re.search("(?m)^admin:", text) else "admin: {listen: null}\n"
    config.write_text(f"listen: 127.0.0.1:{port}\nstore: {store}\n{admin}{text}")
    bridge = Bridge(config, port, store)
    try:
        yield bridge
    finally:
        if bridge.running:
            await bridge.kill()
