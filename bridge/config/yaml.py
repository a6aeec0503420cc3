"""YAML as people write it, read into a Document.

Beyond YAML: `${VAR}` and `${VAR:-default}` come from the environment, `$$` is a dollar; a key `secret_file` reads
`secret` from a file; top-level keys that begin with `x-` are left out (a place for anchors).

Less than YAML: words are words. Only `true`, `false`, `null` and numbers that read back the same are anything else,
so that a source may be called `no`, and a secret be `0123`. A `!` or a `*` before a name is part of the name.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bridge.config.document import Document, Place, Spot
from bridge.config.syntax import hide, reveal, stumble

FILE_LIMIT = 64 * 1024  # bytes of a `*_file`: a secret is smaller
_TEXT, _MERGE, _OWN = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where libyaml is there

_VARIABLE = re.compile(r"\$\$|\$\{(?!\{)([^}\n]*)\}?")
_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?")


def read_document(raw: bytes, folder: Path, env: Mapping[str, str]) -> Document:
    """Everything the file says, with all mistakes that YAML, variables and `*_file` keys can hold."""
    document = Document()
    try:
        text = raw.decode("utf-8-sig")
        _Reader(document, folder, env).read(yaml.compose(hide(text), Loader=_LOADER))
    except UnicodeDecodeError as error:
        document.blame((), "the file is not UTF-8 text", (raw.count(b"\n", 0, error.start) + 1, 1))
    except RecursionError:
        document.blame((), "the file is nested too deeply", (1, 1))
    except yaml.YAMLError as error:
        place, what = stumble(text, error)
        document.blame((), what, place)
    return document


class _Reader:
    """Nodes to values, remembering where each stood."""

    def __init__(self, document: Document, folder: Path, env: Mapping[str, str]) -> None:
        self._document = document
        self._folder = folder
        self._env = env
        self._open: set[int] = set()  # the collections around the node that is being read

    def read(self, root: yaml.Node | None) -> None:
        data = self._value(root, ()) if root is not None else None
        if isinstance(data, dict):
            # a section whose lines are all commented out is none
            found = {key: value for key, value in data.items() if not key.startswith("x-") and value is not None}
            self._document.data = found
        elif data is not None:
            self._document.blame((), "the file should be a mapping, with keys such as sources, sinks and routes")

    def _value(self, node: yaml.Node, spot: Spot) -> Any:
        self._document.values[spot] = _place(node)
        if not node.tag.startswith(_OWN):
            self._document.spoil(spot, f"has a YAML tag, {node.tag}, which means nothing here")
        elif isinstance(node, yaml.ScalarNode):
            return self._scalar(node, spot)
        elif id(node) in self._open:
            self._document.spoil(spot, "is an alias of something that it is a part of")
        else:
            self._open.add(id(node))
            try:
                return self._collection(node, spot)
            finally:
                self._open.remove(id(node))
        return None

    def _collection(self, node: yaml.Node, spot: Spot) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, spot)
        return [self._value(one, (*spot, index)) for index, one in enumerate(node.value)]

    def _scalar(self, node: yaml.ScalarNode, spot: Spot) -> Any:
        text = self._expand(node, spot)
        explicit = node.tag == _TEXT and _core(node.value) is not node.value  # !!str 123
        return text if node.style or explicit else _core(text)

    def _mapping(self, node: yaml.MappingNode, spot: Spot) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (place, value) in self._pairs(node, spot).items():
            self._document.keys[(*spot, name)] = place
            found[name] = self._value(value, (*spot, name))
        return self._with_files(found, spot) if spot[:1] in (("sources",), ("sinks",)) else found

    def _pairs(self, node: yaml.MappingNode, spot: Spot) -> dict[str, tuple[Place, yaml.Node]]:
        """The mapping's own pairs, then those that `<<` brings and that it does not have itself."""
        pairs: dict[str, tuple[Place, yaml.Node]] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                self._document.blame(spot, "a text that begins with { or [ should be in quotes", _place(node))
            elif (name := self._expand(key, spot)) in pairs:
                what = f"stands here a second time, first in line {pairs[name][0][0]}"
                self._document.blame((*spot, name), what, _place(key))
            else:
                pairs[name] = _place(key), value
        for pair in (pair for one in merged for pair in self._merged(one, spot)):
            pairs.setdefault(*pair)
        return pairs

    def _merged(self, node: yaml.Node, spot: Spot) -> Iterator[tuple[str, tuple[Place, yaml.Node]]]:
        if isinstance(node, yaml.MappingNode) and id(node) not in self._open:
            yield from self._pairs(node, spot).items()
        else:
            self._document.blame(spot, "<< should name a mapping", _place(node))

    def _expand(self, node: yaml.ScalarNode, spot: Spot) -> str:
        """The scalar's text, with the environment's values in the place of variables."""

        def value(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            named = _NAMED.fullmatch(match[1])
            if named is None or not match[0].endswith("}"):
                what = f"{match[0]} is not a variable: write ${{NAME}} or ${{NAME:-default}}, and $$ for a dollar"
                self._document.spoil(spot, what)
                return ""
            name, default = named.groups()
            if name not in self._env and default is None:
                what = f"the variable {name} is not set: set it, or give a default as in ${{{name}:-default}}"
                self._document.spoil(spot, what)
            return self._env.get(name) or default or ""

        return _VARIABLE.sub(value, reveal(node.value))

    def _with_files(self, found: dict[str, Any], spot: Spot) -> dict[str, Any]:
        """The mapping with each `x_file` replaced by `x`, read from there."""
        read: dict[str, Any] = {}
        for key, value in found.items():
            name = key.removesuffix("_file")
            if name == key or not name:
                read.setdefault(key, value)
                continue
            self._document.values[(*spot, name)] = self._document.values[(*spot, key)]
            self._document.keys[(*spot, name)] = self._document.keys[(*spot, key)]
            if name in found:
                self._document.blame((*spot, name), f"stands here beside {key}: keep one of them")
            read[name] = self._contents(value, (*spot, name))
        return read

    def _contents(self, value: Any, spot: Spot) -> Any:
        if isinstance(value, list):
            return [self._contents(one, (*spot, index)) for index, one in enumerate(value)]
        if not isinstance(value, str):
            self._document.spoil(spot, "should be the path of a file, or a list of them")
            return None
        path = self._folder / value
        self._document.files.append(path)
        try:
            with path.open("rb") as file:
                text = file.read(FILE_LIMIT + 1).decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self._document.spoil(spot, f"cannot be read from {path}: {reason}")
            return None
        if len(text) > FILE_LIMIT or not text.strip():
            self._document.spoil(spot, f"cannot be read from {path}: it is {'too big' if text.strip() else 'empty'}")
        return text.removesuffix("\n").removesuffix("\r")


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _core(text: str) -> Any:
    """What a plain scalar is: nothing, true, false, a number that reads back the same, or the word itself."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", text) and str(float(text)) == text:
        return float(text)
    return text
