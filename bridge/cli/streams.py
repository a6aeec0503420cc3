"""Standard output and error as a command finds them: closed, on a full disk, or with nobody left who reads."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What the system says where something cannot be written; whatever else it says is not of these streams.
_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def prepare_streams() -> None:
    """Have both be there, and take every text: a name of a file need not be UTF-8."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 # for as long as the process
            setattr(sys, name, nowhere)
        elif isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):  # C's locale
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def write_errors() -> Iterator[None]:
    """Say in one line why something cannot be written, and end with 1; without a word where nobody reads any more."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, *_UNWRITTEN):
            raise
        if error.errno != errno.EPIPE:
            print(f"cannot write: {error.strerror}", file=sys.stderr)
        sys.stdout = None  # what it still holds would be tried once more at the end
        sys.exit(1)
