"""Where a message goes, where that follows from data: a sink's address settings as expressions over event and record.

An expression fills in what the file leaves open and nothing else. What comes out has to have the form that the setting
asks for; what has not is no address, and then there is no request.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bridge.event import Event
from bridge.expressions import FAULTS, Escape, attributes_in, compile_text
from bridge.people.recipient import Audience, name_in, named
from bridge.redaction import redacted
from bridge.value import Value

#: What an address's expression may speak of, beside a record.
EVENT = ("data", "type", "source", "panel")
SCOPE = (*EVENT, *Audience)
#: Keys of `data` that speak of no customer; the owner's makes the sink an owner's.
IMPERSONAL = frozenset(
    ("node", "system", "alert", "interface", "host", "group", "core", "template", "source", "config", "lane")
)


class Form(Value):
    """The form of a setting that comes out of data.

    pattern   what the whole text has to match
    says      how such a value looks, behind "should be"
    value     what the setting holds for that text; ValueError where it is none after all
    optional  nothing at all is the setting left out
    place     what limits and states are kept by, for the setting's text; empty where it is none of its own, as a topic
    escape    how the value of each expression is written where it stands, as a segment of a path; as it is if None
    linked    whether it is what a customer's link has: their chat
    """

    pattern: str
    says: str
    value: Callable[[str], Any] = str
    optional: bool = False
    place: Callable[[str], str] = str
    escape: Escape | None = None
    linked: bool = False

    def read(self, text: str) -> Any:
        """The value; None where an optional one is left out. ValueError where the text has not the form."""
        if self.optional and not text:
            return None
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"should be {self.says}" if text else "is empty")
        return self.value(text)


class Address(Value):
    """Where one message goes.

    place     what limits and states are kept by, the same for all messages that go there
    settings  the sink's address settings → what they are for it
    locale    the language of whoever reads there, None for the sink's own
    """

    place: str
    settings: Mapping[str, Any]
    locale: str | None = None


class NoAddress(Value):
    """There is none, and why."""

    reason: str


def nowhere(text: str) -> str:
    """Of a setting that is no place of its own."""
    return ""


def is_expression(value: Any) -> bool:
    """Whether a setting is written as an expression, as in `{{ owner.telegram }}`."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


class Addressing:
    """How a sink's address is found: its settings that are expressions, and how each has to look.

    default  whether the directory's default record is asked where there is no address
    """

    def __init__(self, written: Mapping[str, str], forms: Mapping[str, Form], *, default: bool = False) -> None:
        self.audience = audience_of(written)
        self.default = default
        self._forms = forms
        self._texts = {name: compile_text(text, forms[name].escape) for name, text in written.items()}
        spoken_of = {name for source in written.values() for name, _ in attributes_in(source)}
        self.needs_data = "data" in spoken_of
        self.needs_record = self.audience is not None and self.audience in spoken_of

    def resolve(
        self, event: Event, record: Mapping[str, Any] | None, *, recipient: str | None = None
    ) -> Address | NoAddress:
        """The address for an event, by the record of its recipient, None where there is none.

        With the recipient's key, of the event's data no more is asked than the expressions ask: it need not be there.
        """
        if self.audience is None:
            return self.of_record(event, {})
        if (name := name_in(recipient) if recipient is not None else named(event, self.audience)) is None:
            return NoAddress(f"no {self.audience.kind} in it")
        found = self.of_record(event, record or {})
        if isinstance(found, NoAddress) and record is None and self.needs_record:
            return NoAddress(f'no {self.audience.kind} "{name}" in the directory')
        return found

    def of_record(self, event: Event, record: Mapping[str, Any]) -> Address | NoAddress:
        """The address that a record gives."""
        names = {name: getattr(event, name) for name in EVENT}
        if self.audience is not None:
            names[self.audience] = record
        values, places = {}, []
        for name, text in self._texts.items():
            try:
                written = text(names).strip()
                values[name] = self._forms[name].read(written)
            except FAULTS as error:
                return NoAddress(f"{name} {error}")
            places.append(self._forms[name].place(written))
        return Address(" ".join(filter(None, places)), values, _locale(record))

    def of_link(self, chat: str, record: Mapping[str, Any]) -> Address | None:
        """The address of a chat that somebody has shown to be theirs; None where the service has no links, or no such
        chat.
        """
        name = next((name for name, form in self._forms.items() if form.linked), None)
        if name is None or self.audience is not Audience.PERSON:
            return None
        rest = dict.fromkeys(self._texts.keys() - {name})  # a topic is a group's: in a private chat there is none
        try:
            return Address(chat, {**rest, name: self._forms[name].read(chat)}, _locale(record))
        except ValueError:
            return None


def _locale(record: Mapping[str, Any]) -> str | None:
    locale = record.get("locale")
    return locale if isinstance(locale, str) else None


def audience_of(written: Mapping[str, str]) -> Audience | None:
    """Whose a sink is, which follows from what its addresses speak of; None where it is the operator's.

    What of `data` is not known to be about nobody is about a customer. Raise ValueError where an expression speaks of
    what is not there, or of several.
    """
    found = {one for source in written.values() for one in _audiences(source)}
    if len(found) > 1:
        first, second = sorted(found)
        raise ValueError(f'speaks of both "{first}" and "{second}": a sink is for one of them')
    return found.pop() if found else None


def _audiences(source: str) -> set[Audience]:
    found = set()
    for name, key in attributes_in(source):
        if name not in SCOPE:
            raise ValueError(f"speaks of {redacted(name)}, which is not there: there are {', '.join(SCOPE)}")
        if name == "data" and key is None:
            raise ValueError("speaks of data as a whole: name what of it is meant, as in data.node.name")
        if name in tuple(Audience):
            found.add(Audience(name))
        elif name == "data" and key == "owner":
            found.add(Audience.OWNER)
        elif name == "data" and key not in IMPERSONAL:
            found.add(Audience.PERSON)
    return found
