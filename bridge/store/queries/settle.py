"""Settle: what became of deliveries, what was said, and who is told instead.

What was settled under an old term of office is left as it is: somebody else carries that lane now, and may have sent
its deliveries again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import sqlalchemy as sa

from bridge.outcome import Dead, Done
from bridge.store.base import Delivery, Settlement, State
from bridge.store.compiled import read, write
from bridge.store.queries.lanes import epoch_of
from bridge.store.queries.put import add, lock_next_id
from bridge.store.rows import delivery_row, settled_row
from bridge.store.schema import deliveries, micros
from bridge.terms import Terms

SETTLE = (
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("id_"),
        deliveries.c.state.in_([sa.literal_column("'pending'"), sa.literal_column("'waiting'")]),
    )
    .values({name: sa.bindparam(f"{name}_") for name in (
        "state", "attempts", "due_at", "settled_at", "reason", "status", "answer", "note",
    )})
)  # fmt: skip
_UNSETTLED = (
    sa.select(deliveries.c.id)
    .where(deliveries.c.id == sa.bindparam("id_"), deliveries.c.settled_at.is_(None))
    .with_for_update()
)
TOLD = sa.select(deliveries.c.sink).where(deliveries.c.event_id == sa.bindparam("event_id_"))
_SAID = sa.text(
    "INSERT INTO threads (sink, subject, ref, type, occurred_at, said_at)"
    " VALUES (:sink, :subject, :ref, :type, :occurred_at, :said_at)"
    " ON CONFLICT (sink, subject) DO UPDATE SET ref = excluded.ref, type = excluded.type,"
    " occurred_at = excluded.occurred_at, said_at = excluded.said_at"
)


def settle(connection: sa.Connection, batches: Sequence[Sequence[Settlement]]) -> list[list[Delivery]]:
    """Record what became of deliveries; one that is settled already stays as it is. The fallbacks of each batch."""
    sinks = sorted({one.delivery.sink for batch in batches for one in batch})  # sorted: two writers cannot cross
    epochs = {sink: epoch_of(connection, sink) for sink in sinks}
    valid = [[one for one in batch if one.epoch == epochs[one.delivery.sink]] for batch in batches]
    made: list[list[Delivery]] = [[] for _ in batches]
    if any(one.delivery.terms is not None for batch in valid for one in batch):
        made, valid = _under_terms(connection, valid)
    if rows := [settled_row(one) for batch in valid for one in batch]:
        write(connection, SETTLE, rows)
    return made


def _under_terms(
    connection: sa.Connection, batches: Sequence[list[Settlement]]
) -> tuple[list[list[Delivery]], list[list[Settlement]]]:
    """Remember what was said, and make the fallbacks of each batch; these, and the settlements that say so."""
    if said := [row for batch in batches for one in batch for row in _said(one)]:
        write(connection, _SAID, said)
    pairs = [_fallen_back(connection, batch) if any(map(_falls_back, batch)) else ([], batch) for batch in batches]
    return [made for made, _ in pairs], [settled for _, settled in pairs]


def _falls_back(one: Settlement) -> bool:
    return isinstance(one.fate, Dead) and one.delivery.terms is not None and bool(one.delivery.terms.fallback)


def _fallen_back(connection: sa.Connection, batch: Sequence[Settlement]) -> tuple[list[Delivery], list[Settlement]]:
    """Make deliveries for those who are told instead; these, and the settlements that say so."""
    ids = count(lock_next_id(connection))
    made: list[Delivery] = []
    settled: list[Settlement] = []
    for one in batch:
        sink = _told_instead(connection, one) if _falls_back(one) else None
        if sink is not None and isinstance(one.fate, Dead):
            delivery = _instead(one.delivery, sink, id_=next(ids), one=one, reason=one.fate.reason)
            add(connection, [delivery_row(delivery)])
            made.append(delivery)
            one = replace(one, fate=Dead(f"{one.fate.reason}; told on {sink} instead"))
        settled.append(one)
    return made, settled


def _told_instead(connection: sa.Connection, one: Settlement) -> str | None:
    """The first fallback sink that the event has never been for, None where that is settled already."""
    assert one.delivery.terms is not None
    if not read(connection, _UNSETTLED, {"id_": one.delivery.id}):
        return None
    told = {sink for (sink,) in read(connection, TOLD, {"event_id_": one.delivery.event.id})}
    return next((sink for sink in one.delivery.terms.fallback if sink not in told), None)


def _instead(delivery: Delivery, sink: str, *, id_: int, one: Settlement, reason: str) -> Delivery:
    return replace(
        delivery,
        id=id_,
        sink=sink,
        made_at=one.at,
        terms=_reduced(delivery.terms, sink),
        attempts=0,
        state=State.PENDING,
        due_at=None,
        instead=f"{delivery.sink}: {reason}",
    )


def _reduced(terms: Terms | None, sink: str) -> Terms | None:
    """What of a row's terms makes sense where it is told instead: the quiet hours, and whom else to fall back to."""
    assert terms is not None
    left = terms.fallback[terms.fallback.index(sink) + 1 :]
    reduced = Terms(quiet=terms.quiet, fallback=left, fallback_after=terms.fallback_after if left else None)
    return None if reduced == Terms() else reduced


def _said(one: Settlement) -> Iterator[dict[str, object]]:
    """What to remember as said about a subject that is updated."""
    delivery, fate = one.delivery, one.fate
    if not isinstance(fate, Done) or fate.ref is None or delivery.terms is None or delivery.terms.update is None:
        return
    if delivery.event.subject is not None:
        yield {
            "sink": delivery.sink,
            "subject": delivery.event.subject,
            "ref": fate.ref,
            "type": delivery.event.type,
            "occurred_at": micros(delivery.event.occurred_at),
            "said_at": micros(one.at),
        }
