"""Proofs: by what customers can show whose chat it is, as hashes; and what ends when they are void."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.codec import load
from bridge.foreign import value_at
from bridge.people.link import is_private_chat
from bridge.store.chunks import chunks
from bridge.store.compiled import write
from bridge.store.matching import is_about
from bridge.store.moments import micros
from bridge.store.queries.directory import records_of
from bridge.store.queries.links import link_of, unlink
from bridge.store.queries.wishes import is_away
from bridge.store.schema import events, proofs

BY_PROOF = "proof"
MOST = 5  # of whom one thing is that is shown: a customer has fewer clients
_ADD = proofs.insert().values({name: sa.bindparam(name) for name in ("hash", "key")})


def put_proofs(connection: sa.Connection, proven: Mapping[str, Sequence[str]]) -> None:
    """From this commit on these hashes show whose chat it is, by the keys of recipients, and no earlier ones of theirs;
    but for those that were revoked.
    """
    known: dict[str, set[str]] = {key: set() for key in proven}
    void: dict[str, set[str]] = {key: set() for key in proven}
    for some in chunks(list(proven)):
        for row in connection.execute(sa.select(proofs).where(proofs.c.key.in_(some))):
            (known if row.void_at is None else void)[row.key].add(row.hash)
    for key, hashes in proven.items():
        wanted = set(hashes) - void[key]
        if gone := known[key] - wanted:
            connection.execute(sa.delete(proofs).where(proofs.c.key == key, proofs.c.hash.in_(gone)))
        if added := wanted - known[key]:
            write(connection, _ADD, [{"hash": one, "key": key} for one in sorted(added)])


def whose(connection: sa.Connection, hashes: Sequence[str]) -> list[str]:
    """The keys of those of whom one of these is."""
    found = sa.select(proofs.c.key).where(proofs.c.hash.in_(hashes), proofs.c.void_at.is_(None)).distinct()
    return list(connection.execute(found.order_by(proofs.c.key).limit(MOST)).scalars())


def chat_elsewhere(connection: sa.Connection, key: str, sender: str, chat: str) -> bool:
    """Whether another chat is known to be a recipient's: by a link, by the directory, or by the panel's last event of
    them. What may have been seen by others does not lead away from there.
    """
    if (linked := link_of(connection, sender, key)) is not None:
        return linked != chat
    others = (one for one in known_chats(connection, key) if one != chat)
    return any(not is_away(connection, key, sender, one) for one in others)


def known_chats(connection: sa.Connection, key: str) -> Iterator[str]:
    """The chats of Telegram that are a recipient's by the directory, and by the panel's last event of them."""
    record: Mapping[str, Any] = records_of(connection, [key]).get(key) or {}
    of_panel = value_at(last_data(connection, key), "user", "telegram_id")
    yield from filter(is_private_chat, (str(record.get("telegram")), str(of_panel)))


def last_data(connection: sa.Connection, key: str) -> Mapping[str, Any]:
    """What the panel's last event of a recipient says; nothing where there is none."""
    realm, _, subject = key.partition("/")
    theirs = is_about(subject), events.c.realm == realm
    last = sa.select(events.c.data).where(*theirs).order_by(events.c.id.desc()).limit(1)
    return next((load(data) for data in connection.execute(last).scalars()), {})


def void_proofs(connection: sa.Connection, key: str, at: datetime) -> None:
    """What could be shown of a recipient shows nothing any more, and will not again."""
    standing = proofs.c.key == key, proofs.c.void_at.is_(None)
    connection.execute(sa.update(proofs).where(*standing).values(void_at=micros(at)))


def revoke(connection: sa.Connection, key: str, at: datetime) -> None:
    """A subscription was revoked: what could be shown of it is void, and so is what was linked by that."""
    void_proofs(connection, key, at)
    unlink(connection, key, at, how=BY_PROOF)
