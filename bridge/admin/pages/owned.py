"""What an owner sees: their own events, and what they and their customers were told. For looking only.

Everything else is closed to them: a page of PAGES that has `owned` has a view here, and a template `owned_…`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from bridge.admin.language import N_, Language
from bridge.admin.pages.states import state_words
from bridge.admin.visit import NotThere, PageVariables
from bridge.event import Event
from bridge.messages.customer import Me, me_of
from bridge.store.base import State
from bridge.store.queries.owned import (
    OwnedDelivery,
    count_owned,
    count_told,
    owned_deliveries,
    owned_event,
    owned_events,
)
from bridge.store.scope import OwnedLedger
from bridge.value import Value

ON_A_PAGE, LATEST, LONGEST = 50, 10, 200
DAY = timedelta(days=1)
_GIB = 2**30
#: What of a customer is shown, in this order.
_FACTS: Mapping[str, str] = {
    "name": N_("Name"),
    "plan": N_("Plan"),
    "status": N_("State"),
    "expires_at": N_("Until"),
    "used_bytes": N_("Used"),
    "limit_bytes": N_("Limit"),
    "percent": N_("Percent"),
    "resets": N_("Begins anew"),
    "device": N_("Device"),
    "device_limit": N_("Devices at most"),
}


class OwnedVisit(Value, kw_only=True):
    """One request of a page by an owner.

    services  sink → what kind of service it is: no more of a sink is shown
    """

    ledger: OwnedLedger
    language: Language
    zone: ZoneInfo
    now: datetime
    query: Mapping[str, str]
    path: Mapping[str, str]
    services: Mapping[str, str]


def overview(visit: OwnedVisit) -> PageVariables:
    since = visit.now - DAY
    types = visit.ledger.read(count_owned, since=since)
    told = visit.ledger.read(count_told, since=since)
    return {
        "owner": visit.ledger.owner.name,
        "count": sum(types.values()),
        "types": sorted(types.items(), key=lambda one: (-one[1], one[0]))[:LATEST],
        "delivered": told.get(State.DELIVERED, 0),
        "waiting": told.get(State.PENDING, 0) + told.get(State.WAITING, 0),
        "dead": told.get(State.DEAD, 0),
        "rows": _rows(visit, visit.ledger.read(owned_events, limit=LATEST)),
    }


def events(visit: OwnedVisit) -> PageVariables:
    asked = {name: visit.query.get(name, "").strip()[:LONGEST] for name in ("user", "type", "before")}
    found = visit.ledger.read(
        owned_events,
        type_=asked["type"] or None,
        subject=f"user:{asked['user']}" if asked["user"] else None,
        before=asked["before"] or None,
        limit=ON_A_PAGE + 1,
    )
    shown = found[:ON_A_PAGE]
    older = _address(asked | {"before": shown[-1].id}) if len(found) > ON_A_PAGE else None
    return {
        "asked": asked,
        "rows": _rows(visit, shown),
        "older": older,
        "without_type": _address(asked | {"type": "", "before": ""}),
        "narrowed": any(asked.values()),
    }


def event(visit: OwnedVisit) -> PageVariables:
    found = visit.ledger.read(owned_event, visit.path["id"])
    if found is None:
        raise NotThere
    told = visit.ledger.read(owned_deliveries, [found.id]).get(found.id, [])
    me = me_of(found, at=found.received_at, zone=visit.zone, locale=visit.language.code)
    return {
        "event": _brief(found),
        "facts": [(visit.language.say(words), _fact(me, name)) for name, words in _FACTS.items() if _fact(me, name)],
        "told": _recipients(visit, told),
    }


def _rows(visit: OwnedVisit, found: Sequence[Event]) -> list[PageVariables]:
    told = visit.ledger.read(owned_deliveries, [one.id for one in found])
    return [{**_brief(one), "told": _recipients(visit, told.get(one.id, []))} for one in found]


def _brief(one: Event) -> PageVariables:
    return {"id": one.id, "type": one.type, "subject": one.subject, "at": one.received_at, "name": _user(one)}


def _user(one: Event) -> str:
    kind, _, name = (one.subject or "").partition(":")
    return name if kind == "user" else ""


def _recipients(visit: OwnedVisit, told: Sequence[OwnedDelivery]) -> list[PageVariables]:
    """To whom, by what kind of service, and what came of it."""
    found: list[PageVariables] = []
    for one in told:
        mark, word = state_words(visit.language, one.state)
        whom = one.recipient.partition("/")[2].partition(":")[2]
        service = visit.services.get(one.sink, "")
        found.append({"whom": whom, "service": service, "mark": mark, "word": word, "at": one.settled_at})
    return found


def _fact(me: Me, name: str) -> object:
    """A value as it is shown; nothing where nobody has said."""
    value = getattr(me, name)
    if value is None or value == "":
        return ""
    if name in ("used_bytes", "limit_bytes"):
        return f"{value / _GIB:.1f} GB"
    if name == "percent":
        return f"{value}%"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def _address(asked: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/events?{query}" if query else "/events"


OWNED_VIEWS: Mapping[str, Callable[[OwnedVisit], PageVariables]] = {
    "overview": overview,
    "events": events,
    "event": event,
}
