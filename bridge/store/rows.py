"""Between values and rows: what of an event and a delivery stands in which column."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from bridge.codec import dump, load
from bridge.event import Event, JsonObject
from bridge.intake import NO_TABLE, Decision, Destination, Routed, SetAside, Table
from bridge.mute import MUTED, Mute
from bridge.outcome import Again, Dead, Delivered, Done, Fate, HeldBack
from bridge.store.base import Cleared, Delivery, Settlement, State
from bridge.store.index_key import index_key_or_none
from bridge.store.moments import micros, micros_or_none, moment, moment_or_none
from bridge.store.records import AttemptRecord, DeliveryRecord, EventRecord, SetAsideRecord
from bridge.terms import Terms

Row = sa.Row[Any]


def new_delivery(id_: int, event: Event, to: Destination) -> Delivery:
    """A delivery that is made when its event comes in: collected where its terms say so, else pending."""
    collecting = to.terms.collecting(event) if to.terms is not None else 0.0
    return Delivery(
        id=id_,
        event=event,
        sink=to.sink,
        row=to.row,
        made_at=event.received_at,
        template=to.template,
        terms=to.terms,
        sealed=to.sealed,
        recipient=to.recipient,
        state=State.WAITING if collecting > 0 else State.PENDING,
        due_at=event.received_at + timedelta(seconds=collecting) if collecting > 0 else None,
    )


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.event.id,
        "sink": delivery.sink,
        "subject": index_key_or_none(delivery.order),
        "row": delivery.row,
        "template": delivery.template,
        "terms": terms_json(delivery.terms),
        "instead": delivery.instead,
        "made_at": micros(delivery.made_at),
        "state": delivery.state.value,
        "due_at": micros_or_none(delivery.due_at),
        "replay_of": delivery.replay_of,
        "sealed": delivery.sealed,
        "recipient": delivery.recipient,
        "reminder": delivery.reminder,
    }


def muted_row(delivery: Delivery, mute: Mute) -> dict[str, Any]:
    """Of a delivery that is settled as it is made."""
    return settled_row(delivery, MUTED, mute.note)


def settled_row(delivery: Delivery, reason: str, note: str | None = None) -> dict[str, Any]:
    """Of a delivery that is settled as it is made, and why."""
    settled = {"reason": reason, "note": _valid_text(note), "settled_at": micros(delivery.made_at)}
    return delivery_row(delivery) | settled


def event_row(routed: Routed, realm: str | None = None, trace: str | None = None) -> dict[str, Any]:
    """`realm`: whose users it speaks of, where these are not its source's own. `trace`: its request's."""
    event = routed.event
    owner = event.data.get("owner")
    return {
        "id": event.id,
        "source": event.source,
        "panel": event.panel,
        "type": event.type,
        "native_type": event.native_type,
        "subject": event.subject,
        "occurred_at": micros(event.occurred_at),
        "received_at": micros(event.received_at),
        "data": _json(event.data),
        "native": _json(event.native),
        "verdicts": verdicts_json(routed.decision),
        "table_key": routed.decision.table.key,
        "owner": owner if isinstance(owner, str) and owner else None,
        "realm": realm or event.source,
        "trace": trace,
    }


@lru_cache(256)
def verdicts_json(decision: Decision) -> str:
    beyond = {"failed": dict(decision.failed), "beside": dict(decision.beside)}
    return _json({"matched": decision.matched} | {name: said for name, said in beyond.items() if said})


def decision_of(row: Row) -> Decision | list[JsonObject]:
    """What the table said of a stored event; of an event from before tables were kept, what each row said."""
    stored = load(row.verdicts)
    if isinstance(stored, list):
        return stored
    failed, beside = (tuple(stored.get(name, {}).items()) for name in ("failed", "beside"))
    table = NO_TABLE if row.rows is None else Table(row.table_key, row.rows)
    return Decision(table, tuple(stored["matched"]), failed, beside)


def terms_json(terms: Terms | None) -> str | None:
    """JSON of what differs from the defaults; the same terms are always the same text."""
    return None if terms is None else _terms_json(terms)


@lru_cache(1024)
def _terms_json(terms: Terms) -> str:
    return _json(terms.model_dump(mode="json", exclude_defaults=True))


def terms_of(text: str | None) -> Terms | None:
    return None if text is None else _terms_of(text)


@lru_cache(1024)
def _terms_of(text: str) -> Terms:
    return Terms.model_validate_json(text)


def set_aside_row(element: SetAside) -> dict[str, Any]:
    return {
        "source": element.source,
        "received_at": micros(element.received_at),
        "path": element.path,
        "reason": element.reason,
        "element": _json(element.element),
    }


def set_aside_record(row: Row) -> SetAsideRecord:
    return SetAsideRecord(
        id=row.id,
        source=row.source,
        received_at=moment(row.received_at),
        path=row.path,
        reason=row.reason,
        element=load(row.element),
    )


def settlement_row(settlement: Settlement) -> dict[str, Any]:
    delivery, attempt, fault = settlement.delivery, settlement.attempt, settlement.fault
    row: dict[str, Any] = {
        "id_": delivery.id,
        "attempts_": delivery.attempts + (attempt.requests > 0),
        "due_at_": None,
        "settled_at_": micros(settlement.at),
        "reason_": None,
        "status_": attempt.status,
        "answer_": attempt.answer or None,
        "note_": fault,
        "sealed_": None,
        "ref_": None,
        "ms_": None if settlement.ms is None else round(settlement.ms),
    }
    match settlement.fate:
        case Done(note, ref):
            row["state_"], row["answer_"] = State.DELIVERED.value, None
            row["note_"] = f"{note}; {fault}" if note and fault else note or fault
            row["ref_"] = ref
        case Again(at, reason, counts):
            row["state_"], row["reason_"] = State.WAITING.value, reason
            row["attempts_"] = delivery.attempts + counts
            row["due_at_"], row["settled_at_"], row["sealed_"] = micros(at), None, delivery.sealed
        case Dead(reason):
            row["state_"], row["reason_"] = State.DEAD.value, reason
        case HeldBack(reason, note):
            row["state_"], row["reason_"] = State.HELD_BACK.value, reason
            row["note_"] = note or fault
            row["attempts_"] = delivery.attempts
    for name in ("reason_", "answer_", "note_"):
        row[name] = _valid_text(row[name])
    return row


#: What was decided of a delivery where nothing was sent.
_UNSENT: dict[type[Fate], str] = {HeldBack: "held_back", Again: "put_off", Dead: "given_up", Done: "done"}
LONGEST_SUCCESS = 256  # characters that are kept of an answer to what arrived


def attempt_row(settlement: Settlement, *, batch_id: int | None, replica: str | None) -> dict[str, Any]:
    """`batch_id`: the delivery that has the answer and the id, where this one was told in the same message."""
    fate, attempt, sent = settlement.fate, settlement.attempt, settlement.ms is not None
    began = settlement.at - timedelta(milliseconds=settlement.ms or 0.0)
    answer = attempt.answer[: LONGEST_SUCCESS if isinstance(fate, Done) else None]
    return {
        "delivery_id": settlement.delivery.id,
        "at": micros(began),
        "ms": None if settlement.ms is None else round(settlement.ms),
        "outcome": type(attempt.outcome).__name__.lower() if sent else _UNSENT[type(fate)],
        "counts": sent and not (isinstance(fate, Again) and not fate.counts),
        "status": attempt.status,
        "reason": _valid_text(getattr(fate, "reason", None) or getattr(fate, "note", None)),
        "answer": None if sent and batch_id is not None else _valid_text(answer or None),
        "ref": attempt.outcome.ref if isinstance(attempt.outcome, Delivered) and batch_id is None else None,
        "next_at": micros(fate.at) if isinstance(fate, Again) else None,
        "batch_id": batch_id if sent else None,
        "replica": replica,
    }


def attempt_record(row: Row) -> AttemptRecord:
    values = row._asdict()
    del values["delivery_id"]
    return AttemptRecord(**values | {"at": moment(row.at), "next_at": moment_or_none(row.next_at)})


def _valid_text(text: str | None) -> str | None:
    """Half a surrogate pair, as a service's JSON may hold one, is no text to a database."""
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()


def delivery_of(row: Row, *, loaded: bool) -> Delivery:
    return Delivery(
        id=row.delivery_id,
        event=event_of(row, loaded=loaded),
        sink=row.sink,
        row=row.row,
        made_at=moment(row.made_at),
        template=row.template,
        terms=terms_of(row.terms),
        attempts=row.attempts,
        state=State(row.state),
        due_at=moment_or_none(row.due_at),
        instead=row.instead,
        replay_of=row.replay_of,
        size=row.size,
        loaded=loaded,
        sealed=row.sealed,
        recipient=row.recipient,
        reminder=row.reminder,
    )


def event_of(row: Row, *, loaded: bool = True) -> Event:
    return Event(
        id=row.id,
        source=row.source,
        panel=row.panel,
        type=row.type,
        native_type=row.native_type,
        subject=row.subject,
        occurred_at=moment(row.occurred_at),
        received_at=moment(row.received_at),
        data=load(row.data) if loaded else {},
        native=load(row.native) if loaded else None,
    )


def event_record(row: Row) -> EventRecord:
    return EventRecord(
        id=row.id,
        source=row.source,
        panel=row.panel,
        type=row.type,
        native_type=row.native_type,
        subject=row.subject,
        occurred_at=moment(row.occurred_at),
        received_at=moment(row.received_at),
    )


def delivery_record(values: dict[str, Any]) -> DeliveryRecord:
    for name in ("received_at", "made_at", "due_at", "settled_at", "cleared_at"):
        values[name] = moment_or_none(values[name])
    cleared, terms = values["cleared"] and Cleared(values["cleared"]), terms_of(values.pop("terms"))
    values["brand"] = None if terms is None else terms.brand
    return DeliveryRecord(**values | {"state": State(values["state"]), "cleared": cleared})


def _json(value: Any) -> str:
    return dump(value).decode()


def lowest_event_id(when: datetime) -> str:
    """The smallest UUIDv7 text of that millisecond: event ids sort by time."""
    digits = f"{micros(when) // 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}"
