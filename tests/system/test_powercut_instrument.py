"""The instrument notices what can be lost, and nothing else: small writers that must lose, and others that must not."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.powercut.disk import Disk, Names, Outage
from tests.powercut.journal import Op, read
from tests.powercut.shim import Control
from tests.processes import PATIENCE

pytestmark = pytest.mark.process

CUTS = 12
SQLITE = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
for pragma in ("journal_mode={mode}", "synchronous={sync}", "wal_autocheckpoint=40"):
    c.execute("pragma " + pragma)
c.execute("create table if not exists t(n integer primary key, text)")
for n in range(100000):
    c.execute("begin immediate")
    c.execute("insert into t values(?, ?)", (n, "x" * (n * 37 % 3000)))
    c.execute("commit")
    print(n, flush=True)
"""
FILES = """
import os, sys
folder = os.path.dirname(sys.argv[1])
for n in range(100000):
    fd = os.open(f"{{folder}}/{{n}}.new", os.O_CREAT | os.O_WRONLY)
    os.write(fd, b"x" * 10000); {file}
    os.close(fd); os.rename(f"{{folder}}/{{n}}.new", f"{{folder}}/{{n}}"); {folder}
    print(n, flush=True)
"""
CARELESS = """
import os, sys
fd, folder = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY), os.open(os.path.dirname(sys.argv[1]), os.O_RDONLY)
os.fsync(folder)
os.write(fd, b"a" * 4096)
try:
    os.fsync(fd)
except OSError:
    {mend}
os.write(fd, b"b" * 4096)
os.fsync(fd)
"""
GROWING = """
import os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
while True:
    os.write(fd, b"x" * 1_000_000)
"""
SYNC_FILE = "os.fsync(fd)"
SYNC_FOLDER = "d = os.open(folder, os.O_RDONLY); os.fsync(d); os.close(d)"


@dataclass(frozen=True, slots=True)
class Ending:
    """What a writer had acknowledged when the power went, what of it is gone, and whether the rest can be read."""

    acknowledged: int
    lost: int
    corrupt: bool


def in_wal(sync: str) -> str:
    return SQLITE.format(mode="wal", sync=sync)


def files(*, file: str = "", folder: str = "") -> str:
    return FILES.format(file=file, folder=folder)


@pytest.mark.parametrize(
    ("writer", "names"),
    [
        (in_wal("off"), None),
        (in_wal("normal"), None),
        (SQLITE.format(mode="delete", sync="full"), "posix"),  # the journal's unlink, which commits, is not synced
        (files(), None),
        (files(file=SYNC_FILE), "journaled"),  # the rename after the fsync is not
        (files(folder=SYNC_FOLDER), "journaled"),
    ],
)
def test_what_is_acknowledged_too_early_is_seen_to_be_lost(
    tmp_path: Path, shim: Path, writer: str, names: Names | None
) -> None:
    assert any(one.lost for one in endings(tmp_path, shim, writer, names))


@pytest.mark.parametrize(
    "writer", [in_wal("full"), SQLITE.format(mode="delete", sync="extra"), files(file=SYNC_FILE, folder=SYNC_FOLDER)]
)
def test_what_is_synced_before_it_is_acknowledged_is_never_lost(tmp_path: Path, shim: Path, writer: str) -> None:
    found = endings(tmp_path, shim, writer, None)
    assert [(one.lost, one.corrupt) for one in found] == [(0, False)] * CUTS
    assert sum(one.acknowledged for one in found) > 10 * CUTS


def test_a_disk_that_lies_about_its_cache_loses_what_was_synced(tmp_path: Path, shim: Path) -> None:
    assert any(one.lost for one in endings(tmp_path, shim, in_wal("full"), None, lies=True))


@pytest.mark.parametrize(("mend", "kept"), [("pass", False), ("os.pwrite(fd, b'a' * 4096, 0)", True)])
def test_what_an_fsync_failed_to_write_is_not_written_by_the_next_one_unless_it_is_written_again(
    tmp_path: Path, shim: Path, mend: str, kept: bool
) -> None:
    (tmp_path / "disk").mkdir()
    disk, control = Disk(tmp_path / "disk"), Control(tmp_path / "control", fail=1)
    command = [sys.executable, "-c", CARELESS.format(mend=mend), str(tmp_path / "disk" / "file")]
    subprocess.run(command, env=control.environment(shim, disk.root), check=True, timeout=PATIENCE)
    records, cut = read(control.journal), control["operations"]
    control.close()
    shown = [disk.image(records, cut, Outage.of(seed)).files[command[-1]] for seed in range(CUTS)]
    assert {one[4096:] for one in shown} == {b"b" * 4096}
    assert ({one[:4096] for one in shown} == {b"a" * 4096}) is kept


def test_of_a_killed_writer_nothing_is_half_done_or_half_recorded(tmp_path: Path, shim: Path) -> None:
    (tmp_path / "disk").mkdir()
    control, file = Control(tmp_path / "control"), tmp_path / "disk" / "file"
    for lives in range(1, CUTS):
        with subprocess.Popen([sys.executable, "-c", GROWING, file], env=control.environment(shim, file.parent)) as one:
            while control["operations"] < 5 * lives:
                assert one.poll() is None
            with control.held(shim):
                one.kill()
                one.wait()
        written = [record for record in read(control.journal) if record.op is Op.WRITE]
        assert len(written) >= 5 * lives - 1
        assert sum(len(record.data) for record in written) == file.stat().st_size
    control.close()


def endings(tmp_path: Path, shim: Path, writer: str, names: Names | None, *, lies: bool = False) -> Sequence[Ending]:
    return [ending(tmp_path / str(seed), shim, writer, Outage.of(seed, names), lies=lies) for seed in range(CUTS)]


def ending(folder: Path, shim: Path, writer: str, outage: Outage, *, lies: bool) -> Ending:
    root = folder / "disk"
    root.mkdir(parents=True)
    control = Control(folder / "control", cut_at=random.Random(f"cut {outage.seed}").randint(30, 900))
    disk, store = Disk(root), root / "store.db"
    command = [sys.executable, "-c", writer, str(store)]
    done = subprocess.run(
        command, env=control.environment(shim, root), capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == -9, done.stderr
    acknowledged = {int(line) for line in done.stdout.splitlines()}
    records = [one for one in read(control.journal) if not (lies and one.op is Op.SYNCED)]
    disk.put(disk.image(records, control["operations"], outage), outage, root)
    control.close()
    kept, corrupt = kept_rows(store) if "sqlite3" in writer else (kept_files(root), False)
    return Ending(len(acknowledged), len(acknowledged - kept), corrupt)


def kept_files(root: Path) -> set[int]:
    return {int(one.name) for one in root.iterdir() if one.suffix == "" and one.read_bytes() == b"x" * 10000}


def kept_rows(store: Path) -> tuple[set[int], bool]:
    with closing(sqlite3.connect(store)) as connection:
        try:
            whole = connection.execute("pragma integrity_check").fetchone()[0] == "ok"
            return {n for (n,) in connection.execute("select n from t")}, not whole
        except sqlite3.DatabaseError as error:
            return set(), "no such table" not in str(error)  # all of it is lost, and nothing is broken
