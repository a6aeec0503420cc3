"""A file once somebody was forgotten: what its tables have not any more is to be gone from its bytes, and from its log.

What is deleted is overwritten (`secure_delete`). But SQLite leaves copies of rows in the free space of pages from which
it had moved them before; only writing the file anew is rid of them.
"""

import re
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from enum import Enum, auto
from pathlib import Path

import sqlalchemy as sa

from bridge.errors import StoreError
from bridge.store import files
from bridge.store.backend import autocommit, backend_of, open_engine, parse_url, store_errors
from bridge.store.ledger import Ledger
from bridge.store.queries.erasures import log_is_empty, want_empty_log, wanted_log
from bridge.store.writer import touch

PATIENCE = 60.0  # seconds for a running bridge to empty its log
LOOK_EVERY = 0.2
BESIDE = 64 << 20  # bytes of a file that is written anew beside a bridge that runs: what comes in waits meanwhile
CHUNK = 1 << 20  # bytes of a file that are in memory at once


class Scrubbed(Enum):
    """What came of it."""

    DONE = auto()
    READ = auto()  # the log could not be emptied: somebody reads from it, or the bridge that runs is an older one
    LARGE = auto()  # copies are left in the file, and it is too large to be written anew beside a bridge


def scrub(url: str, ledger: Ledger, texts: Iterable[str], *, wait: Callable[[float], None] = time.sleep) -> Scrubbed:
    """Leave these texts nowhere in the file and its log but in rows. A database is the server's own business."""
    if parse_url(url).get_backend_name() != "sqlite":
        return Scrubbed.DONE
    engine = open_engine(url)
    with ExitStack() as stack, store_errors():
        stack.callback(engine.dispose)
        alone = _is_alone(engine, stack)

        def empty_log() -> bool:
            return _empty_log(engine, ledger) if alone else _have_log_emptied(ledger, wait)

        if not empty_log():
            return Scrubbed.READ
        if not files_with(url, texts):
            return Scrubbed.DONE
        if not alone and database_of(url).stat().st_size > BESIDE:
            return Scrubbed.LARGE
        with engine.connect() as connection:
            autocommit(connection).exec_driver_sql("VACUUM")
        return Scrubbed.DONE if empty_log() else Scrubbed.READ


def _is_alone(engine: sa.Engine, stack: ExitStack) -> bool:
    """Whether no bridge runs, nor begins to, until the stack is left."""
    try:
        stack.enter_context(backend_of(engine).exclusive(engine))
    except StoreError:
        return False
    return True


def _empty_log(engine: sa.Engine, ledger: Ledger) -> bool:
    version = ledger.write(want_empty_log)
    with engine.connect() as connection:
        with backend_of(engine).transaction(autocommit(connection)):
            touch(connection, ())
        done = backend_of(engine).empty_log(connection)
    if done:
        ledger.write(log_is_empty, version)
    return done


def _have_log_emptied(ledger: Ledger, wait: Callable[[float], None]) -> bool:
    """The running bridge does so within a second: nobody else may, see `sqlite.enable_checkpoints`."""
    ledger.write(want_empty_log)
    left = PATIENCE
    while ledger.read(wanted_log) is not None:
        if left <= 0:
            return False
        wait(LOOK_EVERY)
        left -= LOOK_EVERY
    return True


def database_of(url: str) -> Path:
    """The file of a store, itself where `url` names a link to it."""
    return Path(parse_url(url).database or "").resolve()


def files_with(url: str, texts: Iterable[str]) -> list[Path]:
    """The files of a store that have one of these texts anywhere, also where no row is; none of a database."""
    if parse_url(url).get_backend_name() != "sqlite":
        return []
    raw = [text.encode() for text in texts]
    paths = [Path(f"{database_of(url)}{suffix}") for suffix in ("", files.WAL)]
    return [path for path in paths if _has(path, raw)]


def _has(path: Path, raw: list[bytes]) -> bool:
    pattern, longest = re.compile(b"|".join(map(re.escape, raw))), max(map(len, raw))
    try:
        with path.open("rb") as file:
            before = b""
            while chunk := file.read(CHUNK):
                if pattern.search(piece := before + chunk):
                    return True
                before = piece[1 - longest :] if longest > 1 else b""
    except FileNotFoundError:
        return False
    return False
