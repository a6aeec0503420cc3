"""Announcements: what was said to whom, how far that is, and what went to the socket.

Whoever changes one locks its row first, then its rows of `announced`, then deliveries: the commit that puts some of it,
the one that stops it, and the one by which one of them goes to the socket cannot miss each other. Before all of these
are the ids of deliveries, for who makes some, or has some wait that were settled: nobody replays them meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.codec import dump, load
from bridge.intake import Intake
from bridge.outcome import Again
from bridge.people.announcement import ANNOUNCEMENT_STOPPED, UNCERTAIN, is_announcement
from bridge.store.backend import backend_of
from bridge.store.base import Settlement, State
from bridge.store.chunks import CHUNK, chunks
from bridge.store.matching import is_about, is_of_owner
from bridge.store.moments import micros, moment, moment_or_none
from bridge.store.queries.put import put
from bridge.store.records import Announced, AnnouncementRecord, AnnouncementState
from bridge.store.schema import announced, announcements, deliveries, events

STOPPED = AnnouncementState.STOPPED_PUTTING, AnnouncementState.STOPPED
_THEIRS = announced.join(deliveries, deliveries.c.id == announced.c.delivery_id)


def add_announcement(connection: sa.Connection, record: AnnouncementRecord) -> int:
    """Keep one that nothing was put of yet; its id."""
    values = {
        "at": micros(record.at),
        "by": record.by,
        "sink": record.sink,
        "chosen": _chosen(record.chosen),
        "text": record.text,
        "category": record.category,
        "critical": record.critical,
        "counted": record.counted,
        "state": record.state.value,
        "cursor": record.cursor,
    }
    return int(connection.execute(announcements.insert().values(values).returning(announcements.c.id)).scalar_one())


def _chosen(chosen: Sequence[str]) -> str:
    return dump(list(chosen)).decode()


def announcement_of(connection: sa.Connection, id_: int) -> AnnouncementRecord | None:
    """The announcement of that id; None where there is none."""
    row = connection.execute(sa.select(announcements).where(announcements.c.id == id_)).one_or_none()
    return None if row is None else _record(row)


def newest_announcements(
    connection: sa.Connection, *, limit: int, before: int | None = None
) -> list[AnnouncementRecord]:
    """The newest first, of those before an id."""
    newest = sa.select(announcements).order_by(announcements.c.id.desc()).limit(limit)
    if before is not None:
        newest = newest.where(announcements.c.id < before)
    return [_record(row) for row in connection.execute(newest)]


def same_announcement(
    connection: sa.Connection, *, sink: str, chosen: Sequence[str], text: str, since: datetime
) -> int | None:
    """The newest of those after that time that told the same people the same by the same sink; None without one."""
    same = announcements.c.sink == sink, announcements.c.chosen == _chosen(chosen), announcements.c.text == text
    newest = sa.func.max(announcements.c.id)
    found = connection.execute(sa.select(newest).where(*same, announcements.c.at > micros(since))).scalar_one()
    return None if found is None else int(found)


def unfinished(connection: sa.Connection, *, since: datetime) -> dict[int, str]:
    """How far those are whose deliveries are not all made, of those that were announced since then."""
    putting = announcements.c.state == AnnouncementState.PUTTING.value, announcements.c.at > micros(since)
    found = sa.select(announcements.c.id, announcements.c.cursor).where(*putting).order_by(announcements.c.id)
    return {row.id: row.cursor for row in connection.execute(found)}


def put_some(connection: sa.Connection, id_: int, intakes: Sequence[Intake], *, before: str, after: str) -> bool:
    """Make the deliveries of the next ones in line, and keep that in the same commit; False where nothing was done.

    That is so where it was stopped, and where somebody else has put them: it is not at `before` any more.
    """
    backend_of(connection).lock_changes(connection)
    if not _move(connection, id_, before=before, after=after, state=AnnouncementState.PUTTING):
        return False
    put(connection, intakes)
    ids = [one.event.id for intake in intakes for one in intake.routed]
    for some in chunks(ids):
        made = sa.select(deliveries.c.id, sa.literal(id_)).where(deliveries.c.event_id.in_(some))
        connection.execute(announced.insert().from_select(["delivery_id", "announcement"], made))
    return True


def finish(connection: sa.Connection, id_: int, *, before: str) -> bool:
    """All of it is put."""
    return _move(connection, id_, before=before, after="", state=AnnouncementState.PUT)


def _move(connection: sa.Connection, id_: int, *, before: str, after: str, state: AnnouncementState) -> bool:
    here = announcements.c.id == id_, announcements.c.cursor == before
    putting = announcements.c.state == AnnouncementState.PUTTING.value
    move = sa.update(announcements).where(*here, putting).values(cursor=after, state=state.value)
    return connection.execute(move).rowcount > 0


def stop(connection: sa.Connection, id_: int, *, now: datetime) -> int:
    """Put nothing more of it, and hold back what is not on the socket; how many deliveries that was."""
    for running, stopped in zip((AnnouncementState.PUTTING, AnnouncementState.PUT), STOPPED, strict=True):
        here = announcements.c.id == id_, announcements.c.state == running.value
        connection.execute(sa.update(announcements).where(*here).values(state=stopped.value))
    waiting = announced.c.announcement == id_, announced.c.begun_at.is_(None)
    left = sa.select(announced.c.delivery_id).where(*waiting).order_by(announced.c.delivery_id).with_for_update()
    ids = list(connection.execute(left).scalars())
    settled = {
        "state": State.HELD_BACK.value,
        "settled_at": micros(now),
        "due_at": None,
        "reason": ANNOUNCEMENT_STOPPED,
    }
    return _change(connection, ids, deliveries.c.settled_at.is_(None), {**settled, "sealed": None})


def go_on(connection: sa.Connection, id_: int, *, now: datetime) -> int:
    """Take back that it was stopped; how many deliveries wait again.

    They are due, and not pending: a lane looks through what is pending upwards, and never back.
    """
    backend_of(connection).lock_changes(connection)
    for running, stopped in zip((AnnouncementState.PUTTING, AnnouncementState.PUT), STOPPED, strict=True):
        here = announcements.c.id == id_, announcements.c.state == stopped.value
        connection.execute(sa.update(announcements).where(*here).values(state=running.value))
    ids = list(connection.execute(sa.select(announced.c.delivery_id).where(announced.c.announcement == id_)).scalars())
    waiting = {"state": State.WAITING.value, "settled_at": None, "due_at": micros(now), "reason": None}
    was_stopped = sa.and_(
        deliveries.c.state == State.HELD_BACK.value,
        deliveries.c.reason == ANNOUNCEMENT_STOPPED,
        deliveries.c.cleared.is_(None),
    )
    return _change(connection, ids, was_stopped, waiting)


def retry(connection: sa.Connection, id_: int, only: Collection[int] = (), *, now: datetime) -> int:
    """Those who may have got it are told once more, all of them or `only` these deliveries; how many, none where it was
    stopped. What is at the socket at another kill is uncertain again, and whoever asks twice sends it once.
    """
    backend_of(connection).lock_changes(connection)
    running = announcements.c.id == id_, announcements.c.state.not_in([one.value for one in STOPPED])
    if connection.execute(sa.select(announcements.c.id).where(*running).with_for_update()).first() is None:
        return 0
    left = sa.select(announced.c.delivery_id).join(deliveries, deliveries.c.id == announced.c.delivery_id)
    left = left.where(announced.c.announcement == id_, is_uncertain()).order_by(announced.c.delivery_id)
    ids = [one for one in connection.execute(left).scalars() if not only or one in only]
    for some in chunks(ids):
        connection.execute(sa.update(announced).where(announced.c.delivery_id.in_(some)).values(begun_at=None))
    waiting = {"state": State.WAITING.value, "settled_at": None, "due_at": micros(now), "reason": None}
    return _change(connection, ids, is_uncertain(), waiting)


def is_uncertain() -> sa.ColumnElement[bool]:
    """Whether somebody may have got a delivery, and nobody has sent it again."""
    return sa.and_(
        deliveries.c.state == State.HELD_BACK.value, deliveries.c.reason == UNCERTAIN, deliveries.c.cleared.is_(None)
    )


def _change(
    connection: sa.Connection, ids: Sequence[int], where: sa.ColumnElement[bool], values: Mapping[str, Any]
) -> int:
    changed = 0
    for some in chunks(ids):
        change = sa.update(deliveries).where(deliveries.c.id.in_(some), where).values(values)
        changed += connection.execute(change).rowcount
    return changed


def begin(connection: sa.Connection, groups: Sequence[tuple[Sequence[int], datetime]]) -> list[Mapping[int, str]]:
    """Keep that these go to the socket; of each group those that may not, and why."""
    found: list[Mapping[int, str]] = []
    for ids, now in groups:
        mine = sa.select(announced.c.delivery_id, announced.c.begun_at).where(announced.c.delivery_id.in_(ids))
        rows = connection.execute(mine.order_by(announced.c.delivery_id).with_for_update()).all()
        gone = {row.delivery_id for row in rows if row.begun_at is not None}
        free = [row.delivery_id for row in rows if row.begun_at is None]
        settled = sa.select(deliveries.c.id).where(deliveries.c.id.in_(free), deliveries.c.settled_at.is_not(None))
        stopped = set(connection.execute(settled).scalars())
        left = sa.update(announced).where(announced.c.delivery_id.in_(set(free) - stopped))
        connection.execute(left.values(begun_at=micros(now)))
        found.append(dict.fromkeys(gone, UNCERTAIN) | dict.fromkeys(stopped, ANNOUNCEMENT_STOPPED))
    return found


def begun(connection: sa.Connection, ids: Sequence[int]) -> Set[int]:
    """Which of these went to the socket, and nobody knows what came of it."""
    mine = sa.select(announced.c.delivery_id).where(announced.c.delivery_id.in_(ids), announced.c.begun_at.is_not(None))
    return set(connection.execute(mine).scalars())


def forget_begun(connection: sa.Connection, settlements: Sequence[Settlement]) -> None:
    """What is to be tried again is on no socket any more."""
    again = [
        one.delivery.id for one in settlements if isinstance(one.fate, Again) and is_announcement(one.delivery.event)
    ]
    if again:
        connection.execute(sa.update(announced).where(announced.c.delivery_id.in_(again)).values(begun_at=None))


def outcomes(connection: sa.Connection, id_: int) -> list[tuple[State, str | None, int]]:
    """How many of its deliveries are in which state, and why."""
    columns = deliveries.c.state, deliveries.c.reason
    count = sa.select(*columns, sa.func.count()).select_from(_THEIRS).where(*_of_announcement(id_))
    found = connection.execute(count.group_by(*columns).order_by(sa.func.count().desc(), *columns))
    return [(State(state), reason, number) for state, reason, number in found]


def people_of(
    connection: sa.Connection,
    id_: int,
    *,
    limit: int | None,
    uncertain: bool = False,
    states: Sequence[State] = (),
    after: int = 0,
) -> list[Announced]:
    """Who of them was told and who was not, in the order in which it was put, behind a delivery's number; or those who
    are `uncertain`, or whose deliveries are in these states.
    """
    meant = [announced.c.delivery_id > after]
    if uncertain:
        meant.append(is_uncertain())
    if states:
        meant.append(deliveries.c.state.in_([one.value for one in states]))
    who = (
        sa.select(
            *(deliveries.c[name] for name in ("id", "recipient", "state", "reason", "settled_at")),
            is_uncertain().label("uncertain"),
        )
        .select_from(_THEIRS)
        .where(*_of_announcement(id_), *meant)
        .order_by(announced.c.delivery_id)
        .limit(limit)
    )
    return [
        Announced(delivery=row.id, key=row.recipient, state=State(row.state), reason=row.reason,
                  settled_at=moment_or_none(row.settled_at), uncertain=bool(row.uncertain))
        for row in connection.execute(who)
    ]  # fmt: skip


def _of_announcement(id_: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Its deliveries; of whoever was forgotten no more than a row may be left."""
    return announced.c.announcement == id_, deliveries.c.recipient.is_not(None)


def subjects_owned_by(connection: sa.Connection, realm: str, owner: str) -> set[str]:
    """The subjects of those whose last event that names an owner names this one."""
    mine = sa.select(events.c.subject).where(is_of_owner(realm, owner), events.c.subject.is_not(None)).distinct()
    theirs = mine.subquery("theirs")
    names = is_about(theirs.c.subject), events.c.realm == realm, events.c.owner.is_not(None)
    last = sa.select(events.c.owner).where(*names).order_by(events.c.id.desc()).limit(1).scalar_subquery()
    return set(connection.execute(sa.select(theirs.c.subject).where(last == owner)).scalars())


def delete_old(connection: sa.Connection, *, before: datetime) -> int:
    """Forget announcements that nothing is kept of any more, of before then; how many."""
    left = sa.exists().where(_in_store(announcements.c.id))
    old = sa.select(announcements.c.id).where(announcements.c.at < micros(before), ~left).limit(CHUNK)
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(sa.delete(announced).where(announced.c.announcement.in_(ids)))
        connection.execute(sa.delete(announcements).where(announcements.c.id.in_(ids)))
    return len(ids)


def _in_store(id_: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    there = sa.exists().where(deliveries.c.id == announced.c.delivery_id)
    return sa.and_(announced.c.announcement == id_, there)


def _record(row: sa.Row[Any]) -> AnnouncementRecord:
    return AnnouncementRecord(
        id=row.id,
        at=moment(row.at),
        by=row.by,
        sink=row.sink,
        chosen=tuple(load(row.chosen)),
        text=row.text,
        category=row.category,
        critical=bool(row.critical),
        counted=row.counted,
        state=AnnouncementState(row.state),
        cursor=row.cursor,
    )
