"""Look-ups: whom a claim is for, and the places where they are told, some statements for all of them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from bridge.people.record import private_chat_of
from bridge.people.wants import NOTHING_SAID, all_of, chat_scope
from bridge.store.addressees import PlaceFacts, RecipientFacts
from bridge.store.compiled import any_of, read_any
from bridge.store.moments import moment
from bridge.store.queries.addresses import states_of
from bridge.store.queries.directory import placed_among, records_of
from bridge.store.queries.wishes import wishes_of
from bridge.store.schema import closed, links


@cache
def links_among(many: int) -> sa.Select[Any]:
    """The chats that so many have shown to a bot."""
    found = sa.select(links.c.key, links.c.chat)
    return found.where(links.c.sender == sa.bindparam("sender_"), any_of(links.c.key, many))


@cache
def linked_among(many: int) -> sa.Select[Any]:
    """How many have shown a bot each of so many chats."""
    counted = sa.select(links.c.chat, sa.func.count().label("many"))
    here = links.c.sender == sa.bindparam("sender_"), any_of(links.c.chat, many)
    return counted.where(*here).group_by(links.c.chat)


@cache
def closed_among(many: int) -> sa.Select[Any]:
    """Who of so many was deleted."""
    return sa.select(closed).where(any_of(closed.c.key, many))


def known(connection: sa.Connection, sender: str, keys: Sequence[str]) -> dict[str, RecipientFacts]:
    """What is known of each of these recipients to that sender."""
    linked = {row.key: row.chat for row in read_any(connection, links_among, keys, {"sender_": sender})}
    scopes = {key: [key] if key not in linked else [key, chat_scope(sender, linked[key])] for key in keys}
    wishes = wishes_of(connection, [scope for some in scopes.values() for scope in some])
    ended = {row.key: moment(row.at) for row in read_any(connection, closed_among, keys)}
    records = records_of(connection, keys)
    chats = {key: chat for key in keys for chat in _chats(linked.get(key), records.get(key))}
    crowd = _crowd(connection, sender, sorted({*chats.values()}))
    return {
        key: RecipientFacts(
            wants=all_of(wishes[scope].wants for scope in scopes[key] if scope in wishes),
            link=linked.get(key),
            closed_at=ended.get(key),
            several=key in chats and crowd[chats[key]] > 1,
            record=records.get(key),
        )
        for key in keys
    }


def _chats(link: str | None, record: Mapping[str, Any] | None) -> Iterator[str]:
    """Where a recipient is told by that bot: in the chat that they have linked, else in the directory's."""
    if link is not None:
        yield link
    elif record is not None and (chat := private_chat_of(record)) is not None:
        yield chat


def _crowd(connection: sa.Connection, sender: str, chats: Sequence[str]) -> Mapping[str, int]:
    """How many are told in each of these chats by that bot."""
    counted: Counter[str] = Counter()
    for among in (linked_among, placed_among):
        counted.update({row.chat: row.many for row in read_any(connection, among, chats, {"sender_": sender})})
    return counted


def places(connection: sa.Connection, sender: str, scopes: Mapping[str, str]) -> dict[str, PlaceFacts]:
    """What is known of each of these places by that sender; by the scope of its wishes for each."""
    states = states_of(connection, sender, list(scopes))
    wishes = wishes_of(connection, list(scopes.values()))
    return {
        place: PlaceFacts(states.get(place), wishes[scope].wants if scope in wishes else NOTHING_SAID)
        for place, scope in scopes.items()
    }
