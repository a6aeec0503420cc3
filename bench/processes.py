"""Processes under measurement: started, timed, weighed and ended by id."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")

CONFIG = """\
listen: 127.0.0.1:{port}
store: {store}
log: {{level: warning}}
sources:
  marzban: {{panel: marzban, secret: bench}}
  posts: {{panel: discord, secret: bench}}
  signed: {{panel: remnawave, secret: bench}}
sinks:
{sinks}
routes:
  - {{match: user.*, to: [{names}]{more}}}
"""


@dataclass(frozen=True, slots=True)
class Process:
    """A server that has begun to listen."""

    pid: int
    url: str
    start_seconds: float

    @property
    def cpu_seconds(self) -> float:
        """Processor time used so far, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def memory(self) -> float:
        """Resident memory in MB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
        raise RuntimeError("no VmRSS")


@asynccontextmanager
async def bare() -> AsyncIterator[Process]:
    """The yardstick."""
    port = _free_port()
    async with _listening([sys.executable, "-m", "bench.bare", str(port)], port) as process:
        yield process


@asynccontextmanager
async def bridge(sinks: dict[str, tuple[str, str]], *, store: str = "", more: str = "") -> AsyncIterator[Process]:
    """A bridge with these webhook sinks: name → (url, its other settings).

    Its store is an empty SQLite file on this disk, or the one that is given; `more` goes into the row.
    """
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        port = _free_port()
        lines = [f"  {name}: {{type: webhook, url: '{url}', {settings}}}" for name, (url, settings) in sinks.items()]
        text = CONFIG.format(
            port=port,
            store=store or f"sqlite:///{folder}/bench.db",
            sinks="\n".join(lines),
            names=", ".join(sinks),
            more=more,
        )
        file = _written(Path(folder, "config.yaml"), text)
        async with _listening([sys.executable, "-m", "bridge", "run", "--config", file], port) as process:
            yield process


@asynccontextmanager
async def _listening(command: list[str], port: int) -> AsyncIterator[Process]:
    started = time.perf_counter()
    child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    try:
        while not _answers(port):
            if child.returncode is not None:
                raise RuntimeError(f"ended with {child.returncode}: {' '.join(command)}")
            await asyncio.sleep(0.002)
        yield Process(child.pid, f"http://127.0.0.1:{port}/in/marzban", time.perf_counter() - started)
    finally:
        child.terminate()
        await asyncio.wait_for(child.wait(), 30)


def _written(file: Path, text: str) -> str:
    file.write_text(text)
    return str(file)


def _answers(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0 and _alive(one)


def _alive(one: socket.socket) -> bool:
    one.sendall(b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n")
    return one.recv(64).startswith(b"HTTP/1.1")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
