"""The outbox contract: what every store keeps to."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bridge.errors import StoreError, StoreUnavailable
from bridge.outcome import Again, Attempt, Away, Dead, Done, HeldBack, Refused
from bridge.store import open_ledger, open_outbox
from bridge.store.base import Settlement, State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.claim import CLAIM_BYTES, INLINE
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from bridge.value import replace
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import TOOK, as_put, claimed, settle, subjects


async def test_what_was_put_is_claimed_whole(outbox: SqlOutbox) -> None:
    event = an_event("user:алиса ‮")
    await outbox.put(an_intake(event))
    [delivery] = await claimed(outbox)
    assert delivery.event == event
    assert (delivery.sink, delivery.attempts, delivery.state) == ("ops", 0, State.PENDING)


async def test_a_put_returns_the_deliveries_that_a_claim_would(outbox: SqlOutbox) -> None:
    intake = an_intake(an_event("user:alice"), an_event("user:bob"), sinks=("ops", "team"))
    made = (await outbox.put(intake)).deliveries
    for sink in ("ops", "team"):
        assert [delivery for delivery in made if delivery.sink == sink] == as_put(await claimed(outbox, sink=sink))


async def test_each_sink_has_a_delivery_of_its_own(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event(), sinks=("ops", "team")))
    [mine] = await claimed(outbox, sink="ops")
    await settle(outbox, mine, Done())
    assert await claimed(outbox, sink="ops") == []
    assert len(await claimed(outbox, sink="team")) == 1


async def test_pending_deliveries_come_in_the_order_they_were_put(outbox: SqlOutbox) -> None:
    names = [f"user:{n}" for n in range(20)]
    for name in names:
        await outbox.put(an_intake(an_event(name)))
    assert subjects(await claimed(outbox)) == names


async def test_a_claim_goes_on_where_the_last_one_ended(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(5))))
    first = await outbox.claim("ops", after=0, now=START, limit=2)
    second = await outbox.claim("ops", after=first.cursor, now=START, limit=100)
    assert subjects([*first.deliveries, *second.deliveries]) == [f"user:{n}" for n in range(5)]


async def test_claiming_changes_nothing(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event()))
    assert await claimed(outbox) == await claimed(outbox)


async def test_a_waiting_delivery_is_claimed_when_it_is_due_and_not_before(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    due = START + timedelta(seconds=30)
    await settle(outbox, delivery, Again(due, "HTTP 502"), Attempt(Away("HTTP 502"), 502))
    assert await claimed(outbox, now=due - timedelta(microseconds=1)) == []
    assert (await outbox.claim("ops", after=0, now=START, limit=100)).next_due == due
    [again] = await claimed(outbox, now=due)
    assert (again.id, again.attempts, again.state) == (delivery.id, 1, State.WAITING)


async def test_a_wait_that_does_not_count_leaves_the_attempts_as_they_were(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Again(START, "rate limited", counts=False))
    assert [d.attempts for d in await claimed(outbox)] == [0]


async def test_later_deliveries_of_a_subject_wait_behind_its_retry_and_no_others_do(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob"), an_event("user:alice"), an_event(None)))
    alice, *_ = await claimed(outbox)
    await settle(outbox, alice, Again(START + timedelta(hours=1), "HTTP 502"))
    assert subjects(await claimed(outbox)) == ["user:bob", None]
    await settle(outbox, alice, Done())
    assert subjects(await claimed(outbox)) == ["user:bob", "user:alice", None]


async def test_a_retry_on_one_sink_holds_up_nothing_on_another(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event(), an_event(), sinks=("ops", "team")))
    first, _ = await claimed(outbox, sink="ops")
    await settle(outbox, first, Again(START + timedelta(hours=1), "HTTP 502"))
    assert len(await claimed(outbox, sink="team")) == 2


async def test_what_is_settled_stays_settled(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400, "no"))
    await settle(outbox, delivery, Done())
    with open_ledger(any_store_url) as ledger:
        [record] = ledger.read(delivery_records, DeliveryQuery())
    assert (record.state, record.reason, record.status, record.answer) == (State.DEAD, "HTTP 400", 400, "no")


async def test_an_intake_is_kept_whole_or_not_at_all(outbox: SqlOutbox, any_store_url: str) -> None:
    event = an_event()
    await outbox.put(an_intake(event))
    with pytest.raises(StoreError):
        await outbox.put(an_intake(an_event("user:bob"), event))  # the second has an id that is taken
    assert subjects(await claimed(outbox)) == ["user:alice"]


async def test_a_bad_neighbour_in_the_same_commit_fails_alone(outbox: SqlOutbox) -> None:
    event = an_event()
    puts = [outbox.put(an_intake(one)) for one in (event, an_event("user:bob"), event, an_event("user:carol"))]
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert [isinstance(result, StoreError) for result in results].count(True) == 1
    assert sorted(map(str, subjects(await claimed(outbox)))) == ["user:alice", "user:bob", "user:carol"]


async def test_a_second_bridge_on_the_same_file_is_refused(store_url: str) -> None:
    async with open_outbox(store_url):
        with pytest.raises(StoreError, match="another panelbridge already runs on"):
            async with open_outbox(store_url):
                pass


async def test_a_full_disk_is_unavailable_and_passes(store_url: str) -> None:
    big = [an_event(f"user:{n:0>900}") for n in range(50)]
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:first")))

        @sa.event.listens_for(outbox._engine, "connect")
        def fill(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
            connection.execute(f"PRAGMA max_page_count={40 if full else 1000000}")

        full = True
        outbox._writer._durable.close()  # the next one is smaller
        with pytest.raises(StoreUnavailable, match="full"):
            await outbox.put(an_intake(*big))
        full = False
        await outbox.put(an_intake(*big))
        assert len(await claimed(outbox)) == 51


async def test_the_store_can_be_written_to(outbox: SqlOutbox) -> None:
    await outbox.check()


async def test_after_a_failure_the_others_of_that_commit_fail_too_and_nothing_half_happens(outbox: SqlOutbox) -> None:
    def lose(connection: sa.Connection, _: object) -> object:
        connection.execute(sa.text("DELETE FROM alembic_version"))
        raise StoreUnavailable("store: gone")

    lost = outbox._writer.write(lose, None)
    put = asyncio.ensure_future(outbox.put(an_intake(an_event())))
    results = await asyncio.gather(lost, put, return_exceptions=True)
    assert isinstance(results[0], StoreUnavailable)
    await outbox.check()
    again = [] if isinstance(results[1], StoreUnavailable) else ["user:alice"]
    assert subjects(await claimed(outbox)) == again


async def test_several_settlements_are_recorded_all_or_none(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    alice, bob = await claimed(outbox)
    wrong = Settlement(bob, Dead(object()), TOOK, START)  # type: ignore[arg-type]  # no column takes that
    with pytest.raises(StoreError):
        await outbox.settle([Settlement(alice, Done(), TOOK, START), wrong])
    assert subjects(await claimed(outbox)) == ["user:alice", "user:bob"]


async def test_what_is_held_back_was_no_attempt(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, HeldBack("taken back by its opposite"))
    assert await claimed(outbox) == []
    with open_ledger(any_store_url) as ledger:
        [record] = ledger.read(delivery_records, DeliveryQuery())
    assert (record.state, record.attempts, record.reason) == (State.HELD_BACK, 0, "taken back by its opposite")


async def test_a_due_retry_waits_behind_an_earlier_one_of_its_subject_that_waits(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:alice")))
    first, second = await claimed(outbox)
    await settle(outbox, second, Again(START, "HTTP 502"))
    await settle(outbox, first, Again(START + timedelta(hours=1), "HTTP 502"))
    assert await claimed(outbox) == []
    await settle(outbox, first, Done())
    assert [d.id for d in await claimed(outbox)] == [second.id]


async def test_a_claim_names_what_is_blocked(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(*map(an_event, ["user:alice", "user:bob", "user:alice"])))
    first, *_ = await claimed(outbox)
    await settle(outbox, first, Again(START + timedelta(hours=1), "HTTP 502"))
    assert (await outbox.claim("ops", after=0, now=None, limit=100)).blocked == [(3, "user:alice")]


async def test_a_pending_delivery_waits_behind_no_later_one(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:alice")))
    first, second = await claimed(outbox)
    await settle(outbox, second, Again(START + timedelta(hours=1), "HTTP 502"))
    assert [d.id for d in await claimed(outbox)] == [first.id]


async def test_a_claim_that_is_not_asked_for_what_is_due_tells_of_nothing_due(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    alice, _ = await claimed(outbox)
    await settle(outbox, alice, Again(START, "HTTP 502"))
    claim = await outbox.claim("ops", after=0, now=None, limit=100)
    assert (subjects(claim.deliveries), claim.next_due) == (["user:bob"], None)


async def test_a_backlog_is_what_is_pending_or_due_counted_as_far_as_it_matters(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(5))))
    first, second, *_ = await claimed(outbox)
    await settle(outbox, first, Again(START + timedelta(hours=1), "HTTP 502"))
    await settle(outbox, second, Again(START, "HTTP 502"))
    assert [await outbox.backlog("ops", now=START, most=most) for most in (3, 4, 10)] == [3, 4, 4]
    assert [await outbox.backlog("ops", now=None, most=most) for most in (4, 10)] == [4, 5]
    assert await outbox.backlog("team", now=START, most=10) == 0


async def test_a_big_event_stays_in_the_store_until_it_is_loaded(outbox: SqlOutbox) -> None:
    big, small = replace(an_event(), native={"text": "ü" * INLINE}), an_event("user:bob")
    await outbox.put(an_intake(big, small))
    found, other = await claimed(outbox)
    assert (found.loaded, found.event) == (False, replace(big, data={}, native=None))
    assert (other.loaded, other.event) == (True, small)
    assert found.size > 2 * INLINE
    loaded = await outbox.load([found, other])
    assert [one.event for one in loaded] == [big, small]
    assert all(one.loaded for one in loaded)


async def test_of_many_events_that_are_claimed_no_more_are_loaded_than_the_memory_is_for(outbox: SqlOutbox) -> None:
    told = [replace(an_event(f"user:{n}"), native={"text": "x" * (INLINE - 200)}) for n in range(100)]
    await outbox.put(an_intake(*told))
    found = await claimed(outbox)
    assert len(found) == 100
    loaded = [one.size for one in found if one.loaded]
    assert loaded
    assert CLAIM_BYTES - INLINE < sum(loaded) <= CLAIM_BYTES
    assert [one.event for one in await outbox.load(found)] == told
