"""Erasures: that something was erased, which lanes ask for; and up to which of them nothing is left in a file's log."""

from collections.abc import Sequence

import sqlalchemy as sa

from bridge.store.compiled import read
from bridge.store.queries.changes import note_change
from bridge.store.schema import deliveries, erasures

_ERASED = sa.text(
    "INSERT INTO erasures (id, version, log_wanted, log_emptied) VALUES (1, 1, 0, 0)"
    " ON CONFLICT (id) DO UPDATE SET version = erasures.version + 1"
)
_VERSION = sa.select(erasures.c.version, sa.select(sa.func.max(deliveries.c.id)).scalar_subquery().label("newest"))
_KEPT = sa.select(deliveries.c.id).where(
    deliveries.c.id == sa.bindparam("id_"), deliveries.c.event_id != sa.literal_column("''")
)
_WANTED = sa.select(erasures.c.log_wanted).where(erasures.c.log_emptied < erasures.c.log_wanted)


def erased_something(connection: sa.Connection) -> None:
    """With this commit something is gone that a lane may have claimed, and that the log still has."""
    connection.execute(_ERASED)
    note_change(connection)


def last_erasure(connection: sa.Connection) -> tuple[int, int]:
    """Which commit was the last that erased something, 0 for none; and the newest delivery there is now."""
    row = connection.execute(_VERSION).first()
    return (0, 0) if row is None else (row.version, row.newest or 0)


def kept(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Which of these deliveries are there; of the newest one that was erased a row without an event is left."""
    return {id_ for one in ids for (id_,) in read(connection, _KEPT, {"id_": one})}


def want_empty_log(connection: sa.Connection) -> int:
    """From now on nothing that was erased is to be left in a file's log; up to which version that is."""
    erased_something(connection)
    connection.execute(sa.update(erasures).values(log_wanted=erasures.c.version))
    version: int = connection.execute(sa.select(erasures.c.version)).scalar_one()
    return version


def wanted_log(connection: sa.Connection) -> int | None:
    """Up to which version a file's log is to be emptied; None where it is."""
    return next((version for (version,) in read(connection, _WANTED, {})), None)


def log_is_empty(connection: sa.Connection, version: int) -> None:
    """The log was emptied behind that version."""
    connection.execute(sa.update(erasures).where(erasures.c.log_emptied < version).values(log_emptied=version))


def put_log_empty(connection: sa.Connection, versions: Sequence[int]) -> list[None]:
    """The same, as one of several writes of a commit."""
    log_is_empty(connection, max(versions))
    return [None] * len(versions)
