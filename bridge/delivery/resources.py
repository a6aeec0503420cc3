"""What a lane is given: settings that a reload changes, and what all lanes of a process share."""

from collections.abc import Callable, Sequence
from random import Random
from zoneinfo import ZoneInfo

from bridge.clock import Clock
from bridge.delivery.limiter import RateWindows
from bridge.delivery.memory import EventMemory
from bridge.incident import OnIncident, ignore
from bridge.messages.renderer import Renderer
from bridge.people.link import LinkMaker
from bridge.people.rules import NO_RULES, CustomerRules
from bridge.store.base import Delivery, Outbox
from bridge.value import Value


class LaneSettings(Value):
    """What a reload changes of a lane that goes on."""

    renderer: Renderer
    zone: ZoneInfo
    rules: CustomerRules = NO_RULES
    links: LinkMaker | None = None


class Resources(Value):
    """What all lanes of a process share.

    sure      whether this process still owns its lanes
    memory    room for big events that are being sent
    announce  called with deliveries that were just made
    on_limit  called when an answer has told of a limit
    on_incident  told how lanes stand, and what is dead
    """

    outbox: Outbox
    clock: Clock
    chance: Random
    windows: RateWindows
    memory: EventMemory
    sure: Callable[[], bool]
    announce: Callable[[Sequence[Delivery]], None]
    on_limit: Callable[[], None]
    on_incident: OnIncident = ignore
