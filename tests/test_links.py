"""Links, end to end: a command makes one, a customer presses Start, and what the panel tells reaches her chat."""

import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.processes import until
from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram
from tests.street import MARZBAN, Panels, a_house, set_past_midnight

pytestmark = pytest.mark.process

ALICE, SARA, NEW = 700001, 700003, 700005
REALM = ("--realm", "marzban")
FILE = """
directory:
  realm: marzban
  users: {alice: {telegram: 700009}}
people: {bot: dm, max_per_day: 2, categories: {news: false}}
"""


@asynccontextmanager
async def a_shop(
    folder: Path, telegram: Telegram, *, more: str = "", program: Sequence[str] = ("bridge",)
) -> AsyncIterator[Panels]:
    """A bridge that tells customers by one bot, and listens to it."""
    telegram.patient = 1.0
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(telegram))
        chat = "{{ person.telegram or data.user.telegram_id }}"
        sinks = f"""
sinks:
  dm: {{type: telegram, token: "{TOKEN}", api_base: "{base}", chat_id: "{chat}"}}
  ops: {{type: telegram, token: "{TOKEN}", api_base: "{base}", chat_id: -1001, disable_notification: true}}
"""
        rows = [
            "match: [user.expired, user.enabled], to: dm, audience: user",
            "match: user.limited, to: dm, audience: user, critical: true",
            "match: user.created, to: dm, audience: user, category: news",
            *(["match: user.expired, to: ops"] if more else []),
        ]
        yield await stack.enter_async_context(a_house(folder, sinks, rows=rows, more=FILE + more, program=program))


async def told(panels: Panels, action: str, *users: str) -> None:
    body = [{"action": action, "username": one, "user": {"username": one}} for one in users]
    assert await panels.send("/in/marzban", body, {"x-webhook-secret": MARZBAN}) == 200


async def a_link(panels: Panels, user: str = "alice") -> str:
    """What stands behind ?start= in the link that the command prints."""
    printed = (await panels.bridge.command("link", f"user:{user}", *REALM)).splitlines()
    address, _, token = printed[0].partition("?start=")
    assert address == "https://t.me/fravpn_bot"
    assert printed[1].startswith("works once, until ")
    return token


def said_to(telegram: Telegram, chat: int) -> list[str]:
    return [one.body["text"] for one in telegram.taken if one.body["chat_id"] == chat]


async def test_who_has_opened_the_link_is_told_there_and_not_where_the_directory_says(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE, 700009))
    async with a_shop(tmp_path, telegram) as panels:
        telegram.writes(ALICE, f"/start {await a_link(panels)}", language="ru")
        await until(lambda: said_to(telegram, ALICE))
        await told(panels, "user_expired", "alice")
        await panels.settled(1)
        seen = await panels.bridge.command("people", "user:alice", *REALM)
    assert said_to(telegram, ALICE)[1:] == ["⛔ Your plan has ended. Renew and it works again at once."]
    assert said_to(telegram, 700009) == []
    assert f"linked     chat {ALICE} of telegram bot 123456789, since " in seen


async def test_their_wishes_hold_and_critical_passes_the_count_and_no_stop(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SARA,))
    async with a_shop(tmp_path, telegram, program=set_past_midnight(tmp_path).program) as panels:
        telegram.writes(SARA, f"/start {await a_link(panels, 'sara')}")
        await until(lambda: said_to(telegram, SARA))
        await panels.bridge.command("prefs", "user:sara", "locale=fa", *REALM)
        for count, action in enumerate(
            ("user_created", "user_expired", "user_enabled", "user_enabled", "user_limited"), start=1
        ):
            await told(panels, action, "sara")
            found = await panels.settled(count)
        assert [(one["state"], one["reason"]) for one in found] == [
            ("held_back", "wants no news"),
            ("delivered", None),
            ("delivered", None),
            ("held_back", "max_per_day: was told 2 times today"),
            ("delivered", None),
        ]
        assert said_to(telegram, SARA)[-1].strip("\u200f").startswith("🪫 حجم شما تمام شد")
        telegram.writes(SARA, "/stop")
        await until(lambda: "دیگر پیامی نمی‌فرستم. برای شروع دوباره: /start" in said_to(telegram, SARA))
        await told(panels, "user_limited", "sara")
        found = await panels.settled(6)
        assert (found[-1]["state"], found[-1]["reason"]) == ("held_back", "wants to be told nothing")


async def test_the_next_of_a_name_does_not_inherit_the_chat(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SARA, NEW))
    async with a_shop(tmp_path, telegram) as panels:
        telegram.writes(SARA, f"/start {await a_link(panels, 'sara')}")
        await until(lambda: said_to(telegram, SARA))
        await told(panels, "user_deleted", "sara")
        await told(panels, "user_expired", "sara")
        found = await panels.settled(1)
        assert found[0]["reason"] == 'no address: no user "sara" in the directory'
        telegram.writes(NEW, f"/start {await a_link(panels, 'sara')}")
        await until(lambda: said_to(telegram, NEW))
        await told(panels, "user_enabled", "sara")
        await panels.settled(2)
        await until(lambda: len(said_to(telegram, SARA)) == 2)
    assert said_to(telegram, SARA)[1] == "Messages about \u2068sara\u2069 do not come here any more."
    assert said_to(telegram, NEW)[1:] == ["▶️ Your access works again."]


UUID, NEW_UUID = "b52e0610-3b41-4f80-94da-8ac07eda9651", "537927b4-86a1-4b4b-a177-5c409284f657"
KEY = "secret_key: a-key-of-thirty-two-signs-or-more\n"


async def told_with(panels: Panels, action: str, uuid: str, user: str = "sara") -> None:
    element = {"action": action, "username": user, "user": {"username": user, "proxies": {"vless": {"id": uuid}}}}
    assert await panels.send("/in/marzban", [element], {"x-webhook-secret": MARZBAN}) == 200


async def test_who_sends_her_config_is_told_there_until_her_subscription_is_revoked(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SARA, NEW, -1001))
    config = f"vless://{UUID}@127.0.0.1:443?type=tcp#sara"
    async with a_shop(tmp_path, telegram, more=KEY) as panels:
        await told_with(panels, "user_updated", UUID)
        telegram.writes(SARA, config)
        await until(lambda: said_to(telegram, SARA))
        await told(panels, "user_expired", "sara")
        await panels.settled(2)  # to the customer, and to the operator
        seen = await panels.bridge.command("people", "user:sara", *REALM)
        telegram.writes(NEW, config)
        await until(lambda: said_to(telegram, NEW))
        await told_with(panels, "subscription_revoked", NEW_UUID)
        await until(lambda: len(said_to(telegram, SARA)) == 3)
        await told(panels, "user_enabled", "sara")
        found = await panels.settled(3)
        assert await panels.bridge.end() == 0
        kept = panels.bridge.log.read_bytes() + b"".join(file.read_bytes() for file in tmp_path.glob("*.db*"))
    assert ", by what they have shown" in seen
    assert said_to(telegram, SARA)[0].startswith("✅ Done")
    assert said_to(telegram, SARA)[1:] == [
        "⛔ Your plan has ended. Renew and it works again at once.",
        "Your link was renewed, and messages about \u2068sara\u2069 do not come here any more."
        " Send me the new link or config, and they do again.",
    ]
    assert [text.partition("\u2069")[2] for text in said_to(telegram, NEW)] == [
        " is connected to another chat already. A personal link moves it here: ask for one."
    ]
    assert found[-1]["reason"] == 'no address: no user "sara" in the directory'
    assert telegram.deleted == [config, config]
    assert not [one for one in (UUID, NEW_UUID) if one.encode() in kept]


async def test_a_template_of_the_operators_gives_away_a_link_and_a_customers_none(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE, 700009, -1001))
    folder = tmp_path / "templates" / "telegram"
    folder.mkdir(parents=True)
    (folder / "user.expired.j2").write_text(
        '{% extends "shipped/telegram/base.j2" %}{% block text %}'
        "{{ link_for(data.user) }} {{ link_for(data.user.username) }} {{ link_for('bob') }}{% endblock %}"
    )
    async with a_shop(tmp_path, telegram, more="templates: templates\n") as panels:
        await until(lambda: len(telegram.asked) > 1)
        await told(panels, "user_expired", "alice")
        await panels.settled(2)
        [text] = said_to(telegram, -1001)
        first, second = text.split()
        assert first == second
        token = first.partition("?start=")[2]
        assert not any(token.encode() in file.read_bytes() for file in tmp_path.rglob("*.db*"))
        telegram.writes(ALICE, f"/start {token}")
        await until(lambda: said_to(telegram, ALICE))
    assert "t.me" not in said_to(telegram, 700009)[0]
    assert said_to(telegram, ALICE)[0].startswith("✅ Done")


class Killing(Telegram):
    """The bridge is killed the moment it is told of what somebody wrote: before anything of it can be kept."""

    bridge: Any = None

    async def told_of(self, asked: dict[str, Any]) -> web.Response:
        response = await super().told_of(asked)
        if self.told and self.told[-1] and self.bridge is not None:
            killed, self.bridge = self.bridge, None
            killed.signal(signal.SIGKILL)
            await killed.ended()
        return response


@pytest.mark.long
async def test_a_kill_between_the_update_and_the_commit_loses_no_link_and_makes_none_twice(tmp_path: Path) -> None:
    telegram = Killing(chats=(ALICE,))
    async with a_shop(tmp_path, telegram) as panels:
        token = await a_link(panels)
        telegram.bridge = panels.bridge
        number = telegram.writes(ALICE, f"/start {token}")
        await until(lambda: not panels.bridge.running)
        assert [one["update_id"] for one in telegram.updates] == [number]
        await panels.bridge.start()
        await until(lambda: said_to(telegram, ALICE))
        await until(lambda: not telegram.updates)
        await told(panels, "user_expired", "alice")
        await panels.settled(1)
    assert [text[:6] for text in said_to(telegram, ALICE)] == ["✅ Done", "⛔ Your"]


@pytest.mark.long
async def test_a_kill_around_that_was_not_me_undoes_once_and_answers(tmp_path: Path) -> None:
    telegram = Killing(chats=(ALICE, NEW))
    async with a_shop(tmp_path, telegram) as panels:
        for chat in (ALICE, NEW):
            telegram.writes(chat, f"/start {await a_link(panels)}")
            await until(lambda chat=chat: said_to(telegram, chat))
        await until(lambda: len(said_to(telegram, ALICE)) == 2 and not telegram.updates)
        telegram.bridge = panels.bridge
        telegram.presses(ALICE, "That was not me")
        await until(lambda: not panels.bridge.running)
        await panels.bridge.start()
        await until(lambda: len(said_to(telegram, NEW)) == 2 and not telegram.updates)
        await told(panels, "user_expired", "alice")
        await panels.settled(1)
        seen = await panels.bridge.command("people", "user:alice", *REALM)
    assert [text.partition("\u2069")[2][:22] for text in said_to(telegram, NEW)[1:]] == [" do not come here any "]
    assert [text[:6] for text in said_to(telegram, ALICE)] == ["✅ Done", "Messag", "Undone", "⛔ Your"]
    assert f"linked     chat {ALICE} of telegram bot 123456789, since " in seen
    assert "not them   since " in seen
