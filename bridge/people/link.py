"""Links: how a customer shows that a chat is theirs. Pure but for the token, which is made by chance.

A token is given away once and kept nowhere: the store has its hash. Whoever has the token may bind one private chat,
once, until it is over.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bridge.event import Event
from bridge.message import Given
from bridge.people.recipient import Audience, named, recipient_key

TOKEN_BYTES = 16  # 128 bits
HOLDS = 7 * 86400.0  # seconds that a link can be used
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_CHAT = re.compile(r"[1-9][0-9]{0,15}")


def new_token() -> str:
    """A token that nobody guesses: 22 signs of `A-Za-z0-9_-`."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_token(text: str) -> bool:
    """Whether a text could be one at all."""
    return _TOKEN.fullmatch(text) is not None


def is_private_chat(text: str) -> bool:
    """Whether a text is the number of a chat with one person: those of groups are below 0."""
    return _CHAT.fullmatch(text) is not None


def hash_of(token: str) -> str:
    """What is kept of a token. 128 bits of chance need neither a salt nor a slow hash."""
    return sha256(token.encode()).hexdigest()


@dataclass(slots=True)
class LinkMaker:
    """Makes links while messages are rendered, for whom their events are about.

    sender   the bot
    address  what is opened, by the bot's name and a token
    realms   of the sources; a source that is not named is a realm of its own
    holds    seconds that a link can be used
    name     the bot's own, once anybody knows it; until then there are no links
    brands   those of the bots that brands have of their own
    whose    the brand whose customer an event is about
    """

    sender: str
    address: Callable[[str, str], str]
    realms: Mapping[str, str] = field(default_factory=dict)
    holds: float = HOLDS
    name: str | None = None
    brands: Mapping[str, "LinkMaker"] = field(default_factory=dict)
    whose: Callable[[Event], str | None] = lambda event: None

    def for_user(self, user: Any, event: Event, made: dict[str, Given]) -> str:
        """The link of the user that the event is about, by the name or the object that `data` has; else empty. It leads
        to the bot of whoever speaks to them.

        `made`: the keys of those that one message has links for → their tokens, each made once.
        """
        if (brand := self.brands.get(self.whose(event) or "")) is not None:
            return brand.for_user(user, event, made)
        name = user.get("username") if isinstance(user, Mapping) else user
        if self.name is None or not isinstance(name, str) or name != named(event, Audience.PERSON):
            return ""
        key = recipient_key(self.realms.get(event.source, event.source), Audience.PERSON, name)
        return self.address(self.name, made.setdefault(key, Given(new_token(), self.sender)).token)
