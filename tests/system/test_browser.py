"""The admin side in a real browser: nothing on a page keeps anybody out, nothing leaves it, and it lives.

Debian's Chromium, driven by Playwright; axe-core looks at every page, no rule left out.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from bridge.admin.pages import PAGES as SITE
from bridge.admin.streams import live
from bridge.intake import Intake
from bridge.messages.catalog import LOCALES
from bridge.outcome import Attempt, Dead, Refused
from tests.admin.crowd import a_crowd
from tests.admin.running import ACT, ALICE, BOB, CHANGED, LOOK, ODD, Desk, running_admin, settle, without_hurry
from tests.browser import SOON
from tests.documents.window import CUSTOMERS, TOLD, the_window
from tests.fakes import START, FakeClock, an_event
from tests.processes import free_port

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]
PAGES = [
    "/",
    "/dead",
    "/try",
    "/events",
    "/events?q=nobody",
    "/events?state=dead",
    "/routes",
    "/events?q=ali",
    "/sinks",
    "/sinks/ops",
    "/settings",
    "/people",
    "/people?q=nobody",
    "/people/berlin/user:alice",
    "/people/berlin/user:bob?ask=forget",
    "/announcements",
    "/announcements/new",
    "/announcements/1",
    "/nothing",
]
PAGES += [f"/events/{{{number}}}" for number in range(4)]
PAGES += ["/events/{0}?ask=again", "/events/{0}?ask=again&ticked=1-2"]
#: An ordinary type of CloudEvents, and names of any length.
LONG = an_event("user:paula", type_="com.example.billing.subscription.payment_method_expired", at=START)
LONGER = an_event(f"user:{'s' * 300}", type_=f"user.{'x' * 300}", at=START + timedelta(minutes=4))
EVENTS = (ALICE, BOB, CHANGED, ODD, LONG, LONGER)
OF_LONG_NAMES = ["/events/{4}", "/events/{5}", "/try?event={4}", "/try?event={5}", "/sinks/team", "/events?type={6}"]
AXE = Axe().axe_script
expect.set_options(timeout=SOON)
WIDTHS = (1280, 390)
THEMES: tuple[Any, ...] = ("light", "dark")


@dataclass
class Visitor:
    """A tab, and all that it said or asked for elsewhere."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    without_hurry(monkeypatch)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with running_admin(tmp_path, store_url, clock) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def crowd(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with a_crowd(tmp_path, store_url, clock) as opened:
        await opened.outbox.put(Intake([opened.state.router.route(one) for one in (LONG, LONGER)]))
        await settle(opened.outbox, LONGER, "team", Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400))
        yield opened


@asynccontextmanager
async def visiting(browser: Browser, desk: Desk, **about: Any) -> AsyncIterator[Visitor]:
    """A tab on the admin side. Whatever it says, is asked, or asks of anybody else is a complaint."""
    context = await browser.new_context(base_url=desk.url, **about)
    context.set_default_timeout(SOON)
    visitor = Visitor(await context.new_page())
    complaints = visitor.complaints
    visitor.page.on("console", lambda said: complaints.append(said.text) if "404" not in said.text else None)
    visitor.page.on("pageerror", lambda error: complaints.append(str(error)))
    visitor.page.on("dialog", lambda dialog: complaints.append(dialog.message))
    visitor.page.on("request", lambda asked: None if asked.url.startswith(desk.url) else complaints.append(asked.url))
    yield visitor
    await context.close()


async def sign_in(page: Page, token: str = ACT) -> None:
    """Sign in, and go on to the events."""
    await page.goto("/login")
    await page.fill("[name=token]", token)
    await page.click("button.main")
    await page.wait_for_url("**/")
    await page.goto("/events")


@pytest.mark.parametrize("locale", ["en", "fa"])
async def test_no_page_keeps_anybody_out_or_says_anything_to_the_console_or_asks_anybody_else(
    browser: Browser, crowd: Desk, locale: str
) -> None:
    async with visiting(browser, crowd, locale=locale) as visitor:
        page = visitor.page
        await page.goto("/login")
        found = {"/login": await faults_in_any_look(page)}
        await sign_in(page)
        for path in PAGES:
            await page.goto(path.format(*(one.id for one in EVENTS)))
            found[path] = await faults_in_any_look(page)
        assert {path: faults for path, faults in found.items() if faults} == {}
        assert visitor.complaints == []


@pytest.mark.parametrize("width", [320, 390])
async def test_whatever_a_panel_says_is_no_wider_than_a_phone(browser: Browser, tmp_path: Path, width: int) -> None:
    async with the_window(tmp_path) as desk:
        viewport: Any = {"width": width, "height": 800}
        async with visiting(browser, desk, viewport=viewport) as visitor:
            page = visitor.page
            await page.goto("/events")
            paths = [await link.get_attribute("href") or "" for link in await page.locator(".c-what a").all()]
            assert len(paths) == len(TOLD) + len(CUSTOMERS), "and each customer is told of an announcement"
            for path in ("/", "/events", "/dead", "/try", "/sinks", "/settings", "/people", "/announcements", *paths):
                await page.goto(path)
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{path} is {wide} pixels wider than a screen of {width}: {await page.title()}"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("width", [320, 390, 860, 861, 960, 1180, 1181, 1280, 1600])
async def test_every_page_of_the_navigation_is_one_touch_away(
    browser: Browser, crowd: Desk, locale: str, width: int
) -> None:
    viewport: Any = {"width": width, "height": 800}
    async with visiting(browser, crowd, locale=locale, viewport=viewport) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.goto("/settings")
        links = await page.locator("header nav a:visible").all()
        assert {await link.get_attribute("href") for link in links} == {one.path for one in SITE if one.title}
        for link in links:
            box = await link.bounding_box()  # what is fixed makes no page wider: its edges say where it is
            assert box is not None
            assert 0 <= box["x"] <= width - box["width"], await link.text_content()
            await link.click(trial=True)  # nothing lies over it


@pytest.mark.parametrize("width", [320, 390, 880, 1280])
async def test_no_page_is_wider_than_the_screen_however_long_a_name_is(
    browser: Browser, crowd: Desk, width: int
) -> None:
    viewport: Any = {"width": width, "height": 800}
    async with visiting(browser, crowd, locale="ru", viewport=viewport) as visitor:
        page = visitor.page
        await sign_in(page)
        for path in [*PAGES, *OF_LONG_NAMES]:
            await page.goto(path.format(*(one.id for one in EVENTS), LONGER.type))
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} pixels wider than a screen of {width}"
        await page.goto(f"/events/{LONGER.id}")
        mute = page.locator("form.mute button")
        box = await mute.bounding_box()
        assert box is not None
        assert box["height"] < 48, "its words stand on one line"
        assert await mute.get_attribute("title") == LONGER.subject


async def faults_in_any_look(page: Page) -> list[str]:
    """What keeps somebody out on any screen, in any light."""
    found: list[str] = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        if (wide := await page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
            found.append(f"{wide} pixels wider than a screen of {width}")
        for theme in THEMES:
            found += [f"{width} {theme}: {fault}" for fault in await faults(page, theme)]
    return found


async def faults(page: Page, theme: Any) -> list[str]:
    """What axe-core finds on the page in that light, whatever the rule."""
    await page.emulate_media(color_scheme=theme)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    results = await page.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in results["violations"]]


async def test_the_keyboard_leads_to_an_event_and_back(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.keyboard.press("/")
        await expect(page.locator("[data-find]")).to_be_focused()
        await page.keyboard.type("bob")
        await page.keyboard.press("Escape")
        await expect(page.locator("[data-find]")).not_to_be_focused()
        await page.keyboard.press("/")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/events?q=*bob")
        await page.locator(".c-what a").first.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("User expired: bob")
        await page.go_back()
        assert page.url.endswith("bob")


async def test_what_comes_in_appears_by_itself_and_leaves_what_is_typed(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.mouse.move(0, 0)
        await page.fill("[data-find]", "half a w")
        carol = an_event("user:carol", at=desk.clock.now() + timedelta(hours=1))
        await desk.outbox.put(Intake([desk.state.router.route(carol)]))
        await expect(page.locator(".c-about").first).to_contain_text("user:carol", timeout=SOON)
        assert await page.input_value("[data-find]") == "half a w"
        await expect(page.locator("[data-mark=live]")).to_be_visible()
        assert visitor.complaints == []


async def test_all_of_it_works_without_script(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk, java_script_enabled=False) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.select_option("[name=language]", "fa")
        await page.click(".prefs button")
        await expect(page.locator("html")).to_have_attribute("dir", "rtl")
        await page.fill(".filters [name=q]", "alice")
        await page.select_option("[name=state]", "dead")
        await page.click(".filters button")
        await expect(page.locator(".c-what")).to_have_count(1)
        await page.click(".c-what a")
        await page.click("details.deliv:not([open]) summary")
        await expect(page.locator("details.deliv:not([open])")).to_have_count(0)
        await page.goto("/settings")
        await page.click("form[action='/settings/reload'] button")
        await expect(page.locator("[role=status]")).to_be_visible()
        assert len(desk.reloads) == 1
        await page.click("form[action='/logout'] button")
        await expect(page).to_have_url(f"{desk.url}/login")


async def test_an_announcement_is_written_counted_and_sent_without_script(browser: Browser, crowd: Desk) -> None:
    async with visiting(browser, crowd, java_script_enabled=False) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.click("nav.tabs a[href='/people']")
        await page.click("a[href='/announcements']")
        await page.click("a[href='/announcements/new']")
        await page.fill("[name=words_en]", "Soon, {{ me.name }}")
        await page.click("form.try button")
        await expect(page.locator("#reached")).to_have_text("It reaches 4 people")
        await page.fill("[name=count]", "4")
        await page.click("form[action='/announcements/send'] button")
        await expect(page.locator("[role=status]")).to_be_visible()
        await page.click("form[action$='/stop'] button")
        await expect(page.locator("form[action$='/resume']")).to_be_visible()
        await page.click("a[href='/people/berlin/user:alice']")
        await page.click("form[action$='/link'] button")
        await expect(page.locator("#the-link")).to_contain_text("https://t.me/fravpn_bot?start=")
        assert visitor.complaints == []


async def test_an_event_is_sent_again_without_script_and_what_has_arrived_at_the_second_word(
    browser: Browser, desk: Desk
) -> None:
    async with visiting(browser, desk, java_script_enabled=False) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.goto(f"/events/{ALICE.id}")
        await page.click("a[href$='?ask=again']")
        await expect(page.locator("[name=delivery-2]")).to_be_checked()
        await page.check("[name=delivery-1]")
        for _ in range(2):
            await expect(page.locator("[role=status]")).to_have_count(0)
            await page.click("form[action$='/replay'] button")
        await expect(page.locator("[role=status]")).to_have_text("Sent 2 again.")
        await expect(page.locator("details.deliv")).to_have_count(4)
        assert visitor.complaints == []


async def test_who_presses_twice_sends_once_and_may_again_on_the_next_page(browser: Browser, desk: Desk) -> None:
    """On a slow line the page is still there for the second press."""
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        line = await page.context.new_cdp_session(page)
        for times in (1, 2):
            await page.goto("/settings")
            slow = {"offline": False, "latency": 1000, "downloadThroughput": -1, "uploadThroughput": -1}
            await line.send("Network.emulateNetworkConditions", slow)
            button = page.locator("form[action='/settings/reload'] button")
            await button.evaluate("one => { one.click(); setTimeout(() => one.click(), 300) }")
            await expect(page.locator("[role=status]")).to_be_visible()
            await line.send("Network.emulateNetworkConditions", slow | {"latency": 0})
            assert len(desk.reloads) == times
        assert visitor.complaints == []


async def test_what_is_chosen_twice_in_a_row_is_taken_twice(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.evaluate(
            """() => {
                const form = document.querySelector("[data-at-once]");
                form.addEventListener("submit", (event) => event.preventDefault());
                window.taken = 0;
                form.addEventListener("submit", () => window.taken++);
                for (const code of ["fa", "ru"]) {
                    form.elements.language.value = code;
                    form.elements.language.dispatchEvent(new Event("change", { bubbles: true }));
                }
            }"""
        )
        assert await page.evaluate("window.taken") == 2


async def test_after_signing_out_the_way_back_shows_nothing(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page, LOOK)
        await page.goto("/sinks")
        await page.click("form[action='/logout'] button")
        await page.wait_for_url("**/login")
        await page.go_back()
        await expect(page.locator("[name=token]")).to_be_visible()
        assert "ops" not in await page.content()


async def test_no_other_site_has_a_page_of_ours_in_a_frame_or_sends_a_form_of_ours(
    browser: Browser, desk: Desk
) -> None:
    lure = (
        f"<iframe src='{desk.url}/events'></iframe>"
        f"<form method=post action='{desk.url}/settings/reload'><button>win</button></form>"
    )

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=lure, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner, port = web.AppRunner(app, access_log=None), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with visiting(browser, desk) as visitor:
            page = visitor.page
            await sign_in(page)
            await page.goto(f"http://127.0.0.1:{port}/")
            for frame in page.frames[1:]:
                assert "User created" not in await frame.content()
            async with page.expect_response("**/settings/reload") as answered:
                await page.click("button")
            assert (await answered.value).status == 403
    finally:
        await runner.cleanup()
    assert desk.reloads == []


async def come(desk: Desk, name: str) -> None:
    """Something comes in about somebody of that name, later than all that is there."""
    desk.clock.step(1)
    event = an_event(f"user:{name}", at=desk.clock.now() + timedelta(hours=1))
    await desk.outbox.put(Intake([desk.state.router.route(event)]))


async def test_who_looks_at_something_is_not_disturbed_and_is_told_that_there_is_something_new(
    browser: Browser, desk: Desk
) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await expect(page.locator("[data-mark=live]")).to_be_visible()
        first = page.locator(".c-about").first
        before = await first.text_content()
        await first.hover()
        await come(desk, "carol")
        await expect(page.locator("[data-fresh]")).to_be_visible()
        await expect(page.locator("[data-mark=paused]")).to_be_visible()
        assert await first.text_content() == before
        await page.locator("[data-fresh]").dispatch_event("click")  # the pointer on its way there would be enough
        await expect(first).to_contain_text("user:carol")
        await expect(page.locator("[data-fresh]")).to_be_hidden()
        await first.hover()
        await come(desk, "dave")
        await expect(page.locator("[data-fresh]")).to_be_visible()
        await page.mouse.move(0, 0)  # and looks elsewhere
        await expect(first).to_contain_text("user:dave")
        await expect(page.locator("[data-mark=live]")).to_be_visible()
        assert visitor.complaints == []


async def test_what_says_that_there_is_something_new_keeps_nobody_out(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.evaluate("document.querySelector('[data-fresh]').hidden = false")
        for theme in THEMES:
            assert await faults(page, theme) == []


async def test_what_is_drawn_as_it_was_is_left_as_it_is(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.mouse.move(0, 0)
        await page.add_init_script(
            "window.replaced = 0; const replace = Element.prototype.replaceChildren;"
            "Element.prototype.replaceChildren = function (...all) { window.replaced += 1; replace.apply(this, all); }"
        )
        await page.reload()
        await expect(page.locator("[data-mark=live]")).to_be_visible()
        await come(desk, "carol")
        await expect(page.locator(".c-about").first).to_contain_text("user:carol", timeout=SOON)
        assert await page.evaluate("window.replaced") == 1


async def test_a_page_where_no_stream_is_to_be_had_looks_now_and_then(
    browser: Browser, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.Live, "most", 0)
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await page.mouse.move(0, 0)
        await come(desk, "carol")
        await expect(page.locator(".c-about").first).to_contain_text("user:carol", timeout=SOON)
        monkeypatch.setattr(live.Live, "most", 1)
        async with page.expect_response(lambda answer: answer.url.endswith("/live/events") and answer.ok, timeout=SOON):
            await come(desk, "dave")
        await expect(page.locator(".c-about").first).to_contain_text("user:dave", timeout=SOON)


async def test_a_page_whose_session_was_ended_elsewhere_leads_to_the_sign_in(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await expect(page.locator("[data-mark=live]")).to_be_visible()
        other = await page.context.new_page()
        await other.goto("/settings")
        await other.click("form[action='/logout'] button")
        await page.bring_to_front()
        await expect(page.locator("[name=token]")).to_be_visible(timeout=SOON)
        await other.close()


async def test_a_page_that_nobody_sees_has_no_stream(browser: Browser, desk: Desk) -> None:
    async with visiting(browser, desk) as visitor:
        page = visitor.page
        await sign_in(page)
        await expect(page.locator("[data-mark=live]")).to_be_visible()
        hidden = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
        seen = "document.dispatchEvent(new Event('visibilitychange'))"
        await page.evaluate(hidden % "true" + seen)
        await expect(page.locator("[data-mark=paused]")).to_be_visible()
        await come(desk, "carol")
        async with page.expect_response("**/live/events") as answered:
            await page.evaluate(hidden % "false" + seen)
        assert (await answered.value).status == 200
        await expect(page.locator(".c-about").first).to_contain_text("user:carol")


async def test_a_mark_of_life_that_stops_is_said(browser: Browser, tmp_path: Path, store_url: str) -> None:
    async with running_admin(tmp_path, store_url, FakeClock()) as desk, visiting(browser, desk) as visitor:
        page = visitor.page
        await page.route("**/live/**", lambda route: asyncio.ensure_future(route.abort()))
        await sign_in(page)
        await page.mouse.move(0, 0)
        await expect(page.locator("[data-mark=away]")).to_be_visible(timeout=SOON)
