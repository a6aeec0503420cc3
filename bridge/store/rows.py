"""Between values and rows: what of an event and a delivery stands in which column."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from bridge.event import Event, dump
from bridge.intake import Assignment, Routed, SetAside, Verdict
from bridge.outcome import Again, Dead, Done
from bridge.store.base import AsideRecord, Delivery, Record, Settlement, State
from bridge.store.schema import micros, moment

Row = sa.Row[Any]


def new_delivery(id_: int, event: Event, to: Assignment) -> Delivery:
    return Delivery(id=id_, event=event, sink=to.sink, row=to.row, made_at=event.received_at, template=to.template)


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.event.id,
        "sink": delivery.sink,
        "subject": delivery.event.subject,
        "row": delivery.row,
        "template": delivery.template,
        "made_at": micros(delivery.made_at),
        "state": "pending",
        "replay_of": None,
    }


def event_row(routed: Routed) -> dict[str, Any]:
    event = routed.event
    return {
        "id": event.id,
        "source": event.source,
        "panel": event.panel,
        "type": event.type,
        "native_type": event.native_type,
        "subject": event.subject,
        "occurred_at": micros(event.occurred_at),
        "received_at": micros(event.received_at),
        "data": _dump(event.data),
        "native": _dump(event.native),
        "verdicts": _verdicts(routed.verdicts),
    }


@lru_cache(256)
def _verdicts(verdicts: tuple[Verdict, ...]) -> str:
    return _dump([verdict.to_json() for verdict in verdicts])


def aside_row(aside: SetAside) -> dict[str, Any]:
    return {
        "source": aside.source,
        "received_at": micros(aside.received_at),
        "path": aside.path,
        "reason": aside.reason,
        "element": _dump(aside.element),
    }


def aside_of(row: Row) -> AsideRecord:
    return AsideRecord(
        id=row.id,
        source=row.source,
        received_at=moment(row.received_at),
        path=row.path,
        reason=row.reason,
        element=json.loads(row.element),
    )


def settled_row(settlement: Settlement) -> dict[str, Any]:
    delivery, attempt = settlement.delivery, settlement.attempt
    row: dict[str, Any] = {
        "id_": delivery.id,
        "attempts_": delivery.attempts + 1,
        "due_at_": None,
        "settled_at_": micros(settlement.at),
        "reason_": None,
        "status_": attempt.status,
        "answer_": attempt.answer or None,
        "note_": settlement.fault,
    }
    match settlement.fate:
        case Done(note):
            notes = [text for text in (note, settlement.fault) if text]
            return row | {"state_": "delivered", "answer_": None, "note_": "; ".join(notes) or None}
        case Again(at, reason, counts):
            attempts = delivery.attempts + counts
            waits = {"state_": "waiting", "attempts_": attempts, "due_at_": micros(at), "settled_at_": None}
            return row | waits | {"reason_": reason}
        case Dead(reason):
            return row | {"state_": "dead", "reason_": reason}


def delivery_of(row: Row) -> Delivery:
    return Delivery(
        id=row.delivery_id,
        event=event_of(row),
        sink=row.sink,
        row=row.row,
        made_at=moment(row.made_at),
        template=row.template,
        attempts=row.attempts,
        retried=row.state == "waiting",
        replay_of=row.replay_of,
    )


def event_of(row: Row) -> Event:
    return Event(
        id=row.id,
        source=row.source,
        panel=row.panel,
        type=row.type,
        native_type=row.native_type,
        subject=row.subject,
        occurred_at=moment(row.occurred_at),
        received_at=moment(row.received_at),
        data=json.loads(row.data),
        native=json.loads(row.native),
    )


def record_of(values: dict[str, Any]) -> Record:
    for name in ("received_at", "made_at", "due_at", "settled_at"):
        values[name] = None if values[name] is None else moment(values[name])
    return Record(**values | {"state": State(values["state"])})


def _dump(value: Any) -> str:
    return dump(value).decode()


def first_id_at(when: datetime) -> str:
    """The smallest UUIDv7 text of that millisecond: event ids sort by time."""
    digits = f"{micros(when) // 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}"
