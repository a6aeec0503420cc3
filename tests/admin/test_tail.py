"""A tail tells each event and each settlement once, whatever is looked for, at a cost that is bounded."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.admin.streams import tail
from bridge.admin.streams.tail import Happening, HappeningKind, Tail, TailFilter
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, HeldBack, Refused
from bridge.store import open_ledger, open_outbox
from bridge.store.base import LaneState, Settlement, Standing
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.value import replace
from tests.fakes import an_event, an_intake
from tests.store.boxes import claimed, settle

EVERYTHING = TailFilter()


def now() -> datetime:
    return datetime.now(UTC)


def looked(following: Tail) -> list[tuple[str, str | None]]:
    """What is new: how each began, and what it is about."""
    return [(one.kind, one.subject or one.sink) for one in following.look(now())]


async def put(outbox: SqlOutbox, subject: str, *sinks: str, type_: str = "user.created") -> None:
    await outbox.put(an_intake(an_event(subject, type_=type_, at=now()), sinks=sinks))


def following(ledger: Ledger, wanted: TailFilter = EVERYTHING) -> Tail:
    return Tail(ledger, wanted, since=now())


async def test_an_event_is_told_once_and_so_is_each_settlement(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            await put(outbox, "user:before", "ops")
            tailed = following(ledger)
            assert looked(tailed) == []
            await put(outbox, "user:alice", "ops")
            assert looked(tailed) == [(HappeningKind.EVENT, "user:alice")]
            assert looked(tailed) == []
            before, alice = await claimed(outbox, now=now())
            await settle(outbox, before, Done(), at=now())
            await settle(outbox, alice, Dead("no"), Attempt(Refused("no"), 400), at=now())
            assert looked(tailed) == [(HappeningKind.DELIVERED, "user:before"), (HappeningKind.DEAD, "user:alice")]
            assert looked(tailed) == []


async def test_what_is_tried_again_is_told_each_time(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            tailed = following(ledger)
            await put(outbox, "user:alice", "ops")
            assert looked(tailed) == [(HappeningKind.EVENT, "user:alice")]
            [alice] = await claimed(outbox, now=now())
            fate = Again(now(), "HTTP 502")
            await settle(outbox, alice, fate, Attempt(Away("HTTP 502"), 502), at=now())
            [told] = tailed.look(now())
            assert (told.kind, told.status, told.text, told.sink) == (HappeningKind.AGAIN, 502, "HTTP 502", "ops")
            assert looked(tailed) == []


async def test_what_is_held_back_and_what_goes_nowhere_is_told(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            tailed = following(ledger)
            await put(outbox, "user:bob")
            [nowhere] = tailed.look(now())
            assert (nowhere.kind, nowhere.to) == (HappeningKind.EVENT, ())
            await put(outbox, "user:alice", "ops")
            [alice] = await claimed(outbox, now=now())
            await settle(outbox, alice, HeldBack("quiet hours"), at=now())
            assert looked(tailed) == [(HappeningKind.EVENT, "user:alice"), (HappeningKind.HELD_BACK, "user:alice")]


async def test_a_lane_that_changes_is_told(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        with open_ledger(any_store_url) as ledger:
            tailed = following(ledger)
            await outbox.save_lane_state(
                "ops", LaneState(standing=Standing.PARKED, reason="gone", since=now()), epoch=0
            )
            [told] = tailed.look(now())
            assert (told.kind, told.sink, told.text) == (HappeningKind.LANE, "ops", "parked: gone")
            assert looked(tailed) == []
            await outbox.save_lane_state("ops", LaneState(), epoch=0)
            [told] = tailed.look(now())
            assert told.text == "open"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (TailFilter(subject="user:alice"), ["user:alice"]),
        (TailFilter(sink="team"), ["node:fra"]),
        (TailFilter(type="user.*"), ["user:alice"]),
        (TailFilter(type="node_connection_lost"), ["node:fra"]),  # or the panel's own name
        (TailFilter(source="marzban"), ["user:alice", "node:fra"]),
        (TailFilter(source="another"), []),
    ],
)
async def test_only_what_is_wanted_is_told(store_url: str, wanted: TailFilter, told: list[str]) -> None:
    async with open_outbox(store_url) as outbox:
        with open_ledger(store_url) as ledger:
            tailed = following(ledger, wanted)
            await put(outbox, "user:alice", "ops")
            await put(outbox, "node:fra", "team", type_="node.connection_lost")
            assert [subject for _, subject in looked(tailed)] == told
            for sink in ("ops", "team"):
                for one in await claimed(outbox, now=now(), sink=sink):
                    await settle(outbox, one, Done(), at=now())
            assert [subject for _, subject in looked(tailed)] == told


async def test_it_looks_back_as_far_as_it_is_told(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await put(outbox, "user:alice", "ops")
        [alice] = await claimed(outbox, now=now())
        await settle(outbox, alice, Done(), Attempt(Delivered(), 200), at=now())
        with open_ledger(any_store_url) as ledger:
            tailed = Tail(ledger, EVERYTHING, since=now() - timedelta(hours=1), back=True)
            assert looked(tailed) == [(HappeningKind.EVENT, "user:alice"), (HappeningKind.DELIVERED, "user:alice")]
            assert looked(tailed) == []


async def test_looking_back_it_tells_what_was_tried_since_and_still_waits(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        hour_ago = now() - timedelta(hours=1)
        for subject, at in (("user:old", hour_ago), ("user:older", hour_ago), ("user:alice", now())):
            await outbox.put(an_intake(an_event(subject, at=at), sinks=("ops",)))
        tries = {
            "user:old": (now() - timedelta(minutes=30), now()),
            "user:older": (now() - timedelta(minutes=30),),
            "user:alice": (now(),),
        }
        for one in await claimed(outbox, now=now()):
            for number, at in enumerate(tries[one.event.subject or ""]):
                tried = replace(one, attempts=number), Again(at, "HTTP 502"), Attempt(Away("HTTP 502"), 502)
                await outbox.settle([Settlement(*tried, at, ms=1.0)])
        with open_ledger(any_store_url) as ledger:
            tailed = Tail(ledger, EVERYTHING, since=now() - timedelta(minutes=10), back=True)
            found = [one for one in looked(tailed) if one[0] != HappeningKind.EVENT]
            assert sorted(found) == [(HappeningKind.AGAIN, "user:alice"), (HappeningKind.AGAIN, "user:old")]
            assert looked(tailed) == []


@pytest.mark.parametrize("back", [True, False])
async def test_what_is_tried_between_its_beginning_and_the_first_look_is_told_once(
    any_store_url: str, back: bool
) -> None:
    async with open_outbox(any_store_url) as outbox:
        await put(outbox, "user:alice", "ops")
        [alice] = await claimed(outbox, now=now())
        with open_ledger(any_store_url) as ledger:
            tailed = Tail(ledger, EVERYTHING, since=now() - timedelta(hours=1) if back else now(), back=back)
            await settle(outbox, alice, Again(now(), "HTTP 502"), Attempt(Away("HTTP 502"), 502), at=now())
            assert [kind for kind, _ in looked(tailed) if kind is not HappeningKind.EVENT] == [HappeningKind.AGAIN]


async def test_of_a_flood_the_newest_are_told_and_how_many_are_left_out(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "SHOWN", 3)
    monkeypatch.setattr(tail, "WATCHED", 2)
    async with open_outbox(store_url) as outbox:
        with open_ledger(store_url) as ledger:
            tailed = following(ledger)
            await outbox.put(an_intake(*(an_event(f"user:{n}", at=now()) for n in range(8)), sinks=("ops",)))
            found = {one.subject or one.number: one.kind for one in tailed.look(now())}
            assert found == {
                5: HappeningKind.LEFT_OUT,
                "user:5": HappeningKind.EVENT,
                "user:6": HappeningKind.EVENT,
                "user:7": HappeningKind.EVENT,
            }
            for _ in range(4):
                assert tailed.look(now()) == []
            for one in await claimed(outbox, now=now()):
                await settle(outbox, one, Done(), at=now())
            assert [one.subject for one in tailed.look(now())] == ["user:6", "user:7"]  # those that it still watches


def test_a_line_as_json_has_no_more_than_its_shape() -> None:
    told = Happening(at=datetime(2026, 11, 21, tzinfo=UTC), kind=HappeningKind.LANE, sink="ops").to_json()
    assert (told["at"], told["kind"], told["sink"]) == ("2026-11-21T00:00:00Z", "lane", "ops")
