"""A running ingress, and a client for it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fakes import FakeClock
from tests.ingress.running import Ingress, running_ingress


@pytest.fixture
async def ingress(store_url: str, clock: FakeClock) -> AsyncIterator[Ingress]:
    async with running_ingress(store_url, clock) as opened:
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
