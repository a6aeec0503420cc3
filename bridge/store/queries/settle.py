"""Settle: what became of deliveries, and the fallbacks of what is dead.

What was settled under an old term of office is left as it is: somebody else carries that lane now, and may have sent
its deliveries again.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

import sqlalchemy as sa

from bridge.outcome import Dead, Fate, HeldBack
from bridge.store.base import Delivery, Settlement, State
from bridge.store.compiled import read, write
from bridge.store.queries.attempts import put_attempts
from bridge.store.queries.lanes import epoch_of
from bridge.store.queries.put import add_deliveries, lock_next_id
from bridge.store.queries.tallies import add_tallies, counted_settlements
from bridge.store.queries.threads import put_threads
from bridge.store.rows import delivery_row, settlement_row
from bridge.store.schema import deliveries
from bridge.terms import Terms

SETTLE = (
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("id_"),
        deliveries.c.state.in_([sa.literal_column("'pending'"), sa.literal_column("'waiting'")]),
    )
    .values({name: sa.bindparam(f"{name}_") for name in (
        "state", "attempts", "due_at", "settled_at", "reason", "status", "answer", "note", "sealed", "ref", "ms",
    )})
)  # fmt: skip
_UNSETTLED = (
    sa.select(deliveries.c.id)
    .where(deliveries.c.id == sa.bindparam("id_"), deliveries.c.settled_at.is_(None))
    .with_for_update()
)
EVENT_SINKS = sa.select(deliveries.c.sink).where(deliveries.c.event_id == sa.bindparam("event_id_"))


def settle(
    connection: sa.Connection, batches: Sequence[Sequence[Settlement]], *, replica: str | None = None
) -> list[list[Delivery]]:
    """Record what became of deliveries; one that is settled already stays as it is. The fallbacks of each batch.

    `replica`: the name of this process among those that share the store.
    """
    sinks = sorted({one.delivery.sink for batch in batches for one in batch})  # sorted: two writers cannot cross
    epochs = {sink: epoch_of(connection, sink) for sink in sinks}
    settled: list[list[Settlement]] = []
    results: list[list[Delivery]] = []
    for batch in batches:
        fallbacks: list[Delivery] = []
        settled.append([])
        for one in batch:
            if one.epoch != epochs[one.delivery.sink]:
                continue
            if _falls_back(one.fate) and (fallback := _make_fallback(connection, one, one.fate)) is not None:
                fallbacks.append(fallback)
                one = replace(one, fate=replace(one.fate, reason=f"{one.fate.reason}; told on {fallback.sink} instead"))
            settled[-1].append(one)
        results.append(fallbacks)
    if every := [one for batch in settled for one in batch]:
        put_threads(connection, every)
        write(connection, SETTLE, map(settlement_row, every))
        add_tallies(connection, counted_settlements(put_attempts(connection, settled, replica)))
    return results


def _falls_back(fate: Fate) -> TypeGuard[Dead | HeldBack]:
    return isinstance(fate, Dead) or (isinstance(fate, HeldBack) and fate.unreached)


def _make_fallback(connection: sa.Connection, settlement: Settlement, fate: Dead | HeldBack) -> Delivery | None:
    """Make a delivery for the first fallback sink that the event has not been for yet; None where there is none."""
    dead, at = settlement.delivery, settlement.at
    if dead.terms is None or not dead.terms.fallback:
        return None
    id_ = lock_next_id(connection)
    if not read(connection, _UNSETTLED, {"id_": dead.id}):
        return None
    had = {sink for (sink,) in read(connection, EVENT_SINKS, {"event_id_": dead.event.id})}
    sink = next((sink for sink in dead.terms.fallback if sink not in had), None)
    if sink is None:
        return None
    fallback = replace(
        dead,
        id=id_,
        sink=sink,
        made_at=at,
        terms=_fallback_terms(dead.terms, sink),
        attempts=0,
        state=State.PENDING,
        due_at=None,
        sealed=None,  # it was for that sink alone
        recipient=None,
        instead=f"{dead.sink}: {fate.reason}",
    )
    add_deliveries(connection, [delivery_row(fallback)])
    return fallback


def _fallback_terms(terms: Terms, sink: str) -> Terms | None:
    """What of a row's terms makes sense at its fallback `sink`: the quiet hours, and whom else to fall back to."""
    left = terms.fallback[terms.fallback.index(sink) + 1 :]
    reduced = Terms(quiet=terms.quiet, fallback=left, fallback_after=terms.fallback_after if left else None)
    return None if reduced == Terms() else reduced
