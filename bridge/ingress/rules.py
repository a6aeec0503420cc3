"""Rules for masking, ready to be followed through an element in one walk.

A rule is a dotted path, as in `paths.py`. All that lead on from one place are one `RuleNode`: a step under a key or an
index leads to the next, however many rules there are.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from bridge.paths import Path


class RuleNode:
    """A place in an element, by the rules that lead on from there.

    masked: one of them ends here
    """

    __slots__ = ("__dict__", "_paths", "_places", "masked")

    def __init__(self, paths: frozenset[Path], places: dict[frozenset[Path], "RuleNode"]) -> None:
        self.masked = () in paths
        self._paths = frozenset(further for path in paths for further in _with_no_level(path))
        self._places = places

    @cached_property
    def named(self) -> dict[str, "RuleNode"]:
        """What stands here under each key that a rule names."""
        return {head: self._under(head) for head in self._heads()}

    @cached_property
    def other(self) -> "RuleNode":
        """What stands here under any other key."""
        return self._under(None)

    def elements(self, count: int) -> Sequence["RuleNode"]:
        """What stands here at each index of a list of that many."""
        places = [self.other] * count
        for head in self._heads():
            if head.isdecimal() and int(head) < count:
                places[int(head)] = self._under(head)
        return places

    def _heads(self) -> set[str]:
        return {path[0] for path in self._paths if path and path[0] not in ("*", "**")}

    def _under(self, key: str | None) -> "RuleNode":
        return _place(frozenset(further for path in self._paths for further in _after(path, key)), self._places)


def first_place(paths: Iterable[Path]) -> RuleNode:
    """Where an element begins."""
    return _place(frozenset(paths), {})


def _place(paths: frozenset[Path], places: dict[frozenset[Path], RuleNode]) -> RuleNode:
    """The same for the same rules: so there is an end to them, though an element may have none."""
    if paths not in places:
        places[paths] = RuleNode(paths, places)
    return places[paths]


def _with_no_level(path: Path) -> Iterable[Path]:
    """The path, and what it is where its `**` stands for no level."""
    yield path
    if path[:1] == ("**",) and len(path) > 1:
        yield from _with_no_level(path[1:])


def _after(path: Path, key: str | None) -> Iterable[Path]:
    """What is left of a path after a step under a key; None is one that no rule names."""
    if path[:1] == ("**",):
        yield path
        if len(path) == 1:
            yield ()
    elif path and path[0] in ("*", key):
        yield path[1:]
