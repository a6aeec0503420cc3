"""The files of an SQLite store: who may read them."""

import stat
from pathlib import Path

from bridge.store import open_outbox


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_folders_that_are_made_are_for_our_eyes_only(tmp_path: Path) -> None:
    async with open_outbox(f"sqlite:///{tmp_path}/new/folder/panelbridge.db"):
        assert [mode(tmp_path / one) for one in ("new", "new/folder")] == [0o700, 0o700]


async def test_a_folder_that_was_there_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o750)
    async with open_outbox(f"sqlite:///{tmp_path}/old/panelbridge.db"):
        assert mode(tmp_path / "old") == 0o750
