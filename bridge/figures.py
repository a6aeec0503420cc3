"""What happened in a span of time, in figures: what a report is made of."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bridge.value import Value

#: From when to when, aware UTC, the end not in it.
TimeSpan = tuple[datetime, datetime]


class SinkFigures(Value):
    """What became of the messages of a sink."""

    delivered: int = 0
    dead: int = 0
    held_back: int = 0


class Figures(Value, kw_only=True):
    """How often what happened; the bridge's own events are none of it.

    whole    it was counted from the beginning of the span on
    since    from when on it was counted, where that is not the beginning
    sources  source → events that were taken in; `nowhere` of all of them went to no sink
    types    type → events, and so on; `downs`: node → how often it was down
    """

    whole: bool
    since: datetime | None = None
    sources: Mapping[str, int]
    nowhere: int
    sinks: Mapping[str, SinkFigures]
    types: Mapping[str, int]
    owners: Mapping[str, int]
    nodes: Mapping[str, int]
    downs: Mapping[str, int]

    @property
    def events(self) -> int:
        return sum(self.sources.values())


class OwnerFigures(Value, kw_only=True):
    """What was told of the users of an owner.

    realm, name  whose they are
    since        from when on the first span was counted, where that is not its beginning
    types        of each span, in their order: type → events; of those after the first nothing where they are not whole
    users        of the first span: name → events, the busiest first
    cut          there may have been more events in the first span than are looked at
    bars         how many events there were in each of the parts that were asked for
    """

    realm: str
    name: str
    since: datetime | None = None
    types: Sequence[Mapping[str, int]]
    users: Mapping[str, int]
    cut: bool
    bars: Sequence[int] = ()


class GivenUp(Value):
    """Messages that were given up at a sink for a reason, and that nobody has dealt with."""

    sink: str
    reason: str
    number: int


class Collected(Value, kw_only=True):
    """All that a report tells of several spans.

    figures  of each span, in their order
    users    of the first span: name → events, the busiest first; `cut` where there were too many events to look at all
    heard    source → when it was last heard before the first span's end, to the quarter of an hour
    dead     what was given up, most of it first
    bars     how many events were taken in in each of the parts that were asked for
    """

    figures: Sequence[Figures]
    users: Mapping[str, int]
    cut: bool
    heard: Mapping[str, datetime]
    dead: Sequence[GivenUp]
    bars: Sequence[int] = ()
