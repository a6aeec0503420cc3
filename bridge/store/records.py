"""What people look up in the store: which deliveries they mean, and a value for each thing that they are shown."""

from datetime import datetime
from enum import StrEnum

from bridge.event import JsonObject, iso
from bridge.store.base import Cleared, Standing, State
from bridge.value import Value


class DeliveryQuery(Value, kw_only=True):
    """Which deliveries a person means; what is not given does not matter. Newest `limit` of them.

    cleared: dealt with in one of these ways; None among them: or not at all. before: of an event with a lower id.
    behind: that follow this one in the list. through: with this id, or a lower one. tried: whether a try has counted
    """

    ids: tuple[int, ...] = ()
    through: int | None = None
    tried: bool | None = None
    states: tuple[State, ...] = ()
    cleared: tuple[Cleared | None, ...] = ()
    sink: str | None = None
    row: str | None = None
    source: str | None = None
    type: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    behind: int | None = None
    limit: int | None = 50


class LedgerRecord(Value):
    """What people are shown."""

    def to_json(self) -> JsonObject:
        """The field names as keys, times as ISO 8601 with Z."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: iso(value) if isinstance(value, datetime) else value for name, value in values}


class DeliveryRecord(LedgerRecord, kw_only=True):
    """A delivery as people see it."""

    id: int
    event_id: str
    source: str
    type: str
    native_type: str
    subject: str | None
    received_at: datetime
    sink: str
    row: str
    template: str | None
    made_at: datetime
    state: State
    attempts: int
    due_at: datetime | None
    settled_at: datetime | None
    reason: str | None
    status: int | None
    answer: str | None
    note: str | None
    replay_of: int | None
    instead: str | None = None
    cleared: Cleared | None = None
    cleared_at: datetime | None = None
    ref: str | None = None
    ms: int | None = None
    reminder: int | None = None
    brand: str | None = None


class AttemptRecord(LedgerRecord, kw_only=True):
    """One try of a delivery as people see it.

    at        when it began
    ms        how long it took; None where nothing was sent
    outcome   delivered, limited, away, refused, gone; held_back, put_off or given_up where nothing was sent
    counts    whether it cost one of the attempts
    ref       the service's own id of the message
    next_at   when it was to be tried again
    batch_id  of a message that told several: the delivery that has the answer
    """

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


class ReplayRecord(LedgerRecord, kw_only=True):
    """A delivery that is sent again, and the new one that it became; no `id` while it has not."""

    replay_of: int
    sink: str
    type: str
    subject: str | None
    id: int | None = None


class EventRecord(LedgerRecord, kw_only=True):
    """An event in a list: all of it but what it holds."""

    id: str
    source: str
    panel: str
    type: str
    native_type: str
    subject: str | None
    occurred_at: datetime
    received_at: datetime


class DeadGroupRecord(LedgerRecord, kw_only=True):
    """Dead letters of one sink for one reason, as far as they were looked through.

    first, through  the lowest and the highest id of them
    since, until    when the first and the last of them was given up
    types           how many of them each type of event has
    attempts, status, answer, note  of the newest
    of_sink         of what nobody has dealt with: how many its sink has, looked through or not
    """

    sink: str
    reason: str
    count: int
    first: int
    through: int
    since: datetime
    until: datetime
    types: dict[str, int]
    attempts: int = 0
    status: int | None = None
    answer: str | None = None
    note: str | None = None
    of_sink: int = 0


class SetAsideRecord(LedgerRecord, kw_only=True):
    """An element of a batch that was set aside, as people see it."""

    id: int
    source: str
    received_at: datetime
    path: str
    reason: str
    element: object


class PointRecord(LedgerRecord, kw_only=True):
    """What was counted in a step that begins then; `queries/tallies.py` says by which name and detail."""

    at: datetime
    name: str
    detail: str
    n: int
    ms_sum: int
    ms_max: int


class RowCountRecord(LedgerRecord, kw_only=True):
    """How often a row of the table took something in a day and in a week.

    failed   how often in the week its `when` could not be told
    last_at  the minute in which it last took something, of longer ago the hour; None where it is not known to have
    """

    name: str
    day: int
    week: int
    failed: int
    last_at: datetime | None


class AuditRecord(LedgerRecord, kw_only=True):
    """Something that a person changed."""

    id: int
    at: datetime
    who: str
    action: str
    detail: dict[str, object]


class LaneRecord(LedgerRecord, kw_only=True):
    """A lane as people see it: how it stands, who carries it, and how many of its deliveries are in which state.

    dead    those that were neither replayed nor dismissed
    oldest  when the oldest delivery was made that is not settled, None where all are
    """

    sink: str
    standing: Standing = Standing.OPEN
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    failures: int = 0
    owner: str | None = None
    pending: int = 0
    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None


class AnnouncementState(StrEnum):
    """Whether all deliveries of an announcement are made, and whether they are sent."""

    PUTTING = "putting"
    PUT = "put"
    STOPPED_PUTTING = "stopped_putting"
    STOPPED = "stopped"


class AnnouncementRecord(LedgerRecord, kw_only=True):
    """What customers are told at the operator's word.

    chosen   whom: `all`, `realm:NAME`, or the keys of owners and users
    text     a template
    counted  how many they were when it was made
    cursor   the place in line of the last one whose delivery is made; empty before the first, and once all are
    """

    id: int = 0
    at: datetime
    by: str
    sink: str
    chosen: tuple[str, ...]
    text: str
    category: str
    critical: bool
    counted: int
    state: AnnouncementState = AnnouncementState.PUTTING
    cursor: str = ""


class Announced(LedgerRecord, kw_only=True):
    """One who was told, or was to be. `uncertain`: they may have got it."""

    delivery: int
    key: str
    state: State
    reason: str | None
    settled_at: datetime | None
    uncertain: bool
