"""Turns: one at a time, whoever takes them, and what one has found is kept with its events or not at all."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bridge.intake import Intake
from bridge.polled import Polling, PollKey, PollResult, SourceHealth, Turn
from bridge.store import open_outbox
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.polled import LONGEST_DELAY
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import claimed

KEY = PollKey("main", Polling.EVENTS)
EVERY = 60.0


@pytest.fixture
async def outbox(any_store_url: str) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(any_store_url) as opened:
        yield opened


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def taken(outbox: SqlOutbox, now: datetime = START, key: PollKey = KEY) -> Turn:
    turn = await outbox.take_turn(key, now=now, every=EVERY)
    assert isinstance(turn, Turn)
    return turn


def found(turn: Turn, state: dict[str, int] | None = None, **more: object) -> PollResult:
    return PollResult(turn=turn, **{"health": SourceHealth(), "state": state, **more})  # type: ignore[arg-type]


async def test_the_first_turn_knows_of_nothing(outbox: SqlOutbox) -> None:
    assert await taken(outbox) == Turn(KEY, 1, SourceHealth(), None)


async def test_until_the_next_turn_it_is_said_how_long_that_is(outbox: SqlOutbox) -> None:
    await taken(outbox)
    assert await outbox.take_turn(KEY, now=after(20), every=EVERY) == 40.0
    assert (await taken(outbox, after(60))).number == 2


async def test_of_many_who_come_at_once_one_has_the_turn(outbox: SqlOutbox) -> None:
    tried = await asyncio.gather(*(outbox.take_turn(KEY, now=START, every=EVERY) for _ in range(20)))
    assert [one.number for one in tried if isinstance(one, Turn)] == [1]


async def test_sources_and_what_is_asked_of_them_have_turns_of_their_own(outbox: SqlOutbox) -> None:
    for key in (KEY, PollKey("main", Polling.HEALTH), PollKey("other", Polling.EVENTS)):
        assert (await taken(outbox, key=key)).number == 1


async def test_what_a_turn_has_found_is_what_the_next_one_compares_with(outbox: SqlOutbox) -> None:
    trouble = SourceHealth(failing_since=START, reason="HTTP 502", failures=3, told=True)
    await outbox.put_polled(Intake(()), found(await taken(outbox), {"clients": 3}, health=trouble))
    turn = await taken(outbox, after(60))
    assert (turn.state, turn.health) == ({"clients": 3}, trouble)
    await outbox.put_polled(Intake(()), found(turn))  # nothing new of its state
    assert (await taken(outbox, after(120))).state == {"clients": 3}


async def test_events_are_kept_with_the_state_that_they_are_told_by(outbox: SqlOutbox) -> None:
    put = await outbox.put_polled(an_intake(an_event()), found(await taken(outbox), {"clients": 3}))
    assert put is not None
    assert [one.id for one in put.deliveries] == [one.id for one in await claimed(outbox)]


async def test_a_turn_that_is_over_keeps_nothing(outbox: SqlOutbox) -> None:
    slow = await taken(outbox)
    await outbox.put_polled(an_intake(an_event("user:bob")), found(await taken(outbox, after(60)), {"clients": 4}))
    assert await outbox.put_polled(an_intake(an_event()), found(slow, {"clients": 3})) is None
    assert [one.event.subject for one in await claimed(outbox)] == ["user:bob"]
    assert (await taken(outbox, after(120))).state == {"clients": 4}


async def test_who_shares_a_commit_with_a_turn_that_is_over_is_kept(outbox: SqlOutbox) -> None:
    slow, others = await taken(outbox), [PollKey("other", Polling.EVENTS), PollKey("third", Polling.EVENTS)]
    turns = [await taken(outbox, key=others[0]), slow, await taken(outbox, key=others[1])]
    await taken(outbox, after(60))
    put = await asyncio.gather(
        *(outbox.put_polled(an_intake(an_event(f"user:{at}")), found(turn)) for at, turn in enumerate(turns))
    )
    assert [one is None for one in put] == [False, True, False]
    assert {one.event.subject for one in await claimed(outbox)} == {"user:0", "user:2"}


async def test_a_turn_can_be_put_off(outbox: SqlOutbox) -> None:
    await outbox.put_polled(Intake(()), found(await taken(outbox), due_at=after(600)))
    assert await outbox.take_turn(KEY, now=after(60), every=EVERY) == 540.0


async def test_a_clock_that_was_set_back_holds_up_nobody(outbox: SqlOutbox) -> None:
    await taken(outbox, after(2 * LONGEST_DELAY))
    assert (await taken(outbox)).number == 2


async def test_all_of_it_outlives_the_process(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await outbox.put_polled(Intake(()), found(await taken(outbox), {"clients": 3}))
    async with open_outbox(any_store_url) as outbox:
        assert await outbox.take_turn(KEY, now=after(20), every=EVERY) == 40.0
        assert (await taken(outbox, after(60))).state == {"clients": 3}


@pytest.mark.parametrize("what", Polling)
async def test_a_bridge_that_begins_on_a_file_waits_for_no_turn_of_a_bot_or_an_inbox(
    any_store_url: str, what: Polling
) -> None:
    """Whoever had it is no more. A database has others, and a source is asked no sooner for it."""
    key, at_once = PollKey("main", what), any_store_url.startswith("sqlite") and what in (Polling.BOT, Polling.INBOX)
    async with open_outbox(any_store_url) as killed:
        await taken(killed, key=key)
    async with open_outbox(any_store_url) as begun:
        if at_once:
            assert (await taken(begun, after(20), key)).number == 2
        else:
            assert await begun.take_turn(key, now=after(20), every=EVERY) == 40.0
