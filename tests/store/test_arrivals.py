"""What came in, the newest first and in pages; and what is remembered of what was told."""

from datetime import timedelta

import pytest

from bridge.intake import Destination, Fingerprint, Intake, Routed
from bridge.polled import OF_WATCH
from bridge.store.base import Arrival, Remembered
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Terms
from bridge.value import replace
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


async def test_what_was_found_out_about_a_source_is_nothing_that_it_said(outbox: SqlOutbox) -> None:
    found_out = [replace(came("a", after(number)), native_type=native) for number, native in enumerate(OF_WATCH)]
    said = came("a", after(9))
    await outbox.put(an_intake(*found_out, said))
    assert [one.id for one in await outbox.arrivals(before=None, since=None, limit=100)] == [said.id]


async def test_a_key_is_remembered_for_its_time_and_no_other_is(outbox: SqlOutbox) -> None:
    await outbox.put(Intake([Routed(an_event(), (), DECISION, Fingerprint("panelbridge:x", within=60.0))]))
    for key, seconds, remembered in (("x", 0, True), ("x", 59, True), ("x", 60, False), ("y", 0, False)):
        now = START + timedelta(seconds=seconds)
        assert await outbox.is_remembered(f"panelbridge:{key}", now=now) is remembered


async def test_of_a_key_the_last_event_is_remembered_and_where_it_went_first(outbox: SqlOutbox) -> None:
    to = (Destination("ops", "route 1", "short", Terms(digest=DigestWindow(window=60))), Destination("team", "route 2"))
    first, second = an_event(), an_event(at=after(1))
    for event, destinations in ((first, to), (second, to[:1])):
        await outbox.put(
            Intake([Routed(event, destinations, DECISION, Fingerprint("chat:message:7", tries=0, within=60.0))])
        )
        assert await outbox.remembered("chat:message:7", now=after(2)) == Remembered(event, list(destinations))
    assert await outbox.remembered("chat:message:8", now=after(2)) is None
    assert await outbox.remembered("chat:message:7", now=after(61)) is None
