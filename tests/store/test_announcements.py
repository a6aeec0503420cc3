"""Announcements in the store: each who is meant is put once, whoever is killed, stopped or begun twice meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.admin.people import announcing
from bridge.admin.people.announcing import AnnouncementRecipient, put_all
from bridge.intake import Intake, Routed
from bridge.outcome import Again, Attempt, Away, Delivered, Done, HeldBack, Refused
from bridge.people.announcement import ANNOUNCEMENT_STOPPED, UNCERTAIN, place_in_line
from bridge.store import open_ledger, open_outbox
from bridge.store.base import Settlement, State
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.announcements import (
    add_announcement,
    announcement_of,
    go_on,
    outcomes,
    people_of,
    retry,
    stop,
    subjects_owned_by,
)
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import AnnouncementRecord, AnnouncementState, DeliveryQuery
from bridge.value import replace
from tests.fakes import DECISION, START, an_event
from tests.store.boxes import claimed
from tests.store.forgetting import columns_with, forget

LATER = START + timedelta(days=400)


class Killed(Exception):
    """The process is no more."""


def an_announcement(ledger: Ledger, **more: object) -> AnnouncementRecord:
    record = AnnouncementRecord(
        at=START, by="ops", sink="dm", chosen=("all",), text="soon", category="news", critical=False, counted=3
    )
    id_ = ledger.write(add_announcement, replace(record, **more))  # type: ignore[arg-type]
    return at(ledger, id_)


def at(ledger: Ledger, id_: int) -> AnnouncementRecord:
    found = ledger.read(announcement_of, id_)
    assert found is not None
    return found


def people(*names: str) -> list[AnnouncementRecipient]:
    return sorted(
        (AnnouncementRecipient(f"marzban/user:{one}") for one in names), key=lambda one: place_in_line(one.key)
    )


def put(ledger: Ledger, record: AnnouncementRecord, reached: Sequence[AnnouncementRecipient]) -> None:
    assert list(put_all(ledger, record, reached, START))


def keys(ledger: Ledger, id_: int) -> list[str]:
    return sorted(one.key for one in ledger.read(people_of, id_, limit=None))


@contextmanager
def few_at_once(count: int) -> Iterator[None]:
    before, announcing.AT_ONCE = announcing.AT_ONCE, count
    try:
        yield
    finally:
        announcing.AT_ONCE = before


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.sets(st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=1, max_size=12),
    size=st.integers(1, 4),
    turns=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=4),
)
def test_nobody_is_put_twice_and_nobody_else_wherever_it_is_killed_and_whoever_goes_on(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], size: int, turns: list[tuple[int, bool]]
) -> None:
    """Each turn goes on from what it finds, or found at the beginning, and is killed after some commits."""
    url = f"sqlite:///{tmp_path_factory.mktemp('kept') / 'bridge.db'}"
    with open_ledger(url) as ledger, few_at_once(size):
        everybody, first = people(*names), an_announcement(ledger)
        for commits, from_the_beginning in turns:
            record = first if from_the_beginning else at(ledger, first.id)
            steps = put_all(ledger, record, everybody, START)
            for _ in range(commits):
                next(steps, None)
        list(put_all(ledger, at(ledger, first.id), everybody, START))
        assert keys(ledger, first.id) == sorted(one.key for one in everybody)
        assert (at(ledger, first.id).state, at(ledger, first.id).cursor) == (AnnouncementState.PUT, "")
        assert list(put_all(ledger, at(ledger, first.id), everybody, START)) == []


async def test_what_was_stopped_is_held_back_and_goes_on_where_it_was(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger, few_at_once(2):
            record = an_announcement(ledger)
            steps = put_all(ledger, record, people("alice", "bob", "carol"), START)
            next(steps)
            sent, left = await claimed(outbox, sink="dm")
            assert await outbox.begin([sent.id], now=START) == {}
            assert ledger.write(stop, record.id, now=START) == 1
            assert list(steps) == []
            assert await outbox.begin([left.id], now=START) == {left.id: ANNOUNCEMENT_STOPPED}
            assert at(ledger, record.id).state is AnnouncementState.STOPPED_PUTTING
            await outbox.settle([Settlement(sent, Done(), Attempt(Delivered()), START, ms=1.0)])
            assert ledger.read(outcomes, record.id) == [
                (State.DELIVERED, None, 1),
                (State.HELD_BACK, ANNOUNCEMENT_STOPPED, 1),
            ]

            assert ledger.write(go_on, record.id, now=START) == 1
            assert ledger.write(go_on, record.id, now=START) == 0
            put(ledger, at(ledger, record.id), people("alice", "bob", "carol"))
            again = await claimed(outbox, sink="dm")
            assert {one.id for one in again} > {left.id}
            assert sent.id not in {one.id for one in again}
            assert len(keys(ledger, record.id)) == 3


async def test_one_that_is_all_put_is_stopped_and_goes_on_too(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            record = an_announcement(ledger)
            put(ledger, record, people("alice", "bob"))
            assert ledger.write(stop, record.id, now=START) == 2
            assert at(ledger, record.id).state is AnnouncementState.STOPPED
            assert await claimed(outbox, sink="dm") == []
            assert ledger.write(go_on, record.id, now=START) == 2
            assert at(ledger, record.id).state is AnnouncementState.PUT
            assert len(await claimed(outbox, sink="dm")) == 2


async def test_what_went_to_the_socket_goes_there_no_second_time_until_it_is_known_what_came_of_it(
    any_store_url: str,
) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            put(ledger, an_announcement(ledger), people("alice"))
        [one] = await claimed(outbox, sink="dm")
        assert await outbox.begun([one.id]) == set()
        assert await outbox.begin([one.id], now=START) == {}
        assert await outbox.begun([one.id]) == {one.id}
        assert await outbox.begin([one.id], now=START) == {one.id: UNCERTAIN}
        await outbox.settle([Settlement(one, Again(START, "away"), Attempt(Away("away")), START, ms=1.0)])
        assert await outbox.begun([one.id]) == set()
        assert await outbox.begin([one.id], now=START) == {}


async def uncertain_ones(outbox: SqlOutbox, ledger: Ledger, *names: str) -> tuple[int, list[int]]:
    """An announcement that was at the socket when the bridge was killed; its id, and those of its deliveries."""
    record = an_announcement(ledger)
    put(ledger, record, people(*names))
    found = await claimed(outbox, sink="dm")
    ids = [one.id for one in found]
    assert await outbox.begin(ids, now=START) == {}
    fate = HeldBack(UNCERTAIN)
    await outbox.settle([Settlement(one, fate, Attempt(Refused(UNCERTAIN), None), START, ms=None) for one in found])
    return record.id, ids


async def test_who_may_have_got_it_is_told_once_more_and_is_uncertain_again_at_another_kill(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            id_, ids = await uncertain_ones(outbox, ledger, "alice", "bob", "carol")
            assert ledger.write(retry, id_, [ids[1], 999], now=START) == 1
            assert ledger.write(retry, id_, [ids[1]], now=START) == 0
            [one] = await claimed(outbox, sink="dm")
            assert one.id == ids[1]
            assert await outbox.begin([one.id], now=START) == {}
            assert await outbox.begun(ids) == set(ids)
            assert await outbox.begin([one.id], now=START) == {one.id: UNCERTAIN}
            await outbox.settle([Settlement(one, Done(), Attempt(Delivered()), START, ms=1.0)])
            assert ledger.write(retry, id_, now=START) == 2
            assert ledger.write(retry, id_, now=START) == 0
            assert {one.id for one in await claimed(outbox, sink="dm")} == {ids[0], ids[2]}
            assert ledger.read(people_of, id_, limit=None, uncertain=True) == []


async def test_one_that_is_stopped_is_sent_to_nobody_once_more(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            id_, _ = await uncertain_ones(outbox, ledger, "alice")
            ledger.write(stop, id_, now=START)
            assert ledger.write(retry, id_, now=START) == 0
            assert ledger.write(go_on, id_, now=START) == 0
            assert ledger.write(retry, id_, now=START) == 1


async def test_what_was_replayed_is_not_uncertain_any_more(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            id_, ids = await uncertain_ones(outbox, ledger, "alice")
            assert [one.delivery for one in ledger.read(people_of, id_, limit=None, uncertain=True)] == ids
            assert ledger.write(replay_deliveries, DeliveryQuery(ids=tuple(ids), limit=None), now=START)
            assert ledger.write(retry, id_, now=START) == 0
            assert ledger.read(people_of, id_, limit=None, uncertain=True) == []


async def test_what_is_no_announcement_is_nobody_elses_business(outbox: SqlOutbox) -> None:
    await outbox.put(Intake([Routed(an_event(), (), DECISION)]))
    assert await outbox.begin([1, 2, 3], now=START) == {}
    assert await outbox.begun([1, 2, 3]) == set()


async def test_those_are_an_owners_whose_last_event_says_so(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        for name, owner in (("alice", "r7"), ("bob", "r7"), ("bob", "r9"), ("carol", "r9"), ("carol", "r7")):
            event = replace(an_event(f"user:{name}"), data={"owner": owner})
            await outbox.put(Intake([Routed(event, (), DECISION)], realm="marzban"))
        await outbox.put(Intake([Routed(an_event("user:alice"), (), DECISION)], realm="marzban"))
        dave = replace(an_event("user:dave"), data={"owner": "r7"})
        await outbox.put(Intake([Routed(dave, (), DECISION)], realm="other"))
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(subjects_owned_by, "marzban", "r7") == {"user:alice", "user:carol"}
        assert ledger.read(subjects_owned_by, "marzban", "r9") == {"user:bob"}
        assert ledger.read(subjects_owned_by, "other", "r7") == {"user:dave"}
        assert ledger.read(subjects_owned_by, "marzban", "nobody") == set()


async def test_it_is_kept_as_long_as_anything_of_it(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            record = an_announcement(ledger)
            put(ledger, record, people("alice"))
            put(ledger, newest := an_announcement(ledger), people("bob"))
            one, _ = await claimed(outbox, sink="dm")
            await prune(outbox)
            assert at(ledger, record.id).state is AnnouncementState.PUT
            await outbox.settle([Settlement(one, HeldBack("no"), Attempt(Delivered()), START)])
            await prune(outbox)
            assert ledger.read(announcement_of, record.id) is None
            assert keys(ledger, newest.id) == ["marzban/user:bob"]


async def test_who_is_forgotten_is_gone_from_it_and_the_others_are_told(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            record = an_announcement(ledger, chosen=("marzban/user:alice", "marzban/user:bob"))
            put(ledger, record, people("alice", "bob"))
            assert {"events.data", "deliveries.recipient", "announcements.chosen"} <= columns_with(
                any_store_url, "alice"
            )
            forget(any_store_url)
            assert columns_with(any_store_url, "alice") == set()
            assert keys(ledger, record.id) == ["marzban/user:bob"]
            assert [one.recipient for one in await claimed(outbox, sink="dm")] == ["marzban/user:bob"]


async def prune(outbox: SqlOutbox) -> None:
    while await outbox.prune(before=LATER, now=LATER, limit=100):
        pass
    await outbox.prune(before=LATER, now=LATER, limit=100)
