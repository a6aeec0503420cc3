"""From an empty folder to a reminder in Persian: the commands of docs/start/customers.md, as they stand there.

Telegram is a strict stand-in, and the phone on which the customer presses Start. What arrives is what the page shows.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import jdatetime
import pytest

from tests.documents.desk import Desk
from tests.documents.worlds import answers
from tests.pages import ROOT, Piece, blocks
from tests.panels.recorded import PAYLOADS
from tests.processes import PATIENCE
from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram, words
from tests.tools import needed

pytestmark = pytest.mark.process

#: The ways of the page, by how they begin.
TYPED_HERE = ("mkdir customers", ". ./.env\ncurl")
PAGE = ROOT / "docs" / "start" / "customers.md"
TEHRAN = ZoneInfo("Asia/Tehran")
ALICE = 700001
#: What a right-to-left text has between its words that nobody sees.
UNSEEN = re.compile("[\u200f\u2066-\u2069]")


def shown(language: str) -> list[Piece]:
    return [one for one in blocks(language) if one.page == PAGE]


def said_to_alice(telegram: Telegram) -> list[str]:
    texts = (words(one.body["text"]) for one in telegram.taken if one.body["chat_id"] == ALICE)
    return [UNSEEN.sub("", text).strip() for text in texts]


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def as_a_newcomer(desk: Desk, telegram: Telegram) -> list[str]:
    """Go the page from its first command to its last; what alice reads meanwhile."""
    [prepares, serves, links, curls] = [one.text for one in shown("sh")]
    assert "config.yaml: ok" in desk.typed(prepares)
    curls = curls.replace("$(date +%s)", str(int(time.time())))  # a panel says twice that it is the same end
    desk.folder /= "customers"
    with desk.serving(serves, lambda: answers(desk)):
        address, _, token = desk.typed(links).split()[0].partition("?start=")
        assert address == "https://t.me/fravpn_bot"
        telegram.writes(ALICE, f"/start {token}", language="fa")
        wait_until(lambda: len(said_to_alice(telegram)) == 1)
        desk.typed(curls)
        wait_until(lambda: len(said_to_alice(telegram)) == 3)
        assert "→ dm" in desk.typed("panelbridge explain user:alice")
        assert f"chat {ALICE}" in desk.typed("panelbridge people user:alice")
        desk.typed(curls)
        told = 'panelbridge deliveries --sink dm | grep -c "told already"'
        wait_until(lambda: desk.typed(f"{told} || true").strip() == "2")
    return said_to_alice(telegram)


async def test_an_empty_folder_becomes_a_reminder_in_persian(tmp_path: Path) -> None:
    needed("curl")
    telegram, desk = Telegram(chats=(ALICE,)), Desk(tmp_path)
    telegram.patient = 1.0
    async with serving(telegram) as base:
        desk.moved |= {
            "123456789:your-token": TOKEN,
            "type: telegram,": f'type: telegram, api_base: "{base}",',
            "listen: 127.0.0.1:8080": f"listen: 127.0.0.1:{desk.port}\nadmin: {{listen: null}}",
        }
        began = datetime.now(TEHRAN)
        hello, *reminders = await asyncio.to_thread(as_a_newcomer, desk, telegram)
    assert hello.startswith("✅ انجام شد!")
    days = {began.date(), datetime.now(TEHRAN).date()}  # one, but for who begins before midnight and ends after it
    assert reminders in [expected(day + timedelta(days=3), read_on) for day in days for read_on in days]
    assert telegram.refused == []


def expected(end: date, read_on: date) -> list[str]:
    """What the page shows, of a plan that ends then."""
    [text] = [one.text for one in shown("text")]
    day = jdatetime.date.fromgregorian(date=end)
    parts = ("3 روز", f"{(end - read_on).days} روز"), ("1405/09/03", f"{day.year:04}/{day.month:02}/{day.day:02}")
    for there, here in parts:
        assert text.count(there) == 1
        text = text.replace(there, here)
    return text.splitlines()


@pytest.mark.parametrize("recorded", ["069-reached_days_left.json", "067-reached_usage_percent-80.json"])
def test_what_the_page_posts_is_what_a_panel_was_recorded_with(recorded: str) -> None:
    [element] = json.loads(json.loads((PAYLOADS / "marzban" / recorded).read_text("utf-8"))["body"])
    [curls] = [one.text for one in shown("sh") if "curl" in one.text]
    posted = [json.loads(re.sub(r"\$\(\(.*\)\)", "0", one)) for one in re.findall(r"<<END\n(.*?)END\n", curls, re.S)]
    [[mine]] = [body for body in posted if body[0]["action"] == element["action"]]
    assert mine.keys() <= element.keys()
    assert mine["user"].keys() <= element["user"].keys()
