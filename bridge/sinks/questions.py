"""What a sink has to be told by who sets it up, and where people find it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bridge.clock import Clock
from bridge.sinks.http import Http
from bridge.value import Value


class FoundValue(Value):
    """An answer that the service itself has given: the setting's value, and what people call it."""

    value: int
    name: str


class Finder(Protocol):
    """Has the service say the answer, given what is told already.

    Raise BridgeError where it cannot be asked.
    """

    async def __call__(
        self, told: Mapping[str, object], http: Http, clock: Clock, *, within: float
    ) -> Sequence[FoundValue]: ...


class SetupQuestion(Value):
    """A setting that a sink cannot be without, and what to say to who is asked for it.

    doing    what he does instead of typing, where `finder` finds the answer; `text` is asked where nothing is found
    """

    setting: str
    text: str
    doing: str = ""
    finder: Finder | None = None
