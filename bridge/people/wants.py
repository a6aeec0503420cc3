"""What customers may choose: categories, language, hours. Kept as JSON, and only what they spoke of.

Off always wins: where a customer's chat says no and their record says yes, it is no.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Literal, get_args

from bridge.value import Value, field

Category = Literal["reminders", "status", "news"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
#: What takes the place of the directory's word on somebody.
OVERRIDING = ("locale", "zone", "quiet")


class Wants(Value):
    """What somebody wants; empty where they never said.

    stopped     whether they want to be told nothing at all
    categories  by name, those that they spoke of
    chosen      locale, zone, quiet hours
    """

    stopped: bool = False
    categories: Mapping[str, bool] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: "Wants") -> "Wants":
        """Both at once, where off wins; what `other` has chosen comes first."""
        names = {*self.categories, *other.categories}
        both = {name: self.categories.get(name, True) and other.categories.get(name, True) for name in names}
        return Wants(self.stopped or other.stopped, both, {**self.chosen, **other.chosen})

    def to_json(self) -> dict[str, Any]:
        """As it is kept, but for whether they want nothing at all."""
        return {**self.chosen, **({"categories": dict(self.categories)} if self.categories else {})}


NOTHING_SAID = Wants()


def wants_of(stored: Mapping[str, Any], *, stopped: bool) -> Wants:
    """What was kept. What a newer panelbridge knows beside is left out."""
    categories = stored.get("categories") or {}
    chosen = {name: stored[name] for name in OVERRIDING if isinstance(stored.get(name), str)}
    return Wants(stopped, {name: categories[name] for name in CATEGORIES if name in categories}, chosen)


def all_of(several: Iterable[Wants]) -> Wants:
    """What several say of the same customer."""
    whole = NOTHING_SAID
    for one in several:
        whole = whole | one
    return whole


#: What stands before the chat in the scope of its wishes.
CHAT = "/chat:"
#: How the scopes begin of who is told nothing in one chat, and is told elsewhere.
AWAY = "away:"


def chat_scope(sender: str, chat: object) -> str:
    """By what the wishes of a bot's chat are kept, beside recipients' keys. No realm is called like a sender."""
    return f"{sender}{CHAT}{chat}"


def away_scope(sender: str, chat: object, key: str) -> str:
    """By what it is kept that a recipient is told nothing in a bot's chat that is not theirs, by its own word; it has
    no name in it.
    """
    return f"{away_prefix(key)}{chat_scope(sender, chat)}"


def away_prefix(key: str) -> str:
    """How the scopes begin that say where a recipient is told nothing."""
    return f"{AWAY}{blake2b(key.encode(), digest_size=16, person=b'away').hexdigest()}:"


def mailbox_scope(place: str) -> str:
    """By what the wishes of a mailbox are kept, whoever writes to it: another mail server changes no wish."""
    return chat_scope("email", place)


def place_scope(sender: str, place: str, *, is_mailbox: bool) -> str:
    """By what the wishes of a place are kept where a sender tells people."""
    return mailbox_scope(place) if is_mailbox else chat_scope(sender, place)
