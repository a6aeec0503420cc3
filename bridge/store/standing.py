"""How lanes and addresses stand to their services: what must survive a restart."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from bridge.outcome import Limit
from bridge.value import Value, field

ASKED_AGAIN = 86400.0  # seconds after which an address that is gone is asked again, when there is something to say


class Standing(StrEnum):
    """How a lane stands to its service."""

    OPEN = "open"  # it flows
    AWAY = "away"  # the service did not answer; one delivery at a time tries whether it is back
    PARKED = "parked"  # the address is gone; nothing is sent until someone resumes the lane


class LaneState(Value, kw_only=True):
    """How a lane stands: what must survive a restart, and travel with the lane.

    since     when it began to be away or parked
    until     before then nothing is sent, because it is away or because the service asked for it
    failures  tries in a row that found the service away
    address   a short hash of the sink's settings: a parked lane flows again when they have changed
    spent     scope of a limit → times of the sends that count against it, oldest first
    learned   limits that the service's answers told of
    """

    standing: Standing = Standing.OPEN
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    failures: int = 0
    address: str = ""
    spent: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    learned: tuple[Limit, ...] = ()


class AddressState(Value):
    """How one of a sink's many addresses stands.

    reached_at  when it first took a message; None where it never did
    reason      why it takes none; None where it does, as far as anyone knows
    since       when it began to take none
    until       when it is asked again
    """

    reached_at: datetime | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
