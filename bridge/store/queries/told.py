"""What customers have been told: decided in the commit that makes the delivery, so that two replicas tell it once."""

from datetime import datetime

import sqlalchemy as sa

from bridge.intake import Threshold
from bridge.people.person import forgotten_key
from bridge.store.compiled import read
from bridge.store.moments import micros
from bridge.store.queries.changes import note_change
from bridge.store.queries.links import close_links
from bridge.store.queries.proofs import void_proofs
from bridge.store.schema import deliveries, told, wishes

TOLD_ALREADY = "told already"
_TELL = sa.text(
    "INSERT INTO told (key, family, cycle, rank, mark, at) VALUES (:key, :family, :cycle, :rank, :mark, :at)"
    " ON CONFLICT (key, family) DO UPDATE SET cycle = excluded.cycle, rank = excluded.rank, mark = excluded.mark,"
    " at = excluded.at"
    " WHERE told.cycle <> excluded.cycle OR told.rank < excluded.rank OR excluded.mark < told.mark"
)
_TOLD_SINCE = sa.select(sa.func.count().label("n")).where(
    deliveries.c.recipient == sa.bindparam("key_"),
    deliveries.c.settled_at >= sa.bindparam("since_"),
    sa.text("state = 'delivered'"),
)


def is_news(connection: sa.Connection, key: str, step: Threshold, now: datetime) -> bool:
    """Whether a customer has not been told of that step yet; from this commit on they have."""
    values = {"family": step.family, "cycle": step.cycle, "rank": step.rank, "mark": step.mark}
    return connection.execute(_TELL, {"key": key, **values, "at": micros(now)}).rowcount > 0


def told_since(connection: sa.Connection, key: str, since: datetime) -> int:
    """How many messages a recipient was delivered since then."""
    return int(read(connection, _TOLD_SINCE, {"key_": key, "since_": micros(since)})[0].n)


def close_person(connection: sa.Connection, key: str, at: datetime) -> None:
    """Forget what was told to a customer, what they want and where: whoever is called so from now on is another."""
    close_links(connection, key, at)
    void_proofs(connection, key, at)
    connection.execute(sa.delete(told).where(told.c.key == key))
    connection.execute(sa.delete(wishes).where(wishes.c.key.in_([key, forgotten_key(key)])))
    note_change(connection)
