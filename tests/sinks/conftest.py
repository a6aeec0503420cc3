"""The outgoing socket, closed behind each test."""

from collections.abc import AsyncIterator

import pytest

from bridge.sinks.http import Http


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http()
    yield http
    await http.close()
