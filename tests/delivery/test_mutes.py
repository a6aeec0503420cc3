"""A lane holds back what is muted by the time it would be sent."""

from bridge.mute import MuteKind
from bridge.outcome import Away
from bridge.store import open_ledger
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.mutes import add_mute, end_mute
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery
from bridge.terms import Terms
from tests.delivery.lanes import ScriptedSink, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import START, FakeClock, an_event
from tests.store.boxes import after


def mute(store_url: str, kind: MuteKind, value: str, *, seconds: float = 3600) -> int:
    with open_ledger(store_url) as ledger:
        return ledger.write(add_mute, kind, value, until=after(seconds), by="mina", now=START).id


async def test_what_waited_already_when_it_was_muted_is_held_back(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    await outbox.put(routed(an_event("user:alice"), an_event("user:bob")))
    mute(store_url, MuteKind.SUBJECT, "user:alice")
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.subjects == ["user:bob"]
    alice, bob = look_up(store_url)
    assert (alice.state, alice.reason, bob.state) == (State.HELD_BACK, "muted", State.DELIVERED)
    assert alice.note == f"muted until {after(3600):%Y-%m-%d %H:%M} UTC by mina"


async def test_a_retry_is_held_back_and_is_not_sent_when_the_mute_is_over(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502")])
    lane = a_lane(outbox, sink, clock)
    await outbox.put(routed(an_event("user:alice")))
    await carry_all(lane)
    mute(store_url, MuteKind.SINK, "ops", seconds=3600)
    await pass_time(lane, clock, 7200, by=60)
    assert len(sink.sent) == 1
    [alice] = look_up(store_url)
    assert (alice.state, alice.attempts) == (State.HELD_BACK, 1)


async def test_of_a_digest_only_what_is_muted_is_left_out(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    terms = Terms.model_validate({"digest": {"window": 60.0}})
    await outbox.put(routed(*(an_event(f"user:{name}") for name in ("alice", "bob", "carol")), terms=terms))
    mute(store_url, MuteKind.SUBJECT, "user:bob")
    await pass_time(a_lane(outbox, sink, clock), clock, 70)
    assert sink.subjects == ["user:alice", "user:carol"]
    assert len(sink.messages) == 1


async def test_what_is_replayed_is_sent_whatever_is_muted(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    mute(store_url, MuteKind.SOURCE, "marzban")
    await outbox.put(routed(an_event("user:alice")))
    await carry_all(lane)
    with open_ledger(store_url) as ledger:
        ledger.write(replay_deliveries, DeliveryQuery(states=(State.HELD_BACK,)), now=START)
    lane.wake()
    await carry_all(lane)
    assert sink.subjects == ["user:alice"]


async def test_what_comes_after_a_mute_has_ended_is_told(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    id_ = mute(store_url, MuteKind.SINK, "ops")
    await outbox.put(routed(an_event("user:alice")))
    await carry_all(lane)
    with open_ledger(store_url) as ledger:
        ledger.write(end_mute, id_, now=START)
    clock.step(2)  # a lane asks no more often than each second
    await outbox.put(routed(an_event("user:bob")))
    lane.wake()
    await carry_all(lane)
    assert sink.subjects == ["user:bob"]
