"""The files of an SQLite store: who may read them, and who moves the log."""

import logging
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.store import open_ledger, open_outbox
from tests.fakes import an_event, an_intake

FILES = ("panelbridge.db", "panelbridge.db-shm", "panelbridge.db-wal", "panelbridge.db.lock")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_folders_that_are_made_are_for_our_eyes_only(tmp_path: Path) -> None:
    async with open_outbox(f"sqlite:///{tmp_path}/new/folder/panelbridge.db"):
        assert [mode(tmp_path / one) for one in ("new", "new/folder")] == [0o700, 0o700]


async def test_a_folder_that_was_there_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o750)
    async with open_outbox(f"sqlite:///{tmp_path}/old/panelbridge.db"):
        assert mode(tmp_path / "old") == 0o750


async def test_the_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with open_outbox(f"sqlite:///{tmp_path}/panelbridge.db") as outbox:
        await outbox.put(an_intake(an_event()))
        assert {one.name: mode(one) for one in tmp_path.iterdir()} == dict.fromkeys(FILES, 0o600)


async def test_a_store_that_others_could_read_is_taken_from_them(tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    async with open_outbox(f"sqlite:///{tmp_path}/panelbridge.db") as outbox:
        await outbox.put(an_intake(an_event()))
        shutil.copytree(tmp_path, crashed)
    for file in crashed.iterdir():
        file.chmod(0o664)
    async with open_outbox(f"sqlite:///{crashed}/panelbridge.db") as outbox:
        await outbox.check()
        assert {mode(crashed / one) for one in FILES[:3]} == {0o600}


async def test_when_the_bridge_has_ended_all_is_in_one_file(tmp_path: Path) -> None:
    async with open_outbox(f"sqlite:///{tmp_path}/panelbridge.db") as outbox:
        await outbox.put(an_intake(an_event()))
    assert {one.name for one in tmp_path.iterdir()} == {"panelbridge.db", "panelbridge.db.lock"}


async def test_a_store_keeps_its_pages_and_a_new_one_has_those_that_waste_less(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.execute("PRAGMA page_size=4096")
        old.execute("PRAGMA journal_mode=WAL")
    sizes = {}
    for name in ("old", "new"):
        async with open_outbox(f"sqlite:///{tmp_path}/{name}.db") as outbox:
            await outbox.put(an_intake(an_event()))
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as store:
            [sizes[name]] = store.execute("PRAGMA page_size").fetchone()
    assert sizes == {"old": 4096, "new": 8192}


async def test_only_the_running_bridge_moves_the_log_into_the_file(store_url: str) -> None:
    """And of it only the connection whose commits are synced: see `sqlite.enable_checkpoints`."""
    async with open_outbox(store_url) as outbox:
        writer = outbox._writer
        kept_open = {"synced": writer._durable, "not synced": writer._deferred, "reading": outbox._connection}
        found = {name: connection.run(checkpoints_after) for name, connection in kept_open.items()}
        with open_ledger(store_url) as ledger:
            found["command"] = ledger.write(checkpoints_after)
    assert found == {"synced": 500, "not synced": 0, "reading": 0, "command": 0}


def checkpoints_after(connection: sa.Connection) -> int:
    """Pages of the log after which a commit makes a checkpoint; 0: never."""
    pages: int = connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one()
    return pages


async def test_the_log_tells_which_sqlite_it_is(store_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with open_outbox(store_url):
        pass
    [opened] = caplog.records
    assert (opened.getMessage(), opened.__dict__["fields"]) == ("store.opened", {"sqlite": sqlite3.sqlite_version})
