"""A running admin side."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.admin.running import Desk, running_admin
from tests.fakes import FakeClock


@pytest.fixture
async def desk(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with running_admin(tmp_path, store_url, clock) as opened:
        yield opened
