"""Replay: what people send again."""

import pytest

from bridge.intake import Destination, Intake, Routed, Verdict
from bridge.outcome import Dead, Done, HeldBack
from bridge.store import open_ledger
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.records import event
from bridge.store.queries.replay import replay_deliveries, replay_events, unrouted_events
from bridge.store.records import Query
from bridge.terms import DigestWindow, Quiet, Terms
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import after, claimed, settle, subjects, under


async def test_a_replay_is_a_new_delivery_that_remembers_the_old_one(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(3))))
    for delivery in await claimed(outbox):
        await settle(outbox, delivery, Dead("HTTP 400"))
    with open_ledger(any_store_url) as ledger:
        made = ledger.write(replay_deliveries, Query(states=(State.DEAD,), limit=None), now=START)
    again = await claimed(outbox)
    assert [d.id for d in again] == list(made)
    assert [d.replay_of for d in again] == [1, 2, 3]
    assert subjects(again) == ["user:0", "user:1", "user:2"]


async def test_only_settled_deliveries_are_replayed(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(replay_deliveries, Query(ids=(1,)), now=START) == []


@pytest.mark.parametrize("state", [State.DEAD, State.DELIVERED, State.HELD_BACK])
async def test_whatever_is_settled_can_be_replayed_under_its_terms_and_at_once(
    outbox: SqlOutbox, any_store_url: str, state: State
) -> None:
    terms = Terms(digest=DigestWindow(window=60), quiet=Quiet(hours="22:00-07:00"), update="thread")
    fates = {State.DEAD: Dead("HTTP 400"), State.DELIVERED: Done(), State.HELD_BACK: HeldBack("quiet hours")}
    await outbox.put(under(terms, an_event("user:alice"), an_event("user:bob")))
    for delivery in await claimed(outbox, now=after(60)):
        await settle(outbox, delivery, fates[state])
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(replay_deliveries, Query(states=(state,), subject="user:bob"), now=after(90)) == [3]
    [again] = await claimed(outbox, now=after(90))
    assert (again.terms, again.replay_of, again.made_at) == (terms, 2, after(90))
    assert (again.state, again.due_at, again.attempts) == (State.PENDING, None, 0)


async def test_events_that_went_nowhere_are_found_in_their_order(outbox: SqlOutbox, any_store_url: str) -> None:
    nowhere = [an_event(f"user:{n}", at=after(n)) for n in range(4)]
    await outbox.put(Intake([Routed(event, (), (Verdict("route 1", False, "no"),)) for event in nowhere]))
    await outbox.put(an_intake(an_event("user:routed")))
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(unrouted_events, Query()) == nowhere
        assert ledger.read(unrouted_events, Query(limit=2)) == nowhere[2:]
        assert ledger.read(unrouted_events, Query(since=after(1), until=after(3))) == nowhere[1:3]
        assert (
            ledger.read(unrouted_events, Query(subject="user:2", source="marzban", type="user.created")) == nowhere[2:3]
        )
        assert ledger.read(unrouted_events, Query(source="elsewhere")) == []


async def test_events_are_replayed_through_another_table(outbox: SqlOutbox, any_store_url: str) -> None:
    nowhere = [an_event(f"user:{n}") for n in range(3)]
    await outbox.put(Intake([Routed(event, (), (Verdict("route 1", False, "no"),)) for event in nowhere]))
    terms = Terms(digest=DigestWindow(window=60), fallback=("team",), fallback_after=600)
    verdicts = (Verdict("route 2", True, "matched *"),)
    routed = [Routed(event, (Destination("ops", "route 2", "short", terms),), verdicts) for event in nowhere[:2]]
    unknown = Routed(an_event(), (Destination("ops", "route 2"),), verdicts)
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(replay_events, [*routed, unknown, Routed(nowhere[2], (), verdicts)], now=after(90)) == [
            1,
            2,
        ]
        assert ledger.read(unrouted_events, Query()) == nowhere[2:]
        assert ledger.read(event, nowhere[0].id) == (nowhere[0], [verdicts[0].to_json()])
        assert ledger.write(replay_events, [], now=after(90)) == []
    first, second = await claimed(outbox)
    assert [first.event, second.event] == nowhere[:2]
    assert (first.replay_of, first.made_at, first.row, first.template) == (0, after(90), "route 2", "short")
    assert (first.terms, first.state, first.due_at) == (terms, State.PENDING, None)
