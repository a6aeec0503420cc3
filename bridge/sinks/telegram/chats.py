"""Finding a Telegram chat by what is written in it, without taking anything from whoever else reads the bot's updates.

Why no `offset`: it confirms what came before, and what is confirmed nobody is told again. And why the first 409 is the
end: one of two who ask for updates is sent away each time, so that asking again would rob a program that works.

Source   core.telegram.org/bots/api#getting-updates, #getupdates, #update, #getwebhookinfo
Answers  409 `Conflict: terminated by other getUpdates request`, or `… while webhook is active`
Limits   100 updates at once, kept for a day; without `offset` always the oldest
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from yarl import URL

from bridge.clock import Clock
from bridge.codec import dump
from bridge.errors import BridgeError
from bridge.foreign import json_object
from bridge.sinks.http import Http, Request, Unanswered
from bridge.sinks.questions import FoundValue
from bridge.value import Value

POLL = 25  # seconds that Telegram keeps a question for updates open
ANSWER = 15.0  # seconds for any answer beside that
AGAIN = 3.0  # seconds between two looks while old updates keep it from waiting
FULL = 100  # updates: what comes after these is not shown
GONE = ("left", "kicked")


class TelegramChat(Value):
    """A chat that somebody has written in. `kind`: private, group, supergroup, channel."""

    id: int
    name: str
    kind: str


class TelegramBot:
    """A bot, by its token."""

    def __init__(self, http: Http, token: str, *, api_base: str, proxy: str | None = None) -> None:
        self._http, self._proxy = http, proxy
        self._url = URL(f"{api_base}/bot{token}/")

    async def updates(self, *, wait: int = 0) -> Sequence[dict[str, Any]]:
        """What was not confirmed yet; it stays so. Where there is nothing, wait so many seconds for it.

        Raise BridgeError where somebody else reads them, or it cannot be asked.
        """
        answer = await self._ask("getUpdates", {"timeout": wait} if wait else {}, within=wait + ANSWER)
        return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []

    async def check_unread(self) -> None:
        """Raise BridgeError where its updates go to a webhook: then nobody can ask for them."""
        answer = await self._ask("getWebhookInfo", {}, within=ANSWER)
        if isinstance(answer, dict) and answer.get("url"):
            raise BridgeError("init: telegram: the bot's updates go to a webhook of another program: give chat_id")

    async def _ask(self, method: str, body: dict[str, Any], *, within: float) -> Any:
        request = Request("POST", self._url / method, dump(body), {"Content-Type": "application/json"})
        try:
            response = await self._http.send(request, within=within, proxy=self._proxy)
        except Unanswered as error:
            raise BridgeError(f"init: telegram: {error}") from None
        answer = json_object(response.body)
        if response.status == 409:
            raise BridgeError("init: telegram: another program reads this bot's updates: give chat_id")
        if answer.get("ok") is not True:
            said = answer.get("description") or "not Telegram's own answer"
            raise BridgeError(f"init: telegram: HTTP {response.status}: {said}")
        return answer.get("result")


async def find_chats(told: Mapping[str, object], http: Http, clock: Clock, *, within: float) -> Sequence[FoundValue]:
    """The chats, for who is asked for one; `told` is a sink's settings but for its chat."""
    proxy = told.get("proxy")
    base = str(told.get("api_base", "https://api.telegram.org"))
    bot = TelegramBot(http, str(told["token"]), api_base=base, proxy=None if proxy is None else str(proxy))
    return [FoundValue(one.id, one.name) for one in await chats_of(bot, clock, within=within)]


async def chats_of(bot: TelegramBot, clock: Clock, *, within: float) -> list[TelegramChat]:
    """The chats that the bot has heard something in, the newest first; waits so many seconds until there is one."""
    await bot.check_unread()
    ends = clock.monotonic() + within
    updates = await bot.updates()
    while not (found := chats_in(updates)):
        left = ends - clock.monotonic()
        if left <= 0 or len(updates) >= FULL:
            break
        asked = clock.monotonic()
        updates = await bot.updates(wait=0 if updates else max(1, min(POLL, int(left))))
        if clock.monotonic() - asked < 1:  # it has what to tell, and so did not wait
            await clock.sleep(min(AGAIN, left))
    return found


def chats_in(updates: Sequence[dict[str, Any]]) -> list[TelegramChat]:
    """The chats that these updates are from, the newest first, without those that the bot was sent away from."""
    found: dict[int, TelegramChat] = {}
    for update in updates:
        for part in update.values():
            for chat in _chats(part):
                found.pop(chat.id, None)
                if not _is_gone(part):
                    found[chat.id] = chat
    return list(reversed(found.values()))


def _chats(part: Any) -> Iterator[TelegramChat]:
    """That of a message, of a button's message, or of a change of members."""
    if not isinstance(part, dict):
        return
    message = part.get("message")
    chat = (message if isinstance(message, dict) else part).get("chat")
    if isinstance(chat, dict) and isinstance(chat.get("id"), int):
        name = chat.get("title") or chat.get("username") or chat.get("first_name") or chat["id"]
        yield TelegramChat(chat["id"], str(name), str(chat.get("type")))


def _is_gone(part: dict[str, Any]) -> bool:
    member = part.get("new_chat_member")
    return isinstance(member, dict) and member.get("status") in GONE
