"""Two bridges that share a database are asked for the same at once."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.admin import operations
from bridge.admin.people.announcements import hold
from bridge.admin.people.announcing import AnnouncementAudience, AnnouncementRecipient, put_all
from bridge.admin.people.drafts import AnnouncementDraft, AnnouncementRequest, keep
from bridge.errors import BridgeError
from bridge.outcome import Done
from bridge.store import open_ledger, open_outbox
from bridge.store.ledger import InCommit, Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.people_file import Line, RowValues
from bridge.store.queries import people_file
from bridge.store.queries.announcements import go_on, newest_announcements, retry, stop
from bridge.store.queries.events import deliveries_of
from bridge.store.queries.people_file import import_people, people_rows
from bridge.store.queries.wishes import Wish, set_stopped, set_wants, wishes_of
from bridge.store.schema import wishes
from tests.fakes import START, an_event, an_intake
from tests.processes import PATIENCE
from tests.store.announcing import make_uncertain
from tests.store.boxes import claimed, settle
from tests.store.test_announcements import an_announcement, at, people

pytestmark = pytest.mark.process
KEY = "marzban/user:alice"
EVENT, TWO = an_event("user:alice"), people("alice", "bob")
LOCKED_OUT = "SELECT count(*) FROM pg_locks WHERE NOT granted"
Operation = Callable[[Ledger], Any]
Elsewhere = Callable[[str], Awaitable[Any]]  # at a store's URL


def at_a_replica(operation: Operation) -> Elsewhere:
    """An operation as another bridge does it."""

    async def operate(url: str) -> Any:
        async with open_outbox(url) as outbox:
            return await outbox.operate(operation)

    return operate


def by_itself(operation: Operation) -> Elsewhere:
    """The same as a command does it, or an errand: in a commit of its own."""

    def work(url: str) -> Any:
        with open_ledger(url) as ledger:
            return ledger.write(lambda connection: operation(InCommit(connection)))

    return lambda url: asyncio.to_thread(work, url)


class Pause:
    """Where the first of two is held up while the other one begins."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        self.over.wait()


async def both(
    url: str,
    one: Operation,
    other: Elsewhere,
    *,
    done: Callable[[Operation], Elsewhere] = at_a_replica,
    later: Operation = lambda ledger: None,
    pause: Pause | None = None,
) -> tuple[Any, Any]:
    """What comes of an operation that is `done` so, and of another one that begins before its commit.

    later  what the first one does then
    pause  where it is held up, by itself, if that is amid of it
    """
    halfway = pause or Pause()

    def held(ledger: Ledger) -> Any:
        try:
            result = one(ledger)
        finally:
            halfway.begun.set()
        halfway.over.wait()
        later(ledger)
        return result

    async with open_outbox(url) as here:
        first = asyncio.ensure_future(done(held)(url))
        try:
            await asyncio.to_thread(halfway.begun.wait)
            second = asyncio.ensure_future(other(url))
            async with asyncio.timeout(PATIENCE):
                while not second.done() and not await is_waited_for(here):
                    await asyncio.sleep(0.01)
        finally:
            halfway.over.set()
        found = await asyncio.gather(first, second, return_exceptions=True)
        return found[0], found[1]


async def is_waited_for(outbox: SqlOutbox) -> bool:
    """Whether anybody waits for a commit of somebody else's."""
    return bool(await outbox._read(lambda connection: connection.execute(sa.text(LOCKED_OUT)).scalar_one()))


async def settled_once(url: str) -> None:
    async with open_outbox(url) as outbox:
        await outbox.put(an_intake(EVENT))
        [delivery] = await claimed(outbox)
        await settle(outbox, delivery, Done())


@pytest.mark.parametrize(
    "again",
    [
        lambda ledger: operations.replay_one(ledger, 1, now=START),
        lambda ledger: operations.replay_last(ledger, EVENT.id, (), now=START),
        lambda ledger: operations.replay_ticked(ledger, EVENT.id, [1], now=START, once_more=True),
    ],
)
async def test_what_both_are_asked_to_send_again_is_sent_once(postgres_store_url: str, again: Operation) -> None:
    await settled_once(postgres_store_url)
    await both(postgres_store_url, again, at_a_replica(again))
    with open_ledger(postgres_store_url) as ledger:
        assert len(ledger.read(deliveries_of, [EVENT.id])[EVENT.id]) == 2


async def test_the_very_same_is_announced_by_one_of_them(postgres_store_url: str) -> None:
    drafted = AnnouncementDraft(
        AnnouncementRequest(("all",), "dm", "soon"),
        AnnouncementAudience([AnnouncementRecipient("marzban/user:alice")], 0),
        "en",
        {},
    )

    def announce(ledger: Ledger) -> int:
        return keep(ledger, drafted, by="ops", now=START)

    found = await both(postgres_store_url, announce, at_a_replica(announce))
    assert [type(one) for one in found] == [int, BridgeError]
    with open_ledger(postgres_store_url) as ledger:
        assert len(ledger.read(newest_announcements, limit=10)) == 1


@pytest.mark.parametrize("elsewhere", [at_a_replica, by_itself])
async def test_what_both_mute_is_muted_once_and_told_again_at_a_word(
    postgres_store_url: str, elsewhere: Callable[[Operation], Elsewhere]
) -> None:
    def mute(ledger: Ledger) -> object:
        return operations.mute(ledger, "user:alice", "2h", sinks=(), sources=(), by="ops", now=START)

    await both(postgres_store_url, mute, elsewhere(mute))
    with open_ledger(postgres_store_url) as ledger:
        operations.unmute(ledger, "user:alice", now=START)
        assert operations.mutes(ledger, now=START) == []


@pytest.mark.parametrize(
    ("leave", "waits_again"),
    [(lambda ledger, id_: ledger.write(stop, id_, now=START), go_on), (make_uncertain, retry)],
)
async def test_what_waits_again_here_is_sent_again_by_nobody_there(
    postgres_store_url: str, leave: Callable[[Ledger, int], object], waits_again: Callable[..., int]
) -> None:
    id_ = announced(postgres_store_url)
    with open_ledger(postgres_store_url) as ledger:
        leave(ledger, id_)
    waits, again = await both(
        postgres_store_url,
        lambda ledger: ledger.write(waits_again, id_, now=START),
        at_a_replica(lambda ledger: operations.replay_one(ledger, 1, now=START)),
        done=by_itself,
    )
    assert waits == 1
    assert isinstance(again, BridgeError)


async def test_one_is_stopped_while_its_deliveries_are_made(postgres_store_url: str) -> None:
    id_ = announced(postgres_store_url)
    with open_ledger(postgres_store_url) as ledger:
        record = at(ledger, id_)
    found = await both(
        postgres_store_url,
        lambda ledger: None,
        by_itself(lambda ledger: list(put_all(ledger, record, TWO, START))),
        later=lambda ledger: hold(ledger, id_, now=START),
    )
    assert found == (None, [])


async def test_what_somebody_is_said_to_want_here_and_there_is_all_wanted(postgres_store_url: str) -> None:
    def want(**said: object) -> Operation:
        return lambda ledger: ledger.write(set_wants, KEY, said, by="ops", now=START)

    await both(postgres_store_url, want(news=False), by_itself(want(locale="fa")))
    assert wanted(postgres_store_url).wants.to_json() == {"categories": {"news": False}, "locale": "fa"}


async def test_who_stops_while_a_file_is_imported_is_told_nothing(
    postgres_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_ledger(postgres_store_url) as ledger:
        ledger.write(set_wants, KEY, {"locale": "fa"}, by="ops", now=START)
        [line] = [one for one in ledger.read(lambda connection: [*people_rows(connection)]) if one.table is wishes]
    newer = Line(wishes, {**line.values, "wants": '{"locale":"ru"}', "at": line.values["at"] + 1})
    pause, merge = Pause(), people_file.MERGES[wishes]

    def merged(known: RowValues | None, said: RowValues) -> RowValues | None:
        pause()
        return merge(known, said)

    monkeypatch.setitem(people_file.MERGES, wishes, merged)
    await both(
        postgres_store_url,
        lambda ledger: ledger.write(import_people, [newer]),
        at_a_replica(lambda ledger: ledger.write(set_stopped, KEY, stop=True, by="themselves", now=START)),
        done=by_itself,
        pause=pause,
    )
    found = wanted(postgres_store_url)
    assert (found.stopped_at, found.wants.chosen) == (START, {"locale": "ru"})


def wanted(url: str) -> Wish:
    with open_ledger(url) as ledger:
        return ledger.read(wishes_of, [KEY])[KEY]


def announced(url: str) -> int:
    """An announcement of which some is put already."""
    with open_ledger(url) as ledger:
        record = an_announcement(ledger)
        next(put_all(ledger, record, TWO[:1], START))
    return record.id
