"""How a row wants its events delivered: at once or collected, in the quiet hours too, as news or as an update.

Terms are kept with each delivery, so that what was promised when an event came in holds after a restart, a reload,
and on another replica.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from bridge.event import Event
from bridge.settings import Duration, NameList, Settings, Shorthand
from bridge.vocabulary import opposite, remedy

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LAST_SECOND = time(23, 59, 59)  # of a day, and of what is quiet to the end of one


@lru_cache(64)
def _span(value: str) -> tuple[time, time]:
    try:
        begin, end = (time.fromisoformat(part.strip()) for part in value.split("-"))
    except ValueError:
        raise ValueError("should be two times of the day, as in 22:00-07:00") from None
    if begin == end:
        raise ValueError("begins when it ends: for the whole day write 00:00-23:59:59, or disable the sink")
    return begin, time.min if begin < end == LAST_SECOND else end


def _hours(value: str) -> str:
    _span(value)
    return value


def _days(value: Any) -> Any:
    """`fri`, a list, a range `mon-fri`, full names too."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(day for one in values for day in (_range(one) if isinstance(one, str) else [one]))


def _range(text: str) -> Iterator[str]:
    begin, dash, end = (part.strip().lower()[:3] for part in text.partition("-"))
    if not dash or begin not in DAYS or end not in DAYS:
        yield begin if not dash else text
        return
    first, last = DAYS.index(begin), DAYS.index(end)
    yield from (DAYS[n % 7] for n in range(first, (last if last >= first else last + 7) + 1))


QuietHours = Annotated[str, AfterValidator(_hours)]
Days = Annotated[
    tuple[Day, ...],
    BeforeValidator(_days),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class DigestWindow(Settings):
    """`digest:` events become one message."""

    example: ClassVar[str] = "window: 60s"

    window: Duration = Field(gt=0, le=86400, description="how long events are collected, from the first one on")
    max: int | None = Field(None, ge=2, le=1000, description="so many are sent before the window ends")


class Quiet(Settings):
    """`quiet:` hours in which nobody should be woken, in the file's time zone."""

    example: ClassVar[str] = "hours: 22:00-07:00"

    hours: QuietHours = Field(description="from when to when, as 22:00-07:00")
    days: Days = Field(DAYS, min_length=1, description="the days on which it begins, as mon-fri or [sat, sun]")
    mode: Literal["silent", "hold", "drop"] = Field(
        "silent", description="silent: without a sound; hold: when it is over; drop: not at all"
    )

    def until(self, local: datetime) -> datetime | None:
        """When the quiet time ends that holds at `local`, in UTC; None where it is not quiet.

        Compared in UTC: in the hour that a zone has twice, its wall clock does not tell which comes first.
        """
        begin, end = _span(self.hours)
        for day in (local.date(), local.date() - timedelta(days=1)):
            starts = datetime.combine(day, begin, local.tzinfo).astimezone(UTC)
            last = datetime.combine(day if end > begin else day + timedelta(days=1), end, local.tzinfo)
            ends = max(last.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            if DAYS[day.weekday()] in self.days and starts <= local.astimezone(UTC) < ends:
                return ends
        return None


class Storm(Settings):
    """`storm:` when a lane has fallen behind, and tells what waits as digests until it has caught up."""

    example: ClassVar[str] = "backlog: 500"

    backlog: int = Field(500, ge=2, le=100_000, description="more than so many wait")
    age: Duration = Field(120.0, gt=0, description="or one has waited for longer than this")


class Repeat(Shorthand):
    """`repeat:` trouble that lasts is told again, until it is over."""

    example: ClassVar[str] = "every: 1h, max: 5"

    every: Duration = Field(ge=60, le=7 * 86400, description="how long after it was told it is told again")
    max: int = Field(10, ge=1, le=100, description="so many reminders at most")
    until: NameList = Field((), max_length=16, description="the types that end it, in place of the opposite of its own")


class Terms(Settings):
    """What a row asks for, as it is kept with its deliveries. What a newer panelbridge asked for beside is left out."""

    model_config = ConfigDict(extra="ignore")

    digest: DigestWindow | None = None
    hold: float | None = None
    quiet: Quiet | None = None
    update: Literal["subject", "thread"] | None = None
    fallback: tuple[str, ...] = ()
    fallback_after: float | None = None
    repeat: Repeat | None = None
    category: str | None = None
    critical: bool = False
    max_per_day: int | None = None
    brand: str | None = None  # who speaks, where that is not the file's own

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.fallback and self.fallback_after is None:
            raise ValueError("fallback goes with fallback_after")
        return self

    def collecting(self, event: Event) -> float:
        """Seconds for which the event is collected before it is told, 0.0 where it is told at once."""
        held = self.hold if self.hold and event.subject is not None and opposite(event.type) else 0.0
        return max(held, self.digest.window if self.digest else 0.0)

    def ended_by(self, event: Event) -> Collection[str]:
        """The types that end the trouble which the event tells of, if it is to be told again until then; else none."""
        if self.repeat is None or event.subject is None:
            return ()
        return self.repeat.until or tuple(filter(None, [remedy(event.type)]))
