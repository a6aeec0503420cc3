"""What programs look up: events, deliveries, dead letters."""

from bridge.admin import operations
from bridge.admin.pages.finding import meant
from bridge.admin.rest import request_models as asked
from bridge.admin.rest import response_models as answered
from bridge.admin.rest.endpoint import Call, Endpoint
from bridge.admin.rest.lookups import WORDS, known_sink, service_of
from bridge.admin.rows import table_rows
from bridge.admin.shapes import DeadGroup, Explanation, WholeDelivery
from bridge.admin.trials.preview import preview
from bridge.admin.trials.shapes import Previewed
from bridge.admin.visit import NotThere
from bridge.admin.wording.advice import advice
from bridge.intake import Destination
from bridge.store.base import Cleared
from bridge.store.ledger import Ledger
from bridge.store.queries.records import event as stored_event
from bridge.store.records import DeliveryQuery
from bridge.terms import Terms
from bridge.value import replace


async def events(call: Call) -> answered.Events:
    wanted: asked.EventsAsked = call.query
    query = replace(_query(wanted), states=wanted.state, before=wanted.before)

    def look(ledger: Ledger) -> answered.Events:
        found = meant(ledger, wanted.q or "", query, nowhere=wanted.nowhere)
        if isinstance(found, str):
            one = operations.explain(ledger, found, call.state.router)
            return answered.Events(items=(one,), next=None)
        items = found.events[: wanted.limit]
        more = len(found.events) > wanted.limit
        return answered.Events(items=items, next=items[-1].id if more else found.before)

    return await call.read(look)


async def event(call: Call) -> Explanation:
    return await call.read(lambda ledger: _explained(ledger, call))


async def previews(call: Call) -> answered.Previews:
    wanted: asked.PreviewAsked = call.query
    ready = call.state.dry_run
    if wanted.sink is not None:
        known_sink(call, wanted.sink)

    def look(ledger: Ledger) -> answered.Previews:
        event = _explained(ledger, call)
        stored = ledger.read(stored_event, event.id)
        if stored is None:
            raise NotThere(f"there is no event {event.id}")
        rows = table_rows(stored[1])
        places = {fate.sink: (fate.row, fate.brand) for fate in event.fates if fate.sink in ready.sinks}
        if wanted.sink is not None:
            places = {wanted.sink: places.get(wanted.sink, ("asked for", None))}
        found: list[Previewed] = []
        for sink, (row, brand) in places.items():
            to = Destination(sink, row, rows[row].template if row in rows else None, Terms(brand=brand))
            one = preview(
                stored[0],
                ready.sink(sink),
                ready.renderer,
                at=event.received_at,
                locale=wanted.locale,
                to=to,
                rules=ready.rules,
            )
            found.append(one.shape(ready.zone, html=wanted.drawn))
        return answered.Previews(items=tuple(found))

    return await call.read(look)


async def deliveries(call: Call) -> answered.Deliveries:
    wanted: asked.DeliveriesAsked = call.query
    query = replace(_query(wanted), states=wanted.state, cleared=wanted.cleared, behind=wanted.before)
    found = await call.read(lambda ledger: operations.deliveries(ledger, query))
    items = found.deliveries[: wanted.limit]
    more = len(found.deliveries) > wanted.limit
    return answered.Deliveries(items=items, next=items[-1].id if more else found.behind)


async def delivery(call: Call) -> WholeDelivery:
    id_ = int(call.path["delivery"])

    def look(ledger: Ledger) -> WholeDelivery:
        sink = operations.stored_delivery(ledger, id_).sink
        return operations.delivery(ledger, id_, service=service_of(call, sink), words=WORDS)

    return await call.read(look)


async def tries(call: Call) -> answered.Tries:
    return answered.Tries(items=(await delivery(call)).tries)


async def dead(call: Call) -> answered.DeadGroups:
    wanted: asked.DeadAsked = call.query
    found = await call.read(lambda ledger: operations.dead_groups(ledger, wanted.cleared))
    return answered.DeadGroups(items=tuple(found))


async def group(call: Call) -> answered.GroupNow:
    found = await call.read(lambda ledger: group_of(ledger, call.path["group"]))
    service = service_of(call, found.sink)
    return answered.GroupNow(**dict(found), service=service, advice=advice(WORDS, service, found.reason))


def group_of(ledger: Ledger, key: str, cleared: Cleared | None = None) -> DeadGroup:
    """The dead letters of that key that were dealt with so, or not at all; raise NotThere where there are none."""
    found = next((one for one in operations.dead_groups(ledger, cleared) if one.key == key), None)
    if found is None:
        raise NotThere(f"there is no group {key} of such dead letters: it was dealt with already, or never was")
    return found


async def aside(call: Call) -> answered.Aside:
    wanted: asked.AsideAsked = call.query
    found = await call.read(lambda ledger: operations.set_aside(ledger, limit=wanted.limit))
    return answered.Aside(items=tuple(found))


def _explained(ledger: Ledger, call: Call) -> Explanation:
    return operations.explain(ledger, call.path["event"], call.state.router)


def _query(wanted: asked.Filter) -> DeliveryQuery:
    """What both lists may ask for; one more than a page holds says that there are further ones."""
    return DeliveryQuery(
        source=wanted.source,
        type=wanted.type,
        subject=wanted.subject,
        sink=wanted.sink,
        since=wanted.since,
        until=wanted.until,
        limit=wanted.limit + 1,
    )


LEDGER = (
    Endpoint(
        name="events",
        method="GET",
        path="/events",
        summary="What came in, newest first, and where each went",
        answer=answered.Events,
        do=events,
        query=asked.EventsAsked,
    ),
    Endpoint(
        name="event",
        method="GET",
        path="/events/{event}",
        summary="An event: why it went where it went, row by row, and every try",
        answer=Explanation,
        do=event,
    ),
    Endpoint(
        name="preview",
        method="GET",
        path="/events/{event}/preview",
        summary="The requests that carry an event",
        answer=answered.Previews,
        do=previews,
        query=asked.PreviewAsked,
    ),
    Endpoint(
        name="deliveries",
        method="GET",
        path="/deliveries",
        summary="Deliveries, newest first",
        answer=answered.Deliveries,
        do=deliveries,
        query=asked.DeliveriesAsked,
    ),
    Endpoint(
        name="delivery",
        method="GET",
        path="/deliveries/{delivery}",
        summary="A delivery, every try, and what the service answered",
        answer=WholeDelivery,
        do=delivery,
    ),
    Endpoint(
        name="attempts",
        method="GET",
        path="/deliveries/{delivery}/attempts",
        summary="Every try of a delivery",
        answer=answered.Tries,
        do=tries,
    ),
    Endpoint(
        name="dead",
        method="GET",
        path="/dead",
        summary="What was given up, by its cause",
        answer=answered.DeadGroups,
        do=dead,
        query=asked.DeadAsked,
    ),
    Endpoint(
        name="dead_group",
        method="GET",
        path="/dead/{group}",
        summary="One group, and what to do about it",
        answer=answered.GroupNow,
        do=group,
    ),
    Endpoint(
        name="aside",
        method="GET",
        path="/aside",
        summary="What was not understood",
        answer=answered.Aside,
        do=aside,
        query=asked.AsideAsked,
    ),
)
