"""An open outbox, which every desk here tells into."""

from collections.abc import AsyncIterator

import pytest

from bridge.store import open_outbox
from bridge.store.outbox import SqlOutbox


@pytest.fixture
async def outbox(store_url: str) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(store_url) as opened:
        yield opened
