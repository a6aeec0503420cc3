"""The whole files of docs/customers.md and docs/resellers.md, each run as it stands: who is told what, and where.

Only the services' addresses are those of strict stand-ins. A file that has no story here is named by a failing test.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import yaml

from tests.pages import Piece, blocks, stand_ins
from tests.processes import a_bridge, free_port, until
from tests.services import discord
from tests.services.email import Mail
from tests.services.imap import Imap
from tests.services.receiver import Receiver
from tests.services.reports import postfix
from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram, words
from tests.street import LaterClock, Panels

pytestmark = pytest.mark.process

PAGES = ("customers.md", "resellers.md")
SEVEN_TOKEN = f"777777777{TOKEN[9:]}"
PASSWORD = stand_ins("${SMTP_PASSWORD}")["SMTP_PASSWORD"]
SECRET = {"x-webhook-secret": stand_ins("${MARZBAN_SECRET}")["MARZBAN_SECRET"]}
ALICE, BOB, CAROL, OPS, SEVEN, NINE = 700001, 700002, 700003, -1001234567890, -1002000000007, -1002000000009
ENDED_FA = "⛔ اشتراک شما تمام شد. با تمدید، بی‌درنگ دوباره وصل می‌شود."
ENDED_RU = "⛔ Подписка закончилась. Продлите, и всё сразу заработает."
LIMITED_FA = "🪫 حجم شما تمام شد. برای ادامه تمدید کنید."
LIMITED_RU = "🪫 Трафик закончился. Продлите подписку, чтобы продолжить."


@dataclass
class Town:
    """A bridge with a documented file, and the services that it speaks to."""

    panels: Panels
    telegram: Telegram
    discord: discord.Discord
    mail: Mail
    program: Receiver
    imap: Imap
    clock: LaterClock

    async def told(self, action: str, *users: tuple[str, str | None]) -> None:
        """Marzban tells of these users, each with the admin whom they belong to."""
        body = [
            {"action": action, "username": name, "user": {"username": name, "admin": owner and {"username": owner}}}
            for name, owner in users
        ]
        assert await self.panels.send("/in/marzban", body, SECRET) == 200

    async def remnawave(self, body: dict[str, Any]) -> None:
        sent = json.dumps(body).encode()
        signature = hmac.new(SECRET["x-webhook-secret"].encode(), sent, hashlib.sha256).hexdigest()
        assert await self.panels.send("/in/remnawave", sent, {"X-Remnawave-Signature": signature}) == 200

    def said_to(self, chat: int) -> list[str]:
        texts = (words(one.body["text"]) for one in self.telegram.taken if one.body["chat_id"] == chat)
        return [text.strip("\u200f") for text in texts]


def whole_files() -> list[Piece]:
    return [one for one in blocks("yaml") if one.page.name in PAGES and "routes" in yaml.safe_load(one.text)]


@asynccontextmanager
async def a_town(folder: Path, text: str) -> AsyncIterator[Town]:
    telegram, chats, mail, program = (
        Telegram(chats=(ALICE, BOB, CAROL, OPS, SEVEN, NINE), tokens=(TOKEN, SEVEN_TOKEN)),
        discord.Discord(),
        Mail(),
        Receiver(),
    )
    telegram.patient = 1.0
    async with AsyncExitStack() as stack:
        bases = [await stack.enter_async_context(serving(one)) for one in (telegram, chats, mail, program)]
        imap = await stack.enter_async_context(Imap(password=PASSWORD).listening())
        bridge = await stack.enter_async_context(a_bridge(folder, at_stand_ins(text, *bases, imap)))
        for one in blocks("csv"):
            if one.page.name in PAGES:
                (folder / "directory.csv").write_text(one.text, "utf-8")
        clock = LaterClock(folder)
        bridge.program = clock.program
        await bridge.start()
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Town(Panels(bridge, http), telegram, chats, mail, program, imap, clock)


def at_stand_ins(text: str, telegram: str, chats: str, mail: str, program: str, imap: Imap) -> str:
    """The file with its variables set, and its services where they are here."""
    given = stand_ins(text) | {"OPS_DISCORD_URL": f"{chats}/api/webhooks/{discord.ID}/{discord.TOKEN}"}
    given |= {name: TOKEN for name in given if name.endswith("BOT_TOKEN")} | {"SEVEN_BOT_TOKEN": SEVEN_TOKEN}
    for name, value in given.items():
        text = text.replace(f"${{{name}}}", value)
    file = yaml.safe_load(text)
    if "admin" in file:
        file["admin"]["listen"] = f"127.0.0.1:{free_port()}"
    for sink in file["sinks"].values():
        match sink["type"]:
            case "telegram":
                sink["api_base"] = telegram
            case "email":
                sink |= {"server": "127.0.0.1", "port": int(mail.rpartition(":")[2]), "encryption": "none"}
                login = {
                    "username": sink.pop("username"),
                    "password": sink.pop("password"),
                }  # is asked for by TLS alone
                if "bounces" in sink:
                    sink["bounces"] = {"server": "127.0.0.1", "port": imap.port, "encryption": "none"} | login
            case "webhook":
                sink["url"] = sink["url"].replace("https://hooks.example.com", program)
    return str(yaml.safe_dump(file, allow_unicode=True))


async def customers_by_a_directory(town: Town) -> None:
    await town.told("user_expired", ("alice", None), ("bob", None), ("carol", None))
    await until(lambda: town.said_to(ALICE) and len(town.discord.taken) == 3)
    assert town.said_to(ALICE) == [ENDED_FA]
    [bob] = [one for one in town.panels.records() if (one["sink"], one["subject"]) == ("dm", "user:bob")]
    assert bob["state"] != "dead"  # at night he is told in the morning


async def customers_by_mail_where_there_is_no_chat(town: Town) -> None:
    await town.told("user_expired", ("alice", None), ("bob", None))
    await town.panels.settled(3)
    assert town.said_to(ALICE) == ["⛔ Your plan has ended. Renew and it works again at once."]
    [letter] = town.mail.taken
    assert letter.body["to"] == "bob@example.com"
    assert ENDED_FA in letter.body["text"]


async def customers_whose_letters_come_back(town: Town) -> None:
    body = {"event": "user.expired", "timestamp": "2026-11-30T04:00:00Z"}
    body |= {"data": {"username": "bob", "email": "bob@example.com", "expireAt": "2026-11-30T04:00:00Z"}}
    await town.remnawave(body)
    await town.panels.settled(1)
    [letter] = town.mail.letters
    report = town.imap.receives(postfix("bob@example.com", str(letter["Message-ID"])))
    town.clock.step(3600.0)  # the next look is due
    await until(lambda: report.seen)
    await town.remnawave(body | {"event": "user.expired", "data": body["data"] | {"expireAt": "2026-11-29T04:00:00Z"}})
    found = await town.panels.settled(2)
    assert found[1]["reason"].startswith("came back: 550 5.1.1 <bob@example.com>")


async def customers_with_a_bot_of_their_own(town: Town) -> None:
    printed = await town.panels.bridge.command("link", "user:alice")
    town.telegram.writes(ALICE, f"/start {printed.split()[0].partition('?start=')[2]}", language="fa")
    await until(lambda: town.said_to(ALICE))
    await town.told("user_limited", ("alice", None), ("bob", None))
    found = await town.panels.settled(2)
    assert town.said_to(ALICE)[1:] == [LIMITED_FA]
    assert [one["reason"] for one in found if one["subject"] == "user:bob"] == [
        'no address: no user "bob" in the directory'
    ]


async def resellers_in_chats_of_their_own(town: Town) -> None:
    await town.told("user_limited", ("alice", "reseller-7"), ("bob", "reseller-9"), ("carol", "reseller-8"))
    await until(lambda: town.said_to(NINE) and len(town.said_to(OPS)) == 4)
    [nine] = town.said_to(NINE)
    assert ("bob" in nine, "Пользователь" in nine) == (True, True)
    assert sum("carol" in one for one in town.said_to(OPS)) == 2  # as the operator's, and as nobody else's
    [seven] = [one for one in town.panels.records() if (one["sink"], one["subject"]) == ("resellers", "user:alice")]
    assert seven["state"] != "dead"  # at night they are told in the morning
    assert all("alice" in one for one in town.said_to(SEVEN))


async def resellers_of_a_table(town: Town) -> None:
    await town.told("user_limited", ("alice", "reseller-7"), ("bob", "reseller-9"))
    await town.panels.settled(4)
    assert {one.path: one.body["data"]["user"]["username"] for one in town.program.taken} == {
        "/in/reseller-7": "alice",
        "/in/reseller-9": "bob",
    }
    [seven], [nine] = town.said_to(SEVEN), town.said_to(NINE)
    assert ("alice" in seven, "کاربر" in seven) == (True, True)
    assert ("bob" in nine, "Пользователь" in nine) == (True, True)


async def resellers_in_the_morning(town: Town) -> None:
    await town.told("user_limited", ("alice", "reseller-7"), ("bob", "reseller-9"))
    [one, _] = await town.panels.settled(2)
    came = datetime.fromisoformat(one["made_at"]).astimezone(ZoneInfo("Asia/Tehran"))
    morning = came.replace(hour=10, minute=0) + timedelta(days=1)
    town.clock.step((morning - came).total_seconds())
    await town.panels.bridge.restart()
    await until(lambda: len(town.said_to(SEVEN)) == 2)
    report = town.said_to(SEVEN)[1]
    assert ("گزارش" in report, "alice" in report, "bob" in report) == (True, True, False)


async def resellers_with_a_brand(town: Town) -> None:
    users = (("alice", "reseller-7"), ("bob", "reseller-7"), ("carol", "reseller-9"), ("dave", "reseller-7"))
    await town.told("user_expired", *users)
    found = await town.panels.settled(4)
    assert {(one["subject"], one["sink"]) for one in found} == {
        ("user:alice", "seven-bot"),
        ("user:bob", "seven-bot"),
        ("user:carol", "dm"),
        ("user:dave", "seven-bot"),
    }
    assert town.said_to(ALICE) == [f"{ENDED_FA}\n\n\u2068Seven Net\u2069 · تمدید · راهنمایی"]
    assert town.said_to(BOB)[0].endswith("\n\nSeven Net · Renew · Help")
    assert town.said_to(CAROL) == [f"{ENDED_RU}\n\nNine"]
    bots = {one.body["chat_id"]: one.path.split("/")[1].removeprefix("bot") for one in town.telegram.taken}
    assert bots == {ALICE: SEVEN_TOKEN, BOB: SEVEN_TOKEN, CAROL: TOKEN}
    await town.told("user_limited", ("carol", None))
    await town.panels.settled(5)
    assert town.said_to(CAROL)[1].endswith("\n\nFra VPN · Renew · Help")


async def resellers_with_a_page(town: Town) -> None:
    await town.told("user_limited", ("alice", "reseller-7"), ("bob", "reseller-9"))
    await town.panels.settled(2)
    assert len(town.said_to(OPS)) == 2  # what their pages show is tests/admin/test_owned.py's


#: Of each page, by what its files say that the others of it do not, what happens.
STORIES: dict[tuple[str, str], Callable[[Town], Awaitable[None]]] = {
    ("customers.md", "ops: {type: discord"): customers_by_a_directory,
    ("customers.md", "bounces:"): customers_whose_letters_come_back,
    ("customers.md", "fallback: mail"): customers_by_mail_where_there_is_no_chat,
    ("customers.md", "bot: dm"): customers_with_a_bot_of_their_own,
    ("resellers.md", "unknown: default"): resellers_in_chats_of_their_own,
    ("resellers.md", "file: directory.csv"): resellers_of_a_table,
    ("resellers.md", "reports:"): resellers_in_the_morning,
    ("resellers.md", "brands:"): resellers_with_a_brand,
    ("resellers.md", "admin:"): resellers_with_a_page,
}


def stories_of(file: Piece) -> list[Any]:
    return [story for (page, says), story in STORIES.items() if page == file.page.name and says in file.text]


def test_every_whole_file_of_these_pages_has_one_story_and_every_story_a_file() -> None:
    assert [str(file) for file in whole_files() if len(stories_of(file)) != 1] == []
    assert sorted(story.__name__ for file in whole_files() for story in stories_of(file)) == sorted(
        story.__name__ for story in STORIES.values()
    )


@pytest.mark.parametrize("file", whole_files(), ids=str)
async def test_what_a_file_says_happens(file: Piece, tmp_path: Path) -> None:
    [story] = stories_of(file)
    async with a_town(tmp_path, file.text) as town:
        await story(town)
    assert town.telegram.refused == []
