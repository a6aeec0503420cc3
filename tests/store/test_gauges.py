"""How lanes fare, in numbers, on both engines."""

import pytest

from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate
from bridge.store import open_ledger
from bridge.store.base import LaneState, Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.gauges import LaneGauge, lane_gauges, store_size
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery
from bridge.terms import DigestWindow, Terms
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import after, claimed, settle, under

LATER = after(3600)


def gauges(url: str) -> dict[str, LaneGauge]:
    """What they are an hour after the start."""
    with open_ledger(url) as ledger:
        return ledger.read(lane_gauges, now=LATER)


async def test_deliveries_are_counted_by_lane_and_state(outbox: SqlOutbox, any_store_url: str) -> None:
    fates: list[Fate] = [Done(), Dead("HTTP 400"), Dead("HTTP 400"), Again(after(9999), "HTTP 502")]
    await outbox.put(an_intake(*(an_event(f"user:{number}") for number in range(6)), sinks=("ops", "team")))
    for delivery, fate in zip(await claimed(outbox), fates, strict=False):
        await settle(outbox, delivery, fate, Attempt(Delivered() if isinstance(fate, Done) else Away("HTTP 502")))
    found = gauges(any_store_url)
    assert (found["ops"].pending, found["ops"].waiting, found["ops"].dead) == (2, 1, 2)
    assert (found["team"].pending, found["team"].waiting, found["team"].dead) == (6, 0, 0)


async def test_what_was_dealt_with_is_not_dead(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Dead("HTTP 400"))
    with open_ledger(any_store_url) as ledger:
        ledger.write(replay_deliveries, DeliveryQuery(sink="ops"), now=LATER)
    assert (gauges(any_store_url)["ops"].dead, gauges(any_store_url)["ops"].pending) == (0, 1)


@pytest.mark.parametrize("standing", list(Standing))
async def test_a_lane_stands_as_it_was_written(outbox: SqlOutbox, any_store_url: str, standing: Standing) -> None:
    await outbox.save_lane_state("ops", LaneState(standing=standing, since=START), epoch=0)
    assert gauges(any_store_url) == {"ops": LaneGauge(standing)}


async def test_what_is_pending_is_there_since_the_oldest_of_it_was_made(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event("user:a", at=after(60))))
    await outbox.put(an_intake(an_event("user:b", at=after(90))))
    assert gauges(any_store_url)["ops"].oldest == after(60)


@pytest.mark.parametrize(("due", "oldest"), [(3601, None), (3600, after(3600)), (1200, after(1200))])
async def test_what_waits_for_its_time_is_not_behind_and_what_is_due_is_since_then(
    outbox: SqlOutbox, any_store_url: str, due: float, oldest: object
) -> None:
    await outbox.put(under(Terms(digest=DigestWindow(window=due)), an_event()))
    found = gauges(any_store_url)["ops"]
    assert (found.waiting, found.oldest) == (1, oldest)


async def test_the_older_of_what_is_pending_and_what_is_due_counts(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(under(Terms(digest=DigestWindow(window=60)), an_event("user:a")))
    await outbox.put(an_intake(an_event("user:b", at=after(90))))
    assert gauges(any_store_url)["ops"].oldest == after(60)


async def test_the_store_has_a_size(outbox: SqlOutbox, any_store_url: str) -> None:
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(store_size) > 4096
