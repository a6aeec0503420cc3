"""The directory: where recipients are reached, as the operator wrote it.

A generation is what one file says, under a hash of it. It is written in steps, beside the one that is in force, and put
in force in one commit: whoever looks finds the whole of the old one or the whole of the new one, and two replicas with
the same file write the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from bridge.codec import dump, load
from bridge.people.recipient import is_customer
from bridge.people.record import private_chat_of
from bridge.store.backend import backend_of
from bridge.store.compiled import any_of, read_any, write
from bridge.store.queries.changes import note_change
from bridge.store.schema import directories, directory, directory_chats, links

THE_ROW = 1  # of `directories`
CHUNK = 500  # records that are written or deleted at once

_IN_FORCE = sa.select(directories.c.generation).where(directories.c.id == THE_ROW)
_PUT_RECORD = sa.text(
    "INSERT INTO directory (generation, key, record) VALUES (:generation, :key, :record)"
    " ON CONFLICT (generation, key) DO UPDATE SET record = excluded.record"
)
_PUT_CHAT = sa.text(
    "INSERT INTO directory_chats (generation, chat, key) VALUES (:generation, :chat, :key)"
    " ON CONFLICT (generation, chat, key) DO NOTHING"
)
_PUT_IN_FORCE = sa.text(
    "INSERT INTO directories (id, generation) VALUES (:id, :generation)"
    " ON CONFLICT (id) DO UPDATE SET generation = excluded.generation"
)

#: A recipient's key and what is written of it.
RecordRow = tuple[str, Mapping[str, Any]]


def generation_in_force(connection: sa.Connection) -> str | None:
    """The generation that records are looked up in; None where there never was a directory."""
    return connection.execute(_IN_FORCE).scalar()


@cache
def records_among(many: int) -> sa.Select[Any]:
    """What the directory in force says of so many."""
    in_force = directory.c.generation == _IN_FORCE.scalar_subquery()
    return sa.select(directory.c.key, directory.c.record).where(in_force, any_of(directory.c.key, many))


def records_of(connection: sa.Connection, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What the directory says of these recipients, of those that it knows."""
    return {row.key: load(row.record) for row in read_any(connection, records_among, keys)}


def records_after(connection: sa.Connection, after: str, *, limit: int) -> list[RecordRow]:
    """What the directory says of the next ones that it knows, by their keys."""
    mine = directory.c.generation == _IN_FORCE.scalar_subquery(), directory.c.key > after
    found = sa.select(directory.c.key, directory.c.record).where(*mine).order_by(directory.c.key).limit(limit)
    return [(key, load(record)) for key, record in connection.execute(found)]


def placed_in(connection: sa.Connection, sender: str, chat: str, *, limit: int) -> list[str]:
    """The keys of those whom the directory places in a chat of that bot, and who have linked none there."""
    here = sa.select(directory_chats.c.key).where(directory_chats.c.chat == chat, *_placed(sender))
    return list(connection.execute(here.order_by(directory_chats.c.key).limit(limit)).scalars())


@cache
def placed_among(many: int) -> sa.Select[Any]:
    """How many the directory places in each of so many chats, who have linked none of that bot."""
    here = any_of(directory_chats.c.chat, many), *_placed(sa.bindparam("sender_"))
    counted = sa.select(directory_chats.c.chat, sa.func.count().label("many")).where(*here)
    return counted.group_by(directory_chats.c.chat)


def _placed(sender: Any) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """A link comes before the directory."""
    linked = sa.exists().where(links.c.key == directory_chats.c.key, links.c.sender == sender)
    return directory_chats.c.generation == _IN_FORCE.scalar_subquery(), sa.not_(linked)


def put_records(connection: sa.Connection, chunks: Sequence[tuple[str, Sequence[RecordRow]]]) -> list[None]:
    """Write records of a generation that is not in force yet."""
    rows = [
        {"generation": generation, "key": key, "record": dump(record).decode()}
        for generation, records in chunks
        for key, record in records
    ]
    if rows:
        write(connection, _PUT_RECORD, rows)
    for generation, records in chunks:
        put_chats(connection, generation, records)
    return [None] * len(chunks)


def put_chats(connection: sa.Connection, generation: str, records: Iterable[RecordRow]) -> None:
    """Write in which chats these records of a generation place users."""
    placed = [
        {"generation": generation, "chat": chat, "key": key}
        for key, record in records
        if is_customer(key) and (chat := private_chat_of(record)) is not None
    ]
    if placed:
        write(connection, _PUT_CHAT, placed)


def put_in_force(connection: sa.Connection, written: Sequence[tuple[str, int]]) -> list[bool]:
    """From this commit on records are looked up in that generation; not where some of those that were written are gone,
    for another one was put in force meanwhile.
    """
    backend_of(connection).lock_changes(connection)  # nobody may forget any of them meanwhile
    done = []
    for generation, number in written:
        there = sa.select(sa.func.count()).select_from(directory).where(directory.c.generation == generation)
        done.append(connection.execute(there).scalar_one() >= number)
        if done[-1]:
            write(connection, _PUT_IN_FORCE, [{"id": THE_ROW, "generation": generation}])
            note_change(connection)
    return done


def forget_others(connection: sa.Connection, asked: Sequence[None]) -> list[int]:
    """Delete some records that are not of the generation in force; how many."""
    backend_of(connection).lock_changes(connection)  # the one that is in force stays so
    others = sa.select(directory.c.generation, directory.c.key).where(
        directory.c.generation != _IN_FORCE.scalar_subquery()
    )
    rows = [tuple(row) for row in connection.execute(others.limit(CHUNK))]
    if rows:
        connection.execute(sa.delete(directory).where(sa.tuple_(directory.c.generation, directory.c.key).in_(rows)))
    else:  # of each there is a record at least
        gone = directory_chats.c.generation != _IN_FORCE.scalar_subquery()
        connection.execute(sa.delete(directory_chats).where(gone))
    return [len(rows)] * len(asked)
