"""The directory as YAML: `owners`, `users` and `nodes`, and below each of them records by their names.

It is read as a stream of what the parser comes upon, a record at a time: a tree of two hundred thousand of them would
take a gigabyte. So there are no aliases; and no variables, for what stands here is data.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, TextIO

import yaml

from bridge.errors import Position
from bridge.people.raw_record import KINDS, Say, Written
from bridge.yaml_scalars import LOADER, TEXT_TAG, plain_scalar

SECTIONS = {f"{kind}s": kind for kind in KINDS}

_UNREAD = object()  # in place of a value that is told, and left out


def records_of_yaml(stream: TextIO, say: Say) -> Iterator[Written]:
    """What stands in the file, record by record; told what is wrong with one is `say`, and it is left out."""
    try:
        yield from _RecordReader(yaml.parse(stream, Loader=LOADER), say).records()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        say((mark.line + 1, mark.column + 1) if mark else (1, 1), f"is no YAML: {error.problem}")
    except yaml.reader.ReaderError:
        say((1, 1), "is no YAML: it has a control character")


class _RecordReader:
    def __init__(self, events: Iterator[Any], say: Say) -> None:
        self._events = events
        self._say = say

    def records(self) -> Iterator[Written]:
        first: dict[str, int] = {}  # section → its line
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self._say(_position(event), "has a second document: leave out the line ---")
                    return
            elif isinstance(event, yaml.MappingStartEvent):
                yield from self._sections(first)
            elif isinstance(event, yaml.NodeEvent) and not self._is_nothing(event):
                self._say(_position(event), f"should be a mapping, with {', '.join(SECTIONS)}")

    def _sections(self, first: dict[str, int]) -> Iterator[Written]:
        for name, place, event in self._pairs():
            if name not in SECTIONS:
                meant = get_close_matches(name, SECTIONS, n=1)
                hint = f'did you mean "{meant[0]}"?' if meant else f"there are {', '.join(SECTIONS)}"
                self._say(place, f'is no kind: "{name[:40]}": {hint}')
                self._pass_over(event)
            elif name in first:
                self._say(place, f"{name}: stands here a second time, first in line {first[name]}")
                self._pass_over(event)
            elif isinstance(event, yaml.MappingStartEvent):
                first[name] = place[0]
                yield from self._records(SECTIONS[name])
            elif not self._is_nothing(event):
                self._say(_position(event), f"{name}: should be a mapping: a name, and what is known of it")

    def _records(self, kind: str) -> Iterator[Written]:
        for name, place, event in self._pairs():
            if isinstance(event, yaml.MappingStartEvent):
                yield self._record(kind, name, place)
            else:
                self._pass_over(event)
                what = f'{kind} "{name[:40]}": should be a mapping, as {{telegram: -1001234567890}}'
                self._say(_position(event), what)

    def _record(self, kind: str, name: str, place: Position) -> Written:
        """What is said of one whose name stands at `place`."""
        given: dict[str, Any] = {}
        places: dict[str, Position] = {}
        for key, key_place, event in self._pairs():
            value = self._value(event)
            if key in places:
                self._say(key_place, f'{kind} "{name}": {key}: stands here a second time')
            elif value not in (None, _UNREAD):
                given[key] = value
            places.setdefault(key, _position(event))
        return Written(kind, name, given, lambda key: places.get(key, place))

    def _pairs(self) -> Iterator[tuple[str, Position, Any]]:
        """The keys of a mapping that has begun, where each stands, and what its value begins with."""
        for key in self._events:
            if isinstance(key, yaml.MappingEndEvent):
                return
            if isinstance(key, yaml.ScalarEvent):
                yield key.value, _position(key), next(self._events)
            else:
                self._pass_over(key)
                self._say(_position(key), "a text that begins with { or [ should be in quotes")
                self._pass_over(next(self._events))

    def _value(self, event: Any) -> Any:
        """The value that begins so, None for none; _UNREAD for what is no text, number or truth, which is told."""
        if isinstance(event, yaml.CollectionStartEvent):
            self._say(_position(event), "should be a text or a number, and no list or mapping")
            self._pass_over(event)
            return _UNREAD
        if isinstance(event, yaml.AliasEvent):
            self._say(_position(event), f"is an alias, *{event.anchor}: write here what is meant, or put it in quotes")
            return _UNREAD
        if event.tag not in (None, TEXT_TAG):
            self._say(_position(event), f"has a YAML tag, {event.tag}, which means nothing here")
            return _UNREAD
        return event.value if event.style or event.tag == TEXT_TAG else plain_scalar(event.value)

    def _is_nothing(self, event: Any) -> bool:
        """Whether there is no value, as behind the name of a section whose lines are all remarks; else pass over it."""
        if isinstance(event, yaml.ScalarEvent) and not event.style:
            return plain_scalar(event.value) is None
        self._pass_over(event)
        return False

    def _pass_over(self, event: Any) -> None:
        """Read on to the end of what begins so."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = next(self._events)


def _position(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1
