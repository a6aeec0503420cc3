"""What in the operator's templates nothing will ever ask for: folders, files, blocks and names that match nothing."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import TemplateError, meta, nodes

from bridge.chart import BLOCK as CHART
from bridge.event import Event
from bridge.markup.service import Service
from bridge.message import DigestTally
from bridge.messages.catalog import LOCALES
from bridge.messages.context import digest_variables, event_variables, reader
from bridge.messages.customer import ANNOUNCEMENTS, CUSTOMERS, SEVERAL, SIGNATURE, TOLD, WORDS
from bridge.messages.errors import TemplateMistake, read_source
from bridge.messages.sandbox import Sandbox
from bridge.value import Value
from bridge.vocabulary import TYPES

#: The templates that are no type's and no family's.
_OTHERS = ("base", "digest", "message")
_NAMES = frozenset((*TYPES, *(name.partition(".")[0] for name in TYPES), *_OTHERS))
_OTHER_ENDINGS = (".jinja", ".jinja2", ".txt", ".html", ".md", ".tmpl")
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_EVENT = Event(
    id="1",
    source="s",
    panel="p",
    type="user.created",
    native_type="n",
    subject="user:a",
    occurred_at=_AT,
    received_at=_AT,
    data={},
    native={},
)
_TALLY = DigestTally(kinds={"user.created": 1}, shown=1, first_at=_AT, last_at=_AT)


class _Parsed(Value):
    file: Path
    service: Service | None
    tree: nodes.Template
    names: frozenset[str]  # those that it speaks of and does not make itself
    known: frozenset[str]  # those that whoever calls it gives


class Unmatched:
    """What is found in one folder.

    `named` are the templates that rows name; `beginnings` what types may begin with that the vocabulary lacks, None
    where a source may give its types any name.
    """

    def __init__(self, folder: Path, services: Mapping[str, Service], sandboxes: Mapping[str | None, Sandbox]) -> None:
        self._folder = folder
        self._services = services
        self._parsed = [one for file in sorted(folder.rglob("*.j2")) if (one := self._parse(file, sandboxes))]
        trees = [one.tree for one in self._parsed]
        self._led_to = {name for tree in trees for name in meta.find_referenced_templates(tree) if name}
        self._nested = {name for tree in trees for name in _nested_blocks(tree)}
        self._assigned = {name for tree in trees for name in _assigned_names(tree)}

    def findings(self, named: Collection[str], beginnings: Collection[str] | None) -> Iterator[TemplateMistake]:
        yield from self._folders()
        for file in sorted(self._folder.rglob("*")):
            if file.suffix in _OTHER_ENDINGS and file.parent.name in self._services:
                yield TemplateMistake(file, 1, "is not read: a template's name ends in .j2")
        for one in self._parsed:
            if self._is_customers(one.file):
                yield from self._customers(one)
            elif self._is_announcement(one.file):
                yield from self._unasked(one, {*LOCALES, *self._nested})
            elif one.service is not None:
                yield from self._file(one, named, beginnings)
                yield from self._blocks(one, one.service)
            yield from self._variables(one)

    def _parse(self, file: Path, sandboxes: Mapping[str | None, Sandbox]) -> _Parsed | None:
        folder = file.relative_to(self._folder).parts[0]
        sandbox = sandboxes[folder if folder in self._services else None]
        try:
            tree = sandbox.parse(read_source(file))
            names = frozenset(meta.find_undeclared_variables(tree))
        except (OSError, ValueError, TemplateError, RecursionError):
            return None  # it is told as a mistake
        to_customers = self._is_customers(file) or self._is_announcement(file)
        known = frozenset(_given_to_customers(sandbox) if to_customers else _given(sandbox))
        times = frozenset(("start", "end")) if self._is_announcement(file) else frozenset()
        return _Parsed(file, self._services.get(folder), tree, names, known | times)

    def _is_customers(self, file: Path) -> bool:
        """Whether it says what customers are told, by one service or by all."""
        parts = file.relative_to(self._folder).parts
        return parts[0] == CUSTOMERS or (parts[0] in self._services and parts[1:2] == (CUSTOMERS,))

    def _is_announcement(self, file: Path) -> bool:
        return file.relative_to(self._folder).parts[0] == ANNOUNCEMENTS

    def _customers(self, one: _Parsed) -> Iterator[TemplateMistake]:
        """A file for each language; its blocks are types, and what a service has around their words."""
        if (locale := one.file.relative_to(self._folder).as_posix().partition(f"{CUSTOMERS}/")[2][:-3]) not in LOCALES:
            yield TemplateMistake(one.file, 1, f"no language is called {locale}{_meant(locale, LOCALES)}")
        around = set(one.service.blocks) - {WORDS} if one.service else set()
        known = {SEVERAL, SIGNATURE, *(type_.replace(".", "_") for type_ in TOLD), *around, *self._nested}
        yield from self._unasked(one, known)

    def _folders(self) -> Iterator[TemplateMistake]:
        strange = {one.file.relative_to(self._folder).parts[0] for one in self._parsed if one.service is None}
        strange -= {CUSTOMERS, ANNOUNCEMENTS}
        for name in sorted(strange):
            files = [one.file for one in self._parsed if one.file.relative_to(self._folder).parts[0] == name]
            if any(file.relative_to(self._folder).as_posix() in self._led_to for file in files):
                continue
            if (self._folder / name).is_dir():
                text = f"no service is called {name}{_meant(name, self._services)}"
                yield TemplateMistake(self._folder / name, 1, text)
            else:
                text = f"stands in no service's folder: there are {', '.join(sorted(self._services))}"
                yield TemplateMistake(self._folder / name, 1, text)

    def _file(
        self, one: _Parsed, named: Collection[str], beginnings: Collection[str] | None
    ) -> Iterator[TemplateMistake]:
        inside = one.file.relative_to(self._folder)
        name = "/".join(inside.parts[1:]).removesuffix(".j2")
        known = name in _NAMES or name in named or inside.as_posix() in self._led_to
        if known or (beginnings is not None and name.partition(".")[0] in beginnings):
            return
        if beginnings is not None or get_close_matches(name, _NAMES, n=1, cutoff=0.85):
            text = f"no event has the type {name}, and no row names it{_meant(name, _NAMES)}"
            yield TemplateMistake(one.file, 1, text)

    def _blocks(self, one: _Parsed, service: Service) -> Iterator[TemplateMistake]:
        if one.file.relative_to(self._folder).as_posix() in self._led_to:
            return  # its blocks are for those that build on it
        beside = {"remarks", CHART} if service.pictures else {"remarks"}
        yield from self._unasked(one, {*service.blocks, *service.digest_blocks, *beside, *self._nested})

    def _unasked(self, one: _Parsed, known: set[str]) -> Iterator[TemplateMistake]:
        for block in one.tree.find_all(nodes.Block):
            if block.name not in known:
                text = f"nothing asks for a block called {block.name}{_meant(block.name, known)}"
                yield TemplateMistake(one.file, block.lineno, text)

    def _variables(self, one: _Parsed) -> Iterator[TemplateMistake]:
        known = one.known | self._assigned
        for name in sorted(one.names - known):
            line = next((node.lineno for node in one.tree.find_all(nodes.Name) if node.name == name), 1)
            yield TemplateMistake(one.file, line, f"nothing is called {name}{_meant(name, known)}")


def _meant(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f": did you mean {close[0]}?" if close else ""


def _nested_blocks(tree: nodes.Template) -> Iterator[str]:
    """The blocks that stand inside of others: they are asked for by those."""
    for outer in tree.find_all(nodes.Block):
        yield from (block.name for node in outer.body for block in node.find_all(nodes.Block))
        yield from (node.name for node in outer.body if isinstance(node, nodes.Block))


def _assigned_names(tree: nodes.Template) -> Iterator[str]:
    """What a template sets itself, wherever: what stands at its top is known in its blocks."""
    yield from (node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param"))
    yield from (node.name for node in tree.find_all(nodes.Macro))
    yield from (node.target for node in tree.find_all(nodes.Import))
    for imported in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in imported.names)


def _given_to_customers(sandbox: Sandbox) -> Iterator[str]:
    """What a customer's template has: `me`, `brand`, words of ours, and Jinja's own."""
    yield from ("me", "brand", "self", "super", "loop", "caller", "varargs", "kwargs", *sandbox.globals)


def _given(sandbox: Sandbox) -> Iterator[str]:
    """What a template has without making it: of an event, of a digest, functions, and Jinja's own words."""
    yield from ("self", "super", "loop", "caller", "varargs", "kwargs", *sandbox.globals)
    to = reader("en", ZoneInfo("UTC"))
    yield from event_variables(_EVENT, to)
    yield from digest_variables(_TALLY, to, sandbox.formats)
