"""What a reload swaps: sources, table, sinks and lanes, once the file or anything it names has changed.

The port, the outbox and what is under way stay. A file that is wrong changes nothing, and says where it is. Nor does
one that has lost a whole section: cut off between two lines a file is still a file, and all events would go nowhere.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path

from bridge.admin.server import Admin
from bridge.admin.state import Rejected
from bridge.alerts.desk import AlertDesk, AlertPlan
from bridge.alerts.reporting import Reporter, ReportPlan
from bridge.alerts.settings import AlertSettings
from bridge.clock import Clock, SystemClock
from bridge.config.load import Loaded, load
from bridge.config.model import Config
from bridge.config.state import config_state, row_places
from bridge.counters import COUNTERS
from bridge.delivery.dispatcher import Dispatcher
from bridge.delivery.resources import LaneSettings
from bridge.delivery.settler import STORE_WAIT
from bridge.errors import BridgeError, ConfigError, Mistake, StoreError, StoreUnavailable
from bridge.incident import ConfigRejected
from bridge.ingress.receiver import Receiver
from bridge.ingress.source import Source
from bridge.messages.renderer import Renderer
from bridge.panels import DIALECTS
from bridge.panels.base import PolledConfig
from bridge.people.brand import templates_of
from bridge.people.directory import overview_of, unchanged
from bridge.people.link import LinkMaker
from bridge.people.proof import ProofKey
from bridge.people.stop_link import StopLinks
from bridge.polling.bot import BotPlan, Bots
from bridge.polling.inbox import Inboxes
from bridge.polling.jobs import Job, jobs_of
from bridge.polling.poller import Poller
from bridge.routing import Router
from bridge.sealing import Sealer, Unmasking
from bridge.sinks import SinkSettings
from bridge.sinks.base import Sink, Tools
from bridge.sinks.http import Http
from bridge.store.base import Outbox
from bridge.telemetry import log
from bridge.value import replace
from bridge.watching import Stamp, changed, stamp_of

LOG = logging.getLogger("bridge.app")
COUNTED = 100_000  # waiting deliveries of a sink that is gone, at the most
NEEDED = ("sources", "sinks", "routes", "webhooks")  # sections that a reload does not empty
#: Settings that a reload does not change.
RESTART_ONLY = (
    "listen",
    "admin.listen",
    "admin.url",
    "public_url",
    "trusted_proxies",
    "store",
    "store_password",
    "secret_key",
    "traces",
    "limits",
    "keep",
    "shutdown",
    "log",
)


class Reloader:
    """Puts what the file says in place: at the start, and whenever it has changed."""

    def __init__(
        self,
        path: Path,
        receiver: Receiver,
        dispatcher: Dispatcher,
        http: Http,
        outbox: Outbox,
        *,
        sealer: Sealer | None = None,
        stops: StopLinks | None = None,
        proof_key: ProofKey | None = None,
        alerts: AlertDesk | None = None,
        reporter: Reporter | None = None,
        admin: Admin | None = None,
        poller: Poller | None = None,
        bots: Bots | None = None,
        inboxes: Inboxes | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._path = path
        self._receiver = receiver
        self._dispatcher = dispatcher
        self._outbox = outbox
        self._stops = stops
        self._proof_key = proof_key
        self._alerts = alerts
        self._reporter = reporter
        self._admin = admin
        self._poller = poller
        self._bots = bots
        self._inboxes = inboxes
        self._clock = clock or SystemClock()
        self._tools = Tools(http, DIALECTS, sealer)
        self._sinks: dict[str, tuple[SinkSettings, Sink]] = {}
        self._loaded: Loaded
        self._stamp: Stamp = {}

    async def apply(self, loaded: Loaded, *, cause: str = "start") -> None:
        """Put what the file says in place, at once for what comes in, and lane by lane for what goes out.

        cause: why it was read: start, change or request
        """
        config = loaded.config
        paths, sealer = config.unmasked_paths(), self._tools.sealer
        unmasking = Unmasking(sealer, paths) if sealer is not None and paths else None
        proof_key = self._proof_key if config.takes_proofs() else None
        sources = {
            name: Source(name, one.panel, one.open(), unmasking=unmasking, proof_key=proof_key)
            for name, one in config.sources.items()
        }
        directory = await asyncio.to_thread(overview_of, config.directory_records())
        recipients = config.recipients(directory.brands)
        router = Router(config.table(), sinks=config.all_sinks(), recipients=recipients, on_error=_log_failed_row)
        opened = {name: self._sink(name, one) for name, one in config.all_sinks().items() if one.enabled}
        links = config.link_maker(recipients.brand_of)
        renderer = await asyncio.to_thread(
            Renderer,
            folders=config.template_folders(),
            timezone=config.zone(),
            locale=config.locale,
            links=links,
            brands=templates_of(config.brands()),
        )
        records = unchanged(config.directory_records(), directory.generation)
        await self._outbox.keep_directory(directory.generation, records)
        # everything is made before anything is put in place: what cannot be made leaves all as it was
        carried = [settings for settings, _ in (*self._sinks.values(), *opened.values())]
        self._loaded, self._sinks = loaded, opened
        changing = {name for name, (settings, _) in opened.items() if settings.cannot_update("subject") is None}
        self._receiver.configure(sources, router, changing=changing)
        sinks = {name: sink for name, (_, sink) in opened.items()}
        if self._alerts is not None:
            self._alerts.configure(_alert_plan(config, router, renderer, sinks))
        if self._reporter is not None:
            self._reporter.configure(report_plan(config, router))
        if self._poller is not None:
            jobs = [job for one in sources.values() for job in _jobs(one)]
            self._poller.configure(jobs, router)
        if self._bots is not None:
            self._bots.configure(_bot_plans(config, links, proof_key))
        if self._inboxes is not None:
            self._inboxes.configure(config.inboxes(sealer))
        if self._admin is not None:
            self._admin.configure(
                config_state(
                    self._path,
                    config,
                    router,
                    renderer,
                    brands=directory.brands,
                    cause=cause,
                    now=self._clock.now(),
                    places=row_places(loaded),
                )
            )
        settings = LaneSettings(renderer, config.zone(), replace(config.rules(), stops=self._stops), links)
        # whoever is replaced ends what it is sending by itself: cut off, that would be sent again
        grace = max([config.shutdown, *(one.timeout for one in carried)])
        await self._dispatcher.carry(sinks, settings, grace=grace)
        COUNTERS.config_applies(time.time())

    async def watch(self, requested: asyncio.Event) -> None:
        """Reload when one of the files has changed, and when that is requested (SIGHUP)."""
        self._stamp = stamp_of(self._loaded.watched)
        while True:
            self._stamp, asked = await changed(self._stamp, requested)
            while not await self._reload(cause="request" if asked else "change"):
                await self._clock.sleep(STORE_WAIT)

    async def _reload(self, *, cause: str) -> bool:
        """Put in place what the files say, which are as they were seen; later, where that changes meanwhile.

        False where the store is away, which is no fault of the files: that has to be tried again.
        """
        before = self._loaded
        try:
            loaded = await self._read()
            if stamp_of(self._stamp) != self._stamp:
                return True  # that is seen as any change is
            self._check_sections(loaded)
            for name in RESTART_ONLY:
                if attrgetter(name)(_whole(loaded.config)) != attrgetter(name)(_whole(before.config)):
                    log(LOG, logging.WARNING, "config.needs_restart", setting=name)
            dropped = self._sinks.keys() - loaded.config.all_sinks().keys()
            await self.apply(loaded, cause=cause)
            self._watch_only(loaded.watched)
            await self._warn_of(dropped)
        except StoreUnavailable as error:
            log(LOG, logging.WARNING, "config.store_away", reason=str(error))
            return False
        except BridgeError as error:
            self._reject(error)
        except Exception as error:  # our own bug: this file is not put in place, and everything else goes on
            log(LOG, logging.ERROR, "config.bug", error=error)
            self._reject(BridgeError(f"{self._path}: a fault of the bridge's own, and the log says where"))
        else:
            log_warnings(self._path, loaded)
            log(LOG, logging.INFO, "config.reloaded", sources=len(loaded.config.sources), sinks=len(self._sinks))
        return True

    async def _read(self) -> Loaded:
        """What the files say. Where it names files that were not watched they are from now on, and it is read again: a
        change of them in between would be missed.
        """
        while True:
            found = await asyncio.to_thread(_loaded, self._path, on_loopback=self._loaded.on_loopback)
            new = [one for one in found.watched if one not in self._stamp]
            self._stamp |= stamp_of(new)
            if not new and isinstance(found, ConfigError):
                self._watch_only((*self._loaded.watched, *found.watched))
                raise found
            if not new and isinstance(found, Loaded):
                return found

    def _watch_only(self, files: Iterable[Path]) -> None:
        self._stamp = {one: self._stamp[one] for one in files}

    def _reject(self, error: BridgeError) -> None:
        """Say what is wrong with the file: every mistake of its own, or why it cannot be put in place."""
        COUNTERS.config_is_rejected()
        mistakes = str(error).splitlines() if isinstance(error, ConfigError) else [str(error)]
        for mistake in mistakes:
            log(LOG, logging.ERROR, "config.rejected", mistake=mistake)
        if self._alerts is not None:
            self._alerts.hear(ConfigRejected(str(self._path), tuple(mistakes)))
        if self._admin is not None:
            found = error.mistakes if isinstance(error, ConfigError) else [Mistake(1, 1, str(error))]
            self._admin.reject(Rejected(self._clock.now(), found))

    def _check_sections(self, loaded: Loaded) -> None:
        for name in NEEDED:
            if getattr(self._loaded.config, name) and not getattr(loaded.config, name):
                lost = f"has no {name} any more, as if it were cut off; where that is meant, restart the bridge"
                raise BridgeError(f"{self._path}: {lost}")

    async def _warn_of(self, dropped: Iterable[str]) -> None:
        """Say which of the sinks that the file does not name any more have left something behind."""
        for name in sorted(dropped):
            try:
                waiting = await self._outbox.backlog(name, now=None, most=COUNTED)
            except StoreError:
                continue  # what waits is there all the same, and `panelbridge lanes` shows it
            if waiting:
                log(LOG, logging.WARNING, "config.sink_dropped", sink=name, waiting=waiting)

    def _sink(self, name: str, config: SinkSettings) -> tuple[SinkSettings, Sink]:
        """The sink of that name, the same object as before where its settings are the same."""
        before = self._sinks.get(name)
        return before if before is not None and before[0] == config else (config, config.open(self._tools))


def _loaded(path: Path, *, on_loopback: bool) -> Loaded | ConfigError:
    """What the file says, or what is wrong with it: both name the files to watch."""
    try:
        return load(path, on_loopback=on_loopback)
    except ConfigError as error:
        return error


def _whole(config: Config) -> Config:
    """The same, with all that it leaves to defaults."""
    return config.model_copy(update={"admin": config.admin_side()})


def _jobs(source: Source) -> Iterable[Job]:
    """What is asked of a source on a clock."""
    return jobs_of(source.name, source.kind, source.panel, source.parse, realm=source.realm, unmasking=source.unmasking)


def _bot_plans(config: Config, links: LinkMaker | None, proof_key: ProofKey | None) -> list[BotPlan]:
    """The bots that customers write to: the file's own, and those that brands have in its place. What customers show is
    taken by the file's own alone: it says nothing of whose they are.
    """
    ears, people = config.ears(), config.people
    if ears is None or people is None or links is None:
        return []
    rules, realms = config.rules(), sorted(set(config.realms().values()))
    plans = [BotPlan(ears, rules, config.locale, people.support, links, proof_key, realms)]
    for name, heard in config.brands_ears().items():
        brand = people.brands[name]
        plans.append(BotPlan(heard, rules, brand.locale or config.locale, brand.support, links.brands[name]))
    return plans


def _alert_plan(config: Config, router: Router, renderer: Renderer, sinks: Mapping[str, Sink]) -> AlertPlan | None:
    """How the bridge tells of itself; None where the file wants nothing told."""
    if not config.wants_alerts():
        return None
    settings = config.alerts or AlertSettings()
    return AlertPlan(
        settings,
        router,
        renderer,
        sinks={name: sinks[name] for name in settings.to if name in sinks},
        silent_after={name: one.silent_after for name, one in config.sources.items() if one.silent_after is not None},
    )


def report_plan(config: Config, router: Router) -> ReportPlan:
    """What the file wants told of days and weeks."""
    limits = {name: one.silent_after for name, one in config.sources.items() if not isinstance(one, PolledConfig)}
    return ReportPlan(
        config.reports,
        config.zone(),
        router,
        frozenset(name for name, sink in config.all_sinks().items() if sink.enabled),
        {name: limit if isinstance(limit, float) else None for name, limit in limits.items()},
        sorted(set(config.realms().values())),
    )


def log_warnings(path: Path, loaded: Loaded) -> None:
    """Say what may be meant in the file, and may not."""
    for one in loaded.warnings:
        log(LOG, logging.WARNING, "config.warning", where=one.where(str(path)), warning=one.text)


def _log_failed_row(row: str, why: str) -> None:
    log(LOG, logging.WARNING, "routing.when_failed", row=row, why=why)
