"""Masking at the door: secret fields become `***` before anything is stored, logged or rendered.

A rule is a dotted path into an element: `user.links`, `payload.**.PrivateKey`, `users.*.password`; `*` is any one
key or index, `**` any depth. What is masked keeps its shape: every text and number in it is replaced, null stays null.

Where no rule leads, whatever is called like a secret or looks like one is masked as well: see `secrets.py`. What is
called so and is an object may only describe one, as Remnawave's `apiToken` with a token's name: a panel says which.
"""

from collections.abc import Collection, Iterable
from copy import deepcopy
from typing import Any

from bridge.event import JsonObject
from bridge.ingress.rules import RuleNode, first_place
from bridge.ingress.secrets import (
    PEM_BEGIN,
    PEM_END,
    SHORTEST_SECRET,
    NameKind,
    name_kind,
    names_secret,
    names_several,
    without_secrets,
)
from bridge.originals import MASK
from bridge.paths import matches

#: Under which of its keys an object that is a pair has the name of its `value`.
LABELS = ("name", "key", "label", "title")
OF_SECRET, WITH_SECRET = NameKind.OF_SECRET, NameKind.WITH_SECRET


class Masker:
    """A source's rules: its panel's and the operator's, without what the operator lets through.

    `described`: keys of objects that describe a secret, and are none.
    """

    def __init__(self, mask: Iterable[str], unmask: Iterable[str] = (), *, described: Collection[str] = ()) -> None:
        self._unmask = [tuple(path.split(".")) for path in unmask]
        self._described = frozenset(described)
        self._first_place = first_place(tuple(path.split(".")) for path in mask)

    def __call__(self, element: Any) -> Any:
        """Mask `element` in place, and return it."""
        unmasked = [(match, deepcopy(match[0][match[1]])) for path in self._unmask for match in matches(element, path)]
        element = self._swept(element, self._first_place)
        for (container, key), value in unmasked:
            container[key] = value
        return element

    def _swept(self, value: Any, place: RuleNode) -> Any:
        """The value without what a rule masks, and what is called or looks like a secret."""
        if isinstance(value, dict):
            self._sweep(value, place)
        elif isinstance(value, list):
            places = zip(value, place.elements(len(value)), strict=True)
            value[:] = _without_key_lines([_masked(one) if to.masked else self._swept(one, to) for one, to in places])
        elif isinstance(value, str):
            return without_secrets(value)
        return value

    def _sweep(self, value: JsonObject, place: RuleNode) -> None:
        named, other = place.named, place.other
        with_secret = False
        for key, one in value.items():
            to, kind = named.get(key, other), name_kind(key)
            if kind is WITH_SECRET:
                with_secret = True
            if to.masked or (kind is OF_SECRET and not self._is_plain(key, one)):
                value[key] = _masked(one)
            elif isinstance(one, str):
                if len(one) >= SHORTEST_SECRET:
                    value[key] = without_secrets(one)
            elif isinstance(one, dict):
                self._sweep(one, to)
            elif isinstance(one, list):
                self._swept(one, to)
        if "value" in value and any(_is_secret_name(value.get(label)) for label in LABELS):
            value["value"] = _masked(value["value"])
        if with_secret:
            _mask_names(value)

    def _is_plain(self, key: str, value: Any) -> bool:
        """Whether it is no secret, whatever it is called: a fact, a count, or what describes one."""
        if isinstance(value, bool):
            return True
        return (
            key in self._described if isinstance(value, dict) else isinstance(value, int | float) and names_several(key)
        )


def _is_secret_name(value: Any) -> bool:
    return isinstance(value, str) and names_secret(value)


def _without_key_lines(values: list[Any]) -> list[Any]:
    """A list without the lines of a private key, where it is one of lines: as Xray writes certificates' keys."""
    inside = False
    for index, line in enumerate(values):
        if not isinstance(line, str):
            inside = False
        elif inside:
            inside = PEM_END not in line
            values[index] = MASK if inside else line
        elif "-----BEGIN " in line and PEM_BEGIN.search(line):
            inside = PEM_END not in line
    return values


def _mask_names(value: JsonObject) -> None:
    """Put all that stands under a name with a secret in it under one without; what would be lost beside its like has a
    star more.
    """
    items = list(value.items())
    value.clear()
    for key, one in items:
        name = without_secrets(key)
        while name in value:
            name += "*"
        value[name] = one


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        for key in value:
            value[key] = _masked(value[key])
        if any(name_kind(key) is WITH_SECRET for key in value):
            _mask_names(value)
        return value
    if isinstance(value, list):
        value[:] = map(_masked, value)
        return value
    return None if value is None else MASK
