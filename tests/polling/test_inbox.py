"""Inboxes, over a real store: what comes back is kept once, by one of several replicas, and nothing is skipped."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import pytest

from bridge.app import _keep_bounced
from bridge.delivery.decision import obstacle
from bridge.event import JsonObject
from bridge.polled import Polling, PollKey, SourceHealth, Turn
from bridge.polling.inbox import EVERY, OLDEST, Inboxes
from bridge.sinks.inbox import Bounce, InboxResult, InboxUnreadable
from bridge.store import open_outbox
from bridge.store.base import ASKED_AGAIN, AddressState
from bridge.store.outbox import SqlOutbox
from tests.fakes import START, FakeClock

SENDER, BOB, ALICE = "email 0123456789abcdef", "0123456789abcdef", "fedcba9876543210"


@dataclass
class Folder:
    """An inbox in memory: a place for each report, empty for what is none. `fault`: why it cannot be read."""

    reports: list[str] = field(default_factory=list)
    fault: str | None = None
    most: int = 100
    read: list[int] = field(default_factory=list)
    looks: int = 0
    since: datetime | None = None
    key: str = "inbox 0 of email"
    name: str = "INBOX at imap.example.com"
    sender: str = SENDER

    async def look(self, state: JsonObject | None, *, since: datetime, within: float) -> InboxResult:
        self.looks, self.since = self.looks + 1, since
        if self.fault is not None:
            raise InboxUnreadable(self.fault)
        after = (state or {}).get("number", 0)
        looked = list(enumerate(self.reports, 1))[after : after + self.most]
        found = [Bounce(place, f"came back: {number}", number) for number, place in looked if place]
        return InboxResult({"number": after + len(looked)}, found, more=after + len(looked) < len(self.reports))

    async def set_read(self, numbers: Sequence[int], *, within: float) -> None:
        if self.fault is not None:
            raise InboxUnreadable(self.fault)
        self.read += numbers


@pytest.fixture
async def outbox(any_store_url: str) -> AsyncIterator[SqlOutbox]:
    async with open_outbox(any_store_url) as opened:
        yield opened


def replica(outbox: SqlOutbox, clock: FakeClock) -> Inboxes:
    return Inboxes(outbox, clock, partial(_keep_bounced, outbox))


async def turn_of(outbox: SqlOutbox, folder: Folder) -> Turn | None:
    return await outbox.last_turn(PollKey(folder.key, Polling.INBOX))


async def test_a_mailbox_whose_letter_came_back_is_asked_no_more_for_a_day(outbox: SqlOutbox) -> None:
    folder, clock = Folder([BOB, ""]), FakeClock()
    await outbox.save_address_state(SENDER, BOB, AddressState(START))
    await replica(outbox, clock).step(folder)
    state = await outbox.address_state(SENDER, BOB)
    assert obstacle(state, clock.now()) == "came back: 1"
    assert obstacle(await outbox.address_state(SENDER, ALICE), clock.now()) is None
    assert state == AddressState(START, "came back: 1", START, START + timedelta(seconds=ASKED_AGAIN))
    assert folder.read == [1]
    clock.step(ASKED_AGAIN)
    assert obstacle(state, clock.now()) is None


async def test_what_was_looked_at_is_not_looked_at_again_and_nothing_is_kept_where_nothing_came(
    outbox: SqlOutbox,
) -> None:
    folder, clock = Folder([BOB]), FakeClock()
    inboxes = replica(outbox, clock)
    await inboxes.step(folder)
    await outbox.save_address_state(SENDER, BOB, AddressState(START))  # it takes letters again
    for _ in range(3):
        clock.step(EVERY)
        await inboxes.step(folder)
    assert folder.looks == 4
    assert await outbox.address_state(SENDER, BOB) == AddressState(START)
    assert folder.since == clock.now() - timedelta(seconds=OLDEST)


async def test_of_several_replicas_one_looks_at_a_time(outbox: SqlOutbox) -> None:
    folder, clock = Folder([BOB]), FakeClock()
    waits = await asyncio.gather(*(replica(outbox, clock).step(folder) for _ in range(4)))
    assert folder.looks == 1
    assert sorted(waits)[1:] == [EVERY] * 3


async def test_a_turn_that_is_over_keeps_nothing(outbox: SqlOutbox) -> None:
    folder, clock = Folder([BOB]), FakeClock()
    slow, quick = replica(outbox, clock), replica(outbox, clock)

    @dataclass
    class Slow(Folder):
        async def look(self, state: JsonObject | None, *, since: datetime, within: float) -> InboxResult:
            found = await super().look(state, since=since, within=within)
            clock.step(EVERY)
            await quick.step(Folder([""]))
            return found

    await slow.step(Slow([BOB]))
    assert await outbox.address_state(SENDER, BOB) is None
    turn = await turn_of(outbox, folder)
    assert turn is not None
    assert turn.state == {"number": 1}


async def test_a_full_inbox_is_looked_through_without_waiting(outbox: SqlOutbox) -> None:
    folder, clock = Folder(["", "", ALICE, "", BOB], most=2), FakeClock()
    inboxes = replica(outbox, clock)
    assert [await inboxes.step(folder) == 0.0 for _ in range(3)] == [True, True, False]
    assert folder.read == [3, 5]


async def test_what_cannot_be_read_is_looked_at_ever_less_often_and_says_why(outbox: SqlOutbox) -> None:
    folder, clock = Folder([BOB], fault="Authentication failed."), FakeClock()
    inboxes, looks = replica(outbox, clock), []
    for _ in range(40):
        await inboxes.step(folder)
        clock.step(EVERY)
        looks.append(folder.looks)
    assert looks[0] == 1
    assert looks[-1] < 10
    turn = await turn_of(outbox, folder)
    assert turn is not None
    assert turn.health.reason == "Authentication failed."
    folder.fault = None
    clock.step(3600)
    await inboxes.step(folder)
    turn = await turn_of(outbox, folder)
    assert turn is not None
    assert turn.health == SourceHealth()
    assert await outbox.address_state(SENDER, BOB) is not None


async def test_that_reports_cannot_be_marked_changes_nothing(outbox: SqlOutbox) -> None:
    @dataclass
    class ReadOnly(Folder):
        async def set_read(self, numbers: Sequence[int], *, within: float) -> None:
            raise InboxUnreadable("the folder is for reading alone")

    await replica(outbox, FakeClock()).step(ReadOnly([BOB]))
    assert await outbox.address_state(SENDER, BOB) is not None


async def test_its_place_is_not_forgotten_with_sources_that_are_gone(outbox: SqlOutbox) -> None:
    folder, clock = Folder([BOB]), FakeClock()
    await replica(outbox, clock).step(folder)
    await outbox.forget_polled(others_than=set(), before=START + timedelta(days=365))
    assert await turn_of(outbox, folder) is not None


async def test_the_file_says_which_are_looked_through_and_a_bug_in_one_stops_no_other(outbox: SqlOutbox) -> None:
    @dataclass
    class Broken(Folder):
        key: str = "inbox 1 of email"

        async def look(self, state: JsonObject | None, *, since: datetime, within: float) -> InboxResult:
            self.looks += 1
            raise RuntimeError("a bug")

    folder, broken, clock = Folder([BOB]), Broken(), FakeClock()
    inboxes = replica(outbox, clock)
    running = asyncio.create_task(inboxes.run())
    inboxes.configure([folder, broken])
    while not (folder.read and broken.looks > 1):
        await asyncio.sleep(0)
    inboxes.configure([broken])
    before = broken.looks
    while broken.looks < before + 3:
        await asyncio.sleep(0)
    looks = folder.looks
    before = broken.looks
    while broken.looks < before + 3:
        await asyncio.sleep(0)
    assert folder.looks == looks
    running.cancel()
