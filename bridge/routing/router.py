"""The table, ready to be asked.

*Why* the two steps: what a row says of the source and the type is the same for every event of that kind, so the rows
that take it are found once and kept; only `when` looks at the event itself.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from bridge.event import Event
from bridge.expressions import FAULTS, Condition, new_context
from bridge.intake import Decision, Destination, Routed
from bridge.people.recipient import Recipients
from bridge.people.thresholds import renewals_of, threshold_of
from bridge.routing.route import SCOPE, Route
from bridge.routing.verdicts import refusal, table_of
from bridge.value import Value, replace

#: How many kinds of event (source, type, native type) their rows are kept for, and how long a name may be for that.
KEPT, NAME_KEPT = 1024, 200


class Switch(Protocol):
    """All that the table knows of a sink."""

    @property
    def enabled(self) -> bool: ...


class _Row(Value):
    name: str
    route: Route
    destinations: Mapping[str, Destination]  # by the sinks that are enabled
    when: Condition | None


class Router:
    """The table, ready to be asked. `failures` counts the errors in each row's `when`."""

    def __init__(
        self,
        rows: Sequence[tuple[str, Route]],
        *,
        sinks: Mapping[str, Switch],
        recipients: Recipients | None = None,
        on_error: Callable[[str, str], None] = lambda row, reason: None,
    ) -> None:
        self.failures: Counter[str] = Counter()
        self._enabled = enabled = {name for name, sink in sinks.items() if sink.enabled}
        self.table = table_of(rows, enabled)
        self._rows = [_row(name, route, enabled) for name, route in rows]
        self._recipients = recipients or Recipients()
        self._has_customers = self._recipients.has_customers
        self._on_error = on_error
        self._kept = lru_cache(KEPT)(self._rows_of)

    @property
    def names(self) -> Sequence[str]:
        """Of the rows, in their order."""
        return [row.name for row in self._rows]

    def route(self, event: Event) -> Routed:
        """Where the event goes, and what the rows said of it."""
        destinations: dict[str, Destination] = {}
        matched: list[str] = []
        failed: list[tuple[str, str]] = []
        for row in self._applying(event, failed):
            matched.append(row.name)
            for destination in row.destinations.values():
                to = self._recipients.branded(destination, event)
                if to.sink in self._enabled and to.sink not in destinations:
                    destinations[to.sink] = self._with_recipient(to, event)
        decision = Decision(self.table, tuple(matched), tuple(failed))
        renewals = renewals_of(event) if self._has_customers else ()
        return Routed(event, tuple(destinations.values()), decision, renewals=renewals)

    def _with_recipient(self, destination: Destination, event: Event) -> Destination:
        """The destination as the row names it, or, where the sink has many addresses, for whom the event is."""
        sink = destination.sink
        if sink not in self._recipients.audiences:
            return destination
        once = threshold_of(event) if self._recipients.is_customers(sink) else None
        return replace(destination, recipient=self._recipients.of(sink, event), once=once)

    def _applying(self, event: Event, failed: list[tuple[str, str]]) -> Iterator[_Row]:
        """The rows that apply, down to one that stops the table; those whose `when` fails are added to `failed`."""
        context = None
        for row in self._of_kind(event):
            if row.when is not None:
                context = context or new_context(_scope(event))
                try:
                    if not row.when(context):
                        continue
                except FAULTS as error:
                    failed.append((row.name, self._reason(row.name, error)))
                    continue
            yield row
            if row.route.stop:
                return

    def _of_kind(self, event: Event) -> Sequence[_Row]:
        # a panel's strange names must not fill the memory
        short = max(len(event.type), len(event.native_type)) <= NAME_KEPT
        return (self._kept if short else self._rows_of)(event.source, event.type, event.native_type)

    def _rows_of(self, source: str, type_: str, native_type: str) -> Sequence[_Row]:
        return [row for row in self._rows if refusal(row.route, source, type_, native_type) is None]

    def _reason(self, row: str, error: BaseException) -> str:
        self.failures[row] += 1
        reason = (str(error) or type(error).__name__)[:200]
        if self.failures[row] == 1:
            self._on_error(row, reason)
        return reason


def _row(name: str, route: Route, enabled: Collection[str]) -> _Row:
    terms = route.terms()
    destinations = {sink: Destination(sink, name, route.template, terms) for sink in route.to if sink in enabled}
    return _Row(name, route, destinations, Condition(route.when) if route.when is not None else None)


def _scope(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in SCOPE[1:]} | {"event": event}
