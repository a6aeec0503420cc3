"""Masking at the door: secret fields become `***` before anything is stored, logged or rendered.

A rule is a dotted path into an element: `user.links`, `payload.**.PrivateKey`, `users.*.password`; `*` is any one
key or index, `**` any depth. What is masked keeps its shape: every text and number in it is replaced, null stays null.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

MASK = "***"
Path = tuple[str, ...]
#: A dict or list, and a key or index that is in it.
Match = tuple[Any, Any]


class Masker:
    """A source's rules: its panel's and the operator's, without what the operator lets through."""

    def __init__(self, mask: Iterable[str], unmask: Iterable[str] = ()) -> None:
        self._mask = [tuple(path.split(".")) for path in mask]
        self._unmask = [tuple(path.split(".")) for path in unmask]

    def __call__(self, element: Any) -> Any:
        """Mask `element` in place, and return it."""
        unmasked = [(match, deepcopy(match[0][match[1]])) for path in self._unmask for match in _matches(element, path)]
        for path in self._mask:
            for container, key in _matches(element, path):
                container[key] = _masked(container[key])
        for (container, key), value in unmasked:
            container[key] = value
        return element


def _matches(value: Any, path: Path) -> Iterable[Match]:
    """Where `path` leads to."""
    if "*" in path or "**" in path:
        return _wildcard_matches(value, path)
    for depth, key in enumerate(path[:-1]):  # most rules name one place: half the time of the general way
        if isinstance(value, list):
            return _wildcard_matches(value, path[depth:])
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        return _wildcard_matches(value, path[-1:])
    return ((value, path[-1]),) if isinstance(value, dict) and path[-1] in value else ()


def _wildcard_matches(value: Any, path: Path) -> Iterator[Match]:
    head, rest = path[0], path[1:]
    if head == "**":
        yield from _wildcard_matches(value, rest) if rest else _children(value)
        for container, key in list(_children(value)):
            yield from _wildcard_matches(container[key], path)
    elif isinstance(value, dict | list):
        for key in _keys(value, head):
            if rest:
                yield from _wildcard_matches(value[key], rest)
            else:
                yield value, key


def _keys(value: dict[str, Any] | list[Any], head: str) -> Iterable[Any]:
    if isinstance(value, dict):
        return list(value) if head == "*" else [head] if head in value else []
    if head == "*":
        return range(len(value))
    return [int(head)] if head.isdecimal() and int(head) < len(value) else []


def _children(value: Any) -> Iterator[Match]:
    if isinstance(value, dict):
        yield from ((value, key) for key in value)
    elif isinstance(value, list):
        yield from ((value, index) for index in range(len(value)))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        for key in value:
            value[key] = _masked(value[key])
        return value
    if isinstance(value, list):
        value[:] = map(_masked, value)
        return value
    return None if value is None else MASK
