"""Resellers with chats of their own, end to end: a real bridge, one bot, a directory."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.processes import until
from tests.services.service import Answer, serving
from tests.services.telegram import TOKEN, Telegram
from tests.street import MARZBAN, LaterClock, Panels, a_house

pytestmark = pytest.mark.process

SEVEN, NINE, OPS = -1007, -1009, -1001
DIRECTORY = f"""
directory:
  realm: marzban
  default: {{telegram: {OPS}}}
  owners:
    reseller-7: {{telegram: {SEVEN}, thread: 12, locale: fa}}
    reseller-9: {{telegram: {NINE}}}
"""


@asynccontextmanager
async def a_shop(
    folder: Path, telegram: Telegram, *, rows: Sequence[str] = (), sink: str = "", more: str = DIRECTORY, **about: Any
) -> AsyncIterator[Panels]:
    """A bridge that tells resellers by one bot."""
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(telegram))
        fast = "rate: unlimited, retry: {waits: [0.2s], jitter: 0}"
        sinks = f"""
sinks:
  resellers: {{type: telegram, token: "{TOKEN}", api_base: "{base}", {fast}, chat_id: "{{{{ owner.telegram }}}}",
              message_thread_id: "{{{{ owner.thread }}}}"{sink}}}
  ops: {{type: telegram, token: "{TOKEN}", api_base: "{base}", {fast}, chat_id: {OPS}}}
"""
        yield await stack.enter_async_context(
            a_house(folder, sinks, rows=rows or ["match: 'user.*', to: resellers"], more=more, **about)
        )


async def told(panels: Panels, *users: tuple[str, str | None], action: str = "user_created") -> None:
    """Marzban tells of these users, each with the admin whom they belong to."""
    body = [
        {"action": action, "username": name, "user": {"username": name, "admin": owner and {"username": owner}}}
        for name, owner in users
    ]
    assert await panels.send("/in/marzban", body, {"x-webhook-secret": MARZBAN}) == 200


def by_chat(telegram: Telegram) -> dict[Any, list[Any]]:
    """What was said in each chat and topic."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for one in telegram.taken:
        found[one.body["chat_id"], one.body.get("message_thread_id")].append(one.body["text"])
    return found


async def test_each_reseller_is_told_in_a_chat_of_their_own_and_in_their_own_language(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SEVEN, NINE, OPS))
    async with a_shop(tmp_path, telegram) as panels:
        await told(panels, ("alice", "reseller-7"), ("bob", "reseller-9"), ("carol", "reseller-7"))
        await panels.settled(3)
    said = by_chat(telegram)
    assert {place: len(texts) for place, texts in said.items()} == {(SEVEN, 12): 2, (NINE, None): 1}
    assert "alice" in said[SEVEN, 12][0]
    assert "کاربر" in said[SEVEN, 12][0]
    assert "bob" in said[NINE, None][0]
    assert "کاربر" not in said[NINE, None][0]


async def test_who_has_no_address_is_held_back_and_says_why(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SEVEN, NINE, OPS))
    async with a_shop(tmp_path, telegram) as panels:
        await told(panels, ("alice", "reseller-8"), ("bob", None))
        found = await panels.settled(2)
    assert [(one["state"], one["reason"]) for one in found] == [
        ("held_back", 'no address: no owner "reseller-8" in the directory'),
        ("held_back", "no address: no owner in it"),
    ]
    assert telegram.requests == 0


async def test_where_the_default_is_wanted_it_is_told_in_place_of_an_unknown_owner(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SEVEN, NINE, OPS))
    async with a_shop(tmp_path, telegram, sink=", unknown: default") as panels:
        await told(panels, ("alice", "reseller-8"), ("bob", "reseller-9"))
        await panels.settled(2)
    assert {place: len(texts) for place, texts in by_chat(telegram).items()} == {(OPS, None): 1, (NINE, None): 1}


async def test_one_resellers_chat_that_is_gone_parks_nobody_and_the_fallback_hears_of_it(tmp_path: Path) -> None:
    telegram = Telegram(chats=(NINE, OPS))
    rows = ["match: 'user.*', to: resellers, fallback: ops"]
    async with a_shop(tmp_path, telegram, rows=rows) as panels:
        await told(panels, ("alice", "reseller-7"), ("bob", "reseller-9"))
        found = await panels.settled(3)
        assert panels.lane_state("resellers")["standing"] == "open"
    states = {(one["sink"], one["subject"]): one["state"] for one in found}
    assert states == {
        ("resellers", "user:alice"): "held_back",
        ("resellers", "user:bob"): "delivered",
        ("ops", "user:alice"): "delivered",
    }
    assert {place: len(texts) for place, texts in by_chat(telegram).items()} == {(NINE, None): 1, (OPS, None): 1}


async def test_a_mended_directory_holds_for_what_already_waits(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SEVEN, NINE, OPS))
    wait = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 1}}
    telegram.answer_next(*[Answer(429, wait)] * 1000)
    async with a_shop(tmp_path, telegram) as panels:
        await told(panels, ("alice", "reseller-9"))
        await until(lambda: telegram.requests)
        await panels.bridge.reload(lambda text: text.replace(str(NINE), str(OPS)))
        telegram.let_through()
        await panels.settled(1)
    assert {place: len(texts) for place, texts in by_chat(telegram).items()} == {(OPS, None): 1}


async def test_each_reseller_is_told_in_the_morning_of_their_own_users(tmp_path: Path) -> None:
    telegram, clock = Telegram(chats=(SEVEN, NINE, OPS)), LaterClock(tmp_path)
    more = f'{DIRECTORY}\nreports: {{morning: {{at: "00:00", to: resellers, each: owner}}}}'
    rows = ["match: 'user.*', to: ops"]
    async with a_shop(tmp_path, telegram, rows=rows, more=more, program=clock.program) as panels:
        await told(panels, ("alice", "reseller-7"), ("bob", "reseller-9"), ("carol", "reseller-7"), ("dave", None))
        await panels.settled(4)
        clock.step(86_400)
        await panels.bridge.restart()
        await panels.settled(6)
        await panels.bridge.restart()  # and not again
        await told(panels, ("erin", None))
        await panels.settled(7)
    said = by_chat(telegram)
    assert {place: len(texts) for place, texts in said.items()} == {(OPS, None): 5, (SEVEN, 12): 1, (NINE, None): 1}
    [seven], [nine] = said[SEVEN, 12], said[NINE, None]
    assert "گزارش" in seven
    assert all((name in seven, name in nine) == (name != "bob", name == "bob") for name in ("alice", "bob", "carol"))
    assert "dave" not in seven + nine


async def test_a_digest_is_for_one_reseller(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SEVEN, NINE, OPS))
    rows = ["match: 'user.*', to: resellers, digest: {window: 1s}"]
    async with a_shop(tmp_path, telegram, rows=rows) as panels:
        await told(panels, ("alice", "reseller-7"), ("bob", "reseller-9"), ("carol", "reseller-7"))
        await panels.settled(3)
    said = by_chat(telegram)
    assert {place: len(texts) for place, texts in said.items()} == {(SEVEN, 12): 1, (NINE, None): 1}
    [seven] = said[SEVEN, 12]
    assert "alice" in seven
    assert "carol" in seven
    assert "bob" not in seven


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("people.csv", "kind,name,telegram\nowner,reseller-7,{chat}\n", "2:18"),
        ("people.yaml", "owners:\n  reseller-7:\n    telegram: '{chat}'\n", "3:15"),
    ],
)
async def test_the_directorys_file_is_read_again_and_one_with_a_mistake_or_none_changes_nothing(
    tmp_path: Path, name: str, text: str, place: str
) -> None:
    telegram, file = Telegram(chats=(SEVEN, NINE, OPS)), tmp_path / name
    file.write_text(text.format(chat=SEVEN))
    more = f"directory: {{realm: marzban, file: {name}}}"
    async with a_shop(tmp_path, telegram, more=more) as panels:
        await told(panels, ("alice", "reseller-7"))
        await panels.settled(1)
        file.write_text(text.format(chat="@alice"))
        await panels.bridge.logged(f'{name}:{place}: owner \\"reseller-7\\": telegram: should be a number')
        await told(panels, ("bob", "reseller-7"))
        await panels.settled(2)
        file.unlink()
        await panels.bridge.logged(f'directory.file should be a file: there is no \\"{name}\\" beside this one')
        await told(panels, ("dave", "reseller-7"))
        await panels.settled(3)
        file.write_text(text.format(chat=NINE))
        await panels.bridge.logged("config.reloaded")
        await told(panels, ("carol", "reseller-7"))
        await panels.settled(4)
    assert [one.body["chat_id"] for one in telegram.taken] == [SEVEN, SEVEN, SEVEN, NINE]


async def test_a_service_that_counts_by_chat_never_has_to_say_so(tmp_path: Path) -> None:
    telegram = Telegram(chats=(SEVEN, NINE, OPS), limited=True)
    async with a_shop(tmp_path, telegram) as panels:
        await told(panels, *((f"user-{number}", "reseller-7") for number in range(4)), ("bob", "reseller-9"))
        found = await panels.settled(5)
    assert [one["state"] for one in found] == ["delivered"] * 5
    assert telegram.broken == telegram.refused == []
