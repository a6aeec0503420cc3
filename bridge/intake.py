"""What the door hands to the outbox in one commit: events, where each goes and why, and what was set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.event import Event


@dataclass(frozen=True, slots=True)
class Assignment:
    """One event for one sink, as the table decided: the first row that named the sink, and that row's template."""

    sink: str
    row: str
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one row of the table said of an event, and why."""

    row: str
    matched: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"row": self.row, "matched": self.matched, "why": self.why}


@dataclass(frozen=True, slots=True)
class Routed:
    """An event and its fate at the table."""

    event: Event
    assignments: tuple[Assignment, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """An element of a batch that could not be understood, and why; `element` is masked as far as rules reach."""

    source: str
    received_at: datetime
    path: str
    reason: str
    element: Any


@dataclass(frozen=True, slots=True)
class Intake:
    """One request's worth, committed whole or not at all."""

    routed: Sequence[Routed]
    set_aside: Sequence[SetAside] = ()
