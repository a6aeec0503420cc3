"""Telegram before a business: the strict stand-in of the tests, with a faster clock and chats that block the bot."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection
from itertools import pairwise
from typing import Any

from aiohttp import web

from tests.services.telegram import Telegram

BEAT = 0.002  # seconds between two looks at what has come
TURNS = 3
BLOCKED = "Forbidden: bot was blocked by the user"


class BusyTelegram(Telegram):
    """`blocked` are the chats that have blocked the bot, `asked` how often each of them was asked all the same.

    Its seconds are `times` as short: a second in a chat is over after a twentieth of ours.
    """

    def __init__(self, chats: Collection[int], blocked: Collection[int], *, times: float, limited: bool) -> None:
        super().__init__(limited=limited)
        self.chats = chats
        self.asked: Counter[int] = Counter()
        self.blocked = set(blocked)
        self._times = times
        self.now = lambda: time.monotonic() * times

    @property
    def heard(self) -> int:
        """How many requests there were that kept the limits."""
        return len(self.taken) + self.asked.total()

    async def beat(self) -> None:
        while True:
            self._beats.append(time.monotonic())
            await asyncio.sleep(BEAT)

    def _late(self) -> float:
        """By its own clock: a request is read in one turn of the loop, parsed in the next, and looked at in one behind
        that; each may be as long as the longest of the last ones.
        """
        turns = (after - before for before, after in pairwise([*self._beats, time.monotonic()]))
        return (TURNS * max(turns, default=0.0) + BEAT) * self._times

    def _send(self, request: web.Request, message: dict[str, Any], chat: int | str) -> web.Response:
        if chat in self.blocked:
            self.asked[int(chat)] += 1
            return self.error(403, BLOCKED)
        return super()._send(request, message, chat)
