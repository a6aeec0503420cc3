"""Polled: whose turn it is to ask a source, and what an answer is compared with.

Why turns, and no lock that is held while one asks: a turn is taken by whoever comes first and is over with the next
one, so a replica that dies, freezes or is cut off in the middle holds up nobody. What it has found is kept under the
number of its turn, or not at all.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bridge.codec import dump, load
from bridge.event import JsonObject, iso
from bridge.foreign import moment as time_of
from bridge.intake import Intake
from bridge.people.chat import is_left_about, without_about
from bridge.polled import Polling, PollKey, PollResult, SourceHealth, Turn
from bridge.store.base import PutResult
from bridge.store.moments import micros, moment
from bridge.store.queries.put import lock_next_id, put
from bridge.store.queries.tallies import CountedNames
from bridge.store.schema import polled

LONGEST_DELAY = 3600.0  # seconds beyond its interval that a turn may be put off

_ROW = (polled.c.source == sa.bindparam("source_"), polled.c.what == sa.bindparam("what_"))
_DUE_AT = sa.select(polled.c.due_at).where(*_ROW)
_TAKEN = sa.select(polled.c.turn, polled.c.health, polled.c.state).where(*_ROW)
_BEGIN = sa.text(
    "INSERT INTO polled (source, what, turn, due_at, health) VALUES (:source_, :what_, 0, 0, '{}')"
    " ON CONFLICT (source, what) DO NOTHING"
)
_TAKE = (
    sa.update(polled)
    .where(*_ROW, sa.or_(polled.c.due_at <= sa.bindparam("now_"), polled.c.due_at > sa.bindparam("latest_")))
    .values(turn=polled.c.turn + 1, due_at=sa.bindparam("next_"))
)


_HEARD = polled.c.what.in_((Polling.BOT.value, Polling.INBOX.value))
_END = sa.update(polled).where(_HEARD, polled.c.due_at > 0).values(due_at=0)


def seconds_until_due(connection: sa.Connection, key: PollKey, *, now: datetime, every: float) -> float:
    """How long it is until the next turn may be taken; 0.0 where it may be now."""
    due_at = connection.execute(_DUE_AT, _names(key)).scalar_one_or_none()
    if due_at is None or due_at > micros(_latest(now, every)):
        return 0.0
    return max(0.0, (moment(due_at) - now).total_seconds())


def last_turn(connection: sa.Connection, key: PollKey) -> Turn | None:
    """The turn that was taken last, as it left things; None where there was none."""
    row = connection.execute(_TAKEN, _names(key)).first()
    return None if row is None else _turn(key, row)


def take_turns(connection: sa.Connection, asked: Sequence[tuple[PollKey, datetime, float]]) -> list[Turn | None]:
    """The turn of each, where it can be had: its key, when it is asked for, and how long until the next one."""
    lock_next_id(connection)  # first of all, as whoever puts does: or two replicas would wait for each other
    return [_take(connection, key, now, every) for key, now, every in asked]


def end_turns(connection: sa.Connection) -> None:
    """Nobody else can be hearing a bot now, or reading an inbox: what a kill has cut off begins anew at once."""
    connection.execute(_END)


def put_polled(
    connection: sa.Connection, found: Sequence[tuple[Intake, PollResult]], *, names: CountedNames | None = None
) -> list[PutResult | None]:
    """Keep what turns have found and the events of each; None for one whose turn is over. `names`: as of `put`."""
    lock_next_id(connection)
    lasting = [keep_turn(connection, result) for _, result in found]
    kept = [intake for (intake, _), lasts in zip(found, lasting, strict=True) if lasts]
    results = iter(put(connection, kept, names=names))
    return [next(results) if lasts else None for lasts in lasting]


def leave_unsaid(connection: sa.Connection, row: Sequence[Any], about: str) -> bool:
    """Take what is left to be said about a customer from what is kept of a bot, by its key; whether there was any.

    Whoever has its turn holds it in memory: that turn is over, and what was heard in it is told again.
    """
    lock_next_id(connection)  # first of all, as whoever hears does
    source, what = row
    key = PollKey(source, Polling(what))
    turn = last_turn(connection, key)
    if turn is None or turn.state is None or not is_left_about(turn.state, about):
        return False
    values = {"turn": turn.number + 1, "due_at": 0, "state": dump(without_about(turn.state, about)).decode()}
    connection.execute(sa.update(polled).where(*_ROW).values(values), _names(key))
    return True


def forget_polled(connection: sa.Connection, sources: Sequence[str], before: datetime) -> int:
    """Delete what is kept of others than these sources that nobody has asked since then; how many rows went.

    A bot is no source, nor is an inbox, and its place in what people write is not forgotten.
    """
    gone = polled.c.due_at < micros(before), polled.c.source.not_in(sources), sa.not_(_HEARD)
    return connection.execute(sa.delete(polled).where(*gone)).rowcount


def _take(connection: sa.Connection, key: PollKey, now: datetime, every: float) -> Turn | None:
    connection.execute(_BEGIN, _names(key))
    next_ = now + timedelta(seconds=every)
    times = {"now_": micros(now), "latest_": micros(_latest(now, every)), "next_": micros(next_)}
    if not connection.execute(_TAKE, _names(key) | times).rowcount:
        return None
    return _turn(key, connection.execute(_TAKEN, _names(key)).one())


def keep_turn(connection: sa.Connection, result: PollResult) -> bool:
    """Keep what a turn has found, if it lasts: nobody else takes one before the commit."""
    values: JsonObject = {"health": dump(_health_json(result.health)).decode()}
    if result.state is not None:
        values["state"] = dump(result.state).decode()
    if result.due_at is not None:
        values["due_at"] = micros(result.due_at)
    statement = sa.update(polled).where(*_ROW, polled.c.turn == sa.bindparam("turn_")).values(values)
    return bool(connection.execute(statement, _names(result.turn.key) | {"turn_": result.turn.number}).rowcount)


def _latest(now: datetime, every: float) -> datetime:
    """The latest time that a turn can be put off to."""
    return now + timedelta(seconds=every + LONGEST_DELAY)


def _turn(key: PollKey, row: Any) -> Turn:
    return Turn(key, row.turn, _health(load(row.health)), None if row.state is None else load(row.state))


def _names(key: PollKey) -> JsonObject:
    return {"source_": key.source, "what_": key.what.value}


def _health_json(health: SourceHealth) -> JsonObject:
    if health.failing_since is None:
        return {}
    return {
        "failing_since": iso(health.failing_since),
        "reason": health.reason,
        "failures": health.failures,
        "told": health.told,
    }


def _health(stored: JsonObject) -> SourceHealth:
    return SourceHealth(**stored | {"failing_since": time_of(stored["failing_since"])}) if stored else SourceHealth()
