"""A real browser: Debian's Chromium, driven by Playwright."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.processes import PATIENCE
from tests.tools import needed

SOON = PATIENCE * 1000  # milliseconds that what is sure to come may take


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """One that nobody has used; whoever has none skips what needs it."""
    program = needed("chromium")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=SOON)
        yield opened
        await opened.close()
