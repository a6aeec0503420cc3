"""What programs ask with: the parameters behind the ? of an address, and the bodies that they post.

An unknown word is refused, and so is a number or a time that is not written as one.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bridge.admin.trials.sink_test import SAMPLE
from bridge.messages.catalog import Locale
from bridge.store.base import Cleared, State
from bridge.store.queries.tallies import TallyKind
from bridge.value import INT64_MAX

MOST = 200  # things on a page
MOST_LETTERS = 1000  # dead letters that one request deals with
#: RFC 3339, as it is checked by whoever reads the document.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_BOOLEANS = {"true": True, "false": False}


def _moment(value: Any) -> Any:
    """A time as one, within the years that the store knows; anything else is no time."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("should be a time, as 2026-11-21T04:14:18Z")
    day, minute, second, fraction, zone = found.groups()
    text = f"{day}T{minute}:{min(int(second), 59):02}{(fraction or '')[:7]}{zone.upper()}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("should be a time that there is, as 2026-11-21T04:14:18Z") from None
    try:
        return min(max(moment.astimezone(UTC), _FIRST), _LAST)
    except OverflowError:
        return _FIRST if moment.year == 1 else _LAST


def whole(value: Any) -> Any:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise ValueError("should be a whole number")
        return int(value)
    return value


def _number(value: Any) -> Any:
    """JSON knows one kind of number, and 5.0 is a whole one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _boolean(value: Any) -> Any:
    return _BOOLEANS.get(value, value) if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
RowId = Annotated[int, Field(ge=1, le=INT64_MAX), BeforeValidator(whole)]
JsonId = Annotated[int, Field(ge=1, le=INT64_MAX), BeforeValidator(_number)]
PageLimit = Annotated[int, Field(ge=1, le=MOST), BeforeValidator(whole)]
SeriesStep = Annotated[Literal[60, 300, 1800, 3600, 86400], BeforeValidator(whole)]
Flag = Annotated[bool, BeforeValidator(_boolean)]
#: What is looked for: PostgreSQL knows no text with a NUL in it.
ShortText = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
EventId = Annotated[str, Field(pattern=r"^[0-9a-f-]{1,36}$")]


class QueryParameters(BaseModel):
    """Parameters of an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class JsonBody(BaseModel):
    """A JSON object that was posted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(QueryParameters):
    """No parameter at all."""


class Filter(QueryParameters):
    source: ShortText | None = Field(None, description="that it came from")
    type: ShortText | None = Field(None, description="of event, as user.created")
    subject: ShortText | None = Field(None, description="that it is about, as user:alice")
    sink: ShortText | None = Field(None, description="that it was for")
    since: Moment | None = Field(None, description="it came in at that time or later")
    until: Moment | None = Field(None, description="it came in before")
    limit: PageLimit = Field(50, description="how many")


class EventsAsked(Filter):
    q: ShortText | None = Field(
        None, description="a name, a subject, a type, the beginning of an id, a delivery's number"
    )
    state: tuple[State, ...] = Field((), description="of one of its deliveries")
    nowhere: Flag = Field(False, description="only what went to no sink")
    before: EventId | None = Field(None, description="events that came before this one: `next` of the page before")


class DeliveriesAsked(Filter):
    state: tuple[State, ...] = Field((), description="how it stands")
    cleared: tuple[Cleared, ...] = Field((), description="how somebody dealt with it")
    before: RowId | None = Field(None, description="deliveries made before this one: `next` of the page before")


class PreviewAsked(QueryParameters):
    sink: ShortText | None = Field(None, description="this one alone; else all that it was sent to")
    locale: Locale | None = Field(None, description="in this language; else in each sink's own")
    drawn: Flag = Field(False, description="as HTML too, as the service draws it")


class DeadAsked(QueryParameters):
    cleared: Cleared | None = Field(None, description="what was dealt with so; else what nobody has dealt with")


class AuditAsked(QueryParameters):
    limit: PageLimit = Field(50, description="how many")
    before: RowId | None = Field(None, description="what was done before this: `next` of the page before")


class SeriesAsked(QueryParameters):
    what: TallyKind = Field(
        description="in, by source; out, by sink; type, by type; row, by the name of a row; aside, by source"
    )
    name: ShortText | None = Field(None, description="only of this source, sink, type or row")
    step: SeriesStep = Field(3600, description="seconds; of less than an hour only within the last two days")
    since: Moment | None = Field(None, description="from the step that this time is in; else of a day")


class AsideAsked(QueryParameters):
    limit: PageLimit = Field(50, description="how many")


class SamplesAsked(QueryParameters):
    source: ShortText = Field(description="whose panel's words they are in")


class TryAsked(QueryParameters):
    locale: Locale | None = Field(None, description="of the previews; else each sink's own")
    drawn: Flag = Field(False, description="previews as HTML too")


class ToMute(JsonBody):
    what: str = Field(
        max_length=200,
        pattern=r"^[^:\s\x00-\x1f][^:\x00-\x1f]*:[^\x00-\x1f]*[^\s\x00-\x1f]$",
        description="a subject, user:alice, or type:user.*, source:berlin, sink:ops",
    )
    lasting: str = Field(
        alias="for",
        pattern=r"^([1-9][0-9]{0,5}[sm]|[1-9][0-9]{0,2}h|([1-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])d)$",
        description="for how long: 90s, 30m, 2h, 7d; at most 366 days",
    )


class EventReplay(JsonBody):
    by: Literal["stored", "table"] = Field(
        "stored",
        description="stored: what was settled goes out again. table: what went nowhere goes where rows say now",
    )
    sinks: tuple[ShortText, ...] = Field((), max_length=100, description="only to these")


class DeliveryReplay(JsonBody):
    again: bool = Field(False, description="also where it was sent again or put away already")


class GroupSeen(JsonBody):
    """A group of dead letters, as far as it was seen."""

    key: str = Field(pattern=r"^[0-9a-f]{12}$", description="of the group")
    through: JsonId = Field(description="the newest delivery of it that was seen: nothing that came later is touched")


class LettersSeen(JsonBody):
    """Dead letters by what they have in common, as far as they were seen."""

    through: JsonId = Field(description="the newest delivery that was seen: nothing that came later is touched")
    sink: ShortText | None = Field(None, description="that it was for")
    source: ShortText | None = Field(None, description="that its event came from")
    type: ShortText | None = Field(None, description="of its event")
    subject: ShortText | None = Field(None, description="that its event is about")
    since: Moment | None = Field(None, description="its event came in then or later")
    until: Moment | None = Field(None, description="its event came in before")
    limit: Annotated[int, Field(ge=1, le=MOST_LETTERS), BeforeValidator(_number)] = Field(
        MOST_LETTERS, description="the newest so many"
    )


class SinkTest(JsonBody):
    type: ShortText = Field(SAMPLE, description="of the sample")
    locale: Locale | None = Field(None, description="in this language; else the sink's own")


class TryBody(JsonBody):
    """What a panel posts, as text."""

    source: ShortText = Field(description="that it is tried as: its panel reads it")
    body: Annotated[str, Field(max_length=256 * 1024)] = Field(description="what it posts")


class TrySample(JsonBody):
    """A recorded request of a panel."""

    sample: ShortText = Field(description="its type, or what the panel calls it")
    source: ShortText | None = Field(None, description="in the words of its panel; else of any")


class TryEvent(JsonBody):
    """An event that came in, by today's table."""

    event: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] = Field(description="its id")
