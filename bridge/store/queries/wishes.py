"""Wishes: what people want to be told, and whether anything. It is asked right before a message is sent.

One row for each recipient that has said something, by its key, and one for each chat that has, by its scope: what is
said in a chat holds there, whoever is told there. Of who was forgotten a stop is left, by a hash of the key.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from bridge.codec import dump, load
from bridge.people.person import forgotten_key
from bridge.people.wants import AWAY, CATEGORIES, Wants, away_prefix, away_scope, wants_of
from bridge.store.backend import backend_of
from bridge.store.compiled import any_of, read_any
from bridge.store.moments import micros, moment
from bridge.store.queries.changes import note_change
from bridge.store.schema import directories, directory, wishes
from bridge.value import Value

_STOP = sa.text(
    'INSERT INTO wishes (key, stopped_at, "by", at) VALUES (:key, :stopped_at, :by, :at)'
    ' ON CONFLICT (key) DO UPDATE SET stopped_at = excluded.stopped_at, "by" = excluded."by", at = excluded.at'
)
_WANT = sa.text(
    'INSERT INTO wishes (key, wants, "by", at) VALUES (:key, :wants, :by, :at)'
    ' ON CONFLICT (key) DO UPDATE SET wants = excluded.wants, "by" = excluded."by", at = excluded.at'
)


@cache
def wishes_among(many: int) -> sa.Select[Any]:
    """What so many have said."""
    return sa.select(wishes).where(any_of(wishes.c.key, many))


class Wish(Value):
    """What a recipient wants, since when they want nothing if they do not, who said it last, and when."""

    key: str
    wants: Wants
    stopped_at: datetime | None
    by: str
    at: datetime


def wishes_of(connection: sa.Connection, keys: Sequence[str]) -> dict[str, Wish]:
    """What these want, of those that have said something."""
    by_stored = {stored: key for key in keys for stored in (forgotten_key(key), key)}
    rows = {row.key: row for row in read_any(connection, wishes_among, list(by_stored))}
    found: dict[str, Wish] = {}
    for stored, key in by_stored.items():  # what they have said since comes last
        if stored in rows:
            before = found.get(key)
            found[key] = _wish(key, rows[stored], stopped_at=None if before is None else before.stopped_at)
    return found


def set_stopped(connection: sa.Connection, key: str, *, stop: bool, by: str, now: datetime) -> None:
    """From this commit on a recipient is told nothing, or is told again."""
    values = {"key": key, "stopped_at": micros(now) if stop else None, "by": by, "at": micros(now)}
    connection.execute(_STOP, values)
    connection.execute(sa.delete(wishes).where(wishes.c.key == forgotten_key(key)))
    note_change(connection)


def forget_away(connection: sa.Connection, key: str) -> None:
    """Whoever is called so is somebody else from now on: no chat has said that they are not told there."""
    begins = away_prefix(key)
    connection.execute(sa.delete(wishes).where(sa.func.substr(wishes.c.key, 1, len(begins)) == begins))
    note_change(connection)


def is_away(connection: sa.Connection, key: str, sender: str, chat: str) -> bool:
    """Whether a bot's chat has said that it is not theirs."""
    scope = away_scope(sender, chat, key)
    said = wishes_of(connection, [scope]).get(scope)
    return said is not None and said.wants.stopped


def set_wants(connection: sa.Connection, key: str, said: Mapping[str, Any], *, by: str, now: datetime) -> None:
    """From this commit on a recipient wants that: a category by its name and a bool, locale, zone or quiet by a text;
    None takes back what was said.
    """
    backend_of(connection).lock_changes(connection)  # or two who say something would each forget the other
    before = wishes_of(connection, [key]).get(key)
    wants = before.wants.to_json() if before is not None else {}
    categories = {**wants.pop("categories", {}), **{name: one for name, one in said.items() if name in CATEGORIES}}
    chosen = {**wants, **{name: one for name, one in said.items() if name not in CATEGORIES}}
    whole = {**chosen, "categories": {name: one for name, one in categories.items() if one is not None}}
    stored = {name: one for name, one in whole.items() if one}
    connection.execute(_WANT, {"key": key, "wants": dump(stored).decode(), "by": by, "at": micros(now)})
    note_change(connection)


def locales_chosen(connection: sa.Connection) -> dict[str, str]:
    """The languages that were chosen, by the keys of recipients and the scopes of chats."""
    said = connection.execute(sa.select(wishes.c.key, wishes.c.wants).where(wishes.c.wants.is_not(None)))
    wants = {row.key: wants_of(load(row.wants), stopped=False) for row in said}
    return {key: one.chosen["locale"] for key, one in wants.items() if "locale" in one.chosen}


def count_stopped(connection: sa.Connection) -> int:
    """How many want nothing."""
    everywhere = sa.func.substr(wishes.c.key, 1, len(AWAY)) != AWAY
    count = sa.select(sa.func.count()).select_from(wishes).where(wishes.c.stopped_at.is_not(None), everywhere)
    return connection.execute(count).scalar_one()


def count_records(connection: sa.Connection) -> int:
    """How many recipients the directory in force knows."""
    in_force = sa.select(directories.c.generation).scalar_subquery()
    count = sa.select(sa.func.count()).select_from(directory).where(directory.c.generation == in_force)
    return connection.execute(count).scalar_one()


def _wish(key: str, row: sa.Row[Any], *, stopped_at: datetime | None) -> Wish:
    """What a row says; `stopped_at`: since when they wanted nothing before."""
    stopped_at = stopped_at if row.stopped_at is None else moment(row.stopped_at)
    wants = wants_of(load(row.wants) if row.wants else {}, stopped=stopped_at is not None)
    return Wish(key, wants, stopped_at, row.by, moment(row.at))
