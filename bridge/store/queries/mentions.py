"""Whom the directory names, and which of these any event speaks of. What a look costs is bounded."""

from collections.abc import Sequence

import sqlalchemy as sa

from bridge.people.recipient import Audience, is_customer, name_in
from bridge.store.matching import is_about, is_of_owner
from bridge.store.schema import directories, directory, events

MOST_LOOKED_AT = 10_000  # events, the newest, whose owners are named


def has_events(connection: sa.Connection) -> bool:
    """Whether any event is kept."""
    return connection.execute(sa.select(events.c.id).limit(1)).first() is not None


def keys_in_directory(connection: sa.Connection, kind: Audience, *, limit: int) -> list[str]:
    """The keys of those of a kind in the directory in force, the first of them."""
    in_force = sa.select(directories.c.generation).scalar_subquery()
    mine = directory.c.generation == in_force, directory.c.key.contains(f"/{kind.kind}:", autoescape=True)
    return list(
        connection.execute(sa.select(directory.c.key).where(*mine).order_by(directory.c.key).limit(limit)).scalars()
    )


def heard_of(connection: sa.Connection, keys: Sequence[str]) -> set[str]:
    """Those of these owners and users of whom any event that is kept speaks."""
    return {key for key in keys if connection.execute(sa.select(sa.literal(1)).where(_speaks_of(key)).limit(1)).first()}


def _speaks_of(key: str) -> sa.ColumnElement[bool]:
    realm, _, subject = key.partition("/")
    if is_customer(key):
        return sa.and_(is_about(subject), events.c.realm == realm)
    return sa.and_(is_of_owner(realm, name_in(key)), events.c.owner.is_not(None))


def owners_of_late(connection: sa.Connection, realm: str) -> list[str]:
    """The owners of a realm whom the newest events name."""
    newest = sa.select(events.c.realm, events.c.owner).order_by(events.c.id.desc()).limit(MOST_LOOKED_AT).subquery()
    named = sa.select(newest.c.owner).where(newest.c.realm == realm, newest.c.owner.is_not(None)).distinct()
    return list(connection.execute(named.order_by(newest.c.owner)).scalars())
