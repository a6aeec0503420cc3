"""What was forgotten after a lane had claimed it: looked for where something has changed since."""

from collections.abc import Sequence, Set

from bridge.outcome import HeldBack
from bridge.store.base import Delivery, Outbox

ERASED = HeldBack("forgotten while it waited")


class Erased:
    """Knows which deliveries are not there any more. What was claimed after the last erasure is."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._erasure = 0  # the last that is known
        self._through = 0  # the newest delivery when something was last erased

    async def refresh(self) -> None:
        """Ask whether something was erased since. Raise StoreError where nobody can know."""
        erasure, newest = await self._outbox.last_erasure()
        if erasure != self._erasure:
            self._erasure, self._through = erasure, newest

    async def among(self, deliveries: Sequence[Delivery]) -> Set[int]:
        """Ids of those that are gone. Raise StoreError where nobody can know."""
        older = [one.id for one in deliveries if one.id <= self._through]
        return set(older) - await self._outbox.kept(older) if older else set()
