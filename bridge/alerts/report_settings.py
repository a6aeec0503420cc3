"""The `reports` key of the file."""

from datetime import time
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from bridge.alerts.periods import WEEKDAYS, Calendar, Every, ReportSchedule
from bridge.settings import NameList, OneOrMany, Settings

By = Literal["type", "owner", "node", "user"]
ALL: tuple[By, ...] = ("type", "owner", "node", "user")


def _time_of_day(value: Any) -> Any:
    if isinstance(value, time):
        return value
    hours, colon, minutes = str(value).partition(":")
    digits = hours.isascii() and minutes.isascii() and hours.isdigit() and minutes.isdigit()
    if not (isinstance(value, str) and colon and digits and len(hours) <= 2 and len(minutes) == 2):
        raise ValueError('should be a time of the day in quotes, such as "09:00"')
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        raise ValueError('should be a time of the day from "00:00" to "23:59"') from None


#: A time of the day, written `"09:00"`.
TimeOfDay = Annotated[
    time, BeforeValidator(_time_of_day), WithJsonSchema({"type": "string", "examples": ["09:00", "21:30"]})
]


class ReportSettings(Settings):
    """What happened in a day, a week or a month, told every morning or when it is wanted."""

    example: ClassVar[str] = 'at: "09:00", to: ops'

    every: Every = Field("day", description="how often, each of what was before: day, week, month")
    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] | None = Field(
        None, description="the day on which a week is told; mon where nothing is said"
    )
    day: int | None = Field(
        None, ge=1, le=28, description="the day of the month on which a month is told, 1 to 28; 1 where nothing is said"
    )
    calendar: Calendar | None = Field(
        None, description="whose months they are: gregorian, jalali; gregorian where nothing is said"
    )
    at: TimeOfDay = Field(description="the time of the day, in the file's `timezone`")
    to: NameList = Field(min_length=1, description="the sinks that it is sent to")
    each: Literal["owner"] | None = Field(
        None, description="one for each owner of whose users something was told, at the address that is theirs: owner"
    )
    by: OneOrMany[By] = Field(ALL, description="what is told apart: type, owner, node, user")
    picture: bool = Field(
        False, description="true: with bars of each hour or day, as a picture where the service shows one"
    )
    skip_empty: bool = Field(False, description="say nothing where nothing happened")

    def rhythm(self) -> ReportSchedule:
        """When it is told."""
        weekday = WEEKDAYS.index(self.weekday or WEEKDAYS[0])
        return ReportSchedule(self.every, self.at, weekday, self.day or 1, self.calendar or "gregorian")

    @model_validator(mode="after")
    def _what_an_owner_may_know(self) -> "ReportSettings":
        if self.each is not None and "by" in self.model_fields_set:
            raise ValueError("each and by are not possible together: what an owner is told are types and users")
        return self

    @model_validator(mode="after")
    def _weekday_of_a_week(self) -> "ReportSettings":
        if self.weekday is not None and self.every != "week":
            raise ValueError("weekday is for a week: write every: week, or leave it out")
        return self

    @model_validator(mode="after")
    def _day_and_calendar_of_a_month(self) -> "ReportSettings":
        for name in ("day", "calendar"):
            if getattr(self, name) is not None and self.every != "month":
                raise ValueError(f"{name} is for a month: write every: month, or leave it out")
        return self
