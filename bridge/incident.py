"""What goes wrong with the bridge itself, as its parts tell it to whoever listens: frozen values, and one callback.

Whoever tells of an incident waits for nobody: the callback returns at once, raises nothing, and keeps little.
"""

from collections.abc import Callable
from datetime import datetime

from bridge.value import Value


class LaneStanding(Value):
    """How a lane stands from now on: `open`, `away` or `parked`.

    since   when the trouble began; of an open lane, when the trouble began that is over
    reason  why it is away or parked
    """

    sink: str
    standing: str
    since: datetime | None
    reason: str | None = None


class DeadLetter(Value):
    """A delivery was given up, for that reason."""

    sink: str
    reason: str


class ConfigRejected(Value):
    """The file has changed and is wrong: `mistakes`, one line each. The settings before stay in force."""

    file: str
    mistakes: tuple[str, ...]


class StoreFailing(Value):
    """The store did not take what it was given, and may take it later."""

    reason: str


Incident = LaneStanding | DeadLetter | ConfigRejected | StoreFailing
OnIncident = Callable[[Incident], None]


def ignore(incident: Incident) -> None:
    """Nobody listens."""
