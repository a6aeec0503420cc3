"""Saying for somebody what they want to be told, and whether anything; and giving them a link to show their chat."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from bridge.admin.people.customers import Customers
from bridge.admin.people.shapes import Freed, GivenLink, Revoked, Unlinked
from bridge.errors import BridgeError
from bridge.messages.catalog import LOCALES
from bridge.people.chat import BotUnavailable
from bridge.people.link import hash_of, new_token
from bridge.people.recipient import is_customer
from bridge.people.record import DirectoryRecord
from bridge.people.wants import CATEGORIES, OVERRIDING
from bridge.polled import Polling, PollKey
from bridge.settings import seconds_of
from bridge.sinks.ears import Ears
from bridge.sinks.http import Http, Unanswered
from bridge.store.ledger import Ledger
from bridge.store.queries import links
from bridge.store.queries.links import put_token, revoke_tokens
from bridge.store.queries.moves import allow_proofs
from bridge.store.queries.polled import last_turn
from bridge.store.queries.wishes import set_stopped, set_wants

OPERATOR = "operator"  # by whose word, as the store has it
ASKED = 15.0  # seconds for the bot's own name
SHORTEST, LONGEST = 60, 366 * 86400  # seconds that a link can be used

#: What somebody wants: a category by a bool, the rest by a text; None takes back what was said.
WishedChanges = Mapping[str, bool | str | None]


def checked(said: Mapping[str, Any]) -> WishedChanges:
    """The same; raise BridgeError where it is nothing that anybody can want."""
    for name, value in said.items():
        if value is None or name in CATEGORIES:
            continue
        if name == "locale" and value not in LOCALES:
            raise BridgeError(f"locale: should be {', '.join(LOCALES)}")
        try:
            DirectoryRecord.model_validate({name: value})
        except ValidationError as error:
            raise BridgeError(f"{name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    return said


def wished_changes(text: str) -> WishedChanges:
    """What `news=off` or `locale=fa` says; with no value it is taken back."""
    name, sign, value = text.partition("=")
    if not sign or name not in (*CATEGORIES, *OVERRIDING):
        known = ", ".join(f"{one}=…" for one in (*CATEGORIES, *OVERRIDING))
        raise BridgeError(f'"{text}" is nothing that they can want: there are stop, start, {known}')
    if name in CATEGORIES and value not in ("", "on", "off"):
        raise BridgeError(f"{name}: should be on or off")
    return checked({name: (value == "on" if name in CATEGORIES else value) if value else None})


def wish(ledger: Ledger, key: str, said: WishedChanges, *, now: datetime) -> None:
    """From now on they want that; it holds for what already waits."""
    ledger.write(set_wants, key, checked(said), by=OPERATOR, now=now)


def stop(ledger: Ledger, key: str, *, stopped: bool, now: datetime) -> None:
    """From now on they are told nothing, or are told again."""
    ledger.write(set_stopped, key, stop=stopped, by=OPERATOR, now=now)


def listening(customers: Customers, key: str, brand: str | None) -> Ears:
    """The bot that hears them, to whom that brand speaks, None for the file's own; raise BridgeError where none does,
    and where nobody can show it a chat of theirs.
    """
    if (ears := customers.ears_of(brand)) is None:
        raise BridgeError("link: no bot is heard: name the sink of one in people.bot")
    if not is_customer(key):
        raise BridgeError("link: only a customer has one: user:NAME")
    return ears


def bot_name(ledger: Ledger, ears: Ears) -> str | None:
    """The bot's own name as the bridge that listens has kept it; None where it has not yet."""
    turn = ledger.read(last_turn, PollKey(ears.sender, Polling.BOT))
    kept = None if turn is None or turn.state is None else turn.state.get("name")
    return kept if isinstance(kept, str) else None


async def asked_name(ears: Ears) -> str:
    """The same as the service says it now; raise BridgeError where it does not."""
    http = Http()
    try:
        return ears.name_in(await http.send(ears.name_question(), within=ASKED, proxy=ears.proxy))
    except (Unanswered, BotUnavailable) as error:
        raise BridgeError(f"link: the bot cannot be asked after its name: {error}") from None
    finally:
        await http.close()


def link_length(text: str | None, customers: Customers) -> timedelta:
    """How long `2d` is; what the file says where nothing is said."""
    if text is None:
        return timedelta(seconds=customers.holds)
    try:
        seconds = seconds_of(text)
    except ValueError as error:
        raise BridgeError(f"expire: {error}") from None
    if not SHORTEST <= seconds <= LONGEST:
        raise BridgeError("expire: should be between 1m and 366d")
    return timedelta(seconds=seconds)


def give_link(ledger: Ledger, ears: Ears, key: str, *, bot: str, until: datetime) -> GivenLink:
    """A new link for somebody: who opens it under that bot's name and presses Start is told there, and nowhere else."""
    token = new_token()
    ledger.write(put_token, hash_of(token), key, ears.sender, until=until)
    return GivenLink(key=key, link=ears.deep_link(bot, token), until=until)


def revoke_links(ledger: Ledger, key: str) -> Revoked:
    """What was given away, and not used, is void."""
    return Revoked(key=key, revoked=ledger.write(revoke_tokens, key))


def end_links(ledger: Ledger, key: str, *, now: datetime) -> Unlinked:
    """No chat is theirs any more, nor has one that their link was moved away from a right to it; each is told so by the
    bot. What was given away, and not used, makes a link still.
    """
    return Unlinked(key=key, unlinked=ledger.write(links.end_links, key, now=now))


def free_proofs(ledger: Ledger, key: str) -> Freed:
    """What they show links them again, after somebody had said that it was not them."""
    return Freed(key=key, freed=ledger.write(allow_proofs, key))
