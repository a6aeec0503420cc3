"""The pictures of the documents: `make pictures` takes them of what stands in the window, and writes docs/pictures/.

They are taken when somebody wants them anew, and never by a test: another font is another picture.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, cast

from PIL import Image
from playwright.async_api import Browser, Page

from bridge.admin.pages import PAGES
from bridge.samples import PANELS
from bridge.sinks import CONFIGS
from tests.browser import a_browser
from tests.documents.window import the_window
from tests.pages import ROOT

FOLDER = ROOT / "docs" / "pictures"
PHONE, DESK, CARD = 390, 1280, 720  # pixels that a screen is wide, or a message with what is around it
HEIGHTS = {PHONE: 844, DESK: 800, CARD: 2400}
TALLEST_CARD = 640
MARGIN = 24  # below the last thing that is shown
NOTHING_BEFORE_IT = ".tabs { display: none !important }"  # the bar at the foot of a narrow screen
COLORS = 256
NEAR = 8  # of 256 shades: whoever looks sees no difference
Theme = Literal["light", "dark"]
Color = tuple[int, int, int]


@dataclass(frozen=True)
class Picture:
    """One of them.

    path      of the page; `of` names what the newest event has to be, whose page it is where the path has none
    only      what is shown of it, a selector; at most TALLEST_CARD of that
    until     or the last thing that is shown. With neither, all of the page is, on a phone what the screen shows
    """

    name: str
    width: int
    theme: Theme = "light"
    locale: str = "en"
    path: str = ""
    of: str = ""
    only: str | None = None
    until: str | None = None


#: Pages that the navigation leads to by another one → what is shown of them.
FURTHER = {
    "event": {"of": "q=user.limited"},
    "person": {"path": "/people/marzban/user:alice"},
    "announcement": {"path": "/announcements/1"},
}


def page_pictures() -> list[Picture]:
    """Every page that the navigation leads to, and some beside: at a desk, and on a Persian phone at night."""
    found = []
    for page in PAGES:
        if page.title is not None or page.name in FURTHER:
            seen = FURTHER.get(page.name, {"path": page.path})
            views: list[tuple[int, Theme, str]] = [(DESK, "light", "en"), (PHONE, "dark", "fa")]
            if page.name in ("overview", "event"):
                views += [(DESK, "dark", "en"), (DESK, "light", "fa"), (PHONE, "light", "en")]
            found += [Picture(f"{page.name}-{one[0]}-{one[1]}-{one[2]}", *one, **seen) for one in views]
    return [*found, Picture("event", DESK, of="q=user.limited", until=".pv figure:first-child")]


def panel_pictures() -> list[Picture]:
    """What came from each panel, and why it went where it went."""
    return [Picture(f"from-{word}", DESK, of=f"source={word}", until=".why") for word in PANELS]


def sink_pictures() -> list[Picture]:
    """What each kind of sink is sent."""
    types = [config.model_fields["type"].default for config in CONFIGS]
    return [Picture(f"to-{one}", CARD, of=f"sink={SINKS[one]}", only=FIGURE.format(SINKS[one])) for one in types]


FIGURE = "figure:has(figcaption:has-text('{}'))"
#: Kind of sink → what one of them is called in the window.
SINKS = {
    "discord": "ops",
    "slack": "team",
    "telegram": "night",
    "ntfy": "phone",
    "email": "letters",
    "matrix": "home",
    "mattermost": "office",
    "bale": "tehran",
    "max": "moscow",
    "apprise": "elsewhere",
    "gohighlevel": "crm",
    "zapier": "zap",
    "webhook": "shop",
    "console": "terminal",
}


def all_pictures() -> list[Picture]:
    return [*page_pictures(), *panel_pictures(), *sink_pictures()]


async def take(browser: Browser, url: str, picture: Picture) -> bytes:
    """The picture, as PNG."""
    async with visited(browser, url, picture) as page:
        if picture.only is None and picture.until is None:
            return await page.screenshot(full_page=picture.width != PHONE)
        box: Any = await page.locator(picture.only or picture.until or "").first.bounding_box()
        if picture.only is not None:
            clip: Any = {**box, "height": min(box["height"], TALLEST_CARD)}
            return await page.screenshot(full_page=True, clip=clip, style=NOTHING_BEFORE_IT)
        tall = box["y"] + box["height"] + MARGIN
        return await page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": picture.width, "height": tall})


@asynccontextmanager
async def visited(browser: Browser, url: str, picture: Picture) -> AsyncIterator[Page]:
    context = await browser.new_context(
        base_url=url,
        viewport={"width": picture.width, "height": HEIGHTS[picture.width]},
        color_scheme=picture.theme,
        locale=picture.locale,
        reduced_motion="reduce",
        bypass_csp=True,  # for what is hidden
    )
    page = await context.new_page()
    if picture.of:
        await page.goto(f"/events?{picture.of}")
        await page.goto(await page.locator(".c-what a").first.get_attribute("href") or "")
    else:
        await page.goto(picture.path)
    await page.mouse.move(0, 0)
    if await page.locator("[data-live]").count():
        await page.locator("[data-mark=live]").wait_for()
    yield page
    await context.close()


def small(png: bytes) -> bytes:
    """The same in few colours: the most frequent ones, none beside one that is hardly another."""
    full, out = Image.open(BytesIO(png)).convert("RGB"), BytesIO()
    counted = cast("list[tuple[int, Color]]", full.getcolors(full.width * full.height))
    palette = Image.new("P", (1, 1))
    palette.putpalette(
        [part for color in chosen(color for _, color in sorted(counted, reverse=True)) for part in color]
    )
    full.quantize(palette=palette, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def chosen(colors: Iterable[Color]) -> list[Color]:
    found: list[Color] = []
    for color in colors:
        if len(found) == COLORS:
            break
        if all(max(abs(one - other) for one, other in zip(color, near, strict=True)) >= NEAR for near in found):
            found.append(color)
    return found


async def main(names: list[str]) -> None:
    """Take those whose names begin so, or all; of all, what is taken no more is removed."""
    wanted = [one for one in all_pictures() if not names or one.name.startswith(tuple(names))]
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        async with the_window(Path(folder)) as desk, a_browser() as browser:
            for one in wanted:
                (FOLDER / f"{one.name}.png").write_bytes(small(await take(browser, desk.url, one)))
    if not names:
        for file in FOLDER.glob("*.png"):
            if file.stem not in {one.name for one in wanted}:
                file.unlink()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
