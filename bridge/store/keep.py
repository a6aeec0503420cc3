"""How long what is settled is kept: the `keep` key of the file, and the times that follow from it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from bridge.people.recipient import Audience
from bridge.settings import Duration, Shorthand

LEAST_OF_CUSTOMERS = 2 * 86400.0  # seconds: what a customer was told since midnight is counted for `max_per_day`


def _covers_a_day(value: float | None) -> float | None:
    if value is not None and value < LEAST_OF_CUSTOMERS:
        raise ValueError("should be at least 2d: what a customer was told today is counted in it")
    return value


class Keep(Shorthand):
    """`keep:` how long settled deliveries can be looked up; one time for all, or one for each audience."""

    example: ClassVar[str] = "operators: 30d"

    operators: Duration = Field(
        30 * 86400.0, gt=0, description="events, and what is for no audience of a row: what operators are told"
    )
    owner: Annotated[Duration, Field(gt=0)] | None = Field(
        None, description="what owners were told, with the answers; as long as the operators' if not given"
    )
    user: Annotated[Duration, AfterValidator(_covers_a_day)] | None = Field(
        None,
        description="what customers were told, with the answers; as long as the operators' if not given; 2d or more",
    )

    def before(self, now: datetime) -> datetime:
        """From when what is settled is old."""
        return now - timedelta(seconds=self.operators)

    def audiences_before(self, now: datetime) -> Mapping[Audience, datetime]:
        """The same for what was told to audiences that have a time of their own."""
        own = {Audience.OWNER: self.owner, Audience.PERSON: self.user}
        return {one: now - timedelta(seconds=seconds) for one, seconds in own.items() if seconds is not None}
