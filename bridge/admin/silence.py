"""Which sources are silent that are usually heard: by the rule by which alerts tell it, from what was counted.

Where the file says nothing of silence, a source has to be one that is usually heard, in a day's worth of hours within a
week, and silent for longer than ever in that week: a panel on which nothing happens at night, or for days, is well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bridge.admin.state import SourceState
from bridge.alerts.silence import SHORTEST, WEEK, usual_silence
from bridge.settings import SilentAfter
from bridge.store.ledger import Ledger
from bridge.store.queries.last_heard import heard_of_late, hours_heard, last_minute
from bridge.value import Value

OFTEN = 24  # hours of a week in which a source is heard that is usually heard
TOLD_APART = 12  # events of an hour: more of them are no sooner a silence
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

#: The sources that should be heard → after how long without an event each is silent; None where the file does not say.
SilenceLimits = Mapping[str, SilentAfter | None]
HourlyCounts = Sequence[tuple[datetime, int]]


class Silence(Value):
    """A source that is silent: since when, and after how many seconds that is a silence; `usual` is found out."""

    source: str
    since: datetime
    limit: float
    usual: bool


def silences(ledger: Ledger, limits: SilenceLimits, *, now: datetime) -> list[Silence]:
    """Those that are silent, in the order of the file."""
    late = ledger.read(heard_of_late, now - timedelta(seconds=SHORTEST))
    quiet = [name for name, limit in limits.items() if name not in late or _may_be_silent(limit)]
    hours = ledger.read(hours_heard, quiet, now - timedelta(seconds=WEEK)) if quiet else {}
    return [found for name in quiet if name in hours for found in _judged(ledger, name, limits[name], hours[name], now)]


def limits_of(sources: Iterable[SourceState]) -> SilenceLimits:
    """The limits of those that should be heard."""
    return {one.name: one.silent_after for one in sources if one.silent_after is not None or not one.is_asked}


def _may_be_silent(limit: SilentAfter | None) -> bool:
    """Whether a source can be silent that was heard within the hour."""
    return isinstance(limit, float) and limit < SHORTEST


def _judged(
    ledger: Ledger, name: str, setting: SilentAfter | None, hours: HourlyCounts, now: datetime
) -> Iterator[Silence]:
    is_said = isinstance(setting, float)
    limit = setting if isinstance(setting, float) else _found_out(hours, now, is_asked_for=setting is not None)
    if limit is None or (now - hours[-1][0]).total_seconds() < limit:
        return
    since = ledger.read(last_minute, name, hours[-1][0])
    if (now - since - MINUTE).total_seconds() >= limit:
        yield Silence(name, since, limit, usual=not is_said)


def _found_out(hours: HourlyCounts, now: datetime, *, is_asked_for: bool) -> float | None:
    """Seconds that are a silence; None where nobody can tell."""
    usual = usual_silence(list(_times(hours)), now)
    if usual is None or is_asked_for:
        return usual
    if len(hours) < OFTEN:
        return None
    longest = max(later - earlier for (earlier, _), (later, _) in pairwise(hours))
    return max(usual, (longest + HOUR).total_seconds())


def _times(hours: HourlyCounts) -> Iterator[datetime]:
    """When its events came, as far as anyone knows: evenly in each hour."""
    for begins, n in hours:
        apart = min(n, TOLD_APART)
        for number in range(apart):
            yield begins + HOUR * number / apart
