"""Retention: what is old is forgotten, in steps, and nothing that is still needed."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa

from bridge.errors import StoreUnavailable
from bridge.event import new_id
from bridge.intake import Destination, Fingerprint, Intake, Routed
from bridge.mute import MuteKind
from bridge.outcome import Done
from bridge.store import open_ledger, retention
from bridge.store.base import LaneState, Standing
from bridge.store.keep import Keep
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import records
from bridge.store.queries.links import CHUNK, put_token
from bridge.store.queries.mutes import add_mute
from bridge.store.queries.replay import replay_events
from bridge.store.queries.tallies import STEPS, TallyKind
from bridge.store.records import DeliveryQuery
from bridge.store.schema import deliveries, events, link_tokens, mutes
from bridge.terms import Terms
from bridge.value import replace
from tests.fakes import DECISION, START, FakeClock, an_event, an_intake
from tests.store.boxes import after, claimed, settle, subjects, under

DAY = 86400.0


def count_of(connection: sa.Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


class ScriptedOutbox(SqlOutbox):
    """Its `prune` answers by a script, and ends whoever goes on after it."""

    def __init__(self, *script: int | StoreUnavailable) -> None:
        self._script = list(script)

    async def prune(self, **_: object) -> int:  # type: ignore[override]
        if not self._script:
            raise asyncio.CancelledError
        answer = self._script.pop(0)
        if isinstance(answer, StoreUnavailable):
            raise answer
        return answer


@pytest.fixture
def tomorrow() -> FakeClock:
    """An event's id tells the real time: so does this clock."""
    return FakeClock(datetime.now(UTC) + timedelta(days=1))


async def test_old_settled_rows_are_forgotten_in_steps_and_waiting_ones_never(
    outbox: SqlOutbox, tomorrow: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(6))))
    for delivery in (await claimed(outbox))[:5]:
        await settle(outbox, delivery, Done())
    deliveries_tries_and_events, counted = (
        3 * 5,
        sum(len(STEPS[one]) for one in (TallyKind.IN, TallyKind.TYPE, TallyKind.ROW, TallyKind.OUT)),
    )
    pruned = await retention.prune(outbox, keep=Keep(operators=DAY / 2), clock=tomorrow)
    assert pruned == deliveries_tries_and_events + counted
    assert tomorrow.monotonic() >= 3 * retention.PAUSE
    assert subjects(await claimed(outbox)) == ["user:5"]


async def test_what_is_kept_for_longer_stays(outbox: SqlOutbox, tomorrow: FakeClock) -> None:
    await outbox.put(an_intake(an_event(at=datetime.now(UTC))))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Done(), at=tomorrow.now())
    assert await retention.prune(outbox, keep=Keep(operators=2 * DAY), clock=tomorrow) == 0


async def test_rounds_go_on_every_hour_whatever_the_store_does(
    tomorrow: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = ScriptedOutbox(2, 1, 0, StoreUnavailable("store: gone"), 0, 7, 0)
    caplog.set_level("INFO")
    with pytest.raises(asyncio.CancelledError):
        await retention.prune_forever(outbox, keep=Keep(operators=DAY), clock=tomorrow)
    logged = [(record.message, record.__dict__["fields"]) for record in caplog.records]
    assert logged == [
        ("retention.pruned", {"rows": 3}),
        ("retention.store_away", {"reason": "store: gone"}),
        ("retention.pruned", {"rows": 7}),
    ]
    assert tomorrow.monotonic() == pytest.approx(4 * retention.INTERVAL + 3 * retention.PAUSE)


async def test_what_is_old_is_forgotten_of_every_kind(outbox: SqlOutbox, any_store_url: str) -> None:
    """An event's id tells the real time: so does this test."""
    event = an_event(at=datetime.now(UTC))
    mark = Fingerprint("k", None, 60)
    await outbox.put(Intake([Routed(event, (), DECISION, mark)]))
    await outbox.put(Intake([Routed(replace(event, id=new_id()), (), DECISION, mark)]))
    now = event.received_at + timedelta(seconds=61)
    assert await outbox.prune(before=event.received_at - timedelta(hours=1), limit=10, now=now) == 1  # the fingerprint
    assert await outbox.prune(before=now, limit=10, now=now) >= 2  # the event, its repeat that was set aside
    with open_ledger(any_store_url) as ledger:
        assert (
            ledger.read(records.event, event.id),
            ledger.read(records.set_aside_records, DeliveryQuery(limit=9)),
        ) == (
            None,
            [],
        )


async def test_what_is_over_is_forgotten_where_nothing_else_is_old(
    outbox: SqlOutbox, any_store_url: str, tomorrow: FakeClock
) -> None:
    """Mutes, and of links that were given away more than one step takes: they name people, and nothing may come in."""
    over = tomorrow.now() - timedelta(days=3)
    tokens = [f"hash {n}" for n in range(CHUNK + 1)]
    await outbox.operate(
        lambda ledger: ledger.write(add_mute, MuteKind.SUBJECT, "user:alice", until=over, by="root", now=over)
    )
    await outbox.operate(
        lambda ledger: [ledger.write(put_token, one, "marzban/user:alice", "bot", until=over) for one in tokens]
    )
    assert await retention.prune(outbox, keep=Keep(operators=DAY), clock=tomorrow) == 1 + len(tokens)
    with open_ledger(any_store_url) as ledger:
        assert [ledger.read(count_of, table) for table in (mutes, link_tokens)] == [0, 0]


async def test_an_event_that_is_replayed_is_not_forgotten(outbox: SqlOutbox, any_store_url: str) -> None:
    event = an_event()
    await outbox.put(Intake([Routed(event, (), DECISION)]))
    with open_ledger(any_store_url) as ledger:
        ledger.write(replay_events, [Routed(event, (Destination("ops", "route 1"),), DECISION)], now=START)
    later = datetime.now(UTC) + timedelta(days=1)
    await outbox.prune(before=later, now=later, limit=10)
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(records.event, event.id) is not None
    assert subjects(await claimed(outbox)) == ["user:alice"]


async def test_what_was_said_long_ago_is_forgotten(outbox: SqlOutbox) -> None:
    await outbox.put(under(Terms(update="subject"), an_event()))
    [delivery] = await claimed(outbox)
    await settle(outbox, delivery, Done(ref="m1"), at=START)
    assert await outbox.prune(before=START, limit=10, now=START) == 0
    later = after(1)
    assert await outbox.prune(before=later, now=later, limit=10) >= 1
    assert await outbox.earlier_message("ops", "user:alice") is None


async def test_pruning_leaves_lanes_alone(outbox: SqlOutbox) -> None:
    parked = LaneState(standing=Standing.PARKED, reason="HTTP 404: webhook deleted", since=START, address="a1b2")
    await outbox.save_lane_state("ops", parked, epoch=0)
    await outbox.prune(before=after(10**8), now=after(10**8), limit=10)
    assert await outbox.lane_state("ops") == parked
    assert subjects(await claimed(outbox)) == []


#: Recipient → whose time holds for it. A realm has no slash, a name may have all that a key has.
TOLD = {
    None: "operators",
    "marzban/node:fra-1": "operators",
    "marzban/owner:reseller-7": "owner",
    "marzban/owner:a/user:b": "owner",
    "marzban/user:alice": "user",
    "marzban/user:a/owner:b": "user",
    "marzban/user:نام": "user",
}


@pytest.mark.parametrize("days", [4, 6, 8])
@pytest.mark.parametrize("kept", [*permutations((3, 5, 7)), (5, None, 3), (5, 3, None), (5, None, 7), (5, None, None)])
async def test_what_an_audience_was_told_is_kept_for_its_own_time(
    outbox: SqlOutbox,
    any_store_url: str,
    kept: tuple[int, int | None, int | None],
    days: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event's id tells the real time: so does this test. The newest delivery is never forgotten."""
    monkeypatch.setattr(retention, "BATCH", 2)
    operators, owner, user = kept
    keep = Keep(operators=operators * DAY, owner=owner and owner * DAY, user=user and user * DAY)
    days_of = {"operators": operators, "owner": owner or operators, "user": user or operators}
    now = datetime.now(UTC)
    told = [Destination("ops", "row", recipient=one) for one in TOLD]
    for to in (told, *([one] for one in told), [Destination("waits", "row")]):
        await outbox.put(Intake([Routed(an_event(at=now), tuple(to), DECISION)]))
    for delivery in await claimed(outbox):
        await settle(outbox, delivery, Done(), at=now)
    await retention.prune(outbox, keep=keep, clock=FakeClock(now + timedelta(days=days)))
    with open_ledger(any_store_url) as ledger:
        rows = ledger.read(lambda c: c.execute(sa.select(deliveries.c.recipient, deliveries.c.event_id)).all())
        there = set(ledger.read(lambda c: c.execute(sa.select(events.c.id)).scalars().all()))
    left = [one for one, whose in TOLD.items() if days_of[whose] > days]
    assert Counter(row.recipient for row in rows) == Counter([*left, *left, None])
    assert {row.event_id for row in rows} <= there
    assert len(there) == (len(TOLD) + 2 if operators > days else len(left) + bool(left) + 1)
