"""Mutes: what is not to be told for a while. They are few, and every commit that puts events reads them."""

from datetime import datetime

import sqlalchemy as sa

from bridge.errors import BridgeError
from bridge.mute import Mute, MuteKind
from bridge.store.backend import backend_of
from bridge.store.compiled import tuples
from bridge.store.moments import micros, moment
from bridge.store.queries.changes import note_change
from bridge.store.schema import mutes

MOST = 500  # at once
IN_FORCE = sa.select(mutes).where(mutes.c.until > sa.bindparam("now_")).order_by(mutes.c.id)


def mutes_in_force(connection: sa.Connection, now: datetime) -> list[Mute]:
    """What is muted now, in the order in which it was."""
    return [_mute(*row) for row in tuples(connection, IN_FORCE, {"now_": micros(now)})]


def add_mute(connection: sa.Connection, kind: MuteKind, value: str, *, until: datetime, by: str, now: datetime) -> Mute:
    """Mute it until then; what is muted already is so until then instead."""
    backend_of(connection).lock_changes(connection)  # or two who mute the same would add it twice
    same = (mutes.c.kind == kind.value, mutes.c.value == value)
    connection.execute(sa.delete(mutes).where(*same))
    if len(mutes_in_force(connection, now)) >= MOST:
        raise BridgeError(f"mute: {MOST} things are muted already: end some of them")
    values = {"kind": kind.value, "value": value, "until": micros(until), "by": by, "at": micros(now)}
    row = connection.execute(mutes.insert().values(values).returning(mutes)).one()
    note_change(connection)
    return _mute(*row)


def end_mute(connection: sa.Connection, id_: int, *, now: datetime) -> Mute | None:
    """End it; what it was, None where there is none in force."""
    found = next((one for one in mutes_in_force(connection, now) if one.id == id_), None)
    if found is not None:
        connection.execute(sa.delete(mutes).where(mutes.c.id == id_))
        note_change(connection)
    return found


def delete_over(before: datetime) -> sa.Delete:
    """What is over since then."""
    return sa.delete(mutes).where(mutes.c.until < micros(before))


def _mute(id_: int, kind: str, value: str, until: int, by: str, at: int) -> Mute:
    """From its columns, in their order."""
    return Mute(id=id_, kind=MuteKind(kind), value=value, until=moment(until), by=by, at=moment(at))
