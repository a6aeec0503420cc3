"""Links that were moved to another chat: the chat that had one may have it back for a day, for somebody else may have
opened a link that was not meant for them.

Who had it first has it last: what a chat takes back, no later one takes back from it, and not what was given away
before. The rows say whose right it is, never what a button says.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bridge.people.chat import button_key
from bridge.store.moments import micros, moment
from bridge.store.queries.changes import note_change
from bridge.store.queries.links import link_of, note_ended, put_link, revoke_tokens
from bridge.store.queries.wishes import set_stopped, wishes_of
from bridge.store.schema import links, moved, proof_stops
from bridge.value import Value

BACK_WITHIN = timedelta(days=1)
PLACED = "placed"  # how a chat is somebody's that is linked when it takes back what the directory gave it
MOST = 100  # rights of one chat that are looked through: a family has fewer
_PUT = sa.text(
    "INSERT INTO moved (sender, chat, key, how, first_at, at) VALUES (:sender, :chat, :key, :how, :first_at, :at)"
    " ON CONFLICT (sender, chat, key) DO UPDATE SET how = excluded.how, at = excluded.at"
)
_STOP_PROOFS = sa.text("INSERT INTO proof_stops (key, at) VALUES (:key, :at) ON CONFLICT (key) DO NOTHING")


class ReturnRight(Value):
    """That a chat may have the link of a recipient back, which was moved away from it, and how it was made."""

    sender: str
    chat: str
    key: str
    how: str
    first_at: int
    at: datetime


def note_moved(connection: sa.Connection, key: str, sender: str, *, now: datetime, placed: Sequence[str] = ()) -> None:
    """Keep from which chat a link is about to be moved away; where there is none, in which chats they were `placed`."""
    delete_over(connection, now=now)
    stands = links.c.key == key, links.c.sender == sender
    linked = [(row.chat, row.how) for row in connection.execute(sa.select(links).where(*stands))]
    for chat, how in linked or [(chat, PLACED) for chat in placed]:
        newest = sa.select(sa.func.max(moved.c.first_at)).where(moved.c.key == key, moved.c.sender == sender)
        first_at = max(micros(now), (connection.execute(newest).scalar_one() or 0) + 1)
        place = {"sender": sender, "chat": chat, "key": key}
        connection.execute(_PUT, {**place, "how": how, "first_at": first_at, "at": micros(now)})


def right_of(connection: sa.Connection, sender: str, chat: str, button: str, *, now: datetime) -> ReturnRight | None:
    """The right of a chat that a button stands for; None where it has none, or has it no more."""
    theirs = moved.c.sender == sender, moved.c.chat == chat, moved.c.at > micros(now - BACK_WITHIN)
    for row in connection.execute(sa.select(moved).where(*theirs).order_by(moved.c.key).limit(MOST)):
        if button_key(row.key) == button:
            return ReturnRight(sender, chat, row.key, row.how, row.first_at, moment(row.at))
    return None


def take_back(connection: sa.Connection, right: ReturnRight, *, by: str, now: datetime) -> str | None:
    """From this commit on the link is that chat's again; the chat whose it was until now.

    Whoever has moved it may have more to move it with: nothing that was given away before moves it, nothing that is
    shown links them until the operator says so, and no stop that was said there holds.
    """
    key, sender = right.key, right.sender
    before = link_of(connection, sender, key)
    put_link(connection, key, sender, right.chat, how=right.how, now=now)
    later = moved.c.key == key, moved.c.sender == sender, moved.c.first_at > right.first_at
    connection.execute(sa.delete(moved).where(*later))
    revoke_tokens(connection, key)
    connection.execute(_STOP_PROOFS, {"key": key, "at": micros(now)})
    wish = wishes_of(connection, [key]).get(key)
    if wish is not None and wish.stopped_at is not None and wish.by == by and wish.stopped_at >= right.at:
        set_stopped(connection, key, stop=False, by=by, now=now)
    return before


def give_up(connection: sa.Connection, key: str, sender: str, chat: str, *, now: datetime) -> None:
    """That chat is theirs no more, by its own word."""
    for table in (links, moved):
        theirs = table.c.key == key, table.c.sender == sender, table.c.chat == chat
        connection.execute(sa.delete(table).where(*theirs))
    note_ended(connection, key, sender, chat, now)
    note_change(connection)


def proofs_stopped_at(connection: sa.Connection, key: str) -> datetime | None:
    """Since when nothing links them that is shown; None where something does."""
    at = connection.execute(sa.select(proof_stops.c.at).where(proof_stops.c.key == key)).scalar_one_or_none()
    return None if at is None else moment(at)


def allow_proofs(connection: sa.Connection, key: str) -> bool:
    """What is shown links them again; whether anything kept it from that."""
    return connection.execute(sa.delete(proof_stops).where(proof_stops.c.key == key)).rowcount > 0


def delete_over(connection: sa.Connection, *, now: datetime) -> int:
    """Forget rights that are over, they are few; how many."""
    return connection.execute(sa.delete(moved).where(moved.c.at <= micros(now - BACK_WITHIN))).rowcount
