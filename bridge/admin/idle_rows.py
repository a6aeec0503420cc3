"""Rows that have taken nothing for long, and what might be wrong: told by what came in meanwhile."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.admin.language import N_, Language
from bridge.admin.shapes import RowCounts
from bridge.admin.state import RowPlace
from bridge.routing import Route
from bridge.routing.verdicts import type_refusal
from bridge.store.ledger import Ledger
from bridge.store.queries.counted import counted_names, counted_since
from bridge.store.queries.tallies import TallyKind
from bridge.value import Value

LONG = timedelta(days=7)  # without an event that is worth a hint
LEAST = timedelta(days=1)  # that must have been counted


class IdleCause(StrEnum):
    """What might be wrong; the first that holds."""

    FILE = "file"  # `check` warns of it
    FAILS = "fails"  # its `when` cannot be told
    NO_SOURCE = "no_source"  # nothing came from its sources
    NO_TYPE = "no_type"  # nothing came of what it matches
    NEVER_TRUE = "never_true"
    ELSEWHERE = "elsewhere"  # what it matches came from other sources
    ABOVE = "above"  # a row above takes it, and stops


_WORDS: Mapping[IdleCause, str] = {
    IdleCause.FILE: N_("The file says why:"),
    IdleCause.FAILS: N_("Its condition cannot be worked out: try it with an event that it should take."),
    IdleCause.NO_SOURCE: N_("Nothing came from its sources: is their webhook still set?"),
    IdleCause.NO_TYPE: N_("No event of the types that it takes has come: is that what the panel calls them?"),
    IdleCause.NEVER_TRUE: N_("Events of its types came, and its condition was never true: try it with one of them."),
    IdleCause.ELSEWHERE: N_("Events of its types came, but from other sources."),
    IdleCause.ABOVE: N_("Events of its types came: a row above takes them, and stops."),
}


class IdleRow(Value):
    """A row that has taken nothing since then, why that might be, and what `check` says of it."""

    since: datetime
    cause: IdleCause
    doubts: tuple[str, ...] = ()

    def say(self, words: Language) -> str:
        return words.say(_WORDS[self.cause])


class Traffic(Value):
    """From which sources something came, and of which types."""

    sources: Collection[str]
    types: Collection[str]


def idle_rows(
    ledger: Ledger,
    table: Sequence[tuple[str, Route]],
    places: Sequence[RowPlace],
    counts: Sequence[RowCounts],
    *,
    now: datetime,
) -> Mapping[str, IdleRow]:
    """The rows that have taken nothing for long, by their names; none where little was counted yet."""
    begin = None if all(one.week for one in counts) else ledger.read(counted_since)
    if begin is None or now - begin < LEAST:
        return {}
    since = now - LONG
    came = Traffic(ledger.read(counted_names, TallyKind.IN, since), ledger.read(counted_names, TallyKind.TYPE, since))
    doubts = [one.doubts for one in places] or [()] * len(table)
    return {
        name: IdleRow(max(begin, one.last_at or begin), cause_of(route, one, came, found), found)
        for (name, route), one, found in zip(table, counts, doubts, strict=True)
        if not one.week
    }


def cause_of(route: Route, counts: RowCounts, came: Traffic, doubts: Sequence[str]) -> IdleCause:
    """The first that holds."""
    if doubts:
        return IdleCause.FILE
    if counts.failed:
        return IdleCause.FAILS
    if route.source is not None and not set(route.source) & set(came.sources):
        return IdleCause.NO_SOURCE
    if all(type_refusal(route, one, one) is not None for one in came.types):  # counted by canonical names
        return IdleCause.NO_TYPE
    if route.when is not None:
        return IdleCause.NEVER_TRUE
    return IdleCause.ELSEWHERE if route.source is not None else IdleCause.ABOVE
