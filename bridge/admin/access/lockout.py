"""How often somebody may be wrong: a few tries at once, then slower and slower. Bounded, kept by this process alone.

Why the delay is told and not slept: a wait of ours would be a connection of theirs.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

FREE = 5  # wrong tries in a row that cost nothing
LONGEST = 300.0  # seconds between two tries of one address
ADDRESSES = 4096  # that are remembered, of each kind; the oldest is forgotten
OF_ALL = 30  # wrong tries in a minute, of all addresses that nobody knows; then one a second
MINUTE = 60.0


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    free_at: float = 0.0


class Lockout:
    """The tries of each address."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()  # who was right once
        self._wrong: deque[float] = deque(maxlen=OF_ALL)

    def wait(self, address: str) -> float:
        """Seconds until the address may try again; 0.0 where it may now."""
        now = self._now()
        tries = self._tries.get(address)
        own = tries.free_at - now if tries is not None else 0.0
        crowded = len(self._wrong) == OF_ALL and now - self._wrong[0] < MINUTE and address not in self._known
        return max(own, self._wrong[-1] + 1.0 - now if crowded else 0.0, 0.0)

    def wrong(self, address: str) -> None:
        """It was wrong once more."""
        now = self._now()
        tries = self._tries.setdefault(address, _Tries())
        self._tries.move_to_end(address)
        if len(self._tries) > ADDRESSES:
            self._tries.popitem(last=False)
        tries.wrong += 1
        if tries.wrong >= FREE:
            tries.free_at = now + min(LONGEST, 2.0 ** min(tries.wrong - FREE, 20))
        self._wrong.append(now)

    def right(self, address: str) -> None:
        """It was right: what was wrong before is forgotten, and the tries of others do not hold it up."""
        self._tries.pop(address, None)
        self._known[address] = None
        self._known.move_to_end(address)
        if len(self._known) > ADDRESSES:
            self._known.popitem(last=False)
