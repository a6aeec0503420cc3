"""One replica, as a container's runtime keeps it: started again whenever it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp

from tests.chaos.laws import Exit, Story
from tests.processes import free_port

ROOT = Path(__file__).parents[2]
AGAIN = 0.5  # seconds before it is started again
GRACE = 60.0  # seconds for an end in order: longer than the bridge's own, on a busy machine too


class Replica:
    """`panelbridge run` in a process of its own."""

    def __init__(self, name: str, folder: Path, story: Story, now: Callable[[], float]) -> None:
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / f"{name.replace(' ', '-')}.yaml"
        self.log = self.config.with_suffix(".log")
        self.wanted = asyncio.Event()
        self._skew = self.config.with_suffix(".skew")
        self._skew.write_text("0")
        self._story, self._now = story, now
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: str | None = None

    async def run(self) -> None:
        """Keep it alive while it is wanted."""
        while True:
            await self.wanted.wait()
            began, logged = self._now(), self.log.stat().st_size if self.log.exists() else 0
            self._start()
            code = await self._ended()
            started = b" app.started " in self.log.read_bytes()[logged:]
            self._story.exits.append(Exit(self.name, self._now(), self._now() - began, code, self._asked, started))
            self._process, self._asked = None, None
            await asyncio.sleep(AGAIN)

    async def up(self) -> None:
        """Returns once it answers."""
        async with aiohttp.ClientSession() as http:
            while not await _answers(http, f"{self.url}/healthz"):
                await asyncio.sleep(0.05)

    def skew(self, seconds: float) -> None:
        """Set its clock wrong."""
        other = self._skew.with_suffix(".new")
        other.write_text(f"{seconds}")
        other.rename(self._skew)  # at no moment is it half written

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            if number in (signal.SIGKILL, signal.SIGTERM):
                self._asked = number.name
            os.kill(self._process.pid, number)

    async def end(self, number: signal.Signals) -> None:
        """End it by this signal, and do not start it again until it is wanted."""
        self.wanted.clear()
        self.send(number)
        async with asyncio.timeout(GRACE):
            while self._process is not None:
                await asyncio.sleep(0.02)

    def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait(GRACE)

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.skewed", str(self._skew), "run", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)

    async def _ended(self) -> int:
        assert self._process is not None
        while (code := self._process.poll()) is None:
            await asyncio.sleep(0.02)
        return code


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(1)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
