"""YAML as people write it, read into a Document.

Beyond YAML: `${VAR}` and `${VAR:-default}` come from the environment, `$$` is a dollar; a key `secret_file` reads
`secret` from a file; top-level keys that begin with `x-` are left out (a position for anchors).

Less than YAML: words are words. Only `true`, `false`, `null` and numbers that read back the same are anything else,
so that a source may be called `no`, and a secret be `0123`. A `!` or a `*` before a name is part of the name.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bridge.config.document import Document, KeyPath
from bridge.config.syntax import compose, shown, syntax_error
from bridge.errors import Position
from bridge.redaction import HIDDEN, may_be_repeated, redacted, redacted_path
from bridge.yaml_scalars import TEXT_TAG, plain_scalar

MOST_VALUES = 200_000  # an alias stands for all that it names: of aliases of aliases there is no end
FILE_LIMIT = 64 * 1024  # bytes of a `*_file`: a secret is smaller
ROOT_SECRETS = (
    "store_password",
    "secret_key",
)  # of the file itself; whatever a source or a sink has may stand in a file
_MERGE, _OWN = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:"

_VARIABLE = re.compile(r"\$\$|\$\{(?!\{)([^}\n]*)\}?")
#: What other programs expand, and we do not: `$NAME`, `$(NAME)`, `%NAME%`, `{{ NAME }}`.
_LOOKALIKE = re.compile(r"(?<!\$)(?:\$(\w+)|\$\((\w+)\)|%(\w+)%|\{\{ *(?:env\.)?([A-Z_]+) *\}\})")
_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?")


def read_document(raw: bytes, folder: Path, env: Mapping[str, str]) -> Document:
    """Everything the file says, with all mistakes that YAML, variables and `*_file` keys can hold."""
    document = Document()
    try:
        text = raw.decode("utf-8-sig")
        _Constructor(document, folder, env).construct(compose(text))
    except UnicodeDecodeError as error:
        document.report((), "the file is not UTF-8 text", (raw.count(b"\n", 0, error.start) + 1, 1))
    except RecursionError:
        document.report((), "the file is nested too deeply", (1, 1))
    except _TooManyValues as error:
        what = f"the file holds more than {MOST_VALUES} values here: are there aliases of aliases?"
        document.report((), what, error.position)
    except yaml.YAMLError as error:
        position, what = syntax_error(text, error)
        document.report((), what, position)
    return document


class _TooManyValues(Exception):
    """More values than any file has that was written by a person."""

    def __init__(self, position: Position) -> None:
        super().__init__()
        self.position = position


class _Constructor:
    """Nodes to values, remembering where each stood."""

    def __init__(self, document: Document, folder: Path, env: Mapping[str, str]) -> None:
        self._document = document
        self._folder = folder
        self._env = env
        self._left = MOST_VALUES
        self._parents: set[int] = set()  # the collections around the node that is being read

    def construct(self, root: yaml.Node | None) -> None:
        data = self._value(root, ()) if root is not None else None
        if isinstance(data, dict):
            # a section whose lines are all commented out is none
            sections = {key: value for key, value in data.items() if not key.startswith("x-") and value is not None}
            self._document.data = sections
        elif data is not None:
            self._document.report((), "the file should be a mapping, with keys such as sources, sinks and routes")

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._document.values[path] = _position(node)
        self._left -= 1
        if self._left < 0:
            raise _TooManyValues(_position(node))
        if not node.tag.startswith(_OWN):
            self._document.reject(path, f"has a YAML tag, {_tag(node)}, which means nothing here")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._parents:
            self._document.reject(path, "is an alias of something that it is a part of")
            return None
        self._parents.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self._value(one, (*path, index)) for index, one in enumerate(node.value)]
        finally:
            self._parents.remove(id(node))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        text = self._expanded(node, path)
        if name := self._lookalike(shown(node.value)):
            what = f"is taken as it is: for a variable write ${{{name}}}, for a dollar $$"
            self._document.lookalikes[path] = what
        explicit = node.tag == TEXT_TAG and plain_scalar(node.value) is not node.value  # !!str 123
        return text if node.style or explicit else plain_scalar(text)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (position, value) in self._pairs(node, path).items():
            self._document.keys[(*path, name)] = position
            found[name] = self._value(value, (*path, name))
        may_be_files = (not path or path[0] in ("sources", "sinks", "admin")) and not _has_own_names(path)
        return self._with_files(found, path) if may_be_files else found

    def _pairs(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, tuple[Position, yaml.Node]]:
        """The mapping's own pairs, then those that `<<` brings and that it does not have itself."""
        pairs: dict[str, tuple[Position, yaml.Node]] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                at = _position(node if node.flow_style else key)  # `{{ x }}` begins with the mapping
                self._document.report(path, "a text that begins with { or [ should be in quotes", at)
            elif (name := self._expanded(key, path)) in pairs:
                what = f"stands here a second time, first in line {pairs[name][0][0]}"
                self._document.report((*path, name), what, _position(key))
            else:
                pairs[name] = _position(key), value
        for one in merged:
            if isinstance(one, yaml.MappingNode) and id(one) not in self._parents:
                for name, pair in self._pairs(one, path).items():
                    pairs.setdefault(name, pair)
            else:
                self._document.report(path, "<< should name a mapping", _position(one))
        return pairs

    def _expanded(self, node: yaml.ScalarNode, path: KeyPath) -> str:
        """The scalar's text, with the environment's values in the place of variables."""

        def value(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            named = _NAMED.fullmatch(match[1])
            if named is None or not match[0].endswith("}"):
                given = f"${{{_misnamed(match[1])}{'}' if match[0].endswith('}') else ''}"
                what = f"{given} is not a variable: write ${{NAME}} or ${{NAME:-default}}, and $$ for a dollar"
                self._document.reject(path, what)
                return ""
            name, default = named.groups()
            if name not in self._env and default is None:
                shown_name = redacted(name)
                what = (
                    f"the variable {shown_name} is not set: set it, or give a default as in ${{{shown_name}:-default}}"
                )
                self._document.reject(path, what)
            given = self._env.get(name) or default or ""
            if not _is_text(given):
                self._document.reject(path, f"the variable {redacted(name)} is not UTF-8 text")
                return ""
            return given

        return _VARIABLE.sub(value, shown(node.value))

    def _lookalike(self, text: str) -> str | None:
        """The variable that is likely meant; NAME where we cannot know that it is one, for it may be a secret."""
        for match in _LOOKALIKE.finditer(text):
            name: str = match[match.lastindex or 0]
            if name in self._env:
                return name
            if match[0] == text and name.isupper():
                return "NAME"
        return None

    def _with_files(self, found: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        """The mapping with each `x_file` replaced by `x`, read from there."""
        read: dict[str, Any] = {}
        for key, value in found.items():
            name = key.removesuffix("_file")
            if name == key or not name or not (path or name in ROOT_SECRETS):
                read.setdefault(key, value)
                continue
            self._document.values[(*path, name)] = self._document.values[(*path, key)]
            self._document.keys[(*path, name)] = self._document.keys[(*path, key)]
            if name in found:
                self._document.report((*path, name), f"stands here beside {key}: keep one of them")
            read[name] = self._file_contents(value, (*path, name))
        return read

    def _file_contents(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, list):
            return [self._file_contents(one, (*path, index)) for index, one in enumerate(value)]
        if not isinstance(value, str):
            self._document.reject(path, "should be the path of a file, or a list of them")
            return None
        file = self._folder / value
        shown_file = self._folder / redacted_path(value)  # whoever writes the secret itself there is told so, not it
        self._document.files.append(file)
        try:
            with file.open("rb") as opened:
                text = opened.read(FILE_LIMIT + 1).decode("utf-8-sig")
        except (OSError, ValueError) as error:
            undecodable = isinstance(error, UnicodeDecodeError)
            reason = "it is not UTF-8 text" if undecodable else getattr(error, "strerror", error)
            self._document.reject(path, f"cannot be read from {shown_file}: {reason}")
            return None
        if len(text) > FILE_LIMIT or not text.strip():
            self._document.reject(
                path, f"cannot be read from {shown_file}: it is {'too big' if text.strip() else 'empty'}"
            )
        return self._without_empty_lines(text, file, path)

    def _without_empty_lines(self, text: str, file: Path, path: KeyPath) -> str:
        """What an editor adds is taken off: empty lines before and behind. What else may not be meant stays."""
        kept = re.sub(r"\A(?:[ \t]*\r?\n)+|(?:\r?\n[ \t]*)+\Z", "", text)
        if "\n" in kept or "\r" in kept:
            self._document.doubts[path] = f"has more than one line in {file}, and all of them are taken: keep one"
        elif kept != kept.strip():
            self._document.doubts[path] = f"has a space at its beginning or end in {file}, which is taken too"
        return kept


def _has_own_names(path: KeyPath) -> bool:
    """Whether the keys there are names that people give: a source may be called `backup_file`, and so may an owner, or
    what a source's `data` makes of a body.
    """
    return path in (("sources",), ("sinks",), ("admin", "owners")) or (
        path[0:1] == ("sources",) and path[2:] == ("data",)
    )


def _is_text(value: str) -> bool:
    """Whether it can be written as UTF-8: what else the environment holds comes as halves of pairs."""
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _misnamed(text: str) -> str:
    """What stands in the place of a variable's name, where it was surely meant to be one."""
    return text if re.fullmatch(r"[A-Z0-9_ ]*", text) and may_be_repeated(text) else HIDDEN


def _tag(node: yaml.Node) -> str:
    """What it is called; nothing of one that stands behind a single !, for a password may begin so."""
    return f"!{HIDDEN}" if node.tag.startswith("!") else str(node.tag)


def _position(node: yaml.Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1
