"""When sources were heard, by what was counted of them: to the minute for two days, else to the hour."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bridge.store.moments import moment_of_second
from bridge.store.queries.tallies import HOUR, MINUTE, TallyKind
from bridge.store.schema import tallies

_t = tallies.c
_spoke = sa.and_(_t.what == TallyKind.IN.value, _t.detail == "accepted")


def heard_of_late(connection: sa.Connection, since: datetime) -> Mapping[str, datetime]:
    """The sources that were heard since then, and the minute in which each was last. For a few hours: it reads all of
    their minutes."""
    last = sa.select(_t.name, sa.func.max(_t.at)).where(_spoke, _t.step == MINUTE, _t.at >= _second(since))
    return {name: moment_of_second(at) for name, at in connection.execute(last.group_by(_t.name))}


def hours_heard(
    connection: sa.Connection, sources: Collection[str], since: datetime
) -> Mapping[str, Sequence[tuple[datetime, int]]]:
    """In which hours these sources were heard, the first one first, and how many events each had."""
    hours = sa.select(_t.name, _t.at, _t.n).where(_spoke, _t.step == HOUR, _t.at >= _second(since))
    found: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for name, at, n in connection.execute(hours.where(_t.name.in_(sources)).order_by(_t.at)):
        found[name].append((moment_of_second(at), n))
    return found


def last_minute(connection: sa.Connection, source: str, hour: datetime) -> datetime:
    """The last minute of that hour in which a source was heard; its beginning where that is not known any more."""
    span = _t.at >= _second(hour), _t.at < _second(hour + timedelta(hours=1))
    last = sa.select(sa.func.max(_t.at)).where(_spoke, _t.step == MINUTE, _t.name == source, *span)
    found = connection.execute(last).scalar_one()
    return hour if found is None else moment_of_second(found)


def _second(at: datetime) -> int:
    return int(at.timestamp())
