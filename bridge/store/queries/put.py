"""Put: events, a delivery for each sink they go to, what was set aside, and repeats.

Why ids are counted here: a lane looks through its deliveries upwards and never back, so no id may become visible after
a higher one. Whoever adds deliveries locks them until the commit (`lock_next_id`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from bridge.intake import Fingerprint, Intake, Routed, SetAside
from bridge.store.backend import backend_of
from bridge.store.base import PutResult
from bridge.store.compiled import first, write
from bridge.store.rows import aside_row, delivery_row, event_row, new_delivery
from bridge.store.schema import deliveries, events, fingerprints, micros, set_aside

_PUT_EVENT = events.insert()
_PUT_DELIVERY = deliveries.insert().values(
    {name: sa.bindparam(name) for name in (
        "id", "event_id", "sink", "subject", "row", "template", "terms", "instead", "made_at", "state", "due_at",
        "replay_of",
    )}
    | {"attempts": sa.literal_column("0")}
)  # fmt: skip
_PUT_ASIDE = set_aside.insert().values(
    {name: sa.bindparam(name) for name in ("source", "received_at", "path", "reason", "element")}
)
REMEMBERED = sa.select(fingerprints.c.event_id, fingerprints.c.tries, fingerprints.c.until).where(
    fingerprints.c.key == sa.bindparam("key_")
)
_REMEMBER = sa.text(
    "INSERT INTO fingerprints (key, event_id, tries, until) VALUES (:key, :event_id, :tries, :until)"
    " ON CONFLICT (key) DO UPDATE SET event_id = excluded.event_id, tries = excluded.tries, until = excluded.until"
)
NEWEST = sa.select(sa.func.max(deliveries.c.id))


@dataclass(slots=True)
class _Remembered:
    """What a fingerprint's key says: the event, how often it had been tried, and until when that counts."""

    event_id: str
    tries: int | None
    until: int

    def repeated_by(self, mark: Fingerprint, received_at: int) -> bool:
        if received_at >= self.until:
            return False
        if mark.since is not None and self.until < micros(mark.since + timedelta(seconds=mark.within)):
            return False
        if self.tries is None or mark.tries is None:
            return self.tries is mark.tries
        return mark.tries > self.tries

    def row(self, key: str) -> Mapping[str, Any]:
        return {"key": key, "event_id": self.event_id, "tries": self.tries, "until": self.until}


def put(connection: sa.Connection, intakes: Sequence[Intake]) -> list[PutResult]:
    """Keep the events, a delivery for each sink they go to, and what was set aside; what came of each intake."""
    newest = lock_next_id(connection) - 1
    repeats = _repeats(connection, [one for intake in intakes for one in intake.routed])
    kept: list[PutResult] = []
    new: list[Routed] = []
    aside: list[SetAside] = []
    for intake in intakes:
        fresh = [one for one in intake.routed if one.event.id not in repeats] if repeats else intake.routed
        again = [repeats[one.event.id] for one in intake.routed if one.event.id in repeats] if repeats else []
        ids = count(newest + 1)
        made = [new_delivery(next(ids), one.event, to) for one in fresh for to in one.destinations]
        kept.append(PutResult(made, len(again), newest))
        newest += len(made)
        new += fresh
        aside += [*intake.set_aside, *again]
    with backend_of(connection).pipeline(connection):
        if new:
            write(connection, _PUT_EVENT, map(event_row, new))
        add(connection, [delivery_row(delivery) for one in kept for delivery in one.deliveries])
        if aside:
            write(connection, _PUT_ASIDE, map(aside_row, aside))
    return kept


def add(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add deliveries, under ids that were counted under their lock, and tell their lanes."""
    if rows:
        write(connection, _PUT_DELIVERY, rows)
        backend_of(connection).notify(connection, {row["sink"] for row in rows})


def lock_next_id(connection: sa.Connection) -> int:
    """Lock the ids of deliveries until the commit; the next one.

    It is above every other, ever: the newest delivery is never forgotten, so that this holds.
    """
    backend_of(connection).lock_delivery_ids(connection)
    (newest,) = first(connection, NEWEST, {}) or (None,)
    return (newest or 0) + 1


def _repeats(connection: sa.Connection, routed: Sequence[Routed]) -> dict[str, SetAside]:
    """Which of these events are repeats, by their ids; all fingerprints are remembered."""
    marked = [(one, one.fingerprint) for one in routed if one.fingerprint is not None]
    if not marked:
        return {}
    # a first telling is no repeat of anything: it is remembered, and not looked up
    known = _known(connection, {mark.key for _, mark in marked if mark.tries != 0})
    found = {}
    for one, mark in marked:
        received_at, before = micros(one.event.received_at), known.get(mark.key)
        if before is not None and before.repeated_by(mark, received_at):
            before.tries = mark.tries
            found[one.event.id] = _a_repeat(one, before.event_id)
        else:
            until = micros(one.event.received_at + timedelta(seconds=mark.within))
            known[mark.key] = _Remembered(one.event.id, mark.tries, until)
    write(connection, _REMEMBER, [known[key].row(key) for key in sorted({mark.key for _, mark in marked})])
    return found


def _known(connection: sa.Connection, keys: Collection[str]) -> dict[str, _Remembered]:
    rows = {key: first(connection, REMEMBERED, {"key_": key}) for key in sorted(keys)}
    return {key: _Remembered(*row) for key, row in rows.items() if row is not None}


def _a_repeat(one: Routed, event_id: str) -> SetAside:
    event = one.event
    return SetAside(
        source=event.source,
        received_at=event.received_at,
        path="",
        reason=f"a repeat of event {event_id}",
        element=event.native,
    )
