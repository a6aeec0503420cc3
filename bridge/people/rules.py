"""What holds for customers as long as they have not said otherwise."""

from collections.abc import Mapping

from bridge.people.brand import NO_BRAND, Brand
from bridge.people.stop_link import StopLinks
from bridge.people.wants import Category
from bridge.terms import Quiet, Terms
from bridge.value import Value, field

#: The types that are reminders; all others tell how things stand.
REMINDERS = frozenset(("user.expiring", "user.usage_threshold", "user.expired_reminder"))


class CustomerRules(Value):
    """The file's word on customers.

    categories   those that are off, or on, until somebody says otherwise; on where it is silent
    max_per_day  so many messages a day to one of them, in their own zone; None for as many as there are
    quiet        hours in which nothing is told, in their own zone
    stops        makes the links that stop letters; None where there can be none
    own          who speaks where no brand does
    brands       who else can, by what deliveries call them
    """

    categories: Mapping[str, bool] = field(default_factory=dict)
    max_per_day: int | None = None
    quiet: Quiet | None = None
    stops: StopLinks | None = None
    own: Brand = NO_BRAND
    brands: Mapping[str, Brand] = field(default_factory=dict)

    def is_on(self, category: str, said: Mapping[str, bool]) -> bool:
        """Whether a category is told to somebody who has said that."""
        return said.get(category, self.categories.get(category, True))

    def speaker(self, terms: Terms | None) -> Brand:
        """Who speaks by a delivery's terms: nobody where its brand is gone, for it is no other one's customer."""
        name = None if terms is None else terms.brand
        return self.own if name is None else self.brands.get(name, NO_BRAND)


NO_RULES = CustomerRules()


def category_of(type_: str) -> Category:
    """The category of a type, where the row names none."""
    return "reminders" if type_ in REMINDERS else "status"
