"""Since when a panel's count of its tries tells a repeat.

A count above 0 says that the panel has told the event before, and not that we heard it. Two real events can be equal
(a user deleted, created and deleted again), and where only the second one's first telling was lost, the next looks like
a repeat of the first event. So what is remembered is believed

    only since nothing of that source may have been lost: since this process began, last failed to take a request,
         last had another replica beside it, or took the source's secret from another file. What a wrong secret comes
         with is a stranger's, and lost to nobody: else whoever reaches the port could have all repeats told twice;
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
SourceSubject = tuple[str, str | None]


class Redelivery:
    """When something of each source may have been lost, and when each subject was last told of. Bounded."""

    def __init__(self, since: datetime) -> None:
        self._all_since = since
        self._source_since: dict[str, datetime] = {}
        self._subject_since: OrderedDict[SourceSubject, datetime] = OrderedDict()
        self._latest: dict[str, datetime] = {}  # request of each source

    def distrust_all(self, now: datetime) -> None:
        """What was told before now may have been told to someone else, or lost there: another process, before this one
        or beside it."""
        self._all_since = now

    def distrust(self, source: str, now: datetime) -> None:
        """A request of the source was not taken."""
        # clocks are set back, and two requests can share a moment: what came before the loss must not seem later
        self._source_since[source] = max(now, self._latest.get(source, now)) + _NEXT

    def trusted_since(self, event: Event) -> datetime:
        """From when on something equal to this event, if it was taken, is this event told before."""
        since = max(self._all_since, self._source_since.get(event.source, self._all_since))
        return max(since, self._subject_since.get((event.source, event.subject), since))

    def remember(self, source: str, subjects: Iterable[str | None], at: datetime) -> None:
        """A request told of these for the first time."""
        self._latest[source] = max(at, self._latest.get(source, at))
        for key in {(source, subject) for subject in subjects}:
            before = self._subject_since.pop(key, None)
            self._subject_since[key] = at if before is None or at > before else before + _NEXT
        while len(self._subject_since) > SUBJECTS:
            (forgotten, _), since = self._subject_since.popitem(last=False)
            self._source_since[forgotten] = max(since, self._source_since.get(forgotten, self._all_since))
