"""A lane sends nothing of somebody who was forgotten after it had claimed it."""

from bridge.intake import Destination, Intake, Routed
from bridge.outcome import Away
from bridge.store.outbox import SqlOutbox
from bridge.terms import Terms
from bridge.value import replace
from tests.delivery.lanes import Fleet, ScriptedSink, a_lane, carry_all, look_up, pass_time, routed
from tests.delivery.test_customers import Dm, Words
from tests.fakes import DECISION, FakeClock, an_event
from tests.store.forgetting import columns_with, forget


async def test_what_was_claimed_when_it_was_forgotten_is_not_sent(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    await outbox.put(routed(*(an_event(f"user:{name}") for name in ("bob", "alice", "carol"))))
    assert await lane.step()  # all three are claimed, and the first is sent
    forget(store_url)
    clock.step(1)
    await carry_all(lane)
    assert sink.subjects == ["user:bob", "user:carol"]
    assert [one.subject for one in look_up(store_url)] == ["user:bob", "user:carol"]


async def test_a_big_event_that_is_forgotten_before_it_is_read_holds_up_nobody(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = ScriptedSink(clock)
    lane = a_lane(outbox, sink, clock)
    big = replace(an_event("user:alice"), native={"text": "a" * 2_000_000})
    await outbox.put(routed(an_event("user:bob"), big, an_event("user:carol")))
    assert await lane.step()
    forget(store_url)
    await carry_all(lane)
    assert sink.subjects == ["user:bob", "user:carol"]


async def test_a_customers_big_event_that_is_known_to_be_forgotten_is_not_waited_for(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Dm(clock)
    lane = Fleet(outbox, clock).lane(sink, renderer=Words())
    for chat, name, size in ((1, "bob", 0), (2, "alice", 2_000_000), (3, "carol", 0)):
        user = {"username": name, "telegram_id": chat}
        event = replace(an_event(f"user:{name}"), data={"user": user}, native={"text": "a" * size})
        to = Destination("ops", "route 1", recipient=f"marzban/user:{name}")
        await outbox.put(Intake([Routed(event, (to,), DECISION)]))
    assert await lane.step()
    forget(store_url)
    clock.step(1)
    before = clock.monotonic()
    await carry_all(lane)
    assert (sink.chats, clock.monotonic()) == (["1", "3"], before)


async def test_of_a_digest_and_of_retries_she_is_left_out(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = ScriptedSink(clock, [Away("HTTP 502")])
    lane = a_lane(outbox, sink, clock)
    terms = Terms.model_validate({"digest": {"window": 60.0}})
    await outbox.put(routed(*(an_event(f"user:{name}") for name in ("alice", "bob", "carol")), terms=terms))
    await pass_time(lane, clock, 70)
    forget(store_url)
    await pass_time(lane, clock, 300, by=10)
    assert sink.subjects == ["user:alice", "user:bob", "user:carol", "user:bob", "user:carol"]
    assert columns_with(store_url, "alice") == set()
