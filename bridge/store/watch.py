"""Whether the files of an SQLite store are where they were when it was opened.

Why: a file that is deleted, renamed or replaced under a process stays what it was for that process. Everything is
written to it as before, and gone when the process ends; and a second bridge can lock a lock file that was made anew.
"""

import logging
import threading
import time
from pathlib import Path

from bridge.errors import StoreUnavailable
from bridge.store.files import LOCK, SHM, WAL
from bridge.telemetry import log

LOG = logging.getLogger("bridge.store")
TICK = 1_000_000_000  # nanoseconds in which a file system's clock has surely moved on

#: Device and inode: another file has another one.
Identity = tuple[int, int]


class FileWatch:
    """Remembers which files they are, and looks at them again when their folder has changed: one call to the system."""

    def __init__(self, database: Path) -> None:
        paths = [database.with_name(f"{database.name}{suffix}") for suffix in ("", WAL, SHM, LOCK)]
        self._files = {path: _identity(path) for path in paths}
        self._folder = database.parent
        self._seen: tuple[Identity, int] | None = None  # the folder, and when it had last changed, when all was well
        self._missing: Path | None = None
        self._looking = threading.Lock()

    def check(self) -> None:
        """Raise StoreUnavailable while one of them is missing or another one; say which once, and when all are back."""
        if self._seen is None or self._seen != _changed(self._folder):
            with self._looking:
                self._look()

    def _look(self) -> None:
        changed = _changed(self._folder)
        missing = next((path for path, known in self._files.items() if _identity(path) != known), None)
        if missing is not None:
            if self._missing != missing:
                log(LOG, logging.ERROR, "store.gone", file=str(missing))
            self._missing, self._seen = missing, None
            raise StoreUnavailable(f"store: {missing} was removed or replaced; put it back, or start the bridge again")
        if self._missing is not None:
            log(LOG, logging.INFO, "store.back", file=str(self._missing))
            self._missing = None
        # what changes twice in one tick seems to have changed once
        is_settled = changed is not None and time.time_ns() - changed[1] > TICK
        self._seen = changed if is_settled else None


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _changed(folder: Path) -> tuple[Identity, int] | None:
    """Which folder it is, and when a name in it last changed, in nanoseconds."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino), status.st_mtime_ns
