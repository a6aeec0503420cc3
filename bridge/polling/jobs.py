"""What is asked of a source in turns, and what its answers say: what has changed, or whether it is there at all."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from bridge.codec import dump
from bridge.errors import BadPayload
from bridge.event import Event, JsonObject, iso, new_id
from bridge.foreign import present
from bridge.intake import Fingerprint, ProofsOfEvents, SetAside
from bridge.originals import OriginalsOfEvents
from bridge.panels.base import Hook, Panel, PolledPanel, Watch
from bridge.polled import OF_WATCH, Polling, PollKey, PollRequest, PollResponse, SourceHealth
from bridge.sealing import Unmasking
from bridge.value import Value, field


class Understand(Protocol):
    """Understands a request as the door does: its events, what of it is none, the originals of what it masks, and what
    stands for what only users have.
    """

    def __call__(
        self, hook: Hook, *, originals: OriginalsOfEvents | None = None, proofs: ProofsOfEvents | None = None
    ) -> tuple[Sequence[tuple[Event, Fingerprint | None]], Sequence[SetAside]]: ...


#: Seconds for all that is asked in one turn. The next one may be another replica's, and must not meet it.
LONGEST_TURN = 60.0

#: What a source's own answering is a subject under.
_SUBJECTS = {Polling.EVENTS: "node/panel", Polling.HEALTH: "node/watch"}


class Findings(Value):
    """What the answers of one turn say.

    state      what the next ones are compared with, None where nothing is
    originals  of what is masked in the events, for the sinks that may have it
    proofs     of what only the users have that the events are about
    """

    HIDDEN: ClassVar = frozenset({"originals", "proofs"})

    state: JsonObject | None = None
    events: Sequence[Event] = ()
    set_aside: Sequence[SetAside] = ()
    originals: OriginalsOfEvents = field(default_factory=dict)
    proofs: ProofsOfEvents = field(default_factory=dict)


#: What answers say, compared with the state before; raise BadPayload where they are not as they should be.
Find = Callable[[Sequence[PollResponse | None], JsonObject | None, datetime], Findings]


class Job(Value, kw_only=True):
    """One thing that is asked of one source.

    panel       the word that chooses its panel
    address     what the questions' paths are put behind
    interval    seconds from turn to turn
    within      seconds that a turn may take
    lost_after  seconds that it fails before that is told
    realm       whose users its events are about, where other sources speak of the same
    unmasking   which sinks are given what is masked in its events; None where none is
    """

    HIDDEN: ClassVar = frozenset({"address", "unmasking"})

    key: PollKey
    panel: str
    address: str
    questions: Sequence[PollRequest]
    interval: float
    within: float
    lost_after: float
    find: Find
    realm: str | None = None
    unmasking: Unmasking | None = None

    def health_event(self, verdict: str, health: SourceHealth, at: datetime) -> Event:
        """That the source does not answer, or does so again; `health` is how it was while it did not."""
        native = f"watch.{verdict}"
        lost, since = verdict == "lost", health.failing_since or at
        reason = health.reason if lost else None
        return Event(
            id=new_id(),
            source=self.key.source,
            panel=self.panel,
            type=OF_WATCH[native],
            native_type=native,
            subject=f"{_SUBJECTS[self.key.what]}:{self.key.source}",
            occurred_at=since if lost else at,
            received_at=at,
            data=present(node=present(name=self.key.source, address=urlsplit(self.address).hostname), reason=reason),
            native=present(event=native, since=iso(since), reason=reason),
        )


def jobs_of(
    source: str,
    word: str,
    panel: Panel[Any],
    understand: Understand,
    *,
    realm: str | None = None,
    unmasking: Unmasking | None = None,
) -> Iterator[Job]:
    """What is asked of a source; nothing of one whose panel posts, and is not watched."""
    if isinstance(panel, PolledPanel):
        settings = panel.config
        yield Job(
            key=PollKey(source, Polling.EVENTS),
            panel=word,
            address=f"{settings.address.get_secret_value().rstrip('/')}/",
            questions=panel.questions(),
            interval=settings.interval,
            within=min(LONGEST_TURN, settings.interval),
            lost_after=settings.lost_after,
            find=_what_changed(panel, understand),
            realm=realm,
            unmasking=unmasking,
        )
    if (watch := panel.config.watch) is not None:
        yield Job(
            key=PollKey(source, Polling.HEALTH),
            panel=word,
            address=watch.address.get_secret_value(),
            questions=(PollRequest(""),),
            interval=watch.interval,
            within=min(watch.within, watch.interval),
            lost_after=watch.lost_after,
            find=_whether_right(watch),
            realm=realm,
        )


def _what_changed(panel: PolledPanel[Any], understand: Understand) -> Find:
    def find(answers: Sequence[PollResponse | None], before: JsonObject | None, at: datetime) -> Findings:
        difference = panel.diff(before, panel.read(answers), at)
        if not difference.elements:
            return Findings(difference.state)
        originals: OriginalsOfEvents = {}
        proofs: ProofsOfEvents = {}
        hook = Hook(body=dump(difference.elements), received_at=at)
        events, set_aside = understand(hook, originals=originals, proofs=proofs)
        return Findings(difference.state, [event for event, _ in events], set_aside, originals, proofs)

    return find


def _whether_right(watch: Watch) -> Find:
    def find(answers: Sequence[PollResponse | None], before: JsonObject | None, at: datetime) -> Findings:
        status = next((one.status for one in answers if one is not None), 0)
        if status not in watch.status if watch.status else not 200 <= status < 400:
            raise BadPayload(f"HTTP {status}")
        return Findings()

    return find
