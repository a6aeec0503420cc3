"""Files that are watched: what they were like when they were read, and when they have become others and stand still."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

#: Of each file or folder that is watched: path, time of change, size and number of its files, for a link may be led to
#: another file of the same age and size.
Stamp = dict[Path, list[tuple[str, int, int, int]]]

STANDS_STILL = 1.0  # seconds for which nobody has written to the files, when they are read


async def changed(stamp: Stamp, requested: asyncio.Event) -> tuple[Stamp, bool]:
    """How its files are, once that is not as `stamp` says, or a look at them is requested; when they stand still.

    Beside it whether it was requested.
    """
    latest = stamp_of(stamp)
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(STANDS_STILL):
                await requested.wait()
        asked = requested.is_set()
        if asked:
            await asyncio.sleep(STANDS_STILL)
        before, latest = latest, stamp_of(stamp)
        if before == latest and (asked or latest != stamp):
            requested.clear()
            return latest, asked


def stamp_of(files: Iterable[Path]) -> Stamp:
    """What tells whether one of the files, or a file in one of the folders, has changed."""
    return {path: [_status(one) for one in _files(path)] for path in files}


def _status(file: Path) -> tuple[str, int, int, int]:
    try:
        status = file.stat()
    except (OSError, ValueError):  # it is not there, or its name is none
        return str(file), 0, 0, 0
    return str(file), status.st_mtime_ns, status.st_size, status.st_ino


def _files(path: Path) -> list[Path]:
    """The file, or what lies in the folder; the folder itself where it vanishes meanwhile."""
    try:
        return sorted(path.rglob("*")) if path.is_dir() else [path]
    except (OSError, ValueError):
        return [path]
