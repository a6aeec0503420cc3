"""A row of the table as it stands in the file."""

from fnmatch import fnmatchcase
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from bridge.expressions import Expression, names_in
from bridge.people.wants import Category
from bridge.redaction import redacted
from bridge.settings import Duration, NameList, Settings
from bridge.terms import DigestWindow, Quiet, Repeat, Terms
from bridge.vocabulary import KEYS, OWN_FAMILY, TYPES, remedy

#: What a `when` expression can speak of.
SCOPE = ("event", "data", "type", "native_type", "subject", "source", "panel", "native")
#: How the types begin that the bridge tells of itself; a glob takes them only where it begins so.
OWN = f"{OWN_FAMILY}."


class Route(Settings):
    """One row of the table."""

    match: NameList = Field(
        ("*",), min_length=1, description="canonical or native types, as in user.*; !user.login leaves one out"
    )
    source: NameList | None = Field(None, min_length=1, description="only events of these sources")
    when: Expression | None = Field(
        None, description="only if this Jinja expression is true, as in data.owner == 'reseller-7'"
    )
    to: NameList = Field(min_length=1, description="the sinks that get the event")
    audience: Literal["operators", "user"] = Field(
        "operators", description="user: customers are told, in words for them, of what concerns them"
    )
    template: str | None = Field(None, description="the template to use instead of the event's own")
    stop: bool = Field(False, description="true: no row below applies to an event that matched this one")
    digest: DigestWindow | None = Field(None, description="events of this row become one message, for each sink")
    hold: Duration | None = Field(
        None,
        gt=0,
        le=86400,
        description="how long lost, disconnected, disabled … wait for their opposite, to cancel out",
    )
    quiet: Quiet | None = Field(None, description="hours in which nobody should be woken; in place of the sink's own")
    update: Literal["subject", "thread"] | None = Field(
        None, description="subject: edits the last message about the same subject; thread: answers it"
    )
    fallback: NameList = Field(
        (), max_length=16, description="the sink that is told instead, when one of these could not be; or several"
    )
    fallback_after: Duration = Field(600.0, gt=0, description="also when the service has been away for so long")

    category: Category | None = Field(
        None, description="what customers can switch off: reminders, status, news; the type's own if not given"
    )
    critical: bool = Field(
        False, description="true: customers are told in quiet hours too, without a sound, and beyond max_per_day"
    )
    max_per_day: int | None = Field(
        None, ge=1, le=1000, description="so many messages a day to each customer; in place of people.max_per_day"
    )

    repeat: Repeat | None = Field(None, description="trouble that lasts is told again, as every: 1h or just 1h")

    def terms(self) -> Terms | None:
        """What its deliveries are kept with, None where the row asks for nothing."""
        asked = Terms(
            digest=self.digest,
            hold=self.hold,
            quiet=self.quiet,
            update=self.update,
            fallback=self.fallback,
            fallback_after=self.fallback_after if self.fallback else None,
            repeat=self.repeat,
            category=self.category,
            critical=self.critical,
            max_per_day=self.max_per_day,
        )
        return None if asked == Terms() else asked

    @field_validator("when")
    @classmethod
    def _has_known_names(cls, value: str | None) -> str | None:
        if unknown := names_in(value) - set(SCOPE) if value is not None else ():
            name = min(unknown)
            hint = (
                "write none"
                if name in ("null", "nil", "undefined")
                else f"write data.{name}"
                if name in KEYS
                else f"there are {', '.join(SCOPE)}"
            )
            raise ValueError(f"speaks of {redacted(name)}, which is not there: {hint}")
        return value

    @model_validator(mode="after")
    def _can_repeat(self) -> Self:
        if self.repeat is None:
            return self
        if self.digest is not None:
            raise ValueError("repeat: a digest is about no single trouble: leave one of the two out")
        endless = [name for name in self.match if name in TYPES and remedy(name) is None]
        if endless and not self.repeat.until:
            raise ValueError(f"repeat: nothing is known to end {endless[0]}: name it in until")
        return self


def matches(glob: str, type_: str, native_type: str) -> bool:
    """Whether the glob takes the event's canonical or its native type; the bridge's own only where it names them."""
    if type_.startswith(OWN) and not glob.startswith(OWN):
        return False
    return fnmatchcase(type_, glob) or fnmatchcase(native_type, glob)
