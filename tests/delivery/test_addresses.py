"""One lane, many addresses: nobody waits for another's limit, and nothing is for two."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.delivery.gate import Admitted, Gate
from bridge.delivery.lookup import address_of
from bridge.delivery.queue import Batch
from bridge.errors import StoreUnavailable
from bridge.event import Event
from bridge.intake import Destination, Intake, Routed
from bridge.message import Digest, Message
from bridge.outcome import Attempt, Delivered, Gone, Limited, Spaced
from bridge.people.address import Address, Addressing, Form, NoAddress
from bridge.people.recipient import Audience
from bridge.sinks.base import OnSent
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.claim import INLINE
from bridge.terms import Storm
from bridge.value import replace
from tests.delivery.lanes import ScriptedSink, a_lane, carry_all, look_up, pass_time
from tests.fakes import DECISION, FakeClock, an_event

FORMS = {"to": Form("[a-z0-9-]+", "a word")}
OWNER = Addressing({"to": "{{ owner.to }}"}, FORMS)


class Many(ScriptedSink):
    """A sink with an address for each owner; it remembers what it was sent there, and when."""

    addressing = OWNER
    spacing = (Spaced(1, 1.0), Spaced(5, 4.0))
    storm = None

    def __init__(self, clock: FakeClock, answers: Sequence[Any] = ()) -> None:
        super().__init__(clock, answers)
        self.there: list[tuple[float, str, Message | Digest]] = []
        self.on_take: Callable[[], None] = lambda: None

    def at(self, address: Address) -> "ScriptedSink":
        return _There(self, address.settings["to"])


class _There(ScriptedSink):
    spacing = Many.spacing
    addressing = OWNER

    def __init__(self, sink: Many, name: str) -> None:
        self._sink, self._name = sink, name

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        return self._take(message)

    async def send_digest(self, digest: Digest, on_sent: OnSent = None) -> Attempt:
        return self._take(digest)

    def _take(self, message: Message | Digest) -> Attempt:
        self._sink.there.append((self._sink._clock.monotonic(), self._name, message))
        self._sink.on_take()
        return self._sink._answer()


def intake(*owners: str, each: int = 1) -> Intake:
    """So many events for each of these owners."""
    return Intake([_routed(owner, number) for owner in owners for number in range(each)])


def _routed(owner: str, number: int) -> Routed:
    event: Event = replace(an_event(f"user:{owner}-{number}"), data={"owner": owner})
    return Routed(event, (Destination("ops", "route 1", recipient=f"marzban/owner:{owner}"),), DECISION)


async def know(outbox: SqlOutbox, *owners: str) -> None:
    await outbox.keep_directory("one", [(f"marzban/owner:{one}", {"to": one}) for one in owners])


def times(sink: Many, name: str) -> list[float]:
    return [at for at, to, _ in sink.there if to == name]


async def test_nobody_waits_for_another_ones_limit(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = Many(clock)
    await know(outbox, "big", "small")
    await outbox.put(intake("big", each=30))
    await outbox.put(intake("small"))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    assert times(sink, "small") == [0.0]
    assert times(sink, "big") == [0.0]
    await pass_time(lane, clock, 120)
    assert len(times(sink, "big")) == 30
    for at in times(sink, "big"):
        assert sum(at <= one < at + 1 for one in times(sink, "big")) == 1
        assert sum(at <= one < at + 60 for one in times(sink, "big")) <= 20


@pytest.mark.parametrize("audience", Audience)
async def test_an_event_that_is_too_big_to_be_claimed_with_the_others_goes_where_it_belongs(
    outbox: SqlOutbox, clock: FakeClock, audience: Audience
) -> None:
    """Whom it is for was decided when it was routed: nothing of it has to be read to know where that is."""
    addressing, key = Addressing({"to": f"{{{{ {audience}.to }}}}"}, FORMS), f"marzban/{audience.kind}:big"
    about = {"owner": "big", "node": {"name": "big"}, "user": {"username": "big"}}
    event = replace(an_event("device:7", type_="device.added"), data=about, native={"text": "x" * INLINE})
    await outbox.put(Intake([Routed(event, (Destination("ops", "route 1", recipient=key),), DECISION)]))
    [claimed] = (await outbox.claim("ops", after=0, now=clock.now(), limit=10)).deliveries
    assert not claimed.loaded
    [loaded] = await outbox.load([claimed])
    for one in (claimed, loaded):
        assert address_of(one, addressing, {key: {"to": "its-own"}}) == Address("its-own", {"to": "its-own"})
        assert address_of(one, addressing, {}) == NoAddress(f'no {audience.kind} "big" in the directory')


async def test_a_delivery_is_written_thrice_however_long_its_address_is_behind(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Many(clock)
    await know(outbox, "big")
    await outbox.put(intake("big", each=30))
    settled: Counter[int] = Counter()
    settle = outbox.settle
    outbox.settle = lambda some: (settled.update(one.delivery.id for one in some), settle(some))[1]  # type: ignore[method-assign]
    await pass_time(a_lane(outbox, sink, clock), clock, 120, by=0.25)
    assert len(times(sink, "big")) == 30
    assert max(settled.values()) <= 2  # beside the put


async def test_whoever_asks_to_be_left_alone_is_left_alone_by_himself(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Many(clock)
    await know(outbox, "one", "other")
    lane = a_lane(outbox, sink, clock)
    await outbox.put(intake("one"))
    await carry_all(lane)
    sink.answers = [Limited(30.0)]
    await pass_time(lane, clock, 5)
    await outbox.put(intake("one"))
    lane.wake()
    await carry_all(lane)
    await outbox.put(intake("other"))
    lane.wake()
    await pass_time(lane, clock, 10)
    assert times(sink, "other") == [5.0]
    await pass_time(lane, clock, 40)
    assert times(sink, "one") == [0.0, 5.0, 35.0]


async def test_a_pause_that_an_answers_head_announces_is_the_address_own(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Many(clock, [Attempt(Delivered(), 200, pause=30.0)])
    await know(outbox, "one", "other")
    await outbox.put(intake("one", each=2))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    await outbox.put(intake("other"))
    lane.wake()
    await pass_time(lane, clock, 60)
    assert times(sink, "other") == [0.0]
    assert times(sink, "one") == [0.0, 30.0]


async def test_a_limit_at_an_address_that_was_left_alone_is_the_whole_bots(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Many(clock, [Limited(30.0)])
    await know(outbox, "one", "other")
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 60)
    await outbox.put(intake("one"))
    lane.wake()
    await carry_all(lane)
    await outbox.put(intake("other"))
    lane.wake()
    await pass_time(lane, clock, 40)
    assert times(sink, "other")[0] >= 90.0


async def test_a_limit_that_may_be_about_what_was_sent_before_a_restart_holds_up_nobody_else(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = Many(clock, [Limited(30.0)])
    await know(outbox, "busy", "other", "third")
    await outbox.put(intake("busy", "other"))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 10)
    assert (times(sink, "busy"), times(sink, "other")) == ([0.0], [0.0])
    sink.answers = [Limited(30.0)]  # and where it is said of another one too, it is the bot's
    await outbox.put(intake("other", "third"))
    lane.wake()
    await pass_time(lane, clock, 60)
    assert times(sink, "busy")[1] >= 30.0


async def test_while_the_store_is_slow_to_record_what_was_sent_no_two_go_to_one_address_at_once(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = Many(clock)
    await know(outbox, "one")
    await outbox.put(intake("one", each=3))
    gate, zone = Gate(sink, outbox, clock), ZoneInfo("UTC")
    claimed = (await outbox.claim("ops", after=0, now=clock.now(), limit=10)).deliveries
    first, second, third = [await gate.admit(Batch([one]), zone) for one in claimed]
    async with AsyncExitStack() as recording_second:
        async with gate.turn(first):
            await gate.sent(first, Attempt(Delivered()), clock.monotonic())
            clock.step(2)
            assert (await recording_second.enter_async_context(gate.turn(second))).batch.deliveries
        async with gate.turn(third) as turned:
            assert not turned.batch.deliveries


class SeveralAtOnce(Many):
    concurrency = 4


@pytest.mark.parametrize("busy", [1, 2, 5])
async def test_who_is_told_a_little_late_holds_up_nobody_else(
    outbox: SqlOutbox, clock: FakeClock, busy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait until their addresses may be spoken to, there is room for others."""
    sink, names = SeveralAtOnce(clock), [f"r{number}" for number in range(busy)]
    await know(outbox, *names, "other")
    gate = Gate(sink, outbox, clock)
    waits = [0]

    async def never(_: float) -> None:
        waits[0] += 1
        await asyncio.Event().wait()

    await outbox.put(intake(*names, each=6))
    found = list((await outbox.claim("ops", after=0, now=clock.now(), limit=100)).deliveries)
    monkeypatch.setattr(clock, "sleep", never)
    tasks = []
    for one in found:
        admitted = await gate.admit(Batch([replace(one, state=State.WAITING)]), ZoneInfo("UTC"))
        slept, turn = waits[0], asyncio.create_task(_turn(gate, admitted))
        tasks.append(turn)
        while not (turn.done() or waits[0] > slept):
            await asyncio.sleep(0.001)
    asleep = sum(not one.done() for one in tasks)
    assert asleep == waits[0] == min(busy, 2)
    for one in tasks:
        one.cancel()


async def _turn(gate: Gate, admitted: Admitted) -> None:
    async with gate.turn(admitted) as turned:
        if turned.batch.deliveries:
            await gate.sent(admitted, Attempt(Delivered()), at=0.0)


@pytest.mark.parametrize("answer", [Gone("kicked", "address"), Delivered()])
async def test_an_address_that_is_gone_holds_up_no_other(outbox: SqlOutbox, clock: FakeClock, answer: Any) -> None:
    sink = Many(clock, [answer])
    await know(outbox, "one", "other")
    await outbox.put(intake("one", "other"))
    await carry_all(a_lane(outbox, sink, clock))
    assert [name for _, name, _ in sink.there] == ["one", "other"]


@pytest.mark.parametrize("answer", [Gone("kicked", "address"), Delivered()])
@pytest.mark.parametrize("asked", ["version", "address_state", "save_address_state"])
async def test_a_store_that_is_away_when_something_was_sent_has_nothing_sent_twice(
    outbox: SqlOutbox, store_url: str, clock: FakeClock, answer: Any, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, failed = Many(clock, [answer]), list[str]()
    answering = getattr(outbox, asked)

    async def away(*args: Any, **kwargs: Any) -> Any:
        if sink.there and not failed:
            failed.append(asked)
            raise StoreUnavailable("store: away")
        return await answering(*args, **kwargs)

    monkeypatch.setattr(outbox, asked, away)
    await know(outbox, "one")
    await outbox.put(intake("one"))
    sink.on_take = lambda: clock.step(1)  # so long that whether something has changed is asked anew
    await pass_time(a_lane(outbox, sink, clock), clock, 60)
    assert failed
    assert [name for _, name, _ in sink.there] == ["one"]
    assert [one.state for one in look_up(store_url)] != ["pending"]


async def test_who_has_fallen_behind_is_told_at_once_and_alone(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Many(clock)
    sink.storm = Storm(age=20.0)
    await know(outbox, "big", "small")
    await outbox.put(intake("big", each=60))
    await outbox.put(intake("small", each=2))
    await pass_time(a_lane(outbox, sink, clock), clock, 120)
    digests = [(name, one) for _, name, one in sink.there if isinstance(one, Digest)]
    assert [name for name, _ in digests] == ["big"]
    assert {event.data["owner"] for _, one in digests for event in one.events} == {"big"}
    assert {record.state for record in look_up(store_url)} == {"delivered"}
    assert len(times(sink, "small")) == 2


async def test_an_address_that_is_gone_is_asked_once_a_day(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    sink = Many(clock, [Gone("HTTP 403: Forbidden: bot was kicked", "address")])
    await know(outbox, "one")
    lane = a_lane(outbox, sink, clock)
    for _ in range(3):
        await outbox.put(intake("one"))
        lane.wake()
        await pass_time(lane, clock, 100, by=50)
    assert len(sink.there) == 1
    assert {(one.state, one.reason) for one in look_up(store_url)} == {
        ("held_back", "HTTP 403: Forbidden: bot was kicked")
    }
    clock.step(86400)
    await outbox.put(intake("one", each=2))
    lane.wake()
    await pass_time(lane, clock, 10)
    assert len(sink.there) == 3


async def test_when_nearly_all_are_gone_that_took_messages_it_is_one_mistake(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    names = [f"r{number}" for number in range(60)]
    sink = Many(clock)
    await know(outbox, *names)
    await outbox.put(intake(*names))
    lane = a_lane(outbox, sink, clock)
    await carry_all(lane)
    sink.answers = [Gone("chat not found", "address")] * 60
    await outbox.put(intake(*names))
    lane.wake()
    await pass_time(lane, clock, 30)
    state = await outbox.lane_state("ops")
    assert state.standing == "parked"
    assert state.reason is not None
    assert state.reason.startswith("nearly nobody can be reached: 40 of the last 60 say chat not found.")
    states = [await outbox.address_state("a bot", name) for name in names]
    assert [one for one in states if one is None or one.reason is not None] == []


async def test_addresses_that_were_never_reached_say_nothing_of_us(outbox: SqlOutbox, clock: FakeClock) -> None:
    names = [f"r{number}" for number in range(60)]
    sink = Many(clock, [Gone("chat not found", "address")] * 60)
    await know(outbox, *names)
    await outbox.put(intake(*names))
    await carry_all(a_lane(outbox, sink, clock))
    assert len(sink.there) == 60
    assert (await outbox.lane_state("ops")).standing == "open"
