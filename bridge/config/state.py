"""What the admin side is told of a file that is put in place."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bridge.admin.dry_run import dry_run
from bridge.admin.state import ConfigState, NamedWebhook, RowPlace, SourceState
from bridge.config.endpoints import endpoints
from bridge.config.load import Loaded
from bridge.config.model import Config
from bridge.messages.renderer import Renderer
from bridge.panels.base import PolledConfig
from bridge.routing import Router
from bridge.store_url import without_password

_OF_A_ROW = re.compile(r"(route|webhook) (\d+)(?:: |\.|(?= ))")


def config_state(
    path: Path,
    config: Config,
    router: Router,
    renderer: Renderer,
    *,
    cause: str,
    now: datetime,
    places: Sequence[RowPlace] = (),
) -> ConfigState:
    """All of it; `places`: where each row of the table stands, where that is known."""
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
        dry_run=dry_run(config),
        renderer=renderer,
        zone=config.zone(),
        locale=config.locale,
        store=without_password(config.store),
        keep=config.keep,
        webhooks={
            sink: NamedWebhook(str(one.id) if one.id is not None else None, one.name)
            for sink, one in config.named_webhooks()
        },
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
    routes = len(loaded.config.routes)
    labels = [("route", index + 1) if index < routes else ("webhook", index - routes + 1) for index, _ in
              enumerate(loaded.row_lines)]  # fmt: skip
    warned: dict[tuple[str, int], list[str]] = {}
    for warning in loaded.warnings:
        if found := _OF_A_ROW.match(warning.text):
            warned.setdefault((found[1], int(found[2])), []).append(warning.text[found.end() :].lstrip())
    return [RowPlace(line, tuple(warned.get(label, ()))) for label, line in zip(labels, loaded.row_lines, strict=True)]
