"""Whether a delivery goes to the socket now, by all that was looked up. Pure: the time is an argument."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.clock import in_zone
from bridge.delivery.customers import unwanted
from bridge.delivery.lookup import DeliveryTarget
from bridge.delivery.mutes import muted
from bridge.delivery.policy import Admission, SendNow, admission
from bridge.messages.customer import is_told
from bridge.mute import Mute
from bridge.outcome import HeldBack
from bridge.people.address import NoAddress
from bridge.people.rules import CustomerRules
from bridge.store.base import AddressState, Delivery
from bridge.terms import Quiet
from bridge.value import Value


class LaneConditions(Value):
    """What holds for whatever a lane carries at a moment.

    zone   of whoever's own is not known
    quiet  the hours of the sink; of who has said none of their own
    rules  the file's word on customers; None where who is told is no customer
    """

    now: datetime
    zone: ZoneInfo
    quiet: Quiet | None
    mutes: Sequence[Mute]
    rules: CustomerRules | None = None


def resolve(delivery: Delivery, reach: DeliveryTarget | None, given: LaneConditions, *, told: int = 0) -> Admission:
    """Whether a delivery is sent now, whose event is loaded where it is a customer's.

    `reach`: None where its sink has one address. `told`: how many messages they were delivered today.
    """
    held_back = _of_customer(delivery, reach, given) or muted(delivery, given.mutes, given.now)
    if held_back is not None:
        return held_back
    record = reach.record if reach is not None else {}
    quiet = quiet_hours(record["quiet"]) if "quiet" in record else given.quiet
    admitted = admission(delivery, quiet, in_zone(given.now, zone_of(record, given.zone)))
    if reach is None or not isinstance(admitted, SendNow):
        return admitted
    return _over_limit(delivery, given, told) or _unreached(reach, given.now) or admitted


def _of_customer(delivery: Delivery, reach: DeliveryTarget | None, given: LaneConditions) -> HeldBack | None:
    """Why a customer is not told of it."""
    if given.rules is None or reach is None:
        return None
    if (why := unwanted(delivery, reach.known, given.rules)) is not None:
        return HeldBack(why)
    if not is_told(delivery.event, given.now):
        return HeldBack(f"there is nothing to tell a customer of {delivery.event.type}")
    return None


def _over_limit(delivery: Delivery, given: LaneConditions, told: int) -> HeldBack | None:
    """Whether it is more than is told to a customer in a day. What is critical passes, and counts."""
    most = most_a_day(delivery, given.rules)
    return HeldBack(f"max_per_day: was told {most} times today") if most is not None and told >= most else None


def most_a_day(delivery: Delivery, rules: CustomerRules | None) -> int | None:
    """How many messages a day its customer is told before this one is held back; None where that does not count."""
    terms = delivery.terms
    if rules is None or delivery.recipient is None or (terms is not None and terms.critical):
        return None
    return terms.max_per_day if terms is not None and terms.max_per_day else rules.max_per_day


def _unreached(reach: DeliveryTarget, now: datetime) -> HeldBack | None:
    """Whether there is no address, or one that takes nothing now."""
    if isinstance(reach.to, NoAddress):
        return HeldBack(f"no address: {reach.to.reason}", unreached=True)
    why = obstacle(reach.state, now)
    return HeldBack(why, unreached=True) if why is not None else None


def obstacle(state: AddressState | None, now: datetime) -> str | None:
    """Why nothing is sent to an address now; None where it is asked."""
    if state is None or state.reason is None or state.until is None or state.until <= now:
        return None
    return state.reason


def zone_of(record: Mapping[str, Any], zone: ZoneInfo) -> ZoneInfo:
    """The zone of whoever a record is about; `zone` where it names none."""
    return ZoneInfo(record["zone"]) if "zone" in record else zone


def midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """When the day began that it is in a zone."""
    return in_zone(now, zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


@lru_cache(256)
def quiet_hours(hours: str) -> Quiet:
    """A record's own: what comes in them is held until they end."""
    return Quiet(hours=hours, mode="hold")
