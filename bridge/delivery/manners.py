"""What quiet hours make of a delivery that could be sent now. Pure."""

from datetime import datetime

from bridge.outcome import Again, Fate, HeldBack
from bridge.store.base import Delivery
from bridge.terms import Quiet

SILENTLY = "silently"


def fate_in(quiet: Quiet | None, delivery: Delivery, local: datetime) -> Fate | str | None:
    """None: send it; SILENTLY: send it without a sound; else what becomes of it instead. A row's own hours come first.

    `local` is the time in the zone that the hours are meant in.
    """
    asked = delivery.terms.quiet if delivery.terms is not None and delivery.terms.quiet is not None else quiet
    until = asked.until(local) if asked is not None else None
    if asked is None or until is None:
        return None
    match asked.mode:
        case "silent":
            return SILENTLY
        case "hold":
            return Again(until, "quiet hours", counts=False)
        case "drop":
            return HeldBack("quiet hours")
