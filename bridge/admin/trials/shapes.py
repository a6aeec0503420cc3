"""The shapes of what would happen, how it would look, and what a test did."""

from datetime import datetime
from typing import Any

from bridge.admin.shapes import Shape, Verdict


class RequestShape(Shape):
    """A request as it would go out, secrets masked. `body`: its JSON, or its text where it is none."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any


class MeasureShape(Shape):
    """How much of what a service allows a message takes: `title` 12 of 256."""

    name: str
    used: int
    limit: int


class Previewed(Shape):
    """What a sink would be sent for an event, and how it would look.

    service   whose message it is, None for a program
    why       the row that has it sent
    blocks    what the template made
    request   None where none is sent: a terminal shows it
    fault     what is wrong with the template, with its line, where the built-in one was used in its place
    html      as the service draws it, safe as it is; None where it was not asked for
    """

    sink: str
    service: str | None
    why: str
    blocks: dict[str, str]
    request: RequestShape | None
    fault: str | None
    measures: tuple[MeasureShape, ...]
    html: str | None


class SampleShape(Shape):
    """A recorded request of a panel: what it is asked for by, the type that it becomes, its body as readable JSON."""

    name: str
    type: str
    body: str


class TriedRow(Verdict):
    """What a row would say of an event; why as a `sentence`, and the `manner` in which it would be told, where that is
    not simply at once."""

    sentence: str
    manner: str


class TriedEvent(Shape):
    """An event that was understood, where it would go, and how it would look there; `sentence` says where, in one."""

    type: str
    native_type: str
    subject: str | None
    occurred_at: datetime
    data: Any
    sentence: str
    verdicts: tuple[TriedRow, ...]
    previews: tuple[Previewed, ...]


class TriedAside(Shape):
    """What would be set aside: the path in the body, empty for all of it, and the reason."""

    path: str
    reason: str


class Tried(Shape):
    """What would happen; the first ones, and how many more there are. No signature was checked."""

    events: tuple[TriedEvent, ...]
    more_events: int
    set_aside: tuple[TriedAside, ...]
    more_set_aside: int


class SentTest(Shape):
    """What came of a test: a sample of that type, sent to a sink at once; `outcome.py` says what its parts are.

    fault   what is wrong with the template, where the built-in one was used in its place
    advice  what can be done about it, in a sentence; nothing where that is not known
    """

    sink: str
    type: str
    at: datetime
    delivered: bool
    outcome: str
    status: int | None
    reason: str | None
    answer: str | None
    ref: str | None
    note: str | None
    fault: str | None
    ms: float
    advice: str
