"""Threads: the last message about a subject at a sink, for the next one to answer or to edit."""

from collections.abc import Iterable

import sqlalchemy as sa

from bridge.message import Earlier
from bridge.outcome import Done
from bridge.posted import is_changeable
from bridge.store.base import Settlement
from bridge.store.compiled import read, write
from bridge.store.index_key import index_key
from bridge.store.moments import micros, moment
from bridge.store.schema import threads

EARLIER_MESSAGE = sa.select(threads).where(
    threads.c.sink == sa.bindparam("sink_"), threads.c.subject == sa.bindparam("subject_")
)
_PUT_THREAD = sa.text(
    "INSERT INTO threads (sink, subject, ref, type, occurred_at, said_at)"
    " VALUES (:sink, :subject, :ref, :type, :occurred_at, :said_at)"
    " ON CONFLICT (sink, subject) DO UPDATE SET ref = excluded.ref, type = excluded.type,"
    " occurred_at = excluded.occurred_at, said_at = excluded.said_at"
)


def earlier_message(connection: sa.Connection, sink: str, subject: str) -> Earlier | None:
    """The last message about a subject at a sink."""
    for row in read(connection, EARLIER_MESSAGE, {"sink_": sink, "subject_": index_key(subject)}):
        return Earlier(ref=row.ref, type=row.type, occurred_at=moment(row.occurred_at))
    return None


def put_threads(connection: sa.Connection, settlements: Iterable[Settlement]) -> None:
    """Remember those of the delivered messages that a later one is to update, or whoever posted it may change."""
    if rows := [row for one in settlements if (row := _thread_row(one)) is not None]:
        write(connection, _PUT_THREAD, rows)


def _thread_row(settlement: Settlement) -> dict[str, object] | None:
    delivery, fate = settlement.delivery, settlement.fate
    updates = delivery.terms is not None and delivery.terms.update is not None
    if delivery.order is None or not (updates or is_changeable(delivery.event)):
        return None
    if not isinstance(fate, Done) or fate.ref is None:
        return None
    return {
        "sink": delivery.sink,
        "subject": index_key(delivery.order),
        "ref": fate.ref,
        "type": delivery.event.type,
        "occurred_at": micros(delivery.event.occurred_at),
        "said_at": micros(settlement.at),
    }
