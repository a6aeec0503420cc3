"""The tail: what happens, as it happens, by looking at the store now and then, beside whichever replica does it.

What is remembered between two looks is bounded, and so is what one of them reads: of a flood the newest are told, and
how many are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from bridge.admin.shapes import Shape
from bridge.store.base import Standing, State
from bridge.store.ledger import Ledger
from bridge.store.queries import tail
from bridge.store.queries.attempts import attempts_of
from bridge.store.queries.events import deliveries_of
from bridge.store.records import AttemptRecord, DeliveryRecord, EventRecord
from bridge.value import Value

OVERLAP = timedelta(seconds=5)  # in which an event may be committed after a later one
SEEN = 20_000  # events within that time
SHOWN = 500  # events, and as many deliveries, that one look tells
WATCHED = 2000  # deliveries that are still to be carried


class HappeningKind(StrEnum):
    """What happened."""

    EVENT = "event"
    DELIVERED = "delivered"
    AGAIN = "again"
    DEAD = "dead"
    HELD_BACK = "held_back"
    LANE = "lane"
    LEFT_OUT = "left_out"


class Happening(Shape):
    """One line of a tail. `number`: of the delivery, or of what is left out; `ms`: how long its last try took."""

    at: datetime
    kind: HappeningKind
    event: str | None = None
    source: str | None = None
    type: str | None = None
    subject: str | None = None
    to: tuple[str, ...] = ()
    sink: str | None = None
    number: int | None = None
    status: int | None = None
    ms: int | None = None
    text: str | None = None


class TailFilter(Value, kw_only=True):
    """What is told; what is not given does not matter. `type`: a glob, as user.*"""

    sink: str | None = None
    source: str | None = None
    type: str | None = None
    subject: str | None = None

    def takes(self, record: EventRecord | DeliveryRecord) -> bool:
        return (
            self.source in (None, record.source)
            and self.subject in (None, record.subject)
            and (self.type is None or any(fnmatchcase(one, self.type) for one in (record.type, record.native_type)))
        )

    def tells(self, happened: "Happening") -> bool:
        """The same, of what is told already: a type has its canonical name alone."""
        if happened.kind in (HappeningKind.LANE, HappeningKind.LEFT_OUT):
            return self.sink in (None, happened.sink) or happened.kind is HappeningKind.LEFT_OUT
        return (
            self.source in (None, happened.source)
            and self.subject in (None, happened.subject)
            and (self.type is None or fnmatchcase(happened.type or "", self.type))
            and self.sink in (None, happened.sink, *happened.to)
        )


_KINDS = {
    State.DELIVERED: HappeningKind.DELIVERED,
    State.DEAD: HappeningKind.DEAD,
    State.HELD_BACK: HappeningKind.HELD_BACK,
}


class Tail:
    """What has happened since the look before; the first one looks back as far as `since`."""

    def __init__(self, ledger: Ledger, wanted: TailFilter, *, since: datetime, back: bool = False) -> None:
        self._ledger, self._wanted = ledger, wanted
        self._from = since
        self._seen: dict[str, None] = {} if back else dict.fromkeys(self._ids(since - OVERLAP))
        self._newest = ledger.read(tail.delivery_before, since) if back else ledger.read(tail.newest_delivery)
        self._watched = self._unsettled(since if back else None)
        self._standings = ledger.read(tail.standings)

    def _unsettled(self, since: datetime | None) -> dict[int, int]:
        """Which older deliveries still wait: number → tries, less those since then, which are yet to be told."""
        tries = self._ledger.read(tail.unsettled, through=self._newest, limit=WATCHED)
        untold = {} if since is None else self._ledger.read(tail.tries_since, list(tries), since)
        return {one: number - untold.get(one, 0) for one, number in tries.items()}

    def look(self, now: datetime) -> list[Happening]:
        """What is new, in the order in which it happened."""
        found = [*self._events(now), *self._deliveries(), *self._lanes(now)]
        return sorted(found, key=lambda one: one.at)

    def _ids(self, since: datetime) -> Sequence[str]:
        return self._ledger.read(tail.event_ids_since, since, limit=SEEN)

    def _events(self, now: datetime) -> Iterator[Happening]:
        ids = self._ids(self._from)
        new = [one for one in ids if one not in self._seen]
        if len(new) > SHOWN:
            yield Happening(at=now, kind=HappeningKind.LEFT_OUT, number=len(new) - SHOWN, text="events")
        told = self._ledger.read(tail.events_by_id, new[-SHOWN:])
        fates = self._ledger.read(deliveries_of, [one.id for one in told])
        self._from = max(self._from, now - OVERLAP)
        self._seen = dict.fromkeys(ids)
        for one in told:
            sinks = tuple(dict.fromkeys(fate.sink for fate in fates.get(one.id, ())))
            if self._wanted.takes(one) and self._wanted.sink in (None, *sinks):
                yield _event(one, sinks)

    def _deliveries(self) -> Iterator[Happening]:
        new = self._ledger.read(tail.deliveries_after, self._newest, limit=SHOWN)
        if new:
            self._newest = new[-1].id
        records = [*self._ledger.read(tail.deliveries_by_id, list(self._watched)), *new]
        changed = [one for one in records if one.settled_at or one.attempts > self._watched.get(one.id, 0)]
        tries = self._ledger.read(attempts_of, [one.id for one in changed])
        unsettled = {one.id: one.attempts for one in records if one.settled_at is None}
        self._watched = dict(list(unsettled.items())[-WATCHED:])
        for one in changed:
            if self._wanted.takes(one) and self._wanted.sink in (None, one.sink):
                yield _delivery(one, tries)

    def _lanes(self, now: datetime) -> Iterator[Happening]:
        before, self._standings = self._standings, self._ledger.read(tail.standings)
        for sink, (standing, reason) in self._standings.items():
            if standing is before.get(sink, (Standing.OPEN, None))[0] or self._wanted.sink not in (None, sink):
                continue
            text = f"{standing}: {reason}" if reason and standing is not Standing.OPEN else str(standing)
            yield Happening(at=now, kind=HappeningKind.LANE, sink=sink, text=text)


def _event(one: EventRecord, sinks: tuple[str, ...]) -> Happening:
    return Happening(
        at=one.received_at,
        kind=HappeningKind.EVENT,
        event=one.id,
        source=one.source,
        type=one.type,
        subject=one.subject,
        to=sinks,
    )


def _delivery(one: DeliveryRecord, tries: Mapping[int, Sequence[AttemptRecord]]) -> Happening:
    last = next(reversed(tries.get(one.id, ())), None)
    at = one.settled_at or (last.at if last is not None else one.made_at)
    return Happening(
        at=at,
        kind=_KINDS.get(one.state, HappeningKind.AGAIN),
        event=one.event_id,
        source=one.source,
        type=one.type,
        subject=one.subject,
        sink=one.sink,
        number=one.id,
        status=one.status if last is None else last.status,
        ms=last.ms if last is not None else None,
        text=one.note if one.state is State.DELIVERED else one.reason or one.note,
    )
