"""A person who is to be forgotten: how they are told from others of that name, and from what only looks like it."""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from bridge.codec import dump
from bridge.event import Event
from bridge.originals import MASK
from bridge.people.recipient import Audience, named, recipient_key

#: What stands before a word in JSON, HTML and URLs, though it is a letter or a digit.
_ESCAPED = r"(?<=\\[nrtbf])|(?<=\\u[0-9a-fA-F]{4})|(?<=%[0-9A-Fa-f]{2})"


@dataclass(frozen=True)
class Person:
    """A user of one realm.

    sources  that speak of its users: an older event does not say of which realm it is
    places   where they are reached, as far as that is known without their events
    """

    realm: str
    name: str
    sources: frozenset[str] = frozenset()
    places: frozenset[str] = field(default=frozenset(), compare=False)

    @cached_property
    def key(self) -> str:
        """That of the recipient."""
        return recipient_key(self.realm, Audience.PERSON, self.name)

    @cached_property
    def subject(self) -> str:
        return f"{Audience.PERSON.kind}:{self.name}"

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """The name as it is written in texts, in JSON, in HTML and in URLs."""
        in_json = json.dumps(self.name)[1:-1], dump(self.name).decode()[1:-1]
        return tuple(dict.fromkeys((self.name, *in_json, html.escape(self.name), quote(self.name, safe=""))))

    @cached_property
    def _word(self) -> re.Pattern[str]:
        return re.compile(rf"(?:(?<!\w)|{_ESCAPED})(?:{'|'.join(map(re.escape, self.spellings))})(?!\w)")

    def is_of_realm(self, source: str, realm: str | None) -> bool:
        """Whether what a source says is about users of their realm; `realm` None where it was not kept."""
        return realm == self.realm if realm is not None else source in self.sources

    def is_whose(self, event: Event) -> bool:
        """Whether an event of their realm is about them."""
        return event.subject == self.subject or named(event, Audience.PERSON) == self.name

    def is_named_in(self, text: str | None) -> bool:
        """Whether a text has the name as a word of its own: alice is not in malice."""
        return text is not None and self._word.search(text) is not None

    def is_named_within(self, value: Any) -> bool:
        """Whether any text within a JSON value has the name."""
        return any(self.is_named_in(text) for text in texts_in(value))

    def masked(self, text: str) -> str:
        """The text without the name."""
        return self._word.sub(MASK, text)


def an_event_about(name: str) -> Event:
    """An event that says of a user no more than the name."""
    return Event(
        id="",
        source="",
        panel="",
        type="user.updated",
        native_type="",
        subject=f"{Audience.PERSON.kind}:{name}",
        occurred_at=datetime.fromtimestamp(0, UTC),
        received_at=datetime.fromtimestamp(0, UTC),
        data={"user": {"username": name}},
        native=None,
    )


def forgotten_key(key: str) -> str:
    """What is left of a key: nobody is told by it whose it was, but whoever knows the name finds it again."""
    return f"forgotten:{blake2b(key.encode(), digest_size=32, person=b'forgotten').hexdigest()}"


def is_forgotten_key(text: str) -> bool:
    """Whether a text is what is left of a key."""
    return re.fullmatch("forgotten:[0-9a-f]{64}", text) is not None


def texts_in(value: Any) -> Iterator[str]:
    """Every text within a JSON value, keys too."""
    left: list[Any] = [value]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case Mapping() as mapping:
                left += [*mapping.keys(), *mapping.values()]
            case list() | tuple() as several:
                left += several
            case _:
                pass


def has_text(value: Any, texts: Iterable[str]) -> bool:
    """Whether one of these is a text within a JSON value, whole."""
    return not set(texts).isdisjoint(texts_in(value))
