"""The feed for programs: what each hears, what one who comes back is told, and what it may cost."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from bridge.admin.answers import RequestRefused
from bridge.admin.streams import feed
from bridge.admin.streams.broadcast import BEAT, EVERY, LASTS, ServerSentEvent
from bridge.admin.streams.feed import Feed, Listener
from bridge.admin.streams.tail import Happening, HappeningKind, TailFilter
from bridge.errors import StoreUnavailable
from bridge.outcome import Attempt, Delivered, Done
from bridge.store import open_outbox, open_reader
from bridge.store.base import LaneState, Standing
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from tests.admin.hands import Hands
from tests.admin.running import settle
from tests.fakes import START, FakeClock, an_event, an_intake

T = TypeVar("T")


class House:
    """A store, a feed of it, and a clock that moves on by a second with each look."""

    def __init__(self, outbox: SqlOutbox, ledger: Ledger) -> None:
        self.outbox, self.hands, self.time = outbox, Hands(), FakeClock(START)
        self.fault: Exception | None = None
        self.looks = 0

        async def run(look: Callable[[Ledger], T]) -> T:
            self.looks += 1
            if self.fault is not None:
                raise self.fault
            return look(ledger)

        self.feed = Feed(run, self.time.now, self.hands)

    async def listener(self, last_id: str | None = None, **wanted: str) -> Listener:
        """One that has heard that the feed is there."""
        opened = Listener(TailFilter(**wanted), lambda: True, last_id)
        self.feed.open(opened)
        await self.look()
        return opened

    async def look(self, seconds: float = EVERY) -> None:
        self.time.step(seconds)
        await self.hands.wake(seconds)

    async def happens(self, name: str, *, type_: str = "user.created") -> None:
        event = an_event(f"user:{name}", type_=type_, at=self.time.now())
        await self.outbox.put(an_intake(event))
        await self.look()


@pytest.fixture
async def house(any_store_url: str) -> AsyncIterator[House]:
    async with open_outbox(any_store_url) as outbox:
        reader = open_reader(any_store_url, limit=30)
        made = House(outbox, reader)
        yield made
        await made.feed.close()
        reader.close()


async def heard(listener: Listener) -> list[ServerSentEvent] | None:
    """What waits for it; None once it is over."""
    found: list[ServerSentEvent] = []
    messages = listener.messages()
    while True:
        reading = asyncio.ensure_future(anext(messages))
        for _ in range(5):
            await asyncio.sleep(0)
        if not reading.done():
            reading.cancel()
            return found
        try:
            found.append(reading.result())
        except StopAsyncIteration:
            return None


async def beats(listener: Listener) -> list[str]:
    """What it hears, which is beats and nothing else."""
    said = await heard(listener) or []
    assert {one.event for one in said} <= {"beat"}
    return [one.data for one in said]


async def told(listener: Listener) -> list[tuple[str | None, Any]]:
    """What happened, as it is told: its name, and who or what it is about."""
    said = [one for one in await heard(listener) or () if one.event != "beat"]
    values = [(one.event, json.loads(one.data)) for one in said]
    return [(name, value.get("subject") or value.get("sink") or value.get("text")) for name, value in values]


async def test_events_tries_and_lanes_are_told_as_they_happen(house: House) -> None:
    listener = await house.listener()
    event = an_event(at=house.time.now())
    await house.outbox.put(an_intake(event))
    await house.look()
    assert await told(listener) == [("event", "user:alice")]
    await settle(house.outbox, event, "ops", Done(), Attempt(Delivered(), 200))
    await house.outbox.save_lane_state("ops", LaneState(standing=Standing.AWAY, reason="HTTP 502"), epoch=0)
    await house.look()
    assert sorted(await told(listener)) == [("attempt", "user:alice"), ("lane", "ops")]


async def test_what_happens_before_the_first_look_is_told_as_well(house: House) -> None:
    listener = Listener(TailFilter(), lambda: True)
    house.feed.open(listener)
    await house.outbox.put(an_intake(an_event(at=START + timedelta(seconds=1))))
    await house.look()
    assert await told(listener) == [("event", "user:alice")]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["user:a", "user:b"]),
        ({"type": "user.exp*"}, ["user:b"]),
        ({"subject": "user:a"}, ["user:a"]),
        ({"source": "elsewhere"}, []),
        ({"sink": "team"}, []),
        ({"sink": "ops"}, ["user:a", "user:b"]),
    ],
)
async def test_each_hears_what_he_wants(house: House, wanted: dict[str, str], expected: list[str]) -> None:
    listener = await house.listener(**wanted)
    await house.happens("a")
    await house.happens("b", type_="user.expired")
    assert [about for _, about in await told(listener)] == expected


def test_lanes_are_told_to_who_wants_that_sink_or_any_and_what_is_left_out_to_all() -> None:
    lane, gap = (Happening(at=START, kind=kind, sink="ops") for kind in (HappeningKind.LANE, HappeningKind.LEFT_OUT))
    assert [TailFilter(sink=sink, type="user.*").tells(lane) for sink in (None, "ops", "team")] == [True, True, False]
    assert TailFilter(sink="team").tells(gap)


async def test_however_many_listen_the_store_is_looked_at_once(house: House) -> None:
    listeners = [await house.listener() for _ in range(Feed.most)]
    before = house.looks
    await house.happens("a")
    assert house.looks == before + 1
    assert [await told(one) for one in listeners] == [[("event", "user:a")]] * Feed.most
    with pytest.raises(RequestRefused) as refused:
        house.feed.open(Listener(TailFilter(), lambda: True))
    assert refused.value.status == 503


async def test_who_comes_back_is_told_what_he_missed_and_no_more(house: House) -> None:
    listener = await house.listener()
    await house.happens("a")
    [last] = [one for one in await heard(listener) or () if one.event == "event"]
    house.feed.leave(listener)
    await house.happens("b")
    again = await house.listener(last.id)
    await house.happens("c")
    assert [about for _, about in await told(again)] == ["user:b", "user:c"]


async def test_beats_say_how_far_one_has_heard_who_hears_nothing_else(house: House) -> None:
    listener = await house.listener()
    [first] = await heard(listener) or ()
    house.feed.leave(listener)
    await house.happens("a")
    again = await house.listener(first.id)
    assert await told(again) == [("event", "user:a")]
    await house.look(BEAT)
    [second] = await heard(again) or ()
    house.feed.leave(again)
    await house.happens("b")
    assert await told(await house.listener(second.id)) == [("event", "user:b")]


async def test_who_filters_hears_by_beats_how_far_all_is_told_and_is_not_told_that_something_is_left_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.feed, "_happened", deque(maxlen=2))
    listener = await house.listener(subject="user:a")
    await house.happens("a")
    [*_, last] = await heard(listener) or ()
    for name in "bcd":
        await house.happens(name)
    await house.look(BEAT)
    [beat] = await heard(listener) or ()
    assert (beat.event, beat.id != last.id) == ("beat", True)
    assert await told(await house.listener(beat.id, subject="user:a")) == []
    assert [name for name, _ in await told(await house.listener(last.id, subject="user:a"))] == ["left_out"]


async def test_no_beat_says_that_one_has_heard_what_is_still_to_be_told(house: House) -> None:
    listener = await house.listener()
    for name in "ab":
        await house.happens(name)
    first = next(one for one in await heard(listener) or () if one.event == "event")
    again = Listener(TailFilter(), lambda: True, first.id)
    house.feed.open(again)
    assert [one.event for one in await heard(again) or ()] == ["event"]


@pytest.mark.parametrize("last", ["00000000-7", "nonsense", "-", "{name}-0", "{name}-99999999999999999999999"])
async def test_who_comes_back_too_late_is_told_that_something_is_left_out(
    house: House, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await house.listener()
    await house.happens("a")
    [said] = [one for one in await heard(listener) or () if one.event == "event"]
    name = (said.id or "").partition("-")[0]
    again = await house.listener(last.format(name=name))
    first = await told(again)
    if last.endswith("-0"):
        assert first == [("event", "user:a")]  # nothing was told before it
    elif last.endswith("9"):
        assert first == []  # of what is still to come nothing is missing
    else:
        assert first == [("left_out", "what happened meanwhile is not remembered"), ("event", "user:a")]


async def test_who_comes_back_when_nobody_has_looked_meanwhile_is_told_that_something_is_left_out(house: House) -> None:
    listener = await house.listener()
    await house.happens("a")
    [last] = [one for one in await heard(listener) or () if one.event == "event"]
    house.feed.leave(listener)
    await house.look(Feed.grace)
    await house.look()
    before = house.looks
    await house.happens("b")
    assert house.looks == before
    again = await house.listener(last.id)
    await house.happens("c")
    assert await told(again) == [("left_out", "what happened meanwhile is not remembered"), ("event", "user:c")]


async def test_nobody_listens_and_after_a_while_nobody_looks(house: House) -> None:
    listener = await house.listener()
    house.feed.leave(listener)
    before = house.looks
    await house.look()
    assert house.looks == before + 1
    await house.look(Feed.grace)
    await house.look()
    assert house.looks == before + 1


async def test_who_reads_slowly_is_told_how_much_was_left_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "KEPT", 2)
    listener = await house.listener()
    for name in "abcd":
        await house.happens(name)
    said = [one for one in await heard(listener) or () if one.event != "beat"]
    assert [(one.event, json.loads(one.data).get("number")) for one in said[:1]] == [("left_out", 3)]
    assert [json.loads(one.data)["subject"] for one in said[1:]] == ["user:c", "user:d"]


@pytest.mark.parametrize("fault", [StoreUnavailable("store: away"), RuntimeError("a fault of ours")])
async def test_what_happens_while_nobody_can_look_is_told_afterwards(house: House, fault: Exception) -> None:
    listener = await house.listener()
    await heard(listener)
    house.fault = fault
    await house.outbox.put(an_intake(an_event("user:a", at=house.time.now() + timedelta(seconds=1))))
    await house.look()
    assert await beats(listener) == ["away"]
    house.fault = None
    await house.look()
    assert await told(listener) == [("event", "user:a")]


async def test_a_beat_says_now_and_then_that_it_is_there(house: House) -> None:
    listener = await house.listener()
    await heard(listener)
    for _ in range(3):
        await house.look(BEAT)
        assert await beats(listener) == ["live"]


async def test_a_stream_ends_after_a_while_and_when_whoever_listens_may_no_more(house: House) -> None:
    may = [True]
    one, other = Listener(TailFilter(), lambda: may[0]), await house.listener()
    house.feed.open(one)
    may[0] = False
    await house.look()
    assert await heard(one) is None
    assert await heard(other) is not None
    await house.look(LASTS)
    await house.look()
    assert await heard(other) is None
