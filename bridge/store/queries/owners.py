"""Owners: whose users' events came in a span of time, and what they were. What a look costs is bounded."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from bridge.figures import OwnerFigures, TimeSpan
from bridge.store.matching import is_of_owner
from bridge.store.queries.figures import MOST_USERS, USER, counted_since
from bridge.store.queries.tallies import OTHER, QUARTER, TallyKind
from bridge.store.rows import lowest_event_id
from bridge.store.schema import events, tallies
from bridge.vocabulary import OWN_SOURCE

MOST_LOOKED_AT = 10_000  # events of an owner in a span, the newest of it

_t = tallies.c


def owners_of(connection: sa.Connection, span: TimeSpan) -> Sequence[str]:
    """The names of owners whose users something was told of, in any realm, as far as they are told apart."""
    begins, ends = (int(one.timestamp()) for one in span)
    named = sa.select(_t.name).where(
        _t.what == TallyKind.OWNER.value, _t.step == QUARTER, _t.at >= begins, _t.at < ends
    )
    return [name for name in connection.scalars(named.distinct().order_by(_t.name)) if name != OTHER]


def owner_figures(
    connection: sa.Connection, realm: str, name: str, spans: Sequence[TimeSpan], parts: Sequence[TimeSpan] = ()
) -> OwnerFigures | None:
    """What was told of an owner's users in these spans, and in each part; None where there is nothing in the first."""
    first, *compared = spans
    types, users = _counted(connection, realm, name, first)
    if not types:
        return None
    since = counted_since(connection) or first[0]
    before = [_counted(connection, realm, name, one)[0] if since <= one[0] else Counter[str]() for one in compared]
    busiest = sorted(users.items(), key=lambda one: (-one[1], one[0]))[:MOST_USERS]
    return OwnerFigures(
        realm=realm,
        name=name,
        since=since if first[0] < since < first[1] else None,
        types=[types, *before],
        users=dict(busiest),
        cut=sum(types.values()) >= MOST_LOOKED_AT,
        bars=_bars(connection, realm, name, parts) if parts else (),
    )


def _bars(connection: sa.Connection, realm: str, name: str, parts: Sequence[TimeSpan]) -> list[int]:
    """How many of an owner's events came in each of these parts, which lie side by side."""
    begins, end = [lowest_event_id(begin) for begin, _ in parts], lowest_event_id(parts[-1][1])
    newest = (
        sa.select(events.c.id)
        .where(is_of_owner(realm, name), events.c.id >= begins[0], events.c.id < end, events.c.source != OWN_SOURCE)
        .order_by(events.c.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    bars = [0] * len(parts)
    for id_ in connection.scalars(newest):
        bars[bisect_right(begins, id_) - 1] += 1
    return bars


def _counted(connection: sa.Connection, realm: str, name: str, span: TimeSpan) -> tuple[Counter[str], Counter[str]]:
    """How many events there were of each type, and about each user."""
    begins, ends = (lowest_event_id(one) for one in span)
    newest = (
        sa.select(events.c.type, events.c.subject, events.c.source)
        .where(is_of_owner(realm, name), events.c.id >= begins, events.c.id < ends)
        .order_by(events.c.id.desc())
        .limit(MOST_LOOKED_AT)
        .subquery()
    )
    found = sa.select(newest.c.type, newest.c.subject, sa.func.count()).where(newest.c.source != OWN_SOURCE)
    types, users = Counter[str](), Counter[str]()
    for type_, subject, n in connection.execute(found.group_by(newest.c.type, newest.c.subject)):
        types[type_] += n
        if subject is not None and subject.startswith(USER):
            users[subject.removeprefix(USER)] += n
    return types, users
