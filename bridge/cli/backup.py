"""`backup` and `restore`: the whole store as one file, and that file as the store."""

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

STDIN = Path("-")
NewFile = Annotated[Path, typer.Argument(metavar="FILE", help="The new file; its folder has to be there.")]
BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="A file that backup has made; - for standard input.")]


def backup(file: NewFile, config: ConfigOption = None) -> None:
    """Back the store up into a new file, also while the bridge runs. It is read back, and on the disk afterwards."""
    from bridge.store.backup import back_up

    counts = back_up(load_settings(config).store_url(), file)
    print(f"{file}: {_contents(counts)}")


def restore(file: BackupFile, config: ConfigOption = None) -> None:
    """Put a backup in the place of the store, while no bridge runs; what was there is kept beside it."""
    from bridge.store.backup import received
    from bridge.store.backup import restore as restore_from

    settings = load_settings(config)
    with received(settings.store_url(), sys.stdin.buffer) if file == STDIN else nullcontext(file) as source:
        counts, kept = restore_from(settings.store_url(), source, now=datetime.now(UTC))
    print(f"restored{'' if file == STDIN else f' from {file}'}: {_contents(counts)}")
    if kept:
        print(f"what was there is kept as {kept}")


def _contents(counts: Mapping[str, int]) -> str:
    return f"{counted(counts['events'], 'event')}, {counted(counts['deliveries'], 'delivery')}"
