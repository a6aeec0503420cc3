"""An admin side over a store with dead letters in it."""

import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import aiohttp

from bridge.admin.server import Admin
from bridge.admin.state import ConfigState
from bridge.config.load import load
from bridge.config.state import config_state
from bridge.event import Event
from bridge.intake import Intake, SetAside
from bridge.messages.renderer import Renderer
from bridge.outcome import Attempt, Dead, Refused
from bridge.routing import Router
from bridge.store import open_outbox, open_reader
from bridge.store.base import Settlement
from bridge.store.outbox import SqlOutbox
from tests.admin.means import means_of
from tests.fakes import START, FakeClock, an_event
from tests.processes import PATIENCE
from tests.store.boxes import after

ACT, LOOK = "act-0123456789abcdef", "look-0123456789abcdef"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}\u202e'
FILE = f"""
store: {{store}}
timezone: Asia/Tehran
admin: {{{{token: {ACT}, read_token: {LOOK}}}}}
sources:
  berlin: {{{{panel: marzban, secret: the-secret-of-berlin}}}}
sinks:
  ops: {{{{type: discord, url: "https://discord.com/api/webhooks/1/secret-of-ops-secret-of-ops"}}}}
  team: {{{{type: slack, url: "https://hooks.slack.com/services/T1/B1/secretofteamsecretofteam"}}}}
  off: {{{{type: console, enabled: false}}}}
routes:
  - {{{{match: user.*, to: [ops, team]}}}}
"""
#: What is in the file and on no page.
SECRETS = ("the-secret-of-berlin", "secret-of-ops-secret-of-ops", "secretofteamsecretofteam", ACT, LOOK)


@dataclass
class Desk:
    """The admin side, what stands behind it, and where it is."""

    admin: Admin
    url: str
    state: ConfigState
    outbox: SqlOutbox
    router: Router

    async def page(self, path: str, token: str = ACT, **headers: str) -> str:
        """The page, as whoever has that token gets it."""
        async with self._program(token) as program, program.get(path, headers=headers) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    async def press(self, path: str, form: dict[str, str], token: str = ACT) -> tuple[int, str]:
        """Send a form; the status, and where it leads to."""
        async with (
            self._program(token) as program,
            program.post(path, data=form, allow_redirects=False) as response,
        ):
            return response.status, response.headers.get("Location", "")

    def _program(self, token: str) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {token}"})

    async def take_in(self, *events: Event, aside: Sequence[SetAside] = ()) -> None:
        await self.outbox.put(Intake([self.router.route(one) for one in events], aside))

    async def give_up(self, sink: str, *reasons: str, type_: str = "user.created", answer: str = "no") -> None:
        """A dead letter of the sink for each reason, a second apart, each of an event of its own."""
        events = [an_event(f"user:u{number}", type_=type_) for number in range(len(reasons))]
        await self.take_in(*events)
        ids = {one.id for one in events}
        claimed = (await self.outbox.claim(sink, after=0, now=START, limit=500)).deliveries
        for second, (delivery, reason) in enumerate(
            zip([one for one in claimed if one.event.id in ids], reasons, strict=True)
        ):
            attempt = Attempt(Refused(reason), 400, answer)
            await self.outbox.settle([Settlement(delivery, Dead(reason), attempt, after(second))])


@asynccontextmanager
async def a_desk(folder: Path, store: str, clock: FakeClock) -> AsyncIterator[Desk]:
    """One with FILE in force, over an empty store."""
    file = folder / "config.yaml"
    file.write_text(FILE.format(store=store))
    config = load(file, {}).config
    router = Router(config.table(), sinks=config.all_sinks())
    async with open_outbox(store) as outbox:
        admin = Admin(clock, means_of(outbox), open_reader=lambda: open_reader(store, limit=PATIENCE))
        renderer = Renderer(folders=(), timezone=config.zone(), locale=config.locale)
        state = config_state(file, config, router, renderer, cause="start", now=START)
        admin.configure(state)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            async with admin.serve(listener, address, shutdown=0.1):
                yield Desk(admin, f"http://{address}", state, outbox, router)


def forms(page: str) -> list[tuple[str, dict[str, str]]]:
    """Where each form of dead letters goes, and what it carries."""
    found = re.findall(r'<form method="post" action="(/dead/\w+)">(.*?)</form>', page, re.DOTALL)
    return [(path, dict(re.findall(r'name="(\w+)" value="([^"]*)"', inside))) for path, inside in found]


def text_of(page: str) -> str:
    """What is read on a page: no tags, blanks as one."""
    return " ".join(unescape(re.sub(r"<(/?(?:a|b|bdi|code|span|time)\b)[^>]*>|<[^>]*>", _gap, page)).split())


def _gap(tag: re.Match[str]) -> str:
    return "" if tag[1] else " "
