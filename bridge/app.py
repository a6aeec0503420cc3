"""The composition root: builds every part, introduces them to each other, starts, reloads, drains."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import SystemRandom

import uvloop
from aiohttp import web

from bridge import __version__
from bridge.clock import Clock, SystemClock
from bridge.cluster.ownership import open_ownership, replica_name
from bridge.config.load import Loaded, load
from bridge.config.model import Config
from bridge.delivery.dispatcher import Dispatcher, Ownership
from bridge.delivery.lane import LaneSettings
from bridge.errors import BridgeError, ConfigError
from bridge.ingress.discord import DiscordEndpoint
from bridge.ingress.limits import MemoryBudget
from bridge.ingress.receiver import Receiver
from bridge.ingress.redelivery import Redelivery
from bridge.ingress.server import Server, not_found
from bridge.ingress.source import Source
from bridge.messages.renderer import Renderer
from bridge.panels import DIALECTS
from bridge.routing import Router
from bridge.sinks import SinkSettings
from bridge.sinks.base import Sink, Tools
from bridge.sinks.http import Http
from bridge.store import open_outbox
from bridge.store.outbox import SqlOutbox
from bridge.store.retention import prune_forever
from bridge.telemetry import say, setup

#: Path, time of change and size of each file.
Stamp = list[tuple[str, int, int]]
Started = Callable[[Config, str], Awaitable[None]]

LOG = logging.getLogger("bridge.app")
LOOK_EVERY = 1.0  # seconds between two looks at the file
RESTART_ONLY = ("listen", "store", "limits", "keep", "log")  # settings that a reload does not change


def run(path: Path, *, started: Started | None = None) -> int:
    """Run the bridge until SIGTERM or SIGINT; 0 when it ended as asked. `started` is awaited once the port is open.

    Raise ConfigError before the port opens where the file is wrong, another BridgeError where it cannot start.
    """
    loaded = load(path)
    setup(loaded.config.log)
    return uvloop.run(_run(path, loaded, started))


async def _run(path: Path, loaded: Loaded, started: Started | None) -> int:
    stop, reload = _signals()
    clock, config = SystemClock(), loaded.config
    name = replica_name()
    with _listening(config.listen) as listener:
        async with open_outbox(config.store, replica=name) as outbox, _http() as http, asyncio.TaskGroup() as tasks:
            redelivery = Redelivery(clock.now())
            ownership = open_ownership(config.store, name=name, on_peer=lambda: redelivery.distrust_all(clock.now()))
            house = House(
                path, outbox=outbox, ownership=ownership, redelivery=redelivery, http=http, clock=clock, tasks=tasks
            )
            await house.furnish(loaded)
            owning = tasks.create_task(ownership.run(house.dispatcher))
            background = [
                tasks.create_task(prune_forever(outbox, keep=config.keep, clock=clock)),
                tasks.create_task(house.dispatcher.regroup_forever()),
                tasks.create_task(house.watch(reload)),
            ]
            async with _serving(listener, config, house, clock):
                address = _address(listener)
                say(LOG, logging.INFO, "app.started", version=__version__, listen=address, store=outbox.name)
                if started is not None:
                    await started(config, address)
                asyncio.get_running_loop().call_later(1, _settle_down)
                await stop.wait()
                say(LOG, logging.INFO, "app.stopping", grace=config.shutdown)
            for task in background:
                task.cancel()
            await house.dispatcher.drain(config.shutdown)
            owning.cancel()
    say(LOG, logging.INFO, "app.stopped")
    return 0


class House:
    """What a reload refurnishes: sources, table, sinks and lanes. The door and the outbox stay."""

    def __init__(
        self,
        path: Path,
        *,
        outbox: SqlOutbox,
        ownership: Ownership,
        redelivery: Redelivery,
        http: Http,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.dispatcher = Dispatcher(outbox, ownership, clock=clock, chance=SystemRandom(), tasks=tasks)
        self.receiver = Receiver(outbox, redelivery, announce=self.dispatcher.announce)
        self.ready = outbox.check
        self._path = path
        self._tools = Tools(http, DIALECTS)
        self._sinks: dict[str, tuple[SinkSettings, Sink]] = {}
        self._now: Loaded

    async def furnish(self, loaded: Loaded) -> None:
        """Put what the file says in place, at once for what comes in, and lane by lane for what goes out."""
        config = loaded.config
        sources = {name: Source(name, one.panel, one.open()) for name, one in config.sources.items()}
        router = Router(config.table(), sinks=config.all_sinks(), on_error=_row_failed)
        opened = {name: self._sink(name, one) for name, one in config.all_sinks().items() if one.enabled}
        renderer = Renderer(folders=config.template_folders(), timezone=config.zone(), locale=config.locale)
        # everything is made before anything is put in place: what cannot be made leaves all as it was
        self._now, self._sinks = loaded, opened
        self.receiver.configure(sources, router)
        sinks = {name: sink for name, (_, sink) in opened.items()}
        await self.dispatcher.carry(sinks, LaneSettings(renderer, config.zone()), grace=config.shutdown)

    async def watch(self, asked: asyncio.Event) -> None:
        """Refurnish when one of the files has changed, and when asked (SIGHUP)."""
        stamp = _stamp(self._now.files)
        while True:
            await _changed(self._now.files, stamp, asked)
            stamp = _stamp(self._now.files)  # before it is read: what is written meanwhile is a change
            await self._reload()

    async def _reload(self) -> None:
        try:
            loaded = await asyncio.to_thread(load, self._path)
            if self._now.config.sources and not loaded.config.sources:
                raise BridgeError(f"{self._path}: names no source any more; a bridge without one has to be started so")
            for name in RESTART_ONLY:
                if getattr(loaded.config, name) != getattr(self._now.config, name):
                    say(LOG, logging.WARNING, "config.needs_restart", setting=name)
            await self.furnish(loaded)
        except ConfigError as error:
            for line in str(error).splitlines():
                say(LOG, logging.ERROR, "config.rejected", mistake=line)
        except BridgeError as error:
            say(LOG, logging.ERROR, "config.rejected", mistake=str(error))
        else:
            say(LOG, logging.INFO, "config.reloaded", sources=len(loaded.config.sources), sinks=len(self._sinks))

    def _sink(self, name: str, config: SinkSettings) -> tuple[SinkSettings, Sink]:
        """The sink of that name, the same object as before where its settings are the same."""
        before = self._sinks.get(name)
        return before if before is not None and before[0] == config else (config, config.open(self._tools))


@asynccontextmanager
async def _serving(listener: socket.socket, config: Config, house: House, clock: Clock) -> AsyncIterator[None]:
    """Take requests; at the end, let those that are under way finish."""
    room = MemoryBudget(config.limits)
    server = Server(house.receiver, room, clock, ready=house.ready)
    discord = DiscordEndpoint(house.receiver, room, clock)
    app = web.Application()
    app.router.add_routes([*server.routes(), *discord.routes(), web.route("*", "/{tail:.*}", not_found)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=config.shutdown)
    await runner.setup()
    try:
        await web.SockSite(runner, listener, backlog=1024).start()
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _http() -> AsyncIterator[Http]:
    http = Http()
    try:
        yield http
    finally:
        await http.close()


def _listening(listen: str) -> socket.socket:
    """The bound port; raise BridgeError where it is not to be had."""
    host, _, port = listen.rpartition(":")
    try:
        family, *_, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        raise BridgeError(f"listen: cannot listen on {listen}: {error.strerror}") from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _settle_down() -> None:
    """What stands now stays: the collector need not look at it, nor so often. That is a sixth of an event's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    return stop, reload


async def _changed(files: Iterable[Path], stamp: Stamp, asked: asyncio.Event) -> None:
    """Return when the files are not as `stamp` says, and nobody is still writing them; or when asked."""
    looked = stamp
    while not asked.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await asked.wait()
        before, looked = looked, _stamp(files)
        if before == looked != stamp:
            break
    asked.clear()


def _stamp(files: Iterable[Path]) -> Stamp:
    """What tells whether one of the files, or a file in one of the folders, has changed."""
    stamp = []
    for path in files:
        for one in _files(path):
            try:
                status = one.stat()
            except OSError:
                stamp.append((str(one), 0, 0))
            else:
                stamp.append((str(one), status.st_mtime_ns, status.st_size))
    return stamp


def _files(path: Path) -> list[Path]:
    """The file, or what lies in the folder; the folder itself where it vanishes meanwhile."""
    try:
        return sorted(path.rglob("*")) if path.is_dir() else [path]
    except OSError:
        return [path]


def _row_failed(row: str, why: str) -> None:
    say(LOG, logging.WARNING, "routing.when_failed", row=row, why=why)
