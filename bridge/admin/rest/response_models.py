"""What programs are answered beside the shapes that everybody is shown: lists, and what only they ask for."""

from datetime import datetime

from bridge.admin.people.shapes import AnnouncementNow
from bridge.admin.shapes import Audited, DeadGroup, EventBrief, Lane, ListedDelivery, Muted, Point, SetAside, Shape, Try
from bridge.admin.status import Status
from bridge.admin.trials.shapes import Previewed, SampleShape, SentTest


class StatusNow(Status):
    """How the bridge fares, in a `sentence` too."""

    sentence: str
    version: str


class Events(Shape):
    """`next`: what `before` has to be for older ones, null where there are none."""

    items: tuple[EventBrief, ...]
    next: str | None


class Deliveries(Shape):
    """`next`: what `before` has to be for older ones, null where there are none."""

    items: tuple[ListedDelivery, ...]
    next: int | None


class Tries(Shape):
    items: tuple[Try, ...]


class Previews(Shape):
    items: tuple[Previewed, ...]


class DeadGroups(Shape):
    items: tuple[DeadGroup, ...]


class GroupNow(DeadGroup):
    """`advice`: what can be done about its reason, if anything."""

    service: str | None
    advice: str


class Aside(Shape):
    items: tuple[SetAside, ...]


class Samples(Shape):
    items: tuple[SampleShape, ...]


class Lanes(Shape):
    items: tuple[Lane, ...]


class SinkNow(Shape):
    """A sink of the file, how its lane stands, and the rows that name it. Its address is a secret, and not shown.

    limits     `10/s`; null: those of the service
    waits      seconds before each further try
    last_test  the last one that this process sent
    """

    name: str
    service: str
    enabled: bool
    locale: str
    limits: tuple[str, ...] | None
    waits: tuple[float, ...]
    max_retries: int
    timeout: float
    rows: tuple[str, ...]
    lane: Lane
    last_test: SentTest | None


class Sinks(Shape):
    items: tuple[SinkNow, ...]


class SourceNow(Shape):
    """A source of the file: where its panel posts to, and what to paste there. Secrets are named, and not shown."""

    name: str
    panel: str
    url: str
    paste: tuple[str, ...]


class Sources(Shape):
    items: tuple[SourceNow, ...]


class RowThen(Shape):
    """A row of a table as the file said it: what it `takes`, to which sinks, and to which in their place."""

    name: str
    takes: str
    to: tuple[str, ...]
    fallback: tuple[str, ...]
    template: str | None
    stop: bool


class RowNow(RowThen):
    """A row of the table in force, and how often it took something in a day and in a week.

    failed   how often in that week its `when` could not be told
    last_at  when it last took something
    line     where it stands in the file
    idle_since, hint  since when it has taken nothing, where that is long, and what might be wrong
    """

    day: int
    week: int
    failed: int
    last_at: datetime | None
    line: int | None = None
    idle_since: datetime | None = None
    hint: str | None = None


class Rows(Shape):
    items: tuple[RowNow, ...]


class TableThen(Shape):
    """The table of a `key`, which events name by `table_key`. `used_at`: when it was last asked, within a day."""

    key: str
    used_at: datetime
    items: tuple[RowThen, ...]


class Mutes(Shape):
    items: tuple[Muted, ...]


class Audit(Shape):
    """`next`: what `before` has to be for older ones, null where there are none."""

    items: tuple[Audited, ...]
    next: int | None


class Series(Shape):
    """Points by time. `next`: what `since` has to be for those that follow, null where there are none."""

    items: tuple[Point, ...]
    next: datetime | None


class MistakeNow(Shape):
    """One thing wrong in the file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    text: str


class ConfigNow(Shape):
    """The file that is in force. `on_disk`: same or broken; a broken one is not in force, and has its mistakes here."""

    file: str
    loaded_at: datetime
    cause: str
    on_disk: str
    rejected_at: datetime | None
    mistakes: tuple[MistakeNow, ...]
    timezone: str
    locale: str
    store: str
    keep: float


class Announcements(Shape):
    """`next`: what `before` has to be for older ones, null where there are none."""

    items: tuple[AnnouncementNow, ...]
    next: int | None


class ReplayedIds(Shape):
    """The new deliveries, and those that they repeat; none of what had gone nowhere."""

    deliveries: tuple[int, ...]
    replay_of: tuple[int, ...]


class LettersDone(Shape):
    """Which dead letters were dealt with; `later`: how many such have come since, untouched, 1000 standing for more."""

    deliveries: tuple[int, ...]
    later: int


class Resumed(Shape):
    """Whether anything held the lane."""

    sink: str
    resumed: bool


class Requested(Shape):
    """It will be done soon."""

    requested: bool


class Fault(Shape):
    """One thing wrong with a request: in which `parameter`, or where in the body (`pointer`, as #/through)."""

    detail: str
    parameter: str | None = None
    pointer: str | None = None


class Problem(Shape):
    """What was refused, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[Fault, ...] = ()
