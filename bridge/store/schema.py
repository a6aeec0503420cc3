"""The tables. A new store is made from them, an older one is brought to them by `migrations/`: a test holds both equal.
Those of links stand in `link_schema.py`.

Why the lane's indexes are partial: they hold what waits and nothing else, so claiming costs the same whether the
ledger keeps a thousand settled deliveries or ten million.
"""

from typing import Any

import sqlalchemy as sa

from bridge.store.columns import Id, Micros
from bridge.store.columns import metadata as metadata
from bridge.store.link_schema import closed as closed
from bridge.store.link_schema import link_tokens as link_tokens
from bridge.store.link_schema import links as links
from bridge.store.link_schema import moved as moved
from bridge.store.link_schema import proof_stops as proof_stops
from bridge.store.link_schema import proofs as proofs
from bridge.store.link_schema import unlinked as unlinked

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("panel", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("native_type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("occurred_at", Micros, nullable=False),
    sa.Column("received_at", Micros, nullable=False),
    sa.Column("data", sa.Text, nullable=False),  # JSON
    sa.Column("native", sa.Text, nullable=False),  # JSON, masked
    sa.Column("verdicts", sa.Text, nullable=False),  # JSON: what the table said, as far as it does not follow from it
    sa.Column("table_key", sa.String(16)),  # the table that was asked; of an older event, `verdicts` says all
    sa.Column("owner", sa.Text),  # data.owner; an older event has none, nor a realm
    sa.Column("realm", sa.Text),  # whose users it speaks of: its source's name, or that of several sources
    sa.Column("trace", sa.String(55)),  # the traceparent of its request, while traces are wanted
)

tables = sa.Table(
    "tables",
    metadata,
    sa.Column("key", sa.String(16), primary_key=True),  # of its rows
    sa.Column("rows", sa.Text, nullable=False),  # JSON
    sa.Column("used_at", Micros, nullable=False),  # when it was last asked, within a day
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),  # see queries/put.py
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("sink", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),  # what order is kept by, its key (index_key.py); the event has its subject whole
    sa.Column("row", sa.Text, nullable=False),
    sa.Column("template", sa.Text),
    sa.Column("terms", sa.Text),  # JSON
    sa.Column("instead", sa.Text),
    sa.Column("made_at", Micros, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("due_at", Micros),
    sa.Column("settled_at", Micros),
    sa.Column("reason", sa.Text),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("replay_of", Id),
    sa.Column("sealed", sa.Text),  # originals of what is masked, until it is settled
    sa.Column("cleared", sa.Text),  # how it was dealt with once it was settled: replayed, dismissed
    sa.Column("cleared_at", Micros),
    sa.Column("ref", sa.Text),  # of what was delivered: the service's own id of the message
    sa.Column("ms", sa.Integer),  # of what was tried: how long the last try took
    sa.Column("recipient", sa.Text),  # the key of whom it is for, where the sink has many addresses
    sa.Column("reminder", sa.Integer),  # which one it is of a trouble that lasts
)

attempts = sa.Table(  # one row for every try of a delivery, and for what else was decided of it
    "attempts",
    metadata,
    sa.Column("delivery_id", Id, primary_key=True, autoincrement=False),
    sa.Column("at", Micros, primary_key=True, autoincrement=False),  # when it began
    sa.Column("ms", sa.Integer),  # how long it took; null where nothing was sent
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("counts", sa.Boolean, nullable=False),  # whether it cost one of the attempts
    sa.Column("status", sa.Integer),
    sa.Column("reason", sa.Text),
    sa.Column("answer", sa.Text),
    sa.Column("ref", sa.Text),  # the service's own id of the message
    sa.Column("next_at", Micros),  # when it was to be tried again
    sa.Column("batch_id", Id),  # of a message that told several: the delivery whose row has the answer
    sa.Column("replica", sa.Text),
    sqlite_with_rowid=False,
)

tallies = sa.Table(  # what happened, counted in the commit that made it so: see queries/tallies.py
    "tallies",
    metadata,
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),  # seconds
    sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),  # seconds since 1970: where the step begins
    sa.Column("name", sa.Text, primary_key=True),  # its key
    sa.Column("detail", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("ms_sum", sa.BigInteger, nullable=False),
    sa.Column("ms_max", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

audit = sa.Table(  # what people changed
    "audit",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("at", Micros, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

mutes = sa.Table(  # what nobody is to be told of for a while
    "mutes",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("until", Micros, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Micros, nullable=False),
)

set_aside = sa.Table(
    "set_aside",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received_at", Micros, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("element", sa.Text, nullable=False),  # JSON, masked
)

lanes = sa.Table(
    "lanes",
    metadata,
    sa.Column("sink", sa.Text, primary_key=True),
    sa.Column("epoch", Micros, nullable=False),
    sa.Column("owner", sa.Text),  # the replica that carries it
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("since", Micros),
    sa.Column("until", Micros),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("spent", sa.Text, nullable=False),  # JSON: scope → micros
    sa.Column("learned", sa.Text, nullable=False),  # JSON: limits
)

threads = sa.Table(
    "threads",
    metadata,
    sa.Column("sink", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),  # its key
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("occurred_at", Micros, nullable=False),
    sa.Column("said_at", Micros, nullable=False),
)

fingerprints = sa.Table(
    "fingerprints",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("tries", sa.Integer),
    sa.Column("until", Micros, nullable=False),
)

directory = sa.Table(  # where recipients are reached, as the file says; several generations while it is changed
    "directory",
    metadata,
    sa.Column("generation", sa.String(16), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # of a recipient
    sa.Column("record", sa.Text, nullable=False),  # JSON
)

directory_chats = sa.Table(  # the users whom its records place in a private chat of Telegram
    "directory_chats",
    metadata,
    sa.Column("generation", sa.String(16), primary_key=True),
    sa.Column("chat", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # of a recipient
)

directories = sa.Table(  # one row: the generation that is in force
    "directories",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("generation", sa.String(16), nullable=False),
)

addresses = sa.Table(  # how those of many addresses stand that were spoken to
    "addresses",
    metadata,
    sa.Column("sender", sa.Text, primary_key=True),  # whoever spoke to it: a bot
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("reached_at", Micros),  # when it first took a message
    sa.Column("reason", sa.Text),  # why it takes none; null where it does
    sa.Column("since", Micros),
    sa.Column("until", Micros),  # when it is asked again
)

wishes = sa.Table(  # what recipients want; who has none wants what the file says
    "wishes",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # of a recipient
    sa.Column("stopped_at", Micros),  # when nothing was wanted any more
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Column("wants", sa.Text),  # JSON: categories, locale, zone, quiet, as far as they were spoken of
)

told = sa.Table(  # the last step of each kind that a customer was told of
    "told",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # of a recipient
    sa.Column("family", sa.Text, primary_key=True),
    sa.Column("cycle", sa.Text, nullable=False),
    sa.Column("rank", Micros, nullable=False),
    sa.Column("mark", Micros, nullable=False),
    sa.Column("at", Micros, nullable=False),  # when it was reached
)

announcements = sa.Table(  # what customers are told at the operator's word
    "announcements",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("at", Micros, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("sink", sa.Text, nullable=False),
    sa.Column("chosen", sa.Text, nullable=False),  # JSON: whom
    sa.Column("text", sa.Text, nullable=False),  # a template
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("critical", sa.Boolean, nullable=False),
    sa.Column("counted", sa.Integer, nullable=False),  # how many there were when it was made
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("cursor", sa.String(64), nullable=False),  # the hash of whom it was put for last; empty once all are
)

announced = sa.Table(  # the deliveries of announcements
    "announced",
    metadata,
    sa.Column("delivery_id", Id, primary_key=True, autoincrement=False),
    sa.Column("announcement", Id, nullable=False),
    sa.Column("begun_at", Micros),  # when it went to the socket; null again where it is to be tried again
)

erasures = sa.Table(  # one row, once somebody was forgotten
    "erasures",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),  # goes up in every commit that erases something
    sa.Column(
        "log_wanted", sa.BigInteger, nullable=False
    ),  # the version up to which nothing is to be left in a file's log
    sa.Column("log_emptied", sa.BigInteger, nullable=False),  # and up to which nothing is
)

changes = sa.Table(  # one row, once something has changed that lanes look up
    "changes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),  # goes up in every commit that changes some of it
)

replicas = sa.Table(
    "replicas",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seen_at", Micros, nullable=False),  # by the database's own clock
)

polled = sa.Table(  # what is asked of sources on a clock
    "polled",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("turn", Micros, nullable=False),  # how many were taken
    sa.Column("due_at", Micros, nullable=False),  # when the next one may be
    sa.Column("health", sa.Text, nullable=False),  # JSON
    sa.Column("state", sa.Text),  # JSON: what the next answer is compared with
)


def text_head(text: sa.ColumnElement[Any] | str) -> sa.ColumnElement[str]:
    """The beginning of a text that somebody else chose, by which it is found: an index takes none of any length."""
    whole = sa.literal(text) if isinstance(text, str) else text
    return sa.func.substr(whole, sa.literal_column("1"), sa.literal_column("200"))


def _index(name: str, *columns: sa.ColumnElement[Any], where: str | None = None) -> None:
    sa.Index(name, *columns, sqlite_where=None if where is None else sa.text(where))


# Pending is what is not settled and not due at any time, waiting is what is due. No index's condition follows from that
# of a query that is meant for another: what a planner cannot choose, it cannot choose wrongly.
_d = deliveries.c
_index("deliveries_pending", _d.sink, _d.id, where="settled_at IS NULL AND due_at IS NULL")
_index("deliveries_waiting", _d.sink, _d.due_at, _d.id, where="due_at IS NOT NULL")
# does an earlier one of this subject wait? Nothing else is in it: subjects fall anywhere, and an index of all that are
# pending would make every put slower, the longer the backlog is
_index("deliveries_blocking", _d.sink, _d.subject, _d.id, where="due_at IS NOT NULL")
_index("deliveries_collected", _d.sink, _d.row, _d.made_at, _d.id, where="due_at IS NOT NULL")
_index(
    "deliveries_filling",
    *(_d.sink, _d.row, _d.terms, _d.recipient, _d.id),
    where="due_at IS NOT NULL AND reason IS NULL",
)
_index("deliveries_termed", _d.sink, _d.id, where="settled_at IS NULL AND terms IS NOT NULL")
_index("deliveries_dead", _d.sink, _d.id, where="state = 'dead' AND cleared_at IS NULL")
_index("deliveries_event", _d.event_id)
# few are, and a person asks for them: what the planner cannot be told of a value, the index says
_index("deliveries_held", _d.id, where="state = 'held_back'")
_index("deliveries_cleared", _d.id, where="cleared_at IS NOT NULL")
# what a person looks through; that it has nothing of what waits keeps the lanes from it, and puts as cheap as they were
_index("deliveries_settled", _d.sink, _d.id, where="settled_at IS NOT NULL")
_index("events_subject", text_head(events.c.subject), events.c.id, where="subject IS NOT NULL")
_index("events_type", text_head(events.c.type), events.c.id)
_index("events_owner", events.c.realm, text_head(events.c.owner), events.c.id, where="owner IS NOT NULL")
# how much a customer was told since midnight
_index("deliveries_told", _d.recipient, _d.settled_at, where="recipient IS NOT NULL AND state = 'delivered'")
_index("announced_of", announced.c.announcement, announced.c.delivery_id)
_index("set_aside_received", set_aside.c.received_at)
_index("threads_said", threads.c.said_at)
_index("fingerprints_until", fingerprints.c.until)
