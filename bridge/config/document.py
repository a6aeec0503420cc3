"""What a file says: its data, where each piece stands, and the mistakes found in it so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.errors import Mistake, Position
from bridge.redaction import redacted

#: The way to a value: ("sinks", "ops", "rate"), ("routes", 0, "to").
KeyPath = tuple[str | int, ...]

_SECTIONS = {"sources": 'source "{}"', "sinks": 'sink "{}"', "routes": "route {}", "webhooks": "webhook {}"}
_VERBS = ("should", "is", "has", "speaks", "needs", "cannot", "can", "begins", "ends", "starts")


@dataclass
class Document:
    """`keys` and `values` tell where things stand; what stands at a `rejected` path is known to be wrong already.

    `lookalikes` are the values that look like a variable and are none, and `doubts` those of files that may hold more
    than a secret, each with what to say of it.
    """

    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    lookalikes: dict[KeyPath, str] = field(default_factory=dict)
    doubts: dict[KeyPath, str] = field(default_factory=dict)
    rejected: set[KeyPath] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)

    def report(self, path: KeyPath, text: str, position: Position | None = None) -> None:
        """Note what is wrong at `path`, once."""
        mistake = Mistake(*(position or self.position(path)), _message(path, text), path=path)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def warn(self, path: KeyPath, text: str, position: Position | None = None) -> None:
        """Note what may be meant at `path`, and may not: it stops nothing."""
        warning = Mistake(*(position or self.position(path)), _message(path, text), path=path)
        if warning not in self.warnings:
            self.warnings.append(warning)

    def reject(self, path: KeyPath, text: str) -> None:
        """Note that there is no value to be had at `path`, and why: whatever else is found wrong there follows."""
        self.report(path, text)
        self.rejected.add(path)

    def position(self, path: KeyPath) -> Position:
        """Where the value at `path` stands, or what should hold it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def key_position(self, path: KeyPath) -> Position:
        """Where the key at the end of `path` stands, or what should hold it."""
        return self.keys.get(path) or self.position(path)

    def value(self, path: KeyPath) -> Any:
        """The value at `path`, None where there is none."""
        value: Any = self.data
        for key in path:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
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

    def texts(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        """The texts at a path that leads to one or to a list of them."""
        value = self.value(path)
        if isinstance(value, str):
            yield path, value
        for index, one in enumerate(value if isinstance(value, list) else []):
            if isinstance(one, str):
                yield (*path, index), one


def entry_of(path: KeyPath) -> str:
    """What the entry is called that a path leads to or into: `sink "ops"`, `route 2`; empty where there is none."""
    if len(path) < 2 or path[0] not in _SECTIONS:
        return ""
    name = path[1]
    return _SECTIONS[str(path[0])].format(name + 1 if isinstance(name, int) else redacted(name))


def _message(path: KeyPath, text: str) -> str:
    """The mistake with what it is about: `sink "ops": timeout should be a duration …`. A key may be a secret too."""
    entry = entry_of(path)
    words, rest = ([entry], path[2:]) if entry else ([], path)
    if rest:
        words.append("".join(f"[{key}]" if isinstance(key, int) else f".{redacted(key)}" for key in rest).lstrip("."))
    if words and text.split(" ")[0] in _VERBS:
        words[-1] += f" {text}"
    else:
        words.append(text)
    return ": ".join(words)
