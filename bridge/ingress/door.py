"""The door: from a request as it arrived to events in the outbox, in one commit.

verify → read → mask → understand → route → put. Whoever calls answers 2xx only after `take` has returned.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import BadPayload
from bridge.event import Event, new_id
from bridge.ingress.masking import Masker
from bridge.intake import Intake, SetAside
from bridge.panels.base import Hook, Panel, Sighting, SourceConfig
from bridge.routing import Router
from bridge.store.base import Delivery, Outbox
from bridge.telemetry import say

LOG = logging.getLogger("bridge.ingress")
BIG = 256 * 1024  # bytes: a body of this size is understood on a thread of its own, one at a time


class Source:
    """One configured panel."""

    def __init__(self, name: str, kind: str, panel: Panel[SourceConfig]) -> None:
        self.name = name
        self.kind = kind
        self.panel = panel
        self._mask = Masker((*panel.masks, *panel.config.mask), panel.config.unmask)

    def events(self, hook: Hook) -> tuple[list[Event], list[SetAside]]:
        """What the request says. Raise BadPayload where nothing in it can be understood."""
        elements = self.panel.read(hook)
        events: list[Event] = []
        aside: list[SetAside] = []
        for index, element in enumerate(elements):
            masked = self.panel.scrub(self._mask(element))
            try:
                events.append(self._event(masked, self.panel.understand(masked, hook), hook))
            except BadPayload as error:
                path = _joined(f"[{index}]" if len(elements) > 1 else "", error.path)
                aside.append(self._aside(masked, path, error.reason, hook))
        if aside and not events:
            raise BadPayload(aside[0].reason, aside[0].path)
        return events, aside

    def _event(self, native: Any, sighting: Sighting, hook: Hook) -> Event:
        return Event(
            id=new_id(),
            source=self.name,
            panel=sighting.panel or self.kind,
            type=sighting.type,
            native_type=sighting.native_type,
            subject=sighting.subject,
            occurred_at=sighting.occurred_at or hook.received_at,
            received_at=hook.received_at,
            data=sighting.data,
            native=native if sighting.native is None else sighting.native,
        )

    def _aside(self, element: Any, path: str, reason: str, hook: Hook) -> SetAside:
        return SetAside(source=self.name, received_at=hook.received_at, path=path, reason=reason, element=element)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a request that was taken."""

    events: Sequence[Event]
    set_aside: int


class Door:
    """All sources of this process, and the table their events are routed by. Both are swapped whole on reload."""

    def __init__(self, outbox: Outbox, *, offer: Callable[[Iterable[Delivery]], None]) -> None:
        self.sources: Mapping[str, Source] = {}
        self._router: Router | None = None
        self._outbox = outbox
        self._offer = offer
        self._one_big = asyncio.Lock()

    def open(self, sources: Mapping[str, Source], router: Router) -> None:
        """From now on, these sources and this table."""
        self.sources, self._router = sources, router

    async def take(self, source: Source, hook: Hook) -> Taken:
        """Keep what a request says; raise HookRejected where it is not taken, StoreError where it is not kept."""
        source.panel.verify(hook)
        if len(hook.body) < BIG:
            intake = self._intake(source, hook)
        else:
            async with self._one_big:
                intake = await asyncio.to_thread(self._intake, source, hook)
        if intake.routed or intake.set_aside:
            self._offer(await self._outbox.put(intake))
        for aside in intake.set_aside:
            say(LOG, logging.WARNING, "ingress.set_aside", source=source.name, path=aside.path, reason=aside.reason)
        return Taken([routed.event for routed in intake.routed], len(intake.set_aside))

    def _intake(self, source: Source, hook: Hook) -> Intake:
        assert self._router is not None
        events, aside = source.events(hook)
        return Intake([self._router.route(event) for event in events], aside)


def _joined(head: str, tail: str) -> str:
    return f"{head}.{tail}" if head and tail and not tail.startswith("[") else head + tail
