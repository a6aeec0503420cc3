"""Who is meant: a key that follows from the event alone, so that routing stays pure and nobody gets another's message.

A key names the realm: alice of one panel is not alice of another. It is compared by its code points, and nothing that a
customer or a panel says takes part in finding an address but by it.
"""

from collections.abc import Mapping
from enum import StrEnum

from bridge.event import Event
from bridge.foreign import object_at
from bridge.intake import Destination
from bridge.people.brand import Brands
from bridge.value import Value, field

LONGEST_NAME = 200  # characters; a longer name is nobody's


class Audience(StrEnum):
    """For whom a sink with addresses is; each is the name of its record in an address's expression."""

    OWNER = "owner"
    NODE = "node"
    PERSON = "person"

    @property
    def kind(self) -> str:
        """What one of them is called in keys and in the directory."""
        return "user" if self is Audience.PERSON else self.value


class Recipients(Value):
    """Who is meant by what a sink is told.

    audiences  of the sinks that have a recipient for each event
    realms     of the sources; a source that is not named is a realm of its own
    brands     who speaks to whose customers
    """

    audiences: Mapping[str, Audience] = field(default_factory=dict)
    realms: Mapping[str, str] = field(default_factory=dict)
    brands: Brands = field(default_factory=Brands)

    def is_customers(self, sink: str) -> bool:
        """Whether customers are told there."""
        return self.audiences.get(sink) is Audience.PERSON

    @property
    def has_customers(self) -> bool:
        """Whether customers are told anywhere."""
        return Audience.PERSON in self.audiences.values()

    def of(self, sink: str, event: Event) -> str | None:
        """The key of whom the event is for at that sink; None where nobody is meant, or nobody in it."""
        if (audience := self.audiences.get(sink)) is None:
            return None
        return self._key(event, audience)

    def branded(self, to: Destination, event: Event) -> Destination:
        """The destination as whoever speaks to the customers of the event's owner tells it."""
        if not self.brands.owners or not self.is_customers(to.sink):
            return to
        brand = self.brand_of(event)
        return to if brand is None else self.brands.known[brand].told(to, brand)

    def brand_of(self, event: Event) -> str | None:
        """Who speaks to the customers of the event's owner; None where the file's own does."""
        return self.brands.of(self._key(event, Audience.OWNER))

    def _key(self, event: Event, audience: Audience) -> str | None:
        name = named(event, audience)
        return None if name is None else recipient_key(self.realms.get(event.source, event.source), audience, name)


def recipient_key(realm: str, audience: Audience, name: str) -> str:
    """`marzban/owner:reseller-7`"""
    return f"{realm}/{audience.kind}:{name}"


def is_key(text: str) -> bool:
    """Whether a text is the key of an owner, a user or a node."""
    realm, _, subject = text.partition("/")
    kind, _, name = subject.partition(":")
    return bool(realm) and kind in {one.kind for one in Audience} and is_name(name)


def name_in(key: str) -> str:
    """What a recipient is called, as its key says."""
    return key.partition("/")[2].partition(":")[2]


def is_customer(key: str | None) -> bool:
    """Whether a recipient's key is a customer's, and no owner's or node's."""
    return key is not None and key.partition("/")[2].startswith(f"{Audience.PERSON.kind}:")


def is_owner(key: str) -> bool:
    """Whether a recipient's key is an owner's."""
    return key.partition("/")[2].startswith(f"{Audience.OWNER.kind}:")


def named(event: Event, audience: Audience) -> str | None:
    """What the event calls the one that it is for; None where it names nobody, or by what is no name."""
    match audience:
        case Audience.OWNER:
            name = event.data.get("owner")
        case Audience.NODE:
            name = object_at(event.data, "node").get("name")
        case Audience.PERSON:
            kind, _, subject = (event.subject or "").partition(":")
            name = subject if kind == "user" else object_at(event.data, "user").get("username")
    return name if isinstance(name, str) and is_name(name) else None


def is_name(text: str) -> bool:
    """Whether somebody can be called so: it has signs that are seen, and not too many."""
    return 0 < len(text) <= LONGEST_NAME and text.strip() == text and text.isprintable()
