"""`backup` and `restore`: the whole store as one file, and that file as the store."""

import shutil
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.console import ConfigOption
from bridge.cli.ledger import load_settings
from bridge.cli.selection import counted
from bridge.errors import BridgeError

PIPE = Path("-")
NewFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The new file, its folder has to be there; - for standard output.")
]
BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="A file that backup has made; - for standard input.")]


def backup(file: NewFile, config: ConfigOption = None) -> None:
    """Back the store up into a new file, also while the bridge runs. It is read back, and on the disk afterwards."""
    from bridge.store.backup import back_up

    url = load_settings(config).store_url()
    if file == PIPE:
        _send(url)
    else:
        print(f"{file}: {_contents(back_up(url, file))}")


def _send(url: str) -> None:
    """Write a backup to standard output, and what is in it beside that."""
    from bridge.store.backup import backed_up

    if sys.stdout.isatty():
        raise BridgeError("backup: standard output is a terminal: send it into a file, as with backup - > backup.db")
    with backed_up(url) as (copy, counts), copy.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()
    print(f"standard output: {_contents(counts)}", file=sys.stderr)


def restore(file: BackupFile, config: ConfigOption = None) -> None:
    """Put a backup in the place of the store, while no bridge runs; what was there is kept beside it."""
    from bridge.store.backup import received
    from bridge.store.backup import restore as restore_from

    settings = load_settings(config)
    with received(settings.store_url(), sys.stdin.buffer) if file == PIPE else nullcontext(file) as source:
        counts, kept = restore_from(settings.store_url(), source, now=datetime.now(UTC))
    print(f"restored{'' if file == PIPE else f' from {file}'}: {_contents(counts)}")
    if kept:
        print(f"what was there is kept as {kept}")


def _contents(counts: Mapping[str, int]) -> str:
    return f"{counted(counts['events'], 'event')}, {counted(counts['deliveries'], 'delivery')}"
