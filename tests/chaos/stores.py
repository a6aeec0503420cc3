"""The stores of a run, and what can happen to them: a PostgreSQL server of our own, and a file on a disk of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bridge.store import open_ledger
from bridge.store.queries.records import delivery_records, event
from bridge.store.records import DeliveryQuery
from tests.chaos.plan import STORE_FILES, Fault, Plan, Step
from tests.chaos.story import StoredDelivery
from tests.postgres import Postgres, a_postgres

DISK = "256m"
BALLAST = 1 << 20
#: Holds the write lock until its standard input ends.
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
sys.stdin.read()
"""


class Store(Protocol):
    url: str

    def fail(self, step: Step) -> None: ...
    def mend(self, step: Step) -> None: ...


class ServerStore:
    """A store on a PostgreSQL server of its own."""

    def __init__(self, server: Postgres) -> None:
        self.url = server.fresh()
        self._server = server

    def fail(self, step: Step) -> None:
        if step.fault is Fault.FREEZE_STORE:
            self._server.freeze()
        else:
            self._server.stop("fast" if step.fault is Fault.STOP_STORE else "immediate")

    def mend(self, step: Step) -> None:
        if step.fault is Fault.FREEZE_STORE:
            self._server.thaw()
        else:
            self._server.start()


class FileStore:
    """A store in a file, on a disk that can be filled."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/panelbridge.db"
        self._database = folder / "panelbridge.db"
        self._ballast = folder / "ballast"
        self._locker: subprocess.Popen[bytes] | None = None

    def fail(self, step: Step) -> None:
        match step.fault:
            case Fault.FILL_DISK:
                self._fill()
            case Fault.LOCK_STORE:
                line = [sys.executable, "-c", LOCKER, str(self._database)]
                self._locker = subprocess.Popen(line, stdin=subprocess.PIPE)
            case Fault.TAKE_STORE:
                file, replaced = self.taken(step)
                file.rename(_aside(file))
                if replaced:
                    file.write_bytes(_aside(file).read_bytes())
            case _:
                self.delete()

    def mend(self, step: Step) -> None:
        match step.fault:
            case Fault.FILL_DISK:
                self._ballast.unlink()
            case Fault.LOCK_STORE if self._locker is not None:
                self._locker.kill()  # as it stands: one that closes its connection would write to the file
                self._locker.communicate()
            case Fault.TAKE_STORE:
                file, _ = self.taken(step)
                _aside(file).rename(file)
            case _:
                self.delete()  # nothing of the old one is left beside the new one

    def taken(self, step: Step) -> tuple[Path, bool]:
        """The file that a step takes away, and whether another is put in its place."""
        which = int(step.by) - 1
        return Path(f"{self._database}{STORE_FILES[which % len(STORE_FILES)]}"), which >= len(STORE_FILES)

    def delete(self) -> None:
        """Delete all that belongs to it."""
        for suffix in STORE_FILES:
            Path(f"{self._database}{suffix}").unlink(missing_ok=True)

    def _fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            size = BALLAST
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 2


def ledger_of(url: str, number: int) -> list[StoredDelivery]:
    """The ledger of the store with this number, in the order of its deliveries."""
    with open_ledger(url) as ledger:
        records = ledger.read(delivery_records, DeliveryQuery(limit=None))
        marks: dict[str, str] = {}
        for one in records:
            if one.event_id not in marks and (found := ledger.read(event, one.event_id)) is not None:
                marks[one.event_id] = found[0].data["mark"]
        return [
            StoredDelivery(
                *(one.id, one.event_id, marks[one.event_id], one.sink, str(one.state), one.reason),
                *(one.replay_of, number),
            )
            for one in reversed(records)
        ]


@contextmanager
def a_store(plan: Plan, folder: Path) -> Iterator[Store]:
    """The store that a plan is for; gone at the end."""
    if plan.store == "postgresql":
        with a_postgres(fsync=True) as server:
            yield ServerStore(server)
    elif plan.counted(Fault.FILL_DISK):
        with a_small_disk(folder / "disk") as disk:
            yield FileStore(disk)
    else:
        yield FileStore(folder)


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


def _aside(file: Path) -> Path:
    return file.with_name(f"{file.name}.aside")
