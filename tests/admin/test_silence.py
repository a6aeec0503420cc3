"""Which sources are silent that are usually heard, by what was counted of them. On both engines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from bridge.admin.silence import OFTEN, Silence, limits_of, silences
from bridge.admin.state import SourceState
from bridge.alerts.silence import SHORTEST
from bridge.settings import SilentAfter
from bridge.store import open_outbox, open_reader
from bridge.value import replace
from tests.fakes import START, an_event, an_intake

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = START + 8 * DAY


def every(apart: timedelta, *, count: int, last: timedelta) -> list[datetime]:
    """So many times, the last of them so long ago."""
    return [NOW - last - number * apart for number in range(count)]


@dataclass(frozen=True)
class Told:
    """When a source spoke, what the file says, and whether that is a silence, of which limit."""

    times: Sequence[datetime]
    limit: SilentAfter | None = None
    silent_after: float | None = None


CASES = {
    "never heard": Told([]),
    "heard a moment ago": Told(every(MINUTE, count=50, last=timedelta())),
    "usually heard, and not for long": Told(every(HOUR, count=48, last=13 * HOUR), None, 6 * 3600.0),
    "usually heard, and not for less than that": Told(every(HOUR, count=48, last=5 * HOUR)),
    "a night without a word, and it is night": Told(
        [at for day in range(1, 6) for at in every(HOUR, count=12, last=day * DAY - 14 * HOUR)]
    ),
    "heard in few hours of the week": Told(every(MINUTE, count=20, last=3 * DAY)),
    "the same, and the file wants it found out": Told(every(MINUTE, count=20, last=3 * DAY), "auto", SHORTEST),
    "heard once, and the file wants it found out": Told(every(MINUTE, count=1, last=3 * DAY), "auto"),
    "silent by the file": Told(every(HOUR, count=3, last=2 * HOUR), 3600.0, 3600.0),
    "not silent by the file": Told(every(HOUR, count=48, last=2 * DAY), 7 * 86400.0),
    "silent by the file within the hour": Told(every(MINUTE, count=3, last=20 * MINUTE), 600.0, 600.0),
    "not silent by the file within the hour": Told(every(MINUTE, count=3, last=5 * MINUTE), 600.0),
    "forgotten": Told(every(HOUR, count=48, last=8 * DAY)),
}


@pytest.mark.parametrize("told", CASES.values(), ids=CASES)
async def test_a_silence_is_longer_than_usual_or_than_the_file_says(any_store_url: str, told: Told) -> None:
    async with open_outbox(any_store_url) as outbox:
        if told.times:
            await outbox.put(an_intake(*(replace(an_event(at=at), source="berlin") for at in told.times)))
        reader = open_reader(any_store_url, limit=30)
        try:
            found = silences(reader, {"berlin": told.limit, "other": None}, now=NOW)
        finally:
            reader.close()
    assert [one.limit for one in found] == ([told.silent_after] if told.silent_after else [])
    for one in found:
        since = max(told.times).replace(second=0, microsecond=0)
        assert one == Silence("berlin", since, one.limit, usual=not isinstance(told.limit, float))


def test_of_what_is_asked_for_it_is_only_told_where_the_file_wants_it() -> None:
    sources = [
        SourceState("posts", "marzban", "", ()),
        SourceState("asked", "3x-ui", "", (), is_asked=True),
        SourceState("asked-for", "3x-ui", "", (), silent_after="auto", is_asked=True),
    ]
    assert limits_of(sources) == {"posts": None, "asked-for": "auto"}


def test_a_day_of_hours_is_what_usually_heard_means() -> None:
    assert OFTEN == 24
