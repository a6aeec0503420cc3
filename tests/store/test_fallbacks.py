"""Fallbacks and updates: whom else to tell, and what was said last."""

import pytest

from bridge.message import Earlier
from bridge.outcome import Again, Dead, Done, HeldBack
from bridge.store import open_ledger
from bridge.store.base import Settlement, State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from bridge.terms import DigestWindow, Quiet, Terms
from tests.fakes import START, an_event
from tests.store.boxes import TOOK, after, claimed, settle, under

QUIET = Quiet(hours="22:00-07:00")
TERMS = Terms(
    fallback=("team", "crm"), fallback_after=600, quiet=QUIET, digest=DigestWindow(window=60), update="subject"
)
NOON = after(60)


async def test_a_dead_delivery_goes_to_its_fallback_with_what_happened(outbox: SqlOutbox, any_store_url: str) -> None:
    event = an_event()
    await outbox.put(under(TERMS, event))
    [delivery] = await claimed(outbox, now=NOON)
    [made] = await settle(outbox, delivery, Dead("HTTP 404"), at=NOON)
    assert await claimed(outbox, sink="team") == [made]
    assert (made.event, made.sink, made.row, made.made_at) == (event, "team", "route 1", NOON)
    assert (made.instead, made.attempts, made.state, made.due_at) == ("ops: HTTP 404", 0, State.PENDING, None)
    assert made.terms == Terms(quiet=QUIET, fallback=("crm",), fallback_after=600)
    with open_ledger(any_store_url) as ledger:
        team, ops = ledger.read(delivery_records, DeliveryQuery())
    assert (ops.reason, team.instead) == ("HTTP 404; told on team instead", "ops: HTTP 404")


async def test_fallbacks_end_and_never_go_in_a_circle(outbox: SqlOutbox) -> None:
    await outbox.put(under(Terms(fallback=("team", "ops", "crm"), fallback_after=600), an_event()))
    told = []
    [delivery] = await claimed(outbox)
    while made := await settle(outbox, delivery, Dead("HTTP 400")):
        [delivery] = made
        told.append((delivery.sink, delivery.instead, delivery.terms))
    assert told == [
        ("team", "ops: HTTP 400", Terms(fallback=("ops", "crm"), fallback_after=600)),
        ("crm", "team: HTTP 400", None),
    ]


async def test_a_fallback_that_had_the_event_already_is_passed_over(outbox: SqlOutbox) -> None:
    await outbox.put(under(TERMS, an_event(), sinks=["ops", "team"]))
    [delivery] = await claimed(outbox, now=NOON)
    [made] = await settle(outbox, delivery, Dead("HTTP 400"))
    assert made.sink == "crm"


async def test_two_that_die_together_share_no_fallback(outbox: SqlOutbox) -> None:
    await outbox.put(under(TERMS, an_event("user:alice"), an_event("user:bob")))
    dead = await claimed(outbox, now=NOON)
    made = await outbox.settle([Settlement(one, Dead("HTTP 400"), TOOK, START) for one in dead])
    assert [(one.event, one.sink) for one in made] == [(one.event, "team") for one in dead]
    assert len({one.id for one in [*dead, *made]}) == 4


async def test_settling_a_dead_delivery_twice_makes_one_fallback(outbox: SqlOutbox) -> None:
    await outbox.put(under(TERMS, an_event()))
    [delivery] = await claimed(outbox, now=NOON)
    assert len(await settle(outbox, delivery, Dead("HTTP 400"))) == 1
    assert await settle(outbox, delivery, Dead("HTTP 400")) == []
    assert await claimed(outbox, sink="crm") == []


@pytest.mark.parametrize("fate", [Done(), Again(START, "HTTP 502"), HeldBack("quiet")])
async def test_only_what_is_dead_falls_back(outbox: SqlOutbox, fate: Done | Again | HeldBack) -> None:
    await outbox.put(under(TERMS, an_event()))
    [delivery] = await claimed(outbox, now=NOON)
    assert await settle(outbox, delivery, fate) == []
    assert await claimed(outbox, sink="team") == []


async def test_what_was_said_is_remembered_until_something_else_is(outbox: SqlOutbox) -> None:
    assert await outbox.earlier_message("ops", "user:alice") is None
    for n, ref in enumerate(("m1", "m2")):
        at = after(n)
        await outbox.put(under(Terms(update="subject"), an_event(type_=f"user.{ref}", at=at)))
        [delivery] = await claimed(outbox)
        await settle(outbox, delivery, Done(ref=ref))
        assert await outbox.earlier_message("ops", "user:alice") == Earlier(ref=ref, type=f"user.{ref}", occurred_at=at)
    assert await outbox.earlier_message("team", "user:alice") is None
    assert await outbox.earlier_message("ops", "user:bob") is None


@pytest.mark.parametrize(
    ("terms", "subject", "done"),
    [
        (None, "user:alice", Done(ref="m1")),
        (Terms(quiet=QUIET), "user:alice", Done(ref="m1")),
        (Terms(update="subject"), "user:alice", Done()),
        (Terms(update="subject"), None, Done(ref="m1")),
    ],
)
async def test_what_nobody_will_update_is_not_remembered(
    outbox: SqlOutbox, terms: Terms | None, subject: str | None, done: Done
) -> None:
    await outbox.put(under(terms, an_event(subject)))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, done)
    assert await outbox.earlier_message("ops", "user:alice") is None
