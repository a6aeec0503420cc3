"""What the figures were measured on: the interpreter's build, the libraries' versions, what an fsync takes."""

import os
import platform
import sqlite3
import subprocess
import sysconfig
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.processes import a_folder
from tests.postgres import program

LIBRARIES = ("aiohttp", "uvloop", "msgspec", "pydantic", "SQLAlchemy", "psycopg")
SYNCS = 50


def machine() -> list[str]:
    """A line for each thing that moves the figures."""
    return [
        interpreter(),
        ", ".join([*(f"{name} {version(name)}" for name in LIBRARIES), f"SQLite {sqlite3.sqlite_version}"]),
        f"{_postgres_version()}, `fsync=on`",
        f"{os.cpu_count()} cores of {_processor()}, {platform.system()} {platform.release()}, "
        f"load {os.getloadavg()[0]:.1f} at the start",
        f"an fsync of 4 kB takes {_where_sqlite_is():.0f} µs where the SQLite file is, and "
        f"{_fsync(Path(tempfile.gettempdir())):.0f} µs where PostgreSQL's are",
    ]


def interpreter() -> str:
    """Its version and compiler, and what it was configured with: a profile saves up to a fifth of the processor time.

    Debian's has both, and says neither: its own recipe adds them.
    """
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    optimizations = (("PGO", "--enable-optimizations" in arguments), ("LTO", "--with-lto" in arguments))
    built = "configured " + ", ".join(f"{'with' if on else 'without'} {name}" for name, on in optimizations)
    flags = " ".join(flag for flag in (sysconfig.get_config_var("PY_CFLAGS") or "").split() if flag.startswith("-O"))
    name = platform.python_implementation()
    return f"{name} {platform.python_version()}, {built}, {platform.python_compiler()} `{flags}`, bytecode compiled"


def _postgres_version() -> str:
    told = subprocess.run([str(program("postgres")), "--version"], capture_output=True, text=True, check=True).stdout
    return told.replace("postgres (PostgreSQL)", "PostgreSQL").strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _where_sqlite_is() -> float:
    with a_folder() as folder:
        return _fsync(folder)


def _fsync(folder: Path) -> float:
    """µs, the median."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    return median(times) * 1e6
