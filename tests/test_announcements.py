"""Announcements, end to end: customers are told what the operator says, each once, over a kill and a stop."""

import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bridge.admin.people import announcing
from bridge.admin.people.announcing import AnnouncementRecipient, put_all
from bridge.people.announcement import place_in_line
from bridge.store import open_ledger
from bridge.store.queries.announcements import add_announcement
from bridge.store.queries.directory import records_after
from bridge.store.records import AnnouncementRecord
from bridge.value import replace
from tests.processes import until
from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram
from tests.street import Panels, a_house, hours_around

pytestmark = pytest.mark.process

CHATS = range(700001, 700021)
ALICE, BOB, SARA, GONE = CHATS[:4]
WORDS = "{% block en %}Work at 2, {{ me.name }}{% endblock %}{% block fa %}ساعت ۲{% endblock %}"
USERS = {"alice": ALICE, "bob": BOB, "sara": SARA}


@asynccontextmanager
async def a_shop(
    folder: Path, telegram: Telegram, users: dict[str, int] = USERS, *, more: str = ""
) -> AsyncIterator[Panels]:
    """A bridge whose directory has these users, sara with a language of hers, and a file with what is to be said."""
    (folder / "soon.j2").write_text(WORDS)
    records = "".join(
        f"    {name}: {{telegram: {chat}{', locale: fa' if name == 'sara' else ''}}}\n" for name, chat in users.items()
    )
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(telegram))
        chat = "{{ person.telegram }}"
        bot = f'type: telegram, token: "{TOKEN}", api_base: "{base}"'
        sinks = f'\nsinks:\n  dm: {{{bot}, chat_id: "{chat}", rate: unlimited}}\n'
        directory = f"directory:\n  realm: marzban\n  users:\n{records}    nobody: {{locale: fa}}\n"
        rows = ["match: user.expired, to: dm, audience: user"]
        yield await stack.enter_async_context(a_house(folder, sinks, rows=rows, more=directory + more))


async def announced(panels: Panels, *words: str, to: str = "all") -> Any:
    file = str(panels.bridge.config.parent / "soon.j2")
    return await panels.command("announce", "--to", to, "--sink", "dm", "--text-file", file, "--yes", *words)


async def shown(panels: Panels, id_: int = 1) -> dict[str, tuple[str, str | None]]:
    found = await panels.command("announce", "--show", str(id_))
    return {one["key"].partition(":")[2]: (one["state"], one["reason"]) for one in found["people"]}


def said_to(telegram: Telegram, chat: int) -> list[str]:
    return [one.body["text"].strip("\u200f") for one in telegram.taken if one.body["chat_id"] == chat]


async def test_each_is_told_once_in_their_language_but_not_who_does_not_want_it(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE, SARA))
    async with a_shop(tmp_path, telegram) as panels:
        await panels.bridge.command("prefs", "user:alice", "news=off", "--realm", "marzban")
        told = await announced(panels)
        assert (told["id"], told["reached"], told["unreached"]) == (1, 3, 1)
        await panels.settled(3)
        assert await shown(panels) == {
            "alice": ("held_back", "wants no news"),
            "bob": ("held_back", "HTTP 400: Bad Request: chat not found"),
            "sara": ("delivered", None),
        }
        await panels.command("announce", "--resume", "1")
        assert (await announced(panels, "--realm", "marzban", "--category", "status", to="user:alice"))["reached"] == 1
        await panels.settled(4)
    assert said_to(telegram, SARA) == ["ساعت ۲"]
    assert said_to(telegram, ALICE) == ["Work at 2, alice"]


class Killing(Telegram):
    """The bridge is killed when it has sent so many messages: they were taken, and nobody is told so."""

    bridge: Any = None
    after = 0

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        answer = await super().serve(request, body)
        if self.bridge is not None and len(self.taken) >= self.after:
            killed, self.bridge = self.bridge, None
            killed.signal(signal.SIGKILL)
            await killed.ended()
        return answer


async def test_nobody_is_told_twice_over_a_kill_and_what_was_at_the_socket_is_uncertain(tmp_path: Path) -> None:
    users = {f"user{number}": chat for number, chat in enumerate(CHATS)}
    telegram = Killing(chats=tuple(CHATS))
    async with a_shop(tmp_path, telegram, users) as panels:
        telegram.after, telegram.bridge = 5, panels.bridge
        await announced(panels)
        await until(lambda: not panels.bridge.running)
        await panels.bridge.start()
        await panels.settled(len(users))
        found = await shown(panels)
        listed = await panels.bridge.command("announce", "--show", "1")
        before = Counter(one.body["chat_id"] for one in telegram.taken)
        uncertain = {name for name, (state, _) in found.items() if state == "held_back"}
        for number in (len(uncertain), 0):
            assert (await panels.command("announce", "--retry", "1"))["retried"] == number
        await panels.settled(len(users))
        after = Counter(one.body["chat_id"] for one in telegram.taken)
        assert {name for name, chat in users.items() if after[chat] == before[chat] + 1} == uncertain
        assert {state for state, _ in (await shown(panels)).values()} == {"delivered"}
    assert set(before.values()) == {1}
    assert found.keys() == users.keys()
    assert 1 <= len(uncertain) <= 8
    assert {name for name, chat in users.items() if chat not in before} <= uncertain
    assert all(found[name][1].startswith("uncertain: ") for name in uncertain)  # type: ignore[union-attr]
    assert {line.split()[1].strip(":") for line in listed.splitlines() if line.startswith("uncertain")} <= {
        f"marzban/user:{name}" for name in uncertain
    }


async def test_what_is_stopped_in_quiet_hours_is_told_to_nobody_until_it_is_resumed(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE, BOB, SARA))
    night = f'people: {{quiet: {{hours: "{hours_around(datetime.now(UTC))}", mode: hold}}}}\n'
    async with a_shop(tmp_path, telegram, more=night) as panels:
        await announced(panels)
        await until(lambda: {one["reason"] for one in panels.records()} == {"quiet hours"})
        assert (await panels.command("announce", "--stop", "1"))["held_back"] == 3
        assert set((await shown(panels)).values()) == {("held_back", "the announcement was stopped")}
        await announced(panels, "--critical", "--realm", "marzban", to="user:bob")
        await until(lambda: said_to(telegram, BOB))
        await panels.bridge.reload(lambda text: text.replace(night, ""))
        assert (await panels.command("announce", "--resume", "1"))["resumed"] == 3
        await panels.settled(4)
    assert [len(said_to(telegram, chat)) for chat in (ALICE, BOB, SARA)] == [1, 2, 1]


@pytest.mark.long
async def test_what_the_killed_bridge_and_command_had_not_made_is_made_by_the_next_one(tmp_path: Path) -> None:
    """Half of the deliveries are made, one in a commit, when whoever made them is no more, and the bridge neither."""
    users = {f"user{number}": chat for number, chat in enumerate(CHATS)}
    telegram = Telegram(chats=tuple(CHATS))
    async with a_shop(tmp_path, telegram, users) as panels:
        await until(lambda: len(_known(panels)) > len(users))
        panels.bridge.signal(signal.SIGKILL)
        await panels.bridge.ended()
        _half_made(panels)
        await panels.bridge.start()
        await panels.settled(len(users))
        found = await shown(panels)
    times = Counter(one.body["chat_id"] for one in telegram.taken)
    assert times == dict.fromkeys(CHATS, 1)
    assert {name: state for name, (state, _) in found.items()} == dict.fromkeys(users, "delivered")


def _known(panels: Panels) -> Sequence[str]:
    with open_ledger(panels.bridge.store) as ledger:
        return [key for key, _ in ledger.read(records_after, "", limit=100)]


def _half_made(panels: Panels) -> None:
    keys = [key for key in _known(panels) if "user:user" in key]
    line = sorted(map(AnnouncementRecipient, keys), key=lambda one: place_in_line(one.key))
    now = datetime.now(UTC)
    record = AnnouncementRecord(
        at=now, by="mina", sink="dm", chosen=("all",), text="Soon", category="news", critical=False, counted=len(line)
    )
    with open_ledger(panels.bridge.store) as ledger, pytest.MonkeyPatch.context() as patch:
        patch.setattr(announcing, "AT_ONCE", 1)
        steps = put_all(ledger, replace(record, id=ledger.write(add_announcement, record)), line, now)
        for _ in range(len(line) // 2):
            next(steps)
