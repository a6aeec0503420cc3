"""Mutes: what is muted is kept, held back, and told by nobody until somebody replays it. On both engines."""

from datetime import timedelta

import pytest

from bridge.errors import BridgeError
from bridge.event import Event
from bridge.mute import Mute, MuteKind, muting
from bridge.store import open_ledger, open_outbox
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import mutes
from bridge.store.queries.records import delivery_records
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery, DeliveryRecord
from bridge.terms import Terms
from bridge.value import replace
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import after, claimed, under


def mute(url: str, kind: MuteKind, value: str, *, seconds: float = 3600) -> Mute:
    with open_ledger(url) as ledger:
        return ledger.write(mutes.add_mute, kind, value, until=after(seconds), by="mina", now=START)


def records(url: str) -> list[DeliveryRecord]:
    with open_ledger(url) as ledger:
        return ledger.read(delivery_records, DeliveryQuery())[::-1]


@pytest.mark.parametrize(
    ("kind", "value", "muted"),
    [
        (MuteKind.SUBJECT, "user:alice", [True, True, False, False]),
        (MuteKind.SUBJECT, "alice", [False] * 4),
        (MuteKind.TYPE, "user.created", [True, True, True, True]),
        (MuteKind.TYPE, "user.*", [True, True, True, True]),
        (MuteKind.TYPE, "node.*", [False] * 4),
        (MuteKind.SOURCE, "marzban", [True, True, True, True]),
        (MuteKind.SOURCE, "rebecca", [False] * 4),
        (MuteKind.SINK, "ops", [True, False, True, False]),
    ],
)
async def test_a_mute_holds_back_what_it_names_and_nothing_else(
    outbox: SqlOutbox, any_store_url: str, kind: MuteKind, value: str, muted: list[bool]
) -> None:
    mute(any_store_url, kind, value)
    made = await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob"), sinks=("ops", "team")))
    found = records(any_store_url)
    assert [one.state is State.HELD_BACK for one in found] == muted
    assert [one.id for one in made.deliveries] == [one.id for one in found if one.state is State.PENDING]
    for one in found:
        if one.state is State.HELD_BACK:
            assert (one.reason, one.note, one.settled_at) == (
                "muted",
                f"muted until {after(3600):%Y-%m-%d %H:%M} UTC by mina",
                START,
            )


async def test_what_was_muted_is_not_sent_when_the_mute_is_over_whatever_its_row_asks_for(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    mute(any_store_url, MuteKind.SUBJECT, "user:alice", seconds=60)
    await outbox.put(under(Terms(digest={"window": 3600.0}), an_event("user:alice")))  # type: ignore[arg-type]
    assert await claimed(outbox, now=after(10**6)) == []
    await outbox.put(an_intake(an_event("user:alice", at=after(60))))
    assert [one.event.received_at for one in await claimed(outbox, now=after(60))] == [after(60)]


async def test_what_was_muted_can_be_replayed(outbox: SqlOutbox, any_store_url: str) -> None:
    mute(any_store_url, MuteKind.SINK, "ops")
    await outbox.put(an_intake(an_event("user:alice")))
    with open_ledger(any_store_url) as ledger:
        held = DeliveryQuery(states=(State.HELD_BACK,), cleared=(None,))
        [again] = ledger.write(replay_deliveries, held, now=after(1))
    assert [(one.id, one.replay_of) for one in await claimed(outbox)] == [(again.id, 1)]


async def test_a_mute_is_there_after_a_restart(any_store_url: str) -> None:
    mute(any_store_url, MuteKind.SOURCE, "marzban")
    async with open_outbox(any_store_url) as outbox:
        assert (await outbox.put(an_intake(an_event()))).deliveries == []


async def test_a_mute_of_another_replica_holds_in_the_commit_after_it(outbox: SqlOutbox, any_store_url: str) -> None:
    assert len((await outbox.put(an_intake(an_event()))).deliveries) == 1
    ended = mute(any_store_url, MuteKind.SOURCE, "marzban")
    assert (await outbox.put(an_intake(an_event()))).deliveries == []
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(mutes.end_mute, ended.id, now=START) == ended
    assert len((await outbox.put(an_intake(an_event()))).deliveries) == 1


async def test_what_is_muted_again_is_so_until_then_and_listed_once(outbox: SqlOutbox, any_store_url: str) -> None:
    mute(any_store_url, MuteKind.SUBJECT, "user:alice", seconds=9)
    second = mute(any_store_url, MuteKind.SUBJECT, "user:alice", seconds=60)
    other = mute(any_store_url, MuteKind.TYPE, "user:alice")
    assert await outbox.mutes(now=START) == [second, other]
    assert await outbox.mutes(now=after(60)) == [other]


async def test_what_is_over_cannot_be_ended_and_is_forgotten(outbox: SqlOutbox, any_store_url: str) -> None:
    over = mute(any_store_url, MuteKind.SINK, "ops", seconds=60)
    with open_ledger(any_store_url) as ledger:
        assert ledger.write(mutes.end_mute, over.id, now=after(60)) is None
        assert ledger.write(mutes.end_mute, 99, now=START) is None
    await outbox.put(an_intake(an_event(at=START - timedelta(days=9))))
    await outbox.prune(before=after(61), now=after(61), limit=10)
    assert await outbox.mutes(now=START) == []


async def test_so_many_things_may_be_muted_and_no_more(
    outbox: SqlOutbox, any_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutes, "MOST", 2)
    for number in range(2):
        mute(any_store_url, MuteKind.SUBJECT, f"user:{number}")
    mute(any_store_url, MuteKind.SUBJECT, "user:1")
    with pytest.raises(BridgeError, match="2 things are muted already"):
        mute(any_store_url, MuteKind.SUBJECT, "user:2")
    assert len(await outbox.mutes(now=START)) == 2


def test_of_several_mutes_the_one_that_lasts_longest_is_named() -> None:
    event: Event = an_event()
    first = Mute(id=1, kind=MuteKind.SINK, value="ops", until=after(9), by="mina", at=START)
    longer = replace(first, id=2, kind=MuteKind.SOURCE, value="marzban", until=after(60))
    assert muting([longer, first], event, "ops", START) == longer
    assert muting([first], event, "ops", after(9)) is None
