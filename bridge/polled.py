"""What asking on a clock is about: what a panel is asked, what it answered, what has changed, and whose turn it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from bridge.event import JsonObject
from bridge.value import Value, field

#: What is told of a source that is watched, or asked, as it is called here, and which type that is. No panel says it.
OF_WATCH = {"watch.lost": "node.connection_lost", "watch.restored": "node.connection_restored"}


class Polling(StrEnum):
    """Why something is asked of a source."""

    EVENTS = "events"  # its panel has no webhook: what has changed is what happened
    HEALTH = "health"  # whether it answers at all
    BOT = "bot"  # it is no source, but a bot: what people have written to it
    INBOX = "inbox"  # nor is this one: the letters that came back to it


class PollKey(Value):
    """What is asked in turns: one thing of one source."""

    source: str
    what: Polling


class PollRequest(Value):
    """A GET below a source's address. `optional`: a panel that does not know it can be asked the rest all the same."""

    HIDDEN: ClassVar = frozenset({"headers"})

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)  # they hold its token
    optional: bool = False


class PollResponse(Value):
    """What came back, whatever it says."""

    status: int
    body: bytes = b""


class Difference(Value):
    """What has changed between two looks: the state that the next one is compared with, and an element for each change.

    Elements are what a webhook of the panel would send, if it had one.
    """

    state: JsonObject
    elements: Sequence[Any] = ()


class SourceHealth(Value, kw_only=True):
    """How a source answers. All is well where it is not `failing_since` some time.

    failures  polls in a row that it did not answer as it should
    told      whether that it does not was told
    """

    failing_since: datetime | None = None
    reason: str | None = None
    failures: int = 0
    told: bool = False


class Turn(Value):
    """The right to ask once, and to keep once what came of it; nobody else has it.

    number  of the turns that were taken; with the next one this is over
    state   what was kept of the last answer; None where nothing was
    """

    key: PollKey
    number: int
    health: SourceHealth
    state: JsonObject | None = None


class PollResult(Value, kw_only=True):
    """What a turn has found.

    state   what is kept of the answer from now on; None: what is kept already
    due_at  when to ask again, where that is not at the next turn
    """

    turn: Turn
    health: SourceHealth
    state: JsonObject | None = None
    due_at: datetime | None = None
