"""The machine that loses its power: a disk, a real bridge on it under the shim, and commands beside it."""

import asyncio
import random
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.powercut.disk import Disk, Outage
from tests.powercut.journal import Record, read
from tests.powercut.report import Report
from tests.powercut.shim import Control
from tests.processes import PATIENCE, Bridge, free_port, stood_still

LOOK = 0.01  # seconds between two looks at whether the power is on
EVERY = 0.1  # seconds between two looks at how long the bridge has waited for a processor
KNOCK = 0.05  # seconds between two looks at whether the bridge answers
SLOW = 3000  # microseconds that an fsync may take


class Machine:
    """Its folder `disk` is all that it keeps. The store lies some folders deeper, which the bridge has to make."""

    def __init__(self, folder: Path, shim: Path, report: Report, chance: random.Random) -> None:
        self.root = folder / "disk"
        self.root.mkdir()
        self.store = self.root / "lib" / "var" / "panelbridge.db"
        self.port = free_port()
        self.bridge = Bridge(folder / "config.yaml", self.port, f"sqlite:///{self.store}")
        self._folder, self._shim, self._report, self._chance = folder, shim, report, chance
        self._commands: set[subprocess.Popen[str]] = set()
        self._control: Control | None = None
        self._disk: Disk
        self._journal: list[Record] = []
        self._lives = 0

    def switch_on(self) -> None:
        """From now on everything is recorded."""
        self._lives += 1
        self._control = Control(self._folder / f"life-{self._lives}", sync_max_us=self._chance.choice((0, SLOW)))
        self._disk = Disk(self.root)
        self.bridge.environment = self._control.environment(self._shim, self.root)

    async def switch_off(self, outage: Outage) -> None:
        """The power is gone: no process is left, and the disk shows what it may."""
        control = self.control
        control["cut"] = 1
        for command in self._commands:
            command.kill()
            command.wait()
        if self.bridge.running:
            await self.bridge.kill()
        await asyncio.sleep(LOOK)  # whoever the bridge was speaking to hears that it is gone
        self._report.breaks.append(time.monotonic())
        self._journal = read(control.journal)
        self.show(control["operations"], outage, self.root)
        control.close()
        self._control, self.bridge.environment = None, None

    def show(self, cut: int, outage: Outage, folder: Path) -> None:
        """Put into a folder what the disk shows if the power went after this operation of the life that is over."""
        image = self._disk.image(self._journal, cut, outage)
        self._disk.put(image, outage, folder)
        self._report.loose += image.loose

    def moments(self) -> list[tuple[int, float]]:
        """Each operation of the life that is over, and when it was done."""
        return [(one.seq, one.ns / 1e9) for one in self._journal]

    @property
    def control(self) -> Control:
        assert self._control is not None
        return self._control

    @property
    def is_on(self) -> bool:
        return not self.control["cut"]

    def cut_within(self, operations: int) -> None:
        """The power goes at one of the next operations."""
        self.control["cut_at"] = self.control["operations"] + self._chance.randint(1, operations)

    async def fsyncs_fail(self, count: int) -> None:
        """So many of the next fsyncs of files fail; returns when one has."""
        before = self.control["failed"]
        self.control["fail"] = count
        async with asyncio.timeout(PATIENCE):
            while self.control["failed"] == before:
                await asyncio.sleep(LOOK)
        self._report.breaks.append(time.monotonic())

    async def gone(self) -> None:
        """Returns once the power is gone; meanwhile it is noted how long the bridge waits for a processor.

        Where all of the machine stands still, nobody is counted as waiting, and a look is late.
        """
        before, waited, looked = 0.0, 0.0, time.monotonic()
        while self.is_on:
            if (passed := time.monotonic() - looked) > EVERY:
                looked += passed
                if self.bridge.running:
                    now = stood_still(self.bridge.pid)  # less than before where the bridge was started again
                    waited += max(0.0, now - before, passed - EVERY - LOOK)
                    self._report.stood_still.append((looked, waited))
                    before = now
            await asyncio.sleep(LOOK)

    async def start(self) -> None:
        """Start the bridge; returns once it answers, or never where the power goes before."""
        self.bridge.launch()
        async with aiohttp.ClientSession() as http:
            while not await self.bridge.answers(http):
                if self._control is None or self.is_on:
                    assert self.bridge.running, f"the bridge does not start: {self.bridge.log.read_text()}"
                await asyncio.sleep(KNOCK)

    def send_signal(self, number: signal.Signals) -> None:
        """Send the bridge a signal, unless the power has gone this moment."""
        with suppress(ProcessLookupError):
            self.bridge.signal(number)

    async def end(self) -> int:
        """SIGTERM; returns the bridge's exit status."""
        self.send_signal(signal.SIGTERM)
        return await self._ended()

    async def kill(self) -> None:
        """kill -9, between two operations: the disk keeps all that was done to it, and the journal knows of all."""
        with self.control.held(self._shim):
            self.send_signal(signal.SIGKILL)
            await self._ended()

    async def _ended(self) -> int:
        status = await self.bridge.ended()
        await asyncio.sleep(LOOK)
        self._report.breaks.append(time.monotonic())
        return status

    async def command(self, *words: str, folder: Path | None = None) -> tuple[bool, str]:
        """Run a command beside the bridge: whether it ended well while the power was there, and what it printed."""
        out, err = subprocess.PIPE, subprocess.PIPE
        environment = self.bridge.environment
        command = subprocess.Popen(words, env=environment, stdout=out, stderr=err, text=True, cwd=folder)
        self._commands.add(command)
        printed, complaint = await asyncio.to_thread(command.communicate)
        self._commands.discard(command)
        if not self.is_on:
            return False, ""
        if command.returncode != 0:
            self._report.faults.append(f"{shlex.join(words)}: {complaint}")
        return command.returncode == 0, printed
