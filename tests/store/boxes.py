"""Short ways to put, claim and settle."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bridge.event import Event
from bridge.intake import Destination, Intake, Routed
from bridge.outcome import Attempt, Delivered, Fate
from bridge.store import migrate
from bridge.store.backend import open_engine
from bridge.store.base import Delivery, Outbox, Settlement
from bridge.terms import Terms
from bridge.value import replace
from tests.fakes import DECISION, START

TOOK = Attempt(Delivered(), 200)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def under(terms: Terms | None, *events: Event, sinks: Sequence[str] = ("ops",), row: str = "route 1") -> Intake:
    """These events, routed to these sinks by one row with these terms."""
    destinations = tuple(Destination(sink, row, terms=terms) for sink in sinks)
    return Intake([Routed(event, destinations, DECISION) for event in events])


async def claimed(outbox: Outbox, *, after: int = 0, now: datetime = START, sink: str = "ops") -> list[Delivery]:
    return list((await outbox.claim(sink, after=after, now=now, limit=100)).deliveries)


def as_put(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """As a put gives them, which does not say how much their events take in the store."""
    return [replace(one, size=0) for one in deliveries]


async def settle(
    outbox: Outbox, delivery: Delivery, fate: Fate, attempt: Attempt = TOOK, *, epoch: int = 0, at: datetime = START
) -> list[Delivery]:
    return list(await outbox.settle([Settlement(delivery, fate, attempt, at, epoch=epoch)]))


def subjects(deliveries: Iterable[Delivery]) -> list[str | None]:
    return [delivery.event.subject for delivery in deliveries]


def make_as_of(connection: sa.Connection, revision: str) -> None:
    """Make the tables as they were at that revision, where there are none yet."""
    assert migrate.revision_of(connection) is None
    migrate.upgrade(connection, to=revision)


def downgrade(connection: sa.Connection, revision: str) -> None:
    """Have the tables be as they were at that revision, with all that is in them."""
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


def refuse(url: str, verb: str, table: str, condition: str = "NEW.subject = 'user:refused'") -> None:
    """Let the store refuse these rows, as a constraint or a limit of the server does."""
    engine = open_engine(url)
    with engine.begin() as connection:
        statements = [
            f"CREATE TRIGGER refuse BEFORE {verb} ON {table}"
            f" WHEN {condition} BEGIN SELECT RAISE(ABORT, 'no such row'); END"
        ]
        if engine.dialect.name == "postgresql":
            statements = [
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE 'no such row' USING ERRCODE = '54000'; END $$",
                f"CREATE TRIGGER refuse BEFORE {verb} ON {table}"
                f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse()",
            ]
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
