"""Routing: which sinks an event goes to, and why. Pure: an event and a table in, a fate out.

Every row that matches applies, from the top down, until one that says `stop`. A sink gets an event once, however
many rows name it: the first row that does decides the template and the terms.

*Why* the two steps: what a row says of the source and the type is the same for every event of that kind, so it is
found once and kept; only `when` looks at the event itself.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Literal, Protocol

from pydantic import Field, field_validator

from bridge.event import Event
from bridge.expressions import FAULTS, Expression, compile_expression, names_in
from bridge.intake import Destination, Routed, Verdict
from bridge.settings import Duration, Names, Settings
from bridge.terms import DigestWindow, Quiet, Terms
from bridge.vocabulary import KEYS

#: What a `when` expression can speak of.
SCOPE = ("event", "data", "type", "native_type", "subject", "source", "panel", "native")
#: How many kinds of event (source, type, native type) the verdicts are kept for, and how long a name may be for that.
KEPT, NAME_KEPT = 1024, 200


class Route(Settings):
    """One row of the table."""

    match: Names = Field(
        ("*",), min_length=1, description="canonical or native types, as in user.*; !user.login leaves one out"
    )
    source: Names | None = Field(None, min_length=1, description="only events of these sources")
    when: Expression | None = Field(
        None, description="only if this Jinja expression is true, as in data.owner == 'reseller-7'"
    )
    to: Names = Field(min_length=1, description="the sinks that get the event")
    template: str | None = Field(None, description="the template to use instead of the event's own")
    stop: bool = Field(False, description="true: no row below applies to an event that matched this one")
    digest: DigestWindow | None = Field(None, description="events of this row become one message, for each sink")
    hold: Duration | None = Field(
        None,
        gt=0,
        le=86400,
        description="how long lost, disconnected, disabled … wait for their opposite, to cancel out",
    )
    quiet: Quiet | None = Field(None, description="hours in which nobody should be woken; in place of the sink's own")
    update: Literal["subject", "thread"] | None = Field(
        None, description="subject: edits the last message about the same subject; thread: answers it"
    )
    fallback: Names = Field(
        (), max_length=16, description="the sink that is told instead, when one of these could not be; or several"
    )
    fallback_after: Duration = Field(600.0, gt=0, description="also when the service has been away for so long")

    def terms(self) -> Terms | None:
        """What its deliveries are kept with, None where the row asks for nothing."""
        asked = Terms(
            digest=self.digest,
            hold=self.hold,
            quiet=self.quiet,
            update=self.update,
            fallback=self.fallback,
            fallback_after=self.fallback_after if self.fallback else None,
        )
        return None if asked == Terms() else asked

    @field_validator("when")
    @classmethod
    def _has_known_names(cls, value: str | None) -> str | None:
        if unknown := names_in(value) - set(SCOPE) if value is not None else ():
            name = min(unknown)
            hint = (
                "write none"
                if name in ("null", "nil", "undefined")
                else f"write data.{name}"
                if name in KEYS
                else f"there are {', '.join(SCOPE)}"
            )
            raise ValueError(f"speaks of {name}, which is not there: {hint}")
        return value


class Switch(Protocol):
    """All that the table knows of a sink."""

    @property
    def enabled(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    route: Route
    sinks: tuple[str, ...]  # those that are enabled
    terms: Terms | None
    note: str  # what to add to the reason when it matches
    when: Callable[..., Any] | None


class Router:
    """The table, ready to be asked. `failures` counts the errors in each row's `when`."""

    def __init__(
        self,
        rows: Sequence[tuple[str, Route]],
        *,
        sinks: Mapping[str, Switch],
        on_error: Callable[[str, str], None] = lambda row, reason: None,
    ) -> None:
        self.failures: Counter[str] = Counter()
        enabled = {name for name, sink in sinks.items() if sink.enabled}
        self._rows = [_row(name, route, enabled) for name, route in rows]
        self._on_error = on_error
        self._kept = lru_cache(KEPT)(self._verdicts)

    def route(self, event: Event) -> Routed:
        """Where the event goes, and what every row said of it."""
        destinations: dict[str, Destination] = {}
        verdicts: list[Verdict] = []
        stopped = None
        for row, verdict in self._by_kind(event):
            if stopped:
                verdicts.append(Verdict(row.name, False, stopped))
                continue
            if verdict.matched and row.when is not None:
                verdict = self._ask(row, row.when, verdict, event)
            verdicts.append(verdict)
            if verdict.matched:
                for sink in row.sinks:
                    destinations.setdefault(sink, Destination(sink, row.name, row.route.template, row.terms))
                stopped = f"{row.name} stopped the table" if row.route.stop else None
        return Routed(event, tuple(destinations.values()), tuple(verdicts))

    def _by_kind(self, event: Event) -> Sequence[tuple[_Row, Verdict]]:
        # a panel's strange names must not fill the memory
        short = max(len(event.type), len(event.native_type)) <= NAME_KEPT
        return (self._kept if short else self._verdicts)(event.source, event.type, event.native_type)

    def _verdicts(self, source: str, type_: str, native_type: str) -> Sequence[tuple[_Row, Verdict]]:
        return [(row, _by_kind(row, source, type_, native_type)) for row in self._rows]

    def _ask(self, row: _Row, when: Callable[..., Any], verdict: Verdict, event: Event) -> Verdict:
        try:
            true = bool(when(_scope(event)))
        except FAULTS as error:
            return Verdict(row.name, False, f"when failed: {self._failed(row.name, error)}")
        return verdict if true else Verdict(row.name, False, "when was false")

    def _failed(self, row: str, error: BaseException) -> str:
        self.failures[row] += 1
        reason = (str(error) or type(error).__name__)[:200]
        if self.failures[row] == 1:
            self._on_error(row, reason)
        return reason


def _row(name: str, route: Route, enabled: Collection[str]) -> _Row:
    sinks = tuple(dict.fromkeys(sink for sink in route.to if sink in enabled))
    note = "".join(f"; sink {sink} is disabled" for sink in route.to if sink not in enabled)
    return _Row(
        name, route, sinks, route.terms(), note, compile_expression(route.when) if route.when is not None else None
    )


def _by_kind(row: _Row, source: str, type_: str, native_type: str) -> Verdict:
    """What the row says of all events of a kind."""
    if row.route.source is not None and source not in row.route.source:
        return Verdict(row.name, False, f"source is {source}, not {' or '.join(row.route.source)}")
    wanted = [one for one in row.route.match if not one.startswith("!")]
    unwanted = [one for one in row.route.match if one.startswith("!")]
    for one in unwanted:
        if matches(one[1:], type_, native_type):
            return Verdict(row.name, False, f"type {type_} is left out by {one}")
    for one in wanted or ["*"]:
        if matches(one, type_, native_type):
            return Verdict(row.name, True, f"matched {one}{row.note}")
    return Verdict(row.name, False, f"type {type_} is not among {', '.join(wanted)}")


def matches(glob: str, type_: str, native_type: str) -> bool:
    """Whether the glob takes the event's canonical or its native type."""
    return fnmatchcase(type_, glob) or fnmatchcase(native_type, glob)


def _scope(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in SCOPE[1:]} | {"event": event}
