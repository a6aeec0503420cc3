"""A service whose people can write to us: how a bot is asked what they wrote, and how it answers them. All of it is
pure: requests and what responses mean.
"""

from collections.abc import Sequence
from typing import Protocol

from bridge.people.chat import AnswerWords, BotAnswer, ChatUpdates
from bridge.sinks.http import Request, Response


class Ears(Protocol):
    """One bot. What reads a response raises BotUnavailable where it says something else."""

    @property
    def sender(self) -> str:
        """As whom it speaks: what stands with its addresses, its links, and its turns."""
        ...

    @property
    def proxy(self) -> str | None: ...

    def name_question(self) -> Request:
        """What asks after its own name."""
        ...

    def name_in(self, response: Response) -> str:
        """The name that people find it by."""
        ...

    def deep_link(self, name: str, token: str) -> str:
        """What a customer opens to be offered Start with that token, under the bot's name."""
        ...

    def question(self, after: int | None, *, wait: int) -> Request:
        """What asks for all that came after that number, which confirms what came up to it; and waits so many seconds
        where there is nothing.
        """
        ...

    def hearing_in(self, response: Response) -> ChatUpdates:
        """What was heard; what is no private chat's is left out."""
        ...

    def requests(self, answer: BotAnswer, words: AnswerWords) -> Sequence[Request]:
        """What says an answer."""
        ...

    def wait_in(self, response: Response) -> float | None:
        """Seconds that the service asks to wait before it is told that again; None where it does not."""
        ...
