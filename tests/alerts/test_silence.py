"""A source that has fallen silent, and one that is back: told once, whoever looks and however often it begins anew."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from bridge.alerts.silence import CRASHED, GRACE, KEPT, PAGE, SHORTEST, WEEK, SilenceWatch
from bridge.errors import StoreUnavailable
from bridge.settings import SilentAfter
from bridge.store.outbox import SqlOutbox
from tests.alerts.telling import Replica, came, kept, told
from tests.fakes import START, FakeClock, an_intake

HOUR = 3600.0
SILENT, HEARD = ("bridge.source_silent", "source:marzban"), ("bridge.source_heard", "source:marzban")
WATCHED: dict[str, SilentAfter] = {"marzban": 6 * HOUR}


def ago(hours: float) -> datetime:
    return START - timedelta(hours=hours)


async def put(outbox: SqlOutbox, source: str, *times: datetime) -> None:
    for start in range(0, len(times), 500):
        some = times[start : start + 500]
        await outbox.put(an_intake(*(came(source, at) for at in some)))


async def speaks(replica: Replica, outbox: SqlOutbox, source: str = "marzban") -> None:
    await put(outbox, source, replica.clock.now())


@pytest.fixture
def replica(outbox: SqlOutbox, clock: FakeClock) -> Replica:
    return Replica(outbox, clock, silent_after=WATCHED)


async def test_a_silence_is_told_when_it_is_one_and_that_it_is_over(
    replica: Replica, outbox: SqlOutbox, store_url: str
) -> None:
    await speaks(replica, outbox)
    await replica.pass_time(6 * HOUR - 60, by=60)
    assert told(store_url) == []
    await replica.pass_time(120, by=60)
    assert told(store_url) == [SILENT]
    await replica.pass_time(20 * HOUR, by=HOUR)
    assert told(store_url) == [SILENT]
    await speaks(replica, outbox)
    await replica.pass_time(60)
    assert told(store_url) == [SILENT, HEARD]
    await replica.pass_time(7 * HOUR, by=HOUR)
    assert told(store_url) == [SILENT, HEARD, SILENT]


async def test_it_says_since_when_and_for_how_long(replica: Replica, outbox: SqlOutbox) -> None:
    await speaks(replica, outbox)
    await replica.pass_time(6 * HOUR + 60, by=60)
    clock = replica.clock
    await speaks(replica, outbox)
    lasted = round((clock.now() - START).total_seconds())
    await replica.pass_time(60)
    silent, heard = (one.event for one in replica.announced)
    command = "panelbridge events --source marzban"
    first = {"name": "marzban", "last_event_at": "2026-11-21T04:14:18Z"}
    assert heard.data == {"source": {**first, "silent_seconds": lasted}, "command": command}
    assert 6 * HOUR <= silent.data["source"].pop("silent_seconds") <= 6 * HOUR + 60
    assert silent.data == {"source": first, "command": command}


async def test_a_source_that_speaks_in_time_is_not_silent(replica: Replica, outbox: SqlOutbox, store_url: str) -> None:
    for _ in range(6):
        await speaks(replica, outbox)
        await replica.pass_time(5 * HOUR, by=HOUR)
    assert told(store_url) == []


async def test_other_sources_do_not_speak_for_it(replica: Replica, outbox: SqlOutbox, store_url: str) -> None:
    await speaks(replica, outbox)
    for _ in range(8):
        await speaks(replica, outbox, "remnawave")
        await replica.pass_time(HOUR, by=600)
    assert told(store_url) == [SILENT]


async def test_a_source_that_never_spoke_is_not_silent_and_its_first_word_is_no_news(
    replica: Replica, outbox: SqlOutbox, store_url: str
) -> None:
    await replica.pass_time(20 * HOUR, by=HOUR)
    await speaks(replica, outbox)
    await replica.pass_time(60)
    assert told(store_url) == []


async def test_sources_that_ask_for_nothing_are_not_watched(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    replica = Replica(outbox, clock)
    await speaks(replica, outbox)
    await replica.pass_time(20 * HOUR, by=HOUR)
    assert told(store_url) == []


# once


async def test_a_silence_is_told_once_however_often_the_bridge_begins_anew(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    await put(outbox, "marzban", clock.now())
    for _ in range(5):
        await Replica(outbox, clock, silent_after=WATCHED).pass_time(5 * HOUR, by=600)
    assert told(store_url) == [SILENT]
    await put(outbox, "marzban", clock.now())
    for _ in range(3):
        await Replica(outbox, clock, silent_after=WATCHED).pass_time(HOUR, by=600)
    assert told(store_url) == [SILENT, HEARD]


async def test_what_came_before_the_start_counts_and_a_panel_is_given_time_to_tell_what_it_kept(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    await put(outbox, "marzban", ago(7))
    replica = Replica(outbox, clock, silent_after=WATCHED)
    await replica.pass_time(GRACE - 30)
    assert told(store_url) == []
    await replica.pass_time(60)
    assert told(store_url) == [SILENT]


async def test_who_is_back_just_before_a_crash_is_told_by_the_next_process(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    await put(outbox, "marzban", clock.now())
    await Replica(outbox, clock, silent_after=WATCHED).pass_time(7 * HOUR, by=600)
    await put(outbox, "marzban", clock.now())  # and nobody has looked
    clock.step(CRASHED.total_seconds() / 2)
    await Replica(outbox, clock, silent_after=WATCHED).pass_time(60)
    assert told(store_url) == [SILENT, HEARD]


async def test_several_replicas_tell_it_once_wherever_the_events_come_in(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    replicas = [Replica(outbox, clock, silent_after=WATCHED) for _ in range(3)]
    await put(outbox, "marzban", clock.now())
    for hours in range(8):
        clock.step(HOUR)
        await asyncio.gather(*(one.desk.tell() for one in replicas))
        assert told(store_url) == ([SILENT] if hours >= 5 else [])
    await put(outbox, "marzban", clock.now())
    clock.step(60)
    await asyncio.gather(*(one.desk.tell() for one in replicas))
    assert told(store_url) == [SILENT, HEARD]


async def test_a_reload_keeps_what_is_known_and_changes_what_is_a_silence(
    replica: Replica, outbox: SqlOutbox, store_url: str
) -> None:
    await speaks(replica, outbox)
    await replica.pass_time(2 * HOUR, by=600)
    watch = replica.desk._silence
    watch.watch({"marzban": HOUR})
    await replica.pass_time(60)
    assert told(store_url) == [SILENT]
    watch.watch({})
    await speaks(replica, outbox)
    await replica.pass_time(60)
    assert told(store_url) == [SILENT]


async def test_what_was_found_is_told_though_the_store_was_away_in_the_midst_of_a_look(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    """One source is watched already, another one from now on, and that was back right before the start."""
    await put(outbox, "remnawave", ago(9), ago(0.1))
    away = False

    class Away:
        async def arrivals(self, *, before: str | None, since: datetime | None, limit: int) -> object:
            if away and since is not None:
                raise StoreUnavailable("store: not there")
            return await outbox.arrivals(before=before, since=since, limit=limit)

    watch = SilenceWatch(Away(), clock)  # type: ignore[arg-type]
    watch.watch(WATCHED)
    await watch.look()
    watch.watch({**WATCHED, "remnawave": 6 * HOUR})
    away = True
    with pytest.raises(StoreUnavailable):
        await watch.look()
    away = False
    assert [(one.word, one.subject) for one in await watch.look()] == [("source_heard", "source:remnawave")]


async def test_an_event_that_is_committed_late_is_heard(replica: Replica, outbox: SqlOutbox, store_url: str) -> None:
    await speaks(replica, outbox)
    await replica.pass_time(5 * HOUR, by=600)
    late = replica.clock.now() - timedelta(seconds=5)  # its id was made before the last look
    await put(outbox, "marzban", late)
    await replica.pass_time(3 * HOUR, by=600)
    assert told(store_url) == []


# auto


def every(hours: float, *, since: float = WEEK / HOUR, until: float = 0.0) -> Iterable[datetime]:
    """Times before the start, so many hours apart."""
    count = int((since - until) / hours)
    return [ago(until + hours * number) for number in range(count, -1, -1)]


async def limit(outbox: SqlOutbox, clock: FakeClock, *times: datetime) -> float | None:
    """After which time a source that spoke at these is silent."""
    await put(outbox, "marzban", *times)
    watch = SilenceWatch(outbox, clock)
    watch.watch({"marzban": "auto"})
    await watch.look()
    return watch._sources["marzban"].seconds(clock.now())


@pytest.mark.parametrize(
    ("gap", "expected"),
    [(5.0, 30 * HOUR), (1.0, 6 * HOUR), (0.25, 1.5 * HOUR), (0.125, SHORTEST), (1 / 64, SHORTEST)],
)
async def test_what_is_usual_is_found_out(outbox: SqlOutbox, clock: FakeClock, gap: float, expected: float) -> None:
    assert await limit(outbox, clock, *every(gap, until=0.5)) == pytest.approx(expected)


async def test_it_is_the_median_that_is_usual_and_what_came_at_once_is_one_time(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    times = [*every(1.0, since=20.0), *every(12.0, since=120.0, until=30.0)]  # and now and then a night
    assert await limit(outbox, clock, *sorted(times + times)) == pytest.approx(6 * HOUR)


async def test_only_the_last_seven_days_count(outbox: SqlOutbox, clock: FakeClock) -> None:
    times = [*every(0.25, since=500.0, until=200.0), *every(2.0, since=160.0)]
    assert await limit(outbox, clock, *times) == pytest.approx(12 * HOUR)


@pytest.mark.parametrize("times", [[], [ago(3)]], ids=["never", "once"])
async def test_of_who_has_spoken_once_nothing_is_known(
    outbox: SqlOutbox, clock: FakeClock, times: list[datetime]
) -> None:
    assert await limit(outbox, clock, *times) is None


async def test_auto_tells_like_any_other(outbox: SqlOutbox, clock: FakeClock, store_url: str) -> None:
    await put(outbox, "marzban", *every(1.0))
    replica = Replica(outbox, clock, silent_after={"marzban": "auto"})
    await replica.pass_time(5.9 * HOUR, by=300)
    assert told(store_url) == []
    await replica.pass_time(0.2 * HOUR, by=60)
    assert told(store_url) == [SILENT]
    await speaks(replica, outbox)
    await replica.pass_time(60)
    assert told(store_url) == [SILENT, HEARD]


# what it costs


async def test_the_past_is_looked_through_in_pages_and_as_far_as_it_must(outbox: SqlOutbox, clock: FakeClock) -> None:
    await put(outbox, "remnawave", *(ago(3 + number / 2000) for number in range(3 * PAGE, 0, -1)))
    await put(outbox, "marzban", ago(2.5))
    asked: list[int] = []

    class Counting:
        async def arrivals(self, *, before: str | None, since: datetime | None, limit: int) -> object:
            page = await outbox.arrivals(before=before, since=since, limit=limit)
            asked.append(len(page))
            return page

    watch = SilenceWatch(Counting(), clock)  # type: ignore[arg-type]
    watch.watch(WATCHED)
    await watch.look()
    assert asked == [PAGE]
    clock.step(60)
    await watch.look()
    assert asked == [PAGE, 0]  # nothing came since
    for _ in range(3):
        await watch.look()
    assert asked == [PAGE, 0]  # it is not time yet


async def test_no_more_is_kept_of_a_source_than_tells_what_is_usual(outbox: SqlOutbox, clock: FakeClock) -> None:
    times = [START - timedelta(seconds=30 * number) for number in range(KEPT + 500, 0, -1)]
    await put(outbox, "marzban", *times)
    watch = SilenceWatch(outbox, clock)
    watch.watch({"marzban": "auto"})
    await watch.look()
    one = watch._sources["marzban"]
    assert len(one.times) <= KEPT
    assert (one.times[-1], one.seconds(START)) == (times[-1], SHORTEST)


async def test_what_it_tells_is_not_what_it_hears(replica: Replica, outbox: SqlOutbox, store_url: str) -> None:
    await speaks(replica, outbox)
    await replica.pass_time(10 * HOUR, by=600)
    assert {one.source for one in kept(store_url)} == {"panelbridge"}
    assert told(store_url) == [SILENT]
