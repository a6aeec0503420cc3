"""Letters in a real browser: read in the order in which they were written, from the right side, in any light."""

import json
from collections import Counter
from functools import cache
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from bridge.delivery.attempt import rendered_message
from bridge.message import PLAIN, Circumstances, Digest, DigestTally
from bridge.messages.renderer import Renderer
from bridge.samples import sample
from bridge.value import replace
from tests.browser import SOON
from tests.fakes import START
from tests.services.email import below
from tests.sinks.values import a_message, a_sink

pytestmark = pytest.mark.process
in_the_browser = pytest.mark.asyncio(loop_scope="session")  # the loop of the one that all share
TYPES = ("user.limited", "node.connection_lost", "user.created", "alert.firing", "message.posted")
LIGHTS: Any = ("light", "dark")
WIDTHS = (700, 360)
SINK = a_sink(type="email", server="localhost", encryption="none", **{"from": "vpn@example.com"}, to="ops@example.com")
GIVEN = Circumstances(test=True, replay=True, instead="ops: HTTP 404", repeats=3)
MARKED = (
    "<b>bold</b> <i>i</i> <code>wg0</code> <a href='https://x.example/a'>a link</a>\n<pre>one\n two</pre>\n"
    "<blockquote>said</blockquote>end"
)


@cache
def letters(locale: str) -> list[dict[str, Any]]:
    """A letter of each of these types, one of all that there is to mark, and a digest of all of them."""
    renderer = Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale=locale)
    events = [sample(type_, at=START) for type_ in TYPES]
    parts = [rendered_message(one, SINK.look, renderer, at=START, circumstances=GIVEN)[0] for one in events]
    marked = a_message({**parts[0].blocks, "text": MARKED})
    tally = DigestTally(kinds=Counter(TYPES), shown=3, first_at=START, last_at=START)
    blocks = renderer.digest(tally, SINK.look, replace(GIVEN, repeats=1)).blocks
    told = [replace(one, circumstances=PLAIN) for one in parts[:3]]
    digest = Digest(id="x", at=START, events=events, tally=tally, parts=told, blocks=blocks)
    requests = [*map(SINK.build, (*parts, marked)), SINK.build_digest(digest)]
    return [json.loads(one.body) for one in requests]


async def seen_on(page: Page) -> str:
    """What the browser shows, line by line, in its order."""
    text = str(await page.inner_text("body")).replace("\t", "\n")
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


@in_the_browser
@pytest.mark.parametrize("locale", ["en", "fa", "ru"])
async def test_a_letter_is_read_as_it_was_written_on_any_screen(browser: Browser, locale: str) -> None:
    context = await browser.new_context()
    context.set_default_timeout(SOON)
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    for letter, light, width in product(letters(locale), LIGHTS, WIDTHS):
        await page.emulate_media(color_scheme=light)
        await page.set_viewport_size({"width": width, "height": 800})
        await page.set_content(letter["html"])
        written = [line.strip() for line in below(letter).split("\n")]
        assert (await seen_on(page)).split("\n") == written, letter["subject"]
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert await faults(page) == [], letter["subject"]
    await context.close()
    assert asked == []


async def faults(page: Page) -> list[str]:
    """What axe-core finds that keeps somebody from reading it: contrasts, the language, the title."""
    results = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in results.response["violations"]]


async def side_of(page: Page, selector: str) -> str:
    """The side of its card at which a line of that kind begins."""
    start, end = await page.evaluate(
        """selector => {
            const cell = document.querySelector(selector), range = document.createRange()
            range.selectNodeContents(cell)
            const text = range.getBoundingClientRect(), card = cell.closest('.card').getBoundingClientRect()
            return [text.left - card.left, card.right - text.right]
        }""",
        selector,
    )
    return "left" if start < end else "right"


@in_the_browser
@pytest.mark.parametrize(("locale", "side"), [("en", "left"), ("fa", "right"), ("ru", "left")])
async def test_a_letter_begins_at_the_side_of_its_language(browser: Browser, locale: str, side: str) -> None:
    page = await browser.new_page()
    page.set_default_timeout(SOON)
    for letter in letters(locale):
        await page.set_content(letter["html"])
        assert await page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
            locale,
            "rtl" if side == "right" else "ltr",
        ]
        assert await side_of(page, ".heading") == side
        if await page.query_selector(".label"):
            assert await side_of(page, ".label") == side
    await page.close()


@in_the_browser
async def test_what_is_dark_differs_from_what_is_light(browser: Browser) -> None:
    """Else the sheet is not read, and dark screens show black on black or a glaring page."""
    colors = {}
    for light in LIGHTS:
        page = await browser.new_page(color_scheme=light)
        page.set_default_timeout(SOON)
        await page.set_content(letters("en")[0]["html"])
        look = "one => { const s = getComputedStyle(one); return [s.color, s.backgroundColor] }"
        kinds = (".page", ".card", ".heading", ".text", ".value", ".label", ".footer", ".remarks")
        colors[light] = {kind: await page.eval_on_selector(kind, look) for kind in kinds}
        await page.close()
    assert [kind for kind, look in colors["light"].items() if look == colors["dark"][kind]] == []


def test_every_kind_of_piece_is_looked_at() -> None:
    html = "".join(letter["html"] for letter in letters("en"))
    kinds = ("remarks", "heading", "text", "label", "value", "rest", "footer")
    assert [kind for kind in kinds if f'{kind}"' not in html] == []
