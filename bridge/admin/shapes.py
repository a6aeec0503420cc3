"""The shapes of what an operator is shown: the same for eyes, for `--json` and for programs."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from bridge.event import JsonObject
from bridge.mute import MuteKind
from bridge.store.base import Cleared, Standing, State


class Shape(BaseModel):
    """A frozen value, read from the record that has these attributes. Its JSON has times as ISO 8601 with Z."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    def to_json(self) -> JsonObject:
        return self.model_dump(mode="json")


class Replay(Shape):
    """A delivery that is sent again: `replay_of` was, `id` is the new one, which a dry run does not make."""

    replay_of: int
    id: int | None
    sink: str
    type: str
    subject: str | None


class Replayed(Shape):
    """What was sent again, or would be.

    already: how many more are meant that a person has dealt with; `already_more`: at least so many
    """

    deliveries: tuple[Replay, ...]
    already: int
    already_more: bool
    dry_run: bool


class ReplayedEvents(Shape):
    """Which events were sent at last that had gone to no sink, or would be.

    events    how many went nowhere
    matched   how many of them a row takes now
    sinks     how many each sink gets
    replayed  the new deliveries
    """

    events: int
    matched: int
    sinks: dict[str, int]
    replayed: tuple[int, ...]
    dry_run: bool


class Dismissed(Shape):
    """Which dead letters were put away, would be, or with `undone` are there again."""

    deliveries: tuple[int, ...]
    undone: bool
    dry_run: bool


class Try(Shape):
    """One try of a delivery; `records.AttemptRecord` says what its parts are."""

    at: datetime
    ms: int | None
    outcome: str
    counts: bool
    status: int | None
    reason: str | None
    answer: str | None
    ref: str | None
    next_at: datetime | None
    batch_id: int | None
    replica: str | None


class Fate(Shape):
    """What became of an event at one sink. `brand`: who speaks to customers there, null where the file's own does."""

    id: int
    sink: str
    row: str
    state: State
    attempts: int
    made_at: datetime
    due_at: datetime | None
    settled_at: datetime | None
    status: int | None
    reason: str | None
    note: str | None
    instead: str | None
    replay_of: int | None
    reminder: int | None
    brand: str | None
    cleared: Cleared | None
    cleared_at: datetime | None


class Delivery(Fate):
    """What became of an event at one sink, every try, and what the service said last, secrets masked."""

    answer: str | None
    tries: tuple[Try, ...] = ()


class ListedDelivery(Fate):
    """A delivery in a list, with what it tells."""

    event_id: str
    source: str
    type: str
    native_type: str
    subject: str | None
    received_at: datetime
    template: str | None
    answer: str | None


class WholeDelivery(ListedDelivery):
    """A delivery, every try, and those that repeat it; `advice`: what can be done about its reason, if anything."""

    tries: tuple[Try, ...]
    replayed_by: tuple[int, ...]
    advice: str


class EventBrief(Shape):
    """An event in a list, with what became of it; it went nowhere where nothing did."""

    id: str
    source: str
    panel: str
    type: str
    native_type: str
    subject: str | None
    occurred_at: datetime
    received_at: datetime
    fates: tuple[Fate, ...]


class DeliveriesFound(Shape):
    """Deliveries, newest first; `behind` and `looked_back_to`: the one at which looking ended and when it was made,
    None where nothing is left to look at."""

    deliveries: tuple[ListedDelivery, ...]
    behind: int | None = None
    looked_back_to: datetime | None = None


class EventsFound(Shape):
    """Events that are meant, newest first; `before` and `looked_back_to`: the id and the time where looking ended,
    None where nothing is left to look at."""

    events: tuple[EventBrief, ...]
    before: str | None = None
    looked_back_to: datetime | None = None


class Verdict(Shape):
    """What a row said of an event, why, and to which sinks it had it sent.

    reason     which of `routing.verdicts.Reason`, in lower case; None of an event from before it was kept
    values     what it speaks of
    condition  whether the row's `when` was asked, and was true
    disabled   sinks of the row that are disabled
    takes      what the row takes, as the file said it; nothing where that was not kept
    already    sinks of the row that an earlier one had sent it to
    """

    row: str
    matched: bool
    why: str
    reason: str | None = None
    values: dict[str, str] = {}
    condition: bool = False
    disabled: tuple[str, ...] = ()
    to: tuple[str, ...]
    takes: str = ""
    already: tuple[str, ...] = ()


class Explanation(EventBrief):
    """Why an event went where it went, row by row.

    sentence  what became of it, in one
    today     the sinks that today's table would send it to
    table_key the table that said so; null of an event from before tables were kept
    repeats   when the panel told it again
    """

    fates: tuple[Delivery, ...]
    sentence: str
    verdicts: tuple[Verdict, ...]
    today: tuple[str, ...]
    table_key: str | None = None
    repeats: tuple[datetime, ...] = ()
    data: Any
    native: Any


class Lane(Shape):
    """How the lane of a sink stands.

    service  what kind of sink the file says that it is; None where it names no such sink
    enabled  whether the file wants anything sent there
    """

    sink: str
    service: str | None
    enabled: bool
    standing: Standing
    reason: str | None
    since: datetime | None
    until: datetime | None
    failures: int
    owner: str | None
    pending: int
    waiting: int
    dead: int
    oldest: datetime | None


class DeadGroup(Shape):
    """Dead letters of one sink for one reason; `records.DeadGroupRecord` says what its parts are.

    key  what it is asked for by, the same as long as the file and the reason are
    """

    key: str
    sink: str
    reason: str
    count: int
    first: int
    through: int
    since: datetime
    until: datetime
    types: dict[str, int]
    attempts: int
    status: int | None
    answer: str | None
    note: str | None
    of_sink: int = 0


class GroupDone(Shape):
    """What was done with the dead letters of a group that somebody had seen; `later` have come since, untouched."""

    sink: str
    reason: str | None
    deliveries: tuple[int, ...]
    later: int


class SetAside(Shape):
    """An element of a request that was not understood: its path in the body, and why."""

    id: int
    source: str
    received_at: datetime
    path: str
    reason: str
    element: Any


class Muted(Shape):
    """What nobody is told of until then. `what`: as it is asked for, `user:alice` or `sink:ops`."""

    id: int
    what: str
    kind: MuteKind
    value: str
    until: datetime
    by: str
    at: datetime


class Audited(Shape):
    """Something that a person changed: who, with which action, and what the log said of it."""

    id: int
    at: datetime
    who: str
    action: str
    detail: JsonObject


class Point(Shape):
    """What was counted in a step that begins then. `name` and `detail`: what; milliseconds of what was tried."""

    at: datetime
    name: str
    detail: str
    n: int
    ms_mean: int
    ms_max: int


class RowCounts(Shape):
    """How often a row of the table took something; `records.RowCountRecord` says what its parts are."""

    name: str
    day: int
    week: int
    failed: int
    last_at: datetime | None
