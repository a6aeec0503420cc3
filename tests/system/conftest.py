"""What costs most to begin, once for each worker: a browser, and the compiled shim of power cuts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import a_browser
from tests.powercut.shim import compiled
from tests.tools import needed


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all; whose tests share its loop, each with tabs of their own."""
    async with a_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without a compiler there are no power cuts."""
    needed("gcc")
    return compiled(tmp_path_factory.mktemp("shim"))
