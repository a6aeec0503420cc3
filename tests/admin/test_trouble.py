"""The store's last trouble: what it said, what that cost, whether it is over, and when nobody asks for it any more."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.admin.trouble import LATELY, StoreTrouble, StoreWatch, trouble_of
from bridge.counters import COUNTERS
from bridge.errors import StoreUnavailable
from bridge.store import open_ledger, open_outbox
from tests.fakes import START, FakeClock, an_event, an_intake

FULL = "store: database or disk is full"


@pytest.fixture(autouse=True)
def counted() -> Iterator[None]:
    COUNTERS.clear()
    yield
    COUNTERS.clear()


def test_without_a_failure_there_is_none(clock: FakeClock) -> None:
    assert StoreWatch(clock.now).trouble() is None


def test_it_has_the_last_words_since_when_and_how_many_requests_it_cost(clock: FakeClock) -> None:
    watch = StoreWatch(clock.now)
    COUNTERS.request_refused("berlin", 503)  # of an earlier trouble
    watch.failed(FULL)
    for status in (503, 503, 401):
        COUNTERS.request_refused("berlin", status)
    clock.step(60)
    watch.failed("store: disk I/O error")
    assert watch.trouble() == StoreTrouble(START, "store: disk I/O error", 2, is_over=False)


def test_it_is_over_once_something_was_committed_and_begins_anew_with_the_next(clock: FakeClock) -> None:
    watch = StoreWatch(clock.now)
    watch.failed(FULL)
    COUNTERS.committed(3, 0.001, durable=True)
    assert watch.trouble() == StoreTrouble(START, FULL, 0, is_over=True)
    watch.failed(FULL)
    assert watch.trouble() == StoreTrouble(START, FULL, 0, is_over=False)


def test_after_a_while_nobody_wants_to_know_and_the_next_one_is_another(clock: FakeClock) -> None:
    watch = StoreWatch(clock.now)
    watch.failed(FULL)
    COUNTERS.request_refused("berlin", 503)
    clock.step(LATELY.total_seconds() + 1)
    assert watch.trouble() is None
    watch.failed(FULL)
    assert watch.trouble() == StoreTrouble(clock.now(), FULL, 0, is_over=False)


async def test_a_store_that_takes_nothing_tells_the_watch_as_it_is_tried(
    store_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = StoreWatch(clock.now)
    async with open_outbox(store_url) as outbox:
        outbox.tell_failures(watch.failed)
        await outbox.put(an_intake(an_event()))
        assert watch.trouble() is None
        file = Path(store_url.removeprefix("sqlite:///"))
        gone = file.rename(file.with_suffix(".gone"))
        with pytest.raises(StoreUnavailable):
            await outbox.put(an_intake(an_event()))
        await asyncio.sleep(0)
        trouble = watch.trouble()
        assert trouble is not None
        assert not trouble.is_over
        gone.rename(file)


async def test_who_writes_nothing_asks_whether_it_takes_something(any_store_url: str, clock: FakeClock) -> None:
    async with open_outbox(any_store_url):
        with open_ledger(any_store_url) as ledger:
            assert trouble_of(ledger, clock.now()) is None

        class Full:
            def write(self, *_: object) -> None:
                raise StoreUnavailable(FULL)

        assert trouble_of(Full(), clock.now()) == StoreTrouble(START, FULL, 0, is_over=False)  # type: ignore[arg-type]
