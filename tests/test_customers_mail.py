"""Customers by mail, end to end: who has no chat gets a letter, and who wants nothing gets nothing anywhere."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.services.email import Mail
from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram
from tests.street import MARZBAN, Panels, a_house, set_past_midnight

pytestmark = pytest.mark.process

ALICE, BASE = 700001, "https://bridge.example.com"
FILE = f"""
timezone: Asia/Tehran
directory:
  realm: marzban
  users:
    alice: {{telegram: {ALICE}, email: alice@example.com}}
    bob: {{email: bob@example.com, locale: fa}}
    gone: {{telegram: 700009, email: gone@example.com}}
public_url: {BASE}
secret_key: a-key-of-thirty-two-signs-or-more
"""


@asynccontextmanager
async def a_shop(
    folder: Path,
    telegram: Telegram,
    mail: Mail,
    rows: list[str],
    *,
    more: str = "",
    program: Sequence[str] = ("bridge",),
) -> AsyncIterator[Panels]:
    """A bridge that tells customers by a bot, `dm`, and by letters, `mail`."""
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(telegram))
        port = (await stack.enter_async_context(serving(mail))).rpartition(":")[2]
        sinks = f"""
sinks:
  dm: {{type: telegram, token: "{TOKEN}", api_base: "{base}", chat_id: "{{{{ person.telegram }}}}"}}
  mail: {{type: email, server: 127.0.0.1, port: {port}, encryption: none, from: vpn@example.com,
         to: "{{{{ person.email or data.user.email }}}}"}}
"""
        yield await stack.enter_async_context(a_house(folder, sinks, rows=rows, more=FILE + more, program=program))


async def told(panels: Panels, action: str, *users: str, **more: object) -> None:
    body = [{"action": action, "username": one, "user": {"username": one, "note": "owes 5", **more}} for one in users]
    assert await panels.send("/in/marzban", body, {"x-webhook-secret": MARZBAN}) == 200


def letters_to(mail: Mail, name: str) -> list[dict[str, str]]:
    return [one.body for one in mail.taken if one.body["to"] == f"{name}@example.com"]


async def test_who_has_no_chat_or_a_chat_that_is_gone_gets_a_letter_and_who_has_one_gets_none(tmp_path: Path) -> None:
    telegram, mail = Telegram(chats=(ALICE,)), Mail()
    row = "match: 'user.*', to: dm, audience: user, fallback: mail"
    async with a_shop(tmp_path, telegram, mail, [row]) as panels:
        await told(panels, "user_expired", "alice", "bob", "gone")
        await panels.settled(5)
    assert [one.body["chat_id"] for one in telegram.taken] == [ALICE]
    assert letters_to(mail, "alice") == []
    [bob], [gone] = letters_to(mail, "bob"), letters_to(mail, "gone")
    assert bob["subject"].strip("\u200f") == "⛔ اشتراک شما تمام شد."
    assert 'dir="rtl"' in bob["html"]
    assert "⛔ اشتراک شما تمام شد. با تمدید، بی‌درنگ دوباره وصل می‌شود." in bob["text"]
    assert gone["subject"] == "⛔ Your plan has ended."
    for letter in (bob, gone):
        assert not any(word in str(letter) for word in ("owes", "marzban", "user.expired", "Instead"))


async def test_who_wants_nothing_is_told_nothing_anywhere(tmp_path: Path) -> None:
    telegram, mail = Telegram(chats=(ALICE,)), Mail()
    row = "match: 'user.*', to: dm, audience: user, fallback: mail"
    async with a_shop(tmp_path, telegram, mail, [row]) as panels:
        for name in ("alice", "bob"):
            await panels.bridge.command("prefs", f"user:{name}", "stop", "--realm", "marzban")
        await told(panels, "user_expired", "alice", "bob")
        found = await panels.settled(2)
    assert [one["reason"] for one in found] == ["wants to be told nothing"] * 2
    assert (telegram.taken, mail.taken) == ([], [])


async def test_a_letter_is_told_once_and_no_oftener_than_the_file_says(tmp_path: Path) -> None:
    telegram, mail = Telegram(chats=(ALICE,)), Mail()
    rows = ["match: 'user.*', to: mail, audience: user"]
    program = set_past_midnight(tmp_path, ZoneInfo("Asia/Tehran")).program
    async with a_shop(tmp_path, telegram, mail, rows, more="people: {max_per_day: 2}", program=program) as panels:
        end = int((datetime.now(UTC) + timedelta(days=3, hours=1)).timestamp())
        await told(panels, "reached_days_left", "bob", expire=end)
        await panels.settled(1)
        await told(panels, "reached_days_left", "bob", expire=end)
        await told(panels, "user_limited", "bob")
        await panels.settled(3)
        await told(panels, "user_disabled", "bob")
        found = await panels.settled(4)
    assert [one["reason"] for one in found if one["state"] != "delivered"] == [
        "told already",
        "max_per_day: was told 2 times today",
    ]
    assert len(letters_to(mail, "bob")) == 2


async def test_who_has_a_chat_and_a_mailbox_is_told_at_both_and_who_has_one_is_told_there(tmp_path: Path) -> None:
    telegram, mail = Telegram(chats=(ALICE,)), Mail()
    async with a_shop(tmp_path, telegram, mail, ["match: 'user.*', to: [dm, mail], audience: user"]) as panels:
        for reason in (None, "told already"):
            await told(panels, "user_expired", "alice", "bob", expire=1700000000)
            found = (await panels.settled(4 if reason is None else 8))[-4:]
            assert {(one["subject"], one["sink"], one["reason"]) for one in found} >= {
                ("user:alice", "dm", reason), ("user:alice", "mail", reason), ("user:bob", "mail", reason),
            }  # fmt: skip
    assert (len(telegram.taken), len(letters_to(mail, "alice")), len(letters_to(mail, "bob"))) == (1, 1, 1)


async def test_one_click_on_a_letter_ends_letters_over_restarts_and_another_one_brings_them_back(
    tmp_path: Path,
) -> None:
    telegram, mail = Telegram(chats=(ALICE,)), Mail()
    async with a_shop(tmp_path, telegram, mail, ["match: 'user.*', to: [dm, mail], audience: user"]) as panels:
        await told(panels, "user_expired", "alice")
        await panels.settled(2)
        link = str(mail.letters[0]["List-Unsubscribe"]).strip("<>")
        assert link.startswith(f"{BASE}/stop/")
        assert link in mail.taken[0].body["text"]
        path = link.removeprefix(BASE)
        await panels.bridge.kill()
        await panels.bridge.start()
        async with panels.http.get(panels.bridge.url + path) as page:
            assert page.status == 200
        await told(panels, "user_limited", "alice")
        await panels.settled(4)
        assert len(letters_to(mail, "alice")) == 2
        async with panels.http.post(panels.bridge.url + path, data="List-Unsubscribe=One-Click") as page:
            assert page.status == 200
        await told(panels, "user_enabled", "alice")
        found = await panels.settled(6)
        assert [one["reason"] for one in found if one["sink"] == "mail"][-1] == "wants to be told nothing"
        assert len(letters_to(mail, "alice")) == 2
        async with panels.http.post(f"{panels.bridge.url}{path}?again=1") as page:
            assert page.status == 200
        await told(panels, "user_disabled", "alice")
        await panels.settled(8)
    assert len(letters_to(mail, "alice")) == 3
    assert len(telegram.taken) == 4, "who wants no letters is told in the chat as before"
    log = panels.bridge.log.read_text()
    assert "alice" not in log
    assert path.removeprefix("/stop/") not in log


async def test_whose_chat_is_that_of_others_has_a_mailbox_of_their_own(tmp_path: Path) -> None:
    """In a chat that the directory gives to two a message begins with the name; a letter to one of them need not."""
    telegram, mail = Telegram(chats=(ALICE,)), Mail()
    async with a_shop(tmp_path, telegram, mail, ["match: 'user.*', to: [dm, mail], audience: user"]) as panels:
        text = panels.bridge.config.read_text("utf-8")
        shared = text.replace("  users:\n", f"  users:\n    carol: {{telegram: {ALICE}, email: carol@example.com}}\n")
        await panels.bridge.reload(lambda _: shared)
        await told(panels, "user_expired", "carol")
        await panels.settled(2)
    [letter], [said] = letters_to(mail, "carol"), telegram.taken
    assert "carol" in str(said.body["text"])
    assert "carol" not in letter["subject"] + letter["text"]
