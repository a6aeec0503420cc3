"""Dismiss: dead letters that a person has seen and puts away. They are kept as long as every other."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bridge.store.backend import backend_of
from bridge.store.base import Cleared, State
from bridge.store.compiled import write
from bridge.store.moments import micros_or_none
from bridge.store.queries.records import delivery_conditions, joined
from bridge.store.records import DeliveryQuery
from bridge.store.schema import deliveries
from bridge.value import replace

_SET_CLEARED = (
    sa.update(deliveries)
    .where(deliveries.c.id == sa.bindparam("id_"))
    .values(cleared=sa.bindparam("cleared_"), cleared_at=sa.bindparam("at_"))
)


def dismissable(connection: sa.Connection, query: DeliveryQuery) -> list[int]:
    """The dead letters that are meant and not dealt with, in their order."""
    return _dead(connection, query, None)


def dismissed(connection: sa.Connection, query: DeliveryQuery) -> list[int]:
    """Those that are meant and put away, in their order."""
    return _dead(connection, query, Cleared.DISMISSED)


def dismiss(connection: sa.Connection, query: DeliveryQuery, *, now: datetime) -> list[int]:
    """Put the dead letters away that are meant; which they were."""
    _lock(connection)
    return set_cleared(connection, dismissable(connection, query), Cleared.DISMISSED, now)


def undismiss(connection: sa.Connection, query: DeliveryQuery) -> list[int]:
    """Have them to look at again that are meant and were put away; which they were."""
    _lock(connection)
    return set_cleared(connection, dismissed(connection, query), None, None)


def _lock(connection: sa.Connection) -> None:
    backend_of(connection).lock_changes(connection)  # nobody may replay them meanwhile


def _dead(connection: sa.Connection, query: DeliveryQuery, cleared: Cleared | None) -> list[int]:
    meant = replace(query, states=(State.DEAD,), cleared=(cleared,))
    newest = (
        sa.select(deliveries.c.id)
        .select_from(joined)
        .where(*delivery_conditions(meant))
        .order_by(deliveries.c.id.desc())
        .limit(query.limit)
    )
    return [*connection.execute(newest).scalars()][::-1]


def set_cleared(
    connection: sa.Connection, ids: Sequence[int], cleared: Cleared | None, at: datetime | None
) -> list[int]:
    """Have deliveries be dealt with in that way, or in none; the same ids."""
    values = {"cleared_": cleared and cleared.value, "at_": micros_or_none(at)}
    if ids:
        write(connection, _SET_CLEARED, [{"id_": id_, **values} for id_ in ids])
    return list(ids)
