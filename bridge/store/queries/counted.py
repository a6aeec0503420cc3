"""What was counted at all: since when, and under which names."""

from datetime import UTC, datetime

import sqlalchemy as sa

from bridge.store.queries.tallies import HOUR, TallyKind
from bridge.store.schema import tallies

_t = tallies.c


def counted_since(connection: sa.Connection) -> datetime | None:
    """The hour from which on events are counted; None where none has come."""
    first = sa.select(sa.func.min(_t.at)).where(_t.what == TallyKind.IN.value, _t.step == HOUR)
    found = connection.execute(first).scalar_one()
    return None if found is None else datetime.fromtimestamp(found, UTC)


def counted_names(connection: sa.Connection, what: TallyKind, since: datetime) -> frozenset[str]:
    """Under which names something was counted since then."""
    names = sa.select(_t.name).where(_t.what == what.value, _t.step == HOUR, _t.at >= int(since.timestamp()))
    return frozenset(connection.execute(names.distinct()).scalars())
