"""A store that is taken away under a running bridge: noticed, said once, and never written to."""

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bridge.errors import StoreError, StoreUnavailable
from bridge.store import open_outbox
from bridge.store.outbox import SqlOutbox
from tests.fakes import an_event, an_intake

NAME = "panelbridge.db"
ALL = ("", "-wal", "-shm", ".lock")


def delete(store: Path) -> None:
    store.unlink()


def rename(store: Path) -> None:
    store.rename(store.with_name("moved.db"))


def replace(store: Path) -> None:
    """As when a backup is put in its place."""
    shutil.copy(store, store.with_name("backup.db"))
    store.with_name("backup.db").replace(store)


def delete_with_all_beside_it(store: Path) -> None:
    for suffix in ALL:
        Path(f"{store}{suffix}").unlink()


def delete_one_beside_it(suffix: str) -> Callable[[Path], None]:
    return lambda store: Path(f"{store}{suffix}").unlink()


def take_the_lock(store: Path) -> None:
    """As a second bridge would, where somebody removed the first one's."""
    Path(f"{store}.lock").unlink()
    Path(f"{store}.lock").touch()


def move_the_folder(store: Path) -> None:
    store.parent.rename(store.parent.with_name("moved"))


def replace_the_folder(store: Path) -> None:
    move_the_folder(store)
    shutil.copytree(store.parent.with_name("moved"), store.parent)


HARMS = [
    delete,
    rename,
    replace,
    delete_with_all_beside_it,
    *map(delete_one_beside_it, ALL[1:]),
    take_the_lock,
    move_the_folder,
    replace_the_folder,
]


async def let_it_settle(outbox: SqlOutbox, store: Path) -> None:
    """As long after the start as a test can wait: the folder has not changed for a while."""
    await outbox.check()
    os.utime(store.parent, (1_000_000_000, 1_000_000_000))
    await outbox.check()


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("harm", HARMS)
async def test_a_store_that_is_taken_away_takes_nothing_more_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None], settled: bool
) -> None:
    store = tmp_path / "folder" / NAME
    async with open_outbox(f"sqlite:///{store}") as outbox:
        await outbox.put(an_intake(an_event()))
        if settled:
            await let_it_settle(outbox, store)
        harm(store)
        there = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="was removed or replaced"):
                await outbox.put(an_intake(an_event()))
            with pytest.raises(StoreUnavailable, match="was removed or replaced"):
                await outbox.check()
            with pytest.raises(StoreUnavailable, match="was removed or replaced"):
                await outbox.lane_state("ops")
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == there
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == ["store.gone"]


async def test_a_store_that_is_put_back_is_used_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    store = tmp_path / NAME
    async with open_outbox(f"sqlite:///{store}") as outbox:
        store.rename(tmp_path / "moved.db")
        with pytest.raises(StoreUnavailable):
            await outbox.put(an_intake(an_event()))
        (tmp_path / "moved.db").rename(store)
        await outbox.put(an_intake(an_event()))
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)
    assert [record.getMessage() for record in caplog.records] == ["store.opened", "store.gone", "store.back"]


async def test_each_file_that_is_taken_away_is_named_though_nobody_looked_while_the_one_before_it_was_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = tmp_path / NAME
    async with open_outbox(f"sqlite:///{store}") as outbox:
        for suffix in ALL:
            file = Path(f"{store}{suffix}")
            file.rename(tmp_path / "aside")
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match=f"{file.name} was removed"):
                    await outbox.check()
            (tmp_path / "aside").rename(file)
    gone = [record for record in caplog.records if record.getMessage() == "store.gone"]
    assert [Path(vars(record)["fields"]["file"]).name for record in gone] == [f"{NAME}{suffix}" for suffix in ALL]


async def test_what_else_happens_in_the_folder_does_not_matter(tmp_path: Path) -> None:
    store = tmp_path / NAME
    async with open_outbox(f"sqlite:///{store}") as outbox:
        await let_it_settle(outbox, store)
        (tmp_path / "backup.db").touch()
        await outbox.put(an_intake(an_event()))


async def test_failures_that_close_all_connections_do_not_look_like_a_store_that_is_gone(tmp_path: Path) -> None:
    async with open_outbox(f"sqlite:///{tmp_path}/{NAME}") as outbox:
        await outbox.put(an_intake(an_event()))
        await outbox.lane_state("ops")
        outbox._engine.dispose()
        for connection in (outbox._connection, outbox._writer._durable, outbox._writer._deferred):
            connection.close()
        await outbox.put(an_intake(an_event()))


async def test_a_store_behind_a_symlink_is_watched_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / NAME).symlink_to(tmp_path / "disk" / NAME)
    async with open_outbox(f"sqlite:///{tmp_path}/{NAME}") as outbox:
        await outbox.put(an_intake(an_event()))
        with pytest.raises(StoreError, match="another panelbridge already runs on"):
            async with open_outbox(f"sqlite:///{tmp_path}/disk/{NAME}"):
                pass
        (tmp_path / "disk" / f"{NAME}-wal").unlink()
        with pytest.raises(StoreUnavailable, match="was removed or replaced"):
            await outbox.put(an_intake(an_event()))
