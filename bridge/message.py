"""What a lane hands to a sink: the event, and the words found for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bridge.event import Event

#: Between the records of a block that is a list (ASCII record separator), and between the parts of a record
#: (unit separator). Event data cannot hold them: the escaping of every service drops control characters.
RECORD, UNIT = "\x1e", "\x1f"


@dataclass(frozen=True, slots=True)
class Look:
    """What a sink wants said.

    service  the folder under templates/, and whose escaping: "discord", "slack", "telegram"; "" for none
    blocks   the named blocks its message is made of
    inline   the operator's own little templates from the sink's settings, (block name, Jinja source); never escaped
    locale   the language, None for the file's
    """

    service: str = ""
    blocks: tuple[str, ...] = ()
    inline: tuple[tuple[str, str], ...] = ()
    locale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One event for one sink, ready to be built into a request.

    blocks    block name → rendered text, already escaped for the service
    at        when this attempt is made, aware UTC: what a signature is dated with
    template  the template that the row named, None for the default one
    """

    event: Event
    at: datetime
    blocks: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None

    def __getitem__(self, block: str) -> str:
        return self.blocks.get(block, "")


@dataclass(frozen=True, slots=True)
class Emission:
    """An event in a panel's own dialect: what goes on the wire, signed the way that panel signs."""

    headers: Mapping[str, str]
    body: bytes


class Dialect(Protocol):
    """How to speak like a panel, to a program that was written for its webhook."""

    def __call__(self, event: Event, *, secret: str | None, at: datetime) -> Emission: ...
