"""Events: all that came in, newest first, and what became of each."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from bridge.admin.language import N_, Language
from bridge.admin.pages.finding import meant
from bridge.admin.pages.states import last_of_each, told
from bridge.admin.shapes import EventBrief
from bridge.admin.state import ConfigState
from bridge.admin.visit import Elsewhere, PageVariables, Visit
from bridge.store.base import State
from bridge.store.records import DeliveryQuery
from bridge.value import Value, replace

ON_A_PAGE = 50
LONGEST = 200  # signs of what is looked for
_SINCE = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
_STATES: Mapping[str, tuple[State, ...]] = {
    "delivered": (State.DELIVERED,),
    "waiting": (State.PENDING, State.WAITING),
    "dead": (State.DEAD,),
    "held": (State.HELD_BACK,),
}
NOWHERE = "nowhere"
_WORDS = {
    "delivered": N_("delivered"),
    "waiting": N_("waiting"),
    "dead": N_("given up"),
    "held": N_("held back"),
    NOWHERE: N_("went nowhere"),
    "1h": N_("last hour"),
    "24h": N_("last 24 hours"),
    "7d": N_("last 7 days"),
}


class EventQuery(Value):
    """What the address asks for; nothing where it does not matter. `before`: only events with a lower id."""

    q: str = ""
    type: str = ""
    source: str = ""
    sink: str = ""
    row: str = ""
    state: str = ""
    since: str = ""
    before: str = ""

    def path(self, **changed: str) -> str:
        """The address that asks for this, with what is `changed`."""
        wanted = replace(self, **changed)
        asked = {name: value for name in self.__struct_fields__ if (value := getattr(wanted, name))}
        return f"/events?{urlencode(asked)}" if asked else "/events"


def view(visit: Visit) -> PageVariables:
    wanted = wanted_of(visit.query)
    query = DeliveryQuery(
        type=wanted.type or None,
        source=wanted.source or None,
        sink=wanted.sink or None,
        row=wanted.row or None,
        states=_STATES.get(wanted.state, ()),
        since=visit.now - _SINCE[wanted.since] if wanted.since in _SINCE else None,
        before=wanted.before or None,
        limit=ON_A_PAGE + 1,
    )
    found = meant(visit.ledger, wanted.q, query, nowhere=wanted.state == NOWHERE)
    if isinstance(found, str):
        raise Elsewhere(f"/events/{found}")
    further = wanted.path(before=found.before) if found.before is not None else None
    shown = variables(found.events, wanted, visit.state, visit.language)
    return {**shown, "looked_back_to": found.looked_back_to, "look_further": further}


def wanted_of(query: Mapping[str, str]) -> EventQuery:
    """What an address asks for, each in at most as many signs as are worth looking for."""
    return EventQuery(**{name: query.get(name, "").strip()[:LONGEST] for name in EventQuery.__struct_fields__})


def variables(found: Sequence[EventBrief], wanted: EventQuery, state: ConfigState, words: Language) -> PageVariables:
    """A row for each event; one more than a page holds says that there are older ones."""
    shown = found[:ON_A_PAGE]
    return {
        "wanted": wanted,
        "rows": [_row(one, words) for one in shown],
        "older": wanted.path(before=shown[-1].id) if len(found) > ON_A_PAGE else None,
        "choices": list(_choices(wanted, state, words)),
        "chips": list(_chips(wanted, words)),
        "nothing": _nothing(wanted, words),
        "further": wanted.path(since="", before="") if wanted.since or wanted.before else None,
    }


def _row(event: EventBrief, words: Language) -> PageVariables:
    return {
        "id": event.id,
        "at": event.received_at,
        "type": event.type,
        "subject": event.subject,
        "source": event.source,
        "told": [told(words, one) for one in last_of_each(event.fates)],
    }


def _choices(wanted: EventQuery, state: ConfigState, words: Language) -> Iterator[PageVariables]:
    """The filters that are chosen from a list. What the address names and the file does not stands there as well."""
    sources = [one.name for one in state.sources]
    yield _choice("source", words.say("Source"), words.say("any source"), wanted.source, [(s, s) for s in sources])
    yield _choice("sink", words.say("Sink"), words.say("any sink"), wanted.sink, [(s, s) for s in state.sinks])
    states = [(one, words.say(_WORDS[one])) for one in (*_STATES, NOWHERE)]
    yield _choice("state", words.say("Fate"), words.say("any fate"), wanted.state, states)
    times = [(one, words.say(_WORDS[one])) for one in _SINCE]
    yield _choice("since", words.say("When"), words.say("at any time"), wanted.since, times)


def _choice(name: str, label: str, none: str, chosen: str, options: Sequence[tuple[str, str]]) -> PageVariables:
    there = [("", none), *options]
    if chosen not in [value for value, _ in there]:
        there.append((chosen, chosen))
    return {"name": name, "label": label, "chosen": chosen, "options": there}


def _chips(wanted: EventQuery, words: Language) -> Iterator[PageVariables]:
    for name in ("q", "type", "source", "sink", "row", "state", "since"):
        if value := getattr(wanted, name):
            shown = words.say(_WORDS[value]) if name in ("state", "since") and value in _WORDS else value
            yield {"words": shown, "without": wanted.path(**{name: "", "before": ""})}


def _nothing(wanted: EventQuery, words: Language) -> str:
    if wanted.q:
        return words.say("Nothing about “%(q)s”.", q=wanted.q)
    if wanted == EventQuery():
        return words.say("No event has come in yet.")
    return words.say("Nothing like that.")
