"""The outbox contract: what every store keeps to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bridge.errors import StoreError, StoreUnavailable
from bridge.intake import Intake, SetAside
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate, Refused
from bridge.store import open_ledger, open_outbox, queries
from bridge.store.base import Delivery, Query, Settlement, State
from bridge.store.outbox import SqlOutbox
from tests.fakes import START, an_event, an_intake


@pytest.fixture
async def outbox(store_url: str) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(store_url) as opened:
        yield opened


async def claimed(outbox: SqlOutbox, *, after: int = 0, now: datetime = START, sink: str = "ops") -> list[Delivery]:
    return list((await outbox.claim(sink, after=after, now=now, limit=100)).deliveries)


async def settle(outbox: SqlOutbox, delivery: Delivery, fate: Fate, attempt: Attempt | None = None) -> None:
    attempt = attempt or Attempt(Delivered(), 200)
    await outbox.settle(Settlement(delivery, fate, attempt, START))


def subjects(deliveries: list[Delivery]) -> list[str | None]:
    return [delivery.event.subject for delivery in deliveries]


async def test_what_was_put_is_claimed_whole(outbox: SqlOutbox) -> None:
    event = an_event("user:алиса ‮")
    await outbox.put(an_intake(event))
    [delivery] = await claimed(outbox)
    assert delivery.event == event
    assert (delivery.sink, delivery.attempts, delivery.retried) == ("ops", 0, False)


async def test_a_put_returns_the_deliveries_that_a_claim_would(outbox: SqlOutbox) -> None:
    intake = an_intake(an_event("user:alice"), an_event("user:bob"), sinks=("ops", "team"))
    made = await outbox.put(intake)
    for sink in ("ops", "team"):
        assert [delivery for delivery in made if delivery.sink == sink] == await claimed(outbox, sink=sink)


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
    second = await outbox.claim("ops", after=first.seen, now=START, limit=100)
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
    assert (again.id, again.attempts, again.retried) == (delivery.id, 1, True)


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


async def test_what_is_settled_stays_settled(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400, "no"))
    await settle(outbox, delivery, Done())
    with open_ledger(store_url) as ledger:
        [record] = ledger.deliveries(Query())
    assert (record.state, record.reason, record.status, record.answer) == (State.DEAD, "HTTP 400", 400, "no")


async def test_an_intake_is_kept_whole_or_not_at_all(outbox: SqlOutbox, store_url: str) -> None:
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


async def test_a_second_bridge_on_the_same_file_is_refused(outbox: SqlOutbox, store_url: str) -> None:
    with pytest.raises(StoreError, match="another panelbridge already runs on"):
        async with open_outbox(store_url):
            pass


async def test_a_full_disk_is_unavailable_and_passes(outbox: SqlOutbox) -> None:
    def fill(connection: sa.Connection, whats: Sequence[None]) -> Sequence[None]:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        return whats

    await outbox._writer.write(fill, None)
    big = [an_event(f"user:{n:0>900}") for n in range(50)]
    with pytest.raises(StoreUnavailable, match="full"):
        await outbox.put(an_intake(*big))

    def widen(connection: sa.Connection, whats: Sequence[None]) -> Sequence[None]:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        return whats

    await outbox._writer.write(widen, None)
    await outbox.put(an_intake(*big))
    assert len(await claimed(outbox)) == 50


async def test_old_settled_rows_are_forgotten_in_steps_and_waiting_ones_never(outbox: SqlOutbox) -> None:
    events = [an_event(f"user:{n}") for n in range(6)]
    await outbox.put(an_intake(*events))
    for delivery in (await claimed(outbox))[:5]:
        await settle(outbox, delivery, Done())
    later = datetime.now(START.tzinfo) + timedelta(days=1)
    steps = [await outbox.prune(before=later, limit=2) for _ in range(6)]
    assert steps[-1] == 0
    assert sum(steps) == 10  # five deliveries and their events
    assert subjects(await claimed(outbox)) == ["user:5"]


async def test_what_was_set_aside_is_in_the_ledger(outbox: SqlOutbox, store_url: str) -> None:
    aside = SetAside(source="marzban", received_at=START, path="[1]", reason="should be an object", element=7)
    await outbox.put(Intake([], [aside]))
    with open_ledger(store_url) as ledger:
        [record] = ledger.set_aside(limit=10)
    assert (record.path, record.reason, record.element) == ("[1]", "should be an object", 7)


async def test_the_ledger_tells_why_an_event_went_where_it_went(outbox: SqlOutbox, store_url: str) -> None:
    event = an_event()
    await outbox.put(an_intake(event))
    with open_ledger(store_url) as ledger:
        assert ledger.event(event.id) == (event, [{"row": "route 1", "matched": True, "why": "matched *"}])
        assert ledger.event("no such id") is None


async def test_a_replay_is_a_new_delivery_that_remembers_the_old_one(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(3))))
    for delivery in await claimed(outbox):
        await settle(outbox, delivery, Dead("HTTP 400"))
    with open_ledger(store_url) as ledger:
        made = ledger.replay(Query(states=(State.DEAD,), limit=None), now=START)
    again = await claimed(outbox)
    assert [d.id for d in again] == list(made)
    assert [d.replay_of for d in again] == [1, 2, 3]
    assert subjects(again) == ["user:0", "user:1", "user:2"]


async def test_only_settled_deliveries_are_replayed(outbox: SqlOutbox, store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    with open_ledger(store_url) as ledger:
        assert ledger.replay(Query(ids=(1,)), now=START) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), [3, 2, 1]),
        (Query(limit=1), [3]),
        (Query(ids=(1, 2)), [2, 1]),
        (Query(states=(State.DEAD,)), [1]),
        (Query(sink="team"), []),
        (Query(type="user.deleted"), [3]),
        (Query(subject="user:bob"), [2]),
        (Query(source="elsewhere"), []),
        (Query(since=START + timedelta(seconds=1)), [3]),
    ],
)
async def test_the_ledger_finds_what_is_meant(
    outbox: SqlOutbox, store_url: str, query: Query, found: list[int]
) -> None:
    later = START + timedelta(seconds=5)
    await outbox.put(an_intake(an_event(), an_event("user:bob"), an_event("user:eve", type_="user.deleted", at=later)))
    first, *_ = await claimed(outbox)
    await settle(outbox, first, Dead("HTTP 400"))
    with open_ledger(store_url) as ledger:
        assert [record.id for record in ledger.deliveries(query)] == found


def test_every_lane_query_uses_its_index(store_url: str) -> None:
    with open_ledger(store_url) as ledger:
        connection = ledger._reads()
        for query, index in ((queries._DUE, "deliveries_waiting"), (queries._PENDING, "deliveries_pending")):
            compiled = query.compile(connection.engine, compile_kwargs={"render_postcompile": True})
            values = compiled.construct_params({"sink_": "ops", "now_": 0, "after_": 0, "limit_": 10})
            ordered = tuple(values[name] for name in compiled.positiontup or [])
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", ordered).all()
            assert any(index in row.detail for row in plan), plan
        connection.close()
