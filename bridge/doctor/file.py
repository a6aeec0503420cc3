"""The file: what it says, what may not be meant, who may change it, and whether what is secret in it is."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bridge.config.load import Loaded
from bridge.config.warnings import is_demo
from bridge.doctor.row import look, ok, wrong
from bridge.sinks.reachability import Finding
from bridge.sinks.secrets import KnownSecrets

SHORTEST = 16  # signs of a secret that nobody guesses
HOW_TO_MAKE = "make one with `openssl rand -hex 32`, and give it to the panel as well"
GROUP, OTHERS = 0o020, 0o002


def file_findings(path: Path, loaded: Loaded) -> Iterator[Finding]:
    config = loaded.config
    counts = ((config.sources, "source"), (config.all_sinks(), "sink"), (config.table(), "row"))
    counted = ", ".join(f"{len(many)} {noun}{'' if len(many) == 1 else 's'}" for many, noun in counts)
    yield ok(f"{path}: {counted}")
    for one in loaded.warnings:
        yield look(f"{one.where(str(path))}: {one.text}", "")
    yield from _short_secrets(loaded)
    for file in dict.fromkeys((path.absolute().parent, *loaded.files)):
        yield from _writers(file)
    yield from _readers(loaded)


def _short_secrets(loaded: Loaded) -> Iterator[Finding]:
    for name, source in loaded.config.sources.items():
        texts = [one.get_secret_value() for one in source.secret]
        if any(len(text) < SHORTEST and not is_demo(text) for text in texts):
            yield look(f'source "{name}": its secret has fewer than {SHORTEST} signs, and can be guessed', HOW_TO_MAKE)


def _writers(file: Path) -> Iterator[Finding]:
    """Whoever may write it decides where messages go."""
    mode = _mode(file)
    if mode is None or (stat.S_ISDIR(mode) and mode & stat.S_ISVTX):  # as /tmp: each may change only his own
        return
    if mode & OTHERS:
        yield wrong(f"{file}: everyone on this machine can write it", f"chmod o-w {file}")
    elif mode & GROUP and not _is_own_group(file):
        yield look(f"{file}: its group can write it", f"chmod g-w {file}, unless all of them may")


def _readers(loaded: Loaded) -> Iterator[Finding]:
    """Files that hold a secret and that everyone on the machine can read."""
    secrets = [text for text in KnownSecrets(loaded.config).texts() if len(text) >= SHORTEST]
    for file in loaded.files:
        mode = _mode(file)
        if mode is None or not stat.S_ISREG(mode) or not mode & 0o004 or not _holds(file, secrets):
            continue
        yield look(f"{file}: it holds a secret, and everyone on this machine can read it", f"chmod o-r {file}")


def _holds(file: Path, secrets: list[str]) -> bool:
    try:
        text = file.read_text("utf-8", "replace")
    except OSError:
        return False
    return any(secret in text and not is_demo(secret) for secret in secrets)


def _mode(file: Path) -> int | None:
    try:
        return file.stat().st_mode
    except OSError:
        return None


def _is_own_group(file: Path) -> bool:
    """Whether it is the group that its owner has for himself, as many systems make one for everybody."""
    status = file.stat()
    return status.st_gid == status.st_uid and status.st_uid == os.getuid() != 0
