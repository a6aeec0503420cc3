"""What the store promises, shown on every disk that may be left of it: small programs that use it under the shim."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.powercut.disk import Disk, Outage
from tests.powercut.journal import read
from tests.powercut.shim import COMPILER, Control, compiled

pytestmark = pytest.mark.skipif(COMPILER is None, reason="gcc is missing: no power cuts without the shim")

ROOT = Path(__file__).parents[2]
OUTAGES = 24
PROGRAM = """
import asyncio, os, sqlite3, sys
from bridge.errors import StoreUnavailable
from bridge.outcome import Done
from bridge.store import open_outbox
from tests.fakes import an_event, an_intake
from tests.store.boxes import claimed, settle

async def put(outbox, count=1):
    for _ in range(count):
        await outbox.put(an_intake(an_event()))

async def settle_one(outbox):
    [first, *_] = await claimed(outbox)
    await settle(outbox, first, Done())

async def main():
    async with open_outbox(sys.argv[1]) as outbox:
{body}
        os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("shim"))


def left(tmp_path: Path, shim: Path, *lines: str) -> Iterator[Path]:
    """The store that a program leaves which does this and loses its power, as each of many disks may show it."""
    root = tmp_path / "disk"
    root.mkdir()
    disk, control, store = Disk(root), Control(tmp_path / "control"), root / "new" / "folder" / "panelbridge.db"
    program = PROGRAM.format(body="\n".join(f"        {line}" for line in lines))
    environment = control.environment(shim, root) | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, f"sqlite:///{store}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == -9, done.stderr
    records, cut = read(control.journal), control["operations"]
    control.close()
    for seed in range(OUTAGES):
        outage = Outage.of(seed)
        disk.become(disk.image(records, cut, outage), outage)
        yield store


EVENTS = "SELECT count(*) FROM events"


def found(store: Path, query: str) -> object:
    """What a query finds in a store, which is whole."""
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute(query).fetchone()[0]


def test_what_was_put_into_a_store_that_was_made_a_moment_ago_is_there(tmp_path: Path, shim: Path) -> None:
    stores = left(tmp_path, shim, "await put(outbox, 3)")
    assert [found(store, EVENTS) for store in stores] == [3] * OUTAGES


SETTLED = "SELECT count(*) FROM deliveries WHERE state = 'delivered'"


@pytest.mark.parametrize(
    "then",
    [
        "await settle_one(outbox); await asyncio.sleep(2)",
        "for _ in range(3): await settle_one(outbox); await asyncio.sleep(0.6)",
    ],
)
def test_what_became_of_deliveries_is_on_the_disk_a_second_later_whatever_comes_after_it(
    tmp_path: Path, shim: Path, then: str
) -> None:
    stores = left(tmp_path, shim, "await put(outbox, 4)", then)
    assert {found(store, f"{SETTLED} AND id = 1") for store in stores} == {1}


def test_what_became_of_deliveries_is_on_the_disk_when_the_bridge_has_ended_though_a_command_reads(
    tmp_path: Path, shim: Path
) -> None:
    stores = left(
        tmp_path,
        shim,
        "await put(outbox, 2)",
        "await settle_one(outbox)",
        "reader = sqlite3.connect(sys.argv[1].removeprefix('sqlite:///')); reader.execute('SELECT * FROM events')",
        "await outbox.close()",
    )
    assert {found(store, SETTLED) for store in stores} == {1}
