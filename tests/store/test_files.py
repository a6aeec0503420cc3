"""The files of an SQLite store: who may read them."""

import shutil
import stat
from pathlib import Path

from bridge.store import open_outbox
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
