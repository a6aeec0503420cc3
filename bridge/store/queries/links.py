"""Links: whose chat is whose, and what was given away to make one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from bridge.people.wants import away_scope, chat_scope
from bridge.store.backend import backend_of
from bridge.store.compiled import read
from bridge.store.moments import micros, moment
from bridge.store.queries.changes import note_change
from bridge.store.queries.directory import placed_in
from bridge.store.queries.wishes import forget_away, wishes_of
from bridge.store.schema import addresses, closed, link_tokens, links, moved, proof_stops, proofs, unlinked, wishes
from bridge.value import Value

_CHAT = sa.select(links.c.chat).where(links.c.key == sa.bindparam("key_"), links.c.sender == sa.bindparam("sender_"))
_PUT_LINK = sa.text(
    "INSERT INTO links (key, sender, chat, how, at) VALUES (:key, :sender, :chat, :how, :at)"
    " ON CONFLICT (key, sender) DO UPDATE SET chat = excluded.chat, how = excluded.how, at = excluded.at"
)
_CLOSE = sa.text("INSERT INTO closed (key, at) VALUES (:key, :at) ON CONFLICT (key) DO UPDATE SET at = excluded.at")
_PUT_UNLINKED = sa.text(
    "INSERT INTO unlinked (sender, chat, key, at, why) VALUES (:sender, :chat, :key, :at, :why)"
    " ON CONFLICT (sender, chat, key) DO UPDATE SET at = excluded.at, why = excluded.why"
)
CHUNK = 500  # rows that are deleted at once
ENDED = "ended"  # why a link is no more, where the operator has ended it
TOLD = "told"  # and once its chat was told so, or has said so: what is left for an import that is older
PERSONS = 100  # of one chat that are looked for: a family has fewer


class UnlinkedChat(Value):
    """A chat that is to be told that it is somebody's no more. `revoked`: because what was shown is void."""

    chat: str
    key: str
    revoked: bool


class ChatLink(Value):
    """A chat that somebody has shown to a bot to be theirs. `how`: by a token, or by a proof."""

    sender: str
    chat: str
    how: str
    at: datetime


def link_of(connection: sa.Connection, sender: str, key: str) -> str | None:
    """The chat that a recipient has shown to be theirs."""
    return next((row.chat for row in read(connection, _CHAT, {"key_": key, "sender_": sender})), None)


def links_of(connection: sa.Connection, key: str) -> list[ChatLink]:
    """The links of a recipient, of every bot."""
    found = sa.select(links).where(links.c.key == key).order_by(links.c.sender)
    return [ChatLink(row.sender, row.chat, row.how, moment(row.at)) for row in connection.execute(found)]


def chats_of(connection: sa.Connection, key: str) -> list[str]:
    """The chats that are a recipient's, and nobody else's."""
    found = links_of(connection, key)
    return [one.chat for one in found if persons_of(connection, one.sender, one.chat) == [key]]


def linked_to(connection: sa.Connection, sender: str) -> dict[str, str]:
    """The chats that were shown to that bot, by the keys of those whose they are."""
    found = connection.execute(sa.select(links.c.key, links.c.chat).where(links.c.sender == sender))
    return {row.key: row.chat for row in found}


def count_linked(connection: sa.Connection) -> int:
    """How many have shown a bot where they are reached."""
    return connection.execute(sa.select(sa.func.count(links.c.key.distinct()))).scalar_one()


def persons_of(connection: sa.Connection, sender: str, chat: str) -> list[str]:
    """The keys of those whose chat it is."""
    found = sa.select(links.c.key).where(links.c.sender == sender, links.c.chat == chat)
    return list(connection.execute(found.order_by(links.c.key).limit(PERSONS)).scalars())


def put_link(connection: sa.Connection, key: str, sender: str, chat: str, *, how: str, now: datetime) -> None:
    """From this commit on that chat is theirs, and no other of that bot."""
    connection.execute(_PUT_LINK, {"key": key, "sender": sender, "chat": chat, "how": how, "at": micros(now)})
    connection.execute(sa.delete(wishes).where(wishes.c.key == away_scope(sender, chat, key)))
    note_change(connection)


def put_token(connection: sa.Connection, hash_: str, key: str, sender: str, *, until: datetime) -> None:
    """Keep what a link may be made with, until then."""
    values = {"hash": hash_, "key": key, "sender": sender, "until": micros(until)}
    connection.execute(link_tokens.insert().values(values))


def put_tokens(connection: sa.Connection, given: Sequence[tuple[str, Mapping[str, str], datetime]]) -> Sequence[None]:
    """Keep what links may be made with: for each sender hashes → keys of recipients, and until when."""
    for sender, hashes, until in given:
        for hash_, key in hashes.items():
            put_token(connection, hash_, key, sender, until=until)
    return [None] * len(given)


def use_token(connection: sa.Connection, hash_: str, sender: str, chat: str, *, now: datetime) -> str | None:
    """Whose chat this is by a token, which that uses up; None where it is none, of another bot, over, or used.

    The chat that has used it may show it again, as long as the link stands: its owner has pressed twice.
    """
    mine = link_tokens.c.hash == hash_, link_tokens.c.sender == sender
    free = link_tokens.c.used_by.is_(None), link_tokens.c.until > micros(now)
    taken = sa.update(link_tokens).where(*mine, *free).values(used_by=chat).returning(link_tokens.c.key)
    if (key := connection.execute(taken).scalar_one_or_none()) is not None:
        return str(key)
    used = sa.select(link_tokens.c.key).where(*mine, link_tokens.c.used_by == chat)
    key = connection.execute(used).scalar_one_or_none()
    return key if key is not None and link_of(connection, sender, key) == chat else None


def revoke_tokens(connection: sa.Connection, key: str) -> int:
    """What was given away to make links with, and was not used, makes none any more; how many there were."""
    unused = link_tokens.c.key == key, link_tokens.c.used_by.is_(None)
    return connection.execute(sa.delete(link_tokens).where(*unused)).rowcount


def unlink(connection: sa.Connection, key: str, at: datetime, *, how: str | None = None, why: str | None = None) -> int:
    """A recipient has no chat of theirs any more, none that was linked so, nor has one that was moved a right to it;
    who is there is to be told that. How many there were.
    """
    ended = _made(links, key, how)
    for row in connection.execute(sa.select(links).where(ended)).all():
        silent = wants_nothing(connection, key, row.sender, row.chat)
        if why == ENDED or not silent:
            note_ended(connection, key, row.sender, row.chat, at, why=TOLD if silent else why)
    connection.execute(sa.delete(moved).where(_made(moved, key, how)))
    note_change(connection)
    return connection.execute(sa.delete(links).where(ended)).rowcount


def note_ended(
    connection: sa.Connection, key: str, sender: str, chat: str, at: datetime, *, why: str | None = TOLD
) -> None:
    """Keep that a link was ended: its chat is to be told, unless `why` says that it was, and no import revives it."""
    values = {"sender": sender, "chat": chat, "key": key, "at": micros(at), "why": why}
    connection.execute(_PUT_UNLINKED, values)


def end_links(connection: sa.Connection, key: str, *, now: datetime) -> int:
    """The operator says that no chat is a recipient's any more; how many there were."""
    backend_of(connection).lock_changes(connection)  # as whoever hears does: or two would wait for each other
    return unlink(connection, key, now, why=ENDED)


def _made(table: sa.Table, key: str, how: str | None) -> sa.ColumnElement[bool]:
    """Those of a recipient that were linked so."""
    return table.c.key == key if how is None else sa.and_(table.c.key == key, table.c.how == how)


def take_unlinked(connection: sa.Connection, sender: str, *, most: int) -> list[UnlinkedChat]:
    """The chats of a bot that are to be told that they are somebody's no more; each once.

    Who is linked again, is told there by the directory, has stopped or blocked the bot meanwhile is not told.
    """
    is_closed = sa.func.coalesce(closed.c.at >= unlinked.c.at, sa.false()).label("is_closed")
    of_sender = unlinked.c.sender == sender, sa.func.coalesce(unlinked.c.why, "") != TOLD
    waiting = sa.select(unlinked, is_closed).outerjoin(closed, closed.c.key == unlinked.c.key).where(*of_sender)
    rows = connection.execute(waiting.order_by(unlinked.c.at, unlinked.c.key).limit(most)).all()
    for row in rows:
        done = unlinked.c.sender == sender, unlinked.c.chat == row.chat, unlinked.c.key == row.key
        if row.why == ENDED:
            connection.execute(sa.update(unlinked).where(*done).values(why=TOLD))
        else:
            connection.execute(sa.delete(unlinked).where(*done))
    return [
        UnlinkedChat(row.chat, row.key, row.why is None and not row.is_closed)
        for row in rows
        if link_of(connection, sender, row.key) != row.chat
        and row.key not in placed_in(connection, sender, row.chat, limit=PERSONS)
        and not wants_nothing(connection, row.key, sender, row.chat)
    ]


def wants_nothing(connection: sa.Connection, key: str, sender: str, chat: str) -> bool:
    """Whether who is in a chat is told nothing, or takes nothing."""
    blocked = addresses.c.sender == sender, addresses.c.place == chat, addresses.c.reason.is_not(None)
    wishes = wishes_of(connection, [key, chat_scope(sender, chat)]).values()
    return any(one.wants.stopped for one in wishes) or bool(connection.scalar(sa.select(sa.exists().where(*blocked))))


def close_links(connection: sa.Connection, key: str, at: datetime) -> None:
    """A recipient is no more: no link of theirs stands, none can be made, and what waits is told to nobody."""
    unlink(connection, key, at)
    forget_away(connection, key)
    for table in (link_tokens, proof_stops):
        connection.execute(sa.delete(table).where(table.c.key == key))
    connection.execute(_CLOSE, {"key": key, "at": micros(at)})
    note_change(connection)


def delete_over(connection: sa.Connection, *, before: datetime) -> int:
    """Forget some tokens that were over before then, used ones too, who was deleted before, what was void before, and
    chats that nobody could tell of it; how many.
    """
    deleted = 0
    for table, column in ((link_tokens, link_tokens.c.until), (closed, closed.c.at)):
        (key,) = table.primary_key
        old = sa.select(key).where(column < micros(before)).order_by(column).limit(CHUNK)
        deleted += connection.execute(sa.delete(table).where(key.in_(old))).rowcount
    void = sa.select(proofs.c.hash, proofs.c.key).where(proofs.c.void_at < micros(before)).order_by(proofs.c.void_at)
    of_void = sa.tuple_(proofs.c.hash, proofs.c.key).in_(void.limit(CHUNK))
    deleted += connection.execute(sa.delete(proofs).where(of_void)).rowcount
    return deleted + connection.execute(sa.delete(unlinked).where(unlinked.c.at < micros(before))).rowcount
