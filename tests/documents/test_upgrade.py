"""From 0.1 to this version, with a full store: backed up first, and all that waits is delivered."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from tests.powercut.prepared import first_release
from tests.processes import Bridge, a_bridge, a_receiver

pytestmark = pytest.mark.process

PANELS, EACH = 7, 60
MARKS = [f"p{panel}.{number}" for number in range(EACH) for panel in range(PANELS)]
FILE = """
sinks:
  shop: {{type: webhook, url: "{url}", rate: unlimited}}
routes:
  - {{match: "*", to: shop}}
"""


async def test_what_waits_in_a_full_store_of_the_first_release_is_delivered_in_order(tmp_path: Path) -> None:
    first_release(tmp_path / "lib" / "panelbridge.db", MARKS)
    store = f"sqlite:///{tmp_path}/lib/panelbridge.db"
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url), store=store) as new:
        await back_up_by_the_new_version(new, tmp_path / "before-upgrade.db")
        await new.start()
        await receiver.until(len(MARKS))
        assert await new.end() == 0
        arrived = [one["data"]["mark"] for one in receiver.got]
        assert sorted(arrived) == sorted(MARKS)
        assert in_order(arrived)
        await the_backup_is_still_of_the_first_release(new, tmp_path / "before-upgrade.db")


async def back_up_by_the_new_version(new: Bridge, file: Path) -> None:
    assert await new.command("backup", str(file)) == f"{file}: {len(MARKS)} events, {len(MARKS)} deliveries\n"
    assert revision(file) == revision(Path(new.store.removeprefix("sqlite:///"))) == "0001"


async def the_backup_is_still_of_the_first_release(new: Bridge, file: Path) -> None:
    """So that whoever goes back has a store that 0.1 reads."""
    await new.command("restore", str(file))
    assert revision(Path(new.store.removeprefix("sqlite:///"))) == "0001"


def revision(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        [found] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found)


def in_order(marks: list[str]) -> bool:
    """Whether the events of each subject came one after the other."""
    of_panel: defaultdict[str, list[int]] = defaultdict(list)
    for mark in marks:
        panel, _, number = mark.partition(".")
        of_panel[panel].append(int(number))
    return all(numbers == sorted(numbers) for numbers in of_panel.values())
