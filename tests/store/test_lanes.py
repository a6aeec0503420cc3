"""Lanes in the store: how each stands outlives the process, and an old term of office changes nothing."""

from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import StoreUnavailable
from bridge.outcome import Again, Dead, Done, Limit, Rate
from bridge.store import open_ledger
from bridge.store.backend import open_engine
from bridge.store.base import LaneState, Settlement, Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import lanes
from bridge.store.queries.lanes import resume
from bridge.store.queries.records import lane_records
from bridge.terms import DigestWindow, Terms
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import TOOK, after, claimed, settle, under

PARKED = LaneState(standing=Standing.PARKED, reason="HTTP 404: webhook deleted", since=START, address="a1b2")
AWAY = LaneState(standing=Standing.AWAY, reason="HTTP 502", since=START, until=after(60), failures=3)

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
times = st.integers(0, 10**9).map(lambda n: after(n / 1000))
limits = st.builds(Limit, texts, st.builds(Rate, st.integers(1, 9999), st.floats(0.001, 1e6)), st.booleans())
states = st.builds(
    LaneState,
    standing=st.sampled_from(Standing),
    reason=st.none() | texts,
    since=st.none() | times,
    until=st.none() | times,
    failures=st.integers(0, 10**6),
    address=texts,
    spent=st.dictionaries(texts, st.lists(times, max_size=5).map(tuple), max_size=3),
    learned=st.lists(limits, max_size=3).map(tuple),
)


def elect(url: str, sink: str, epoch: int) -> None:
    """Begin a term of office, as whoever takes a lane over does."""
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO lanes (sink, epoch, owner, standing, failures, address, spent, learned)"
                " VALUES (:sink, :epoch, 'replica-b', 'open', 0, '', '{}', '[]')"
                " ON CONFLICT (sink) DO UPDATE SET epoch = :epoch, owner = 'replica-b'"
            ),
            {"sink": sink, "epoch": epoch},
        )
    engine.dispose()


async def test_a_lane_that_nobody_has_carried_is_as_new(outbox: SqlOutbox) -> None:
    assert await outbox.lane_state("ops") == LaneState()


@settings(max_examples=settings.default.max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states)
async def test_how_a_lane_stands_is_kept_whole(outbox: SqlOutbox, state: LaneState) -> None:
    await outbox.save_lane_state("ops", state, epoch=0)
    assert await outbox.lane_state("ops") == state


async def test_the_last_word_about_a_lane_counts(outbox: SqlOutbox) -> None:
    words = [outbox.save_lane_state("ops", state, epoch=0) for state in (AWAY, PARKED, AWAY)]
    other = outbox.save_lane_state("team", PARKED, epoch=0)
    for word in (*words, other):
        await word
    assert (await outbox.lane_state("ops"), await outbox.lane_state("team")) == (AWAY, PARKED)


async def test_an_old_epoch_says_nothing_about_a_lane(outbox: SqlOutbox, any_store_url: str) -> None:
    elect(any_store_url, "ops", 7)
    for epoch in (0, 6, 8):
        await outbox.save_lane_state("ops", PARKED, epoch=epoch)
        assert await outbox.lane_state("ops") == LaneState()
    await outbox.save_lane_state("ops", PARKED, epoch=7)
    assert await outbox.lane_state("ops") == PARKED


async def test_an_epoch_that_nobody_began_makes_no_lane(outbox: SqlOutbox) -> None:
    await outbox.save_lane_state("ops", PARKED, epoch=5)
    assert await outbox.lane_state("ops") == LaneState()


@pytest.mark.parametrize("epoch", [0, 6, 8])
async def test_what_is_settled_under_another_epoch_changes_nothing(
    outbox: SqlOutbox, any_store_url: str, epoch: int
) -> None:
    terms = Terms(fallback=("team",), fallback_after=600, update="subject")
    await outbox.put(under(terms, an_event("user:alice"), an_event("user:bob")))
    elect(any_store_url, "ops", 7)
    alice, bob = await claimed(outbox)
    assert await settle(outbox, alice, Dead("HTTP 404"), epoch=epoch) == []
    assert await settle(outbox, bob, Done(ref="m1"), epoch=epoch) == []
    assert await claimed(outbox) == [alice, bob]
    assert await claimed(outbox, sink="team") == []
    assert await outbox.earlier_message("ops", "user:bob") is None
    await settle(outbox, alice, Done(), epoch=7)
    assert await claimed(outbox) == [bob]


@pytest.mark.parametrize("epoch", [7, 6])
async def test_what_waits_is_made_due_earlier_in_steps_once_even_if_the_store_was_away_in_between(
    outbox: SqlOutbox, any_store_url: str, monkeypatch: pytest.MonkeyPatch, epoch: int
) -> None:
    monkeypatch.setattr(lanes, "ADVANCED", 2)
    await outbox.put(an_intake(*(an_event(f"user:{number}") for number in range(5))))
    elect(any_store_url, "ops", 7)
    waiting, later = await claimed(outbox), START + timedelta(hours=1)
    await outbox.settle([Settlement(one, Again(later, "HTTP 500"), TOOK, START, epoch=7) for one in waiting])
    write, writes = outbox._writer.write, count(1)

    def write_or_fail(query: Any, value: Any, *, durable: bool = True) -> Any:
        if query is lanes.advance_due and next(writes) == 2:
            raise StoreUnavailable("store: away")
        return write(query, value, durable=durable)

    monkeypatch.setattr(outbox._writer, "write", write_or_fail)
    for _ in range(2):
        with suppress(StoreUnavailable):
            await outbox.advance_due("ops", 600.0, epoch=epoch)
    due = {one.due_at for one in await claimed(outbox, now=later)}
    assert due == ({later - timedelta(minutes=10)} if epoch == 7 else {later})


async def test_each_lane_is_settled_under_its_own_epoch(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event(), sinks=("ops", "team", "crm")))
    elect(any_store_url, "ops", 7)
    elect(any_store_url, "team", 8)
    boxes = [(await claimed(outbox, sink=sink))[0] for sink in ("ops", "team", "crm")]
    await outbox.settle(
        [Settlement(one, Done(), TOOK, START, epoch=epoch) for one, epoch in zip(boxes, (7, 7, 0), strict=True)]
    )
    left = [len(await claimed(outbox, sink=sink)) for sink in ("ops", "team", "crm")]
    assert left == [0, 1, 0]


async def test_people_see_how_lanes_stand_and_what_they_have_left(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}", at=after(n)) for n in range(4))))
    await outbox.put(under(Terms(hold=30), an_event("node:fra", type_="node.connection_lost", at=after(9))))
    dead, done, *_ = await claimed(outbox)
    await settle(outbox, dead, Dead("HTTP 400"))
    await settle(outbox, done, Done())
    elect(any_store_url, "crm", 3)
    await outbox.save_lane_state("crm", AWAY, epoch=3)
    with open_ledger(any_store_url) as ledger:
        crm, ops = ledger.read(lane_records)
    assert (ops.sink, ops.standing, ops.owner, ops.failures) == ("ops", Standing.OPEN, None, 0)
    assert (ops.pending, ops.waiting, ops.dead, ops.oldest) == (2, 1, 1, after(2))
    assert (crm.sink, crm.standing, crm.reason, crm.owner) == ("crm", Standing.AWAY, "HTTP 502", "replica-b")
    assert (crm.since, crm.until, crm.failures) == (START, after(60), 3)
    assert (crm.pending, crm.waiting, crm.dead, crm.oldest) == (0, 0, 0, None)
    assert crm.to_json()["until"] == "2026-11-21T04:15:18Z"


async def test_what_was_put_off_in_a_resumed_lane_is_due_at_once_and_what_is_collected_is_not(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(an_event()))
    await outbox.put(under(Terms(digest=DigestWindow(window=60)), an_event("user:bob")))
    first = (await claimed(outbox))[0]
    await settle(outbox, first, Again(after(3600), "HTTP 503"))
    await outbox.save_lane_state("ops", AWAY, epoch=0)
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(resume, "ops")
    due = {one.event.subject: one.due_at for one in await claimed(outbox, now=after(7200))}
    assert due == {"user:alice": START, "user:bob": after(60)}


@pytest.mark.parametrize("state", [PARKED, AWAY])
async def test_a_resumed_lane_is_open_and_keeps_what_it_has_spent(
    outbox: SqlOutbox, any_store_url: str, state: LaneState
) -> None:
    await outbox.save_lane_state("ops", state, epoch=0)
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(resume, "ops")
        assert not ledger.write(resume, "ops")
        assert not ledger.write(resume, "team")
    assert await outbox.lane_state("ops") == LaneState(address=state.address)
