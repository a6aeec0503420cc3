"""The door: from a request as it arrived to events in the outbox, in one commit.

verify → parse (source.py) → route → put. Whoever calls answers 2xx only after `take` has returned.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.event import Event
from bridge.ingress.redelivery import Redelivery
from bridge.ingress.source import Source
from bridge.intake import Fingerprint, Intake, Routed
from bridge.panels.base import Hook
from bridge.routing import Router
from bridge.store.base import Outbox, PutResult
from bridge.telemetry import say

LOG = logging.getLogger("bridge.ingress")
NOTHING = PutResult(())
BIG = 256 * 1024  # bytes: a body of this size is understood on a thread of its own, one at a time


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a request that was taken; `repeats` of the events were told before, and are not told again."""

    events: Sequence[Event]
    set_aside: int
    repeats: int = 0


class Receiver:
    """All sources of this process, and the table their events are routed by. Both are swapped whole on reload."""

    def __init__(self, outbox: Outbox, redelivery: Redelivery, *, offer: Callable[[PutResult], None]) -> None:
        self.sources: Mapping[str, Source] = {}
        self._router: Router | None = None
        self._outbox = outbox
        self._offer = offer
        self._redelivery = redelivery
        self._one_big = asyncio.Lock()

    def open(self, sources: Mapping[str, Source], router: Router) -> None:
        """From now on, these sources and this table."""
        self.sources, self._router = sources, router

    def lost(self, source: Source, now: datetime) -> None:
        """A request was not taken: whatever it told is told again, and is no repeat."""
        self._redelivery.lost(source.name, now)

    async def take(self, source: Source, hook: Hook) -> Received:
        """Keep what a request says; raise HookRejected where it is not taken, StoreError where it is not kept."""
        source.panel.verify(hook)
        if len(hook.body) < BIG:
            intake = self._intake(source, hook)
        else:
            async with self._one_big:
                intake = await asyncio.to_thread(self._intake, source, hook)
        kept = NOTHING
        if intake.routed or intake.set_aside:
            kept = await self._put(source, hook, intake)
            self._offer(kept)
        for aside in intake.set_aside:
            say(LOG, logging.WARNING, "ingress.set_aside", source=source.name, path=aside.path, reason=aside.reason)
        return Received([routed.event for routed in intake.routed], len(intake.set_aside), kept.repeats)

    async def _put(self, source: Source, hook: Hook, intake: Intake) -> PutResult:
        self._redelivery.told(source.name, _subjects(intake, again=False), hook.received_at)
        kept = await self._outbox.put(intake)
        again = _subjects(intake, again=True)
        if kept.repeats < len(again):  # some of them were told for the first time
            self._redelivery.told(source.name, again, hook.received_at)
        return kept

    def _intake(self, source: Source, hook: Hook) -> Intake:
        assert self._router is not None
        heard, aside = source.hear(hook)
        twins: Counter[str] = Counter()
        return Intake([self._routed(self._router, *one, twins) for one in heard], aside)

    def _routed(self, router: Router, event: Event, fingerprint: Fingerprint | None, twins: Counter[str]) -> Routed:
        routed = router.route(event)
        if fingerprint is None:
            return routed
        key, since = f"{event.source}:{fingerprint.key}", None  # sources do not share what they remember
        if fingerprint.tries is not None:
            # two in one request are never one: the second is a repeat of what was the second then
            twins[key] += 1
            key, since = f"{key}:{twins[key]}", self._redelivery.since(event)
        mark = Fingerprint(key, fingerprint.tries, fingerprint.within, since)
        return Routed(event, routed.destinations, routed.verdicts, mark)


def _subjects(intake: Intake, *, again: bool) -> list[str | None]:
    """What the events are about that are told for the first time, or again, as far as their panel counts."""
    marked = ((one.event, one.fingerprint.tries) for one in intake.routed if one.fingerprint is not None)
    return [event.subject for event, tries in marked if tries is not None and (tries > 0) is again]
