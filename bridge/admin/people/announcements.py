"""Announcements that were made: how far each is, who has it; and sending, stopping and resuming one.

Deliveries are made by whoever announces: a command, or an errand of the running bridge. Whatever ends it, `resume` goes
on where it was.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from bridge.admin.people.announcing import AnnouncementRecipient, counted, customers_sink, put_all
from bridge.admin.people.drafts import AnnouncementDraft, keep
from bridge.admin.people.shapes import AnnouncedFound, AnnouncedPerson, AnnouncementNow, AnnouncementOutcome, Changed
from bridge.admin.trials.dry_run import DryRun
from bridge.errors import BridgeError, StoreError, UnknownName
from bridge.people.announcement import UNCERTAIN as UNCERTAIN
from bridge.store.base import State
from bridge.store.ledger import Ledger
from bridge.store.queries.announcements import (
    STOPPED,
    announcement_of,
    go_on,
    newest_announcements,
    outcomes,
    people_of,
    retry,
    stop,
)
from bridge.store.records import AnnouncementRecord, AnnouncementState

if TYPE_CHECKING:
    from bridge.admin.actions import BridgeControls
    from bridge.admin.errands import Errands

SOON = 2.0  # seconds in which a few deliveries are made, so that whoever asks is told of all of them
WAITING = (State.PENDING, State.WAITING)


def errand_of(id_: int) -> str:
    """What making its deliveries is called."""
    return f"announcement {id_}"


def record_of(ledger: Ledger, id_: int) -> AnnouncementRecord:
    """The announcement of that id; raise UnknownName where there is none."""
    if (record := ledger.read(announcement_of, id_)) is None:
        raise UnknownName(f"announce: there is no announcement {id_}")
    return record


def announcement_now(ledger: Ledger, record: AnnouncementRecord, errands: "Errands | None" = None) -> AnnouncementNow:
    """How far it is."""
    found = [
        AnnouncementOutcome(state=state, reason=reason, people=n)
        for state, reason, n in ledger.read(outcomes, record.id)
    ]
    return AnnouncementNow(
        id=record.id,
        at=record.at,
        by=record.by,
        sink=record.sink,
        chosen=record.chosen,
        text=record.text,
        category=record.category,
        critical=record.critical,
        counted=record.counted,
        made=sum(one.people for one in found),
        settled=sum(one.people for one in found if one.state not in WAITING),
        delivered=sum(one.people for one in found if one.state is State.DELIVERED),
        state=record.state,
        going_on=errands is not None and errands.under_way(errand_of(record.id)),
        outcomes=tuple(found),
    )


def list_announcements(
    ledger: Ledger, errands: "Errands | None" = None, *, limit: int, before: int | None = None
) -> list[AnnouncementNow]:
    """The newest first, of those before an id."""
    found = ledger.read(newest_announcements, limit=limit, before=before)
    return [announcement_now(ledger, one, errands) for one in found]


def announced_people(
    ledger: Ledger, id_: int, *, limit: int, after: int = 0, states: Sequence[State] = (), uncertain: bool = False
) -> AnnouncedFound:
    """Who of them has it and who has not, in the order in which deliveries were made."""
    record_of(ledger, id_)
    found = ledger.read(people_of, id_, limit=limit + 1, after=after, states=states, uncertain=uncertain)
    items = tuple(map(AnnouncedPerson.model_validate, found[:limit]))
    return AnnouncedFound(items=items, next=items[-1].delivery if len(found) > limit else None)


def hold(ledger: Ledger, id_: int, *, now: datetime) -> Changed:
    """Make no more deliveries of it, and hold back what is not sent yet."""
    record_of(ledger, id_)
    return Changed(id=id_, deliveries=ledger.write(stop, id_, now=now))


def release(ledger: Ledger, ready: DryRun, id_: int, *, now: datetime) -> Changed:
    """What was held back waits again; deliveries that are missing still are made by `put_rest`. Raise BridgeError where
    the file has not its sink any more: then nothing has changed.
    """
    customers_sink(ready, record_of(ledger, id_).sink)
    return Changed(id=id_, deliveries=ledger.write(go_on, id_, now=now))


def retry_uncertain(ledger: Ledger, id_: int, only: Collection[int] = (), *, now: datetime) -> Changed:
    """Send it once more to those who may have got it, to all of them or in `only` these deliveries. Raise BridgeError
    where it is stopped, and where one of `only` is not uncertain: then nothing is sent.
    """
    if record_of(ledger, id_).state in STOPPED:
        raise BridgeError(f"announce: announcement {id_} is stopped: resume it first")
    if only:
        known = {one.delivery for one in ledger.read(people_of, id_, limit=None, uncertain=True)}
        if wrong := sorted(set(only) - known):
            raise BridgeError(f"announce: delivery {wrong[0]} is none of announcement {id_} that is uncertain")
    return Changed(id=id_, deliveries=ledger.write(retry, id_, only, now=now))


def put(ledger: Ledger, id_: int, reached: Sequence[AnnouncementRecipient], now: datetime) -> int:
    """Make the deliveries that are not made yet; how many."""
    return max(put_all(ledger, record_of(ledger, id_), reached, now), default=0)


def put_rest(ledger: Ledger, ready: DryRun, id_: int, now: datetime) -> int:
    """The same where it is not known any more who is meant."""
    record = record_of(ledger, id_)
    if record.state is not AnnouncementState.PUTTING:
        return 0
    customers_sink(ready, record.sink)
    found = counted(ledger, record.chosen, ready, record.sink)
    return put(ledger, id_, found.reached, now)


async def announce(means: "BridgeControls", drafted: AnnouncementDraft, *, by: str, now: datetime, again: bool) -> int:
    """Announce it, and make its deliveries, which may go on; its id. Raise BridgeError as `keep` does."""
    id_ = await means.operate(lambda ledger: keep(ledger, drafted, by=by, now=now, again=again))
    await _make(means, id_, lambda ledger: put(ledger, id_, drafted.found.reached, now))
    return id_


async def resume(means: "BridgeControls", ready: DryRun, id_: int, *, now: datetime) -> Changed:
    """Go on with it, where it was stopped, and where whoever made its deliveries was interrupted."""
    done = await means.operate(lambda ledger: release(ledger, ready, id_, now=now))
    await _make(means, id_, lambda ledger: put_rest(ledger, ready, id_, now))
    return done


async def _make(means: "BridgeControls", id_: int, work: Callable[[Ledger], int]) -> None:
    """Have its deliveries made. Where the store cannot now it is announced all the same: `unfinished.py` goes on."""
    errands = means.errands
    with suppress(StoreError):
        await errands.run(errand_of(id_), lambda: errands.on_ledger(work), within=SOON)
