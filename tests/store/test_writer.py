"""Group commit: what shares one, and what is waited for."""

import asyncio
import threading
import time
from collections.abc import Sequence
from importlib import import_module

import pytest
import sqlalchemy as sa

from bridge.errors import StoreUnavailable
from bridge.store.outbox import SqlOutbox
from bridge.store.writer import GATHER_FOR

WRITER = "store-writer"  # the thread that writes


class Gate:
    """Where the thread that writes stops until it is let through."""

    def __init__(self) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()

    def stop(self) -> None:
        self._reached.set()
        self._opened.wait()

    async def reached(self) -> None:
        await asyncio.to_thread(self._reached.wait)

    def open(self) -> None:
        self._opened.set()


class Commits:
    """What was written together; a gate among it holds its commit up."""

    def __init__(self, outbox: SqlOutbox) -> None:
        self._outbox = outbox
        self.values: list[list[object]] = []

    def write(self, *values: object) -> "list[asyncio.Future[object]]":
        return [self._outbox._writer.write(self._query, one) for one in values]

    def _query(self, _: sa.Connection, values: Sequence[object]) -> Sequence[object]:
        self.values.append([one for one in values if not isinstance(one, Gate)])
        for one in values:
            if isinstance(one, Gate):
                one.stop()
        return values


class Waits:
    """How often the thread that writes waited for others; where there is a gate, that long."""

    def __init__(self) -> None:
        self.count = 0
        self.gate: Gate | None = None

    def wait(self, seconds: float) -> None:
        assert seconds == GATHER_FOR
        self.count += 1
        if self.gate is not None:
            self.gate.stop()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    waits, sleep = Waits(), time.sleep

    def wait(seconds: float) -> None:
        (waits.wait if threading.current_thread().name == WRITER else sleep)(seconds)

    monkeypatch.setattr(time, "sleep", wait)
    return waits


async def test_who_just_missed_a_shared_commit_shares_the_next_one(outbox: SqlOutbox, waits: Waits) -> None:
    commits, held, waits.gate = Commits(outbox), Gate(), Gate()
    first = commits.write(held)
    await held.reached()
    first += commits.write(1, 2, 3)
    held.open()
    await asyncio.gather(*first)
    late = commits.write(4)
    await waits.gate.reached()
    late += commits.write(5)
    waits.gate.open()
    await asyncio.gather(*late)
    assert commits.values == [[], [1, 2, 3], [4, 5]]


async def test_nobody_waits_where_as_many_are_there_as_shared_the_commit_before(
    outbox: SqlOutbox, waits: Waits
) -> None:
    commits, held, held_again = Commits(outbox), Gate(), Gate()
    first = commits.write(held)
    await held.reached()
    second = commits.write(1, 2, held_again)
    held.open()
    await held_again.reached()
    third = commits.write(3, 4, 5)
    held_again.open()
    await asyncio.gather(*first, *second, *third)
    assert commits.values == [[], [1, 2], [3, 4, 5]]
    assert waits.count == 0


async def test_nobody_waits_who_writes_alone(outbox: SqlOutbox, waits: Waits) -> None:
    commits = Commits(outbox)
    for one in (1, 2, 3):
        await asyncio.gather(*commits.write(one))
    assert commits.values == [[1], [2], [3]]
    assert waits.count == 0


async def test_a_bug_of_ours_is_logged_and_whoever_waits_hears_that_nothing_was_kept(
    outbox: SqlOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: sa.Connection, values: Sequence[object]) -> Sequence[object]:
        raise KeyError(values[0])

    whole, fails = Commits(outbox), outbox._writer.write(broken, "nothing")
    assert await asyncio.gather(*whole.write(1, 2)) == [1, 2]
    with pytest.raises(StoreUnavailable, match="store: unforeseen KeyError, see the log"):
        await fails
    [record] = [one for one in caplog.records if one.message == "store.bug"]
    assert isinstance(record.__dict__["error"], KeyError)
    assert "broken" in record.__dict__["fields"]["query"]


async def test_a_commit_of_several_things_has_locked_changes_before_it_touches_any(
    outbox: SqlOutbox, any_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks before a change does too: else one holds a row, waits for the other, and is waited for."""
    seen: list[str] = []
    backend = import_module(f"bridge.store.{'sqlite' if 'sqlite' in any_store_url else 'postgres'}")
    monkeypatch.setattr(backend, "lock_changes", lambda _: seen.append("locked"))
    commits, held = Commits(outbox), Gate()
    first = commits.write(held)
    await held.reached()
    seen.clear()
    others = [outbox._writer.write(lambda _, values, name=name: [seen.append(name)], None) for name in "ab"]
    held.open()
    await asyncio.gather(*first, *others)
    assert seen == ["locked", "a", "b"]
