"""Whom the store knows of, on both engines: one page after the other, and what one of them was told."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import StoreUnavailable
from bridge.intake import Destination, Intake, Routed
from bridge.outcome import Attempt, Delivered, Done, HeldBack
from bridge.store import open_ledger, open_outbox
from bridge.store.base import Settlement, State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.directory import CHUNK, RecordRow, records_of
from bridge.store.queries.links import put_link, put_token
from bridge.store.queries.people import PeopleFilter, count_given_away, people_keys, told_to
from bridge.store.queries.wishes import set_stopped, set_wants
from tests.fakes import DECISION, START, an_event
from tests.store.boxes import claimed

NAMES = ["a", "B", "ä", "ab", "a_b", "a%b", "علی", "z/z", "🛠"]
HERE, THERE = "berlin/user:", "paris/user:"


async def test_everybody_is_met_once_whatever_they_are_called(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await outbox.keep_directory("1", [(f"{HERE}{one}", {"telegram": 1}) for one in NAMES] + [("default", {})])
    with open_ledger(any_store_url) as ledger:
        for one in NAMES[:4]:
            ledger.write(put_link, f"{HERE}{one}", "a bot", "7", how="token", now=START)
            ledger.write(put_link, f"{HERE}{one}", "another bot", "7", how="token", now=START)
        ledger.write(put_link, f"{THERE}a", "a bot", "8", how="token", now=START)
        ledger.write(set_wants, f"{HERE}new", {"news": False}, by="operator", now=START)
        for scope in (f"{HERE}a", "a bot/chat:7", "forgotten:123"):
            ledger.write(set_stopped, scope, stop=True, by="operator", now=START)
        for limit in (1, 3, 100):
            met: list[str] = []
            while some := ledger.read(
                people_keys, [HERE], which=PeopleFilter.ALL, after=met[-1] if met else None, limit=limit
            ):
                met += some
            assert len(met) == len(set(met))
            assert set(met) == {f"{HERE}{one}" for one in (*NAMES, "new")}
        stopped = ledger.read(people_keys, [HERE, THERE], which=PeopleFilter.STOPPED, after=None, limit=9)
        assert stopped == [f"{HERE}a"]
        linked = ledger.read(people_keys, [HERE, THERE], which=PeopleFilter.LINKED, after=None, limit=9)
        assert set(linked) == {*(f"{HERE}{one}" for one in NAMES[:4]), f"{THERE}a"}
        assert ledger.read(people_keys, [f"{HERE}a_"], which=PeopleFilter.ALL, after=None, limit=9) == [f"{HERE}a_b"]
        assert ledger.read(people_keys, [], which=PeopleFilter.ALL, after=None, limit=9) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begins=st.text("aäB_%🛠/", max_size=3))
def test_names_are_found_sign_by_sign(store_url: str, begins: str) -> None:
    with open_ledger(store_url) as ledger:
        for one in NAMES:
            ledger.write(put_link, f"{HERE}{one}", "a bot", "7", how="token", now=START)
        found = ledger.read(people_keys, [f"{HERE}{begins}"], which=PeopleFilter.ALL, after=None, limit=99)
    assert set(found) == {f"{HERE}{one}" for one in NAMES if one.startswith(begins)}


async def test_what_somebody_was_told_is_theirs_alone_the_newest_first(any_store_url: str) -> None:
    mine, hers = f"{HERE}alice", f"{THERE}alice"
    async with open_outbox(any_store_url) as outbox:
        for number in range(3):
            routed = [
                Routed(an_event("user:alice"), (Destination("ops", "a row", recipient=key),), DECISION)
                for key in (mine, hers)
            ]
            await outbox.put(Intake(routed))
            for one in await claimed(outbox, after=2 * number):
                fate = Done() if number else HeldBack("quiet")
                await outbox.settle([Settlement(one, fate, Attempt(Delivered(), 200), START)])
    with open_ledger(any_store_url) as ledger:
        told = ledger.read(told_to, mine, "user:alice", limit=2)
        assert [(one.id, one.state) for one in told] == [(5, State.DELIVERED), (3, State.DELIVERED)]
        assert [one.state for one in ledger.read(told_to, mine, "user:bob", limit=9)] == [State.DELIVERED] * 2
        assert ledger.read(told_to, mine, "user:alice", limit=9)[-1].reason == "quiet"


def test_a_link_counts_as_long_as_it_can_be_used(store_url: str) -> None:
    with open_ledger(store_url) as ledger:
        ledger.write(put_token, "a hash", f"{HERE}alice", "a bot", until=START)
        assert ledger.read(count_given_away, f"{HERE}alice", START.replace(year=2025)) == 1
        assert ledger.read(count_given_away, f"{HERE}alice", START) == 0


async def test_a_directory_of_which_another_replica_has_deleted_something_is_not_put_in_force(
    outbox: SqlOutbox,
) -> None:
    names = [f"marzban/user:{number}" for number in range(CHUNK + 1)]
    begun, over = threading.Event(), threading.Event()

    def slowly() -> Iterator[RecordRow]:
        yield from ((one, {"telegram": 7}) for one in names[:CHUNK])
        begun.set()
        over.wait()
        yield names[CHUNK], {"telegram": 7}

    keeping = asyncio.create_task(outbox.keep_directory("new", slowly()))
    await asyncio.to_thread(begun.wait)
    await outbox.keep_directory("other", [(names[0], {"telegram": 8})])
    over.set()
    with pytest.raises(StoreUnavailable):
        await keeping
    assert await outbox.operate(lambda ledger: ledger.read(records_of, names)) == {names[0]: {"telegram": 8}}
    await outbox.keep_directory("new", ((one, {"telegram": 7}) for one in names))
    assert len(await outbox.operate(lambda ledger: ledger.read(records_of, names))) == CHUNK + 1
