"""What people say to a customers' bot, and what it answers: values, of no service.

Whose something is follows from the chat that it was said in, and from nothing that is said there but a token or a
proof.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Any, ClassVar

from bridge.people.proof import Proof
from bridge.people.recipient import name_in
from bridge.value import Value, field


class ChatAction(StrEnum):
    """What somebody can say to the bot, or do to it."""

    START = "start"
    STOP = "stop"
    SETTINGS = "settings"
    PRESSED = "pressed"  # a button under an answer
    SHOWN = "shown"  # what only a customer has
    OTHER = "other"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"


class BotReply(StrEnum):
    """What the bot answers."""

    LINKED = "linked"
    EXPIRED = "expired"  # the one answer to every token that is not taken, so that nothing is learned of why
    HELLO = "hello"
    UNKNOWN = "unknown"  # what was shown is nobody's
    HAS_CHAT = "has_chat"  # what was shown is somebody's who has linked another chat
    NO_PROOF = "no_proof"  # what was shown is somebody's whom nothing links that is shown
    MOVED = "moved"  # to the chat that was the customer's before
    UNDONE = "undone"  # the link is that chat's again
    UNDONE_STOPPED = "undone_stopped"  # and it is told nothing still
    TOO_LATE = "too_late"  # the one answer to every button that undoes nothing
    UNLINKED = "unlinked"  # to a chat that is the customer's no more
    REVOKED = "revoked"  # to the chat that was linked by what shows nothing any more
    BACK = "back"
    STOPPED = "stopped"
    SETTINGS = "settings"


class ChatUpdate(Value, kw_only=True):
    """One thing that was said in a private chat.

    chat      its id, which is the address of whoever is there
    token     behind START, empty where there is none
    proofs    what was shown; they are secrets, and go no further than the bot
    hashes    what stands for them
    secret    the message that they stand in, which is to be deleted
    pressed   what the button stands for, as `news:off` or `locale:fa`
    language  of the program it was said with, empty where that is not told
    message   the one that the button is under
    press     what the service wants to be answered for a button
    silent    it is heeded and not answered
    """

    HIDDEN: ClassVar = frozenset({"proofs"})

    said: ChatAction
    chat: int
    token: str = ""
    proofs: tuple[Proof, ...] = ()
    hashes: tuple[str, ...] = ()
    secret: int | None = None
    pressed: str = ""
    language: str = ""
    message: int | None = None
    press: str = ""
    silent: bool = False


class ChatUpdates(Value):
    """What was heard at once. `after`: the number behind which the next is asked for; None where nothing was there."""

    heard: Sequence[ChatUpdate] = ()
    after: int | None = None


class BotAnswer(Value, kw_only=True):
    """One thing to be said in a chat; kept with what was heard until it is said.

    about    key of the customer that it is about; empty where it is about nobody
    persons  keys of the customers that its buttons are about
    locale   the language of whoever is there; empty for the file's
    wants    what they have said of categories, by their names
    message  the one that it takes the place of
    secret   the one that is deleted, for it holds a secret
    press    the button that it answers
    """

    told: BotReply
    chat: int
    about: str = ""
    locale: str = ""
    wants: Mapping[str, bool] = field(default_factory=dict)
    persons: Sequence[str] = ()
    message: int | None = None
    secret: int | None = None
    press: str = ""

    @property
    def name(self) -> str:
        """Of the customer that it is about."""
        return name_in(self.about)

    def to_json(self) -> dict[str, Any]:
        """As it is kept; what is not there is left out."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) or name == "chat"}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "BotAnswer":
        return cls(**{**stored, "told": BotReply(stored["told"])})


MOST_LEFT = 200  # answers that wait to be said, the newest


def with_left(state: Mapping[str, Any], answers: Sequence[BotAnswer]) -> list[Any]:
    """What is left to be said by a turn's state, and these behind it, as they are kept."""
    return [*state.get("answers", ()), *(one.to_json() for one in answers)][-MOST_LEFT:]


def is_left_about(state: Mapping[str, Any], key: str) -> bool:
    """Whether what is left to be said by a turn's state names that customer."""
    return any(key in (one.get("about"), *one.get("persons", ())) for one in state.get("answers", ()))


def without_about(state: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A turn's state in which nothing is left to be said about that customer, and no button is theirs."""
    left = [one for one in state.get("answers", ()) if one.get("about") != key]
    return {**state, "answers": [_without_person(one, key) for one in left]}


def _without_person(stored: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if key not in stored.get("persons", ()):
        return stored
    return {**stored, "persons": [one for one in stored["persons"] if one != key]}


class AnswerButton(Value):
    """A button under an answer; `data` comes back when it is pressed."""

    text: str
    data: str


#: What stands before `button_key` behind the buttons that are about one of a chat's customers.
UNDO, UNLINK = "undo", "unlink"


def button_key(key: str) -> str:
    """What stands for a recipient behind a button, where there is little room. It proves nothing: whose button it is,
    follows from the chat in which it is pressed.
    """
    return sha256(key.encode()).hexdigest()[:16]


class AnswerWords(Value):
    """An answer in words."""

    text: str
    buttons: Sequence[Sequence[AnswerButton]] = ()


class BotUnavailable(Exception):
    """Why a bot could not be asked.

    taken  whether somebody else reads what people write to it
    after  seconds that the service asks to wait
    """

    def __init__(self, reason: str, *, taken: bool = False, after: float | None = None) -> None:
        super().__init__(reason)
        self.taken = taken
        self.after = after
