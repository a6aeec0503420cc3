"""The composition root: builds every part, introduces them to each other, starts and drains them."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import SystemRandom

import uvloop
from aiohttp import web

from bridge import __version__, tracing
from bridge.admin.actions import BridgeControls
from bridge.admin.errands import Errands
from bridge.admin.reader_pool import LIMIT
from bridge.admin.server import Admin
from bridge.admin.trouble import StoreWatch
from bridge.alerts.desk import AlertDesk
from bridge.alerts.reporting import Reporter
from bridge.clock import Clock, SystemClock
from bridge.cluster.ownership import open_ownership, replica_name
from bridge.config.load import Loaded, load
from bridge.config.model import Config
from bridge.delivery.dispatcher import Dispatcher
from bridge.errors import BridgeError
from bridge.incident import StoreFailing
from bridge.ingress.address import PublicAddress
from bridge.ingress.budget import MemoryBudget
from bridge.ingress.connections import serving
from bridge.ingress.discord import PATH_WORDS, DiscordEndpoint
from bridge.ingress.receiver import Receiver
from bridge.ingress.redelivery import Redelivery
from bridge.ingress.refusals import Refusals
from bridge.ingress.server import Server
from bridge.ingress.stopping import StopEndpoint
from bridge.listening import address_of, bound_socket
from bridge.people.stop_link import PATH as STOP_PATH
from bridge.polled import PollResult
from bridge.polling.bot import Bots
from bridge.polling.inbox import Inboxes
from bridge.polling.poller import Poller
from bridge.reload.parts import Parts
from bridge.reload.plan import Planner
from bridge.reload.reloader import Reloader, log_warnings
from bridge.signals import heard_signals
from bridge.sinks.http import Http
from bridge.sinks.inbox import Bounce
from bridge.store import open_ledger, open_outbox, open_reader
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.bounces import keep_bounced
from bridge.store.queries.chat_updates import THEMSELVES
from bridge.store.queries.wishes import set_stopped
from bridge.store.retention import empty_log_forever, prune_forever
from bridge.store.scrub_apart import scrub_apart
from bridge.telemetry import configure_logging, log
from bridge.trace_export import open_traces

Started = Callable[[Config, str, str | None], Awaitable[None]]

LOG = logging.getLogger("bridge.app")
#: Seconds of `shutdown` for what comes after the last delivery: lanes are given back, the store is closed.
FAREWELL = 1.0
ADMIN_GRACE = 1.0  # seconds that what looks is waited for


def run(path: Path, *, started: Started | None = None, on_loopback: bool = False) -> int:
    """Run the bridge until SIGTERM or SIGINT; 0 when it ended as asked.

    started: is awaited once the ports are open, with where they are: that of panels, and that of the admin side if any

    Raise ConfigError before the port opens where the file is wrong, another BridgeError where it cannot start.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # there is nothing to reload yet
    loaded = load(path, on_loopback=on_loopback)
    configure_logging(loaded.config.log, loaded.config.zone())
    log_warnings(path, loaded)
    return uvloop.run(_run(path, loaded, started))


async def _run(path: Path, loaded: Loaded, started: Started | None) -> int:
    clock, config = SystemClock(), loaded.config
    name, grace = replica_name(), max(config.shutdown - FAREWELL, config.shutdown / 2)
    with bound_socket(config.listen) as listener:
        async with (
            _traces(config, name),
            open_outbox(config.store_url(), replica=name) as outbox,
            _http() as http,
            _tasks() as tasks,
        ):
            # not before: until the store is open, a signal ends the process at once, whatever hangs, and loses nothing
            stop, reload = heard_signals(within=max(config.shutdown, FAREWELL))
            redelivery = Redelivery(clock.now())
            ownership = open_ownership(
                config.store_url(), name=name, on_peer=lambda: redelivery.distrust_all(clock.now())
            )
            alerts = AlertDesk(outbox, clock)
            dispatcher = Dispatcher(
                outbox, ownership, clock=clock, chance=SystemRandom(), tasks=tasks, on_incident=alerts.hear
            )
            alerts.introduce(announce=dispatcher.announce, carries=dispatcher.carries)
            parts = Parts(
                receiver=Receiver(outbox, redelivery, config.limits, announce=dispatcher.announce),
                dispatcher=dispatcher,
                alerts=alerts,
                reporter=Reporter(outbox, clock, announce=dispatcher.announce),
                poller=Poller(outbox, http, clock, announce=dispatcher.announce),
                bots=Bots(outbox, http, clock),
                inboxes=Inboxes(outbox, clock, partial(_keep_bounced, outbox)),
                admin=_admin(config, outbox, dispatcher, alerts, clock, reload),
            )
            reloader = Reloader(path, Planner(http, config), parts, outbox, clock)
            await reloader.apply(loaded)
            owning = tasks.create_task(ownership.run(dispatcher))
            background = [tasks.create_task(one) for one in _background(config, outbox, parts, clock)]
            background.append(tasks.create_task(reloader.watch(reload)))
            refusals = Refusals()
            routes = _routes(parts.receiver, config, refusals, clock, outbox)
            async with (
                serving(listener, routes, config.limits, refusals, shutdown=grace) as connections,
                _admin_side(parts.admin, config) as admin_address,
            ):
                address = address_of(listener)
                log(
                    LOG,
                    logging.INFO,
                    "app.started",
                    version=__version__,
                    listen=address,
                    admin=admin_address,
                    store=outbox.name,
                    connections=connections.cap,
                )
                if started is not None:
                    await started(config, address, admin_address)
                asyncio.get_running_loop().call_later(1, _freeze_heap)
                await stop.wait()
                log(LOG, logging.INFO, "app.stopping", grace=grace)
                for task in background:
                    task.cancel()
                draining = tasks.create_task(dispatcher.drain(grace))  # while requests under way are answered
            await draining
            owning.cancel()
    log(LOG, logging.INFO, "app.stopped")
    return 0


def _admin(
    config: Config, outbox: SqlOutbox, dispatcher: Dispatcher, alerts: AlertDesk, clock: Clock, reload: asyncio.Event
) -> Admin:
    """The admin side, and what it may do."""
    store_watch = StoreWatch(clock.now)
    outbox.tell_failures(lambda reason: _store_failed(reason, alerts, store_watch))
    controls = BridgeControls(
        reload=reload.set,
        resume=outbox.resume,
        ready=outbox.check,
        carries=dispatcher.carries,
        operate=outbox.operate,
        probe=dispatcher.probe,
        errands=Errands(lambda: open_ledger(config.store_url())),
        scrub=partial(scrub_apart, config.store_url()),
        trouble=store_watch.trouble,
    )
    return Admin(clock, controls, open_reader=lambda: open_reader(config.store_url(), limit=LIMIT))


def _background(config: Config, outbox: SqlOutbox, parts: Parts, clock: Clock) -> Iterator[Coroutine[None, None, None]]:
    """What goes on beside requests and lanes, until the bridge stops."""
    yield prune_forever(outbox, keep=config.keep, clock=clock)
    yield empty_log_forever(outbox.empty_log, clock=clock)
    yield parts.dispatcher.regroup_forever()
    yield parts.alerts.run()
    yield parts.reporter.run()
    yield parts.poller.run()
    yield parts.bots.run()
    yield parts.inboxes.run()
    yield parts.admin.finish_announcements()


@asynccontextmanager
async def _tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """A group of tasks out of which a reason not to start comes as it is: what a person can mend is said to him."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except ExceptionGroup as group:
        match group.exceptions:
            case [BridgeError() as reason]:
                raise reason from None
        raise


def _routes(
    receiver: Receiver, config: Config, refusals: Refusals, clock: Clock, outbox: SqlOutbox
) -> list[web.RouteDef]:
    """All that is answered, the last route what nothing else takes."""
    budget = MemoryBudget(config.limits)
    server = Server(receiver, budget, refusals, clock, ready=outbox.check)
    discord = DiscordEndpoint(
        receiver, budget, refusals, clock, PublicAddress(config.public_url, config.trusted_proxies)
    )
    stops, keep_stop = config.stop_links(), partial(_keep_stop, outbox, clock)
    stopping = StopEndpoint(stops, keep_stop, refusals, not_found=server.not_found).routes() if stops else []
    return [*server.routes(), *discord.routes(), *stopping, server.rest((*PATH_WORDS, STOP_PATH))]


async def _keep_stop(outbox: SqlOutbox, clock: Clock, scope: str, stop: bool) -> None:
    """Keep that somebody wants nothing, or is to be told again, where that is not so already."""
    if (await outbox.known("", [scope]))[scope].wants.stopped is not stop:
        await outbox.operate(lambda ledger: ledger.write(set_stopped, scope, stop=stop, by=THEMSELVES, now=clock.now()))


async def _keep_bounced(
    outbox: SqlOutbox, sender: str, bounces: Sequence[Bounce], result: PollResult, now: datetime
) -> bool:
    """Keep that mailboxes are gone to which letters came back; False where the turn is over."""
    gone = [(one.place, one.reason) for one in bounces]
    return await outbox.operate(lambda ledger: ledger.write(keep_bounced, sender, gone, result, now=now))


@asynccontextmanager
async def _admin_side(admin: Admin, config: Config) -> AsyncIterator[str | None]:
    """Where the admin side listens; None where it does not: the file wants none, or it need not and cannot."""
    listen = config.admin_side().listen
    try:
        listener = None if listen is None else bound_socket(listen, setting="admin.listen")
    except BridgeError as error:
        if config.admin is not None:
            raise
        log(LOG, logging.WARNING, "admin.not_listening", reason=str(error))
        listener = None
    if listener is None:
        yield None
        return
    with listener:
        address = address_of(listener)
        async with admin.serve(listener, address, shutdown=ADMIN_GRACE):
            yield address


def _store_failed(reason: str, alerts: AlertDesk, watch: StoreWatch) -> None:
    alerts.hear(StoreFailing(reason))
    watch.failed(reason)


@asynccontextmanager
async def _traces(config: Config, replica: str) -> AsyncIterator[None]:
    """Spans are made meanwhile, where anybody wants them."""
    opened = open_traces(config.traces, version=__version__, replica=replica)
    tracing.start(opened)
    try:
        yield
    finally:
        tracing.start(None)
        if opened is not None:
            await asyncio.to_thread(opened.close)


@asynccontextmanager
async def _http() -> AsyncIterator[Http]:
    http = Http()
    try:
        yield http
    finally:
        await http.close()


def _freeze_heap() -> None:
    """What stands now stays: the collector need not look at it, nor so often. That is a sixth of an event's time.

    Why it does not look once before: hardly anything that a start makes is garbage, and everybody would wait for 60 ms.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
