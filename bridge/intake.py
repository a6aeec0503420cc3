"""What the door hands to the outbox in one commit: events, where each goes and why, and what was set aside."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bridge.event import Event
from bridge.originals import Originals
from bridge.terms import Terms
from bridge.value import Value, replace


class Threshold(Value):
    """A step of what a customer is told of once: they have used so much, or have so long left.

    family  left or used: of each family a customer is at one step
    cycle   what begins anew with a renewal: the end of the plan, the size of the traffic
    rank    how high the step is
    mark    a figure that never falls within a cycle: where it does, something was reset that no panel told; 0 where it
            is not known
    """

    family: str
    cycle: str
    rank: int
    mark: int = 0


class Renewal(Value):
    """What begins anew with an event, whatever the steps that come next say of their cycle: those of a family that are
    as high as `least`, or higher.
    """

    family: str
    least: int


class Destination(Value):
    """One event for one sink, as the table decided: the first row that named the sink, its template and its terms.

    sealed: originals of what is masked in the event, for this sink alone; None where it is given none.
    recipient: the key of whom it is for, where the sink has many addresses; None where nobody is meant, or nobody in it
    once: the step that a customer is told of once; None where it is told whenever it comes
    """

    sink: str
    row: str
    template: str | None = None
    terms: Terms | None = None
    sealed: str | None = None
    recipient: str | None = None
    once: Threshold | None = None


class Table(Value):
    """The table of rows as events found it.

    key   tells it from every other: a hash of its rows
    rows  JSON: what each row asks for, in their order
    """

    key: str
    rows: str


#: No table was asked.
NO_TABLE = Table("", "[]")


class Decision(Value):
    """What a table said of an event, as far as it does not follow from the two.

    matched  the rows that applied, in their order
    failed   the rows whose `when` could not be told, and why
    beside   what had it sent that is no row of the table, and why
    """

    table: Table
    matched: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    beside: tuple[tuple[str, str], ...] = ()


class Fingerprint(Value):
    """How a panel's repeat of an event is recognised.

    key     the same for an event of this source and for its repeats
    tries   how often the panel says that it has tried before; None where it does not count. An event whose key is
            remembered is a repeat where it has more tries than the one that is remembered, or where nobody counts
    within  seconds for which the key is remembered
    since   only a repeat of what was received then or later; None where the key says all
    ends    the key of what this event ends: that is news when it comes again, and no repeat; None where it ends nothing
    """

    key: str
    tries: int | None = None
    within: float = 86400.0
    since: datetime | None = None
    ends: str | None = None


#: Event's id → hashes of what only the user has that it is about.
ProofsOfEvents = dict[str, tuple[str, ...]]


class Routed(Value):
    """An event and its fate at the table.

    fingerprint: what tells a repeat of this event by its panel from every other event; None where nothing does.
    proofs: hashes of what only the user has that it is about, by which they can show whose chat it is
    renewals: what begins anew for them, where customers are told of it once
    """

    event: Event
    destinations: tuple[Destination, ...]
    decision: Decision
    fingerprint: Fingerprint | None = None
    proofs: tuple[str, ...] = ()
    renewals: tuple[Renewal, ...] = ()

    def sealed(self, originals: Mapping[str, Originals], seal: Callable[[Originals], str]) -> "Routed":
        """With what each of its sinks may have unmasked, sealed; `originals` by the sinks' names."""
        if not any(to.sink in originals for to in self.destinations):
            return self
        destinations = [
            replace(to, sealed=seal(originals[to.sink])) if to.sink in originals else to for to in self.destinations
        ]
        return replace(self, destinations=tuple(destinations))


class SetAside(Value, kw_only=True):
    """An element of a batch that could not be understood, and why; `element` is masked as far as rules reach."""

    source: str
    received_at: datetime
    path: str
    reason: str
    element: Any


class Intake(Value):
    """One request's worth, committed whole or not at all.

    realm: whose users it speaks of; None where they are those of its source alone.
    trace: its traceparent, where it has one
    """

    routed: Sequence[Routed]
    set_aside: Sequence[SetAside] = ()
    realm: str | None = None
    trace: str | None = None
