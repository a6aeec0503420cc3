"""Looking things up: beside the bridge, for a short time, and without changing anything. On both engines."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.admin.reader_pool import MOST, ReaderPool
from bridge.errors import StoreError, StoreSlow, StoreUnavailable
from bridge.store import open_outbox, open_reader
from bridge.store.ledger import Ledger
from bridge.store.reader import LedgerReader
from tests.admin.running import ACT, Desk, running_admin, sign_in
from tests.fakes import FakeClock, an_event, an_intake
from tests.processes import PATIENCE

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


def run(connection: sa.Connection, statement: str) -> Any:
    result = connection.exec_driver_sql(statement)
    return result.scalar() if result.returns_rows else None


async def test_what_takes_too_long_is_stopped_and_the_next_look_is_as_good_as_ever(any_store_url: str) -> None:
    async with open_outbox(any_store_url):
        reader = open_reader(any_store_url, limit=0.05)
        try:
            with pytest.raises(StoreSlow, match=r"it took longer than 0\.05 s, and was stopped"):
                await asyncio.to_thread(reader.read, run, ENDLESS)
            assert await asyncio.to_thread(_in_the_end, reader, "SELECT 1") == 1
        finally:
            reader.close()


def _in_the_end(reader: LedgerReader, statement: str) -> Any:
    """What a look finds that is short: on a busy machine it may take too long once or twice."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return reader.read(run, statement)
        except StoreSlow:
            assert time.monotonic() < ends


async def test_who_looks_changes_nothing(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await outbox.put(an_intake(an_event()))
        reader = open_reader(any_store_url, limit=PATIENCE)
        try:
            for statement in ("DELETE FROM deliveries", "UPDATE events SET source = 'x'", "CREATE TABLE more (x int)"):
                with pytest.raises(StoreError):
                    reader.read(run, statement)
            with pytest.raises(StoreError, match="who looks writes nothing"):
                reader.write(run, "DELETE FROM deliveries")
            assert reader.read(run, "SELECT count(*) FROM deliveries") == 1
        finally:
            reader.close()


async def test_looks_are_bounded_and_hold_up_nothing_else(store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        reading, wall = ReaderPool(lambda: open_reader(store_url, limit=PATIENCE)), threading.Event()

        def wait(_: Ledger) -> str:
            wall.wait()
            return threading.current_thread().name

        looks = [asyncio.create_task(reading.run(wait)) for _ in range(MOST)]
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable, match=f"more than {MOST} look at it already"):
            await reading.run(wait)
        await outbox.put(an_intake(an_event()))  # while all of them wait
        wall.set()
        assert len(set(await asyncio.gather(*looks))) <= 2
        assert await reading.run(lambda ledger: ledger.read(run, "SELECT count(*) FROM events")) == 1
        reading.close()


async def test_a_store_that_cannot_be_asked_is_a_page_that_says_so_and_one_can_still_sign_in(
    tmp_path: Path, store_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_admin(tmp_path, store_url, clock, events=False) as desk:
        monkeypatch.setattr("bridge.store.reader.LedgerReader.read", _away)
        async with desk.browser() as browser:
            assert (await sign_in(browser)).status == 303
            async with browser.get("/events") as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "5")
                assert "The store cannot be asked now" in await response.text()
            async with browser.get("/settings") as response:
                assert response.status == 200
        async with desk.program(ACT) as program, program.get("/sinks") as response:
            assert response.status == 503
            assert (await response.json())["detail"] == "store: the disk is away"


def _away(*_: object, **__: object) -> None:
    raise StoreUnavailable("store: the disk is away")


async def test_a_fault_of_ours_is_a_page_without_a_word_of_it_and_the_next_page_is_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("bridge.store.reader.LedgerReader.read", _broken)
        async with desk.browser() as browser:
            await sign_in(browser)
            async with browser.get("/sinks") as response:
                assert response.status == 500
                assert "a-secret" not in await response.text()
    assert [one.msg for one in caplog.records].count("admin.bug") == 1
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.get("/sinks") as response:
            assert response.status == 200


def _broken(*_: object, **__: object) -> None:
    raise RuntimeError("a-secret in an exception")
