"""A list of deliveries looks no further than anyone waits, and whoever goes on where it ended meets all that is meant,
each once and newest first. On both engines.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from bridge.outcome import Again, Dead, Done, Fate, HeldBack
from bridge.store import open_ledger
from bridge.store.base import Cleared, State
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import walk
from bridge.store.queries.dismiss import dismiss
from bridge.store.queries.records import count_deliveries, delivery_records
from bridge.store.queries.replay import replay_deliveries
from bridge.store.queries.series import has_come_from
from bridge.store.records import DeliveryQuery, DeliveryRecord
from bridge.value import replace
from tests.fakes import an_event, an_intake
from tests.store.boxes import after, claimed, settle

EVENTS = 24
FATES: tuple[Fate | None, ...] = (
    Done(),
    Dead("HTTP 400"),
    HeldBack("not wanted"),
    Again(after(10**6), "HTTP 502"),
    None,
)
LATE = EVENTS * 60

QUERIES = [
    DeliveryQuery(),
    DeliveryQuery(source="marzban"),
    DeliveryQuery(source="nobody"),
    DeliveryQuery(type="user.created"),
    DeliveryQuery(type="node.error"),
    DeliveryQuery(type="node.none"),
    DeliveryQuery(subject="user:1"),
    DeliveryQuery(subject="user:nobody"),
    DeliveryQuery(type="user.created", subject="user:1", sink="ops"),
    DeliveryQuery(sink="ops"),
    DeliveryQuery(sink="nobody"),
    DeliveryQuery(row="route 1"),
    DeliveryQuery(row="route 9"),
    DeliveryQuery(tried=True),
    DeliveryQuery(since=after(300)),
    DeliveryQuery(since=after(300), sink="team"),
    DeliveryQuery(until=after(600)),
    DeliveryQuery(until=after(600), type="user.created", sink="ops"),
    DeliveryQuery(since=after(300), until=after(900), states=(State.DEAD,)),
    DeliveryQuery(until=after(0)),
    DeliveryQuery(through=20),
    DeliveryQuery(through=20, until=after(900)),
    *(DeliveryQuery(states=(state,)) for state in State),
    *(DeliveryQuery(states=(state,), sink="ops") for state in State),
    DeliveryQuery(states=(State.PENDING, State.WAITING)),
    DeliveryQuery(states=(State.HELD_BACK, State.PENDING)),
    DeliveryQuery(states=(State.HELD_BACK, State.DEAD, State.WAITING), sink="team"),
    DeliveryQuery(states=(State.DEAD,), cleared=(None,)),
    DeliveryQuery(states=(State.DEAD,), cleared=(None,), sink="ops"),
    DeliveryQuery(states=(State.DEAD,), cleared=(None,), source="marzban"),
    *(DeliveryQuery(cleared=(way,)) for way in Cleared),
    DeliveryQuery(cleared=(None, Cleared.REPLAYED)),
    DeliveryQuery(cleared=(Cleared.REPLAYED,), sink="team"),
]


@pytest.fixture
async def ledger(outbox: SqlOutbox, any_store_url: str) -> AsyncIterator[Ledger]:
    """Events a minute apart for two sinks, that came to every end there is; some are replayed, some dismissed."""
    for number in range(EVENTS):
        type_ = "node.error" if number % 8 == 3 else "user.created"
        await outbox.put(
            an_intake(an_event(f"user:{number % 5}", type_=type_, at=after(60 * number)), sinks=("ops", "team"))
        )
    for sink in ("ops", "team"):
        for delivery in await claimed(outbox, sink=sink, now=after(LATE)):
            fate = FATES[delivery.event.received_at.minute % len(FATES)]
            if fate is not None:
                await settle(outbox, delivery, fate, at=after(LATE))
    with open_ledger(any_store_url) as opened:
        opened.write(replay_deliveries, DeliveryQuery(states=(State.DEAD,), sink="team", limit=2), now=after(LATE))
        opened.write(replay_deliveries, DeliveryQuery(states=(State.DELIVERED,), sink="ops", limit=2), now=after(LATE))
        opened.write(dismiss, DeliveryQuery(sink="ops", limit=2), now=after(LATE))
        yield opened


def walked(ledger: Ledger, query: DeliveryQuery) -> Iterator[list[DeliveryRecord]]:
    """Page after page, as somebody goes on who wants all of it."""
    while True:
        found = ledger.read(walk.walked_deliveries, query)
        yield found.deliveries
        full = query.limit is not None and len(found.deliveries) >= query.limit
        assert (found.behind is None) is (found.back_to is None)
        assert not (full and found.behind is not None)
        behind = found.deliveries[-1].id if full else found.behind
        if behind is None:
            return
        query = replace(query, behind=behind)


@pytest.mark.parametrize("bounds", [(10_000, 4000, 2000), (20, 8, 4), (7, 3, 4), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("limit", [1, 4, 100])
async def test_whoever_goes_on_where_looking_ended_meets_all_of_it_once(
    ledger: Ledger, bounds: tuple[int, int, int], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, bound in zip(("WALKED", "ALONG", "COMMON"), bounds, strict=True):
        monkeypatch.setattr(walk, name, bound)
    for query in QUERIES:
        expected = ledger.read(delivery_records, replace(query, limit=None))
        if query.until is not None:
            expected = sorted(expected, key=lambda one: (one.event_id, one.id), reverse=True)
        met = [one for page in walked(ledger, replace(query, limit=limit)) for one in page]
        assert [one.id for one in met] == [one.id for one in expected], query


async def test_the_store_has_some_of_everything_that_is_asked_for(ledger: Ledger) -> None:
    nothing = [query for query in QUERIES if not ledger.read(delivery_records, query)]
    assert nothing == [
        DeliveryQuery(source="nobody"),
        DeliveryQuery(type="node.none"),
        DeliveryQuery(subject="user:nobody"),
        DeliveryQuery(sink="nobody"),
        DeliveryQuery(row="route 9"),
        DeliveryQuery(until=after(0)),
    ]


async def test_a_list_says_how_far_back_it_looked(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WALKED", 5)
    found = ledger.read(walk.walked_deliveries, DeliveryQuery(source="nobody"))
    made = {one.id: one.made_at for one in ledger.read(delivery_records, DeliveryQuery(limit=None))}
    assert (found.deliveries, found.behind) == ([], max(made) - 4)
    assert found.back_to == made[max(made) - 4]


async def test_a_page_in_the_order_of_events_goes_on_behind_what_was_forgotten_with_nothing(ledger: Ledger) -> None:
    found = ledger.read(walk.walked_deliveries, DeliveryQuery(until=after(LATE), behind=10**9))
    assert (found.deliveries, found.behind) == ([], None)


async def test_a_count_stops_where_nobody_counts_any_more(ledger: Ledger) -> None:
    for query in QUERIES:
        number = len(ledger.read(delivery_records, replace(query, limit=None)))
        assert ledger.read(count_deliveries, query) == number
        assert ledger.read(count_deliveries, query, most=3) == min(3, number)


async def test_of_a_source_is_known_whether_anything_ever_came_from_it(ledger: Ledger) -> None:
    assert ledger.read(has_come_from, "marzban") is True
    assert ledger.read(has_come_from, "nobody") is False
