"""Processes under measurement: started, timed, weighed and ended by id. Their bytecode is compiled, as in an image."""

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parent.parent
STARTS_WITHIN = 60.0  # seconds
#: A child's environment: it may write bytecode, and so it reads it the next time.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Process:
    """A server that has begun to listen."""

    pid: int
    url: str
    start_seconds: float

    @property
    def cpu_seconds(self) -> float:
        """Processor time used so far, user and system, of all threads: the kernel's account, to the nanosecond."""
        return time.clock_gettime(~self.pid << 3 | 2)  # what clock_getcpuclockid(3) makes of a process

    @property
    def memory(self) -> float:
        """Resident memory in MB."""
        return self._status("VmRSS")

    @property
    def memory_peak(self) -> float:
        """The most resident memory that it ever had, in MB."""
        return self._status("VmHWM")

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1000
        raise RuntimeError(f"no {name}")


@contextmanager
def a_folder() -> Iterator[Path]:
    """On the disk that the project is on: a temporary folder may be in memory, where an fsync costs nothing."""
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as folder:
        yield Path(folder)


@asynccontextmanager
async def listening(module: str, *arguments: str, port: int) -> AsyncIterator[Process]:
    """A module of ours as a process, from its first answer on; its log goes to a file."""
    with a_folder() as folder, _log(folder) as log:
        started = time.perf_counter()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdout=log, stderr=log, cwd=ROOT, env=ENVIRONMENT
        )
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                while not _answers(port):
                    if child.returncode is not None:
                        raise RuntimeError(f"{module} ended with {child.returncode}: {_end_of(folder)}")
                    await asyncio.sleep(0.002)
            yield Process(child.pid, f"http://127.0.0.1:{port}/in/marzban", time.perf_counter() - started)
        finally:
            await _ended(child)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _log(folder: Path) -> BinaryIO:
    return Path(folder, "log").open("wb")


async def _ended(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), 30)
    except TimeoutError:
        child.kill()
        await child.wait()


def _end_of(folder: Path) -> str:
    return Path(folder, "log").read_text(errors="replace")[-2000:]


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n")
        return one.recv(64).startswith(b"HTTP/1.1")
    return False
