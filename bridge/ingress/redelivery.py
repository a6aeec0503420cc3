"""Since when a panel's count of its tries tells a repeat.

A count above 0 says that the panel has told the event before, and not that we heard it. Two real events can be equal
(a user deleted, created and deleted again), and where only the second one's first telling was lost, the next looks like
a repeat of the first event. So what is remembered is believed

    only since nothing of that source may have been lost: since this process began, last failed to take a request, or
         last had another replica beside it;
    only since no later request has told of the same subject: a panel that waits to try again tells nothing else.

*Why*: an event that is taken twice is a nuisance, one that is swallowed as a repeat is a loss.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

from bridge.event import Event

SUBJECTS = 10_000  # of how many subjects it is known when they were last told of
_NEXT = timedelta(microseconds=1)

#: A source's name, and what its event is about.
Told = tuple[str, str | None]


class Redelivery:
    """When something of each source may have been lost, and when each subject was last told of. Bounded."""

    def __init__(self, began: datetime) -> None:
        self._began = began
        self._since: dict[str, datetime] = {}
        self._latest: dict[str, datetime] = {}
        self._told: OrderedDict[Told, datetime] = OrderedDict()

    def reset(self, now: datetime) -> None:
        """What was told before now may have been told to someone else, or lost there: another process, before this one
        or beside it."""
        self._began = now

    def lost(self, source: str, now: datetime) -> None:
        """A request of the source was not taken."""
        # clocks are set back, and two requests can share a moment: what came before the loss must not seem later
        self._since[source] = max(now, self._latest.get(source, now)) + _NEXT

    def since(self, event: Event) -> datetime:
        """From when on something equal to this event, if it was taken, is this event told before."""
        known = max(self._began, self._since.get(event.source, self._began))
        return max(known, self._told.get((event.source, event.subject), known))

    def told(self, source: str, subjects: Iterable[str | None], at: datetime) -> None:
        """A request told of these for the first time."""
        self._latest[source] = max(at, self._latest.get(source, at))
        for one in {(source, subject) for subject in subjects}:
            before = self._told.pop(one, None)
            self._told[one] = at if before is None or at > before else before + _NEXT
        while len(self._told) > SUBJECTS:
            (gone, _), when = self._told.popitem(last=False)
            self._since[gone] = max(when, self._since.get(gone, self._began))
