"""A backup is the store of one moment, whole, on the disk, never empty; and it can become the store again."""

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.errors import StoreError
from bridge.store import files, migrate, open_ledger, open_outbox
from bridge.store.backend import open_engine
from bridge.store.backup import back_up, restore
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import claimed, make_as_of

KEPT = "panelbridge.db.before-20261121T041418Z"
PAGE = 8192  # bytes of a new store's


async def fill(url: str, *subjects: str) -> None:
    async with open_outbox(url) as outbox:
        await outbox.put(an_intake(*map(an_event, subjects)))


def subjects_in(url: str) -> list[str]:
    with open_ledger(url) as ledger:
        return sorted(str(one.subject) for one in ledger.read(delivery_records, DeliveryQuery(limit=99)))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "panelbridge.db"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "backup").mkdir()
    return tmp_path / "backup" / "a store.db"


async def test_a_backup_of_a_running_bridge_has_what_is_still_in_its_log(store_url: str, target: Path) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:alice")))
        assert Path(f"{store_url.removeprefix('sqlite:///')}-wal").stat().st_size > 0
        counts = await asyncio.to_thread(back_up, store_url, target)
        await outbox.put(an_intake(an_event("user:bob")))
    assert (counts["events"], counts["deliveries"]) == (1, 1)
    assert [one.name for one in target.parent.iterdir()] == [target.name]
    assert subjects_in(f"sqlite:///{target}") == ["user:alice"]


async def test_a_backup_is_of_one_moment_whatever_is_written_meanwhile(store_url: str, target: Path) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event()))
        made = asyncio.create_task(asyncio.to_thread(back_up, store_url, target))
        while not made.done():
            await outbox.put(an_intake(an_event(), an_event(), sinks=("ops", "team")))
        counts = await made
    with sqlite3.connect(target) as backup:
        orphans = "SELECT count(*) FROM deliveries WHERE event_id NOT IN (SELECT id FROM events)"
        assert backup.execute(orphans).fetchone() == (0,)
        found = backup.execute("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM deliveries)").fetchone()
    backup.close()
    assert found == (counts["events"], counts["deliveries"]) == (counts["events"], 4 * (counts["events"] // 2) + 1)


async def test_a_backup_is_for_its_owner_alone(store_url: str, target: Path) -> None:
    await fill(store_url, "user:alice")
    back_up(store_url, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


async def test_the_file_is_on_the_disk_before_its_name_and_both_before_it_is_done(
    store_url: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store_url, "user:alice")
    synced: list[tuple[bool, bool]] = []
    for name in ("sync_file", "sync_names"):
        kept = getattr(files, name)
        monkeypatch.setattr(
            files, name, lambda path, kept=kept, name=name: (synced.append((name, target.exists())), kept(path))
        )
    back_up(store_url, target)
    assert synced[-2:] == [("sync_file", False), ("sync_names", True)]


def nowhere(store: Path) -> None:
    """There is no store."""


def nothing(store: Path) -> None:
    """An empty file, as sqlite3 makes one for a wrong path."""
    store.touch()


def tables_alone(store: Path) -> None:
    """A bridge was started there, and nobody has told it anything."""
    engine = open_engine(f"sqlite:///{store}")
    migrate.migrate(engine)
    engine.dispose()


def another_program(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("CREATE TABLE users (name)")
    connection.close()


def text(store: Path) -> None:
    store.write_text("this is no store, and has never been one. " * 100)


def cut_off(store: Path) -> None:
    asyncio.run(fill(f"sqlite:///{store}", *(f"user:{n}" for n in range(200))))
    os.truncate(store, store.stat().st_size // 2)


def damaged(store: Path) -> None:
    """A page in the middle is not what it was."""
    asyncio.run(fill(f"sqlite:///{store}", *(f"user:{n}" for n in range(200))))
    with store.open("r+b") as file:
        file.seek(store.stat().st_size // 2 // PAGE * PAGE)
        file.write(b"\xff" * PAGE)


NO_STORES = {
    nowhere: "there is none at",
    nothing: "it has no tables of a panelbridge",
    tables_alone: "nothing has come in yet",
    another_program: "it has no tables of a panelbridge",
    text: "file is not a database",
    cut_off: "malformed|damaged",
    damaged: "malformed|damaged",
}


@pytest.mark.parametrize("make", NO_STORES, ids=lambda one: one.__name__)
def test_what_is_no_store_is_not_backed_up(make: Callable[[Path], None], store: Path, target: Path) -> None:
    make(store)
    with pytest.raises(StoreError, match=NO_STORES[make]):
        back_up(f"sqlite:///{store}", target)
    assert list(target.parent.iterdir()) == []
    assert store.exists() == (make is not nowhere)


@pytest.mark.parametrize("make", NO_STORES, ids=lambda one: one.__name__)
async def test_what_is_no_store_is_not_restored_and_the_store_stays(
    make: Callable[[Path], None], store_url: str, store: Path, target: Path
) -> None:
    await fill(store_url, "user:alice")
    await asyncio.to_thread(make, target)
    with pytest.raises(StoreError, match=NO_STORES[make]):
        restore(store_url, target, now=START)
    assert subjects_in(store_url) == ["user:alice"]
    assert {one.name for one in store.parent.iterdir()} <= {"backup", store.name, f"{store.name}.lock"}


async def test_a_name_is_not_taken_twice(store_url: str, target: Path) -> None:
    await fill(store_url, "user:alice")
    target.write_text("the backup of yesterday")
    with pytest.raises(StoreError, match="already: give another name"):
        back_up(store_url, target)
    with pytest.raises(StoreError, match="already: give another name"):
        back_up(store_url, Path(store_url.removeprefix("sqlite:///")))
    assert target.read_text() == "the backup of yesterday"
    assert subjects_in(store_url) == ["user:alice"]


async def test_where_it_cannot_be_written_is_said(store_url: str, tmp_path: Path) -> None:
    await fill(store_url, "user:alice")
    with pytest.raises(StoreError, match=r"cannot write .*nowhere/backup\.db: No such file or directory"):
        back_up(store_url, tmp_path / "nowhere" / "backup.db")


async def test_a_backup_becomes_the_store_and_what_was_there_is_kept(store_url: str, store: Path, target: Path) -> None:
    await fill(store_url, "user:alice")
    back_up(store_url, target)
    await fill(store_url, "user:bob")
    counts, kept = restore(store_url, target, now=START)
    assert (counts["deliveries"], kept) == (1, store.with_name(KEPT))
    assert subjects_in(store_url) == ["user:alice"]
    assert subjects_in(f"sqlite:///{kept}") == ["user:alice", "user:bob"]
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    async with open_outbox(store_url) as outbox:
        assert len(await claimed(outbox)) == 1


async def test_where_there_is_no_store_yet_nothing_is_kept(tmp_path: Path, store_url: str, target: Path) -> None:
    await fill(store_url, "user:alice")
    back_up(store_url, target)
    elsewhere = tmp_path / "new" / "panelbridge.db"
    assert restore(f"sqlite:///{elsewhere}", target, now=START)[1] is None
    assert subjects_in(f"sqlite:///{elsewhere}") == ["user:alice"]
    assert {one.name for one in elsewhere.parent.iterdir()} == {"panelbridge.db", "panelbridge.db.lock"}


async def test_a_broken_store_is_kept_with_its_log_and_the_backup_does_not_get_it(
    store_url: str, store: Path, target: Path
) -> None:
    await fill(store_url, "user:alice")
    back_up(store_url, target)
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:bob")))
        log = shutil.copy(f"{store}-wal", target.with_name("log"))
    store.write_bytes(b"\xff" * 8192)
    shutil.copy(log, f"{store}-wal")
    restore(store_url, target, now=START)
    assert subjects_in(store_url) == ["user:alice"]
    assert store.with_name(f"{KEPT}-wal").read_bytes() == Path(log).read_bytes()
    assert store.with_name(KEPT).read_bytes() == b"\xff" * 8192


async def test_nothing_is_restored_under_a_running_bridge(store_url: str, target: Path) -> None:
    await fill(store_url, "user:alice")
    back_up(store_url, target)
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:bob")))
        with pytest.raises(StoreError, match="another panelbridge already runs"):
            restore(store_url, target, now=START)
    assert subjects_in(store_url) == ["user:alice", "user:bob"]


async def test_the_store_is_not_its_own_backup(store_url: str, store: Path) -> None:
    await fill(store_url, "user:alice")
    with pytest.raises(StoreError, match="is the store itself"):
        restore(store_url, store, now=START)
    assert subjects_in(store_url) == ["user:alice"]


async def test_a_backup_of_a_newer_panelbridge_is_refused(store_url: str, target: Path) -> None:
    await fill(store_url, "user:alice")
    back_up(store_url, target)
    with sqlite3.connect(target) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=r"are of a newer panelbridge \(revision 9999\)"):
        restore(store_url, target, now=START)


async def test_neither_way_changes_the_tables_of_an_older_panelbridge(
    new_file_url: str, store: Path, tmp_path: Path, target: Path
) -> None:
    engine = open_engine(new_file_url)
    with engine.begin() as connection:
        make_as_of(connection, "0001")
        event = "INSERT INTO events VALUES ('1', 'm', 'marzban', 'user.created', 'x', 'user:1', 1, 1, '{}', '{}', '[]')"
        connection.execute(sa.text(event))
    engine.dispose()
    back_up(new_file_url, target)
    restore(f"sqlite:///{tmp_path}/again.db", target, now=START)
    for file in (store, target, tmp_path / "again.db"):
        connection_ = sqlite3.connect(file)
        assert connection_.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        connection_.close()


@pytest.mark.parametrize("verb", ["back_up", "restore"])
def test_a_database_has_means_of_its_own(verb: str, target: Path) -> None:
    url = "postgresql+psycopg://panelbridge@db.example.com/panelbridge"
    with pytest.raises(StoreError, match=r"pg_(dump|restore)"):
        back_up(url, target) if verb == "back_up" else restore(url, target, now=START)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
async def test_a_store_that_root_restores_is_still_its_owners(store_url: str, store: Path, target: Path) -> None:
    await fill(store_url, "user:alice")
    back_up(store_url, target)
    os.chown(store, 10001, 10001)
    restore(store_url, target, now=START)
    assert {(one.stat().st_uid, one.stat().st_gid) for one in (store, Path(f"{store}.lock"))} == {(10001, 10001)}
