"""A mute: what nobody is to be told of until then. What it takes is kept as held back, and can be replayed."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from bridge.event import Event
from bridge.value import Value

MUTED = "muted"  # why it was held back


class MuteKind(StrEnum):
    """By what a mute knows what it takes."""

    SUBJECT = "subject"
    TYPE = "type"  # a glob: `user.*`
    SOURCE = "source"
    SINK = "sink"


class Mute(Value, kw_only=True):
    """What is not told until then; `by`: who wanted it so."""

    id: int
    kind: MuteKind
    value: str
    until: datetime
    by: str
    at: datetime

    def takes(self, event: Event, sink: str) -> bool:
        match self.kind:
            case MuteKind.SUBJECT:
                return event.subject == self.value
            case MuteKind.TYPE:
                return fnmatchcase(event.type, self.value)
            case MuteKind.SOURCE:
                return event.source == self.value
            case MuteKind.SINK:
                return sink == self.value

    @property
    def note(self) -> str:
        """What a delivery says that it took."""
        return f"muted until {self.until:%Y-%m-%d %H:%M} UTC by {self.by}"


def muting(mutes: Iterable[Mute], event: Event, sink: str, now: datetime) -> Mute | None:
    """The mute that takes an event for a sink now; of several the one that lasts longest."""
    found = [one for one in mutes if one.until > now and one.takes(event, sink)]
    return max(found, key=lambda one: one.until, default=None)
