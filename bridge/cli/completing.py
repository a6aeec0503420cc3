"""What Tab offers: sinks and sources out of the file, types, subjects out of the store.

Somebody waits for it at each press: nothing of the bridge is imported but words, the file is read without being
understood, the store by a few seeks in an index, and only where it is a file. What cannot be had so offers nothing.
"""

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bridge.cli.console import VARIABLE, default_path

if TYPE_CHECKING:
    import yaml

MOST = 50  # subjects that are offered
PATIENCE = 0.2  # seconds that a locked store is waited for
_NEXT = (
    "SELECT subject FROM events"
    " WHERE subject IS NOT NULL AND substr(subject, 1, 200) >= ? AND substr(subject, 1, 200) > ?"
    " ORDER BY substr(subject, 1, 200), id LIMIT 1"
)


def sink_names(ctx: typer.Context, incomplete: str) -> list[str]:
    return [one for one in _names(ctx, "sinks") if one.startswith(incomplete)]


def source_names(ctx: typer.Context, incomplete: str) -> list[str]:
    from bridge.vocabulary import OWN_SOURCE

    return [one for one in (*_names(ctx, "sources"), OWN_SOURCE) if one.startswith(incomplete)]


def type_names(incomplete: str) -> list[str]:
    from bridge.vocabulary import TYPES

    return [one for one in TYPES if one.startswith(incomplete)]


def subjects(ctx: typer.Context, incomplete: str) -> list[str]:
    """Those that begin so, each once."""
    store = _scalar(ctx, "store")
    file = Path(store.removeprefix("sqlite:///")) if store.startswith("sqlite:///") else None
    return list(_subjects(file, incomplete)) if file is not None and file.is_file() else []


def _subjects(file: Path, incomplete: str) -> Iterator[str]:
    import sqlite3

    last, address = "", f"{file.absolute().as_uri()}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, PATIENCE, uri=True)) as store:
        for _ in range(MOST):
            found = store.execute(_NEXT, (incomplete, last)).fetchone()
            if found is None or not found[0].startswith(incomplete):
                return
            last = found[0][:200]
            if found[0].isprintable():
                yield found[0]


def _names(ctx: typer.Context, section: str) -> list[str]:
    """What the entries of a section are called."""
    return [key.value for key, _ in _entries(_section(ctx, section))]


def _scalar(ctx: typer.Context, setting: str) -> str:
    """A setting as it is written, with what the environment says; the store's default where it is not there."""
    node = _section(ctx, setting)
    return os.path.expandvars(str(node.value)) if node is not None else "sqlite:///panelbridge.db"


def _section(ctx: typer.Context, name: str) -> "yaml.Node | None":
    """What stands under a key of the file; None where there is none, or the file cannot be read."""
    import yaml

    from bridge.config.syntax import compose

    given = ctx.params.get("config") or ctx.params.get("file") or os.environ.get(VARIABLE)
    path = Path(given) if given else default_path()
    try:
        root = compose(path.read_text("utf-8")) if path is not None else None
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    return next((value for key, value in _entries(root) if key.value == name), None)


def _entries(node: "yaml.Node | None") -> "list[tuple[yaml.Node, yaml.Node]]":
    import yaml

    return node.value if isinstance(node, yaml.MappingNode) else []
