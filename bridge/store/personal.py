"""What the tables hold of a person: a rule for each table, or that it holds nothing of anybody. Pure.

A table that stands in neither fails a test: whoever adds one says here what becomes of it when somebody is forgotten.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bridge.codec import load
from bridge.mute import MuteKind
from bridge.people.chat import is_left_about
from bridge.people.person import Person, has_text
from bridge.people.wants import CHAT
from bridge.polled import Polling
from bridge.store.index_key import index_key
from bridge.store.rows import Row, event_of
from bridge.store.schema import (
    addresses,
    announced,
    announcements,
    attempts,
    audit,
    changes,
    closed,
    deliveries,
    directories,
    directory,
    directory_chats,
    erasures,
    events,
    fingerprints,
    lanes,
    link_tokens,
    links,
    moved,
    mutes,
    polled,
    proof_stops,
    proofs,
    replicas,
    set_aside,
    tables,
    tallies,
    threads,
    told,
    unlinked,
    wishes,
)
from bridge.vocabulary import OWN_SOURCE


class Relation(StrEnum):
    """What a row is to somebody who is to be forgotten."""

    THEIRS = "theirs"  # it is about them: erased
    WORDS = "words"  # it is about something else, and a text in it names them: the name is erased
    MENTION = "mention"  # what somebody else did or was told names them: erased where the operator says so
    BEYOND = "beyond"  # what the operator's file or a panel says, and says again: to be mended there


Rule = Callable[[Person, Row], Relation | None]

#: Columns of words, which go without the name; of `answer` all goes: it repeats what was said.
WORDS: Mapping[sa.Table, tuple[str, ...]] = {
    deliveries: ("reason", "answer", "note", "instead"),
    attempts: ("reason", "answer"),
    audit: ("who", "detail"),
    lanes: ("reason",),
    announcements: ("by", "chosen", "text"),
}
#: Tables that hold nothing of anybody: figures, and how the bridge itself stands.
NOBODYS = frozenset((tallies, directories, replicas, erasures, changes, announced))


def _event(person: Person, row: Row) -> Relation | None:
    is_of_realm = person.is_of_realm(row.source, row.realm)
    if row.source != OWN_SOURCE and not is_of_realm:
        return None
    event = event_of(row)
    if is_of_realm and person.is_whose(event):  # of its own the bridge has announcements in their realm
        return Relation.THEIRS
    is_named = person.is_named_in(event.subject) or person.is_named_within([event.data, event.native])
    return Relation.MENTION if is_named or person.is_named_in(row.verdicts) else None


def _delivery(person: Person, row: Row) -> Relation | None:
    return Relation.THEIRS if row.recipient == person.key else _words(deliveries)(person, row)


def _words(table: sa.Table) -> Rule:
    def rule(person: Person, row: Row) -> Relation | None:
        texts = (row._mapping[name] for name in WORDS[table])
        return Relation.WORDS if any(map(person.is_named_in, texts)) else None

    return rule


def _set_aside(person: Person, row: Row) -> Relation | None:
    if row.source not in person.sources:
        return None
    element = load(row.element)
    if has_text(element, (person.name, person.subject)):
        return Relation.THEIRS
    is_named = any(map(person.is_named_in, (row.path, row.reason))) or person.is_named_within(element)
    return Relation.MENTION if is_named else None


def _mute(person: Person, row: Row) -> Relation | None:
    if row.kind == MuteKind.SUBJECT.value and row.value == person.subject:
        return Relation.THEIRS
    return Relation.BEYOND if any(map(person.is_named_in, (row.value, row.by))) else None


def _thread(person: Person, row: Row) -> Relation | None:
    return Relation.THEIRS if row.subject in thread_keys(person) else None


def thread_keys(person: Person) -> tuple[str, str]:
    """By what is kept what was last said about them, to others and to themselves."""
    return index_key(person.subject), index_key(f"{person.key}>{person.subject}")


def _fingerprint(person: Person, row: Row) -> Relation | None:
    return Relation.THEIRS if person.is_named_in(row.key) else None


def _keyed(person: Person, row: Row) -> Relation | None:
    return Relation.THEIRS if row.key == person.key else None


def _directory(person: Person, row: Row) -> Relation | None:
    return _keyed(person, row) or (Relation.BEYOND if person.is_named_in(row.record) else None)


def _address(person: Person, row: Row) -> Relation | None:
    return Relation.THEIRS if row.place in person.places else None


def _polled(person: Person, row: Row) -> Relation | None:
    """A panel's answer, which comes again; of a bot what it has still to say, which names them."""
    if row.what == Polling.BOT.value:
        return Relation.WORDS if row.state is not None and is_left_about(load(row.state), person.key) else None
    return Relation.BEYOND if row.source in person.sources and person.is_named_in(row.state) else None


def _wish(person: Person, row: Row) -> Relation | None:
    """What they want; and what was said in a chat of theirs, which names nobody."""
    is_theirs = row.key == person.key or row.key.rpartition(CHAT)[2] in person.places
    return Relation.THEIRS if is_theirs else None


def _table(person: Person, row: Row) -> Relation | None:
    return Relation.BEYOND if person.is_named_in(row.rows) else None


#: What is asked of each row that may name them, in this order: what was said of an event goes with it.
RULES: Mapping[sa.Table, Rule] = {
    events: _event,
    deliveries: _delivery,
    attempts: _words(attempts),
    set_aside: _set_aside,
    threads: _thread,
    fingerprints: _fingerprint,
    mutes: _mute,
    told: _keyed,
    wishes: _wish,
    links: _keyed,
    link_tokens: _keyed,
    proofs: _keyed,
    unlinked: _keyed,
    moved: _keyed,
    proof_stops: _keyed,
    closed: _keyed,
    directory: _directory,
    directory_chats: _keyed,
    addresses: _address,
    audit: _words(audit),
    lanes: _words(lanes),
    announcements: _words(announcements),
    polled: _polled,
    tables: _table,
}


def may_name(connection: sa.Connection, table: sa.Table, person: Person) -> sa.ColumnElement[bool]:
    """Whether a row is worth being looked at: a text in it has the name, however it is written."""
    position = sa.func.instr if connection.dialect.name == "sqlite" else sa.func.strpos
    texts = [column for column in table.columns if isinstance(column.type, sa.Text)]
    found: list[sa.ColumnElement[bool]] = [
        position(sa.func.coalesce(column, ""), spelling, type_=sa.Integer) > 0
        for column in texts
        for spelling in person.spellings
    ]
    if table is threads:
        found.append(threads.c.subject.in_(thread_keys(person)))
    if table is addresses:
        found.append(addresses.c.place.in_(sorted(person.places)))
    if table is wishes:
        found += [wishes.c.key.endswith(f"{CHAT}{place}", autoescape=True) for place in sorted(person.places)]
    return sa.or_(*found)


def without_name(table: sa.Table, row: Row, person: Person) -> dict[str, Any]:
    """What the columns of words of a row hold once the name is gone, those that change."""
    found: dict[str, Any] = {}
    for name in WORDS[table]:
        text = row._mapping[name]
        if person.is_named_in(text):
            found[name] = None if name == "answer" else person.masked(text)
    return found
