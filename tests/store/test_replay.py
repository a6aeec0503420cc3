"""Replay and dismiss: what people send again, and what they put away."""

import pytest

from bridge.intake import Decision, Destination, Intake, Routed, Table
from bridge.outcome import Dead, Done, HeldBack
from bridge.store import open_ledger
from bridge.store.base import Cleared, State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.dismiss import dismiss, dismissable, dismissed, undismiss
from bridge.store.queries.records import count_deliveries, delivery_records, event, lane_records, replays_of
from bridge.store.queries.replay import replay_deliveries, replay_events, replayable, unrouted_events
from bridge.store.records import DeliveryQuery
from bridge.terms import DigestWindow, Quiet, Terms
from bridge.value import replace
from tests.fakes import START, TABLE, an_event, an_intake
from tests.store.boxes import after, claimed, settle, subjects, under

NOWHERE = Decision(TABLE)
NOT_DEALT_WITH = DeliveryQuery(cleared=(None,), limit=None)


async def test_a_replay_is_a_new_delivery_that_remembers_the_old_one(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(3))))
    for delivery in await claimed(outbox):
        await settle(outbox, delivery, Dead("HTTP 400"))
    with open_ledger(any_store_url) as ledger:
        made = ledger.write(replay_deliveries, DeliveryQuery(states=(State.DEAD,), limit=None), now=START)
    again = await claimed(outbox)
    assert [(d.id, d.replay_of) for d in again] == [(one.id, one.replay_of) for one in made]
    assert [d.replay_of for d in again] == [1, 2, 3]
    assert subjects(again) == ["user:0", "user:1", "user:2"]


async def test_only_settled_deliveries_are_replayed(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(replay_deliveries, DeliveryQuery(ids=(1,)), now=START) == []


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
        [made] = ledger.write(replay_deliveries, DeliveryQuery(states=(state,), subject="user:bob"), now=after(90))
        assert (made.replay_of, made.id) == (2, 3)
    [again] = await claimed(outbox, now=after(90))
    assert (again.terms, again.replay_of, again.made_at) == (terms, 2, after(90))
    assert (again.state, again.due_at, again.attempts) == (State.PENDING, None, 0)


async def test_what_is_replayed_is_dealt_with_and_says_when(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    for delivery in await claimed(outbox):
        await settle(outbox, delivery, Dead("HTTP 400"))
    with open_ledger(any_store_url) as ledger:
        assert [lane.dead for lane in ledger.read(lane_records)] == [2]
        ledger.write(replay_deliveries, DeliveryQuery(ids=(1,)), now=after(90))
        [record] = ledger.read(delivery_records, DeliveryQuery(cleared=(Cleared.REPLAYED,)))
        assert (record.id, record.state, record.cleared, record.cleared_at) == (
            1,
            State.DEAD,
            Cleared.REPLAYED,
            after(90),
        )
        assert ledger.read(replays_of, record) == [3]
        assert [one.replay_of for one in ledger.read(replayable, NOT_DEALT_WITH)] == [2]
        assert ledger.read(count_deliveries, replace(NOT_DEALT_WITH, states=(State.DEAD,))) == 1
        assert [lane.dead for lane in ledger.read(lane_records)] == [1]


async def test_the_replay_of_what_had_arrived_is_not_replayed_itself_but_by_its_id(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    arrived, dead = await claimed(outbox)
    await settle(outbox, arrived, Done())
    await settle(outbox, dead, Dead("HTTP 400"))
    with open_ledger(any_store_url) as ledger:
        ledger.write(replay_deliveries, NOT_DEALT_WITH, now=after(90))
        for delivery in await claimed(outbox, after=2):
            await settle(outbox, delivery, Done())
        assert [one.replay_of for one in ledger.read(replayable, NOT_DEALT_WITH)] == [4]  # that of the dead one
        assert [one.replay_of for one in ledger.read(replayable, replace(NOT_DEALT_WITH, ids=(3,)))] == [3]


async def test_dead_letters_are_put_away_and_got_back(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    dead, waiting = await claimed(outbox)
    await settle(outbox, dead, Dead("HTTP 400"))
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(dismissable, DeliveryQuery()) == ledger.write(dismiss, DeliveryQuery(), now=after(90)) == [1]
        assert ledger.write(dismiss, DeliveryQuery(), now=after(91)) == []
        [record] = ledger.read(delivery_records, DeliveryQuery(cleared=(Cleared.DISMISSED,)))
        assert (record.cleared, record.cleared_at) == (Cleared.DISMISSED, after(90))
        assert [lane.dead for lane in ledger.read(lane_records)] == [0]
        assert ledger.read(dismissed, DeliveryQuery()) == ledger.write(undismiss, DeliveryQuery()) == [1]
        [record] = ledger.read(delivery_records, DeliveryQuery(ids=(1,)))
        assert (record.cleared, record.cleared_at) == (None, None)
        ledger.write(replay_deliveries, DeliveryQuery(ids=(1,)), now=after(92))
        assert ledger.write(dismiss, DeliveryQuery(), now=after(93)) == ledger.write(undismiss, DeliveryQuery()) == []
    await settle(outbox, waiting, Done())


async def test_events_that_went_nowhere_are_found_in_their_order(outbox: SqlOutbox, any_store_url: str) -> None:
    nowhere = [an_event(f"user:{n}", at=after(n)) for n in range(4)]
    await outbox.put(Intake([Routed(event, (), NOWHERE) for event in nowhere]))
    await outbox.put(an_intake(an_event("user:routed")))
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(unrouted_events, DeliveryQuery()) == nowhere
        assert ledger.read(unrouted_events, DeliveryQuery(limit=2)) == nowhere[2:]
        assert ledger.read(unrouted_events, DeliveryQuery(since=after(1), until=after(3))) == nowhere[1:3]
        assert (
            ledger.read(unrouted_events, DeliveryQuery(subject="user:2", source="marzban", type="user.created"))
            == nowhere[2:3]
        )
        assert ledger.read(unrouted_events, DeliveryQuery(source="elsewhere")) == []


async def test_two_who_have_found_the_same_events_send_them_once(outbox: SqlOutbox, any_store_url: str) -> None:
    event, other = an_event("user:alice"), an_event("user:bob")
    await outbox.put(Intake([Routed(one, (), NOWHERE) for one in (event, other)]))
    to = Destination("ops", "route 1"), Destination("team", "route 1")
    with open_ledger(any_store_url) as first, open_ledger(any_store_url) as second:
        found = [Routed(one, to, NOWHERE) for one in second.read(unrouted_events, DeliveryQuery())]
        assert first.write(replay_events, found[:1], now=after(90)) == [1, 2]
        assert second.write(replay_events, found, now=after(91)) == [3, 4]
    assert [one.event for one in await claimed(outbox)] == [event, other]


async def test_events_are_replayed_through_another_table(outbox: SqlOutbox, any_store_url: str) -> None:
    nowhere = [an_event(f"user:{n}") for n in range(3)]
    await outbox.put(Intake([Routed(event, (), NOWHERE) for event in nowhere]))
    terms = Terms(digest=DigestWindow(window=60), fallback=("team",), fallback_after=600)
    decision = Decision(Table("another", "[]"), ("route 2",), (("route 1", "division by zero"),))
    routed = [Routed(event, (Destination("ops", "route 2", "short", terms),), decision) for event in nowhere[:2]]
    unknown = Routed(an_event(), (Destination("ops", "route 2"),), decision)
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(replay_events, [*routed, unknown, Routed(nowhere[2], (), decision)], now=after(90)) == [
            1,
            2,
        ]
        assert ledger.read(unrouted_events, DeliveryQuery()) == nowhere[2:]
        assert ledger.read(event, nowhere[0].id) == (nowhere[0], decision)
        assert ledger.write(replay_events, [], now=after(90)) == []
    first, second = await claimed(outbox)
    assert [first.event, second.event] == nowhere[:2]
    assert (first.replay_of, first.made_at, first.row, first.template) == (0, after(90), "route 2", "short")
    assert (first.terms, first.state, first.due_at) == (terms, State.PENDING, None)
