"""The files of an SQLite store: made so that nobody else reads them, and that a power cut leaves them where they are.

Why folders are synced: a file is on the disk when it is synced, its name only when its folder is. SQLite does that for
the file beside the store that it makes, and for nothing above it, so that a folder that was made could vanish with all
that was in it.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from bridge.errors import StoreError, StoreUnavailable

#: What SQLite keeps beside its file, with the file's mode; and what keeps a second bridge away.
WAL, SHM, LOCK = "-wal", "-shm", ".lock"
CHUNK = 1 << 20  # bytes of the log that are in memory at once


def make(database: Path) -> None:
    """Make the file and its folder where they are missing, and let its owner alone read it.

    SQLite takes an empty file for a new store. One that is there is not opened: to close it would give away the locks
    that connections of this process have on it.
    """
    make_folder(database.parent)
    try:
        if not database.exists():
            os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"store: cannot write {database}: {error.strerror}") from None
    for suffix in ("", WAL, SHM):
        with suppress(OSError):  # it is not there, or another's: so is who may read it
            _make_private(Path(f"{database}{suffix}"))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for our eyes only, where they are missing."""
    try:
        for one in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            one.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"store: cannot make the folder {folder}: {error.strerror}") from None


def sync_names(folder: Path) -> None:
    """Return when the names in a folder are on the disk, its own, and those of all folders above it on that disk.

    Also where nothing is new: whoever made it may have been killed before they were.
    """
    folder = folder.resolve()
    for one in (folder, *folder.parents):
        try:
            _sync(one)
        except PermissionError:
            return  # whoever keeps us out has made it
        except OSError as error:
            if error.errno != errno.EINVAL:  # a file system that has no such thing
                raise StoreError(f"store: cannot sync the folder {one}: {error.strerror}") from None
        if one.is_mount():
            return


def sync_file(file: Path) -> None:
    """Return when all that was written to a file is on the disk; its name is not yet."""
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rewrite_log(database: Path) -> None:
    """Write the log once more as it is, and sync it. Whoever calls keeps others from writing to it.

    Why: what an fsync has failed to write counts as written, and no later one writes it. In memory the log is whole; on
    the disk it has a hole, and a power cut loses all that stands behind it, whoever synced that. Nor is a checkpoint a
    way out: it writes over the file what the log cannot say again, and is broken by a power cut in the middle.
    """
    log = Path(f"{database}{WAL}")
    try:
        with log.open("r+b", buffering=0) as file:
            while chunk := file.read(CHUNK):
                file.seek(-len(chunk), os.SEEK_CUR)
                file.write(chunk)
            os.fsync(file.fileno())
    except FileNotFoundError:
        return  # a file system that can have no log
    except OSError as error:
        raise StoreUnavailable(f"store: cannot sync {log}: {error.strerror}") from None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_private(file: Path) -> None:
    status = file.stat()
    if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
        file.chmod(stat.S_IMODE(status.st_mode) & 0o700)
