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

ALICE = 42
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
