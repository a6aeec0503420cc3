"""What a reload swaps: sources, table, sinks and lanes, once the file or anything it names has changed.

The port, the outbox and what is under way stay. A file that is wrong changes nothing, and says where it is. Nor does
one that has lost a whole section: cut off between two lines a file is still a file, and all events would go nowhere.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path

from bridge.admin.state import ConfigState, Rejected
from bridge.clock import Clock
from bridge.config.load import Loaded, load
from bridge.config.model import Config
from bridge.config.state import config_state, row_places
from bridge.counters import COUNTERS
from bridge.delivery.settler import STORE_WAIT
from bridge.errors import BridgeError, ConfigError, Mistake, StoreError, StoreUnavailable
from bridge.incident import ConfigRejected
from bridge.people.directory import unchanged
from bridge.reload.parts import Parts
from bridge.reload.plan import BridgePlan, Planner
from bridge.store.base import Outbox
from bridge.telemetry import log
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

    def __init__(self, path: Path, planner: Planner, parts: Parts, outbox: Outbox, clock: Clock) -> None:
        self._path = path
        self._planner = planner
        self._parts = parts
        self._outbox = outbox
        self._clock = clock
        self._plan: BridgePlan | None = None
        self._loaded: Loaded
        self._stamp: Stamp = {}

    async def apply(self, loaded: Loaded, *, cause: str = "start") -> None:
        """Put what the file says in place.

        cause: why it was read: start, change or request
        """
        before = self._plan
        plan = await self._planner.plan(loaded, before=before)
        generation = plan.directory.generation
        await self._outbox.keep_directory(generation, unchanged(plan.config.directory_records(), generation))
        self._loaded, self._plan = loaded, plan
        # whoever is replaced ends what it is sending by itself: cut off, that would be sent again
        carried = [one for some in (before, plan) if some is not None for one in some.settings.values()]
        grace = max([plan.config.shutdown, *(one.timeout for one in carried)])
        await self._parts.configure(plan, self._state(plan, cause), grace=grace)
        COUNTERS.config_applies(time.time())

    def _state(self, plan: BridgePlan, cause: str) -> ConfigState:
        return config_state(
            self._path,
            plan.config,
            plan.router,
            plan.renderer,
            brands=plan.directory.brands,
            cause=cause,
            now=self._clock.now(),
            places=row_places(plan.loaded),
        )

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
            dropped = before.config.enabled_sinks().keys() - loaded.config.all_sinks().keys()
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
            config = loaded.config
            log_warnings(self._path, loaded)
            log(LOG, logging.INFO, "config.reloaded", sources=len(config.sources), sinks=len(config.enabled_sinks()))
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
        self._parts.alerts.hear(ConfigRejected(str(self._path), tuple(mistakes)))
        found = error.mistakes if isinstance(error, ConfigError) else [Mistake(1, 1, str(error))]
        self._parts.admin.reject(Rejected(self._clock.now(), found))

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


def _loaded(path: Path, *, on_loopback: bool) -> Loaded | ConfigError:
    """What the file says, or what is wrong with it: both name the files to watch."""
    try:
        return load(path, on_loopback=on_loopback)
    except ConfigError as error:
        return error


def _whole(config: Config) -> Config:
    """The same, with all that it leaves to defaults."""
    return config.model_copy(update={"admin": config.admin_side()})


def log_warnings(path: Path, loaded: Loaded) -> None:
    """Say what may be meant in the file, and may not."""
    for one in loaded.warnings:
        log(LOG, logging.WARNING, "config.warning", where=one.where(str(path)), warning=one.text)
