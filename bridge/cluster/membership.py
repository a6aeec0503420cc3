"""Which replicas are alive. Pure: what is judged is how long ago each gave its last heartbeat."""

import math
from collections.abc import Mapping

STALE = 3.0  # a replica is dead that gave none for so long: five in a row may be late, and 5 s are kept with room


class Membership:
    """The replicas as one of them sees them, which is `name`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._grace_until = -math.inf  # until then nobody is called dead

    def alive(self, ages: Mapping[str, float], *, last_heartbeat: float, now: float) -> set[str]:
        """Those that are alive of `ages`: replicas → seconds since their last heartbeat. Ours was `last_heartbeat`."""
        if -math.inf < last_heartbeat < now - STALE:
            self.give_grace(now)  # we stood still ourselves, and so perhaps did everyone
        grace = self.gives_grace(now)
        return {name for name, age in ages.items() if age <= STALE or name == self._name or grace}

    def give_grace(self, now: float) -> None:
        """The server was away, or we were: the others are as late as we are."""
        self._grace_until = now + STALE

    def gives_grace(self, now: float) -> bool:
        """Whether nobody is called dead now, nor a lane an orphan: nobody could do anything for it meanwhile."""
        return now < self._grace_until
