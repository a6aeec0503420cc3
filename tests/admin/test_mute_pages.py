"""Muting on pages: what is muted says so, whoever may act ends it, and what was done is listed. Over real HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bridge.admin.actions import ACTIONS, AdminAction
from tests.admin.crowd import a_crowd
from tests.admin.running import ALICE, Desk, form_token, sign_in
from tests.admin.visiting import MEANT, page, text
from tests.fakes import START, FakeClock, an_event, an_intake
from tests.store.announcing import make_uncertain

TODAY = {"what": "user:alice", "for": "2h", "back": f"/events/{ALICE.id}"}


async def press(desk: Desk, path: str, **form: str) -> aiohttp.ClientResponse:
    async with desk.browser() as browser:
        await sign_in(browser)
        token = await form_token(browser)
        return await browser.post(path, data={**form, "form_token": token}, allow_redirects=False)


async def test_what_is_muted_says_so_on_its_page_and_on_the_settings(desk: Desk) -> None:
    assert "Mute user:alice" in await text(desk, f"/events/{ALICE.id}")
    answer = await press(desk, "/mutes", **TODAY)
    assert answer.headers["Location"] == f"/events/{ALICE.id}?done=muted"
    assert "Mute user:alice" not in await text(desk, f"/events/{ALICE.id}")
    assert "user:alice" in (await text(desk, "/settings")).partition("Muted")[2]
    [mute] = await desk.outbox.mutes(now=desk.clock.now())
    assert (mute.until, mute.by) == (START + timedelta(hours=2), "session at 127.0.0.1")


async def test_a_sink_is_muted_on_its_page_and_then_nothing_is_sent_there(desk: Desk) -> None:
    assert "Mute sink:ops" in await text(desk, "/sinks/ops")
    await press(desk, "/mutes", what="sink:ops", **{"for": "1h", "back": "/sinks/ops"})
    made = await desk.outbox.put(an_intake(an_event(at=desk.clock.now()), sinks=("ops", "team")))
    assert [one.sink for one in made.deliveries] == ["team"]
    assert "Mute sink:ops" not in await text(desk, "/sinks/ops")


async def test_who_may_act_ends_a_mute_before_its_time(desk: Desk) -> None:
    await press(desk, "/mutes", **TODAY)
    [mute] = await desk.outbox.mutes(now=desk.clock.now())
    for _ in range(2):  # whoever is slower is told the same
        answer = await press(desk, "/mutes/end", id=str(mute.id))
        assert answer.headers["Location"] == "/settings?done=unmuted"
    assert await desk.outbox.mutes(now=desk.clock.now()) == []


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/mutes", {}),
        ("/mutes", {"what": "alice", "for": "2h"}),
        ("/mutes", {"what": "user:alice", "for": "soon"}),
        ("/mutes", {"what": "user:alice", "for": "999d"}),
        ("/mutes", {"what": "user:" + "x" * 999, "for": "1h"}),
        ("/mutes/end", {}),
        ("/mutes/end", {"id": "x"}),
        ("/mutes/end", {"id": "9" * 30}),
    ],
)
async def test_a_form_that_names_nothing_mutes_nothing(desk: Desk, path: str, form: dict[str, str]) -> None:
    assert (await press(desk, path, **form)).status == 400
    assert await desk.outbox.mutes(now=desk.clock.now()) == []


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/events?q=x", "", "javascript:1"])
async def test_one_goes_back_to_a_page_of_ours_or_to_the_settings(desk: Desk, back: str) -> None:
    assert (await press(desk, "/mutes", **{**TODAY, "back": back})).headers["Location"] == "/settings?done=muted"


async def test_who_may_only_look_sees_what_is_muted_and_has_no_button(desk: Desk) -> None:
    await press(desk, "/mutes", **TODAY)
    from tests.admin.running import LOOK

    async with desk.browser() as browser:
        await sign_in(browser, LOOK)
        async with browser.get("/settings") as response:
            shown = await response.text()
    assert "user:alice" in shown.partition('id="mutes"')[2]
    assert "/mutes/end" not in shown


#: What each button of a page leaves in the audit: its form, and what is said of it.
PRESSED = {
    "reload": ({}, {}),
    "resume": ({}, {"sink": "ops"}),
    "replay": ({"sink": "ops", "key": "0" * 12, "first": "1", "through": "9"}, {"sink": "ops"}),
    "/events/{event}/replay": ({"delivery-2": "on"}, {"event_id": ALICE.id, "deliveries": "1"}),
    "dismiss": ({"sink": "ops", "key": "0" * 12, "first": "1", "through": "9"}, {"sink": "ops"}),
    "restore": ({"sink": "ops", "key": "0" * 12, "first": "1", "through": "9"}, {"sink": "ops"}),
    "mute": (TODAY, {"what": "user:alice"}),
    "unmute": ({"id": "7"}, {}),
    "test": ({}, {"sink": "ops"}),
    "prefs": ({"news": "on"}, {"key": "berlin/user:alice"}),
    "link": ({}, {"key": "berlin/user:alice"}),
    "forget": ({"name": "alice"}, {"events": "2"}),
    "announce": ({"whom": "all", "sink": "dm", "words_en": "Soon", "count": "4"}, {"sink": "dm", "people": "4"}),
    "announce stop": ({}, {"announcement": "1"}),
    "announce resume": ({}, {"announcement": "1"}),
    "announce retry": ({}, {"announcement": "2", "deliveries": "4"}),
}
#: Forms by which nothing is done.
REFUSED = [
    ("/people/berlin/user:alice/forget", {"name": "bob"}),
    ("/people/berlin/user:alice/wishes", {"quiet": "night"}),
    ("/announcements/send", {"whom": "all", "sink": "dm", "words_en": "Soon", "count": "5"}),
]


@pytest.fixture
async def crowd(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with a_crowd(tmp_path, store_url, clock) as opened:
        yield opened


@pytest.mark.parametrize(("path", "form"), REFUSED)
async def test_what_was_refused_is_in_no_audit(crowd: Desk, path: str, form: dict[str, str]) -> None:
    assert (await press(crowd, path, **form)).status == 303
    assert "session at" not in (await page(crowd, "/settings")).partition('id="audit"')[2]


async def uncertain(crowd: Desk) -> dict[str, str]:
    """Where there is one that nobody knows whether they have: an announcement that a kill cut off."""
    await press(crowd, "/announcements/send", **PRESSED["announce"][0])
    await crowd.outbox.operate(lambda ledger: make_uncertain(ledger, 2))
    return {"announcement": "2"}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda one: one.path)
async def test_every_button_leaves_a_line_in_the_audit(crowd: Desk, action: AdminAction) -> None:
    form, detail = PRESSED.get(action.path) or PRESSED[action.name]
    meant = await uncertain(crowd) if action.name == "announce retry" else {}
    answer = await press(crowd, action.path.format(**{**MEANT, **meant}), **form)
    assert answer.status == 303
    shown = (await page(crowd, "/settings")).partition('id="audit"')[2]
    assert f">{action.name}<" in shown
    assert "session at 127.0.0.1" in shown
    for name, value in detail.items():
        assert f"{name} {value}" in shown
