"""Every try of a delivery is kept, with what came of it, for as long as the delivery. On both engines."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.outcome import (
    Again,
    Attempt,
    Away,
    Dead,
    Delivered,
    Done,
    Fate,
    Gone,
    HeldBack,
    Limited,
    Outcome,
    Refused,
)
from bridge.store import open_ledger, open_outbox
from bridge.store.base import Settlement
from bridge.store.keep import Keep
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.attempts import attempts_of
from bridge.store.records import AttemptRecord
from bridge.store.retention import prune
from tests.fakes import START, FakeClock, an_event, an_intake
from tests.store.boxes import after, claimed

ANSWER = "answer " * 100


def tries(url: str, *ids: int) -> list[list[AttemptRecord]]:
    with open_ledger(url) as ledger:
        found = ledger.read(attempts_of, ids)
    return [found.get(id_, []) for id_ in ids]


@pytest.mark.parametrize(
    ("outcome", "fate", "word", "counts"),
    [
        (Delivered("ref-7"), Done(ref="ref-7"), "delivered", True),
        (Limited(5.0), Again(after(60), "rate limited", counts=False), "limited", False),
        (Away("HTTP 502"), Again(after(60), "HTTP 502"), "away", True),
        (Away("HTTP 502", counts=False), Again(after(60), "HTTP 502", counts=False), "away", False),
        (Refused("HTTP 400"), Dead("HTTP 400"), "refused", True),
        (Gone("HTTP 404"), Again(after(60), "HTTP 404", counts=False), "gone", False),
    ],
)
async def test_a_try_is_kept_with_what_came_of_it(
    any_store_url: str, outcome: Outcome, fate: Fate, word: str, counts: bool
) -> None:
    async with open_outbox(any_store_url, replica="node-b") as outbox:
        await outbox.put(an_intake(an_event()))
        [one] = await claimed(outbox)
        await outbox.settle([Settlement(one, fate, Attempt(outcome, 418, ANSWER), after(2), ms=1500.4)])
    [[tried]] = tries(any_store_url, one.id)
    assert tried == AttemptRecord(
        at=after(0.4996),
        ms=1500,
        outcome=word,
        counts=counts,
        status=418,
        reason=getattr(fate, "reason", None),
        answer=ANSWER[:256] if word == "delivered" else ANSWER,
        ref=getattr(fate, "ref", None),
        next_at=getattr(fate, "at", None),
        batch_id=None,
        replica="node-b",
    )


@pytest.mark.parametrize(
    ("fate", "word"),
    [
        (HeldBack("quiet hours"), "held_back"),
        (Again(after(60), "quiet hours", counts=False), "put_off"),
        (Dead("away for 10 m"), "given_up"),
    ],
)
async def test_so_is_what_was_decided_where_nothing_was_sent(
    outbox: SqlOutbox, any_store_url: str, fate: Fate, word: str
) -> None:
    await outbox.put(an_intake(an_event()))
    [one] = await claimed(outbox)
    await outbox.settle([Settlement(one, fate, Attempt(Refused("not sent"), requests=0), START)])
    [[decided]] = tries(any_store_url, one.id)
    assert (decided.outcome, decided.ms, decided.counts, decided.at) == (word, None, False, START)


async def test_tries_stand_in_their_order_and_each_once_though_it_is_recorded_twice(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(an_event()))
    [one] = await claimed(outbox)
    for seconds in (0, 30, 30, 60):
        fate = Again(after(seconds + 30), f"after {seconds}")
        await outbox.settle([Settlement(one, fate, Attempt(Away("HTTP 502"), 502), after(seconds), ms=0.0)])
    [tried] = tries(any_store_url, one.id)
    assert [(record.at, record.reason) for record in tried] == [
        (after(seconds), f"after {seconds}") for seconds in (0, 30, 60)
    ]


async def test_of_a_message_that_told_several_one_has_the_answer_and_the_others_say_which(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(3))))
    batch = await claimed(outbox)
    attempt = Attempt(Delivered("ref-7"), 200, "ok")
    await outbox.settle([Settlement(one, Done(), attempt, START, ms=3.0) for one in batch])
    tried = [one for [one] in tries(any_store_url, *(one.id for one in batch))]
    assert [(one.answer, one.ref, one.batch_id) for one in tried] == [
        ("ok", "ref-7", None),
        (None, None, batch[0].id),
        (None, None, batch[0].id),
    ]


async def test_they_are_forgotten_with_their_delivery(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(2))))
    first, last = await claimed(outbox)
    for one in (first, last):
        await outbox.settle([Settlement(one, Done(), Attempt(Delivered(), 200), START, ms=1.0)])
    later = FakeClock(datetime.now(UTC) + timedelta(days=1))
    await prune(outbox, keep=Keep(operators=60.0), clock=later)  # the newest delivery is never forgotten
    assert [len(found) for found in tries(any_store_url, first.id, last.id)] == [0, 1]
