"""A service whose letters come back where they cannot be handed over: how an inbox is looked through for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bridge.event import JsonObject
from bridge.value import Value


class InboxUnreadable(Exception):
    """The inbox could not be looked through. The text says why, without its password."""


class Bounce(Value):
    """One letter of ours that came back for good.

    place   what the state of its mailbox is kept by
    reason  in the words of the server that would not have it
    number  of the report in its folder
    """

    place: str
    reason: str
    number: int


class InboxResult(Value):
    """What one look has found. `state` is what the next one begins behind; `more`: there is more behind it already."""

    state: JsonObject
    bounces: Sequence[Bounce] = ()
    more: bool = False


class Inbox(Protocol):
    """One folder of one mailbox, and whose letters come back to it."""

    @property
    def key(self) -> str:
        """What its place is kept by: the same on all replicas, and of this folder alone."""
        ...

    @property
    def name(self) -> str:
        """As people know it: the folder and the server."""
        ...

    @property
    def sender(self) -> str:
        """Whose addresses its reports are about."""
        ...

    async def look(self, state: JsonObject | None, *, since: datetime, within: float) -> InboxResult:
        """What has come behind `state` and not before `since`; raise InboxUnreadable where that is not found
        out in time.

        Nothing is changed in the folder.
        """
        ...

    async def set_read(self, numbers: Sequence[int], *, within: float) -> None:
        """Mark those reports as read; nothing follows where that is not to be had."""
        ...
