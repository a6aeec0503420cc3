"""`people export` and `people import`: what is known of people as a file."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.console import STDIN
from bridge.cli.selection import counted
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.store.ledger import Ledger
    from bridge.store.people_file import Line

#: What a row of each table is called.
NOUNS = {
    "directories": "directory",
    "directory": "record",
    "wishes": "wish",
    "links": "linked chat",
    "told": "threshold",
    "addresses": "address",
    "proof_stops": "mark that nothing shown links them",
}


def export_people(ledger: "Ledger", file: Path | None) -> None:
    """Write the file, or to standard output: all of one moment."""
    from bridge.admin.people.file import export_people as export

    if file in (None, STDIN):
        export(ledger, sys.stdout.buffer.writelines)
        return
    assert file is not None

    def write(lines: Iterator[bytes]) -> None:
        mine = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it has people's addresses
        with os.fdopen(mine, "wb") as out:
            count = sum(bool(out.write(line)) for line in lines)
        print(f"{file}: {counted(count - 1, 'row')}")

    try:
        export(ledger, write)
    except FileExistsError:
        raise BridgeError(f"people export: there is a {file} already: give another name") from None
    except OSError as error:
        raise BridgeError(f"people export: cannot write {file}: {error.strerror}") from None


def import_people(ledger: "Ledger", file: Path | None, *, dry_run: bool) -> dict[str, int]:
    """Take what a file says, all in one commit; how many rows of each table changed something."""
    from bridge.admin.people.file import import_people as take

    if file is None:
        raise BridgeError("people import: say from which file; - is standard input")
    return take(ledger, _read(file), dry_run=dry_run).changed


def _read(file: Path) -> "list[Line]":
    from bridge.admin.people.file import read_people

    try:
        if file == STDIN:
            return read_people(sys.stdin, str(file))
        with file.open(encoding="utf-8", newline="\n") as lines:
            return read_people(lines, str(file))
    except OSError as error:
        raise BridgeError(f"people import: cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BridgeError(f"people import: {file} is not UTF-8") from None


def import_summary(changed: dict[str, int], *, dry_run: bool) -> str:
    """What an import has changed, or would."""
    parts = [counted(number, noun) for name, noun in NOUNS.items() if (number := changed.get(name))]
    said = ", ".join(parts) or "nothing new"
    return f"{'would take' if dry_run else 'took'} {said}"
