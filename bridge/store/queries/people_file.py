"""Exporting what is known of people, and importing it: all of a file, or nothing of it.

An import never turns on what is off: who wants to be told nothing, here or in the file, is told nothing. Of two rows
about the same the newer one holds; an address that takes nothing stays so. What has ended since is not revived: what a
deleted user wanted, was told of and had linked, and a link that was ended. The directory is the operator's file's
business: it is taken where there is none.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bridge.codec import dump, load
from bridge.people.person import forgotten_key
from bridge.people.wants import Wants, wants_of
from bridge.store.compiled import write
from bridge.store.people_file import TABLES, Line, RowValues
from bridge.store.queries.changes import note_change
from bridge.store.queries.directory import put_chats
from bridge.store.queries.proofs import BY_PROOF
from bridge.store.schema import (
    addresses,
    closed,
    directories,
    directory,
    links,
    proof_stops,
    proofs,
    told,
    unlinked,
    wishes,
)
from bridge.value import Value

CHUNK = 500  # rows in one statement


def people_rows(connection: sa.Connection) -> Iterator[Line]:
    """All rows of the tables of people, in the order of their keys; of the directory those that are in force."""
    for table in TABLES:
        select = sa.select(table).order_by(*table.primary_key.columns)
        if table is directory:
            select = select.where(directory.c.generation.in_(sa.select(directories.c.generation)))
        for row in connection.execute(select.execution_options(yield_per=CHUNK)):
            yield Line(table, row._asdict())


def import_people(connection: sa.Connection, lines: Sequence[Line]) -> dict[str, int]:
    """Take what holds of these rows; how many of each table changed something."""
    changed: Counter[str] = Counter()
    has_directory = connection.execute(sa.select(directories.c.id)).first() is not None
    ended = ended_by(connection)
    for table in TABLES:
        if table in (directories, directory) and has_directory:
            continue
        rows = [line.values for line in lines if line.table is table and not ended.has(line)]
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            changed[table.name] += _import(connection, table, some)
            for row in some if table is directory else ():
                put_chats(connection, row["generation"], [(row["key"], load(row["record"]))])
    note_change(connection)
    return {name: number for name, number in changed.items() if number}


class Endings(Value):
    """What has ended, and when: a row from before then is of the past.

    people  deleted ones, by the keys of their rows
    links   by their customers' keys and their senders
    shown   those that were made by what is shown, by their customers' keys
    """

    people: Mapping[str, int]
    links: Mapping[tuple[str, str], int]
    shown: Mapping[str, int]

    def has(self, line: Line) -> bool:
        """Whether a row is of what has ended."""
        row = line.values
        if line.table not in OF_PEOPLE:
            return False
        ends = [self.people.get(row["key"])]
        if line.table is links:
            ends.append(self.links.get((row["key"], row["sender"])))
            ends.append(self.shown.get(row["key"]) if row["how"] == BY_PROOF else None)
        return any(end is not None and row["at"] <= end for end in ends)


#: Tables of what a deleted user leaves nothing in.
OF_PEOPLE = (wishes, links, told, proof_stops)


def ended_by(connection: sa.Connection) -> Endings:
    """What has ended by now, as far as that is kept."""
    deleted = {row.key: row.at for row in connection.execute(sa.select(closed))}
    void = sa.select(proofs.c.key, sa.func.max(proofs.c.void_at).label("at")).where(proofs.c.void_at.is_not(None))
    gone = sa.select(unlinked.c.key, unlinked.c.sender, sa.func.max(unlinked.c.at).label("at"))
    of_links = connection.execute(gone.group_by(unlinked.c.key, unlinked.c.sender))
    return Endings(
        {**{forgotten_key(key): at for key, at in deleted.items()}, **deleted},
        {(row.key, row.sender): row.at for row in of_links},
        {row.key: row.at for row in connection.execute(void.group_by(proofs.c.key))},
    )


def _import(connection: sa.Connection, table: sa.Table, rows: Sequence[RowValues]) -> int:
    """Put the rows that hold in the place of those that are there."""
    known = _known(connection, table, rows)
    merge = MERGES.get(table, _keep)
    wanted = [merge(known.get(_key(table, row)), row) for row in rows]
    new = [row for row in wanted if row is not None]
    if new:
        keys = [_key(table, row) for row in new]
        connection.execute(sa.delete(table).where(sa.tuple_(*table.primary_key.columns).in_(keys)))
        write(connection, table.insert().values({name: sa.bindparam(name) for name in new[0]}), new)
    return len(new)


def _known(connection: sa.Connection, table: sa.Table, rows: Sequence[RowValues]) -> dict[tuple[Any, ...], RowValues]:
    """What is there of these rows; who says something meanwhile is heard behind the import."""
    keys = [_key(table, row) for row in rows]
    mine = sa.select(table).where(sa.tuple_(*table.primary_key.columns).in_(keys))
    found = connection.execute(mine.order_by(*table.primary_key.columns).with_for_update())
    return {_key(table, row): row for row in map(sa.Row._asdict, found)}


def _key(table: sa.Table, row: RowValues) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


#: The row that holds, of what is known, if anything, and what the file says; None where that is what is known.
Merge = Callable[[RowValues | None, RowValues], RowValues | None]


def _keep(known: RowValues | None, said: RowValues) -> RowValues | None:
    return said if known is None else None


def _wish(known: RowValues | None, said: RowValues) -> RowValues | None:
    if known is None:
        return said
    older, newer = sorted((known, said), key=lambda one: int(one["at"]))
    holds = newer if newer["stopped_at"] is not None or older["stopped_at"] is None else older
    wants = (_wants(older) | _wants(newer)).to_json()
    merged = holds if _wants(holds).to_json() == wants else {**holds, "wants": dump(wants).decode()}
    return None if merged == known else merged


def _wants(row: RowValues) -> Wants:
    return wants_of(load(row["wants"]) if row["wants"] else {}, stopped=False)


def _newer(known: RowValues | None, said: RowValues) -> RowValues | None:
    return said if known is None or said["at"] > known["at"] else None


def _address(known: RowValues | None, said: RowValues) -> RowValues | None:
    if known is None:
        return said
    return said if known["reason"] is None and said["reason"] is not None else None


#: A link is replaced by a newer one alone, as what was told is.
MERGES: dict[sa.Table, Merge] = {wishes: _wish, links: _newer, told: _newer, addresses: _address}
