"""Dotted paths into JSON: `user.links`, `payload.**.PrivateKey`, `users.*.password`.

`*` is any one key or index, `**` any depth.
"""

from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str, ...]
#: A dict or list, and a key or index that is in it.
Match = tuple[Any, Any]


def matches(value: Any, path: Path) -> Iterable[Match]:
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
