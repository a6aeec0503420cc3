"""Whether a customer wants to be told: not who was deleted, not who wants nothing of it. And links given to them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge.message import Given
from bridge.people.link import LinkMaker, hash_of
from bridge.people.rules import CustomerRules, category_of
from bridge.store.base import Delivery, Outbox, RecipientFacts

STOPPED = "wants to be told nothing"
CLOSED = "was deleted since"


def unwanted(delivery: Delivery, known: RecipientFacts, rules: CustomerRules) -> str | None:
    """Why a customer is not told of it; None where nothing is against it. What is critical passes nothing of this.

    What came in the very request that tells of the deletion may be of the next one of that name: `outdated.py` looks.
    """
    if known.closed_at is not None and delivery.event.received_at < known.closed_at:  # a replay's event is old, too
        return CLOSED
    if known.wants.stopped:
        return STOPPED
    terms = delivery.terms
    category = terms.category if terms is not None and terms.category else category_of(delivery.event.type)
    if not rules.is_on(category, known.wants.categories):
        return f"wants no {category}"
    return None


async def keep_links(outbox: Outbox, maker: LinkMaker | None, links: Mapping[Given, str], now: datetime) -> None:
    """Keep what a message gives away, with the keys of customers, for as long as a link holds."""
    if maker is not None:
        until = now + timedelta(seconds=maker.holds)
        for sender in {one.sender for one in links}:
            hashes = {hash_of(one.token): key for one, key in links.items() if one.sender == sender}
            await outbox.keep_links(sender, hashes, until=until)
