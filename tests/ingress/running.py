"""A real ingress on a real port: real panels, a real store, a table with one row."""

import io
import json
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp

from bridge.errors import StoreError
from bridge.ingress.address import PRIVATE, PublicAddress
from bridge.ingress.budget import MemoryBudget
from bridge.ingress.connections import Connections, serving
from bridge.ingress.discord import PATH_WORDS, DiscordEndpoint
from bridge.ingress.limits import Limits
from bridge.ingress.receiver import Receiver
from bridge.ingress.redelivery import Redelivery
from bridge.ingress.refusals import Refusals
from bridge.ingress.server import Server
from bridge.ingress.source import Source
from bridge.ingress.stopping import StopEndpoint
from bridge.panels.alertmanager import AlertmanagerConfig, AlertmanagerPanel
from bridge.panels.cloudevents import CloudEventsConfig, CloudEventsPanel
from bridge.panels.discord.panel import DiscordEndpointConfig, DiscordPanel
from bridge.panels.json import JsonConfig, JsonPanel
from bridge.panels.marzban.panel import MarzbanConfig, MarzbanPanel
from bridge.panels.orbvpn.panel import OrbvpnConfig, OrbvpnPanel
from bridge.panels.remnawave.panel import RemnawaveConfig, RemnawavePanel
from bridge.people.stop_link import PATH as STOP_PATH
from bridge.people.stop_link import StopLinks
from bridge.routing import Route, Router
from bridge.store import open_outbox
from bridge.store.base import Delivery
from tests.fakes import FakeClock

SECRET = "something-very-very-secret"
SIGNED = "a-secret-that-signs-and-is-long-enough-32"
TOKEN = "main-channel-token-AAAA"
ACCENTED = "schlüssel-für-die-brücke"
ODD = "a{b}c/d"  # signs that stand in no path as they are
PATIENCE = 60  # seconds until what never comes is given up, on a machine that does much else
HEADERS = {"x-webhook-secret": SECRET}
ELEMENT = {"username": "alice", "action": "user_created", "enqueued_at": 1795232625.7, "tries": 0}


def sources() -> dict[str, Source]:
    marzban = MarzbanConfig(panel="marzban", secret=(SECRET, "the-next-secret", ACCENTED), mask=("user.note",))
    discord = DiscordEndpointConfig(panel="discord", secret=(TOKEN, ODD))
    return {
        "marzban": Source("marzban", "marzban", MarzbanPanel(marzban)),
        "chat": Source("chat", "discord", DiscordPanel(discord)),
        "program": Source("program", "json", JsonPanel(JsonConfig(panel="json", secret=(SECRET,), type="body.kind"))),
        "orb": Source("orb", "orbvpn", OrbvpnPanel(OrbvpnConfig(panel="orbvpn", secret=(SECRET, ODD)))),
        "events": Source(
            "events", "cloudevents", CloudEventsPanel(CloudEventsConfig(panel="cloudevents", secret=(SECRET,)))
        ),
        "signed": Source("signed", "remnawave", RemnawavePanel(RemnawaveConfig(panel="remnawave", secret=(SIGNED,)))),
        "alerts": Source(
            "alerts", "alertmanager", AlertmanagerPanel(AlertmanagerConfig(panel="alertmanager", secret=(SECRET,)))
        ),
        "open": Source("open", "marzban", MarzbanPanel(MarzbanConfig(panel="marzban", secret="none"))),
    }


class Ingress:
    """Its address, its receiver, and what it announced to the lanes."""

    def __init__(
        self, url: str, server: Connections, receiver: Receiver, announced: list[Delivery], stops: "Stops"
    ) -> None:
        self.url, self.server, self.receiver, self.announced = url, server, receiver, announced
        self.stops = stops


class Stops:
    """Makes links that stop mail, and keeps what they were used for; `away`: why nothing can be kept."""

    def __init__(self) -> None:
        self.links = StopLinks("https://bridge.example.com", SIGNED)
        self.kept: list[tuple[str, bool]] = []
        self.away: StoreError | None = None

    async def keep(self, scope: str, stop: bool) -> None:
        if self.away is not None:
            raise self.away
        self.kept.append((scope, stop))


@asynccontextmanager
async def running_ingress(
    store_url: str,
    clock: FakeClock,
    limits: Limits | None = None,
    address: PublicAddress | None = None,
    changing: Collection[str] = frozenset(),
) -> AsyncIterator[Ingress]:
    announced: list[Delivery] = []
    limits = limits or Limits()
    async with open_outbox(store_url) as outbox:
        receiver = Receiver(outbox, Redelivery(clock.now()), limits, announce=announced.extend)
        router = Router([("route 1", Route(to=("ops",)))], sinks={"ops": SimpleNamespace(enabled=True)})
        receiver.configure(sources(), router, changing=changing)
        budget, refusals = MemoryBudget(limits), Refusals()
        server = Server(receiver, budget, refusals, clock, ready=outbox.check)
        discord = DiscordEndpoint(receiver, budget, refusals, clock, address or PublicAddress(None, PRIVATE))
        stops = Stops()
        stopping = StopEndpoint(stops.links, stops.keep, refusals, not_found=server.not_found)
        routes = [*server.routes(), *discord.routes(), *stopping.routes(), server.rest((*PATH_WORDS, STOP_PATH))]
        listener = socket.create_server(("127.0.0.1", 0))
        host, port = listener.getsockname()
        async with serving(listener, routes, limits, refusals, shutdown=1) as connections:
            yield Ingress(f"http://{host}:{port}", connections, receiver, announced, stops)


async def post(http: aiohttp.ClientSession, url: str, body: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
    async with http.post(url, data=data, allow_redirects=False, **{"headers": HEADERS, **more}) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()
