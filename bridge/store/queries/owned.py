"""What an owner may see: their events, and what of them was told to them and to their customers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bridge.event import Event
from bridge.people.owner import Owner
from bridge.store.base import State
from bridge.store.chunks import chunks
from bridge.store.matching import is_about, is_of_type
from bridge.store.moments import micros, moment, moment_or_none
from bridge.store.queries.records import id_conditions
from bridge.store.records import DeliveryQuery
from bridge.store.rows import event_of
from bridge.store.schema import deliveries, events
from bridge.store.scope import is_told_to_theirs, scoped
from bridge.value import Value


class OwnedDelivery(Value, kw_only=True):
    """Something that they or a customer of theirs was told, or was to be.

    recipient  the key of whom
    sink       by which: what service that is may be said, its name not
    """

    recipient: str
    sink: str
    state: State
    made_at: datetime
    settled_at: datetime | None


def owned_events(
    connection: sa.Connection,
    owner: Owner,
    *,
    type_: str | None = None,
    subject: str | None = None,
    before: str | None = None,
    limit: int,
) -> list[Event]:
    """Their events, the newest first."""
    select = scoped(sa.select(events), owner).where(*id_conditions(DeliveryQuery(before=before)))
    if type_ is not None:
        select = select.where(is_of_type(type_))
    if subject is not None:
        select = select.where(is_about(subject))
    rows = connection.execute(select.order_by(events.c.id.desc()).limit(limit))
    return [event_of(row) for row in rows]


def owned_event(connection: sa.Connection, owner: Owner, id_: str) -> Event | None:
    """An event of theirs; None where there is none, and where it is another's alike."""
    row = connection.execute(scoped(sa.select(events), owner).where(events.c.id == id_)).one_or_none()
    return None if row is None else event_of(row)


def owned_deliveries(connection: sa.Connection, owner: Owner, ids: Sequence[str]) -> dict[str, list[OwnedDelivery]]:
    """What of these events was told to them and theirs, in order."""
    found: defaultdict[str, list[OwnedDelivery]] = defaultdict(list)
    columns = [deliveries.c[name] for name in ("event_id", "recipient", "sink", "state", "made_at", "settled_at")]
    joined = deliveries.join(events, events.c.id == deliveries.c.event_id)
    for some in chunks(ids):
        select = scoped(sa.select(*columns).select_from(joined), owner).where(
            deliveries.c.event_id.in_(some), is_told_to_theirs(owner)
        )
        for row in connection.execute(select.order_by(deliveries.c.id)):
            found[row.event_id].append(
                OwnedDelivery(
                    recipient=row.recipient,
                    sink=row.sink,
                    state=State(row.state),
                    made_at=moment(row.made_at),
                    settled_at=moment_or_none(row.settled_at),
                )
            )
    return dict(found)


def count_owned(connection: sa.Connection, owner: Owner, *, since: datetime) -> dict[str, int]:
    """How many of their events of each type have come in since then."""
    select = scoped(sa.select(events.c.type, sa.func.count()), owner).where(
        *id_conditions(DeliveryQuery(since=since)), events.c.received_at >= micros(since)
    )
    return dict(tuple(row) for row in connection.execute(select.group_by(events.c.type)))


def count_told(connection: sa.Connection, owner: Owner, *, since: datetime) -> dict[State, int]:
    """How much of their events since then was told to them and theirs, and how much waits or was given up."""
    joined = deliveries.join(events, events.c.id == deliveries.c.event_id)
    select = scoped(sa.select(deliveries.c.state, sa.func.count()).select_from(joined), owner).where(
        *id_conditions(DeliveryQuery(since=since)), events.c.received_at >= micros(since), is_told_to_theirs(owner)
    )
    return {State(state): number for state, number in connection.execute(select.group_by(deliveries.c.state))}
