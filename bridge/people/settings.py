"""The `people` key of the file: the bot that customers write to, and what they are told as long as they say nothing."""

from typing import ClassVar

from pydantic import Field

from bridge.people.brand import Brand, Voice
from bridge.people.link import HOLDS
from bridge.people.rules import CustomerRules
from bridge.settings import Duration, Settings
from bridge.terms import Quiet


class Categories(Settings):
    """`categories:` what customers are told of until they say otherwise."""

    example: ClassVar[str] = "news: false"

    reminders: bool = Field(True, description="that time or traffic runs out")
    status: bool = Field(True, description="that it is over, renewed, blocked; a new device")
    news: bool = Field(True, description="what a row with category: news tells")


class PeopleSettings(Voice):
    """`people:` customers: what they write to, and what holds until they have said otherwise."""

    example: ClassVar[str] = "bot: dm"

    bot: str | None = Field(
        None, description="the sink whose bot is read: links, /stop and /settings. No other program may read it"
    )
    link_expires: Duration = Field(
        HOLDS, ge=60, le=366 * 86400, description="how long a link can be used that was given away"
    )
    proofs: bool | None = Field(
        None,
        description="whether the bot takes a subscription link or a config for a proof; yes where secret_key is",
    )
    categories: Categories = Field(Categories(), description="what they are told of until they say otherwise")
    max_per_day: int | None = Field(
        None, ge=1, le=1000, description="so many messages a day to each of them, in their own time zone"
    )
    quiet: Quiet | None = Field(
        None, description="hours in which they are not woken, in their own time zone; a row's or a record's come first"
    )
    brands: dict[str, Brand] = Field(
        {}, description="how the customers of some owners are spoken to, by what `brand` is in the owners' records"
    )

    def rules(self) -> CustomerRules:
        """What holds for customers."""
        own = Brand(name=self.name, support=self.support, renew=self.renew)
        return CustomerRules(self.categories.model_dump(), self.max_per_day, self.quiet, own=own, brands=self.brands)
