"""One configured panel: from a request as it arrived to its events, secrets masked.

elements → fingerprint, proofs → mask → parse, one element at a time: what cannot be understood is set aside, the others
go on.
"""

from typing import Any

from bridge.errors import BadPayload, TooLarge
from bridge.event import Event, new_id
from bridge.ingress.masking import Masker
from bridge.intake import Fingerprint, ProofsOfEvents, SetAside
from bridge.originals import OriginalsOfEvents
from bridge.panels.base import Hook, Panel, ParsedEvent, SourceConfig
from bridge.people.proof import ProofKey
from bridge.sealing import Unmasking
from bridge.value import replace

#: An event, and what tells its repeats; None where nothing does.
FingerprintedEvent = tuple[Event, Fingerprint | None]


class Source:
    """One configured panel. `realm`: whose users it speaks of, where others speak of the same; else None.

    `proof_key`: what makes hashes of what only a user has; None where nobody could show it.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        panel: Panel[SourceConfig],
        *,
        unmasking: Unmasking | None = None,
        proof_key: ProofKey | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.panel = panel
        self.unmasking = unmasking
        self.realm = panel.config.realm
        self._proof_key = proof_key
        masks = (*panel.masks, *panel.config.mask)
        self._mask = Masker(masks, panel.config.unmask, described=panel.described)
        # the paths lead into an element, wherever in the body that stands
        anywhere = [path if path.startswith("**.") else f"**.{path}" for path in masks]
        self._mask_whole = Masker([*masks, *anywhere], described=panel.described)

    def parse(
        self,
        hook: Hook,
        *,
        most: int | None = None,
        originals: OriginalsOfEvents | None = None,
        proofs: ProofsOfEvents | None = None,
    ) -> tuple[list[FingerprintedEvent], list[SetAside]]:
        """What the request says. What sinks may have unmasked is put into `originals`, by the event's id, and what
        stands for what only its user has into `proofs`.

        Raise BadPayload where nothing in it can be understood, TooLarge where it has more than `most` elements.
        """
        elements = self.panel.elements(hook)
        if most is not None and len(elements) > most:
            raise TooLarge(f"the body holds more than {most} events")
        told = hook
        if (whole := self.panel.whole(hook)) is not None:
            told, hook = replace(hook, whole=whole), replace(hook, whole=self._masked_body(hook))
        events: list[FingerprintedEvent] = []
        set_aside: list[SetAside] = []
        for index, element in enumerate(elements):
            fingerprint = self.panel.fingerprint(element, index, told)
            kept = self.unmasking.originals(element) if self.unmasking and originals is not None else {}
            proven = self._proven(element) if self._proof_key is not None and proofs is not None else ()
            masked = self.panel.scrub(self._mask(element))
            try:
                events.append((self._event(masked, self.panel.parse(masked, hook), hook), fingerprint))
                if kept and originals is not None:
                    originals[events[-1][0].id] = kept
                if proven and proofs is not None:
                    proofs[events[-1][0].id] = proven
            except BadPayload as error:
                path = _joined(f"[{index}]" if len(elements) > 1 else "", error.path)
                set_aside.append(self._set_aside(masked, path, error.reason, hook))
        if set_aside and not events:
            raise BadPayload(set_aside[0].reason, set_aside[0].path)
        return events, set_aside

    def _proven(self, element: Any) -> tuple[str, ...]:
        """What stands for what only the user has that an element is about."""
        assert self._proof_key is not None
        return self._proof_key.hashes((self.realm or self.name,), self.panel.proofs(element))

    def _masked_body(self, hook: Hook) -> Any:
        """The whole body, read anew, for what is masked is changed."""
        return self.panel.scrub(self._mask_whole(self.panel.whole(hook)))

    def _event(self, native: Any, parsed: ParsedEvent, hook: Hook) -> Event:
        return Event(
            id=new_id(),
            source=self.name,
            panel=parsed.panel or self.kind,
            type=parsed.type,
            native_type=parsed.native_type,
            subject=parsed.subject,
            occurred_at=parsed.occurred_at or hook.received_at,
            received_at=hook.received_at,
            data=parsed.data,
            native=native if parsed.native is None else parsed.native,
        )

    def _set_aside(self, element: Any, path: str, reason: str, hook: Hook) -> SetAside:
        return SetAside(source=self.name, received_at=hook.received_at, path=path, reason=reason, element=element)


def _joined(head: str, tail: str) -> str:
    return f"{head}.{tail}" if head and tail and not tail.startswith("[") else head + tail
