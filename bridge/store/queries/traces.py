"""Traces: those of the requests that events came with."""

from collections.abc import Sequence

import sqlalchemy as sa

from bridge.store.schema import events


def traces_of(connection: sa.Connection, event_ids: Sequence[str]) -> list[str]:
    """The traceparents of these events, each once, as far as they have any."""
    found = sa.select(events.c.trace).where(events.c.id.in_(event_ids), events.c.trace.is_not(None))
    return sorted(set(connection.execute(found).scalars()))
