"""What goes wrong with the bridge itself is told, once, to whoever can be told."""

import asyncio
import shlex
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import typer

from bridge.alerts.alert import Alert, config_rejected, dead_letters, lane_open, lane_trouble, store_failing
from bridge.alerts.alert import source_heard as heard_again
from bridge.alerts.alert import source_silent as silent
from bridge.alerts.desk import FAILING_EVERY, UNTOLD
from bridge.alerts.lanes import DEAD_EVERY, REASONS, VARIOUS
from bridge.alerts.report import WORD
from bridge.cli import app
from bridge.errors import StoreRefused, StoreUnavailable
from bridge.incident import ConfigRejected, DeadLetter, Incident, LaneStanding, StoreFailing
from bridge.outcome import Away, Gone, Outcome, Refused
from bridge.routing import Route
from bridge.samples import sample
from bridge.store.base import LaneState, Standing
from bridge.store.outbox import SqlOutbox
from bridge.vocabulary import OWN_FAMILY, TYPES
from tests.alerts.telling import Replica, kept, told
from tests.delivery.lanes import Fleet, ScriptedSink, carry_all, look_up, pass_time
from tests.fakes import START, FakeClock, an_event, an_intake

GONE = "HTTP 404: Unknown Webhook"
PARKED = LaneStanding("team", "parked", START, GONE)
AWAY = LaneStanding("team", "away", START, "HTTP 502")
OPEN = LaneStanding("team", "open", START)
REJECTED = ConfigRejected("config.yaml", ("config.yaml:3:1: unknown key",))


async def stand(outbox: SqlOutbox, sink: str, standing: Standing) -> None:
    await outbox.save_lane_state(sink, LaneState(standing=standing, since=START), epoch=0)


def sinks(store_url: str) -> list[str]:
    return [one.sink for one in look_up(store_url)]


# what is told


def every_alert() -> list[Alert]:
    return [
        lane_trouble(PARKED, START),
        lane_trouble(AWAY, START),
        lane_open(OPEN, START),
        dead_letters("team", "HTTP 400", 3, START),
        config_rejected(REJECTED, START),
        store_failing("store: disk full", START),
        silent("marzban", START, START),
        heard_again("marzban", START, START),
    ]


def shape(value: Any) -> Any:
    return {key: shape(one) for key, one in value.items()} if isinstance(value, dict) else type(value)


def test_all_that_the_bridge_can_tell_of_itself_is_in_the_vocabulary_and_sampled_as_it_is_told() -> None:
    events = [one.event(START) for one in every_alert()]
    reported = {f"{OWN_FAMILY}.{WORD}"}  # the desk does not tell it: test_reporting.py
    assert {one.type for one in events} | reported == {name for name in TYPES if name.startswith(f"{OWN_FAMILY}.")}
    for event in events:
        likely = sample(event.type, at=START)
        assert (event.source, event.panel, event.native_type) == (likely.source, likely.panel, likely.native_type)
        assert (event.subject or "").partition(":")[0] == (likely.subject or "").partition(":")[0]
        assert shape(event.data) == shape(likely.data)


@pytest.mark.parametrize("alert", every_alert(), ids=lambda one: one.word)
def test_what_it_says_to_type_is_a_command(alert: Alert) -> None:
    if (line := alert.data.get("command")) is None:
        return
    program, name, *given = shlex.split(line)
    commands: Any = typer.main.get_command(app)
    assert program == "panelbridge"
    commands.commands[name].make_context(name, given)  # raises for an option that there is not


async def test_a_parked_lane_is_told_with_the_reason_and_what_to_type(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(PARKED)
    await replica.desk.tell()
    assert told(store_url) == [("bridge.lane_parked", "lane:team")]
    assert sinks(store_url) == ["ops"]
    [delivery] = replica.announced
    assert delivery.event.data == {
        "lane": {"sink": "team", "since": "2026-11-21T04:14:18Z"},
        "reason": GONE,
        "command": "panelbridge resume team",
    }
    assert (delivery.event.source, delivery.row) == ("panelbridge", "alerts")


async def test_a_service_that_is_away_is_told_when_it_lasts(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(AWAY)
    await replica.pass_time(299)
    assert told(store_url) == []
    await replica.pass_time(1)
    assert told(store_url) == [("bridge.lane_away", "lane:team")]
    await replica.pass_time(3600, by=300)
    assert len(told(store_url)) == 1


async def test_a_hiccup_is_not_told_nor_is_its_end(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(AWAY)
    await replica.pass_time(30)
    replica.desk.hear(OPEN)
    await replica.pass_time(600)
    assert told(store_url) == []


@pytest.mark.parametrize("trouble", [PARKED, AWAY])
async def test_that_it_flows_again_is_told_where_the_trouble_was(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, trouble: LaneStanding
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(trouble)
    await replica.pass_time(300)
    replica.desk.hear(OPEN)
    await replica.pass_time(60)
    assert told(store_url) == [(f"bridge.lane_{trouble.standing}", "lane:team"), ("bridge.lane_open", "lane:team")]


async def test_a_lane_that_was_away_and_is_parked_is_told_as_both_and_is_back_once(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(AWAY)
    await replica.pass_time(300)
    replica.desk.hear(PARKED)
    await replica.pass_time(10)
    replica.desk.hear(OPEN)
    await replica.pass_time(10)
    assert [type_ for type_, _ in told(store_url)] == ["bridge.lane_away", "bridge.lane_parked", "bridge.lane_open"]


async def test_dead_letters_are_told_by_sink_and_reason_with_their_number(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)

    def data() -> list[tuple[Any, ...]]:
        found = [(one.event.data["lane"]["dead"], one.event.data["reason"]) for one in replica.announced]
        replica.announced.clear()
        return found

    for reason in ("HTTP 400", "HTTP 400", "HTTP 413"):
        replica.desk.hear(DeadLetter("team", reason))
    await replica.desk.tell()
    assert data() == [(2, "HTTP 400"), (1, "HTTP 413")]
    for _ in range(7):
        replica.desk.hear(DeadLetter("team", "HTTP 400"))
    await replica.pass_time(DEAD_EVERY - 1)
    assert data() == []
    await replica.pass_time(1)
    assert data() == [(7, "HTTP 400")]


async def test_reasons_without_end_do_not_fill_the_memory_and_all_are_counted(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    for number in range(REASONS + 50):
        replica.desk.hear(DeadLetter("team", f"bad id {number}"))
    await replica.desk.tell()
    counts = {one.event.data["reason"]: one.event.data["lane"]["dead"] for one in replica.announced}
    assert len(counts) == REASONS + 1
    assert sum(counts.values()) == REASONS + 50
    assert counts[VARIOUS] == 50


async def test_a_rejected_file_is_told_with_its_mistakes_and_again_when_it_is_wrong_again(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    for _ in range(3):  # several replicas, or someone who saves twice
        replica.desk.hear(REJECTED)
        await replica.desk.tell()
    assert told(store_url) == [("bridge.config_rejected", None)]
    assert replica.announced[0].event.data["config"] == {"file": "config.yaml", "mistakes": list(REJECTED.mistakes)}
    replica.desk.hear(ConfigRejected("config.yaml", ("config.yaml:4:1: unknown key",)))
    await replica.pass_time(3600, by=600)
    replica.desk.hear(REJECTED)
    await replica.desk.tell()
    assert len(told(store_url)) == 3


# to whom


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        ({}, "ops"),
        ({"ops": Standing.PARKED}, "night"),
        ({"ops": Standing.AWAY}, "night"),
        ({"ops": Standing.AWAY, "night": Standing.PARKED}, "ops"),
        ({"ops": Standing.PARKED, "night": Standing.AWAY}, "night"),
        ({"ops": Standing.PARKED, "night": Standing.PARKED}, "ops"),
    ],
)
async def test_the_first_sink_whose_lane_is_open_is_told(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, standings: dict[str, Standing], expected: str
) -> None:
    for sink, standing in standings.items():
        await stand(outbox, sink, standing)
    replica = Replica(outbox, clock)
    replica.desk.hear(PARKED)
    await replica.desk.tell()
    assert sinks(store_url) == [expected]
    others = {"ops", "night"} - {expected}
    assert set(replica.announced[0].terms.fallback) == others


async def test_that_the_first_sink_is_gone_is_told_on_the_next_before_the_store_knows(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(LaneStanding("ops", "parked", START, GONE))
    await replica.desk.tell()
    replica.desk.hear(LaneStanding("ops", "open", START))
    await replica.desk.tell()
    assert [(one.event.type, one.sink) for one in replica.announced] == [
        ("bridge.lane_parked", "night"),
        ("bridge.lane_open", "ops"),
    ]


async def test_a_row_that_names_the_bridge_s_types_has_them_too_and_no_other_row_does(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    rows = [Route(match=("*",), to=("night",)), Route(match=("bridge.lane_*",), to=("team", "ops"))]
    replica = Replica(outbox, clock, rows=rows)
    replica.desk.hear(PARKED)
    replica.desk.hear(REJECTED)
    await replica.desk.tell()
    assert [(one.sink, one.row) for one in replica.announced if one.event.type == "bridge.lane_parked"] == [
        ("team", "route 2"),
        ("ops", "route 2"),  # not once more by `alerts`
    ]
    assert [one.sink for one in replica.announced if one.event.type == "bridge.config_rejected"] == ["ops"]


async def test_without_alerts_the_rows_alone_are_told(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    replica = Replica(outbox, clock, to=(), rows=[Route(match=("bridge.lane_*",), to=("team",))])
    replica.desk.hear(PARKED)
    replica.desk.hear(REJECTED)
    await replica.desk.tell()
    assert told(store_url) == [("bridge.lane_parked", "lane:team")]


async def test_nothing_is_told_where_nobody_asked_for_it(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    replica = Replica(outbox, clock)
    replica.desk.configure(None)
    incidents: list[Incident] = [PARKED, DeadLetter("team", "x"), REJECTED, StoreFailing("x")]
    for incident in incidents:
        replica.desk.hear(incident)
    await replica.pass_time(600)
    assert not await replica.desk.tell_of_the_store()
    assert (told(store_url), replica.sinks["ops"].sent) == ([], [])


async def test_trouble_that_lasts_is_told_once_somebody_asks_for_it(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.configure(None)
    replica.desk.hear(PARKED)
    await replica.desk.tell()
    replica.desk.configure(replica.plan)
    await replica.desk.tell()
    assert told(store_url) == [("bridge.lane_parked", "lane:team")]


async def test_alerts_of_one_time_are_one_message(outbox: SqlOutbox, clock: FakeClock) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(PARKED)
    replica.desk.hear(DeadLetter("team", "HTTP 400"))
    replica.desk.hear(REJECTED)
    await replica.desk.tell()
    sink = ScriptedSink(clock)
    await pass_time(Fleet(outbox, clock).lane(sink), clock, 40)
    [types] = sink.digested
    assert sorted(types) == ["bridge.config_rejected", "bridge.dead_letters", "bridge.lane_parked"]


async def test_with_a_window_of_nothing_each_is_a_message(outbox: SqlOutbox, clock: FakeClock) -> None:
    replica = Replica(outbox, clock, window=0.0)
    replica.desk.hear(PARKED)
    replica.desk.hear(REJECTED)
    await replica.desk.tell()
    sink = ScriptedSink(clock)
    await carry_all(Fleet(outbox, clock).lane(sink))
    assert len(sink.messages) == 2


# once


@pytest.mark.parametrize("trouble", [PARKED, AWAY])
async def test_what_was_told_before_a_restart_is_not_told_again_and_its_end_is(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, trouble: LaneStanding
) -> None:
    before = Replica(outbox, clock)
    before.desk.hear(trouble)
    await before.pass_time(300)
    after = Replica(outbox, clock)
    after.desk.hear(trouble)  # as the lane finds itself again
    await after.pass_time(600)
    assert len(told(store_url)) == 1
    after.desk.hear(OPEN)
    await after.desk.tell()
    assert [type_ for type_, _ in told(store_url)] == [f"bridge.lane_{trouble.standing}", "bridge.lane_open"]


async def test_several_replicas_tell_it_once_however_close(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    replicas = [Replica(outbox, clock) for _ in range(4)]
    for replica in replicas:
        replica.desk.hear(PARKED)
        replica.desk.hear(REJECTED)
    await asyncio.gather(*(one.desk.tell() for one in replicas))
    assert sorted(type_ for type_, _ in told(store_url)) == ["bridge.config_rejected", "bridge.lane_parked"]


async def test_who_does_not_carry_the_lane_any_more_does_not_tell_of_it(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(AWAY)
    replica.carries.discard("team")
    await replica.pass_time(600)
    assert told(store_url) == []


async def test_what_the_store_does_not_take_is_told_when_it_does(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(PARKED)
    with monkeypatch.context() as patched:

        async def refuse(*_: Any) -> None:
            raise StoreUnavailable("store: disk full")

        patched.setattr(outbox, "put", refuse)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await replica.desk.tell()
    await replica.desk.tell()
    await replica.desk.tell()
    assert told(store_url) == [("bridge.lane_parked", "lane:team")]


async def test_what_the_store_refuses_holds_up_no_other_alert(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(PARKED)
    replica.desk.hear(REJECTED)
    put, refusals = outbox.put, [StoreRefused("store: no such number"), None]

    async def refuse_first(intake: Any) -> Any:
        if error := refusals.pop(0):
            raise error
        return await put(intake)

    monkeypatch.setattr(outbox, "put", refuse_first)
    await replica.desk.tell()
    assert len(told(store_url)) == 1


async def test_alerts_that_wait_for_the_store_are_bounded(outbox: SqlOutbox, clock: FakeClock) -> None:
    replica = Replica(outbox, clock)
    for number in range(UNTOLD + 10):
        replica.desk.hear(ConfigRejected("config.yaml", (str(number),)))
    assert len(replica.desk._untold) == UNTOLD


# the store


async def crying(replica: Replica, outcomes: Sequence[Outcome] = ()) -> None:
    """Let the desk tell that the store fails, in a task of its own, until it waits for the next time."""
    replica.sinks["ops"].answers += outcomes
    replica.desk.hear(StoreFailing("store: database or disk is full"))
    for _ in range(5):
        await asyncio.sleep(0)


async def test_that_the_store_fails_is_sent_at_once_and_kept_nowhere(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(StoreFailing("store: database or disk is full"))
    assert await replica.desk.tell_of_the_store()
    [message] = replica.sinks["ops"].messages
    assert message.event.type == "bridge.store_failing"
    assert message.event.data == {"reason": "store: database or disk is full"}
    assert told(store_url) == []


@pytest.mark.parametrize("refusal", [Away("HTTP 502"), Gone("HTTP 404"), Refused("HTTP 400")])
async def test_where_the_first_sink_does_not_take_it_the_next_is_told(
    outbox: SqlOutbox, clock: FakeClock, refusal: Outcome
) -> None:
    replica = Replica(outbox, clock)
    replica.sinks["ops"].answers.append(refusal)
    assert await replica.desk.tell_of_the_store()
    assert len(replica.sinks["night"].messages) == 1


async def test_only_who_carries_the_first_sink_tells_it(outbox: SqlOutbox, clock: FakeClock) -> None:
    replica = Replica(outbox, clock)
    replica.carries.discard("ops")
    assert not await replica.desk.tell_of_the_store()
    assert replica.sinks["ops"].messages == replica.sinks["night"].messages == []


class StandingClock(FakeClock):
    """A clock that moves only when a test moves it: who sleeps waits for that."""

    def __init__(self) -> None:
        super().__init__()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while self.monotonic() < until:
            await self._moved.wait()

    async def move(self, seconds: float) -> None:
        self.step(seconds)
        self._moved.set()
        self._moved = asyncio.Event()
        for _ in range(10):
            await asyncio.sleep(0)


async def test_it_is_told_at_most_once_in_fifteen_minutes_and_not_when_it_is_over(outbox: SqlOutbox) -> None:
    clock = StandingClock()
    replica = Replica(outbox, clock)
    running = asyncio.create_task(replica.desk.run())
    sent = replica.sinks["ops"].messages
    try:
        for _ in range(5):
            replica.desk.hear(StoreFailing("store: disk full"))
            await clock.move(60)
        assert len(sent) == 1
        await clock.move(FAILING_EVERY)
        assert len(sent) == 1  # it failed again meanwhile, and may be over
        replica.desk.hear(StoreFailing("store: disk full"))
        await clock.move(1)
        assert len(sent) == 2
    finally:
        running.cancel()


async def test_a_bug_of_ours_ends_neither_the_alerts_nor_the_bridge(
    outbox: SqlOutbox, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = StandingClock()
    replica = Replica(outbox, clock)
    replica.sinks["ops"].answers.append(RuntimeError("a bug"))
    running = asyncio.create_task(replica.desk.run())
    try:
        with monkeypatch.context() as patched:
            patched.setattr(replica.desk._silence, "look", None)
            replica.desk.hear(StoreFailing("store: disk full"))
            await clock.move(1)
        replica.desk.hear(PARKED)
        while not told(store_url):
            assert not running.done()
            await clock.move(5)
            await asyncio.sleep(0.001)
    finally:
        running.cancel()


# from a lane to a message


async def test_a_lane_tells_what_is_dead_and_an_alert_that_dies_tells_nothing(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    replica = Replica(outbox, clock, window=0.0)
    fleet = Fleet(outbox, clock, on_incident=replica.desk.hear)
    await outbox.put(an_intake(an_event(), sinks=("team",)))
    await carry_all(fleet.lane(ScriptedSink(clock, [Refused("HTTP 400")]), "team"))
    await replica.desk.tell()
    assert told(store_url) == [("bridge.dead_letters", "lane:team")]
    await carry_all(fleet.lane(ScriptedSink(clock, [Refused("HTTP 400")]), "ops"))
    await pass_time(fleet.lane(ScriptedSink(clock, [Refused("HTTP 400")]), "night"), clock, 1)
    await replica.pass_time(2 * DEAD_EVERY, by=60)
    assert len(told(store_url)) == 1
    assert {one.state for one in look_up(store_url)} == {"dead"}


async def test_a_lane_tells_how_it_stands_and_a_new_one_of_the_same_address_says_so_again(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    heard: list[Incident] = []
    fleet = Fleet(outbox, clock, on_incident=heard.append)
    await outbox.put(an_intake(an_event()))
    await carry_all(fleet.lane(ScriptedSink(clock, [Gone(GONE)])))
    assert heard == [LaneStanding("ops", "parked", START, GONE)]
    await carry_all(fleet.lane(ScriptedSink(clock)))
    assert heard == [LaneStanding("ops", "parked", START, GONE)] * 2


async def test_a_lane_whose_sink_was_changed_is_open_and_says_since_when_it_was_not(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    heard: list[Incident] = []
    fleet = Fleet(outbox, clock, on_incident=heard.append)
    await outbox.put(an_intake(an_event()))
    await carry_all(fleet.lane(ScriptedSink(clock, [Gone(GONE)])))
    clock.step(60)
    moved = ScriptedSink(clock)
    moved.address = "elsewhere"
    await carry_all(fleet.lane(moved))
    assert heard[1:] == [LaneStanding("ops", "open", START, None)]


async def test_a_service_that_is_back_ends_the_trouble_that_began_with_its_first_failure(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    heard: list[Incident] = []
    await outbox.put(an_intake(an_event()))
    lane = Fleet(outbox, clock, on_incident=heard.append).lane(ScriptedSink(clock, [Away("HTTP 502")] * 2))
    await pass_time(lane, clock, 300)
    assert [(one.standing, one.since) for one in heard if isinstance(one, LaneStanding)] == [
        ("away", START),
        ("open", START),
    ]
    assert heard[0] == LaneStanding("ops", "away", START, "HTTP 502")


async def test_all_of_it_is_kept_as_ordinary_events(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    replica = Replica(outbox, clock)
    clock.step(3600)
    replica.desk.hear(PARKED)
    await replica.desk.tell()
    [event] = kept(store_url)
    assert event.received_at == START + timedelta(hours=1)
