"""The shim: compiled when it is needed, and what it shares with whoever runs a program under it."""

import ctypes
import mmap
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("powercut.c")
COMPILER = shutil.which("gcc")
PAGE = 4096
#: As `struct control` in powercut.c: 64 bits each.
FIELDS = ("lock", "cut", "operations", "cut_at", "sync_min_us", "sync_max_us", "syncs", "fail", "failed")


def compiled(folder: Path) -> Path:
    """The shim, compiled into a folder."""
    assert COMPILER is not None, "gcc is missing"
    shim = folder / "powercut.so"
    subprocess.run([COMPILER, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", shim, SOURCE], check=True)
    return shim


class Control:
    """What a program under the shim is told while it runs, and its journal; each life of a disk has a new one."""

    def __init__(self, folder: Path, **values: int) -> None:
        folder.mkdir()
        self.journal = folder / "journal"
        self.journal.touch()
        (folder / "control").write_bytes(bytes(PAGE))
        self._folder = folder
        with (folder / "control").open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), PAGE)
        for name, value in values.items():
            self[name] = value

    def __getitem__(self, name: str) -> int:
        value: int = struct.unpack_from("<Q", self._map, 8 * FIELDS.index(name))[0]
        return value

    def __setitem__(self, name: str, value: int) -> None:
        struct.pack_into("<Q", self._map, 8 * FIELDS.index(name), value)

    def environment(self, shim: Path, root: Path) -> dict[str, str]:
        """What a program needs to have its writes below `root` recorded here."""
        own = {"LD_PRELOAD": str(shim), "POWERCUT_ROOT": str(root.resolve()), "POWERCUT_CONTROL": str(self._folder)}
        return {**os.environ, **own}

    @contextmanager
    def held(self, shim: Path) -> Iterator[None]:
        """Meanwhile no program is inside of an operation: what was done to a file is recorded, and the other way round.

        Whoever is killed has to be gone by the end of it.
        """
        library, page = ctypes.CDLL(str(shim)), (ctypes.c_char * PAGE).from_buffer(self._map)
        library.powercut_hold(page)
        try:
            yield
        finally:
            library.powercut_release(page)

    def close(self) -> None:
        self._map.close()
