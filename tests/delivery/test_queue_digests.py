"""What goes together: digests, and storms."""

from collections import Counter
from itertools import pairwise

import pytest

from bridge.delivery.collecting import DIGEST_BYTES
from bridge.event import Event
from bridge.message import Digest, Message
from bridge.outcome import Attempt, Away, Delivered, Limit, Limited, Rate, Refused
from bridge.store import open_ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery
from bridge.terms import DigestWindow, Storm, Terms
from bridge.value import replace
from tests.delivery.lanes import Fleet, ScriptedSink, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import FakeClock, an_event, an_intake

DIGEST = Terms(digest=DigestWindow(window=60.0, max=5))
HOLD = Terms(hold=30.0)
LOST, RESTORED = "node.connection_lost", "node.connection_restored"


def node(type_: str, name: str = "node:a", *, clock: FakeClock) -> Event:
    return an_event(name, type_=type_, at=clock.now())


async def test_what_comes_within_the_window_is_one_message_in_order(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    for second in range(4):
        await outbox.put(routed(an_event(f"user:{second}", type_=f"t.{second}", at=clock.now()), terms=DIGEST))
        lane.wake()
        await pass_time(lane, clock, 10)
    await pass_time(lane, clock, 19)
    assert sink.messages == []
    await pass_time(lane, clock, 1)
    assert sink.digested == [["t.0", "t.1", "t.2", "t.3"]]
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_a_full_digest_does_not_wait_for_its_window(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    for number in range(13):
        await outbox.put(routed(an_event(None, type_=f"t.{number}"), terms=DIGEST))
        lane.wake()
        await carry_all(lane)
    assert [len(types) for types in sink.digested] == [5, 5]
    await pass_time(lane, clock, 60)
    assert [len(types) for types in sink.digested] == [5, 5, 3]


async def test_a_digest_that_filled_while_nobody_carried_it_goes_at_once(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(*(an_event(None) for _ in range(7)), terms=DIGEST))
    await carry_all(a_lane(outbox, sink, clock))
    assert [len(types) for types in sink.digested] == [5]


async def test_a_full_digest_that_was_tried_again_leaves_the_count_of_the_next_one_right(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502")])
    lane = a_lane(outbox, sink, clock)
    for _ in range(2):
        await outbox.put(routed(*(an_event(None) for _ in range(5)), terms=DIGEST))
        lane.wake()
        await pass_time(lane, clock, 35)
    assert [len(types) for types in sink.digested] == [5, 5, 5]


async def test_the_window_goes_on_over_a_restart(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(an_event("user:a"), an_event("user:b"), terms=DIGEST))
    await pass_time(a_lane(outbox, sink, clock), clock, 40)
    await pass_time(a_lane(outbox, sink, clock), clock, 19)
    assert sink.messages == []
    await pass_time(a_lane(outbox, sink, clock), clock, 1)
    assert len(sink.messages) == 1


async def test_rows_do_not_share_a_digest(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    for row in ("route 1", "route 2"):
        await outbox.put(routed(an_event(None), an_event(None), terms=DIGEST, row=row))
    await pass_time(a_lane(outbox, sink, clock), clock, 60)
    assert [len(types) for types in sink.digested] == [2, 2]


async def test_two_lanes_digest_each_for_itself(outbox: SqlOutbox, clock: FakeClock) -> None:
    fleet, sinks = Fleet(outbox, clock), {name: ScriptedSink(clock) for name in ("ops", "team")}
    for name in sinks:
        await outbox.put(routed(an_event(None), an_event(None), terms=DIGEST, sink=name))
    lanes = {name: fleet.lane(sink, name) for name, sink in sinks.items()}
    clock.step(60)
    for lane in lanes.values():
        await carry_all(lane)
    assert [sink.digested for sink in sinks.values()] == [[["user.created"] * 2]] * 2


async def test_order_per_subject_holds_between_what_is_collected_and_what_is_not(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(an_event("user:a", type_="t.1"), terms=DIGEST))
    await outbox.put(routed(an_event("user:a", type_="t.2"), an_event("user:b", type_="t.3"), row="route 2"))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    assert sink.digested == [["t.3"]]
    await pass_time(lane, clock, 60)
    assert sink.digested == [["t.3"], ["t.1"], ["t.2"]]


async def test_a_hold_within_a_digest_takes_back_and_tells_the_rest(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    terms = Terms(hold=30.0, digest=DigestWindow(window=60.0))
    events = [node(LOST, "node:a", clock=clock), node(LOST, "node:b", clock=clock), node(RESTORED, clock=clock)]
    await outbox.put(routed(*events, an_event("user:c"), terms=terms))
    await pass_time(a_lane(outbox, sink, clock), clock, 60)
    [digest] = sink.messages
    assert isinstance(digest, Digest)
    assert [event.subject for event in digest.events] == ["node:b", "user:c"]


async def test_a_row_whose_sink_has_no_digests_any_more_is_told_one_by_one(
    outbox: SqlOutbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    sink = ScriptedSink(clock)
    sink.digests = False
    await outbox.put(routed(*(an_event(None) for _ in range(3)), terms=DIGEST))
    await pass_time(a_lane(outbox, sink, clock), clock, 61)
    assert [len(types) for types in sink.digested] == [1, 1, 1]
    assert "delivery.bug" not in caplog.text


@pytest.mark.parametrize("terms", [DIGEST, HOLD])
async def test_a_replay_is_not_collected(outbox: SqlOutbox, store_url: str, clock: FakeClock, terms: Terms) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(node(LOST, clock=clock), terms=terms))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 61)
    with open_ledger(store_url) as ledger:
        ledger.write(replay_deliveries, DeliveryQuery(limit=None), now=clock.now())
    lane.wake()
    await carry_all(lane)
    assert [message.circumstances.replay for message in sink.messages] == [False, True]


def stormy(clock: FakeClock, **storm: float) -> ScriptedSink:
    sink = ScriptedSink(clock)
    sink.storm = Storm.model_validate(storm)
    sink.limits = (Limit("", Rate(30, 60.0)),)
    return sink


async def test_a_midnight_of_five_thousand_is_a_handful_of_messages(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = stormy(clock, backlog=100)
    await outbox.put(an_intake(*(an_event(f"user:{n}", type_="user.expired") for n in range(5000))))
    await carry_all(a_lane(outbox, sink, clock))
    assert len(sink.messages) <= 8
    assert all(isinstance(one, Digest) and one.tally.storm for one in sink.messages)
    assert sink.subjects == [f"user:{n}" for n in range(5000)]
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_a_flood_that_comes_to_a_lane_that_has_caught_up_becomes_digests(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = stormy(clock, backlog=500)
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(5000))))
    lane.wake()
    await carry_all(lane)
    assert len(sink.messages) <= 8


async def test_a_lane_whose_oldest_has_waited_for_too_long_digests(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = stormy(clock, backlog=1000, age=120.0)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(150))))
    await carry_all(a_lane(outbox, sink, clock))
    counts = [len(types) for types in sink.digested]
    assert counts[:60] == [1] * 60
    assert counts[-1] == 150 - sum(counts[:-1]) > 1
    assert sum(counts) == 150


async def test_a_lane_that_has_caught_up_tells_each_event_by_itself_again(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = stormy(clock, backlog=10)
    lane = a_lane(outbox, sink, clock)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(50))))
    await carry_all(lane)
    await pass_time(lane, clock, 120)
    await outbox.put(an_intake(*(an_event(f"user:{n}", at=clock.now()) for n in range(3))))
    lane.wake()
    await carry_all(lane)
    assert [len(types) for types in sink.digested] == [50, 1, 1, 1]


async def test_a_sink_that_cannot_digest_tells_each_event_by_itself_in_any_storm(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = stormy(clock, backlog=10)
    sink.digests, sink.limits = False, ()
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(150))))
    await carry_all(a_lane(outbox, sink, clock))
    assert len(sink.messages) == 150


async def test_a_storm_keeps_the_order_of_each_subject(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = stormy(clock, backlog=20)
    sink.answers = [Away("HTTP 502"), Limited(3), Delivered(), Refused("HTTP 400")]
    await outbox.put(an_intake(*(an_event(f"user:{n % 7}", type_=f"t.{n:04}") for n in range(400))))
    await pass_time(a_lane(outbox, sink, clock), clock, 4000, by=5)
    told: dict[str | None, list[str]] = {}
    for message in sink.messages:
        for event in message.events if isinstance(message, Digest) else [message.event]:
            types = told.setdefault(event.subject, [])
            if event.type not in types:
                types.append(event.type)
    assert sum(map(len, told.values())) == 400
    assert all(one < other for types in told.values() for one, other in pairwise(types))


async def test_a_429_does_not_end_a_storm(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = stormy(clock, backlog=10)
    sink.answers = [Limited(5), Limited(5)]
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(300))))
    await pass_time(a_lane(outbox, sink, clock), clock, 60)
    assert len(sink.messages) < 10
    assert set(sink.subjects) == {f"user:{n}" for n in range(300)}


async def test_a_digest_of_big_events_is_several_that_have_room_in_memory(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    events = [replace(an_event(f"user:{n}"), native={"text": "x" * (DIGEST_BYTES // 3)}) for n in range(5)]
    await outbox.put(routed(*events, terms=DIGEST))
    await pass_time(a_lane(outbox, sink, clock), clock, 120)
    assert [len(types) for types in sink.digested] == [2, 2, 1]
    assert [one.native for message in sink.messages for one in told(message)] == [one.native for one in events]
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_a_storm_of_big_events_is_told_piece_by_piece(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = stormy(clock, backlog=10)
    await outbox.put(routed(*(replace(an_event(None), native={"text": "x" * DIGEST_BYTES}) for _ in range(3))))
    await outbox.put(routed(*(an_event(None) for _ in range(20))))
    await carry_all(a_lane(outbox, sink, clock))
    assert [len(types) for types in sink.digested] == [1, 1, 1, 20]
    assert {record.state for record in look_up(store_url)} == {"delivered"}


def told(message: Message | Digest) -> list[Event]:
    return list(message.events) if isinstance(message, Digest) else [message.event]


@pytest.mark.parametrize("window", [None, DigestWindow(window=20.0)])
async def test_what_cancels_out_does_so_in_a_storm_too(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, window: DigestWindow | None
) -> None:
    class Slow(ScriptedSink):
        async def send_digest(self, digest: Digest) -> Attempt:
            clock.step(40)  # what is held comes due meanwhile
            return await super().send_digest(digest)

    sink, terms = Slow(clock), Terms(hold=30.0, digest=window)
    sink.storm = Storm(backlog=10)
    names = [f"node:{n}" for n in range(20)]
    await outbox.put(routed(*(an_event(f"user:{n}") for n in range(3000))))
    await outbox.put(routed(*(node(LOST, name, clock=clock) for name in [*names, "node:lost"]), terms=terms))
    await outbox.put(routed(*(node(RESTORED, name, clock=clock) for name in names), terms=terms))
    await pass_time(a_lane(outbox, sink, clock), clock, 120)
    told = [subject for subject in sink.subjects if subject and subject.startswith("node:")]
    assert told == ["node:lost"]
    assert Counter(record.state for record in look_up(store_url)) == {"delivered": 3001, "held_back": 40}
