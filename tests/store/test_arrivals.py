"""What came in, the newest first and in pages; and what is remembered of what was told."""

from datetime import timedelta

import pytest

from bridge.intake import Fingerprint, Intake, Routed
from bridge.store.base import Arrival
from bridge.store.outbox import SqlOutbox
from tests.alerts.telling import came
from tests.fakes import DECISION, START, an_event, an_intake
from tests.store.boxes import after


async def test_what_came_in_is_found_in_pages_the_newest_first(outbox: SqlOutbox) -> None:
    events = [came(f"source-{number % 3}", after(number)) for number in range(10)]
    await outbox.put(an_intake(*events))
    everything = [Arrival(one.id, one.source, one.received_at) for one in reversed(events)]
    found: list[Arrival] = []
    while page := await outbox.arrivals(before=found[-1].id if found else None, since=None, limit=4):
        assert len(page) <= 4
        found += page
    assert found == everything


@pytest.mark.parametrize(("seconds", "count"), [(0, 10), (4, 6), (9, 1), (10, 0), (-500, 10)])
async def test_only_what_came_since_then_is_found(outbox: SqlOutbox, seconds: int, count: int) -> None:
    await outbox.put(an_intake(*(came("a", after(number)) for number in range(10))))
    assert len(await outbox.arrivals(before=None, since=after(seconds), limit=100)) == count


async def test_a_key_is_remembered_for_its_time_and_no_other_is(outbox: SqlOutbox) -> None:
    await outbox.put(Intake([Routed(an_event(), (), DECISION, Fingerprint("panelbridge:x", within=60.0))]))
    for key, seconds, remembered in (("x", 0, True), ("x", 59, True), ("x", 60, False), ("y", 0, False)):
        now = START + timedelta(seconds=seconds)
        assert await outbox.is_remembered(f"panelbridge:{key}", now=now) is remembered
