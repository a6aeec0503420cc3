"""What a lane hands to a sink: an event or a digest of several, and the words found for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Protocol

from bridge.event import Event
from bridge.foreign import object_at
from bridge.value import Value, field


def display_name(event: Event) -> Any:
    """What people call the thing that the event is about, None where it is about nothing."""
    subject = event.subject or ""
    about = {} if "device" in event.type else object_at(event.data, event.type.partition(".")[0])
    named = subject.partition(":")[2] if ":" in subject else event.subject
    return about.get("name") or about.get("username") or named or object_at(event.data, "system").get("server")


#: Between the records of a block that is a list (ASCII record separator), and between the parts of a record
#: (unit separator). Event data cannot hold them: the escaping of every service drops control characters.
RECORD, UNIT = "\x1e", "\x1f"


class Earlier(Value, kw_only=True):
    """What this sink was last told about the same subject.

    ref     the service's own id of that message
    thread  whether to answer it; otherwise it is edited
    delete  whether it is taken back
    """

    ref: str
    type: str
    occurred_at: datetime
    thread: bool = False
    delete: bool = False


class Reminder(Value):
    """Which one it is of a trouble that lasts, of how many at most, and for how many seconds it has lasted."""

    number: int
    most: int
    lasts: float


class Circumstances(Value, kw_only=True):
    """What is to be known of a message beside its event.

    test      nothing has happened: the operator tries a sink with a sample
    replay    it is told once more, because the operator asked for it
    instead   what happened at the sink that it was for: "ops: HTTP 404; gave up after 4 attempts"
    earlier   what it updates
    repeats   how often the same was said
    silent    nobody is to be woken by it
    reminder  the trouble that it tells of was told before, and lasts
    """

    test: bool = False
    replay: bool = False
    instead: str | None = None
    earlier: Earlier | None = None
    repeats: int = 1
    silent: bool = False
    reminder: Reminder | None = None


PLAIN = Circumstances()


class Given(NamedTuple):
    """A link that a message gives away: its token, and the bot that takes it."""

    token: str
    sender: str


class Message(Value, kw_only=True):
    """One event for one sink, ready to be built into a request.

    blocks    block name → rendered text, already escaped for the service. Beside those that the sink asked for there
              is `remarks`: lines that go above the message, as that it is a replay; empty for most; and
              `chart`, where a report is shown as a picture: bars (bridge/chart.py)
    at        when this attempt is made, aware UTC: what a signature is dated with
    template  the template that the row named, None for the default one
    sealed    originals of what is masked in the event, for a sink that unmasks; no template sees them
    links     the links to a bot that it gives away, by the keys of customers
    delivery  the number of the delivery that it is sent for, the same at every try; None where it is tried or shown
    stop      where a customer says that there are to be no more of these; None where that cannot be said
    """

    HIDDEN: ClassVar = frozenset({"links", "stop"})

    event: Event
    at: datetime
    blocks: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None
    circumstances: Circumstances = PLAIN
    sealed: str | None = None
    delivery: int | None = None
    links: Mapping[str, Given] = field(default_factory=dict)
    stop: str | None = None

    def __getitem__(self, block: str) -> str:
        return self.blocks.get(block, "")


class DigestTally(Value, kw_only=True):
    """What a digest counts.

    kinds   type → how many, in the order in which they first came
    shown   how many of them are told in full
    storm   whether the lane had fallen behind; otherwise the row asked for a digest
    """

    kinds: Mapping[str, int]
    shown: int
    first_at: datetime
    last_at: datetime
    storm: bool = False

    @property
    def total(self) -> int:
        return sum(self.kinds.values())


class Digest(Value, kw_only=True):
    """Several events for one sink, as one message.

    id          the same whenever the same events are told again
    events      all of them, in order
    parts       the first ones, each as a message of its own; events that say the same are one part (its `repeats`)
    blocks      the rendered blocks of the template `digest`
    sealed      event's id → originals of what is masked in it
    deliveries  the numbers of those that it is sent for, in the order of the events; none where it is tried or shown
    """

    id: str
    at: datetime
    events: Sequence[Event]
    tally: DigestTally
    parts: Sequence[Message] = ()
    blocks: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    sealed: Mapping[str, str] = field(default_factory=dict)
    deliveries: Sequence[int] = ()

    def __getitem__(self, block: str) -> str:
        return self.blocks.get(block, "")


class Emission(Value):
    """An event in a panel's own dialect: what goes on the wire, signed the way that panel signs."""

    headers: Mapping[str, str]
    body: bytes


class Dialect(Protocol):
    """How to speak like a panel, to a program that was written for its webhook."""

    def __call__(self, event: Event, *, secret: str | None, at: datetime) -> Emission: ...
