"""Forget: what is kept about a person, found by one who reads and erased by one who writes, in steps.

Each step is whole: an event goes with its deliveries, their tries and the addresses that they went to. So whatever
interrupts it, what is left is found by beginning again.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from bridge.event import Event
from bridge.people.person import Person, forgotten_key
from bridge.people.wants import CHAT
from bridge.store.backend import backend_of
from bridge.store.base import State
from bridge.store.ledger import Ledger
from bridge.store.personal import RULES, Relation, may_name, without_name
from bridge.store.queries import attempts as tries
from bridge.store.queries.erasures import erased_something
from bridge.store.queries.polled import leave_unsaid
from bridge.store.rows import Row, event_of
from bridge.store.schema import (
    addresses,
    attempts,
    deliveries,
    directory,
    directory_chats,
    events,
    links,
    metadata,
    polled,
    wishes,
)
from bridge.value import Value

WINDOW = 2000  # rows that are looked through at once
STEP = 100  # rows that are erased at once: a running bridge never waits long
#: In the place of the newest delivery, which is never forgotten: see put.lock_next_id.
NO_SINK = ""

#: The values of a row's primary key.
RowKey = tuple[Any, ...]
#: Where an event was told to them.
PathsOfEvent = Callable[[Event], Collection[str]]


class FoundRows(Value):
    """Rows of one table that are the same to somebody."""

    table: sa.Table
    relation: Relation
    rows: Sequence[Row]


def rows_about(ledger: Ledger, person: Person) -> Iterator[FoundRows]:
    """All that there is of a person, a table after the other, at most STEP rows at once."""
    for table, rule in RULES.items():
        after: RowKey | None = None
        while True:
            keys, after = ledger.read(_window, table, person, after)
            for start in range(0, len(keys), STEP):
                rows = ledger.read(_rows, table, keys[start : start + STEP])
                for relation in Relation:
                    if found := [row for row in rows if rule(person, row) is relation]:
                        yield FoundRows(table, relation, found)
            if after is None:
                break


def _window(
    connection: sa.Connection, table: sa.Table, person: Person, after: RowKey | None
) -> tuple[list[RowKey], RowKey | None]:
    """Keys of the next rows that may name them, and behind which row others follow; None where none do."""
    key = list(table.primary_key.columns)
    select = sa.select(*key, may_name(connection, table, person).label("may_name")).order_by(*key).limit(WINDOW)
    if after is not None:
        last = [sa.bindparam(None, one, type_=column.type) for one, column in zip(after, key, strict=True)]
        select = select.where(sa.tuple_(*key) > sa.tuple_(*last))
    rows = connection.execute(select).all()
    named = [tuple(row)[:-1] for row in rows if row.may_name]
    return named, tuple(rows[-1])[:-1] if len(rows) == WINDOW else None


def _rows(connection: sa.Connection, table: sa.Table, keys: Sequence[RowKey]) -> list[Row]:
    return list(connection.execute(sa.select(table).where(_is_one_of(table, keys))))


def _is_one_of(table: sa.Table, keys: Sequence[RowKey]) -> sa.ColumnElement[bool]:
    key = list(table.primary_key.columns)
    return key[0].in_([one for (one,) in keys]) if len(key) == 1 else sa.tuple_(*key).in_([tuple(one) for one in keys])


def keys_of(found: FoundRows) -> list[RowKey]:
    names = [column.name for column in found.table.primary_key.columns]
    return [tuple(row._mapping[name] for name in names) for row in found.rows]


def deliveries_of_events(connection: sa.Connection, event_ids: Sequence[str]) -> list[int]:
    """Ids of what these events were to be told as."""
    return list(connection.execute(sa.select(deliveries.c.id).where(deliveries.c.event_id.in_(event_ids))).scalars())


def count_attempts(connection: sa.Connection, delivery_ids: Sequence[int]) -> int:
    """How often these were tried."""
    some = sa.select(sa.func.count()).select_from(attempts)
    chunks = (delivery_ids[start : start + STEP] for start in range(0, len(delivery_ids), STEP))
    return sum(connection.execute(some.where(attempts.c.delivery_id.in_(ids))).scalar_one() for ids in chunks)


def count_addresses(connection: sa.Connection, places: Collection[str]) -> int:
    """Of how many of these it is known how they stand."""
    known = addresses.c.place.in_(sorted(places))
    return connection.execute(sa.select(sa.func.count()).select_from(addresses).where(known)).scalar_one()


def wishes_at(connection: sa.Connection, person: Person, places: Collection[str]) -> list[Row]:
    """What was said in these chats and mailboxes, but for those that somebody else has linked."""
    taken = sa.select(links.c.chat).where(links.c.chat.in_(sorted(places)), links.c.key != person.key)
    left = sorted(set(places) - set(connection.execute(taken).scalars()))
    said = sa.or_(sa.false(), *(wishes.c.key.endswith(f"{CHAT}{place}", autoescape=True) for place in left))
    return list(connection.execute(sa.select(wishes).where(said)))


def is_written_anywhere(connection: sa.Connection, person: Person) -> bool:
    """Whether any row has the letters of the name, be it as a part of another word."""
    return any(
        connection.execute(
            sa.select(sa.literal(1)).select_from(table).where(may_name(connection, table, person)).limit(1)
        ).first()
        for table in metadata.sorted_tables
        if any(isinstance(column.type, sa.Text) for column in table.columns)
    )


def erase(
    connection: sa.Connection, found: FoundRows, person: Person, *, now: int, places: PathsOfEvent
) -> dict[str, int]:
    """Erase what was found; how many rows of which table that were. What is theirs goes, else their name does."""
    if found.table is polled:
        counts = {"polled": sum(leave_unsaid(connection, key, person.key) for key in keys_of(found))}
    elif found.relation is Relation.WORDS:
        counts = _erase_words(connection, found, person)
    elif found.table is events:
        counts = _erase_events(connection, found, person, now, places)
    elif found.table is deliveries:
        counts = _erase_deliveries(connection, [row.id for row in found.rows], now)
    else:
        if found.table is wishes:
            _leave_stopped(connection, found, person)
        if found.table is directory:
            _erase_chats(connection, found)
        counts = {found.table.name: _delete(connection, found)}
    erased_something(connection)
    return counts


def _delete(connection: sa.Connection, found: FoundRows) -> int:
    return connection.execute(sa.delete(found.table).where(_is_one_of(found.table, keys_of(found)))).rowcount


def _erase_chats(connection: sa.Connection, found: FoundRows) -> None:
    """In which chats records of the directory place whom they are about."""
    theirs = directory_chats.c.key.in_([row.key for row in found.rows])
    connection.execute(sa.delete(directory_chats).where(theirs))


def _erase_events(
    connection: sa.Connection, found: FoundRows, person: Person, now: int, places: PathsOfEvent
) -> dict[str, int]:
    ids = [row.id for row in found.rows]
    backend_of(connection).lock_changes(connection)  # nobody may make a delivery of them meanwhile: a replay
    counts = _erase_deliveries(connection, deliveries_of_events(connection, ids), now)
    went_to = {place for row in found.rows for place in places(event_of(row))}
    gone = connection.execute(sa.delete(addresses).where(addresses.c.place.in_(sorted(went_to)))).rowcount
    said = FoundRows(wishes, Relation.THEIRS, wishes_at(connection, person, went_to))
    _leave_stopped(connection, said, person)
    return counts | {"wishes": _delete(connection, said), "events": _delete(connection, found), "addresses": gone}


def _erase_deliveries(connection: sa.Connection, ids: Sequence[int], now: int) -> dict[str, int]:
    backend_of(connection).lock_changes(connection)
    newest = connection.execute(sa.select(sa.func.max(deliveries.c.id))).scalar_one()
    left = sa.and_(deliveries.c.sink == NO_SINK, deliveries.c.settled_at.is_not(None), deliveries.c.id != newest)
    connection.execute(sa.delete(deliveries).where(left))
    of_tries = deleted = 0
    for start in range(0, len(ids), STEP):
        some = ids[start : start + STEP]
        of_tries += connection.execute(tries.delete_of(some)).rowcount
        others = deliveries.c.id.in_(some), deliveries.c.id != newest
        deleted += connection.execute(sa.delete(deliveries).where(*others)).rowcount
    if newest in ids:
        connection.execute(
            sa.update(deliveries).where(deliveries.c.id == newest).values(_EMPTIED | {"settled_at": now})
        )
        deleted += 1
    return {"deliveries": deleted, "attempts": of_tries}


#: What is left of the newest delivery.
_EMPTIED: dict[str, Any] = {
    column.name: None for column in deliveries.columns if column.nullable and column.name != "settled_at"
} | {"sink": NO_SINK, "row": "", "event_id": "", "state": State.HELD_BACK.value, "attempts": 0}


def _erase_words(connection: sa.Connection, found: FoundRows, person: Person) -> dict[str, int]:
    changed = 0
    for row, key in zip(found.rows, keys_of(found), strict=True):
        values = without_name(found.table, row, person)
        changed += connection.execute(
            sa.update(found.table).where(_is_one_of(found.table, [key])).values(values)
        ).rowcount
    return {found.table.name: changed}


def _leave_stopped(connection: sa.Connection, found: FoundRows, person: Person) -> None:
    """Whoever wanted to be told nothing is told nothing: a wish outlives the name, under what does not say it."""
    for row in found.rows:
        if row.stopped_at is not None:
            left = {"key": forgotten_key(row.key), "by": person.masked(row.by), "wants": None}
            values = row._asdict() | left
            connection.execute(sa.delete(wishes).where(wishes.c.key == values["key"]))
            connection.execute(wishes.insert().values(values))
