"""What the store is to lanes and to the receiver: an outbox. What people look up in it stands in `records.py`.

A delivery is `pending` until it was tried, `waiting` while it is due later (a retry, or because its row collects), then
`delivered`, `dead` or `held_back` for good. Replaying makes a new delivery that remembers the old one.

Every lane has a row of its own, which says how it stands and travels with it from process to process. Whoever carries a
lane does so under the number of a term of office, the `epoch`: what is settled under an older one changes nothing.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bridge.event import Event
from bridge.figures import Collected, OwnerFigures, TimeSpan
from bridge.intake import Destination, Intake
from bridge.message import Earlier
from bridge.mute import Mute
from bridge.outcome import Attempt, Fate
from bridge.people.recipient import Audience
from bridge.polled import PollKey, PollResult, Turn
from bridge.store.addressees import NOBODY as NOBODY
from bridge.store.addressees import Addressees
from bridge.store.addressees import PlaceFacts as PlaceFacts
from bridge.store.addressees import RecipientFacts as RecipientFacts
from bridge.store.standing import ASKED_AGAIN as ASKED_AGAIN
from bridge.store.standing import AddressState as AddressState
from bridge.store.standing import LaneState as LaneState
from bridge.store.standing import Standing as Standing
from bridge.terms import Terms
from bridge.value import Value


class State(StrEnum):
    PENDING = "pending"
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    HELD_BACK = "held_back"


SETTLED = (State.DELIVERED, State.DEAD, State.HELD_BACK)
NO_AUDIENCES: Mapping[Audience, datetime] = {}


class Cleared(StrEnum):
    """How a person has dealt with a settled delivery: a dead letter that is cleared is not counted as dead."""

    REPLAYED = "replayed"
    DISMISSED = "dismissed"


class Delivery(Value, kw_only=True):
    """One event for one sink, made at `made_at`: when its event was received, or it was replayed.

    `attempts` counts those made so far. Claimed, it is pending, or was waiting until `due_at`.
    `instead` says what happened at the sink that it was for first. `replay_of` is the delivery that it repeats, 0 where
    it is the event that is replayed. `size` is how many bytes its event has in the store; where that is much it is not
    `loaded`, and the event has neither its `data` nor its `native` (`Outbox.load`).
    `sealed` holds originals of what is masked in the event, until it is settled. `recipient` is the key of whom it is
    for, where its sink has many addresses. `reminder` counts from 1 how often it tells of a trouble that lasts; None
    where it tells for the first time.
    """

    id: int
    event: Event
    sink: str
    row: str
    made_at: datetime
    template: str | None = None
    terms: Terms | None = None
    attempts: int = 0
    state: State = State.PENDING
    due_at: datetime | None = None
    instead: str | None = None
    replay_of: int | None = None
    size: int = 0
    loaded: bool = True
    sealed: str | None = None
    recipient: str | None = None
    reminder: int | None = None

    @property
    def order(self) -> str | None:
        """What its order is kept by; None where it has none, as a reminder, which waits for hours."""
        return None if self.reminder else order_of(self.event.subject, self.recipient)


def order_of(subject: str | None, recipient: str | None) -> str | None:
    """What order is kept by: the subject, for each recipient by itself; what one waits for holds up nobody else."""
    return subject if subject is None or recipient is None else f"{recipient}>{subject}"


class Claim(Value):
    """Deliveries that may be carried now, in order.

    cursor    how far the pending ones were looked through: what the next claim comes `after`
    has_more  whether there may be further pending ones
    next_due  when the next retry is due, None where nothing waits
    blocked   id and order of each pending one on the way that waits behind another of its order
    """

    deliveries: Sequence[Delivery]
    cursor: int
    has_more: bool = False
    next_due: datetime | None = None
    blocked: Sequence[tuple[int, str]] = ()


class Settlement(Value):
    """What became of a delivery after one attempt; `fault` is a template's, when it could not render.

    `epoch`: the term of office under which its lane was carried. `ms`: how long the attempt took; None where nothing
    was sent.
    """

    delivery: Delivery
    fate: Fate
    attempt: Attempt
    at: datetime
    fault: str | None = None
    epoch: int = 0
    ms: float | None = None


class Remembered(Value):
    """An event that was kept, and where it went first."""

    event: Event
    destinations: Sequence[Destination]


class Arrival(Value):
    """That an event came in: its id, its source, and when."""

    id: str
    source: str
    at: datetime


class Ending(Value):
    """The event that a trouble ended with, or began anew."""

    event_id: str
    type: str


class PutResult(Value):
    """What came of an intake: deliveries in order, and the ids of the events that were repeats."""

    deliveries: Sequence[Delivery]
    repeated: Sequence[str] = ()

    @property
    def repeats(self) -> int:
        """How many events were repeats."""
        return len(self.repeated)


class Outbox(Addressees, Protocol):
    """What lanes and the receiver do with the store.

    Each verb raises StoreUnavailable while the store cannot be used, and then nothing has happened.
    """

    async def put(self, intake: Intake) -> PutResult:
        """Keep an intake; returns what came of it after the commit.

        A routed event whose fingerprint is that of a repeat is set aside, with the reason that it is one. A delivery
        whose terms collect its event is waiting, and due when the collecting ends.
        """
        ...

    async def take_turn(self, key: PollKey, *, now: datetime, every: float) -> Turn | float:
        """The turn to ask, the next one being `every` seconds later; or the seconds until there is one to be had.

        A turn that lies further ahead than any could is one that can be had: the clock was set back.
        """
        ...

    async def put_polled(self, intake: Intake, result: PollResult) -> PutResult | None:
        """Keep what a turn has found, and the events that it is about, in one commit.

        None where the turn is over, for another one has begun: then nothing was kept.
        """
        ...

    async def forget_polled(self, *, others_than: Collection[str], before: datetime) -> int:
        """Delete what is kept of the sources that are none of these, and have not been asked since then; how many."""
        ...

    async def claim(self, sink: str, *, after: int, now: datetime | None, limit: int) -> Claim:
        """Up to `limit` deliveries of a sink that wait and are due `now`, the first one of each full digest, then up to
        `limit` pending ones with an id above `after`.

        Never one whose subject has an earlier delivery waiting on this sink; whether an earlier one is pending is for
        the lane to see. Big events are not loaded, nor small ones beyond a few hundred KiB in all.

        Claiming changes nothing: a lane is the only one that claims for its sink, and a crash leaves all of them
        claimable. A lane that knows that nothing waits that is due gives no `now`, and is told no next one.
        """
        ...

    async def batch_members(self, first: Delivery, *, limit: int) -> Sequence[Delivery]:
        """`first` and what is collected with it, in order: unsettled deliveries of its sink, row and terms that were
        made within its `terms.collecting`, with a higher id; for a hold without a digest only those of its subject.

        Without one whose subject has an earlier delivery waiting on this sink that is not among them.
        """
        ...

    async def load(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """These with their events whole: what a claim has left in the store."""
        ...

    async def fallback_candidates(self, sink: str, *, after: int, limit: int) -> Sequence[Delivery]:
        """Unsettled deliveries of a sink whose terms name a fallback, with an id above `after`, in order."""
        ...

    async def backlog(self, sink: str, *, now: datetime | None, most: int) -> int:
        """How many deliveries of a sink are pending or due, counted up to `most`; with no `now`, all that wait."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> "asyncio.Future[Sequence[Delivery]]":
        """Begin to record what became of deliveries, all or none; done after the commit.

        A dead one with a fallback makes a delivery for the first of its fallback sinks that its event has not been for
        yet, one that told of trouble under terms that repeat it makes the next reminder; these are the result. One that
        was delivered with a `ref`, under terms that update, is remembered as the last thing said about its subject.
        """
        ...

    async def is_remembered(self, key: str, *, now: datetime) -> bool:
        """Whether an event with the fingerprint of this key was kept, and the key is still remembered."""
        ...

    async def remembered(self, key: str, *, now: datetime) -> Remembered | None:
        """The event that the fingerprint of this key was last kept with; None where that is over, or forgotten."""
        ...

    async def arrivals(self, *, before: str | None, since: datetime | None, limit: int) -> Sequence[Arrival]:
        """Up to `limit` events that came `since` then, with an id below `before`, the newest first."""
        ...

    async def collected(self, spans: Sequence[TimeSpan], parts: Sequence[TimeSpan] = ()) -> Collected:
        """What a report on the first of these spans tells, and what it compares that with.

        parts: those of the first, side by side, of which is told how many events each had
        """
        ...

    async def of_owners(
        self, spans: Sequence[TimeSpan], realms: Collection[str], parts: Sequence[TimeSpan] = ()
    ) -> Sequence[OwnerFigures]:
        """What was told of each owner's users in these spans; who had none in the first is left out."""
        ...

    async def traces(self, event_ids: Sequence[str]) -> Sequence[str]:
        """The traceparents of these events, each once, as far as they have any."""

    async def earlier_message(self, sink: str, subject: str) -> Earlier | None:
        """The last thing said about a subject to be updated at a sink."""
        ...

    async def mutes(self, *, now: datetime) -> Sequence[Mute]:
        """What is muted now."""
        ...

    async def ended_by(self, event: Event, types: Collection[str]) -> Ending | None:
        """The first event after this one, of the same source and subject, that has one of these types."""
        ...

    async def last_erasure(self) -> tuple[int, int]:
        """Which commit was the last that forgot somebody, 0 for none; and the newest delivery there is now."""
        ...

    @property
    def moves(self) -> int:
        """How many commits of this very process have changed something that the version tells of: there at once."""
        ...

    async def version(self) -> int:
        """Which commit, of whatever process, was the last that changed something by which it is decided whether and
        where a message goes, 0 for none: wishes, links, who was deleted or forgotten, the directory, which addresses
        take none, what is muted.
        """
        ...

    async def kept(self, ids: Sequence[int]) -> Set[int]:
        """Which of these deliveries are still there: what is forgotten is gone, also where it was claimed."""
        ...

    async def begin(self, ids: Sequence[int], *, now: datetime) -> Mapping[int, str]:
        """Keep that these of an announcement go to the socket now; those that may not, and why: they are settled
        already, or went there before.
        """
        ...

    async def begun(self, ids: Sequence[int]) -> Set[int]:
        """Which of these of an announcement went to the socket, and nobody knows what came of it."""
        ...

    async def lane_state(self, sink: str) -> LaneState:
        """How a lane stands; as new where nobody has carried it yet."""
        ...

    def save_lane_state(self, sink: str, state: LaneState, *, epoch: int) -> "asyncio.Future[None]":
        """Begin to record how a lane stands; changes nothing under an old epoch."""
        ...

    async def advance_due(self, sink: str, seconds: float, *, epoch: int) -> None:
        """Make all that waits at a sink due so much earlier: the clock was set back. Nothing under an old epoch."""
        ...

    async def prune(
        self, *, before: datetime, now: datetime, limit: int, audiences: Mapping[Audience, datetime] = NO_AUDIENCES
    ) -> int:
        """Delete up to `limit` rows of each kind from before then; how many were deleted.

        What was told to one of the `audiences` goes before its time, in place of that one.

        Settled deliveries and the events that none refers to, what was set aside, what was said about subjects, tables
        that were not used since; and fingerprints that are over `now`. Lanes stay.
        """
        ...
