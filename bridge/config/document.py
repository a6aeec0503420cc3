"""What a file says: its data, where each piece stands, and the mistakes found in it so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.errors import Mistake

#: Where a value is: ("sinks", "ops", "rate"), ("routes", 0, "to").
Spot = tuple[str | int, ...]
#: A line and a column, counted from 1.
Place = tuple[int, int]

_SECTIONS = {"sources": 'source "{}"', "sinks": 'sink "{}"', "routes": "route {}", "webhooks": "webhook {}"}
_VERBS = ("should", "is", "has", "speaks", "needs", "cannot", "can")


@dataclass
class Document:
    """`keys` and `values` tell where things stand; at the `spoiled` spots the mistake is known already."""

    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[Spot, Place] = field(default_factory=dict)
    values: dict[Spot, Place] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    spoiled: set[Spot] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)

    def blame(self, spot: Spot, text: str, place: Place | None = None) -> None:
        """Note what is wrong at `spot`, once."""
        mistake = Mistake(*(place or self.place(spot)), told(spot, text))
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def spoil(self, spot: Spot, text: str) -> None:
        """Note that there is no value to be had at `spot`, and why: whatever else is found wrong there follows."""
        self.blame(spot, text)
        self.spoiled.add(spot)

    def place(self, spot: Spot) -> Place:
        """Where the value at `spot` stands, or what should hold it."""
        while spot and spot not in self.values:
            spot = spot[:-1]
        return self.values.get(spot, (1, 1))

    def key(self, spot: Spot) -> Place:
        """Where the key of `spot` stands, or what should hold it."""
        return self.keys.get(spot) or self.place(spot)

    def at(self, spot: Spot) -> Any:
        """The value at `spot`, None where there is none."""
        value: Any = self.data
        for part in spot:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def names(self, section: str) -> list[str]:
        """What the entries of a section are called."""
        found = self.data.get(section)
        return list(found) if isinstance(found, dict) else []

    def entries(self, section: str) -> list[Any]:
        """The entries of a section that is a list."""
        found = self.data.get(section)
        return found if isinstance(found, list) else []

    def texts(self, spot: Spot) -> Iterator[tuple[Spot, str]]:
        """The texts at a spot that holds one or a list of them."""
        value = self.at(spot)
        if isinstance(value, str):
            yield spot, value
        for index, one in enumerate(value if isinstance(value, list) else []):
            if isinstance(one, str):
                yield (*spot, index), one


def told(spot: Spot, text: str) -> str:
    """The mistake with what it is about: `sink "ops": timeout should be a duration …`."""
    words, rest = [], spot
    if len(spot) > 1 and spot[0] in _SECTIONS:
        name, rest = spot[1], spot[2:]
        words.append(_SECTIONS[str(spot[0])].format(name + 1 if isinstance(name, int) else name))
    if rest:
        words.append("".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in rest).lstrip("."))
    if words and text.split(" ")[0] in _VERBS:
        words[-1] += f" {text}"
    else:
        words.append(text)
    return ": ".join(words)
