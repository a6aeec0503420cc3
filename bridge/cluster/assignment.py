"""Which replica should carry which lane. Pure, so that all replicas find the same by themselves."""

import math
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b

ORPHANED = 3.0  # a lane without an owner for so long is adopted by whoever wants it
ADOPTION = 60.0  # after so long it is seen whether it has a replica of its own now


class LaneShare:
    """The lanes that one replica should carry: those assigned to it, and orphans that it has adopted.

    Replicas whose files differ assign differently, and each may leave a lane to the other: such a lane is an orphan.
    """

    def __init__(self, name: str) -> None:
        self.sinks: set[str] = set()
        self._name = name
        self._assigned: tuple[Mapping[str, str], set[str]] = {}, set()  # the lanes and replicas that it was made of
        self._expires = math.inf  # when to assign again though nothing has changed
        self._ownerless: dict[str, float] = {}  # lanes that nobody has → when that was first seen

    def update(
        self, lanes: Mapping[str, str], alive: set[str], *, owned: Collection[str], now: float, grace: bool = False
    ) -> None:
        """Assign the lanes where they or the replicas have changed, then adopt those that stay without an owner.

        Where there is grace none is adopted, and none has been without an owner yet.
        """
        if self._assigned != (lanes, alive) or now > self._expires:
            self._assigned, self._expires = (lanes, alive), math.inf
            self.sinks = {sink for sink, replica in assign(lanes, alive).items() if replica == self._name}
        ownerless = () if grace else lanes.keys() - owned
        self._ownerless = {sink: self._ownerless.get(sink, now) for sink in ownerless}
        if orphans := {sink for sink, since in self._ownerless.items() if now - since > ORPHANED} - self.sinks:
            self.sinks |= orphans
            self._expires = now + ADOPTION


def assign(lanes: Mapping[str, str], replicas: Collection[str]) -> dict[str, str]:
    """Every sink → its replica. `lanes`: sinks → the group of each; those of a group stay together.

    Each replica has as many groups as every other, or one more. A group goes to the one with the highest hash of both
    (rendezvous) among those that have room, so that few of them move when a replica comes or goes.
    """
    if not replicas:
        return {}
    groups = sorted(set(lanes.values()))
    each, over = divmod(len(groups), len(replicas))
    room, assigned = dict.fromkeys(replicas, each), dict[str, str]()
    for group in groups:
        fitting = [name for name, left in room.items() if left > 0 or (left == 0 and over)]
        replica = max(fitting, key=lambda name: (_affinity(group, name), name))
        over -= room[replica] == 0
        room[replica] -= 1
        assigned[group] = replica
    return {sink: assigned[group] for sink, group in lanes.items()}


def groups(scopes: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Sink → its group, which is that of every sink that shares a scope with it, be it through a third one.

    `scopes`: sink → the scopes of its limits.
    """
    group = {sink: sink for sink in scopes}
    first: dict[str, str] = {}  # scope → a sink that has it
    for sink in sorted(scopes):
        for scope in scopes[sink]:
            mine, theirs = group[sink], group[first.setdefault(scope, sink)]
            if mine != theirs:
                joined = min(mine, theirs)
                group = {one: joined if its in (mine, theirs) else its for one, its in group.items()}
    return group


@lru_cache(4096)
def _affinity(group: str, replica: str) -> bytes:
    return blake2b(group.encode(), key=blake2b(replica.encode()).digest(), digest_size=8).digest()
