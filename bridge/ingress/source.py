"""One configured panel: from a request as it arrived to its events, secrets masked.

elements → fingerprint → mask → parse, one element at a time: what cannot be understood is set aside, the others go on.
"""

from typing import Any

from bridge.errors import BadPayload
from bridge.event import Event, new_id
from bridge.ingress.masking import Masker
from bridge.intake import Fingerprint, SetAside
from bridge.panels.base import Hook, Panel, ParsedEvent, SourceConfig

#: An event, and what tells its repeats.
Understood = tuple[Event, Fingerprint | None]


class Source:
    """One configured panel."""

    def __init__(self, name: str, kind: str, panel: Panel[SourceConfig]) -> None:
        self.name = name
        self.kind = kind
        self.panel = panel
        self._mask = Masker((*panel.masks, *panel.config.mask), panel.config.unmask)

    def events(self, hook: Hook) -> tuple[list[Event], list[SetAside]]:
        """What the request says. Raise BadPayload where nothing in it can be understood."""
        heard, aside = self.hear(hook)
        return [event for event, _ in heard], aside

    def hear(self, hook: Hook) -> tuple[list[Understood], list[SetAside]]:
        """The same, each event with what tells its repeats."""
        elements = self.panel.elements(hook)
        heard: list[Understood] = []
        aside: list[SetAside] = []
        for index, element in enumerate(elements):
            fingerprint = self.panel.fingerprint(element, index, hook)
            masked = self.panel.scrub(self._mask(element))
            try:
                heard.append((self._event(masked, self.panel.parse(masked, hook), hook), fingerprint))
            except BadPayload as error:
                path = _joined(f"[{index}]" if len(elements) > 1 else "", error.path)
                aside.append(self._aside(masked, path, error.reason, hook))
        if aside and not heard:
            raise BadPayload(aside[0].reason, aside[0].path)
        return heard, aside

    def _event(self, native: Any, sighting: ParsedEvent, hook: Hook) -> Event:
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


def _joined(head: str, tail: str) -> str:
    return f"{head}.{tail}" if head and tail and not tail.startswith("[") else head + tail
