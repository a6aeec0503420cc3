"""What is worth saying of an Apprise address before anything is sent."""

from collections.abc import Iterator

from bridge.sinks.apprise.plugin import INSTALL, is_installed, targets
from bridge.sinks.settings import Advice


def address_advice(url: str) -> Iterator[Advice]:
    """What is wrong with an address, as Apprise itself reads it; where it is missing, how to install it."""
    if not is_installed():
        yield Advice("type", INSTALL)
        return
    told = targets(url)
    if told == 0:
        yield Advice("url", "is an address that Apprise cannot read: its wiki says what belongs into it")
    if told > 1:
        yield Advice("url", f"names {told} who are told: give each a sink of its own, or one that fails repeats all")
