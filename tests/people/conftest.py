"""An outbox on each engine."""

from collections.abc import AsyncIterator

import pytest

from bridge.store import open_outbox
from bridge.store.outbox import SqlOutbox


@pytest.fixture
async def outbox(any_store_url: str) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(any_store_url) as opened:
        yield opened
