"""Brands end to end: a real bridge, a bot for each reseller who has one, a directory that changes while it runs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.processes import until
from tests.services.service import Answer, serving
from tests.services.telegram import TOKEN, Telegram, words
from tests.street import Panels, a_house
from tests.test_resellers import told

pytestmark = pytest.mark.process

ALICE, BOB = 42, 43
SEVEN, NINE = (f"{number * 9}{TOKEN[9:]}" for number in ("7", "9"))
NAMES = {TOKEN: "Fra VPN", SEVEN: "Seven Net", NINE: "Nine"}
MORE = """
directory: {realm: marzban, file: people.csv}
people:
  name: Fra VPN
  brands:
    seven: {name: Seven Net, sinks: {dm: seven-bot}}
    nine: {name: Nine, sinks: {dm: nine-bot}}
"""
#: The directory, in which reseller-7's brand is left open.
CSV = f"kind,name,telegram,brand\nowner,reseller-7,,%s\nowner,reseller-9,,nine\nuser,alice,{ALICE},\n"


@asynccontextmanager
async def a_business(folder: Path, telegram: Telegram, brand: str) -> AsyncIterator[Panels]:
    (folder / "people.csv").write_text(CSV % brand)
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(telegram))
        sinks = "".join(
            f'  {name}: {{type: telegram, token: "{token}", api_base: "{base}", chat_id: "{{{{ person.telegram }}}}",'
            " rate: unlimited, retry: {waits: [0.2s], jitter: 0}}\n"
            for name, token in (("dm", TOKEN), ("seven-bot", SEVEN), ("nine-bot", NINE))
        )
        rows = ["match: 'user.*', to: dm, audience: user"]
        yield await stack.enter_async_context(a_house(folder, f"\nsinks:\n{sinks}", rows=rows, more=MORE))


def said(telegram: Telegram) -> list[str]:
    """Whose bot told alice each time; under the words stands that very name, or that is told here too."""
    found = []
    for one in telegram.taken:
        name = NAMES[one.path.split("/")[1].removeprefix("bot")]
        under = words(one.body["text"]).rpartition("\n")[2]
        found.append(name if under == name else f"{name} as {under}")
    return found


async def test_a_changed_directory_holds_for_what_comes_in_and_one_with_a_mistake_for_nothing(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE,), tokens=tuple(NAMES))
    file = tmp_path / "people.csv"
    async with a_business(tmp_path, telegram, "seven") as panels:
        await told(panels, ("alice", "reseller-7"), action="user_expired")
        await panels.settled(1)
        file.write_text(CSV % "nin")
        hint = 'people.csv:2:19: owner \\"reseller-7\\": brand: no brand named \\"nin\\": did you mean \\"nine\\"?'
        await panels.bridge.logged(hint)
        await told(panels, ("alice", "reseller-7"), action="user_limited")
        await panels.settled(2)
        file.write_text(CSV % "nine")
        await panels.bridge.logged("config.reloaded")
        await told(panels, ("alice", "reseller-7"), action="user_enabled")
        await panels.settled(3)
        file.write_text(CSV % "")
        await panels.bridge.logged("config.reloaded", times=2)
        await told(panels, ("alice", "reseller-7"), action="user_disabled")
        await told(panels, ("alice", "reseller-9"), action="data_usage_reset")
        found = await panels.settled(5)
    assert said(telegram) == ["Seven Net", "Seven Net", "Nine", "Fra VPN", "Nine"]
    assert [one["sink"] for one in found] == ["seven-bot", "seven-bot", "nine-bot", "dm", "nine-bot"]


async def test_a_brands_bot_is_heard_in_the_brands_words_and_another_ones_stop_is_not_its(tmp_path: Path) -> None:
    bots = {token: Telegram(chats=(ALICE, BOB), tokens=(token,)) for token in (TOKEN, SEVEN)}
    for telegram in bots.values():
        telegram.patient = 1.0
    (tmp_path / "people.csv").write_text("kind,name,brand\nowner,reseller-7,seven\n")
    people = """
directory: {realm: marzban, file: people.csv}
people:
  bot: dm
  proofs: false
  support: https://t.me/fra
  brands: {seven: {name: Seven Net, locale: ru, support: "https://t.me/seven", sinks: {dm: seven-bot}}}
"""
    async with AsyncExitStack() as stack:
        bases = {token: await stack.enter_async_context(serving(one)) for token, one in bots.items()}
        sinks = "".join(
            f'  {name}: {{type: telegram, token: "{token}", api_base: "{bases[token]}", rate: unlimited,'
            ' chat_id: "{{ person.telegram }}", retry: {waits: [0.2s], jitter: 0}}\n'
            for name, token in (("dm", TOKEN), ("seven-bot", SEVEN))
        )
        rows = ["match: 'user.*', to: dm, audience: user"]
        panels = await stack.enter_async_context(a_house(tmp_path, f"\nsinks:\n{sinks}", rows=rows, more=people))
        await told(panels, ("alice", "reseller-7"), ("bob", None), action="user_expired")  # whose they are is known now
        await panels.settled(2)
        for name, chat, token in (("alice", ALICE, SEVEN), ("bob", BOB, TOKEN)):
            printed = await panels.bridge.command("link", f"user:{name}", "--realm", "marzban")
            link = printed.split()[0].partition("?start=")[2]
            bots[token].writes(chat, f"/start {link}", language="xx")
            await until(lambda token=token: bots[token].taken)
        await told(panels, ("alice", "reseller-7"), ("bob", None), action="user_limited")
        await panels.settled(4)
        bots[TOKEN].writes(ALICE, "/stop")  # to a bot that is not hers
        await until(lambda: len(bots[TOKEN].taken) == 3)
        await told(panels, ("alice", "reseller-7"), action="user_enabled")
        await panels.settled(5)
        bots[SEVEN].writes(ALICE, "/start wrong", language="xx")
        await until(lambda: len(bots[SEVEN].taken) == 4)
        bots[SEVEN].writes(ALICE, "/stop")
        await until(lambda: len(bots[SEVEN].taken) == 5)
        await told(panels, ("alice", "reseller-7"), action="user_disabled")
        found = await panels.settled(6)
        counts = await panels.command("people")
    texts = [words(one.body["text"]) for one in bots[SEVEN].taken]
    assert texts[0].startswith("✅ Готово!")  # in the brand's language, for nobody knows hers
    assert texts[3].endswith("\nhttps://t.me/seven")
    assert [one["sink"] for one in found] == ["seven-bot", "dm", "seven-bot", "dm", "seven-bot", "seven-bot"]
    assert [one["reason"] for one in found if one["sink"] == "seven-bot"][1:] == [
        None,
        None,
        "wants to be told nothing",
    ]
    [seven] = counts["brands"]
    assert (seven["owners"], seven["bot"]["reason"], counts["bot"]["reason"]) == (1, None, None)


async def test_what_was_routed_before_is_told_by_whoever_spoke_then(tmp_path: Path) -> None:
    telegram = Telegram(chats=(ALICE,), tokens=tuple(NAMES))
    wait = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 1}}
    telegram.answer_next(*[Answer(429, wait)] * 1000)
    async with a_business(tmp_path, telegram, "seven") as panels:
        await told(panels, ("alice", "reseller-7"), action="user_expired")
        await until(lambda: telegram.requests)
        (tmp_path / "people.csv").write_text(CSV % "nine")
        await panels.bridge.logged("config.reloaded")
        await panels.bridge.restart()
        telegram.let_through()
        await panels.settled(1)
    assert said(telegram) == ["Seven Net"]
