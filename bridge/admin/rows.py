"""The rows of the table as it was when an event came, and how they read in the file."""

import json
from collections.abc import Mapping

from bridge.event import JsonObject
from bridge.intake import Decision, Table
from bridge.routing import Route


def table_rows(said: Decision | list[JsonObject]) -> Mapping[str, Route]:
    """The rows that a stored event was shown to, by their names; none where only what they said was kept."""
    if isinstance(said, list):
        return {}
    return rows_of(said.table)


def rows_of(table: Table) -> Mapping[str, Route]:
    """The rows of a table, by their names."""
    return {row["name"]: Route.model_validate(row["route"]) for row in json.loads(table.rows)}


def row_text(route: Route) -> str:
    """What a row takes, as the file says it: `match: [user.*, "!user.login"] · source: marzban · when: …`."""
    parts = [f"match: {_names(route.match)}"]
    parts += [f"source: {_names(route.source)}"] if route.source else []
    parts += [f"when: {route.when}"] if route.when else []
    parts += ["stop: true"] if route.stop else []
    return " · ".join(parts)


def _names(names: tuple[str, ...]) -> str:
    quoted = [f'"{one}"' if one[:1] in "!*" else one for one in names]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"
