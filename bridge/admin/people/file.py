"""What is known of people as a file of JSON lines, out of a store and into one."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import sqlalchemy as sa

from bridge.admin.people.shapes import Imported
from bridge.errors import BridgeError
from bridge.store.ledger import Ledger
from bridge.store.people_file import Line, LineFaults, lines, read
from bridge.store.queries.people_file import import_people as take
from bridge.store.queries.people_file import people_rows

T = TypeVar("T")


def export_people(ledger: Ledger, write: Callable[[Iterator[bytes]], T]) -> T:
    """What `write` makes of the file's lines, all of one moment."""

    def export(connection: sa.Connection) -> T:
        return write(lines(people_rows(connection)))

    return ledger.read(export)


def read_people(texts: Iterable[str], name: str) -> list[Line]:
    """The rows of a file of that name; raise BridgeError that says of each wrong line what it should be."""
    tell = LineFaults(name)
    found = list(read(texts, tell))
    if tell.count:
        raise BridgeError(f"people import: nothing was taken\n{tell.text}")
    return found


def import_people(ledger: Ledger, rows: list[Line], *, dry_run: bool) -> Imported:
    """Take what holds of these rows, all in one commit; how many of each table changed something."""

    def write(connection: sa.Connection) -> dict[str, int]:
        with connection.begin_nested() as savepoint:
            changed = take(connection, rows)
            if dry_run:
                savepoint.rollback()
        return changed

    return Imported(changed=ledger.write(write), dry_run=dry_run)
