"""A bot that is listened to, over a real store and a strict Telegram, and those who write to it."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bridge.intake import Intake, Routed
from bridge.people.link import hash_of, new_token
from bridge.polling.bot import BotListener, BotPlan
from bridge.sinks.http import Http
from bridge.sinks.telegram.ears import TelegramEars
from bridge.store.backend import open_engine
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.links import put_token
from bridge.store.schema import metadata
from bridge.value import replace
from tests.fakes import DECISION, FakeClock, an_event
from tests.services.telegram import TOKEN, Telegram

ALICE, BOB = "marzban/user:alice", "marzban/user:bob"
SENDER = f"telegram bot {TOKEN.partition(':')[0]}"
HERE, THERE, STRANGER = 700001, 700002, 700009


class Listening:
    """A bot that is listened to, and those who write to it."""

    def __init__(self, outbox: SqlOutbox, http: Http, base: str, service: Telegram) -> None:
        self.outbox, self.telegram, self.clock = outbox, service, FakeClock()
        self.bot = BotListener(outbox, http, self.clock)
        self.plan = BotPlan(TelegramEars(TOKEN, api_base=base), support="https://t.me/help")

    async def step(self, *, after: float = 0.0) -> None:
        """Listen until nothing is left, once what was put off is due."""
        self.clock.step(after)
        while self.telegram.updates:
            asked = len(self.telegram.asked)
            await self.bot.step(self.plan)
            assert len(self.telegram.asked) > asked, "it is not its turn"
            if not self.telegram.told or not self.telegram.told[-1]:
                return
            await self.bot.step(self.plan)

    async def hears(self, chat: int, text: str, *, language: str = "en", **more: Any) -> list[str]:
        """What is answered in that chat."""
        before = len(self.said(chat))
        self.telegram.writes(chat, text, language=language, **more)
        await self.step(after=60.0)
        return self.said(chat)[before:]

    def said(self, chat: int) -> list[str]:
        return [one.body["text"] for one in self.telegram.taken if one.body["chat_id"] == chat]

    async def a_token(self, key: str = ALICE, *, sender: str = SENDER, holds: float = 3600.0) -> str:
        token, until = new_token(), self.clock.now() + timedelta(seconds=holds)
        await self.outbox.operate(lambda ledger: ledger.write(put_token, hash_of(token), key, sender, until=until))
        return token

    async def linked(self, key: str = ALICE) -> str | None:
        return (await self.outbox.known(SENDER, [key]))[key].link

    async def wants(self, key: str = ALICE) -> Any:
        return (await self.outbox.known(SENDER, [key]))[key].wants

    async def delete(self, name: str) -> None:
        """A panel tells that a user is no more."""
        event = an_event(f"user:{name}", type_="user.deleted", at=self.clock.now())
        await self.outbox.put(Intake([Routed(replace(event, source="marzban"), (), DECISION)]))

    def buttons(self, chat: int) -> list[str]:
        """What stands under the last message with buttons in a chat."""
        found = [one for (there, _), one in self.telegram.messages.items() if there == chat and "reply_markup" in one]
        return [one["text"] for row in found[-1]["reply_markup"]["inline_keyboard"] for one in row]


def everything(url: str) -> str:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = str([list(connection.execute(sa.select(table))) for table in metadata.sorted_tables])
    engine.dispose()
    return found
