"""People: whom the store knows of, one page after the other, and what one of them was told."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bridge.store.base import State
from bridge.store.matching import is_about
from bridge.store.moments import micros, moment, moment_or_none
from bridge.store.queries.told_steps import NO_CYCLE
from bridge.store.schema import deliveries, directories, directory, events, link_tokens, links, told, wishes
from bridge.value import Value

LOOKED_AT = 200  # events about somebody, the newest, among which it is looked for what they were not told


class PeopleFilter(StrEnum):
    """Of whom a list is."""

    ALL = "all"
    LINKED = "linked"
    STOPPED = "stopped"


class ToldStep(Value):
    """The last step of a kind that a customer was told of, and when it was reached: 80 % `used` is 80, three days
    `left` is -3.
    """

    family: str
    rank: int
    at: datetime


class ToldRecord(Value):
    """A delivery for somebody: what it tells, and what became of it."""

    id: int
    event_id: str
    type: str
    sink: str
    state: State
    reason: str | None
    made_at: datetime
    settled_at: datetime | None


def people_keys(
    connection: sa.Connection, beginnings: Sequence[str], *, which: PeopleFilter, after: str | None, limit: int
) -> list[str]:
    """The keys of recipients that begin with one of these texts, behind `after`, in order."""
    found = [
        sa.select(
            source.where(_begins(key, beginnings), sa.true() if after is None else key > after)
            .distinct()
            .order_by(key)
            .limit(limit)
            .subquery()
            .c.key
        )
        for key, source in _sources(which)
    ]
    every = sa.union(*found).subquery()
    return list(connection.execute(sa.select(every.c.key).order_by(every.c.key).limit(limit)).scalars())


def _sources(which: PeopleFilter) -> list[tuple[sa.Column[str], sa.Select[Any]]]:
    """The columns that have keys of those who are meant, and where they stand."""
    in_force = sa.select(directories.c.generation).scalar_subquery()
    linked = links.c.key, sa.select(links.c.key)
    if which is PeopleFilter.LINKED:
        return [linked]
    stopped = wishes.c.key, sa.select(wishes.c.key).where(wishes.c.stopped_at.is_not(None))
    if which is PeopleFilter.STOPPED:
        return [stopped]
    known = directory.c.key, sa.select(directory.c.key).where(directory.c.generation == in_force)
    return [known, linked, (wishes.c.key, sa.select(wishes.c.key))]


def _begins(key: sa.Column[str], beginnings: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether it begins with one of them, sign by sign: no text of a person's is a pattern."""
    return sa.or_(sa.false(), *(sa.func.substr(key, 1, len(one)) == one for one in beginnings))


def steps_of(connection: sa.Connection, key: str) -> list[ToldStep]:
    """Which steps a customer was told of, the last of each kind, and nothing that has begun anew since."""
    found = sa.select(told).where(told.c.key == key, told.c.cycle != NO_CYCLE).order_by(told.c.family)
    return [ToldStep(row.family, row.rank, moment(row.at)) for row in connection.execute(found)]


def count_given_away(connection: sa.Connection, key: str, now: datetime) -> int:
    """How many links were given away to somebody that can be used still."""
    unused = link_tokens.c.key == key, link_tokens.c.used_by.is_(None), link_tokens.c.until > micros(now)
    return connection.execute(sa.select(sa.func.count()).select_from(link_tokens).where(*unused)).scalar_one()


def owner_of(connection: sa.Connection, realm: str, subject: str) -> str | None:
    """Whose somebody is: whom their last event names that names an owner."""
    named = is_about(subject), events.c.realm == realm, events.c.owner.is_not(None)
    return connection.execute(sa.select(events.c.owner).where(*named).order_by(events.c.id.desc()).limit(1)).scalar()


def told_to(connection: sa.Connection, key: str, subject: str, *, limit: int) -> list[ToldRecord]:
    """The newest deliveries for somebody, of those that arrived and of the newest events about them."""
    theirs = deliveries.c.recipient == key
    arrived = (
        sa.select(deliveries.c.id)
        .where(theirs, sa.text("state = 'delivered'"))
        .order_by(deliveries.c.settled_at.desc())
        .limit(limit)
    )
    about = (
        sa.select(events.c.id).where(is_about(subject)).order_by(events.c.id.desc()).limit(LOOKED_AT).subquery("about")
    )
    meant = sa.select(deliveries.c.id).where(theirs, deliveries.c.event_id.in_(sa.select(about.c.id)))
    ids = {one for select in (arrived, meant) for one in connection.execute(select).scalars()}
    newest = sorted(ids, reverse=True)[:limit]
    found = (
        sa.select(deliveries, events.c.type)
        .join_from(deliveries, events, events.c.id == deliveries.c.event_id)
        .where(deliveries.c.id.in_(newest))
        .order_by(deliveries.c.id.desc())
    )
    return [
        ToldRecord(
            id=row.id,
            event_id=row.event_id,
            type=row.type,
            sink=row.sink,
            state=State(row.state),
            reason=row.reason,
            made_at=moment(row.made_at),
            settled_at=moment_or_none(row.settled_at),
        )
        for row in connection.execute(found)
    ]
