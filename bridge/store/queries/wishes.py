"""Wishes: who wants to be told nothing. It is asked right before a message is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bridge.people.person import forgotten_key
from bridge.store.compiled import read
from bridge.store.schema import directories, directory, micros, moment, wishes

_STOPPED = sa.select(wishes.c.key).where(
    wishes.c.key.in_([sa.bindparam("key_"), sa.bindparam("forgotten_")]), wishes.c.stopped_at.is_not(None)
)
_PUT = sa.text(
    'INSERT INTO wishes (key, stopped_at, "by", at) VALUES (:key, :stopped_at, :by, :at)'
    ' ON CONFLICT (key) DO UPDATE SET stopped_at = excluded.stopped_at, "by" = excluded."by", at = excluded.at'
)


@dataclass(frozen=True, slots=True)
class Wish:
    """That a recipient wants nothing since then, who said so, and when."""

    key: str
    stopped_at: datetime | None
    by: str
    at: datetime


def stopped(connection: sa.Connection, keys: Sequence[str]) -> set[str]:
    """Which of these recipients want nothing."""
    return {key for key in keys if read(connection, _STOPPED, {"key_": key, "forgotten_": forgotten_key(key)})}


def set_stopped(connection: sa.Connection, key: str, *, stop: bool, by: str, now: datetime) -> None:
    """From this commit on a recipient is told nothing, or is told again."""
    values = {"key": key, "stopped_at": micros(now) if stop else None, "by": by, "at": micros(now)}
    connection.execute(_PUT, values)
    connection.execute(sa.delete(wishes).where(wishes.c.key == forgotten_key(key)))


def wish_of(connection: sa.Connection, key: str) -> Wish | None:
    """What a recipient wants; None where they never said."""
    either = sa.select(wishes).where(wishes.c.key.in_([key, forgotten_key(key)]))
    row = connection.execute(either.order_by(wishes.c.key != key)).first()
    if row is None:
        return None
    return Wish(key, None if row.stopped_at is None else moment(row.stopped_at), row.by, moment(row.at))


def count_stopped(connection: sa.Connection) -> int:
    """How many want nothing."""
    count = sa.select(sa.func.count()).select_from(wishes).where(wishes.c.stopped_at.is_not(None))
    return connection.execute(count).scalar_one()


def count_records(connection: sa.Connection) -> int:
    """How many recipients the directory in force knows."""
    in_force = sa.select(directories.c.generation).scalar_subquery()
    count = sa.select(sa.func.count()).select_from(directory).where(directory.c.generation == in_force)
    return connection.execute(count).scalar_one()
