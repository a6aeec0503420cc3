"""Recording what became of deliveries."""

import asyncio
from collections.abc import Sequence
from typing import Any

from bridge.errors import StoreUnavailable
from bridge.outcome import Attempt, Refused
from bridge.store.base import Delivery, Settlement
from bridge.store.outbox import SqlOutbox
from tests.delivery.lanes import Fleet, ScriptedSink, a_lane, carry_all, look_up
from tests.fakes import FakeClock, an_event, an_intake


class Noted:
    """An outbox whose settlements are noted."""

    def __init__(self, outbox: SqlOutbox, settle: Any) -> None:
        self._outbox = outbox
        self.settle = settle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)


async def test_what_was_sent_is_recorded_once_the_store_is_back(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    class Flaky(Noted):
        def __init__(self) -> None:
            super().__init__(outbox, self._settle)
            self.failures = 3

        def _settle(self, settlements: Sequence[Settlement]) -> asyncio.Future[Sequence[Delivery]]:
            if not self.failures:
                return outbox.settle(settlements)
            self.failures -= 1
            failed = asyncio.get_running_loop().create_future()
            failed.set_exception(StoreUnavailable("store: database is locked"))
            return failed

    sink = ScriptedSink(clock)
    await outbox.put(an_intake(an_event()))
    await carry_all(a_lane(Flaky(), sink, clock))
    assert len(sink.sent) == 1
    assert [record.state for record in look_up(store_url)] == ["delivered"]


async def test_an_answer_with_half_a_character_is_recorded(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    await outbox.put(an_intake(an_event()))
    await carry_all(a_lane(outbox, ScriptedSink(clock, [Attempt(Refused("bad \ud83d"), 400, "\ud83d")]), clock))
    [record] = look_up(store_url)
    assert (record.state, record.reason) == ("dead", "bad ?")


async def test_what_was_settled_under_an_old_term_of_office_changes_nothing(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    await outbox.put(an_intake(an_event()))
    await carry_all(Fleet(outbox, clock).lane(ScriptedSink(clock), epoch=7))
    assert [record.state for record in look_up(store_url)] == ["pending"]
