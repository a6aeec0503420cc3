"""One replica, as a container's runtime keeps it: started again whenever it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp

from tests.chaos.clocks import environment
from tests.chaos.log import Log
from tests.chaos.story import Exit, Story
from tests.processes import PATIENCE, free_port

ROOT = Path(__file__).parents[2]
AGAIN = 0.5  # seconds before it is started again
LOOK = 1.0  # seconds between two looks at the log


class Replica:
    """`panelbridge run` in a process of its own."""

    def __init__(self, name: str, folder: Path, story: Story, now: Callable[[], float]) -> None:
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / f"{name.replace(' ', '-')}.yaml"
        self.log = Log(self.config.with_suffix(".log"))
        self.wanted = asyncio.Event()
        self.busy = asyncio.Lock()  # one thing at a time happens to it
        self._skew = self.config.with_suffix(".skew")
        self._skew.write_text("0")
        self._step = self.config.with_suffix(".step")
        self._step.write_text("+0")
        self._story, self._now = story, now
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: str | None = None

    async def run(self) -> None:
        """Keep it alive while it is wanted."""
        while True:
            await self.wanted.wait()
            self.log.turn()
            began, starts = self._now(), self.log.said["app.started"]
            self._start()
            code = await self._ended()
            self.log.read()
            started = self.log.said["app.started"] > starts
            self._story.exits.append(Exit(self.name, self._now(), self._now() - began, code, self._asked, started))
            self._process, self._asked = None, None
            await asyncio.sleep(AGAIN)

    async def up(self) -> None:
        """Returns once it answers."""
        async with aiohttp.ClientSession() as http:
            while not await _answers(http, f"{self.url}/healthz"):
                await asyncio.sleep(0.05)

    async def came_up(self) -> bool:
        """Whether it came up: a signal that comes before it listens for it ends it, as it ends every program."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.up()
        except TimeoutError:  # the store may be missing
            return False
        return True

    async def ready(self) -> bool:
        """Whether its store takes events: it looks."""
        async with aiohttp.ClientSession() as http:
            return await _answers(http, f"{self.url}/readyz")

    @property
    def changes(self) -> int:
        """How often it has read its file."""
        self.log.read()
        return self.log.said["app.started"] + self.log.said["config.reloaded"]

    def skew(self, seconds: float) -> None:
        """Set its clock wrong."""
        _write(self._skew, f"{seconds}")

    def step(self, seconds: float) -> None:
        """Set the clock of its machine wrong, if that can be done here."""
        _write(self._step, f"{seconds:+g}")

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            if number in (signal.SIGKILL, signal.SIGTERM):
                self._asked = number.name
            os.kill(self._process.pid, number)

    async def end(self, number: signal.Signals) -> None:
        """End it by this signal, and do not start it again until it is wanted."""
        self.wanted.clear()
        self.send(number)
        async with asyncio.timeout(PATIENCE):
            while self._process is not None:
                await asyncio.sleep(0.02)

    def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.skewed", str(self._skew), "run", "--config", str(self.config)]
        with self.log.path.open("ab") as log:
            lying = os.environ | environment(self._step)
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=lying)

    async def _ended(self) -> int:
        assert self._process is not None
        looked = self._now()
        while (code := self._process.poll()) is None:
            await asyncio.sleep(0.02)
            if self._now() - looked > LOOK:
                self.log.read()
                looked = self._now()
        return code


def _write(file: Path, text: str) -> None:
    other = file.with_suffix(".new")
    other.write_text(text)
    other.rename(file)  # at no moment is it half written


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(1)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
