"""Collecting: deliveries that wait for their digest, or for their opposite."""

import pytest

from bridge.outcome import Again, Dead, Done
from bridge.store.base import Delivery, State
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Quiet, Terms
from tests.fakes import an_event, an_intake
from tests.store.boxes import after, as_put, claimed, settle, subjects, under

DIGEST = Terms(digest=DigestWindow(window=60, max=20))
HOLD = Terms(hold=30)
LOST, RESTORED = "node.connection_lost", "node.connection_restored"


async def batch_members(outbox: SqlOutbox, first: Delivery, limit: int = 100) -> list[int]:
    return [delivery.id for delivery in await outbox.batch_members(first, limit=limit)]


@pytest.mark.parametrize(
    "terms",
    [
        Terms(quiet=Quiet(hours="22:00-07:00", mode="hold")),
        Terms(update="thread", fallback=("ops", "team"), fallback_after=600),
        Terms(digest=DigestWindow(window=0.5), hold=1.25),
        None,
    ],
)
async def test_terms_are_kept_as_they_were(outbox: SqlOutbox, terms: Terms | None) -> None:
    made = (await outbox.put(under(terms, an_event()))).deliveries
    found = await claimed(outbox, now=after(60))
    assert as_put(found) == made
    assert found[0].terms == terms


async def test_what_is_collected_waits_until_the_collecting_ends(outbox: SqlOutbox) -> None:
    [made] = (await outbox.put(under(DIGEST, an_event()))).deliveries
    assert (made.state, made.due_at, made.attempts) == (State.WAITING, after(60), 0)
    assert await claimed(outbox, now=after(59.9)) == []
    assert (await outbox.claim("ops", after=0, now=after(0), limit=9)).next_due == after(60)
    assert as_put(await claimed(outbox, now=after(60))) == [made]


async def test_a_hold_collects_what_has_an_opposite_and_nothing_else(outbox: SqlOutbox) -> None:
    await outbox.put(under(HOLD, an_event("node:fra", type_=LOST), an_event("node:lon", type_="node.created")))
    assert subjects(await claimed(outbox)) == ["node:lon"]
    assert subjects(await claimed(outbox, now=after(30))) == ["node:fra", "node:lon"]


async def test_a_digest_is_what_was_made_within_its_window(outbox: SqlOutbox) -> None:
    for seconds in (0, 30, 60, 60.000001):
        await outbox.put(under(DIGEST, an_event(f"user:{seconds}", at=after(seconds))))
    [first] = await claimed(outbox, now=after(60))
    assert await batch_members(outbox, first) == [1, 2, 3]
    assert await batch_members(outbox, first, limit=2) == [1, 2]


async def test_a_digest_is_of_one_sink_one_row_and_the_same_terms(outbox: SqlOutbox) -> None:
    await outbox.put(under(DIGEST, an_event("user:1")))
    await outbox.put(under(DIGEST, an_event("user:2"), row="route 2"))
    await outbox.put(under(Terms(digest=DigestWindow(window=60)), an_event("user:3")))
    await outbox.put(under(DIGEST, an_event("user:4"), sinks=["team"]))
    await outbox.put(an_intake(an_event("user:5")))
    await outbox.put(under(DIGEST, an_event("user:6")))
    first = next(one for one in await claimed(outbox, now=after(60)) if one.id == 1)
    assert await batch_members(outbox, first) == [1, 6]


async def test_a_digest_that_failed_is_still_one_when_it_is_tried_again(outbox: SqlOutbox) -> None:
    await outbox.put(under(DIGEST, *(an_event(f"user:{n}") for n in range(3))))
    for one in await claimed(outbox, now=after(60)):
        await settle(outbox, one, Again(after(90), "HTTP 502"))
    first, *_ = await claimed(outbox, now=after(90))
    assert await batch_members(outbox, first) == [1, 2, 3]


async def test_what_is_settled_is_in_no_digest(outbox: SqlOutbox) -> None:
    await outbox.put(under(DIGEST, *(an_event(f"user:{n}") for n in range(3))))
    first, second, _ = await claimed(outbox, now=after(60))
    await settle(outbox, second, Done())
    assert await batch_members(outbox, first) == [1, 3]


async def test_a_digest_leaves_out_what_follows_one_of_its_subject_that_waits_elsewhere(outbox: SqlOutbox) -> None:
    await outbox.put(under(DIGEST, an_event("user:a"), an_event("user:b")))
    await outbox.put(an_intake(an_event("user:c")))  # by another row, before the next of its subject
    await outbox.put(under(DIGEST, an_event("user:c"), an_event("user:b"), an_event("user:c"), an_event(None)))
    [plain] = [one for one in await claimed(outbox) if one.terms is None]
    await settle(outbox, plain, Again(after(3600), "HTTP 502"))
    first = next(one for one in await claimed(outbox, now=after(60)) if one.id == 1)
    assert await batch_members(outbox, first) == [1, 2, 5, 7]


async def test_a_hold_is_about_one_subject(outbox: SqlOutbox) -> None:
    events = [an_event("node:fra", type_=LOST), an_event("node:lon", type_=LOST), an_event("node:fra", type_=RESTORED)]
    await outbox.put(under(HOLD, *events))
    await outbox.put(under(HOLD, an_event("node:fra", type_=LOST, at=after(31))))
    first, _ = await claimed(outbox, now=after(30))
    assert await batch_members(outbox, first) == [1, 3]
    assert await batch_members(outbox, first, limit=1) == [1]


async def test_a_hold_ends_at_what_another_row_holds_about_its_subject(outbox: SqlOutbox) -> None:
    await outbox.put(under(HOLD, an_event("node:fra", type_=LOST)))
    await outbox.put(under(HOLD, an_event("node:fra", type_=LOST), row="route 2"))
    await outbox.put(under(HOLD, an_event("node:fra", type_=RESTORED)))
    [first] = await claimed(outbox, now=after(30))
    assert await batch_members(outbox, first) == [1]


async def test_what_collects_nothing_is_alone(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event(), an_event("user:bob")))
    first, _ = await claimed(outbox)
    assert await batch_members(outbox, first) == [1]


async def test_a_digest_is_claimed_before_its_window_ends_once_it_is_full_and_no_other_is(outbox: SqlOutbox) -> None:
    three, endless = Terms(digest=DigestWindow(window=60, max=3)), Terms(digest=DigestWindow(window=60))
    await outbox.put(under(three, an_event("user:1"), an_event("user:2")))
    await outbox.put(under(three, an_event("user:3"), row="route 2"))
    await outbox.put(under(endless, *(an_event(f"user:{n}") for n in range(4, 9))))
    await outbox.put(under(three, an_event("user:9"), sinks=["team"]))
    assert await claimed(outbox, now=after(1)) == []
    await outbox.put(under(three, an_event("user:10")))
    first, *others = await claimed(outbox, now=after(1))
    assert (first.id, others) == (1, [])
    await settle(outbox, first, Done())
    assert await claimed(outbox, now=after(1)) == []


async def test_what_has_a_fallback_is_found_page_by_page(outbox: SqlOutbox) -> None:
    terms = Terms(fallback=("team",), fallback_after=600)
    for n in range(3):
        await outbox.put(under(terms, an_event(f"user:{n}")))
        await outbox.put(an_intake(an_event(f"user:none-{n}")))
    await outbox.put(under(DIGEST, an_event("user:digest")))
    first, *_ = await claimed(outbox)
    await settle(outbox, first, Again(after(60), "HTTP 502"))
    page = await outbox.fallback_candidates("ops", after=0, limit=2)
    assert subjects(page) == ["user:0", "user:1"]
    assert subjects(await outbox.fallback_candidates("ops", after=page[-1].id, limit=2)) == ["user:2"]
    await settle(outbox, page[0], Dead("HTTP 400"))
    assert subjects(await outbox.fallback_candidates("ops", after=0, limit=9)) == ["user:1", "user:2"]
