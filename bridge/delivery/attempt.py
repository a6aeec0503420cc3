"""One attempt at a batch: composed into a message or a digest, sent, and told in the log."""

import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from bridge import tracing
from bridge.counters import COUNTERS
from bridge.delivery.queue import Batch
from bridge.delivery.reminders import reminder_of
from bridge.errors import StoreError
from bridge.event import Event
from bridge.markup.service import ServiceLook
from bridge.message import PLAIN, Circumstances, Digest, DigestTally, Earlier, Given, Message
from bridge.messages.customer import me_of
from bridge.messages.renderer import Renderer, TemplateFault
from bridge.outcome import Attempt, Away, Refused
from bridge.people.announcement import text_of
from bridge.people.brand import NO_BRAND, Brand
from bridge.sinks.base import OnSent, Sink
from bridge.store.base import Delivery, Settlement
from bridge.telemetry import log
from bridge.value import Value, replace

LOG = logging.getLogger("bridge.delivery")

#: Times that something lasts until: they do not pass by themselves.
AHEAD = frozenset({"expires_at", "due_at"})
#: Stamps by another name than `…_at`, counters of traffic and connections, and how a machine fares.
GROWING = frozenset(
    {
        *("timestamp", "used_bytes", "lifetime_used_bytes", "received_bytes", "sent_bytes", "users_online"),
        *("load", "memory_used_bytes", "uptime_seconds", "core_uptime_seconds"),
    }
)


#: Keeps the links that a message gives away, each with the key of its customer, before it is sent.
OnLinks = Callable[[Mapping[Given, str]], Awaitable[None]] | None


class Customer(Value):
    """Who is told; what they are told is found in the event. `zone`: of the dates; `locale`: None for the sink's;
    `several`: whether their chat is that of others too; `stop`: a link to be told nothing more there, empty if none;
    `brand`: who tells them.
    """

    zone: ZoneInfo
    locale: str | None = None
    several: bool = False
    stop: str = ""
    brand: Brand = NO_BRAND


class AttemptResult(Value):
    """What came of an attempt: its evidence, a template's fault, and whether it failed by a bug of our own."""

    attempt: Attempt
    fault: str | None = None
    bug: bool = False


async def send_batch(
    batch: Batch,
    sink: Sink,
    renderer: Renderer,
    *,
    at: datetime,
    silent: bool = False,
    earlier: Earlier | None = None,
    customer: Customer | None = None,
    on_sent: OnSent = None,
    on_links: OnLinks = None,
) -> AttemptResult:
    """Send a batch as one message. Whatever goes wrong unforeseen costs attempts, and never the lane.

    `on_links` keeps the links that it gives away before it is sent; where the store is away, nothing was sent.
    """
    first = batch.deliveries[0]
    try:
        if len(batch.deliveries) > 1:
            digest, fault = digest_of(batch, sink, renderer, at=at, silent=silent)
            made = await _kept([one.links for one in digest.parts], on_links)
            return AttemptResult(_without(made, await sink.send_digest(digest, on_sent)), fault)
        if customer is not None:
            message, fault = customer_message(first.event, sink.look, renderer, customer, at=at, silent=silent)
        else:
            message, fault = message_of(first, sink, renderer, at=at, silent=silent, earlier=earlier)
        made = await _kept([message.links], on_links)
        return AttemptResult(_without(made, await sink.send(message, on_sent)), fault)
    except StoreError:
        raise
    except TemplateFault as error:
        return AttemptResult(Attempt(Refused(str(error))), str(error))
    except Exception as error:
        log(LOG, logging.ERROR, "delivery.bug", delivery=first.id, sink=first.sink, error=error)
        return AttemptResult(Attempt(Away(unforeseen(error))), bug=True)


def unforeseen(error: Exception) -> str:
    """Why a delivery failed by a bug of our own."""
    return f"unforeseen {type(error).__name__}, see the log"


async def _kept(links: Sequence[Mapping[str, Given]], on_links: OnLinks) -> Mapping[Given, str]:
    """The links that a message gives away, each with the key of its customer, once they are kept.

    Each part of a digest has tokens of its own: two parts about one customer give two, and both work.
    """
    made = {given: key for one in links for key, given in one.items()}
    if made and on_links is not None:
        await on_links(made)
    return made


def _without(made: Mapping[Given, str], attempt: Attempt) -> Attempt:
    """The attempt without the tokens that the service repeats: what is kept of them is a hash."""
    if not made or not attempt.answer:
        return attempt
    answer = attempt.answer
    for given in made:
        answer = answer.replace(given.token, "***")
    return replace(attempt, answer=answer)


def log_attempt(settlements: Sequence[Settlement]) -> None:
    """One line for each attempt, which is counted; a warning where the operator should know something of it."""
    delivery, fate, attempt = settlements[0].delivery, settlements[0].fate, settlements[0].attempt
    note, fault = getattr(fate, "note", None), settlements[0].fault
    milliseconds = settlements[0].ms or 0.0
    COUNTERS.attempted(delivery.sink, attempt.outcome, milliseconds / 1000, fault=fault is not None)
    log(
        LOG,
        logging.WARNING if note or fault else logging.INFO,
        "delivery.attempted",
        delivery=delivery.id,
        deliveries=len(settlements) if len(settlements) > 1 else None,
        event_id=delivery.event.id,
        type=delivery.event.type,
        sink=delivery.sink,
        attempt=delivery.attempts + 1,
        outcome=type(attempt.outcome).__name__.lower(),
        fate=type(fate).__name__.lower(),
        status=attempt.status,
        reason=getattr(fate, "reason", None),
        until=getattr(fate, "at", None),
        note=note,
        fault=fault,
        ms=round(milliseconds, 1),
    )


def message_of(
    delivery: Delivery,
    sink: Sink,
    renderer: Renderer,
    *,
    at: datetime,
    silent: bool = False,
    earlier: Earlier | None = None,
    repeats: int = 1,
) -> tuple[Message, str | None]:
    """The message of a delivery, and what went wrong with its template."""
    given = PLAIN
    replay, instead, reminder = delivery.replay_of is not None, delivery.instead, reminder_of(delivery, at)
    if replay or instead or silent or earlier or repeats > 1 or reminder:
        given = Circumstances(
            replay=replay, instead=instead, earlier=earlier, repeats=repeats, silent=silent, reminder=reminder
        )
    message, fault = rendered_message(
        delivery.event, sink.look, renderer, at=at, template=delivery.template, circumstances=given
    )
    return replace(message, sealed=delivery.sealed, delivery=delivery.id), fault


def rendered_message(
    event: Event,
    look: ServiceLook,
    renderer: Renderer,
    *,
    at: datetime,
    template: str | None = None,
    circumstances: Circumstances = PLAIN,
) -> tuple[Message, str | None]:
    """What a sink is handed for an event, and what went wrong with its template: of what is sent, and what is shown."""
    with tracing.span("panelbridge.render"):
        rendered = renderer.render(event, look, template, circumstances)
    message = Message(
        event=event,
        at=at,
        blocks=rendered.blocks,
        template=template,
        circumstances=circumstances,
        links=rendered.links,
    )
    return message, rendered.fault


def customer_message(
    event: Event, look: ServiceLook, renderer: Renderer, customer: Customer, *, at: datetime, silent: bool = False
) -> tuple[Message, str | None]:
    """What a customer is told of an event: words over what is theirs. The message has nothing else of the event."""
    locale = customer.locale or look.locale or renderer.locale
    me = me_of(event, at=at, zone=customer.zone, locale=locale, several=customer.several, stop=customer.stop)
    assert look.service is not None
    if (text := text_of(event)) is not None:
        rendered = renderer.announcement(look.service, text, me, customer.brand)
    else:
        rendered = renderer.customer(look.service, event.type, me, customer.brand)
    bare = replace(event, data={}, native=None, subject=None)
    message = Message(
        event=bare,
        at=at,
        blocks=rendered.blocks,
        circumstances=Circumstances(silent=silent),
        stop=customer.stop or None,
    )
    return message, rendered.fault


def digest_of(
    batch: Batch, sink: Sink, renderer: Renderer, *, at: datetime, silent: bool = False
) -> tuple[Digest, str | None]:
    """The digest of a batch, and what went wrong with a template."""
    events = [delivery.event for delivery in batch.deliveries]
    parts, fault = _parts(batch.deliveries, sink, renderer, at)
    tally = DigestTally(
        kinds=Counter(event.type for event in events),
        shown=sum(part.circumstances.repeats for part in parts),
        first_at=min(event.occurred_at for event in events),
        last_at=max(event.occurred_at for event in events),
        storm=batch.storm,
    )
    rendered = renderer.digest(tally, sink.look, _common_circumstances(batch.deliveries))
    digest = Digest(
        id=str(uuid5(NAMESPACE_OID, " ".join(event.id for event in events))),
        at=at,
        events=events,
        tally=tally,
        parts=parts,
        blocks=rendered.blocks,
        silent=silent,
        sealed={delivery.event.id: delivery.sealed for delivery in batch.deliveries if delivery.sealed},
        deliveries=[delivery.id for delivery in batch.deliveries],
    )
    return digest, rendered.fault or fault


def content_key(event: Event) -> Hashable:
    """What the event says: equal for two events that say the same, so that a digest says it once, with ×N.

    Same is what a reader could not tell apart but for when it happened: type, source, subject, and the data without the
    stamps and counters that grow by themselves. A failed login of the same name from another address says something
    else. What lies ahead stays in: so does a user who expires on another day.
    """
    return event.type, event.source, event.native_type, event.subject, _data_key(event)


def _parts(
    deliveries: Sequence[Delivery], sink: Sink, renderer: Renderer, at: datetime
) -> tuple[list[Message], str | None]:
    """The first ones in full; what says the same is said once."""
    if not sink.look.parts:
        return [], None
    by_content: dict[Hashable, list[Delivery]] = {}
    for delivery in deliveries:
        by_content.setdefault(content_key(delivery.event), []).append(delivery)
    composed = [
        message_of(same[0], sink, renderer, at=at, repeats=len(same))
        for same in islice(by_content.values(), sink.look.parts)
    ]
    return [part for part, _ in composed], next((fault for _, fault in composed if fault), None)


def _common_circumstances(deliveries: Sequence[Delivery]) -> Circumstances:
    """What is to be known of all of them."""
    instead = {delivery.instead for delivery in deliveries}
    replay = all(delivery.replay_of is not None for delivery in deliveries)
    return Circumstances(replay=replay, instead=instead.pop() if len(instead) == 1 else None)


def _data_key(event: Event) -> bytes | str:
    """The data without what grows, in one spelling; the event's own id where it cannot be spelt."""
    try:
        data = _without_growing(dict(event.data))
        try:
            return msgspec.json.encode(data, order="sorted")
        except UnicodeEncodeError:  # half a surrogate pair
            return json.dumps(data, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return event.id


def _without_growing(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_growing(one) if isinstance(one, dict | list) else one
            for key, one in value.items()
            if key not in GROWING and (key[-3:] != "_at" or key in AHEAD)
        }
    return [_without_growing(one) for one in value] if isinstance(value, list) else value
