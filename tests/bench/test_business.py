"""A business on one bot, over a kill: what `python -m bench.business` says holds, and would say so if it did not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.bot_api import BusyTelegram
from bench.business import FULL, MINUTES, SMALL, business
from bench.business_laws import ONE_CLAIM, Business, Run, Told, overtaken
from bench.crowd import Crowd
from bridge.store.base import State

CROWD = Crowd(2, 20, 8)
CHATS = CROWD.chats()
[BLOCKED] = CROWD.blocked()
WHY = "HTTP 403: Forbidden: bot was blocked by the user"


@pytest.mark.process
async def test_whatever_becomes_of_the_process_each_is_told_once_in_their_own_chat_and_nobody_waits_for_others() -> (
    None
):
    found = await business(SMALL)
    assert list(found.broken()) == []
    assert len(found.many.deliveries) == SMALL.crowd.events
    assert found.many.telegram.asked.keys() == SMALL.crowd.blocked()
    assert any(one.own for one in found.many.deliveries)
    assert "| kill -9 | 1, " in found.table()


def test_the_whole_of_it_is_what_was_asked_for() -> None:
    assert (FULL.crowd.events, FULL.crowd.addresses, FULL.kills, FULL.times) == (50_000, 20_200, 3, 20)
    assert MINUTES <= 15


def test_the_crowd_is_the_same_each_time_and_each_of_its_events_is_for_somebody() -> None:
    assert list(CROWD.bodies()) == list(CROWD.bodies())
    assert 0 < CROWD.told_customers < CROWD.events
    assert len(set(CHATS.values())) == CROWD.addresses


def a_run() -> Run:
    """In which all is as it should be: somebody who has blocked the bot was asked, all others were told."""
    telegram = BusyTelegram(set(CHATS.values()), {BLOCKED}, times=20, limited=True)
    deliveries = []
    there = [(recipient, chat) for recipient, chat in CHATS.items() if chat != BLOCKED]
    for number, (recipient, chat) in enumerate(there[: CROWD.events - 1], start=1):
        telegram.messages[(chat, number)] = {}
        telegram.taken.append(None)  # type: ignore[arg-type]
        deliveries.append(Told(number, "dm", recipient, State.DELIVERED, "", f"{chat}/{number}"))
    telegram.asked[BLOCKED] += 1
    who = next(recipient for recipient, chat in CHATS.items() if chat == BLOCKED)
    deliveries.append(Told(CROWD.events, "dm", who, State.HELD_BACK, WHY))
    return Run(10.0, 1.0, 1.0, 100.0, CHATS, telegram, deliveries)


def test_where_all_is_well_no_law_is_broken() -> None:
    assert list(Business(CROWD, 0, 20, a_run(), a_run()).broken()) == []


def lost(run: Run) -> Any:
    run.deliveries[0].state, run.deliveries[0].ref = State.DEAD, None


def elsewhere(run: Run) -> Any:
    run.deliveries[0].ref, run.deliveries[1].ref = run.deliveries[1].ref, run.deliveries[0].ref


def unknown(run: Run) -> Any:
    run.deliveries[0].ref = f"{run.chats[run.deliveries[0].recipient]}/77"


def swallowed(run: Run) -> Any:
    return replace(run, deliveries=run.deliveries[1:])


def told_though_blocked(run: Run) -> Any:
    run.deliveries[-1].state = State.DELIVERED


def told_twice(run: Run) -> Any:
    run.telegram.taken.append(None)  # type: ignore[arg-type]


def never_asked(run: Run) -> Any:
    del run.telegram.asked[BLOCKED]


def asked_twice(run: Run) -> Any:
    run.telegram.asked[BLOCKED] += 1


def too_fast(run: Run) -> Any:
    run.telegram.broken += ["bot: more than 30 in 1 s"] * 2


def too_big(run: Run) -> Any:
    return replace(run, memory=121.0)


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (lost, "delivery 1 is dead"),
        (elsewhere, "which is no message in"),
        (unknown, "/77, which is no message in"),
        (swallowed, "7 deliveries of 8 events"),
        (told_though_blocked, "to who has blocked the bot is delivered"),
        (told_twice, "1 requests were repeated, and 0 can have been on the socket"),
        (never_asked, "1 who have blocked the bot were not asked"),
        (asked_twice, "1 who have blocked the bot were asked again"),
        (too_fast, "had to answer 429 2 times: bot: more than 30 in 1 s"),
        (too_big, "memory is 1.21 of the same to one address"),
    ],
)
def test_what_is_not_as_it_should_be_is_told(breaks: Callable[[Run], Any], says: str) -> None:
    run = a_run()
    broken = list(Business(CROWD, 0, 20, breaks(run) or run, a_run()).broken())
    assert any(says in one for one in broken), broken


def test_who_waits_though_nothing_is_in_the_way_is_overtaken() -> None:
    """By messages that begin behind them, whatever each tells; who had to wait for their own chat is not."""
    late = Told(1, "dm", "user:customer-0", State.DELIVERED, "", "1/500")
    refs = [f"2/{1 + at // 2}" for at in range(2 * ONE_CLAIM)]  # two by each message
    later = [Told(2 + at, "dm", "user:customer-1", State.DELIVERED, "", ref) for at, ref in enumerate(refs)]
    elsewhere = Told(900, "resellers", "owner:reseller-0", State.DELIVERED, "", "3/400")
    assert overtaken([late, *later, elsewhere], "dm") == ONE_CLAIM
    assert overtaken([replace(late, own=True), *later], "dm") == 0
    begun_before = replace(later[0], id=0)
    assert overtaken([begun_before, late, *later], "dm") == ONE_CLAIM - 1
    assert overtaken([late, elsewhere], "resellers") == 0
