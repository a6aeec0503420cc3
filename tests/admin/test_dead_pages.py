"""The overview and the dead letters, as an operator reads and presses them."""

import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.admin.dead_letters import COUNTED
from bridge.admin.pages.dead import ASK_ABOVE
from bridge.admin.state import Rejected
from bridge.errors import Mistake
from bridge.intake import SetAside
from bridge.messages.catalog import LOCALES
from bridge.store import open_ledger
from bridge.store.base import Cleared, LaneState, Standing
from bridge.store.queries import dead
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from tests.admin.letters import HOSTILE, LOOK, SECRETS, Desk, a_desk, forms, text_of
from tests.fakes import START, FakeClock, an_event

ARCHIVED, NO_ANSWER = "HTTP 410: channel_is_archived", "no answer within 15 s"
TABS = ["/dead", "/dead?tab=again", "/dead?tab=away", "/dead?tab=aside"]


@pytest.fixture
async def desk(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with a_desk(tmp_path, store_url, clock) as opened:
        yield opened


def cleared(store_url: str) -> list[Cleared | None]:
    """How each dead letter was dealt with, the oldest first."""
    with open_ledger(store_url) as ledger:
        query = DeliveryQuery(limit=None)
        return [one.cleared for one in reversed(ledger.read(delivery_records, query)) if one.state == "dead"]


async def press(desk: Desk, path: str, page: str = "/dead") -> str:
    """Press the first button that goes there; what the page says then."""
    form = next(form for there, form in forms(await desk.page(page)) if there == path)
    status, location = await desk.press(path, form)
    assert status == 303
    return text_of(await desk.page(location))


# The overview


async def test_the_first_page_says_that_all_is_well(desk: Desk) -> None:
    said = text_of(await desk.page("/"))
    assert "Ready. No event has come in yet. No message waits. None was given up." in said
    await desk.take_in(an_event("node:fra-1", type_="node.connected"))
    assert "Everything works. The last event came in at 07:44:18. No message waits." in text_of(await desk.page("/"))


async def test_what_needs_somebody_is_told_with_evidence_advice_and_a_button(desk: Desk) -> None:
    await desk.give_up("team", ARCHIVED, ARCHIVED)
    parked = LaneState(standing=Standing.PARKED, reason="HTTP 404, code 10015: Unknown Webhook", since=START)
    await desk.outbox.save_lane_state("ops", parked, epoch=0)
    page = await desk.page("/")
    said = text_of(page)
    assert "Events come in safely. 2 things need you." in said
    assert (
        "ops is parked: nothing is sent there HTTP 404, code 10015: Unknown Webhook since 07:44:18"
        " · 2 messages wait The webhook was deleted."
    ) in said
    assert "team: 2 messages were given up for one reason HTTP 410: channel_is_archived" in said
    assert re.search(r'action="/sinks/ops/resume"', page)
    [key] = re.findall(r'href="/dead#g-(\w+)"', page)
    assert f'id="g-{key}"' in await desk.page("/dead")


async def test_a_broken_file_is_the_first_thing_that_is_told(desk: Desk) -> None:
    desk.admin.reject(Rejected(START, [Mistake(12, 3, "sinks.ops.url: should be an address")]))
    said = text_of(await desk.page("/"))
    assert "Events flow by the old file. The new one is broken." in said
    assert "line 12: sinks.ops.url: should be an address" in said


# Dead letters


async def test_they_are_grouped_by_cause_with_the_newest_first(desk: Desk) -> None:
    await desk.give_up("team", ARCHIVED, ARCHIVED, type_="user.expired")
    await desk.give_up("team", ARCHIVED)
    await desk.give_up("ops", NO_ANSWER, answer="")
    page = await desk.page("/dead")
    said = text_of(page)
    assert "4 messages were given up" in said
    assert said.index(NO_ANSWER) < said.index(ARCHIVED)
    assert "3 messages, 07:44:18 – 07:44:19 · user.expired 2, user.created 1 · the newest after one try" in said
    assert "The channel is archived. Bring it back, or name another one." in said


async def test_it_says_how_many_there_are_where_fewer_were_looked_through(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead, "IN_ALL", 4)
    await desk.give_up("team", *[ARCHIVED] * 5)
    await desk.give_up("ops", NO_ANSWER, answer="")
    said = text_of(await desk.page("/dead"))
    assert "6 messages were given up" in said
    assert "Of each sink the newest 3 are looked through." in said


def count_of(page: str) -> str:
    """What stands beside *Dead letters* in the navigation."""
    return "".join(re.findall(r'<a href="/dead"[^>]*>.*?<span class="count">([^<]*)</span></a>', page))


async def test_every_page_says_how_many_there_are_to_look_at(desk: Desk) -> None:
    assert count_of(await desk.page("/")) == ""
    await desk.give_up("team", ARCHIVED, ARCHIVED)
    await desk.give_up("ops", NO_ANSWER)
    for path in ("/", "/events", "/dead", "/settings", "/sinks/ops", "/try"):
        assert count_of(await desk.page(path)) == count_of(await desk.page(path, LOOK)) == "3", path
    await press(desk, "/dead/dismiss")
    assert count_of(await desk.page("/")) == "2"


async def test_more_than_ninety_nine_of_them_are_not_counted(desk: Desk) -> None:
    await desk.give_up("team", *[ARCHIVED] * COUNTED)
    assert count_of(await desk.page("/settings")) == "99"
    await desk.give_up("team", ARCHIVED, ARCHIVED)
    assert count_of(await desk.page("/settings")) == "99+"


async def test_a_group_is_sent_again_and_the_others_are_not(desk: Desk, store_url: str) -> None:
    await desk.give_up("team", ARCHIVED, NO_ANSWER, ARCHIVED)
    await desk.give_up("ops", ARCHIVED)
    await desk.give_up("team", NO_ANSWER)
    form = [form for path, form in forms(await desk.page("/dead")) if path == "/dead/replay"]
    assert [(one["sink"], one["first"], one["through"]) for one in form] == [
        ("team", "4", "10"), ("ops", "7", "7"), ("team", "2", "6")
    ]  # fmt: skip
    assert "Sent 2 again." in await press(desk, "/dead/replay")
    assert cleared(store_url).count(Cleared.REPLAYED) == 2
    assert NO_ANSWER not in text_of(await desk.page("/dead"))
    assert NO_ANSWER in text_of(await desk.page("/dead?tab=again"))


async def test_a_button_never_takes_what_came_after_it_was_drawn(desk: Desk, store_url: str) -> None:
    await desk.give_up("team", ARCHIVED, ARCHIVED)
    drawn = dict(forms(await desk.page("/dead")))
    await desk.give_up("team", ARCHIVED, ARCHIVED)
    for path in ("/dead/replay", "/dead/dismiss"):
        _, location = await desk.press(path, drawn[path])
        said = text_of(await desk.page(location))
        assert "2 more have come since; they are still here." in said
        assert ("Sent 2 again." in said) == (path == "/dead/replay")
    assert "Nothing of it was left: somebody has dealt with it." in said
    assert cleared(store_url) == [Cleared.REPLAYED, Cleared.REPLAYED, None, None]


async def test_what_is_put_away_can_be_had_back(desk: Desk, store_url: str) -> None:
    await desk.give_up("team", ARCHIVED, ARCHIVED)
    assert "Put 2 away." in await press(desk, "/dead/dismiss")
    assert "Nothing was given up." in text_of(await desk.page("/dead"))
    assert cleared(store_url) == [Cleared.DISMISSED, Cleared.DISMISSED]
    assert "2 are here to look at again." in await press(desk, "/dead/restore", "/dead?tab=away")
    assert cleared(store_url) == [None, None]


@pytest.mark.parametrize(
    ("locale", "tab", "button"),
    [
        ("en", "Put away", "Put 2 away"),
        ("ru", "Убранное", "Убрать 2"),
        ("fa", "کنار گذاشته‌ها", "کنار گذاشتن 2 پیام"),
    ],
)
async def test_a_tab_is_a_name_and_a_button_a_command(desk: Desk, locale: str, tab: str, button: str) -> None:
    await desk.give_up("team", ARCHIVED, ARCHIVED)
    page = await desk.page("/dead", **{"Accept-Language": locale})
    assert re.findall(r'href="/dead\?tab=away">([^<]*)</a>', page) == [tab]
    assert f'<button class="b s quiet">{button}</button>' in page


async def test_what_reaches_many_is_asked_once_more(desk: Desk) -> None:
    await desk.give_up("team", *[ARCHIVED] * (ASK_ABOVE + 1))
    page = await desk.page("/dead")
    assert [path for path, _ in forms(page)] == ["/dead/dismiss"]
    [asking] = re.findall(r'href="(/dead\?ask=\w+)#g-\w+"', page)
    page = await desk.page(asking)
    assert f"{ASK_ABOVE + 1} messages go out to team" in text_of(page)
    [(path, form)] = forms(page)
    await desk.press(path, form)
    assert "Nothing was given up." in text_of(await desk.page("/dead"))


async def test_what_was_not_understood_is_shown_with_its_reason(desk: Desk) -> None:
    aside = SetAside(
        source="berlin", received_at=START, path="[1].user", reason="should be an object", element={"n": 7}
    )
    await desk.take_in(aside=[aside])
    said = text_of(await desk.page("/dead?tab=aside"))
    assert 'berlin should be an object 07:44:18 · [1].user { "n": 7 }' in said


async def test_whoever_may_only_look_sees_no_button_and_presses_none(desk: Desk, store_url: str) -> None:
    await desk.give_up("team", ARCHIVED)
    [*_, (_, form)] = forms(await desk.page("/dead"))
    assert forms(await desk.page("/dead", LOOK)) == []
    for path in ("/dead/replay", "/dead/dismiss", "/dead/restore"):
        assert (await desk.press(path, form, LOOK))[0] == 403
    assert cleared(store_url) == [None]


@pytest.mark.parametrize(
    "change", [{"first": ""}, {"through": "1e9"}, {"through": "9" * 40}, {"sink": ""}, {"key": ""}]
)
async def test_a_form_that_is_not_whole_does_nothing(desk: Desk, store_url: str, change: dict[str, str]) -> None:
    await desk.give_up("team", ARCHIVED)
    form = dict(forms(await desk.page("/dead")))["/dead/replay"]
    assert (await desk.press("/dead/replay", form | change))[0] == 400
    assert cleared(store_url) == [None]


@pytest.mark.parametrize("change", [{"sink": "nobody"}, {"key": "0" * 12}, {"first": "999"}, {"through": "0"}])
async def test_a_group_that_there_is_not_is_left_alone(desk: Desk, store_url: str, change: dict[str, str]) -> None:
    await desk.give_up("team", ARCHIVED)
    form = dict(forms(await desk.page("/dead")))["/dead/replay"]
    status, location = await desk.press("/dead/replay", form | change)
    assert status == 303
    assert "Nothing of it was left" in text_of(await desk.page(location))
    assert cleared(store_url) == [None]


async def test_each_action_is_a_line_of_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    await desk.give_up("team", ARCHIVED)
    with caplog.at_level(logging.INFO):
        for path, page in (("dismiss", "/dead"), ("restore", "/dead?tab=away"), ("replay", "/dead")):
            await press(desk, f"/dead/{path}", page)
    lines = [vars(one)["fields"] for one in caplog.records if one.msg == "admin.acted"]
    about = {"by": "token", "sink": "team", "reason": ARCHIVED, "deliveries": 1, "later": 0}
    assert [line | {"address": ""} for line in lines] == [
        {"action": name, "address": "", **about} for name in ("dismiss", "restore", "replay")
    ]


@pytest.mark.parametrize("locale", LOCALES)
async def test_no_secret_and_no_markup_of_strangers_is_on_any_of_them(desk: Desk, locale: str) -> None:
    await desk.give_up("team", f"HTTP 400: {HOSTILE}", answer=HOSTILE)
    await desk.take_in(
        an_event(f"user:{HOSTILE}", type_=HOSTILE),
        aside=[SetAside(source="berlin", received_at=START, path=HOSTILE, reason=HOSTILE, element=HOSTILE)],
    )
    for path in ("/", *TABS, f"/dead?tab={HOSTILE}&ask={HOSTILE}&done={HOSTILE}&n={HOSTILE}", "/dead?done=sent&n=١"):
        page = await desk.page(path, **{"Accept-Language": locale})
        assert f'<html lang="{locale}"' in page
        assert not [secret for secret in SECRETS if secret in page]
        assert "<img" not in page
        assert not re.search("<script>|\u202e", page)
        assert " 49" not in text_of(page)
        live = await desk.page(path, **{"HX-Request": "true"})
        assert "<html" not in live
        assert "<details" not in live
