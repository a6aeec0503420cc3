"""Why: what every row of a table said of an event, told from the table as it was and the little that was kept.

What a row says of source and type, and which row stopped the table, follows from the two; only what `when` said of the
event has to be remembered. So a table is kept once, whatever number of events it was asked about.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from hashlib import sha256

from bridge.event import Event, JsonObject
from bridge.intake import Decision, Table
from bridge.routing.route import Route, matches
from bridge.value import Value, field

KEY_LENGTH = 16  # hexadecimal digits


class Reason(Enum):
    """Why a row took an event, or did not: a text, into which the values of a verdict are put."""

    MATCHED = "matched {glob}"
    SOURCE = "source is {source}, not {taken}"
    LEFT_OUT = "type {type} is left out by {glob}"
    TYPE = "type {type} is not among {globs}"
    FALSE = "when was false"
    FAILED = "when failed: {error}"
    STOPPED = "{row} stopped the table"
    BESIDE = "{why}"  # no row: what else had it sent


class Verdict(Value):
    """What one row of the table said of an event, and why.

    values     what the reason speaks of, by the names in its text; of a match also the `name` of the event that matched
    condition  whether its `when` was asked, and was true
    disabled   its sinks that are disabled, and so get nothing
    """

    row: str
    reason: Reason
    values: Mapping[str, str] = field(default_factory=dict)
    condition: bool = False
    disabled: tuple[str, ...] = ()

    @property
    def matched(self) -> bool:
        return self.reason in (Reason.MATCHED, Reason.BESIDE)

    @property
    def why(self) -> str:
        return self.reason.value.format_map(self.values) + "".join(f"; sink {one} is disabled" for one in self.disabled)

    def to_json(self) -> JsonObject:
        return {
            "row": self.row,
            "matched": self.matched,
            "why": self.why,
            "reason": self.reason.name.lower(),
            "values": dict(self.values),
            "condition": self.condition,
            "disabled": list(self.disabled),
        }


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
    stopped_by = None
    for row in json.loads(decision.table.rows):
        if stopped_by is not None:
            told.append(Verdict(row["name"], Reason.STOPPED, {"row": stopped_by}))
            continue
        route = Route.model_validate(row["route"])
        verdict = _verdict(row["name"], route, row["disabled"], event, decision)
        told.append(verdict)
        stopped_by = verdict.row if verdict.matched and route.stop else None
    return told + [Verdict(name, Reason.BESIDE, {"why": why}) for name, why in decision.beside]


def _verdict(name: str, route: Route, disabled: Sequence[str], event: Event, decision: Decision) -> Verdict:
    refused = refusal(route, event.source, event.type, event.native_type)
    if refused is not None:
        return Verdict(name, *refused)
    if name in decision.matched:
        condition = route.when is not None
        return Verdict(name, Reason.MATCHED, _match(route, event), condition=condition, disabled=tuple(disabled))
    error = dict(decision.failed).get(name)
    return Verdict(name, Reason.FALSE) if error is None else Verdict(name, Reason.FAILED, {"error": error})


def refusal(route: Route, source: str, type_: str, native_type: str) -> tuple[Reason, Mapping[str, str]] | None:
    """Why the row takes no event of this kind; None where it takes them, as far as `when` agrees."""
    if route.source is not None and source not in route.source:
        return Reason.SOURCE, {"source": source, "taken": " or ".join(route.source)}
    return type_refusal(route, type_, native_type)


def type_refusal(route: Route, type_: str, native_type: str) -> tuple[Reason, Mapping[str, str]] | None:
    """Why the row takes no event of this type, whichever source it is of; None where it takes them."""
    for one in _unwanted(route):
        if matches(one[1:], type_, native_type):
            return Reason.LEFT_OUT, {"type": type_, "glob": one}
    wanted = _wanted(route)
    if any(matches(one, type_, native_type) for one in wanted):
        return None
    return Reason.TYPE, {"type": type_, "globs": ", ".join(wanted)}


def _match(route: Route, event: Event) -> Mapping[str, str]:
    """The first glob that takes the event, and the name that it takes it by."""
    glob = next(one for one in _wanted(route) if matches(one, event.type, event.native_type))
    return {"glob": glob, "name": event.type if matches(glob, event.type, event.type) else event.native_type}


def _wanted(route: Route) -> Sequence[str]:
    return [one for one in route.match if not one.startswith("!")] or ["*"]


def _unwanted(route: Route) -> Sequence[str]:
    return [one for one in route.match if one.startswith("!")]
