"""What of an event is told to somebody who is not the operator: what is named here, and nothing else."""

from bridge.event import Event
from bridge.people.announcement import ANNOUNCEMENT, is_announcement
from bridge.people.recipient import Audience
from bridge.value import replace

#: What is an owner's own business: their users, and what these have. Nothing of nodes, admins, other people.
OWNERS = frozenset(
    (
        *("user", "owner", "reason", "usage", "expiry", "subscription", "payment", "reseller", "device", "peer"),
        *("action", "report"),
    )
)
#: What the words for a customer are made of, by name: messages/customer.py.
CUSTOMERS = frozenset(("user", "usage", "expiry", "subscription", "device"))


def reduced(event: Event, audience: Audience) -> Event:
    """The event as that audience may see it; a node's is the operator's own."""
    if audience is Audience.NODE:
        return event
    kept = CUSTOMERS if audience is Audience.PERSON else OWNERS
    if audience is Audience.PERSON and is_announcement(event):
        kept = kept | {ANNOUNCEMENT}
    return replace(event, data={key: value for key, value in event.data.items() if key in kept}, native=None)
