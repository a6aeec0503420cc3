"""Fingerprints: which events are repeats of what a panel has told before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bridge.event import Event
from bridge.intake import Fingerprint, Routed, SetAside
from bridge.store.compiled import first, write
from bridge.store.index_key import index_key
from bridge.store.moments import micros, moment
from bridge.store.schema import fingerprints, set_aside

WALKED = 5000  # rows that were set aside, among which repeats are looked for
OVER = 0  # until when a fingerprint counts that something has ended
REPEATED = timedelta(days=30)  # in which a panel may tell an event again that is recognised, as Alertmanager does
FINGERPRINT = sa.select(fingerprints.c.event_id, fingerprints.c.tries, fingerprints.c.until).where(
    fingerprints.c.key == sa.bindparam("key_")
)
_PUT_FINGERPRINT = sa.text(
    "INSERT INTO fingerprints (key, event_id, tries, until) VALUES (:key, :event_id, :tries, :until)"
    " ON CONFLICT (key) DO UPDATE SET event_id = excluded.event_id, tries = excluded.tries, until = excluded.until"
)


@dataclass(slots=True)
class _StoredFingerprint:
    """The event that a key was last seen with, how often that had been tried, and until when it counts."""

    event_id: str
    tries: int | None
    until: int

    def repeated_by(self, other: Fingerprint, received_at: int) -> bool:
        if received_at >= self.until:
            return False
        if other.since is not None and self.until < micros(other.since + timedelta(seconds=other.within)):
            return False
        if self.tries is None or other.tries is None:
            return self.tries is other.tries
        return other.tries > self.tries

    def row(self, key: str) -> Mapping[str, Any]:
        return {"key": key, "event_id": self.event_id, "tries": self.tries, "until": self.until}


def find_repeats(connection: sa.Connection, routed: Sequence[Routed]) -> dict[str, SetAside]:
    """Which of these events are repeats, by their ids; all fingerprints are remembered."""
    told = [(one.event, one.fingerprint) for one in routed if one.fingerprint is not None]
    keyed = [(event, fingerprint, index_key(fingerprint.key)) for event, fingerprint in told]
    if not keyed:
        return {}
    # a first telling is no repeat of anything: it is remembered, and not looked up
    stored = _stored_fingerprints(connection, {key for _, one, key in keyed if one.tries != 0})
    written = {key for _, _, key in keyed}
    repeats = {}
    for event, fingerprint, key in keyed:
        received_at, before = micros(event.received_at), stored.get(key)
        if before is not None and before.repeated_by(fingerprint, received_at):
            before.tries = fingerprint.tries
            repeats[event.id] = _repeat(event, before.event_id)
        else:
            until = micros(event.received_at + timedelta(seconds=fingerprint.within))
            stored[key] = _StoredFingerprint(event.id, fingerprint.tries, until)
            if fingerprint.ends is not None:  # written as over, and not deleted: in one order with all others
                ended = index_key(fingerprint.ends)
                stored[ended] = _StoredFingerprint(event.id, None, OVER)
                written.add(ended)
    write(connection, _PUT_FINGERPRINT, [stored[key].row(key) for key in sorted(written)])
    return repeats


def repeats_of(connection: sa.Connection, event_id: str, received_at: datetime) -> list[datetime]:
    """When the panel told an event again, the first time first: of what was set aside within REPEATED of it, the first
    WALKED."""
    span = set_aside.c.received_at.between(micros(received_at), micros(received_at + REPEATED))
    columns = set_aside.c.received_at, set_aside.c.reason
    walked = sa.select(*columns).where(span).order_by(set_aside.c.received_at).limit(WALKED).subquery()
    found = sa.select(walked.c.received_at).where(walked.c.reason == _reason(event_id)).order_by(walked.c.received_at)
    return [moment(at) for at in connection.execute(found).scalars()]


def is_remembered(connection: sa.Connection, key: str, *, now: datetime) -> bool:
    """Whether that key was put, and is not over."""
    return remembered_event(connection, key, now=now) is not None


def remembered_event(connection: sa.Connection, key: str, *, now: datetime) -> str | None:
    """The id of the event that a key was last put with; None where it is over."""
    row = first(connection, FINGERPRINT, {"key_": index_key(key)})
    return str(row[0]) if row is not None and micros(now) < row[2] else None


def _stored_fingerprints(connection: sa.Connection, keys: Collection[str]) -> dict[str, _StoredFingerprint]:
    rows = {key: first(connection, FINGERPRINT, {"key_": key}) for key in sorted(keys)}
    return {key: _StoredFingerprint(*row) for key, row in rows.items() if row is not None}


def _reason(event_id: str) -> str:
    return f"a repeat of event {event_id}"


def _repeat(event: Event, event_id: str) -> SetAside:
    return SetAside(
        source=event.source,
        received_at=event.received_at,
        path="",
        reason=_reason(event_id),
        element=event.native,
    )
