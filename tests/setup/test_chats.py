"""A Telegram chat is found by what is written in it, and nobody else loses anything by that."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.errors import BridgeError
from bridge.sinks.http import Http
from bridge.sinks.telegram.chats import TelegramBot, TelegramChat, chats_in, chats_of
from tests.fakes import FakeClock
from tests.services.service import Answer, serving
from tests.services.telegram import TOKEN, Telegram

GROUP = {"id": -1001, "type": "supergroup", "title": "VPN night shift"}
ALICE = {"id": 42, "type": "private", "first_name": "Alice"}


def update(number: int, chat: dict[str, Any], kind: str = "message", **more: Any) -> dict[str, Any]:
    return {"update_id": number, kind: {"message_id": number, "date": 1732160058, "chat": chat, **more}}


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http()
    yield http
    await http.close()


async def found(service: Telegram, http: Http, *, within: float = 60.0) -> list[TelegramChat]:
    async with serving(service) as base:
        return await chats_of(TelegramBot(http, TOKEN, api_base=base), FakeClock(), within=within)


async def test_the_chat_of_what_nobody_has_confirmed_is_found_and_nothing_is_confirmed(http: Http) -> None:
    service = Telegram()
    service.updates = [update(7, GROUP)]
    assert await found(service, http) == [TelegramChat(-1001, "VPN night shift", "supergroup")]
    assert service.updates == [update(7, GROUP)]
    assert [key for asked in service.asked for key in asked if key in ("offset", "allowed_updates")] == []
    assert service.taken == []


async def test_where_another_program_reads_it_is_asked_once_and_never_again(http: Http) -> None:
    service = Telegram()
    service.polled = True
    with pytest.raises(BridgeError, match="another program reads this bot's updates: give chat_id"):
        await found(service, http)
    assert len(service.asked) == 1


async def test_where_a_webhook_takes_them_they_are_not_asked_for(http: Http) -> None:
    service = Telegram()
    service.webhook = "https://another.example/"
    with pytest.raises(BridgeError, match="go to a webhook of another program: give chat_id"):
        await found(service, http)
    assert service.asked == []


async def test_it_is_waited_for_until_somebody_writes(http: Http) -> None:
    class Later(Telegram):
        """Somebody writes while the third question is open."""

        async def told_of(self, asked: dict[str, Any]) -> Any:
            self.updates = [update(8, ALICE)] if len(self.asked) == 2 else []
            return await super().told_of(asked)

    service = Later()
    assert await found(service, http) == [TelegramChat(42, "Alice", "private")]
    assert [asked.get("timeout") for asked in service.asked] == [None, 25, 25]


async def test_after_its_time_nothing_is_found(http: Http) -> None:
    service = Telegram()
    assert await found(service, http, within=0) == []


async def test_old_updates_that_name_no_chat_keep_it_from_nothing(http: Http) -> None:
    service = Telegram()
    service.updates = [{"update_id": 1, "poll": {"id": "5"}}]
    assert await found(service, http, within=10) == []
    assert all("timeout" not in asked for asked in service.asked)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"}), "HTTP 401: Unauthorized"),
        (Answer(502, "<html>"), "HTTP 502: not Telegram's own answer"),
    ],
)
async def test_what_cannot_be_asked_is_told_in_words(http: Http, answer: Answer, words: str) -> None:
    service = Telegram()
    service.answer_next(answer)
    with pytest.raises(BridgeError, match=words):
        await found(service, http)


async def test_no_token_is_in_what_is_told(http: Http, unused_tcp_port: int) -> None:
    bot = TelegramBot(http, TOKEN, api_base=f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(BridgeError) as raised:
        await chats_of(bot, FakeClock(), within=0)
    assert str(raised.value) == "init: telegram: no answer: connection refused"


@pytest.mark.parametrize(
    ("updates", "ids"),
    [
        ([], []),
        ([update(1, GROUP), update(2, ALICE)], [42, -1001]),
        ([update(1, ALICE), update(2, GROUP), update(3, ALICE)], [42, -1001]),
        ([update(1, GROUP, "channel_post")], [-1001]),
        ([update(1, GROUP, "my_chat_member", new_chat_member={"status": "member"})], [-1001]),
        ([update(1, GROUP), update(2, GROUP, "my_chat_member", new_chat_member={"status": "kicked"})], []),
        ([{"update_id": 1, "callback_query": {"id": "1", "message": {"chat": GROUP}}}], [-1001]),
        ([{"update_id": 1, "message": {"chat": {"id": "x"}}}, {"update_id": 2, "message": 5}], []),
    ],
)
def test_the_newest_chat_comes_first_and_one_that_it_was_sent_away_from_is_none(
    updates: list[dict[str, Any]], ids: list[int]
) -> None:
    assert [chat.id for chat in chats_in(updates)] == ids
