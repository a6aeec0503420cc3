"""An event: what came in, why it went where it went, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bridge.admin import operations
from bridge.admin.language import Language
from bridge.admin.pages.dead import notice_of
from bridge.admin.pages.previews import looks_of
from bridge.admin.pages.states import fate_sentences, last_of_each, told, try_words
from bridge.admin.shapes import Delivery, EventBrief, Explanation, Try, Verdict
from bridge.admin.state import ConfigState
from bridge.admin.visit import PageVariables, Visit
from bridge.admin.wording.verdicts import folded, why
from bridge.store.base import SETTLED, Standing, State
from bridge.store.records import DeliveryQuery

ABOUT_THE_SAME = 5
SHOWN = 20  # times that the panel told it again


def view(visit: Visit) -> PageVariables:
    event = operations.explain(visit.ledger, visit.path["id"], visit.state.router)
    same: Sequence[EventBrief] = ()
    if event.subject is not None:
        found = operations.events(visit.ledger, DeliveryQuery(subject=event.subject, limit=ABOUT_THE_SAME + 1))
        same = [one for one in found if one.id != event.id][:ABOUT_THE_SAME]
    muted = next((one for one in operations.mutes(visit.ledger, now=visit.now) if one.what == event.subject), None)
    lanes = operations.lanes(visit.ledger, visit.state.sinks)
    parked = {one.sink: one.reason or "" for one in lanes if one.standing is Standing.PARKED}
    shown = variables(event, same, visit.state, visit.language, parked)
    done, sending = notice_of(visit.query, visit.language), _sending(visit, event)
    return {**shown, **looks_of(visit, event), **sending, "muted": muted, "done": done}


def _sending(visit: Visit, event: Explanation) -> PageVariables:
    """Whether it can be sent again, and what is asked then: which deliveries, or whether where the table says now."""
    settled = [one for one in last_of_each(event.fates) if one.state in SETTLED]
    to = () if event.fates else event.today
    can_send = visit.may_act and bool(settled or to)
    if not can_send or visit.query.get("ask") != "again":
        return {"can_send": can_send, "sending": None}
    ticked = visit.query.get("ticked", "").split("-")
    chosen = [one for one in settled if str(one.id) in ticked]
    rows = [
        {
            "one": one,
            "told": told(visit.language, one),
            "ticked": one in chosen if chosen else one.state is State.DEAD and one.cleared is None,
        }
        for one in settled
    ]
    arrived = [one.sink for one in chosen if one.state is State.DELIVERED]
    return {"can_send": True, "sending": {"rows": rows, "to": to, "chosen": chosen, "arrived": arrived}}


def variables(
    event: Explanation,
    same: Sequence[EventBrief],
    state: ConfigState,
    words: Language,
    parked: Mapping[str, str] = MappingProxyType({}),
) -> PageVariables:
    """All of it; `same`: the newest events about the same; `parked`: sink → why its lane is."""
    last = last_of_each(event.fates)
    return {
        "event": event,
        "name": (event.subject or "").partition(":")[2] or None,
        "sentences": fate_sentences(words, event.verdicts, event.fates),
        "told": [told(words, one) for one in last],
        "delivered": sum(one.state is State.DELIVERED for one in last),
        "lag": _lag(event),
        "matched": sum(one.matched for one in event.verdicts),
        "rows": [_row(one, words) for one in folded(event.verdicts)],
        "deliveries": [_delivery(one, state, words, parked) for one in event.fates],
        "understood": _readable(event.data),
        "sent": _readable(event.native),
        "same": [{"event": one, "told": [told(words, fate) for fate in last_of_each(one.fates)]} for one in same],
        "today": _today(event),
        "repeats": event.repeats[:SHOWN],
        "more_repeats": max(0, len(event.repeats) - SHOWN),
    }


def _row(verdict: Verdict | int, words: Language) -> PageVariables:
    if isinstance(verdict, int):
        return {"folded": verdict}
    return {
        "folded": None,
        "name": verdict.row,
        "matched": verdict.matched,
        "takes": verdict.takes,
        "to": verdict.to,
        "already": verdict.already,
        "manner": "",
        "why": why(words, verdict),
    }


def _delivery(one: Delivery, state: ConfigState, words: Language, parked: Mapping[str, str]) -> PageVariables:
    settings = state.sinks.get(one.sink)
    fate = told(words, one)
    return {
        "one": one,
        "service": settings.type if settings is not None else "",
        "parked": parked.get(one.sink) if one.state in (State.PENDING, State.WAITING) else None,
        "mark": fate.mark,
        "word": fate.word,
        "tries": [_try(each, words) for each in one.tries],
        "took": sum(each.ms or 0 for each in one.tries),
        "is_open": one.state is not State.DELIVERED or one.instead is not None,
    }


def _try(one: Try, words: Language) -> PageVariables:
    mark, word = try_words(words, one.outcome)
    wait = round((one.next_at - one.at).total_seconds()) if one.next_at is not None else None
    return {"one": one, "mark": mark, "word": word, "wait": wait}


def _lag(event: Explanation) -> float | None:
    """Seconds between what happened and when we heard of it, where that is worth saying."""
    lag = (event.received_at - event.occurred_at).total_seconds()
    return round(lag) if lag >= 1 else None


def _today(event: Explanation) -> Sequence[str] | None:
    """Where today's table would send it, where that is elsewhere."""
    then = {one.sink for one in event.fates if not (one.instead or one.replay_of or one.reminder)}
    return event.today if set(event.today) != then else None


def _readable(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
