"""Dead letters in groups, and operations in one commit, on both engines."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bridge.outcome import Attempt, Dead, Done, Refused
from bridge.store import open_ledger
from bridge.store.base import Cleared
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import dead
from bridge.store.queries.dead import dead_groups, seen_letters
from bridge.store.queries.dismiss import dismiss
from bridge.store.queries.records import count_deliveries
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeadGroupRecord, DeliveryQuery
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import after, claimed, settle

UNKNOWN, INVALID = "HTTP 422: contact not found", "HTTP 400"


async def give_up(outbox: SqlOutbox, sink: str, *reasons: str, type_: str = "user.created") -> None:
    """One dead letter at the sink for each reason, a second apart, and one that arrived."""
    await outbox.put(an_intake(*(an_event(f"user:{n}", type_=type_) for n in range(len(reasons) + 1)), sinks=(sink,)))
    *doomed, last = await claimed(outbox, sink=sink)
    for second, (delivery, reason) in enumerate(zip(doomed, reasons, strict=True)):
        attempt = Attempt(Refused(reason), 400 + second, f"answer {second}")
        await settle(outbox, delivery, Dead(reason), attempt, at=after(second))
    await settle(outbox, last, Done())


def groups(url: str, *more: Any, **most: int) -> list[DeadGroupRecord]:
    with open_ledger(url) as ledger:
        return ledger.read(dead_groups, *more, **most)


async def test_dead_letters_are_grouped_by_sink_and_reason_and_the_newest_group_is_first(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await give_up(outbox, "crm", UNKNOWN, INVALID, UNKNOWN)  # 1 to 3, and 4 arrived
    await give_up(outbox, "ops", INVALID)  # 5, and 6 arrived
    found = groups(any_store_url)
    assert [(one.sink, one.reason, one.count, one.first, one.through) for one in found] == [
        ("ops", INVALID, 1, 5, 5),
        ("crm", UNKNOWN, 2, 1, 3),
        ("crm", INVALID, 1, 2, 2),
    ]


async def test_what_sinks_with_few_leave_is_for_those_with_more_and_each_says_how_many_it_has(
    outbox: SqlOutbox, any_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sink, number in (("crm", 6), ("ops", 1), ("shop", 5), ("team", 1)):
        await give_up(outbox, sink, *(INVALID,) * number)
    for in_all, seen in ((13, {"crm": 6, "shop": 5}), (8, {"crm": 3, "shop": 3})):
        monkeypatch.setattr(dead, "IN_ALL", in_all)
        found = groups(any_store_url)
        assert {one.sink: one.count for one in found} == {"ops": 1, "team": 1, **seen}
        assert {one.sink: one.of_sink for one in found} == {"crm": 6, "ops": 1, "shop": 5, "team": 1}


async def test_a_group_says_since_when_of_which_types_and_what_was_answered_last(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await give_up(outbox, "crm", UNKNOWN, UNKNOWN)
    await give_up(outbox, "crm", UNKNOWN, type_="user.expired")
    [one] = groups(any_store_url)
    assert (one.since, one.until) == (START, START + timedelta(seconds=1))
    assert one.types == {"user.created": 2, "user.expired": 1}
    assert (one.attempts, one.status, one.answer) == (1, 400, "answer 0")


@pytest.mark.parametrize(
    ("cleared", "deal"),
    [(Cleared.REPLAYED, replay_deliveries), (Cleared.DISMISSED, dismiss)],
)
async def test_what_was_dealt_with_is_in_the_groups_of_how_it_was_and_in_no_other(
    outbox: SqlOutbox, any_store_url: str, cleared: Cleared, deal: Callable[..., Any]
) -> None:
    await give_up(outbox, "crm", UNKNOWN, UNKNOWN, INVALID)
    with open_ledger(any_store_url) as ledger:
        ledger.write(deal, DeliveryQuery(ids=(1, 2)), now=after(60))
    counted = {way: [(one.reason, one.count) for one in groups(any_store_url, way)] for way in (None, *Cleared)}
    assert counted == {way: [] for way in Cleared} | {None: [(INVALID, 1)], cleared: [(UNKNOWN, 2)]}


async def test_only_the_newest_of_a_sink_are_looked_through(outbox: SqlOutbox, any_store_url: str) -> None:
    await give_up(outbox, "crm", INVALID, UNKNOWN, UNKNOWN, UNKNOWN)
    await give_up(outbox, "ops", INVALID)
    found = groups(any_store_url, most=2)
    assert [(one.sink, one.count, one.first) for one in found] == [("ops", 1, 6), ("crm", 2, 3)]


async def test_of_many_sinks_fewer_of_each_are_looked_through(
    outbox: SqlOutbox, any_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sink in ("crm", "ops", "team"):
        await give_up(outbox, sink, UNKNOWN, UNKNOWN, UNKNOWN)
    assert [one.count for one in groups(any_store_url)] == [3, 3, 3]
    monkeypatch.setattr(dead, "IN_ALL", 6)
    assert [one.count for one in groups(any_store_url)] == [2, 2, 2]
    monkeypatch.setattr(dead, "IN_ALL", 2)
    assert [one.count for one in groups(any_store_url)] == [1, 1, 1]


async def test_what_was_dealt_with_long_ago_is_not_looked_for(
    outbox: SqlOutbox, any_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give_up(outbox, "crm", UNKNOWN, UNKNOWN)
    with open_ledger(any_store_url) as ledger:
        ledger.write(dismiss, DeliveryQuery(sink="crm"), now=START)
        monkeypatch.setattr(dead, "RECENT", 1)  # of the three that there are
        [one] = ledger.read(dead_groups, Cleared.DISMISSED)
        assert (one.count, one.first) == (1, 2)


async def test_what_was_seen_is_from_one_id_to_another_and_nothing_that_came_after(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await give_up(outbox, "crm", UNKNOWN, INVALID, UNKNOWN)
    await give_up(outbox, "ops", UNKNOWN)
    with open_ledger(any_store_url) as ledger:
        look = ledger.read(seen_letters, "crm", first=1, through=2)
        assert look == [(1, UNKNOWN), (2, INVALID)]
        assert ledger.read(seen_letters, "crm", first=2, through=99) == [(2, INVALID), (3, UNKNOWN)]
        assert ledger.read(seen_letters, "crm", first=1, through=99, most=1) == [(3, UNKNOWN)]
        ledger.write(dismiss, DeliveryQuery(ids=(1, 5)), now=START)
        assert ledger.read(seen_letters, "crm", first=1, through=99, cleared=Cleared.DISMISSED) == [(1, UNKNOWN)]
        assert [id_ for id_, _ in ledger.read(seen_letters, "crm", first=1, through=99)] == [2, 3]


async def test_an_operation_of_the_running_bridge_is_one_commit(outbox: SqlOutbox, any_store_url: str) -> None:
    await give_up(outbox, "crm", UNKNOWN, UNKNOWN)

    def some(ledger: Ledger) -> tuple[int, int]:
        replayed = ledger.write(replay_deliveries, DeliveryQuery(ids=(1,)), now=START)
        return len(replayed), ledger.read(count_deliveries, DeliveryQuery(cleared=(Cleared.REPLAYED,)))

    def failing(ledger: Ledger) -> None:
        ledger.write(dismiss, DeliveryQuery(ids=(2,)), now=START)
        raise KeyError("a mistake of ours")

    assert await outbox.operate(some) == (1, 1)
    with pytest.raises(Exception, match="KeyError"):
        await outbox.operate(failing)
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(count_deliveries, DeliveryQuery(cleared=(Cleared.DISMISSED,))) == 0
