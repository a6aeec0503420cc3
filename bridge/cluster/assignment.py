"""Which replica should carry which lane: pure functions, so that all replicas find the same by themselves."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b


def spread(lanes: Mapping[str, str], replicas: Collection[str]) -> dict[str, str]:
    """Every sink → its replica. `lanes`: sinks → the group of each; those of a group stay together.

    Each replica has as many groups as every other, or one more. A group goes where it likes best to be among the
    replicas that have room, so that few of them move when a replica comes or goes.
    """
    if not replicas:
        return {}
    groups = sorted(set(lanes.values()))
    each, over = divmod(len(groups), len(replicas))
    room, homes = dict.fromkeys(replicas, each), dict[str, str]()
    for group in groups:
        fitting = [name for name, left in room.items() if left > 0 or (left == 0 and over)]
        home = max(fitting, key=lambda name: (_liking(group, name), name))
        over -= room[home] == 0
        room[home] -= 1
        homes[group] = home
    return {sink: homes[group] for sink, group in lanes.items()}


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
def _liking(group: str, replica: str) -> bytes:
    return blake2b(group.encode(), key=blake2b(replica.encode()).digest(), digest_size=8).digest()
