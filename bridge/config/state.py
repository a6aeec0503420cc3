"""What the admin side is told of a file that is put in place."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bridge.admin.people.customers import Customers
from bridge.admin.state import ConfigState, NamedWebhook, RowPlace, SourceState
from bridge.admin.trials.dry_run import dry_run
from bridge.config.document import KeyPath, entry_of
from bridge.config.endpoints import endpoints
from bridge.config.load import Loaded
from bridge.config.model import Config
from bridge.messages.renderer import Renderer
from bridge.panels.base import PolledConfig
from bridge.routing import Router
from bridge.store_url import without_password


def config_state(
    path: Path,
    config: Config,
    router: Router,
    renderer: Renderer,
    *,
    brands: Mapping[str, str] | None = None,
    cause: str,
    now: datetime,
    places: Sequence[RowPlace] = (),
) -> ConfigState:
    """All of it. `brands`: whose brand is which; the directory is read for it where that is not given; `places`: where
    each row of the table stands, where that is known.
    """
    return ConfigState(
        file=path.absolute(),
        loaded_at=now,
        cause=cause,
        admin=config.admin_side(),
        sinks=config.all_sinks(),
        table=config.table(),
        places=places,
        sources=source_states(config),
        router=router,
        dry_run=dry_run(config, brands),
        customers=customers(config),
        renderer=renderer,
        zone=config.zone(),
        locale=config.locale,
        store=without_password(config.store),
        keep=config.keep.operators,
        webhooks={
            sink: NamedWebhook(str(one.id) if one.id is not None else None, one.name)
            for sink, one in config.named_webhooks()
        },
    )


def customers(config: Config) -> Customers:
    """What the file says of people."""
    ways = {name: one.addressing() for name, one in config.all_sinks().items()}
    people, directory, realms = config.people, config.directory, config.realms()
    own = next(iter(realms.values()), "")
    return Customers(
        realms=realms,
        ways={name: way for name, way in ways.items() if way is not None and way.audience is not None},
        rules=config.rules(),
        ears=config.ears() if people is not None else None,
        brands=config.brands_ears(),
        holds=people.link_expires if people is not None else 0.0,
        written=lambda key: directory.places_of(key, own) if directory is not None else (),
    )


def source_states(config: Config) -> list[SourceState]:
    """The sources as the admin side is told of them."""
    return [
        SourceState(
            one.name,
            one.panel,
            one.url,
            one.paste,
            config.sources[one.name].silent_after,
            isinstance(config.sources[one.name], PolledConfig),
        )
        for one in endpoints(config)
    ]


def row_places(loaded: Loaded) -> list[RowPlace]:
    """Where each row of the table stands in the file, and what `check` warns of there."""
    doubts: dict[KeyPath, list[str]] = {row: [] for row in loaded.rows}
    for warning in loaded.warnings:
        if (row := warning.path[:2]) in doubts:
            doubts[row].append(warning.text.removeprefix(entry_of(row)).lstrip(": "))
    return [RowPlace(line, tuple(doubts[row])) for row, line in loaded.rows.items()]
