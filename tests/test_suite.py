"""What the tests themselves keep to."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge import __version__
from tests.forked import Forked
from tests.processes import PATIENCE, Standstill
from tests.shares import in_shares


def test_a_test_without_the_mark_cannot_start_a_process() -> None:
    with pytest.raises(RuntimeError, match="needs the mark `process`"):
        subprocess.run([sys.executable, "-c", ""], check=True)


def test_nor_a_bridge_that_begins_as_a_copy(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="needs the mark `process`"):
        Forked(["--version"], out=tmp_path / "out", err=tmp_path / "err")


@pytest.mark.process
def test_a_copy_ends_with_a_status_and_has_said_what_it_was_asked(tmp_path: Path) -> None:
    assert Forked(["--version"], out=tmp_path / "out", err=tmp_path / "err").wait(PATIENCE) == 0
    assert (tmp_path / "out").read_text() == f"panelbridge {__version__}\n"
    assert Forked(["no-such"], out=tmp_path / "out", err=tmp_path / "err").wait(PATIENCE) == 2
    assert "no-such" in (tmp_path / "err").read_text()


@pytest.mark.process
def test_a_test_with_the_mark_can_start_a_process() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def test_a_store_in_postgresql_is_for_tests_with_the_mark(request: pytest.FixtureRequest, any_store_url: str) -> None:
    marked = request.node.get_closest_marker("process") is not None
    assert marked == any_store_url.startswith("postgresql")


def test_tests_have_the_same_names_in_every_worker(request: pytest.FixtureRequest) -> None:
    assert [item.nodeid for item in request.session.items if " at 0x" in item.nodeid] == []


def hold_up() -> None:
    """Hold up the loop, as a machine does that is stopped for a while."""
    time.sleep(0.2)


async def test_what_a_machine_has_kept_us_from_is_left_out_and_what_we_have_waited_for_is_not() -> None:
    async with Standstill() as still:
        began = time.monotonic()
        for _ in range(20):
            await asyncio.sleep(Standstill.TURN)
        hold_up()
        await asyncio.sleep(0)
        waited = time.monotonic() - began - still.seconds
        assert still.seconds >= 0.2 - Standstill.TURN
        assert waited >= 10 * Standstill.TURN


@pytest.mark.parametrize("workers", [1, 2, 4, 6, 7])
@pytest.mark.parametrize(("waiting", "busy"), [(0, 5), (5, 0), (7, 100), (100, 7), (24, 24)])
def test_every_worker_begins_with_its_share_of_what_waits(workers: int, waiting: int, busy: int) -> None:
    found = in_shares(["w"] * waiting, ["b"] * busy, workers)
    assert sorted(found) == ["b"] * busy + ["w"] * waiting
    each = len(found) // workers
    for number in range(workers) if busy >= waiting * workers else ():
        part = found[number * each : (number + 1) * each]
        assert part == sorted(part, reverse=True)
        assert abs(part.count("w") - waiting / workers) < 1
