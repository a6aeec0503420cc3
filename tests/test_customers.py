"""Customers, end to end: told of what is theirs, in words for them, in their language and at their hours."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram
from tests.street import MARZBAN, Panels, a_house, hours_around, set_past_midnight

pytestmark = pytest.mark.process

THERE = ZoneInfo("Asia/Tehran")
ALICE, BOB, SARA, OPS = 700001, 700002, 700003, -1001
AGAIN = (("data_usage_reset", 0), ("user_enabled", 0))
OTHERS = {"note": "owes 5", "admin": {"username": "r7"}}
DIRECTORY = f"""
timezone: Asia/Tehran
directory:
  realm: marzban
  users:
    alice: {{telegram: {ALICE}, locale: fa}}
    bob: {{telegram: {BOB}, locale: ru, zone: Europe/Moscow}}
    sara: {{telegram: {SARA}, quiet: "{hours_around(datetime.now(THERE))}"}}
"""


@asynccontextmanager
async def a_shop(
    folder: Path, telegram: Telegram, *, more: str = DIRECTORY, program: Sequence[str] = ("bridge",)
) -> AsyncIterator[Panels]:
    """A bridge that tells customers by one bot, and the operator by another sink."""
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(telegram))
        same = f'type: telegram, token: "{TOKEN}", api_base: "{base}"'
        chat = "{{ person.telegram or data.user.telegram_id }}"
        sinks = f"""
sinks:
  dm: {{{same}, chat_id: "{chat}"}}
  ops: {{{same}, chat_id: {OPS}}}
"""
        rows = ["match: 'user.*', to: dm, audience: user", "match: 'user.*', to: ops"]
        yield await stack.enter_async_context(a_house(folder, sinks, rows=rows, more=more, program=program))


async def told(panels: Panels, action: str, *users: str, **more: object) -> None:
    body = [{"action": action, "username": one, "user": {"username": one, **OTHERS, **more}} for one in users]
    assert await panels.send("/in/marzban", body, {"x-webhook-secret": MARZBAN}) == 200


def said_to(telegram: Telegram, chat: int) -> list[str]:
    return [one.body["text"] for one in telegram.taken if one.body["chat_id"] == chat]


async def test_each_customer_is_told_in_words_for_them_in_their_language_and_of_nothing_else(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE, BOB, SARA, OPS))
    clock = set_past_midnight(tmp_path, THERE)
    async with a_shop(tmp_path, telegram, program=clock.program) as panels:
        today = (datetime.now(THERE) + timedelta(seconds=clock.ahead)).date()  # days are dates
        end = int(datetime.combine(today + timedelta(days=3), time(12), THERE).timestamp())
        await told(panels, "user_expired", "alice", "bob")
        await told(panels, "reached_days_left", "alice", expire=end)
        await panels.settled(6)
        await told(panels, "reached_days_left", "alice", expire=end, data_limit=7)
        found = await panels.settled(8)
    assert [one["reason"] for one in found if one["sink"] == "dm"][-1] == "told already"
    first, second = said_to(telegram, ALICE)
    assert first.strip("\u200f") == "⛔ اشتراک شما تمام شد. با تمدید، بی‌درنگ دوباره وصل می‌شود."
    assert "۳ روز دیگر" in second or "3 روز دیگر" in second
    assert said_to(telegram, BOB) == ["⛔ Подписка закончилась. Продлите, и всё сразу заработает."]
    for text in (first, second, *said_to(telegram, BOB)):
        assert not any(secret in text for secret in ("owes", "r7", "marzban", "user.expired", "#user"))
    assert all("r7" in text or "owes" in text or "marzban" in text for text in said_to(telegram, OPS))


async def test_who_wants_nothing_is_told_nothing_until_they_want_it_again(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE, BOB, SARA, OPS))
    async with a_shop(tmp_path, telegram) as panels:
        assert "is told nothing any more" in await panels.bridge.command(
            "prefs", "user:alice", "stop", "--realm", "marzban"
        )
        await told(panels, "user_expired", "alice", "bob")
        found = await panels.settled(4)
        assert [(one["state"], one["reason"]) for one in found if one["sink"] == "dm"] == [
            ("held_back", "wants to be told nothing"),
            ("delivered", None),
        ]
        seen = json.loads(await panels.bridge.command("people", "user:alice", "--realm", "marzban", "--json"))
        assert seen["record"] == {"telegram": ALICE, "locale": "fa"}
        assert seen["stopped_at"] is not None
        await panels.bridge.command("prefs", "user:alice", "start", "--realm", "marzban")
        await told(panels, "user_limited", "alice")
        await panels.settled(6)
    assert len(said_to(telegram, ALICE)) == 1


async def test_what_is_no_customers_business_is_told_to_no_customer(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE, BOB, SARA, OPS))
    async with a_shop(tmp_path, telegram) as panels:
        await told(panels, "user_updated", "alice")
        await told(panels, "user_expired", "nobody")
        found = await panels.settled(4)
    assert [one["reason"] for one in found if one["sink"] == "dm"] == [
        "there is nothing to tell a customer of user.updated",
        'no address: no user "nobody" in the directory',
    ]


async def test_traffic_that_is_used_up_again_after_a_reset_is_told_again(tmp_path: Path) -> None:
    telegram, limit = Telegram(chats=(ALICE, BOB, SARA, OPS)), 50 * 2**30
    async with a_shop(tmp_path, telegram) as panels:
        for number, (action, used) in enumerate((("user_limited", limit + 1), *AGAIN, ("user_limited", limit + 2))):
            user = {"username": "bob", "data_limit": limit, "used_traffic": used, "number": number}
            body = [{"action": action, "username": "bob", "tries": 0, "user": user}]
            assert await panels.send("/in/marzban", body, {"x-webhook-secret": MARZBAN}) == 200
            await panels.settled(2 * number + 2)
    assert [text[0] for text in said_to(telegram, BOB)] == ["🪫", "🔄", "▶", "🪫"]


async def test_quiet_hours_are_the_customers_own(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE, BOB, SARA, OPS))
    async with a_shop(tmp_path, telegram) as panels:
        await told(panels, "user_expired", "sara", "bob")
        found = await panels.settled(3)
    by_subject = {one["subject"]: one for one in found if one["sink"] == "dm"}
    assert (by_subject["user:sara"]["state"], by_subject["user:sara"]["reason"]) == ("waiting", "quiet hours")
    assert by_subject["user:bob"]["state"] == "delivered"
