"""Masking at the door: secret fields become `***` before anything is stored, logged or rendered.

A rule is a dotted path into an element: `user.links`, `payload.**.PrivateKey`, `users.*.password`; `*` is any one
key or index, `**` any depth. What is masked keeps its shape: every text and number in it is replaced, null stays null.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

MASK = "***"
Path = tuple[str, ...]


class Masker:
    """A source's rules: its panel's and the operator's, without what the operator lets through."""

    def __init__(self, masks: Iterable[str], unmask: Iterable[str] = ()) -> None:
        self._masks = [tuple(path.split(".")) for path in masks]
        self._unmask = [tuple(path.split(".")) for path in unmask]

    def __call__(self, element: Any) -> Any:
        """Mask `element` in place, and return it."""
        kept = [(at, key, deepcopy(at[key])) for path in self._unmask for at, key in _places(element, path)]
        for path in self._masks:
            for at, key in _places(element, path):
                at[key] = _hidden(at[key])
        for at, key, value in kept:
            at[key] = value
        return element


def _places(value: Any, path: Path) -> Iterable[tuple[Any, Any]]:
    """Every (container, key) that `path` leads to."""
    if "*" in path or "**" in path:
        return _every_place(value, path)
    for depth, key in enumerate(path[:-1]):  # most rules name one place
        if isinstance(value, list):
            return _every_place(value, path[depth:])
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        return _every_place(value, path[-1:])
    return ((value, path[-1]),) if isinstance(value, dict) and path[-1] in value else ()


def _every_place(value: Any, path: Path) -> Iterator[tuple[Any, Any]]:
    head, rest = path[0], path[1:]
    if head == "**":
        yield from _every_place(value, rest) if rest else _children(value)
        for at, key in list(_children(value)):
            yield from _every_place(at[key], path)
    elif isinstance(value, dict | list):
        for key in _keys(value, head):
            if rest:
                yield from _every_place(value[key], rest)
            else:
                yield value, key


def _keys(value: dict[str, Any] | list[Any], head: str) -> Iterable[Any]:
    if isinstance(value, dict):
        return list(value) if head == "*" else [head] if head in value else []
    if head == "*":
        return range(len(value))
    return [int(head)] if head.isdecimal() and int(head) < len(value) else []


def _children(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from ((value, key) for key in value)
    elif isinstance(value, list):
        yield from ((value, index) for index in range(len(value)))


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        for key in value:
            value[key] = _hidden(value[key])
        return value
    if isinstance(value, list):
        value[:] = map(_hidden, value)
        return value
    return None if value is None else MASK
