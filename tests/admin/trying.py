"""A real admin side on a real port, with what came in yesterday: for the pages that show how things look."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bridge.admin.server import Admin
from bridge.config.load import load
from bridge.config.state import config_state
from bridge.event import Event
from bridge.intake import Intake
from bridge.messages.renderer import Renderer
from bridge.routing import Router
from bridge.store import open_outbox, open_reader
from tests.admin.means import means_of
from tests.fakes import FakeClock
from tests.processes import PATIENCE

ACT, LOOK = "act-0123456789abcdef", "look-0123456789abcdef"
SECRET = "secret-of-ops-secret-of-ops"
FILE = f"""
store: {{store}}
timezone: Asia/Tehran
admin: {{{{token: {ACT}, read_token: {LOOK}}}}}
sources:
  berlin: {{{{panel: marzban, secret: the-secret-of-berlin}}}}
  paris: {{{{panel: remnawave, secret: the-secret-of-paris-0123456789012345678901234567}}}}
sinks:
  ops: {{{{type: discord, url: "https://discord.com/api/webhooks/1/{SECRET}"}}}}
  night: {{{{type: telegram, token: "123456:{SECRET}", chat_id: -5, locale: fa}}}}
  shop: {{{{type: webhook, url: "https://shop.example.com/{SECRET}", format: event}}}}
routes:
  - {{{{match: node.*, to: night}}}}
  - {{{{match: user.*, to: [ops, night, shop]}}}}
"""


@dataclass
class Site:
    """The admin side, asked by a person who has signed in."""

    browser: aiohttp.ClientSession

    async def get(self, path: str, status: int = 200) -> str:
        async with self.browser.get(path) as response:
            assert response.status == status, await response.text()
            return await response.text()

    async def post(self, path: str, status: int = 200, **form: str) -> str:
        """A form of ours, as the page's script sends it."""
        found = re.search(r'name="form_token" value="(\w+)"', await self.get("/try"))
        assert found is not None
        data = aiohttp.FormData({"form_token": found[1], **form}, default_to_multipart=True)
        async with self.browser.post(path, data=data, headers={"HX-Request": "true"}) as response:
            assert response.status == status, await response.text()
            return await response.text()


@asynccontextmanager
async def a_site(folder: Path, store: str, *events: Event, token: str = ACT) -> AsyncIterator[Site]:
    """One in whose store these events are."""
    file, clock = folder / "config.yaml", FakeClock()
    file.write_text(FILE.format(store=store))
    config = load(file, {}).config
    router = Router(config.table(), sinks=config.all_sinks())
    async with open_outbox(store) as outbox:
        for event in events:
            await outbox.put(Intake([router.route(event)]))
        admin = Admin(clock, means_of(outbox), open_reader=lambda: open_reader(store, limit=PATIENCE))
        renderer = Renderer(folders=(), timezone=config.zone(), locale=config.locale)
        admin.configure(config_state(file, config, router, renderer, cause="start", now=clock.now()))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            async with admin.serve(listener, address, shutdown=0.1):
                session = aiohttp.ClientSession(
                    f"http://{address}",
                    headers={"Sec-Fetch-Site": "same-origin"},
                    cookie_jar=aiohttp.CookieJar(unsafe=True),
                )
                async with session as browser:
                    await browser.post("/login", data={"token": token}, allow_redirects=False)
                    yield Site(browser)
