"""Whether a customer is told: not who was deleted, not who wants nothing of it, not more a day than the file says.

It is asked when a delivery is claimed, and once more right before it goes to the socket: what somebody has said
meanwhile holds for what is on its way there.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.clock import Clock
from bridge.messages.customer import is_told
from bridge.outcome import Fate, HeldBack
from bridge.people.link import LinkMaker, hash_of
from bridge.people.rules import CustomerRules, category_of
from bridge.store.base import Delivery, Known, Outbox

STOPPED = "wants to be told nothing"
CLOSED = "was deleted since"


def unwanted(delivery: Delivery, known: Known, rules: CustomerRules) -> str | None:
    """Why a customer is not told of it; None where nothing is against it. What is critical passes nothing of this."""
    if known.closed_at is not None and delivery.event.received_at <= known.closed_at:  # a replay's event is old, too
        return CLOSED
    if known.wants.stopped:
        return STOPPED
    terms = delivery.terms
    category = terms.category if terms is not None and terms.category else category_of(delivery.event.type)
    if not rules.is_on(category, known.wants.categories):
        return f"wants no {category}"
    return None


class Customers:
    """The customers of one sink."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock

    async def willing(
        self, deliveries: Sequence[Delivery], known: Mapping[str, Known], rules: CustomerRules
    ) -> list[tuple[Delivery, Fate]]:
        """What of these is not told, and why: nobody wants it, or there is nothing to say."""
        left: list[tuple[Delivery, Fate]] = []
        for one in await self._outbox.load(deliveries):
            if (why := unwanted(one, known.get(one.recipient or "", Known()), rules)) is not None:
                left.append((one, HeldBack(why)))
            elif not is_told(one.event, self._clock.now()):
                left.append((one, HeldBack(f"there is nothing to tell a customer of {one.event.type}")))
        return left

    async def over_limit(
        self, deliveries: Sequence[Delivery], zones: Mapping[str, ZoneInfo], rules: CustomerRules
    ) -> list[tuple[Delivery, Fate]]:
        """What of these is more than is told in a day. What is critical passes, and counts."""
        left: list[tuple[Delivery, Fate]] = []
        for one in deliveries:
            terms, key = one.terms, one.recipient
            most = terms.max_per_day if terms is not None and terms.max_per_day else rules.max_per_day
            if most is None or key is None or (terms is not None and terms.critical):
                continue
            if await self._outbox.told_since(key, midnight(self._clock.now(), zones[key])) >= most:
                left.append((one, HeldBack(f"max_per_day: was told {most} times today")))
        return left


async def keep_links(outbox: Outbox, maker: LinkMaker | None, links: Mapping[str, str], now: datetime) -> None:
    """Keep what a message gives away, tokens → keys of customers, for as long as a link holds."""
    if maker is not None:
        hashes = {hash_of(token): key for token, key in links.items()}
        await outbox.keep_links(maker.sender, hashes, until=now + timedelta(seconds=maker.holds))


def with_wants(records: Mapping[str, Mapping[str, Any]], known: Mapping[str, Known]) -> dict[str, Mapping[str, Any]]:
    """The directory's records; where customers chose language, zone or hours, those are theirs."""
    chosen = {key: one.wants.chosen for key, one in known.items() if one.wants.chosen}
    return {**records, **{key: {**records.get(key, {}), **own} for key, own in chosen.items()}}


def midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """When the day began that it is in a zone."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
