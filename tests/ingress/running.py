"""A real ingress on a real port: real panels, a real store, a table with one row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

from aiohttp import web

from bridge.ingress.discord import DiscordEndpoint
from bridge.ingress.limits import Limits, MemoryBudget
from bridge.ingress.receiver import Receiver
from bridge.ingress.redelivery import Redelivery
from bridge.ingress.server import Server, not_found
from bridge.ingress.source import Source
from bridge.panels.discord import DiscordConfig, DiscordPanel
from bridge.panels.marzban import MarzbanConfig, MarzbanPanel
from bridge.routing import Route, Router
from bridge.store import open_outbox
from bridge.store.base import Delivery
from bridge.store.outbox import SqlOutbox
from tests.fakes import FakeClock

SECRET = "something-very-very-secret"
TOKEN = "main-channel-token-AAAA"


def sources() -> dict[str, Source]:
    marzban = MarzbanConfig(panel="marzban", secret=(SECRET, "the-next-secret"), mask=("user.note",))
    discord = DiscordConfig(panel="discord", secret=(TOKEN,))
    return {
        "marzban": Source("marzban", "marzban", MarzbanPanel(marzban)),
        "chat": Source("chat", "discord", DiscordPanel(discord)),
        "open": Source("open", "marzban", MarzbanPanel(MarzbanConfig(panel="marzban", secret="none"))),
    }


class Ingress:
    """Its address, its store, and what it announced to the lanes."""

    def __init__(self, url: str, receiver: Receiver, outbox: SqlOutbox, announced: list[Delivery]) -> None:
        self.url, self.receiver, self.outbox, self.announced = url, receiver, outbox, announced


@asynccontextmanager
async def running_ingress(store_url: str, clock: FakeClock, limits: Limits | None = None) -> AsyncIterator[Ingress]:
    announced: list[Delivery] = []
    limits = limits or Limits()
    async with open_outbox(store_url) as outbox:
        receiver = Receiver(outbox, Redelivery(clock.now()), announce=announced.extend)
        receiver.configure(
            sources(), Router([("route 1", Route(to=("ops",)))], sinks={"ops": SimpleNamespace(enabled=True)})
        )
        budget = MemoryBudget(limits)
        app = web.Application()
        server = Server(receiver, budget, clock, ready=outbox.check)
        discord = DiscordEndpoint(receiver, budget, clock)
        app.add_routes([*server.routes(), *discord.routes(), web.route("*", "/{tail:.*}", not_found)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            yield Ingress(f"http://{host}:{port}", receiver, outbox, announced)
        finally:
            await runner.cleanup()
