"""What customers have been told: decided in the commit that makes the delivery, so that two replicas tell it once."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bridge.event import Event
from bridge.intake import Renewal, Threshold
from bridge.outcome import HeldBack
from bridge.people.person import forgotten_key
from bridge.people.recipient import is_customer
from bridge.people.thresholds import FAMILIES
from bridge.store.base import Delivery, Settlement
from bridge.store.compiled import read, write
from bridge.store.moments import micros
from bridge.store.queries.changes import note_change
from bridge.store.queries.links import close_links
from bridge.store.queries.proofs import void_proofs
from bridge.store.schema import deliveries, told, wishes

TOLD_ALREADY = "told already"
NO_CYCLE = ""  # of what has begun anew: whatever is told next is of another one
#: Whether it has begun anew: another cycle, or a counter that has fallen; not as an older event says that comes late.
_ANEW = "(excluded.at >= told.at AND (told.cycle <> excluded.cycle OR excluded.mark BETWEEN 1 AND told.mark - 1))"
_TELL = sa.text(
    "INSERT INTO told (key, family, cycle, rank, mark, at) VALUES (:key, :family, :cycle, :rank, :mark, :at)"
    " ON CONFLICT (key, family) DO UPDATE SET cycle = excluded.cycle, rank = excluded.rank,"
    " mark = CASE WHEN $anew OR told.mark < excluded.mark THEN excluded.mark ELSE told.mark END,"
    " at = CASE WHEN told.at < excluded.at THEN excluded.at ELSE told.at END"
    " WHERE $anew OR (told.cycle = excluded.cycle AND told.rank < excluded.rank)".replace("$anew", _ANEW)
)
_BEGIN_ANEW = sa.text(
    "UPDATE told SET cycle = :cycle, mark = 0, at = :at"
    " WHERE key = :key AND family = :family AND rank >= :least AND at <= :at"
)
_TAKE_BACK = sa.text(
    "DELETE FROM told WHERE key = :key AND family = :family AND at = :at AND NOT EXISTS (SELECT 1 FROM deliveries"
    " WHERE event_id = :event_id AND recipient = :key AND state IN ('pending', 'waiting', 'delivered'))"
)
_TOLD_SINCE = sa.select(sa.func.count().label("n")).where(
    deliveries.c.recipient == sa.bindparam("key_"),
    deliveries.c.settled_at >= sa.bindparam("since_"),
    sa.text("state = 'delivered'"),
)


def is_news(connection: sa.Connection, key: str, step: Threshold, at: datetime) -> bool:
    """Whether a customer has not been told of that step yet, which was reached at that time; from this commit on they
    have.

    Where the panel's stamps are not true, each event is later than the last: that a counter has fallen is a reset then,
    and no event that comes late. To tell a step once more harms nobody; never to tell of it would.
    """
    values = {"family": step.family, "cycle": step.cycle, "rank": step.rank, "mark": step.mark}
    return connection.execute(_TELL, {"key": key, **values, "at": micros(at)}).rowcount > 0


def begin_anew(connection: sa.Connection, key: str, renewals: Sequence[Renewal], at: datetime) -> None:
    """Let what a customer was told be news again, as far as it was reached before that time."""
    for one in renewals:
        values = {"family": one.family, "least": one.least, "cycle": NO_CYCLE, "at": micros(at)}
        connection.execute(_BEGIN_ANEW, {"key": key, **values})


def happened_at(event: Event) -> datetime:
    """When something happened, as far as it can have: a panel's clock that is ahead holds back nothing that follows."""
    return min(event.occurred_at, event.received_at)


def holds_back_step(one: Settlement) -> bool:
    """Whether a customer was to be told of a step, and is not."""
    held = isinstance(one.fate, HeldBack)
    return held and one.delivery.event.type in FAMILIES and is_customer(one.delivery.recipient)


def take_back(connection: sa.Connection, held: Sequence[Delivery]) -> None:
    """Let the steps be news again that these were to tell of, where nothing else tells of the same event.

    Else the panel's next word of it would be held back as told already, and nobody would ever have been told. Asked
    once they are settled; whoever asks has locked changes before all else.
    """
    rows = [
        {
            "key": one.recipient,
            "family": FAMILIES[one.event.type],
            "at": micros(happened_at(one.event)),
            "event_id": one.event.id,
        }
        for one in held
    ]
    write(connection, _TAKE_BACK, rows)


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
