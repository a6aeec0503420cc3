"""A real admin side on a real port: a file, a store with events in it, and a browser's habits."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bridge.admin.server import Admin
from bridge.admin.state import ConfigState
from bridge.admin.streams import broadcast
from bridge.admin.trials.sink_test import Probe
from bridge.admin.trouble import StoreTrouble
from bridge.config.load import load
from bridge.config.model import Config
from bridge.config.state import config_state, row_places
from bridge.event import Event
from bridge.intake import Intake
from bridge.messages.renderer import Renderer
from bridge.outcome import Attempt, Dead, Delivered, Done, Fate, HeldBack, Refused
from bridge.routing import Router
from bridge.store import open_outbox, open_reader
from bridge.store.base import Settlement
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.announcements import add_announcement
from bridge.store.records import AnnouncementRecord, AnnouncementState
from bridge.value import replace
from tests.admin.means import means_of
from tests.fakes import START, FakeClock, an_event
from tests.processes import PATIENCE

ACT, LOOK = "act-0123456789abcdef", "look-0123456789abcdef"
TOKENS = f"token: {ACT}, read_token: {LOOK}"
FILE = """
store: {store}
timezone: Asia/Tehran
admin: {{{admin}}}
sources:
  berlin: {{panel: marzban, secret: the-secret-of-berlin}}
sinks:
  ops: {{type: discord, url: "https://discord.com/api/webhooks/1/secret-of-ops-secret-of-ops"}}
  team: {{type: slack, url: "https://hooks.slack.com/services/T1/B1/secretofteamsecretofteam"}}
  off: {{type: console, enabled: false}}
routes:
  - {{match: node.*, to: team}}
  - {{match: [user.*, "!user.updated"], to: [ops, team]}}
  - {{match: user.expired, when: data.owner == 'reseller-7', to: [ops, "off"]}}
"""
ALICE = an_event("user:alice")
BOB = an_event("user:bob", type_="user.expired", at=START + timedelta(minutes=1))
CHANGED = an_event("user:alice", type_="user.updated", at=START + timedelta(minutes=2))
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}\u202e'
ODD = replace(
    an_event(f"user:{HOSTILE}", type_="user.created", at=START + timedelta(minutes=3)),
    native={"note": HOSTILE},
    data={"note": HOSTILE},
    native_type=HOSTILE,
)
#: What was announced, and stopped before anybody was told.
ANNOUNCED = AnnouncementRecord(
    at=START, by="mina", sink="dm", chosen=("all",), text=f"Soon {HOSTILE.partition('{')[0]}", category="news",
    critical=False, counted=3, state=AnnouncementState.STOPPED_PUTTING,
)  # fmt: skip


@dataclass
class Desk:
    """The admin side, what it was asked to do, and where it is."""

    admin: Admin
    url: str
    state: ConfigState
    outbox: SqlOutbox
    clock: FakeClock
    reloads: list[None] = field(default_factory=list)

    @property
    def authority(self) -> str:
        return self.url.removeprefix("http://")

    def browser(self, **headers: str) -> aiohttp.ClientSession:
        """A client that keeps cookies, and says of each request that it comes from a page of the same origin."""
        own = {"Sec-Fetch-Site": "same-origin", **headers}
        return aiohttp.ClientSession(self.url, headers=own, cookie_jar=aiohttp.CookieJar(unsafe=True))

    def program(self, token: str) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {token}"})


async def sign_in(browser: aiohttp.ClientSession, token: str = ACT, **form: str) -> aiohttp.ClientResponse:
    """What is answered to a token in the form."""
    return await browser.post("/login", data={"token": token, **form}, allow_redirects=False)


async def form_token(browser: aiohttp.ClientSession) -> str:
    """What the forms of a page carry."""
    async with browser.get("/settings") as response:
        found = re.search(r'name="form_token" value="(\w+)"', await response.text())
    assert found is not None
    return found[1]


def without_hurry(patch: pytest.MonkeyPatch) -> None:
    """On a busy machine what is asked for takes as long as it takes; so do the looks of an admin side here."""
    for limit in ("graphql.context.LIMIT", "people.announcements.SOON", "people.drafts.PATIENCE"):
        patch.setattr(f"bridge.admin.{limit}", PATIENCE)


Filling = Callable[[SqlOutbox, Router], Awaitable[None]]


@asynccontextmanager
async def running_admin(
    folder: Path,
    store: str,
    clock: FakeClock,
    *,
    admin: str = TOKENS,
    events: bool = True,
    probe: Probe | None = None,
    more: str = "",
    text: str = FILE,
    fill: Filling | None = None,
    trouble: Callable[[], StoreTrouble | None] = lambda: None,
) -> AsyncIterator[Desk]:
    """One with this in `admin:`; with `events` its store has ALICE, BOB, CHANGED and ODD in it, or what `fill` puts.

    `probe` answers tests, `more` stands at the end of its file, `trouble` is what its store said of late.
    """
    file = folder / "config.yaml"
    file.write_text(text.format(store=store, admin=admin) + more)
    loaded = load(file, {})
    config = loaded.config
    async with open_outbox(store) as outbox:
        router = Router(config.table(), sinks=config.all_sinks())
        if events:
            await (fill or filled)(outbox, router)
        reloads: list[None] = []
        side = Admin(
            clock,
            means_of(outbox, reload=lambda: reloads.append(None), probe=probe, trouble=trouble, store=store),
            open_reader=lambda: open_reader(store, limit=PATIENCE),
        )
        places = row_places(loaded)
        state = config_state(file, config, router, _renderer(config), cause="start", now=clock.now(), places=places)
        side.configure(state)
        with socket.create_server(("127.0.0.1", 0)) as listener, pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                broadcast, "SHARE", 1
            )  # a look that a busy machine held up is followed by the next one all the same
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            async with side.serve(listener, address, shutdown=0.1):
                yield Desk(side, f"http://{address}", state, outbox, clock, reloads)


def _renderer(config: Config) -> Renderer:
    return Renderer(folders=(), timezone=config.zone(), locale=config.locale)


async def filled(outbox: SqlOutbox, router: Router) -> None:
    """ALICE delivered to ops and dead for team; BOB waits for ops and was held back from team; CHANGED went nowhere."""
    for event in (ALICE, BOB, CHANGED, ODD):
        await outbox.put(Intake([router.route(event)]))
    await outbox.operate(lambda ledger: ledger.write(add_announcement, ANNOUNCED))
    hostile = f"HTTP 400 {HOSTILE}"
    await settle(outbox, ALICE, "ops", Done(), Attempt(Delivered(), 200, "ok"))
    await settle(outbox, ALICE, "team", Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400, '{"message": "no"}'))
    await settle(outbox, BOB, "team", HeldBack("quiet hours"), Attempt(Delivered(), None))
    await settle(outbox, ODD, "team", Dead(hostile), Attempt(Refused(hostile), 400, HOSTILE))


async def settle(outbox: SqlOutbox, event: Event, sink: str, fate: Fate, attempt: Attempt) -> None:
    """Record what came of the event at that sink, as soon as it came in, or as soon as it was held for long enough."""
    late = event.received_at + timedelta(hours=1)
    claimed = (await outbox.claim(sink, after=0, now=late, limit=100)).deliveries
    [delivery] = [one for one in claimed if one.event.id == event.id]
    ms = None if isinstance(fate, HeldBack) else 187.0
    await outbox.settle([Settlement(delivery, fate, attempt, event.received_at, ms=ms)])


Headers = Mapping[str, str]


@asynccontextmanager
async def held_up(outbox: SqlOutbox, *, writes: int) -> AsyncIterator[None]:
    """The store writes nothing inside, nor until so many writes wait for it."""
    begun, go = threading.Event(), threading.Event()

    def hold(_: Ledger) -> None:
        begun.set()
        go.wait()

    holding = asyncio.create_task(outbox.operate(hold))
    try:
        await asyncio.to_thread(begun.wait)
        yield
        async with asyncio.timeout(PATIENCE):
            while outbox._writer._queue.qsize() < writes:
                await asyncio.sleep(0.01)
    finally:
        go.set()
        await holding
