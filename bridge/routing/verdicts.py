"""Why: what every row of a table said of an event, told from the table as it was and the little that was kept.

What a row says of source and type, and which row stopped the table, follows from the two; only what `when` said of the
event has to be remembered. So a table is kept once, whatever number of events it was asked about.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bridge.event import Event
from bridge.intake import Decision, Table
from bridge.routing.route import Route, matches

KEY_LENGTH = 16  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one row of the table said of an event, and why."""

    row: str
    matched: bool
    why: str


def table_of(rows: Sequence[tuple[str, Route]], enabled: Collection[str]) -> Table:
    """The table as it is kept: each row under its name, with the sinks of it that are disabled."""
    kept = [
        {
            "name": name,
            "route": route.model_dump(mode="json", exclude_defaults=True),
            "disabled": [sink for sink in route.to if sink not in enabled],
        }
        for name, route in rows
    ]
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return Table(sha256(text.encode()).hexdigest()[:KEY_LENGTH], text)


def verdicts(event: Event, decision: Decision) -> list[Verdict]:
    """What each row said of the event, in their order; then what had it sent beside them."""
    told: list[Verdict] = []
    stopped = None
    for row in json.loads(decision.table.rows):
        verdict, route = _verdict(row, event, decision)
        told.append(verdict if stopped is None else Verdict(verdict.row, False, stopped))
        if stopped is None and verdict.matched and route.stop:
            stopped = f"{verdict.row} stopped the table"
    return told + [Verdict(name, True, why) for name, why in decision.beside]


def _verdict(row: Mapping[str, Any], event: Event, decision: Decision) -> tuple[Verdict, Route]:
    name, route = row["name"], Route.model_validate(row["route"])
    refused = refusal(route, event.source, event.type, event.native_type)
    if refused is not None:
        return Verdict(name, False, refused), route
    if name in decision.matched:
        note = "".join(f"; sink {sink} is disabled" for sink in row["disabled"])
        return Verdict(name, True, f"matched {_taking(route, event)}{note}"), route
    reason = dict(decision.failed).get(name)
    return Verdict(name, False, f"when failed: {reason}" if reason is not None else "when was false"), route


def refusal(route: Route, source: str, type_: str, native_type: str) -> str | None:
    """Why the row takes no event of this kind; None where it takes them, as far as `when` agrees."""
    if route.source is not None and source not in route.source:
        return f"source is {source}, not {' or '.join(route.source)}"
    for one in _unwanted(route):
        if matches(one[1:], type_, native_type):
            return f"type {type_} is left out by {one}"
    wanted = _wanted(route)
    if any(matches(one, type_, native_type) for one in wanted):
        return None
    return f"type {type_} is not among {', '.join(wanted)}"


def _taking(route: Route, event: Event) -> str:
    """The first glob that takes the event."""
    return next(one for one in _wanted(route) if matches(one, event.type, event.native_type))


def _wanted(route: Route) -> Sequence[str]:
    return [one for one in route.match if not one.startswith("!")] or ["*"]


def _unwanted(route: Route) -> Sequence[str]:
    return [one for one in route.match if one.startswith("!")]
