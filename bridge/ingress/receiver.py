"""From a request as it arrived to events in the outbox, in one commit.

parse (source.py) → route → put. Whoever calls has verified the request, and answers 2xx only after `receive` has
returned.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from bridge import tracing
from bridge.counters import COUNTERS
from bridge.errors import BadPayload, StoreRefused, TooLarge
from bridge.event import Event
from bridge.foreign import holds_more_values
from bridge.ingress.limits import Limits
from bridge.ingress.posted import as_intake, changing, deleted, edited, is_there, message_key, with_message_id
from bridge.ingress.redelivery import Redelivery
from bridge.ingress.source import Source
from bridge.intake import Fingerprint, Intake, ProofsOfEvents, Routed
from bridge.originals import OriginalsOfEvents
from bridge.panels.base import Hook
from bridge.routing import Router
from bridge.store.base import Delivery, Outbox, PutResult, Remembered
from bridge.telemetry import log
from bridge.tracing import SpanKind, taken_up
from bridge.value import Value, replace

LOG = logging.getLogger("bridge.ingress")
NOTHING_PUT = PutResult(())
MOMENT = timedelta(microseconds=1)
BIG_BODY = 256 * 1024  # bytes: a body of this size is understood on a thread of its own, one of each source at a time


class Receipt(Value):
    """What came of a request that was taken; `repeats` of the events were told before, and are not told again.

    trace: by which it is found among the traces
    """

    events: Sequence[Event]
    set_aside: int
    repeats: int = 0
    trace: str | None = None


class Receiver:
    """All sources of this process, and the table their events are routed by. Both are swapped whole on reload."""

    def __init__(
        self,
        outbox: Outbox,
        redelivery: Redelivery,
        limits: Limits,
        *,
        announce: Callable[[Sequence[Delivery]], None],
    ) -> None:
        self.sources: Mapping[str, Source] = {}
        self._router: Router | None = None
        self._changing: Collection[str] = frozenset()
        self._outbox = outbox
        self._announce = announce
        self._redelivery = redelivery
        self._limits = limits
        self._changed: set[str] = set()  # sources whose settings are others since they last told something
        self._changes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # of messages, while one is made
        self._big_bodies: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # of each source, one at a time

    def configure(
        self, sources: Mapping[str, Source], router: Router, *, changing: Collection[str] = frozenset()
    ) -> None:
        """From now on, these sources and this table; `changing` are the sinks that can change what they were told."""
        known = {name: source.panel.config for name, source in self.sources.items()}
        self._changed |= {name for name in known if name not in sources or sources[name].panel.config != known[name]}
        self.sources, self._router, self._changing = sources, router, changing

    def distrust(self, source: Source, now: datetime) -> None:
        """A request was not taken: whatever it told is told again, and is no repeat."""
        self._redelivery.distrust(source.name, now)

    async def verify_body(self, source: Source, hook: Hook) -> None:
        """Raise BadSignature unless the body proves what the head could not."""
        if len(hook.body) < BIG_BODY:
            source.panel.verify_body(hook)
        else:
            await asyncio.to_thread(source.panel.verify_body, hook)

    async def receive(self, source: Source, hook: Hook, *, message: str | None = None) -> Receipt:
        """Keep what a verified request says. `message` is the id by which its poster may change it later.

        Raise HookRejected where it is not taken, StoreError where it is not kept.
        """
        if not tracing.is_on():
            return await self._received(source, hook, message)
        about = {"panelbridge.source": source.name, "http.request.method": "POST"}
        before = taken_up(hook.headers)
        with tracing.span(f"POST /in/{source.name}", about, SpanKind.SERVER, parent=before) as span:
            receipt = await self._received(source, hook, message)
            if span is None:
                return receipt
            span.set_attribute("panelbridge.events", len(receipt.events))
            return replace(receipt, trace=tracing.trace_id())

    async def _received(self, source: Source, hook: Hook, message: str | None) -> Receipt:
        if source.name in self._changed:  # with another secret it may have been refused, and that was not counted
            self._changed.discard(source.name)
            self.distrust(source, hook.received_at - MOMENT)  # itself is believed
        if len(hook.body) < BIG_BODY:
            intake = self._intake(source, hook)
        else:
            async with self._big_bodies[source.name]:
                intake = await asyncio.to_thread(self._intake, source, hook)
        if message is not None:
            intake = with_message_id(intake, source.name, message)
        put = NOTHING_PUT
        if intake.routed or intake.set_aside:
            with tracing.span("panelbridge.put"):
                put = await self._put(source, hook, intake)
            COUNTERS.events_taken(source.name, intake, put.repeated)
            self._announce(put.deliveries)
        for aside in intake.set_aside:
            log(LOG, logging.WARNING, "ingress.set_aside", source=source.name, path=aside.path, reason=aside.reason)
        return Receipt([routed.event for routed in intake.routed], len(intake.set_aside), put.repeats)

    async def posted(self, source: Source, message: str, now: datetime) -> Remembered | None:
        """The message that was posted under that id, as it is now; None where there is none."""
        posted = await self._outbox.remembered(message_key(source.name, message), now=now)
        return posted if is_there(posted) else None

    async def edit(self, source: Source, message: str, hook: Hook) -> Event | None:
        """Keep what a verified request makes of a message: the event that says so. None where there is no such message,
        or no sink can change it.

        Raise HookRejected where it is not taken, StoreError where it is not kept.
        """
        if holds_more_values(hook.body, self._limits.values):
            raise TooLarge(f"the body holds more than {self._limits.values} values")
        async with self._change_of(source, message):
            posted = await self.posted(source, message, hook.received_at)
            if posted is None:
                return None
            if len(hook.body) < BIG_BODY:
                event = edited(posted, source, hook)
            else:
                event = await asyncio.to_thread(edited, posted, source, hook)
            return event if await self._change(posted, event) else None

    async def delete(self, source: Source, message: str, now: datetime) -> bool:
        """Keep that a message is taken back; whether there is one that any sink can take back.

        Raise StoreError where it is not kept.
        """
        async with self._change_of(source, message):
            posted = await self.posted(source, message, now)
            return posted is not None and await self._change(posted, deleted(posted, now))

    def _change_of(self, source: Source, message: str) -> asyncio.Lock:
        """What lets one change of a message after the other: each is made of what the one before has made of it.

        Two replicas do not wait for each other.
        """
        return self._changes.setdefault(message_key(source.name, message), asyncio.Lock())

    async def _change(self, posted: Remembered, event: Event) -> bool:
        if not (destinations := changing(posted, event, self._changing)):
            return False
        source = self.sources.get(event.source)
        intake = as_intake(event, destinations, realm=source.realm if source is not None else None)
        put = await self._outbox.put(intake)
        COUNTERS.events_taken(event.source, intake, put.repeated)
        self._announce(put.deliveries)
        return True

    async def _put(self, source: Source, hook: Hook, intake: Intake) -> PutResult:
        self._redelivery.remember(source.name, _subjects(intake, tried_before=False), hook.received_at)
        try:
            put = await self._outbox.put(intake)
        except StoreRefused as error:  # nor would it be kept the next time
            raise BadPayload(f"it cannot be kept: {error}") from None
        tried_before = _subjects(intake, tried_before=True)
        if put.repeats < len(tried_before):  # some of them were told for the first time
            self._redelivery.remember(source.name, tried_before, hook.received_at)
        return put

    def _intake(self, source: Source, hook: Hook) -> Intake:
        assert self._router is not None
        if holds_more_values(hook.body, self._limits.values):
            raise TooLarge(f"the body holds more than {self._limits.values} values")
        originals: OriginalsOfEvents = {}
        proofs: ProofsOfEvents = {}
        with tracing.span("panelbridge.parse"):
            events, set_aside = source.parse(hook, most=self._limits.elements, originals=originals, proofs=proofs)
        occurrences: Counter[str] = Counter()
        route = self._router.route
        with tracing.span("panelbridge.route"):
            routed = [self._routed(route(event), fingerprint, occurrences) for event, fingerprint in events]
        if source.unmasking is not None and originals:
            seal = source.unmasking.sealer.seal
            routed = [one.sealed(originals.get(one.event.id, {}), seal) for one in routed]
        if proofs:
            routed = [replace(one, proofs=proofs.get(one.event.id, ())) for one in routed]
        return Intake(routed, set_aside, source.realm, tracing.traceparent())

    def _routed(self, routed: Routed, fingerprint: Fingerprint | None, occurrences: Counter[str]) -> Routed:
        """With the fingerprint by which the store tells a repeat of it."""
        if fingerprint is None:
            return routed
        key, since = f"{routed.event.source}:{fingerprint.key}", None  # sources do not share what they remember
        if fingerprint.tries is not None:
            # two in one request are never one: the second is a repeat of what was the second then
            occurrences[key] += 1
            key, since = f"{key}:{occurrences[key]}", self._redelivery.trusted_since(routed.event)
        ends = f"{routed.event.source}:{fingerprint.ends}" if fingerprint.ends is not None else None
        return replace(routed, fingerprint=Fingerprint(key, fingerprint.tries, fingerprint.within, since, ends))


def _subjects(intake: Intake, *, tried_before: bool) -> list[str | None]:
    """What the events are about that are told for the first time, or again, as far as their panel counts."""
    counted = ((one.event, one.fingerprint.tries) for one in intake.routed if one.fingerprint is not None)
    return [event.subject for event, tries in counted if tries is not None and (tries > 0) is tried_before]
