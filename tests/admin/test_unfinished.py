"""Announcements that whoever made their deliveries has left: the running bridge goes on, and each is told once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.admin.actions import BridgeControls
from bridge.admin.people import announcing
from bridge.admin.people.announcements import errand_of
from bridge.admin.people.announcing import counted, put_all
from bridge.admin.people.unfinished import NEWS, Unfinished
from bridge.errors import StoreUnavailable
from bridge.store import open_ledger
from bridge.store.queries.announcements import add_announcement, announcement_of, people_of, stop
from bridge.store.records import AnnouncementRecord, AnnouncementState
from bridge.value import replace
from tests.admin.crowd import ODD_KEY, a_crowd
from tests.admin.means import means_of
from tests.admin.running import Desk
from tests.fakes import START, FakeClock

EVERYBODY = sorted([ODD_KEY, *(f"berlin/user:{one}" for one in ("alice", "bob", "carol"))])
RECORD = AnnouncementRecord(
    at=START, by="mina", sink="dm", chosen=("all",), text="Soon", category="news", critical=False, counted=4
)


@pytest.fixture
async def desk(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with a_crowd(tmp_path, store_url, clock) as opened:
        yield opened


@pytest.fixture
def means(desk: Desk, store_url: str) -> BridgeControls:
    return means_of(desk.outbox, store=store_url)


@pytest.fixture
def watch(desk: Desk, means: BridgeControls) -> Unfinished:
    return Unfinished(means, lambda: desk.state, desk.clock)


def left(desk: Desk, store: str, monkeypatch: pytest.MonkeyPatch, *, commits: int, **more: object) -> int:
    """An announcement whose maker was killed after so many commits, of one delivery each; its id."""
    monkeypatch.setattr(announcing, "AT_ONCE", 1)
    with open_ledger(store) as ledger:
        record = replace(RECORD, at=desk.clock.now(), **more)  # type: ignore[arg-type]
        id_ = ledger.write(add_announcement, record)
        reached = counted(ledger, ("all",), desk.state.dry_run, "dm").reached
        steps = put_all(ledger, replace(record, id=id_), reached, desk.clock.now())
        for _ in range(commits):
            next(steps)
    return id_


def told(store: str, id_: int) -> tuple[AnnouncementState, list[str]]:
    with open_ledger(store) as ledger:
        record = ledger.read(announcement_of, id_)
        assert record is not None
        return record.state, sorted(one.key for one in ledger.read(people_of, id_, limit=None))


@pytest.mark.parametrize("commits", [0, 1, 3, 4])
async def test_what_stands_where_it_stood_is_gone_on_with_and_each_has_it_once(
    desk: Desk, watch: Unfinished, store_url: str, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    id_ = left(desk, store_url, monkeypatch, commits=commits)
    await watch.look()
    assert told(store_url, id_)[0] is AnnouncementState.PUTTING, "somebody may be making them"
    await watch.look()
    assert told(store_url, id_) == (AnnouncementState.PUT, EVERYBODY)
    await watch.look()
    await watch.look()
    assert told(store_url, id_) == (AnnouncementState.PUT, EVERYBODY)


async def test_two_replicas_make_each_of_them_once(
    desk: Desk, means: BridgeControls, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = left(desk, store_url, monkeypatch, commits=1)
    other = means_of(desk.outbox, store=store_url)
    both = [Unfinished(one, lambda: desk.state, desk.clock) for one in (means, other)]
    for _ in range(2):
        await asyncio.gather(*(one.look() for one in both))
    assert told(store_url, id_) == (AnnouncementState.PUT, EVERYBODY)


async def test_what_moves_is_somebodys(
    desk: Desk, watch: Unfinished, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = left(desk, store_url, monkeypatch, commits=0)
    with open_ledger(store_url) as ledger:
        record = ledger.read(announcement_of, id_)
        assert record is not None
        steps = put_all(ledger, record, counted(ledger, ("all",), desk.state.dry_run, "dm").reached, START)
        for number in range(3):
            await watch.look()
            next(steps)
            assert len(told(store_url, id_)[1]) == number + 1


async def test_what_this_bridge_makes_itself_it_does_not_begin_again(
    desk: Desk, means: BridgeControls, watch: Unfinished, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = left(desk, store_url, monkeypatch, commits=0)
    assert await means.errands.run(errand_of(id_), asyncio.Event().wait, within=0) is None
    for _ in range(3):
        await watch.look()
    assert told(store_url, id_) == (AnnouncementState.PUTTING, [])
    await means.errands.close()


async def test_what_was_stopped_waits_for_the_operators_word(
    desk: Desk, watch: Unfinished, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = left(desk, store_url, monkeypatch, commits=1)
    with open_ledger(store_url) as ledger:
        ledger.write(stop, id_, now=START)
    for _ in range(3):
        await watch.look()
    assert told(store_url, id_)[0] is AnnouncementState.STOPPED_PUTTING


@pytest.mark.parametrize(
    ("later", "state"),
    [(timedelta(seconds=-1), AnnouncementState.PUT), (timedelta(seconds=1), AnnouncementState.PUTTING)],
)
async def test_so_does_what_is_news_no_more(
    desk: Desk,
    watch: Unfinished,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    later: timedelta,
    state: AnnouncementState,
) -> None:
    id_ = left(desk, store_url, monkeypatch, commits=1)
    desk.clock.step((NEWS + later).total_seconds())
    for _ in range(2):
        await watch.look()
    assert told(store_url, id_)[0] is state


async def test_what_cannot_go_on_is_told_once_for_each_file(
    desk: Desk,
    means: BridgeControls,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    states = [desk.state]
    watch = Unfinished(means, lambda: states[-1], desk.clock)
    left(desk, store_url, monkeypatch, commits=0, sink="gone")
    with caplog.at_level(logging.WARNING, "bridge"):
        for _ in range(4):
            await watch.look()
        assert [one.msg for one in caplog.records] == ["admin.errand_failed"]
        states.append(replace(desk.state))
        for _ in range(2):
            await watch.look()
    assert [one.msg for one in caplog.records] == ["admin.errand_failed"] * 2


async def test_it_looks_again_after_a_store_that_is_away_and_ends_what_is_under_way(
    desk: Desk, means: BridgeControls, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = left(desk, store_url, monkeypatch, commits=2)
    away = [StoreUnavailable("store: away"), KeyError("a fault of ours")]

    async def operate(operation: object) -> object:
        if away:
            raise away.pop()
        return await desk.outbox.operate(operation)  # type: ignore[arg-type]

    watch = Unfinished(replace(means, operate=operate), lambda: desk.state, desk.clock)
    running = asyncio.create_task(watch.run())
    while told(store_url, id_)[0] is not AnnouncementState.PUT:
        assert not running.done()
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert told(store_url, id_) == (AnnouncementState.PUT, EVERYBODY)
