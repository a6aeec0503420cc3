"""What the file says, ready to be asked what would happen: its sources, its table, its sinks and its templates.

None of it is what the bridge runs with: whatever is tried here counts nowhere, and no socket is opened.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from bridge.errors import UnknownName
from bridge.messages.renderer import Renderer
from bridge.panels import DIALECTS, SourceSettings
from bridge.people.brand import Brands, templates_of
from bridge.people.recipient import Recipients
from bridge.people.rules import NO_RULES, CustomerRules
from bridge.routing import Route, Router
from bridge.sinks import SinkSettings
from bridge.sinks.base import Sink, Tools
from bridge.sinks.http import Http
from bridge.value import Value, field


class Configuration(Protocol):
    """All that is asked of the file."""

    @property
    def sources(self) -> Mapping[str, SourceSettings]: ...

    @property
    def locale(self) -> str: ...

    def all_sinks(self) -> Mapping[str, SinkSettings]: ...

    def table(self) -> Sequence[tuple[str, Route]]: ...

    def template_folders(self) -> Sequence[Path]: ...

    def zone(self) -> ZoneInfo: ...

    def recipients(self, owners: Mapping[str, str] | None = None) -> Recipients: ...

    def rules(self) -> CustomerRules: ...


class DryRun(Value):
    """The file, as far as previews need it.

    sources  their settings, by name; each has its panel's word under `panel`
    rows     the table, each row under its name
    locale   the language of what names none
    brands   who speaks to whose customers
    rules    what holds for these
    folders  of the operator's templates
    """

    sources: Mapping[str, SourceSettings]
    sinks: Mapping[str, SinkSettings]
    rows: Mapping[str, Route]
    router: Router
    renderer: Renderer
    zone: ZoneInfo
    locale: str
    brands: Brands = field(default_factory=Brands)
    rules: CustomerRules = NO_RULES
    folders: Sequence[Path] = ()
    _opened: dict[str, Sink] = field(default_factory=dict)

    def sink(self, name: str) -> Sink:
        """The sink of that name, opened once; raise UnknownName where there is none."""
        if name not in self.sinks:
            raise UnknownName(f'no sink named "{name}": there are {", ".join(self.sinks) or "none"}')
        if name not in self._opened:
            self._opened[name] = self.sinks[name].open(Tools(Http(), DIALECTS))
        return self._opened[name]


def dry_run(config: Configuration, owners: Mapping[str, str] | None = None) -> DryRun:
    """The file, ready to be asked. `owners`: whose brand is which; the directory is read where that is not given."""
    sinks, table, recipients = config.all_sinks(), config.table(), config.recipients(owners)
    renderer = Renderer(
        folders=config.template_folders(),
        timezone=config.zone(),
        locale=config.locale,
        brands=templates_of(recipients.brands.known),
    )
    return DryRun(
        config.sources,
        sinks,
        dict(table),
        Router(table, sinks=sinks, recipients=recipients),
        renderer,
        config.zone(),
        config.locale,
        recipients.brands,
        config.rules(),
        config.template_folders(),
    )
