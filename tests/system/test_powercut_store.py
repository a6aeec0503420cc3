"""What the store promises, shown on every disk that may be left of it: small programs that use it under the shim."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.powercut.disk import Disk, Outage
from tests.powercut.journal import Op, read
from tests.powercut.shim import Control
from tests.processes import PATIENCE

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
OUTAGES = 24
KEPT = "SELECT count(*) FROM events WHERE subject = 'user:kept'"
SETTLED = "SELECT count(*) FROM deliveries WHERE state = 'delivered'"
PROGRAM = """
import asyncio, os, sqlite3, sys
from contextlib import suppress
from bridge.errors import StoreUnavailable
from bridge.outcome import Done
from bridge.store import open_outbox, sqlite
from tests.fakes import an_event, an_intake
from tests.powercut.shim import FIELDS
from tests.store.boxes import claimed, settle
from tests.store.forgetting import forget
from bridge.people.person import Person
from bridge.store import open_ledger
from bridge.store.queries.erasures import want_empty_log

async def put(outbox, count=1, name="kept"):
    for _ in range(count):
        await outbox.put(an_intake(an_event(f"user:{name}")))

async def fail_to_put(outbox):
    try:
        await put(outbox, name="refused")
    except StoreUnavailable:
        return
    raise AssertionError("it was put")

async def settle_some(outbox, count=1):
    for one in (await claimed(outbox))[:count]:
        await settle(outbox, one, Done())

def fail(count):
    with open(os.environ["POWERCUT_CONTROL"] + "/control", "r+b") as control:
        control.seek(8 * FIELDS.index("fail"))
        control.write(count.to_bytes(8, "little"))

def end():
    os.kill(os.getpid(), 9)

async def main(url):
BODY

asyncio.run(main(sys.argv[1]))
"""


def left(tmp_path: Path, shim: Path, *bodies: str, anytime_after: Op | None = None) -> Iterator[Path]:
    """What programs, one after the other, leave of a store when the power goes, as each of many disks may show it.

    It goes at the end, or at any moment after one of them did this for the first time.
    """
    root = tmp_path / "disk"
    root.mkdir()
    disk, control, store = Disk(root), Control(tmp_path / "control"), root / "new" / "folder" / "panelbridge.db"
    environment = control.environment(shim, root) | {"PYTHONPATH": str(ROOT)}
    for body in bodies:
        program = PROGRAM.replace("BODY", indent(dedent(body), "    "))
        command = [sys.executable, "-c", program, f"sqlite:///{store}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT)
        assert done.returncode == -9, done.stderr
    records, end = read(control.journal), control["operations"]
    control.close()
    first = end if anytime_after is None else next(one.seq for one in records if one.op is anytime_after)
    for seed in range(OUTAGES if anytime_after is None else 5 * OUTAGES):
        outage, cut = Outage.of(seed), random.Random(seed).randint(first, end)
        disk.put(disk.image(records, cut, outage), outage, root)
        yield store


def found(store: Path, query: str) -> int:
    """What a query finds in a store, which is whole."""
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (count,) = connection.execute(query).fetchone()
    return int(count)


def test_what_was_put_into_a_store_that_was_made_a_moment_ago_is_there(tmp_path: Path, shim: Path) -> None:
    body = """
        async with open_outbox(url) as outbox:
            await put(outbox, 3)
            end()
    """
    assert [found(store, KEPT) for store in left(tmp_path, shim, body)] == [3] * OUTAGES


@pytest.mark.parametrize(("times", "pause"), [(1, 2.0), (3, 0.6)])
def test_what_became_of_deliveries_is_on_the_disk_a_second_later_whatever_comes_after_it(
    tmp_path: Path, shim: Path, times: int, pause: float
) -> None:
    body = f"""
        async with open_outbox(url) as outbox:
            await put(outbox, 4)
            for _ in range({times}):
                await settle_some(outbox)
                await asyncio.sleep({pause})
            end()
    """
    assert {found(store, f"{SETTLED} AND id = 1") for store in left(tmp_path, shim, body)} == {1}


def test_what_became_of_deliveries_is_on_the_disk_when_the_bridge_has_ended_though_a_command_reads(
    tmp_path: Path, shim: Path
) -> None:
    body = """
        async with open_outbox(url) as outbox:
            await put(outbox, 2)
            await settle_some(outbox)
            command = sqlite3.connect(url.removeprefix("sqlite:///"))
            command.execute("SELECT * FROM events")
        end()
    """
    assert {found(store, SETTLED) for store in left(tmp_path, shim, body)} == {1}


@pytest.mark.parametrize("failures", [1, 5])
def test_what_is_put_after_fsyncs_that_failed_stands_behind_no_hole(tmp_path: Path, shim: Path, failures: int) -> None:
    body = f"""
        async with open_outbox(url) as outbox:
            await put(outbox, 2)
            await settle_some(outbox)  # is in the log, and not on the disk
            fail({failures})
            for _ in range({failures}):
                await fail_to_put(outbox)
            await put(outbox, 3)
            end()
    """
    assert [found(store, KEPT) for store in left(tmp_path, shim, body)] == [5] * OUTAGES


def test_an_fsync_that_failed_before_the_bridge_was_killed_leaves_no_hole_either(tmp_path: Path, shim: Path) -> None:
    killed = """
        async with open_outbox(url) as outbox:
            await put(outbox, 2)
            await settle_some(outbox)
            fail(1)
            await fail_to_put(outbox)
            end()
    """
    after = """
        async with open_outbox(url) as outbox:
            await put(outbox, 3)
            end()
    """
    assert [found(store, KEPT) for store in left(tmp_path, shim, killed, after)] == [5] * OUTAGES


GONE = "SELECT count(*) FROM events WHERE subject = 'user:gone'"


def test_who_was_forgotten_is_gone_and_nobody_else_when_the_log_has_been_emptied(tmp_path: Path, shim: Path) -> None:
    body = """
        async with open_outbox(url) as outbox:
            await put(outbox, 5)
            await put(outbox, 5, name="gone")
            forget(url, Person("marzban", "gone"))
            with open_ledger(url) as ledger:
                ledger.write(want_empty_log)
            await outbox.empty_log()
            await put(outbox, 3)
            end()
    """
    for store in left(tmp_path, shim, body):
        assert (found(store, KEPT), found(store, GONE)) == (8, 0)


def test_the_power_may_go_while_the_store_is_made_whole_again(tmp_path: Path, shim: Path) -> None:
    body = """
        async with open_outbox(url) as outbox:
            await put(outbox, 100)
        # all of that is in the file now, and in no log
        async with open_outbox(url) as outbox:
            await settle_some(outbox, 20)
            fail(1)
            await fail_to_put(outbox)
            await put(outbox, 3)
            end()
    """
    counts = {found(store, KEPT) for store in left(tmp_path, shim, body, anytime_after=Op.FAILED)}
    assert counts <= {100, 101, 102, 103}


def test_an_fsync_that_fails_in_a_checkpoint_leaves_no_hole_that_the_next_one_falls_into(
    tmp_path: Path, shim: Path
) -> None:
    body = """
        sqlite.CHECKPOINT_PAGES = 20  # pages, so that there is a checkpoint after each few commits
        async with open_outbox(url) as outbox:
            await put(outbox, 100)
        async with open_outbox(url) as outbox:
            await settle_some(outbox)
            fail(1)
            await settle_some(outbox, 50)
            with suppress(StoreUnavailable):
                await put(outbox)
            await put(outbox)
            end()
    """
    counts = {found(store, KEPT) for store in left(tmp_path, shim, body, anytime_after=Op.FAILED)}
    assert counts <= {100, 101, 102}
