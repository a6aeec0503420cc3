"""Deliveries one by one, and all of an event: looked up, and sent again."""

from collections.abc import Collection, Sequence
from datetime import datetime

from bridge.admin.language import Language
from bridge.admin.shapes import DeliveriesFound, ListedDelivery, Replay, Try, WholeDelivery
from bridge.admin.wording.advice import advice
from bridge.errors import BridgeError, UnknownName
from bridge.event import Event
from bridge.routing import Router
from bridge.store.base import SETTLED, State
from bridge.store.ledger import Ledger
from bridge.store.queries.attempts import attempts_of
from bridge.store.queries.events import deliveries_of
from bridge.store.queries.records import event, replays_of
from bridge.store.queries.replay import replay_deliveries, replay_events
from bridge.store.queries.tail import deliveries_by_id
from bridge.store.queries.walk import walked_deliveries
from bridge.store.records import DeliveryQuery, DeliveryRecord
from bridge.value import replace


def deliveries(ledger: Ledger, query: DeliveryQuery) -> DeliveriesFound:
    """The deliveries that are meant, newest first, looked for no further than anyone waits, and how far that was."""
    found = ledger.read(walked_deliveries, query)
    return DeliveriesFound(
        deliveries=tuple(map(ListedDelivery.model_validate, found.deliveries)),
        behind=found.behind,
        looked_back_to=found.back_to,
    )


def delivery(ledger: Ledger, id_: int, *, service: str | None, words: Language) -> WholeDelivery:
    """One, in full; advice as for a sink of that `service`. Raise UnknownName where there is none."""
    record = stored_delivery(ledger, id_)
    tries = ledger.read(attempts_of, [id_]).get(id_, ())
    return WholeDelivery(
        **ListedDelivery.model_validate(record).model_dump(),
        tries=tuple(map(Try.model_validate, tries)),
        replayed_by=tuple(ledger.read(replays_of, record)),
        advice=advice(words, service, record.reason),
    )


def stored_delivery(ledger: Ledger, id_: int) -> DeliveryRecord:
    """One as it is kept; raise UnknownName where there is none."""
    found = ledger.read(deliveries_by_id, [id_])
    if not found:
        raise UnknownName(f"there is no delivery {id_}")
    return found[0]


def replay_one(ledger: Ledger, id_: int, *, now: datetime, again: bool = False) -> list[Replay]:
    """Send a settled delivery again; raise BridgeError where it is on its way, or was dealt with already.

    Looked at in the commit that does so: of two who ask at once the second one is refused.
    """
    record = stored_delivery(ledger, id_)
    if record.state not in SETTLED:
        raise BridgeError(f"delivery {record.id} is {record.state}: only what is settled is sent again")
    if record.cleared is not None and not again:
        raise BridgeError(f"delivery {record.id} was {record.cleared} already: say again to send it once more")
    return _replay_these(ledger, [id_], now=now)


def replay_last(ledger: Ledger, event_id: str, sinks: Collection[str], *, now: datetime) -> list[Replay]:
    """Send the last deliveries of an event to these sinks again, or to every one; raise BridgeError where none of them
    is settled.
    """
    if not (ids := _last_settled(ledger, event_id, sinks)):
        raise BridgeError(f"event {event_id} has no settled delivery there: what went nowhere is replayed by the table")
    return _replay_these(ledger, ids, now=now)


def _replay_these(ledger: Ledger, ids: Collection[int], *, now: datetime) -> list[Replay]:
    """Send these settled deliveries again, in their order, whether or not they were before."""
    query = DeliveryQuery(ids=tuple(ids), limit=None)
    return [Replay.model_validate(one) for one in ledger.write(replay_deliveries, query, now=now)] if ids else []


def replay_ticked(
    ledger: Ledger, event_id: str, ids: Collection[int], *, now: datetime, once_more: bool
) -> list[Replay] | None:
    """Send these deliveries of an event again, those that are the last at their sink and settled.

    Nothing is sent, and None returned, where one of them has arrived: that takes `once_more`.
    """
    settled = {*_last_settled(ledger, event_id, ())}
    chosen = [one for one in ledger.read(deliveries_of, [event_id]).get(event_id, ()) if one.id in settled & {*ids}]
    if any(one.state is State.DELIVERED for one in chosen) and not once_more:
        return None
    return _replay_these(ledger, [one.id for one in chosen], now=now)


def _last_settled(ledger: Ledger, event_id: str, sinks: Collection[str]) -> list[int]:
    """The last delivery of an event to each of these sinks, or to every one; those of them that are settled."""
    _stored_event(ledger, event_id)
    found = {one.sink: one for one in ledger.read(deliveries_of, [event_id]).get(event_id, ())}
    return sorted(one.id for one in found.values() if one.state in SETTLED and (not sinks or one.sink in sinks))


def route_anew(
    ledger: Ledger, event_id: str, router: Router, sinks: Collection[str], *, now: datetime
) -> Sequence[int]:
    """Send an event that went nowhere where the router says, to these of its sinks or to all; the new deliveries."""
    stored = _stored_event(ledger, event_id)
    if ledger.read(deliveries_of, [event_id]):
        return ()
    routed = router.route(stored)
    wanted = tuple(to for to in routed.destinations if not sinks or to.sink in sinks)
    return ledger.write(replay_events, [replace(routed, destinations=wanted)], now=now) if wanted else ()


def _stored_event(ledger: Ledger, event_id: str) -> Event:
    found = ledger.read(event, event_id)
    if found is None:
        raise UnknownName(f"there is no event {event_id}")
    return found[0]
