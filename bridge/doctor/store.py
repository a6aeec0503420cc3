"""The store: whether it is there, of today's tables, writable, private, and has room to grow."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bridge.clock import in_zone
from bridge.config.model import Config
from bridge.config.warnings import unwritable
from bridge.doctor.row import look, ok, size_text, unknown, wrong
from bridge.errors import StoreError
from bridge.sinks.reachability import Finding
from bridge.store import files, open_reader
from bridge.store.migrate import HEAD
from bridge.store.queries.condition import StoreCondition, condition
from bridge.store_url import is_database, sqlite_file, without_password

LOOK_FREE, LEAST_FREE = 1e9, 1e8  # bytes of the disk
LARGE_LOG = 256e6  # bytes of SQLite's log: it is moved into the file long before
FEW_CONNECTIONS = 10
CLOCK = 5.0  # seconds
#: File systems without what SQLite's log needs: memory that all who have it open share, and locks that hold.
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph", "virtiofs")


def store_findings(config: Config, *, now: datetime, limit: float) -> Iterator[Finding]:
    """`limit`: seconds that a look may take."""
    if is_database(config.store):
        yield from _database_findings(config, now, limit)
    else:
        yield from _file_findings(config, sqlite_file(config.store), limit)


def _file_findings(config: Config, file: Path, limit: float) -> Iterator[Finding]:
    if obstacle := unwritable(file):
        yield wrong(f"{obstacle}: the store cannot be written by who asks", "Run doctor as the user whom run is by.")
    if not file.exists():
        there = f"there is none at {file} yet: the first `panelbridge run` makes it"
        yield unknown(f"{there}; is this the folder where the bridge runs?")
        yield from _room(next(one for one in file.parents if one.exists()))
        return
    mode = file.stat().st_mode
    found = _condition(config, limit)
    if mode & 0o077:
        is_mended = not file.stat().st_mode & 0o077  # whoever opens a store of his own makes it his alone
        todo = "Now it is its owner's alone: look who could." if is_mended else f"chmod 600 {file}"
        yield look(f"{file}: others than its owner could read it", todo)
    if (kind := _file_system(file)) in REMOTE:
        yield wrong(f"{file} lies on {kind}, where SQLite's locks do not hold", "Move it to a disk of this machine.")
    if isinstance(found, Finding):
        yield found
        return
    log = _size(Path(f"{file}{files.WAL}"))
    yield ok(f"{file}: {_summary(found, config)}")
    yield from _tables(found)
    if log > LARGE_LOG:
        yield look(f"its log has grown to {size_text(log)}", "Somebody keeps it open and reads: end that, or restart.")
    yield from _room(file.parent)


def _database_findings(config: Config, now: datetime, limit: float) -> Iterator[Finding]:
    found = _condition(config, limit)
    if isinstance(found, Finding):
        yield found
        return
    yield ok(f"{without_password(config.store)}: {_summary(found, config)}")
    yield from _tables(found)
    if found.read_only:
        yield wrong("it follows another server, and takes nothing", "Name the server that takes writes in store.")
    if found.free is not None and found.free < FEW_CONNECTIONS:
        yield look(f"the server has only {found.free} connections left", "Raise its max_connections: a replica has 5.")
    if found.now is not None and (apart := abs((found.now - now).total_seconds())) > CLOCK + limit:
        yield look(f"the server's clock is {apart:.0f} s apart from this one", "Let both keep time by NTP.")


def _condition(config: Config, limit: float) -> StoreCondition | Finding:
    try:
        reader = open_reader(config.store_url(), limit=limit)
        try:
            return reader.read(condition)
        finally:
            reader.close()
    except StoreError as error:
        return wrong(
            str(error).removeprefix("store: "), "While it is so, panels are answered 503, and nothing is sent."
        )


def _summary(found: StoreCondition, config: Config) -> str:
    since = f", events since {in_zone(found.first_event, config.zone()):%d %b %Y}" if found.first_event else ""
    return f"{found.engine}, {size_text(found.size)}{since}"


def _tables(found: StoreCondition) -> Iterator[Finding]:
    if found.revision is None or found.revision == HEAD:
        return
    if found.revision > HEAD:
        yield wrong("its tables are of a newer panelbridge", "Install that version again, or restore a backup.")
    else:
        yield look("its tables are of an older panelbridge", "The next start brings them up to date: back up before.")


def _room(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    text = f"{size_text(free)} free on its disk"
    if free < LEAST_FREE:
        yield wrong(text, "Make room: when it is full, panels are answered 503.")
    elif free < LOOK_FREE:
        yield look(text, "Make room, or keep events for a shorter time: keep.")
    else:
        yield ok(text)
    inodes = os.statvfs(folder)
    if inodes.f_files and not inodes.f_favail:
        yield wrong("its disk takes no more files", "Remove some: it has no inodes left.")


def _file_system(file: Path) -> str:
    """What kind of file system it lies on; empty where the system does not say."""
    with suppress(OSError):
        mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
        there = {fields[1].replace("\\040", " "): fields[2] for fields in mounts if len(fields) > 2}
        return next((there[str(one)] for one in file.resolve().parents if str(one) in there), "")
    return ""


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
