"""Look-ups: whom a claim is for, and the places where they are told, some statements for all of them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from bridge.people.wants import NOTHING_SAID, all_of, chat_scope
from bridge.store.addressees import Known, Place
from bridge.store.compiled import any_of, read_any
from bridge.store.moments import moment
from bridge.store.queries.addresses import states_of
from bridge.store.queries.directory import records_of
from bridge.store.queries.wishes import wishes_of
from bridge.store.schema import closed, links

_other = links.alias("other")
#: Whether a chat is that of others too.
_SEVERAL = sa.exists().where(
    _other.c.sender == links.c.sender, _other.c.chat == links.c.chat, _other.c.key != links.c.key
)


@cache
def links_among(many: int) -> sa.Select[Any]:
    """The chats that so many have shown to a bot."""
    found = sa.select(links.c.key, links.c.chat, _SEVERAL.label("several"))
    return found.where(links.c.sender == sa.bindparam("sender_"), any_of(links.c.key, many))


@cache
def closed_among(many: int) -> sa.Select[Any]:
    """Who of so many was deleted."""
    return sa.select(closed).where(any_of(closed.c.key, many))


def known(connection: sa.Connection, sender: str, keys: Sequence[str]) -> dict[str, Known]:
    """What is known of each of these recipients to that sender."""
    linked = {row.key: row for row in read_any(connection, links_among, keys, {"sender_": sender})}
    scopes = {key: [key] if key not in linked else [key, chat_scope(sender, linked[key].chat)] for key in keys}
    wishes = wishes_of(connection, [scope for some in scopes.values() for scope in some])
    ended = {row.key: moment(row.at) for row in read_any(connection, closed_among, keys)}
    records = records_of(connection, keys)
    return {
        key: Known(
            wants=all_of(wishes[scope].wants for scope in scopes[key] if scope in wishes),
            link=linked[key].chat if key in linked else None,
            closed_at=ended.get(key),
            several=key in linked and bool(linked[key].several),
            record=records.get(key),
        )
        for key in keys
    }


def places(connection: sa.Connection, sender: str, scopes: Mapping[str, str]) -> dict[str, Place]:
    """What is known of each of these places by that sender; by the scope of its wishes for each."""
    states = states_of(connection, sender, list(scopes))
    wishes = wishes_of(connection, list(scopes.values()))
    return {
        place: Place(states.get(place), wishes[scope].wants if scope in wishes else NOTHING_SAID)
        for place, scope in scopes.items()
    }
