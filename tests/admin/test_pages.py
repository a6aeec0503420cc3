"""What the pages say of what is in the store and in the file."""

import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import pytest

from bridge.admin import actions
from bridge.admin.actions import ACTIONS, NOTICES
from bridge.admin.frame import FOLDER, LIVE
from bridge.admin.pages import PAGES, states
from bridge.admin.pages.event import SHOWN
from bridge.admin.pages.events import ON_A_PAGE, EventQuery
from bridge.admin.pages.views import VIEWS
from bridge.admin.people import actions as people_actions
from bridge.admin.static_files import FOLDER as STATIC
from bridge.admin.static_files import hashed
from bridge.admin.trouble import StoreTrouble
from bridge.intake import Fingerprint, Intake
from bridge.outcome import Outcome
from bridge.routing import Router
from bridge.store.base import LaneState, Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.rows import _UNSENT
from bridge.value import replace
from tests.admin.reading import Tags
from tests.admin.running import ACT, ALICE, BOB, CHANGED, FILE, HOSTILE, LOOK, ODD, Desk, running_admin, sign_in
from tests.admin.visiting import page, text
from tests.fakes import START, FakeClock, an_event, an_intake


def listed(found: str) -> list[str]:
    """The ids of the events of a list, in order."""
    return list(dict.fromkeys(re.findall(r'class="c-what">.*?href="/events/([0-9a-f-]+)"', found)))


def test_every_page_has_its_view_its_template_and_a_place() -> None:
    names = [page.name for page in PAGES]
    assert list(VIEWS) == names
    own = {f"owned_{page.name}" for page in PAGES if page.owned}
    assert {file.stem for file in FOLDER.glob("[!_]*.html")} == {*names, *own, "base", "login", "refused"}
    assert {one.under for one in PAGES if one.title is None} <= set(names)
    assert all(one.icon for one in PAGES if one.title is not None)


def test_whatever_an_action_says_is_said_on_a_page() -> None:
    said = Path(actions.__file__).read_text("utf-8").split("NOTICES", 1)[1].split("}", 1)[1]
    said += Path(people_actions.__file__).read_text("utf-8")
    assert all(f'"{notice}"' in said for notice in NOTICES)
    assert len({one.path for one in ACTIONS}) == len(ACTIONS)


async def test_the_first_page_is_that_of_the_navigation(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.get("/") as response:
            assert (response.status, response.url.path) == (200, PAGES[0].path)


# Events


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [ODD, CHANGED, BOB, ALICE]),
        ("?q=alice", [CHANGED, ALICE]),
        ("?q=user:bob", [BOB]),
        ("?q=user.expired", [BOB]),
        ("?q=nobody", []),
        ("?q=al", [ODD, CHANGED, ALICE]),
        ("?q=%25", []),
        ("?q='%22%3C;--", []),
        ("?type=user.updated", [CHANGED]),
        ("?sink=off", []),
        ("?state=nowhere", [CHANGED]),
        ("?state=dead", [ODD, ALICE]),
        ("?state=delivered", [ALICE]),
        ("?state=held", [BOB]),
        ("?state=waiting&sink=ops", [ODD, BOB]),
        ("?source=marzban&q=alice", [CHANGED, ALICE]),
        ("?source=elsewhere", []),
        ("?state=odd&since=never&before=", [ODD, CHANGED, BOB, ALICE]),
        ("?since=1h", [ODD, CHANGED, BOB, ALICE]),
    ],
)
async def test_events_are_found_by_what_the_address_asks_for(desk: Desk, query: str, expected: list[Any]) -> None:
    assert listed(await page(desk, f"/events{query}")) == [one.id for one in expected]


@pytest.mark.parametrize("reference", ["{id}", "1", "#2"])
async def test_an_id_or_the_number_of_a_delivery_leads_to_its_event(desk: Desk, reference: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.get(
            "/events", params={"q": reference.format(id=ALICE.id)}, allow_redirects=False
        ) as response:
            assert response.headers["Location"] == f"/events/{ALICE.id}"


async def test_a_long_list_goes_on_where_it_ended(desk: Desk) -> None:
    more = [an_event(f"user:{number}") for number in range(2 * ON_A_PAGE)]
    await desk.outbox.put(Intake([Router([], sinks={}).route(one) for one in more]))  # all at the same moment
    seen: list[str] = []
    path = "/events"
    while path:
        found = await page(desk, path)
        seen += listed(found)
        older = re.search(r'<p class="more"><a href="([^"]+)"', found)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == 2 * ON_A_PAGE + 4


async def test_what_is_asked_for_can_be_left_out_again_one_by_one(desk: Desk) -> None:
    found = Tags.of(await page(desk, "/events?q=alice&state=dead"))
    assert [said["href"] for tag, said in found if tag == "a" and said.get("class") == "chip"] == [
        "/events?state=dead",
        "/events?q=alice",
    ]


async def test_only_the_live_part_is_answered_to_a_script_and_only_the_first_page_is_live(desk: Desk) -> None:
    part = await page(desk, "/events", **{"HX-Request": "true"})
    assert listed(part) == listed(await page(desk, "/events"))
    assert "<html" not in part
    assert "<form" not in part
    assert ' data-live="/live/events?source=berlin"' in await page(desk, "/events?source=berlin&done=x")
    assert " data-live" not in await page(desk, "/events?q=alice")
    for file in FOLDER.glob("*.html"):
        live = file.read_text("utf-8").partition(f"block {LIVE} ")[2].partition("endblock")[0]
        assert "<details" not in live  # what is open would be closed by what is drawn anew


def test_an_address_has_only_what_is_asked_for() -> None:
    assert EventQuery().path() == "/events"
    assert EventQuery(q="a b&c", sink="ops").path(before="x") == "/events?q=a+b%26c&sink=ops&before=x"
    assert EventQuery(q="a", sink="ops").path(q="") == "/events?sink=ops"


# An event


async def test_an_event_says_what_came_why_it_went_there_and_what_became_of_it(desk: Desk) -> None:
    found = await text(desk, f"/events/{ALICE.id}")
    assert "User created: alice" in found
    assert "Told at ops. Given up at team." in found
    assert "No: the type is user.created, which is not among node.*" in found
    assert 'match: [user.*, "!user.updated"] route 2 → ops, team Yes: user.created matches user.*' in found
    assert "1 of 3 rows" in found
    assert "1 of 2 sinks" in found
    assert '{"message": "no"}' in found
    assert "HTTP 400" in found


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        (datetime.max, "Asia/Tehran", ">9999-12-31 23:59<"),
        (datetime.min, "America/New_York", ">1-01-01 00:00<"),
    ],
)
async def test_an_event_on_the_first_or_last_day_of_the_calendar_is_shown_as_all_others(
    tmp_path: Path, store_url: str, clock: FakeClock, at: datetime, zone: str, shown: str
) -> None:
    event = replace(an_event(type_="user.expired"), occurred_at=at.replace(tzinfo=UTC))

    async def fill(outbox: SqlOutbox, router: Router) -> None:
        await outbox.put(Intake([router.route(event)]))

    text = FILE.replace("Asia/Tehran", zone)
    async with running_admin(tmp_path, store_url, clock, text=text, fill=fill) as desk:
        assert shown in await page(desk, f"/events/{event.id}")
        assert await page(desk, "/events")
        async with desk.program(LOOK) as program:
            for path in ("", "/preview"):
                async with program.get(f"/api/v1/events/{event.id}{path}") as response:
                    assert response.status == 200


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (BOB, "Yes: user.expired matches user.*"),
        (BOB, "No: the condition was false"),
        (BOB, "Waits for ops. Held back from team."),
        (CHANGED, "No: !user.updated leaves it out"),
        (CHANGED, "Went nowhere: no row of the table takes it."),
        (CHANGED, "No: the type is user.updated, which is not among user.expired"),
    ],
)
async def test_each_row_says_in_words_why(desk: Desk, event: Any, said: str) -> None:
    assert said in await text(desk, f"/events/{event.id}")


async def test_every_try_of_a_delivery_is_told_with_what_the_service_answered(desk: Desk) -> None:
    found = await text(desk, f"/events/{ALICE.id}")
    assert re.search(r"Refused, 400 ?07:44:17 ?187 ms .*HTTP 400 \{\"message\": \"no\"\}", found)
    assert "Delivered, 200" in found
    assert "Held back" in await text(desk, f"/events/{BOB.id}")


def test_every_outcome_of_a_try_has_its_word() -> None:
    sent = {one.__name__.lower() for one in get_args(Outcome)}
    assert {*sent, *_UNSENT.values()} <= set(states._TRY)


async def test_a_row_that_names_a_sink_again_says_that_it_has_it(desk: Desk) -> None:
    event = replace(BOB, id=an_event().id, data={"owner": "reseller-7"})
    await desk.outbox.put(Intake([desk.state.router.route(event)]))
    found = await text(desk, f"/events/{event.id}")
    assert "Yes: user.expired matches user.expired, and the condition was true; but off is disabled" in found
    assert "route 3 → ops has it already" in found


@pytest.mark.parametrize("id_", ["none", "0", "0" * 500])
async def test_an_event_that_there_is_not_is_said_to_be_none(desk: Desk, id_: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.get(f"/events/{id_}") as response:
            assert response.status in (200, 404)
            assert "There is nothing here" in await response.text() or response.url.path == "/events"


@pytest.mark.parametrize(
    ("path", "locale", "said"),
    [
        ("/events/xyz", "en", "There is nothing here there is no event xyz To the first page"),
        ("/try?event=xyz", "en", "There is nothing here there is no event xyz To the first page"),
        ("/events/xyz", "ru", "Здесь ничего нет события xyz нет На первую страницу"),
        ("/events/xyz", "fa", "اینجا چیزی نیست رویدادی به شناسهٔ xyz نیست به صفحهٔ نخست"),
        ("/sinks/xyz", "ru", "Здесь ничего нет получателя xyz нет На первую страницу"),
        ("/announcements/7", "ru", "Здесь ничего нет объявления 7 нет На первую страницу"),
        ("/announcements/xyz", "ru", "Здесь ничего нет объявления xyz нет На первую страницу"),
        ("/nothing", "ru", "Здесь ничего нет На первую страницу"),
    ],
)
async def test_what_there_is_not_is_said_once_and_in_the_language_of_the_page(
    desk: Desk, path: str, locale: str, said: str
) -> None:
    async with desk.browser(**{"Accept-Language": locale}) as browser:
        await sign_in(browser)
        async with browser.get(path) as response:
            assert response.status == 404
            assert said in Tags.text(await response.text())


@pytest.mark.parametrize(
    "path", ["/events", "/events/{id}", "/events?q={hostile}", "/sinks", "/settings?done={hostile}"]
)
async def test_what_a_panel_or_a_service_says_is_text_and_nothing_else(desk: Desk, path: str) -> None:
    found = await page(desk, path.format(id=ODD.id, hostile=quote(HOSTILE)))
    tags = Tags.of(found)
    scripts = [said.get("src") for tag, said in tags if tag == "script"]
    assert scripts in ([hashed("app.js")], [hashed("app.js"), hashed("live.js")])
    assert [tag for tag, _ in tags if tag == "img"] == []
    assert "\u202e" not in found
    assert ">49<" not in found


def test_what_scripts_look_for_is_on_a_page() -> None:
    sought = {one for file in STATIC.glob("*.js") for one in re.findall(r"\[(data-[a-z-]+)", file.read_text("utf-8"))}
    drawn = {one for file in FOLDER.glob("*.html") for one in re.findall(r"data-[a-z-]+", file.read_text("utf-8"))}
    assert sought
    assert sought <= drawn


async def test_an_event_says_when_the_panel_told_it_again(desk: Desk) -> None:
    assert "Told again by the panel" not in await text(desk, f"/events/{ALICE.id}")
    first = replace(desk.state.router.route(an_event("user:carol")), fingerprint=Fingerprint("k"))
    await desk.outbox.put(Intake([first]))
    for number in range(SHOWN + 2):
        again = replace(an_event("user:carol", at=START + timedelta(seconds=number)), id=f"0{number:035}")
        await desk.outbox.put(Intake([replace(first, event=again)]))
    found = await text(desk, f"/events/{first.event.id}")
    assert f"told {SHOWN + 2} more times" in found
    shown = found.partition("Told again by the panel")[2]
    assert "07:44:18 07:44:19 07:44:20" in shown
    assert "07:44:37 and 2 more times" in shown
    async with desk.program(ACT) as program, program.get(f"/api/v1/events/{first.event.id}") as response:
        assert len((await response.json())["repeats"]) == SHOWN + 2


# Overview


async def test_a_store_that_failed_of_late_is_the_first_thing_that_is_said(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    trouble = StoreTrouble(clock.now(), "store: database or disk is full", 2, is_over=False)
    async with running_admin(tmp_path, store_url, clock, trouble=lambda: trouble) as desk:
        found = await text(desk, "/")
        assert "No event can be taken in: the store takes nothing." in found
        assert "The store takes nothing database or disk is full since" in found
        assert "2 requests were answered 503: their panels have to send them again." in found
        async with desk.program(ACT) as program, program.get("/api/v1/status") as response:
            said = await response.json()
        assert (said["verdict"], said["needs"][0]["kind"], said["needs"][0]["count"]) == ("store_fails", "store", 2)


async def test_a_source_that_is_silent_is_said_and_leads_to_what_it_said_last(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    clock.step(8 * 86400)
    async with running_admin(tmp_path, store_url, clock, events=False) as desk:
        hours = [an_event(at=clock.now() - timedelta(hours=20 + number)) for number in range(30)]
        await desk.outbox.put(an_intake(*(replace(one, source="berlin") for one in hours), sinks=()))
        found = await page(desk, "/")
        assert "All is told. But berlin is silent." in Tags.text(found)
        assert "It is usually heard again within 6 h." in Tags.text(found)
        assert 'href="/events?source=berlin"' in found


# Sinks


async def test_a_lane_says_how_it_stands_and_what_waits(desk: Desk) -> None:
    found = await text(desk, "/sinks")
    assert re.search(r"ops discord flowing 2 since [\d: -]+ 0", found)
    assert re.search(r"team slack flowing 0 2", found)
    assert "off console disabled" in found


async def test_a_parked_lane_says_why_and_flows_again_when_somebody_says_so(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bridge.admin")
    await desk.outbox.save_lane_state(
        "ops", LaneState(standing=Standing.PARKED, reason="Unknown Webhook", since=START), epoch=0
    )
    assert "parked since 07:44:18" in await text(desk, "/sinks")
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.get("/sinks") as response:
            found = await response.text()
        token = re.findall(r'action="/sinks/ops/resume"><input type="hidden" name="form_token" value="(\w+)"', found)
        for expected in ("The lane flows again.", "Nothing held this lane."):
            async with browser.post("/sinks/ops/resume", data={"form_token": token[0]}) as response:
                assert expected in await response.text()
        async with browser.post("/sinks/..%2f..%2fx/resume", data={"form_token": token[0]}) as response:
            assert response.status == 404
    told = [vars(one)["fields"] for one in caplog.records if one.msg == "admin.acted"]
    assert [(one["action"], one["by"], one["sink"], one["held"]) for one in told] == [
        ("resume", "session", "ops", True),
        ("resume", "session", "ops", False),
    ]


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        ("ops", "Limits those of the service, and 10 a second Tried again after 30 s · 2 min · 5 min"),
        ("ops", 'route 2 match: [user.*, "!user.updated"]'),
        ("ops", "What waits"),
        ("team", "route 1 match: node.*"),
        ("off", "No row has sent it anything yet."),
    ],
)
async def test_a_sink_says_what_waits_what_the_file_says_and_which_rows_lead_there(
    desk: Desk, sink: str, said: str
) -> None:
    found = await text(desk, f"/sinks/{sink}")
    assert said in found
    assert "secret" not in found


@pytest.mark.parametrize(("locale", "said"), [("ru", "30 с · 2 мин · 5 мин"), ("fa", "30 ثانیه · 2 دقیقه · 5 دقیقه")])
async def test_a_sink_says_how_long_it_waits_in_the_language_of_the_page(desk: Desk, locale: str, said: str) -> None:
    found = await text(desk, "/sinks/ops", **{"Accept-Language": locale})
    assert said in found


@pytest.mark.parametrize("sink", ["nobody", "..%2f", "%00", "ops%20", "a" * 300])
async def test_a_sink_that_there_is_not_is_said_to_be_none(desk: Desk, sink: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.get(f"/sinks/{sink}") as response:
            assert response.status == 404
