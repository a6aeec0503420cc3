"""A running admin side."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.admin.running import Desk, running_admin, without_hurry
from tests.fakes import FakeClock


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    without_hurry(monkeypatch)


@pytest.fixture
async def desk(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with running_admin(tmp_path, store_url, clock) as opened:
        yield opened
