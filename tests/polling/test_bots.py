"""Several bots: each is heard in turns of its own, in its own words, as long as the file says so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from bridge.polling.bot import BotPlan, Bots
from bridge.sinks.http import Http
from bridge.sinks.telegram.ears import TelegramEars
from bridge.store import open_outbox
from tests.fakes import FakeClock
from tests.processes import PATIENCE
from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram

HERE = 700001
TOKENS = (TOKEN, f"7{TOKEN[1:]}")


class Street:
    """Two bots, of which each is at a service of its own."""

    def __init__(self, bots: Bots, telegrams: list[Telegram], plans: list[BotPlan]) -> None:
        self.bots, self.telegrams, self.plans = bots, telegrams, plans

    async def hears(self, number: int, text: str) -> str:
        """What that bot answers."""
        telegram = self.telegrams[number]
        before = len(telegram.taken)
        telegram.writes(HERE, text)
        await until(lambda: len(telegram.taken) > before)
        return str(telegram.taken[-1].body["text"])

    async def asked_meanwhile(self) -> int:
        """How often the first had been asked when the second one was three times more."""
        first, second = (one.asked for one in self.telegrams)
        enough = len(second) + 3
        await until(lambda: len(second) >= enough)
        return len(first)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
async def street(store_url: str) -> AsyncIterator[Street]:
    telegrams = [Telegram(chats=(HERE,), tokens=(token,)) for token in TOKENS]
    async with AsyncExitStack() as stack:
        outbox = await stack.enter_async_context(open_outbox(store_url))
        bases = [await stack.enter_async_context(serving(one)) for one in telegrams]
        http = Http()
        stack.push_async_callback(http.close)
        plans = [
            BotPlan(TelegramEars(token, api_base=base), support=f"https://t.me/{name}")
            for token, base, name in zip(TOKENS, bases, ("fra", "seven"), strict=True)
        ]
        bots = Bots(outbox, http, FakeClock())
        running = asyncio.create_task(bots.run())
        yield Street(bots, telegrams, plans)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_each_is_heard_and_answers_in_its_own_words(street: Street) -> None:
    street.bots.configure(street.plans)
    for number, name in enumerate(("fra", "seven")):
        assert (await street.hears(number, "hello")).endswith(f"https://t.me/{name}")
    assert [len(one.taken) for one in street.telegrams] == [1, 1]


async def test_one_that_is_taken_out_of_the_file_is_not_heard_until_it_is_back(street: Street) -> None:
    street.bots.configure(street.plans)
    await street.hears(0, "hello")
    street.bots.configure(street.plans[1:])
    async with asyncio.timeout(PATIENCE):
        while (asked := len(street.telegrams[0].asked)) != await street.asked_meanwhile():
            pass  # a question that was open then is answered still
    street.telegrams[0].writes(HERE, "anybody there?")
    assert await street.asked_meanwhile() == asked
    assert len(street.telegrams[0].taken) == 1
    street.bots.configure(street.plans)
    await until(lambda: len(street.telegrams[0].taken) == 2)


async def test_a_bot_that_is_not_to_be_reached_holds_up_no_other(street: Street) -> None:
    broken = BotPlan(TelegramEars(TOKEN, api_base="http://127.0.0.1:1"))
    street.bots.configure([broken, street.plans[1]])
    assert (await street.hears(1, "hello")).endswith("https://t.me/seven")
