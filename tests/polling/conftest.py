"""Fixtures that more than one file of this folder needs."""

from collections.abc import AsyncIterator

import pytest

from bridge.sinks.http import Http
from bridge.store import open_outbox
from tests.polling.a_bot import HERE, STRANGER, THERE, Listening
from tests.services.service import serving
from tests.services.telegram import Telegram


@pytest.fixture
async def here(any_store_url: str) -> AsyncIterator[Listening]:
    telegram, http = Telegram(chats=(HERE, THERE, STRANGER)), Http()
    async with open_outbox(any_store_url) as outbox, serving(telegram) as base:
        yield Listening(outbox, http, base, telegram)
        await http.close()
