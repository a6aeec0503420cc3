"""What the store knows of those who are told: where they are reached, what they want, and what they said to a bot."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bridge.event import Event
from bridge.people.chat import BotAnswer, ChatUpdate
from bridge.people.wants import NOTHING_SAID, Wants
from bridge.polled import PollKey, PollResult, Turn
from bridge.store.standing import AddressState
from bridge.value import Value


class RecipientFacts(Value):
    """What is known of a recipient.

    record     what the directory says of them; None where it does not know them
    wants      what they said, and what was said in the chat that is theirs
    link       that chat: its id
    closed_at  when whoever was called so was deleted
    several    whether that chat is that of others too
    """

    wants: Wants = NOTHING_SAID
    link: str | None = None
    closed_at: datetime | None = None
    several: bool = False
    record: Mapping[str, Any] | None = None


class PlaceFacts(Value):
    """What is known of a place where people are told.

    state  how it stands as an address; None where it was never spoken to
    wants  what was said in that very chat, whoever is told there
    """

    state: AddressState | None = None
    wants: Wants = NOTHING_SAID


NOBODY = RecipientFacts()


class Addressees(Protocol):
    """What lanes and a bot ask of the store about whoever is told. Errors as the Outbox's."""

    async def keep_directory(self, generation: str, records: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Look recipients up in these records from now on; nothing is written where that is so already.

        `generation`: a hash of them, empty where there are none. Raise StoreUnavailable where another replica puts
        others in force meanwhile.
        """
        ...

    async def known(self, sender: str, keys: Sequence[str]) -> Mapping[str, RecipientFacts]:
        """What is known of each of these recipients, or of chats by their scopes, to that sender."""
        ...

    async def places(self, sender: str, scopes: Mapping[str, str]) -> Mapping[str, PlaceFacts]:
        """What is known of each of these places, by that sender; by the scope of its wishes for each."""
        ...

    async def keep_links(self, sender: str, hashes: Mapping[str, str], *, until: datetime) -> None:
        """Keep what links can be made with until then: hashes of tokens → keys of recipients."""
        ...

    async def last_turn(self, key: PollKey) -> Turn | None:
        """The turn that was taken last, as it left things; None where there was none."""
        ...

    async def told_since(self, key: str, since: datetime) -> int:
        """How many messages a recipient was delivered since then."""
        ...

    async def deleted_by(self, key: str, at: datetime) -> str | None:
        """The last event that came at that time and told of a customer's deletion; its id."""
        ...

    async def later_events(self, key: str, event_id: str) -> Sequence[Event]:
        """Some events about a customer after that one, the first ones, without what is native; none where there are
        none."""
        ...

    async def keep_heard(
        self, heard: Sequence[ChatUpdate], result: PollResult, *, now: datetime
    ) -> Sequence[BotAnswer] | None:
        """Keep what a turn has heard from a bot's people, and all that follows from it, in one commit: links, wishes,
        how addresses stand, and what is to be answered, which the turn's state holds as `answers`.

        None where the turn is over, for another one has begun: then nothing was kept.
        """
        ...

    async def address_state(self, sender: str, place: str) -> AddressState | None:
        """How an address stands to a sender; None where it was never spoken to."""
        ...

    def save_address_state(self, sender: str, place: str, state: AddressState) -> "asyncio.Future[None]":
        """Begin to record how an address stands."""
        ...

    def ask_again(self, sender: str) -> "asyncio.Future[int]":
        """Begin to let every address of a sender be asked again; how many took nothing."""
        ...
