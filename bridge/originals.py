"""What masks took out of a payload: kept aside, put back for the one who may have it, or left out altogether.

Masks keep a payload's shape, so that a path leads to the same places before and after: originals are kept in the order
in which it comes to them.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any
from urllib.parse import quote, unquote

from bridge.paths import matches

MASK = "***"
LEFT_OUT = "Panelbridge-Left-Out"
TOLD, SAFE = 300, " ,._-*"  # characters of the names, and those that a header holds as they are
_GONE = object()

#: Path → what stood where it leads to.
Originals = Mapping[str, list[Any]]
#: Event's id → sink → what it may have unmasked.
OriginalsOfEvents = dict[str, Mapping[str, Originals]]


def originals_of(element: Any, paths: Iterable[str]) -> Originals:
    """Copies of what stands at these paths; a path that leads nowhere is not among them."""
    found = {path: [deepcopy(at[key]) for at, key in matches(element, tuple(path.split(".")))] for path in paths}
    return {path: values for path, values in found.items() if values}


def restored(native: Any, originals: Originals, paths: Iterable[str]) -> Any:
    """A copy of the masked payload with the originals at these paths, as far as there are any."""
    whole = deepcopy(native)
    for path in paths:
        places, values = list(matches(whole, tuple(path.split(".")))), originals.get(path, [])
        if len(places) == len(values):
            for (container, key), value in zip(places, values, strict=True):
                container[key] = deepcopy(value)
    return whole


def without_masked(payload: Any) -> tuple[Any, list[str]]:
    """The payload without the keys whose value is masked, and what holds nothing else; and their names."""
    names: dict[str, None] = {}
    kept = _kept(payload, "", names)
    return (None if kept is _GONE else kept), list(names)


def left_out_header(names: Sequence[str]) -> dict[str, str]:
    """The header that names what was left out, each once; none where nothing was."""
    told = quote(", ".join(dict.fromkeys(names))[:TOLD], safe=SAFE, errors="replace")
    return {LEFT_OUT: told} if names else {}


def left_out_names(headers: Mapping[str, str]) -> list[str]:
    """What such a header names."""
    return unquote(headers[LEFT_OUT]).split(", ") if LEFT_OUT in headers else []


def _kept(value: Any, path: str, names: dict[str, None]) -> Any:
    if value == MASK:
        names[path] = None
        return _GONE
    if isinstance(value, dict):
        inner = {key: _kept(one, f"{path}.{key}" if path else key, names) for key, one in value.items()}
        left = {key: one for key, one in inner.items() if one is not _GONE}
        return left if left or not value else _GONE
    if isinstance(value, list):
        items = [one for one in (_kept(one, path, names) for one in value) if one is not _GONE]
        return items if items or not value else _GONE
    return value
