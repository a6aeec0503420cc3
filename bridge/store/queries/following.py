"""Deliveries that follow from what became of another, made in the commit that records it.

A dead one, or one that reaches nobody, falls back to another sink. One that told of trouble is followed by a reminder:
a delivery of the same event that waits until it is due. So a crash repeats none, and after a long stop there is one,
not all that were missed. Whether the trouble is over is asked when it is due.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TypeGuard

import sqlalchemy as sa

from bridge.event import Event
from bridge.outcome import Dead, Done, Fate, HeldBack
from bridge.people.recipient import is_customer
from bridge.store.base import Delivery, Ending, Settlement, State
from bridge.store.compiled import read
from bridge.store.matching import is_about
from bridge.store.moments import micros
from bridge.store.queries.put import DELETED, add_deliveries, lock_next_id
from bridge.store.rows import delivery_row, event_of, lowest_event_id
from bridge.store.schema import deliveries, events
from bridge.terms import Terms
from bridge.value import replace

_UNSETTLED = (
    sa.select(deliveries.c.id)
    .where(deliveries.c.id == sa.bindparam("id_"), deliveries.c.settled_at.is_(None))
    .with_for_update()
)
PAGE = 500  # events of a subject that are looked at together
FEW = 20  # the same where each is read whole
LATER_EVENTS = (
    sa.select(events.c.id, events.c.type)
    .where(is_about(sa.bindparam("subject_")))
    .where(events.c.id > sa.bindparam("event_id_"), events.c.source == sa.bindparam("source_"))
    .order_by(events.c.id)
    .limit(sa.bindparam("limit_"))
)
ABOUT_PERSON = (
    sa.select(
        *(events.c[name] for name in ("id", "source", "panel", "type", "native_type", "subject", "occurred_at")),
        *(events.c.received_at, events.c.data, sa.literal_column("'null'").label("native")),  # nobody asks for it
    )
    .where(is_about(sa.bindparam("subject_")), events.c.realm == sa.bindparam("realm_"))
    .where(events.c.id > sa.bindparam("event_id_"))
    .order_by(events.c.id)
    .limit(sa.bindparam("limit_"))
)
DELETING = (
    sa.select(events.c.id)
    .where(is_about(sa.bindparam("subject_")), events.c.realm == sa.bindparam("realm_"))
    .where(events.c.id > sa.bindparam("event_id_"), events.c.received_at == sa.bindparam("now_"))
    .where(events.c.type == sa.bindparam("type_"))
    .order_by(events.c.id.desc())
    .limit(sa.literal_column("1"))
)
EVENT_SINKS = sa.select(deliveries.c.sink).where(deliveries.c.event_id == sa.bindparam("event_id_"))


def may_have_following(settlement: Settlement) -> bool:
    """Whether a delivery follows from it, unless it is recorded already: whoever makes it locks ids before all else."""
    terms = settlement.delivery.terms
    if terms is None:
        return False
    return (bool(terms.fallback) and falls_back(settlement.fate)) or terms.repeat is not None


def put_following(connection: sa.Connection, settlement: Settlement) -> Delivery | None:
    """Make the delivery that follows from a settlement; None where there is none, or it is recorded already."""
    if falls_back(settlement.fate):
        return _put_fallback(connection, settlement, settlement.fate)
    if isinstance(settlement.fate, Done) and _wants_reminder(settlement.delivery):
        return _put_reminder(connection, settlement)
    return None


def falls_back(fate: Fate) -> TypeGuard[Dead | HeldBack]:
    """Whether another sink is told instead: it could not be told, or nobody could be reached."""
    return isinstance(fate, Dead) or (isinstance(fate, HeldBack) and fate.unreached)


def _put_fallback(connection: sa.Connection, settlement: Settlement, fate: Dead | HeldBack) -> Delivery | None:
    """For the first fallback sink that the event has not been for yet; a customer's is for that customer too."""
    dead = settlement.delivery
    if dead.terms is None or not dead.terms.fallback:
        return None
    id_ = lock_next_id(connection)
    if not read(connection, _UNSETTLED, {"id_": dead.id}):
        return None
    had = {sink for (sink,) in read(connection, EVENT_SINKS, {"event_id_": dead.event.id})}
    sink = next((sink for sink in dead.terms.fallback if sink not in had), None)
    if sink is None:
        return None
    fallback = replace(
        dead,
        id=id_,
        sink=sink,
        made_at=settlement.at,
        terms=fallback_terms(dead.terms, sink),
        attempts=0,
        state=State.PENDING,
        due_at=None,
        sealed=None,  # it was for that sink alone
        recipient=dead.recipient if is_customer(dead.recipient) else None,
        instead=f"{dead.sink}: {fate.reason}",
    )
    add_deliveries(connection, [delivery_row(fallback)])
    return fallback


def fallback_terms(terms: Terms, sink: str) -> Terms | None:
    """What of a row's terms makes sense at its fallback `sink`: the quiet hours, whom else to fall back to, who speaks
    to customers, and what these may switch off.
    """
    left = terms.fallback[terms.fallback.index(sink) + 1 :]
    reduced = Terms(
        quiet=terms.quiet,
        fallback=left,
        fallback_after=terms.fallback_after if left else None,
        category=terms.category,
        critical=terms.critical,
        max_per_day=terms.max_per_day,
        brand=terms.brand,
    )
    return None if reduced == Terms() else reduced


def _wants_reminder(told: Delivery) -> bool:
    """Whether its trouble is told again; a replay begins nothing anew."""
    if told.terms is None or told.terms.repeat is None or told.replay_of is not None:
        return False
    return (told.reminder or 0) < told.terms.repeat.max and bool(told.terms.ended_by(told.event))


def _put_reminder(connection: sa.Connection, settlement: Settlement) -> Delivery | None:
    told = settlement.delivery
    assert told.terms is not None
    assert told.terms.repeat is not None
    id_ = lock_next_id(connection)
    if not read(connection, _UNSETTLED, {"id_": told.id}):
        return None
    reminder = replace(
        told,
        id=id_,
        made_at=settlement.at,
        terms=Terms(quiet=told.terms.quiet, repeat=told.terms.repeat),
        attempts=0,
        state=State.WAITING,
        due_at=settlement.at + timedelta(seconds=told.terms.repeat.every),
        instead=None,
        reminder=(told.reminder or 0) + 1,
    )
    add_deliveries(connection, [delivery_row(reminder)])
    return reminder


def ended_by(connection: sa.Connection, event: Event, types: Collection[str]) -> Ending | None:
    """The first event after this one, of the same source and subject, that has one of these types."""
    values = {"subject_": event.subject, "source_": event.source, "event_id_": event.id, "limit_": PAGE}
    while rows := read(connection, LATER_EVENTS, values):
        for row in rows:
            if row.type in types:
                return Ending(row.id, row.type)
        values["event_id_"] = rows[-1].id
    return None


def later_events(connection: sa.Connection, key: str, event_id: str) -> list[Event]:
    """The first events about a customer after that one, of whatever source of their realm, without what is native."""
    realm, _, subject = key.partition("/")
    values = {"realm_": realm, "subject_": subject, "event_id_": event_id, "limit_": FEW}
    return [event_of(row) for row in read(connection, ABOUT_PERSON, values)]


def deleted_by(connection: sa.Connection, key: str, at: datetime) -> str | None:
    """The last event that came at that time and told of a customer's deletion; its id."""
    realm, _, subject = key.partition("/")
    values = {"realm_": realm, "subject_": subject, "event_id_": lowest_event_id(at), "now_": micros(at)}
    return next((row.id for row in read(connection, DELETING, {**values, "type_": DELETED})), None)
