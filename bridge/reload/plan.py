"""The plan of a bridge: all that a file asks for, made before any of it is put in place.

What cannot be made leaves all as it was.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence

from bridge.config.load import Loaded
from bridge.config.model import Config
from bridge.delivery.resources import LaneSettings
from bridge.ingress.source import Source
from bridge.messages.renderer import Renderer
from bridge.panels import DIALECTS
from bridge.people.brand import templates_of
from bridge.people.directory import Overview, overview_of
from bridge.people.link import LinkMaker
from bridge.people.proof import ProofKey
from bridge.polling.jobs import Job, jobs_of
from bridge.routing import Router
from bridge.sealing import Unmasking
from bridge.sinks import SinkSettings
from bridge.sinks.base import Sink, Tools
from bridge.sinks.http import Http
from bridge.sinks.inbox import Inbox
from bridge.telemetry import log
from bridge.value import Value, replace

LOG = logging.getLogger("bridge.app")


class BridgePlan(Value, kw_only=True):
    """What came of one file.

    settings   of the sinks that are enabled, by their names, as `sinks` are
    jobs       what is asked of panels on a clock
    inboxes    where letters come back to
    proof_key  what hashes proofs; None where customers show none
    """

    loaded: Loaded
    directory: Overview
    sources: Mapping[str, Source]
    router: Router
    lanes: LaneSettings
    settings: Mapping[str, SinkSettings]
    sinks: Mapping[str, Sink]
    jobs: Sequence[Job]
    inboxes: Sequence[Inbox]
    proof_key: ProofKey | None

    @property
    def config(self) -> Config:
        return self.loaded.config

    @property
    def renderer(self) -> Renderer:
        return self.lanes.renderer


class Planner:
    """Makes plans. What comes of `secret_key` and `public_url` stays what it was in the file of the start."""

    def __init__(self, http: Http, config: Config) -> None:
        self._tools = Tools(http, DIALECTS, config.sealer())
        self._stops = config.stop_links()
        self._proof_key = config.proof_key()

    async def plan(self, loaded: Loaded, *, before: BridgePlan | None = None) -> BridgePlan:
        """What a file asks for. A sink whose settings are as they were `before` is the same object as then.

        Raise BridgeError where something cannot be made.
        """
        config = loaded.config
        proof_key = self._proof_key if config.takes_proofs() else None
        sources = self._sources(config, proof_key)
        directory = await asyncio.to_thread(overview_of, config.directory_records())
        settings = config.enabled_sinks()
        recipients = config.recipients(directory.brands)
        return BridgePlan(
            loaded=loaded,
            directory=directory,
            sources=sources,
            router=Router(config.table(), sinks=config.all_sinks(), recipients=recipients, on_error=_log_failed_row),
            settings=settings,
            sinks={name: self._sink(name, one, before) for name, one in settings.items()},
            lanes=await self._lanes(config, config.link_maker(recipients.brand_of)),
            jobs=[job for one in sources.values() for job in _jobs(one)],
            inboxes=config.inboxes(self._tools.sealer),
            proof_key=proof_key,
        )

    def _sources(self, config: Config, proof_key: ProofKey | None) -> Mapping[str, Source]:
        paths, sealer = config.unmasked_paths(), self._tools.sealer
        unmasking = Unmasking(sealer, paths) if sealer is not None and paths else None
        return {
            name: Source(name, one.panel, one.open(), unmasking=unmasking, proof_key=proof_key)
            for name, one in config.sources.items()
        }

    async def _lanes(self, config: Config, links: LinkMaker | None) -> LaneSettings:
        renderer = await asyncio.to_thread(
            Renderer,
            folders=config.template_folders(),
            timezone=config.zone(),
            locale=config.locale,
            links=links,
            brands=templates_of(config.brands()),
        )
        return LaneSettings(renderer, config.zone(), replace(config.rules(), stops=self._stops), links)

    def _sink(self, name: str, settings: SinkSettings, before: BridgePlan | None) -> Sink:
        if before is not None and before.settings.get(name) == settings:
            return before.sinks[name]
        return settings.open(self._tools)


def _jobs(source: Source) -> Iterable[Job]:
    return jobs_of(source.name, source.kind, source.panel, source.parse, realm=source.realm, unmasking=source.unmasking)


def _log_failed_row(row: str, why: str) -> None:
    log(LOG, logging.WARNING, "routing.when_failed", row=row, why=why)
