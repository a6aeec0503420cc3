"""The clock of a machine, for one process: libfaketime lies to it about the time, and to no clock that is monotonic."""

from collections.abc import Mapping
from pathlib import Path

LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")


def libfaketime() -> Path | None:
    """Where it is (Debian's package is called faketime), None where it is not installed."""
    return next((path for pattern in LIBRARIES for path in Path("/").glob(pattern.lstrip("/"))), None)


def environment(file: Path) -> Mapping[str, str]:
    """With what a process is started whose clock goes by a file that says by how many seconds it is wrong, as `+30`."""
    library = libfaketime()
    if library is None:
        return {}
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",  # seconds between two looks at the file
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # it makes threads wait for each other that need not
    }
