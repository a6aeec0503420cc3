"""Recording what became of deliveries."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bridge.delivery.settler import Settler
from bridge.errors import StoreUnavailable
from bridge.outcome import Attempt, Delivered, Limited, Refused
from bridge.store.base import Delivery, Settlement
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Terms
from tests.delivery.lanes import Fleet, ScriptedSink, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import FakeClock, an_event, an_intake
from tests.processes import PATIENCE
from tests.store.boxes import refuse


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


async def test_who_waits_for_what_was_handed_in_does_not_wait_for_what_comes_after(clock: FakeClock) -> None:
    """A lane with several at once always has some of them to record."""
    handed_in: list[asyncio.Future[Sequence[Delivery]]] = []

    class Slow:
        def settle(self, _: Sequence[Settlement]) -> asyncio.Future[Sequence[Delivery]]:
            handed_in.append(asyncio.get_running_loop().create_future())
            return handed_in[-1]

    settler = Settler("ops", Slow(), clock, lambda _: None, lambda _: None)  # type: ignore[arg-type]
    before = asyncio.create_task(settler.record(()))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(settler.finish())
    await asyncio.sleep(0)
    after = asyncio.create_task(settler.record(()))
    await asyncio.sleep(0)
    handed_in[0].set_result(())
    await before
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert not after.done()
    after.cancel()


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


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_what_the_store_refuses_of_one_delivery_is_given_up_and_the_lane_goes_on(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, concurrency: int
) -> None:
    refuse(store_url, "UPDATE", "deliveries", "NEW.state = 'waiting' AND NEW.subject = 'user:refused'")
    sink = ScriptedSink(clock, [Limited(30.0)])
    sink.concurrency = concurrency
    lane = a_lane(outbox, sink, clock)
    await outbox.put(an_intake(an_event("user:refused"), an_event("user:refused"), an_event()))
    await pass_time(lane, clock, 60)
    records = look_up(store_url)
    assert [record.state for record in records] == ["dead", "delivered", "delivered"]
    assert records[0].reason == "refused by the store: store: no such row"


async def test_of_a_digest_only_the_one_to_blame_is_given_up(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    refuse(store_url, "UPDATE", "deliveries", "NEW.state = 'waiting' AND NEW.subject = 'user:refused'")
    await outbox.put(routed(an_event("user:refused"), an_event(), terms=Terms(digest=DigestWindow(window=60.0))))
    await pass_time(a_lane(outbox, ScriptedSink(clock, [Limited(30.0)]), clock), clock, 120)
    assert [record.state for record in look_up(store_url)] == ["dead", "delivered"]


async def test_a_message_that_cannot_be_remembered_was_delivered_all_the_same(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    refuse(store_url, "INSERT", "threads", "NEW.ref = '7'")
    await outbox.put(routed(an_event(), an_event("user:bob"), terms=Terms(update="subject")))
    sink = ScriptedSink(clock, [Delivered(ref="7")])
    await carry_all(a_lane(outbox, sink, clock))
    assert [(record.state, record.note) for record in look_up(store_url)] == [
        ("delivered", "the store refused what came of it"),
        ("delivered", None),
    ]
    assert len(sink.sent) == 2


def dead_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [vars(one)["fields"] for one in caplog.records if one.msg == "delivery.dead"]
    caplog.clear()
    return [{name: value for name, value in line.items() if value is not None} for line in lines]


async def test_dead_letters_are_told_once_for_each_reason_and_counted_while_it_lasts(
    outbox: SqlOutbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """One line when it begins, and one for every ten minutes in which there were more."""
    sink = ScriptedSink(clock, [Refused("HTTP 400")] * 5 + [Refused("HTTP 413")])
    lane = a_lane(outbox, sink, clock)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(6))))
    await carry_all(lane)
    first = {"sink": "ops", "reason": "HTTP 400", "delivery": 1}
    assert dead_lines(caplog) == [first, first | {"reason": "HTTP 413", "delivery": 6}]

    settler = lane._settler
    settler.log_left_out()
    assert dead_lines(caplog) == []
    await clock.sleep(600)
    settler.log_left_out()
    assert dead_lines(caplog) == [{"sink": "ops", "reason": "HTTP 400", "repeated": 4}]

    sink.answers = [Refused("HTTP 400"), Refused("HTTP 400")]
    await outbox.put(an_intake(an_event("user:a"), an_event("user:b")))
    lane.wake()
    await carry_all(lane)
    assert sink.answers == []
    assert dead_lines(caplog) == []  # it was told of just now
    await clock.sleep(600)
    settler.log_left_out()
    assert dead_lines(caplog) == [{"sink": "ops", "reason": "HTTP 400", "repeated": 2}]


async def test_a_dead_letter_is_told_at_warning_and_what_arrives_is_not(
    outbox: SqlOutbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    await outbox.put(an_intake(an_event("user:a"), an_event("user:b")))
    await carry_all(a_lane(outbox, ScriptedSink(clock, [Delivered(), Refused("HTTP 400")]), clock))
    [line] = [one for one in caplog.records if one.msg == "delivery.dead"]
    assert line.levelname == "WARNING"
    assert vars(line)["fields"]["delivery"] == 2
