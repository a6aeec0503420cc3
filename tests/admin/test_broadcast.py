"""What all streams share: a reader that cannot look goes on, and streams are told so, and end all the same."""

import pytest

from bridge.admin.streams.broadcast import AWAY, BEAT, EVERY, LASTS, LIVES, Broadcast, ServerSentEvent, Subscriber
from bridge.admin.streams.feed import Feed
from bridge.admin.streams.live import Live
from bridge.errors import StoreUnavailable
from tests.admin.hands import Hands


class Waves(Broadcast[Subscriber]):
    """Says that it lives, or fails so."""

    most, refused = 3, ("too many listen", "There are three at the most.")

    def __init__(self, hands: Hands) -> None:
        super().__init__(hands)
        self.hands = hands
        self.fault: Exception | None = None
        self.may_fault: Exception | None = None

    async def opened(self) -> Subscriber:
        subscriber = Subscriber(self._may)
        self.open(subscriber)
        await self.hands.rest()
        return subscriber

    async def _look(self, *, is_time: bool) -> None:
        if self.fault is not None:
            raise self.fault
        self._beat(LIVES, due=is_time)

    def _forget(self) -> None:
        pass

    def _may(self) -> bool:
        if self.may_fault is not None:
            raise self.may_fault
        return True


@pytest.fixture
def waves() -> Waves:
    return Waves(Hands())


def waiting(subscriber: Subscriber) -> list[ServerSentEvent]:
    """What it has not been told yet."""
    found = []
    while (one := subscriber._next()) is not None:
        found.append(one)
    return found


@pytest.mark.parametrize("error", [StoreUnavailable("store: away"), RuntimeError("a fault of ours")])
async def test_a_reader_that_cannot_look_says_so_and_looks_again(
    waves: Waves, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    subscriber = await waves.opened()
    assert waiting(subscriber) == [ServerSentEvent(LIVES, event="beat")]
    waves.fault = error
    await waves.hands.wake()
    assert waiting(subscriber) == [ServerSentEvent(AWAY, event="beat")]
    await waves.hands.wake()
    assert waiting(subscriber) == []
    await waves.hands.wake(BEAT)
    assert waiting(subscriber) == [ServerSentEvent(AWAY, event="beat")]
    waves.fault = None
    await waves.hands.wake()
    assert waiting(subscriber) == [ServerSentEvent(LIVES, event="beat")]
    is_ours = isinstance(error, RuntimeError)
    assert [one.msg for one in caplog.records if one.levelname == "ERROR"] == ["admin.bug"] * 3 * is_ours


async def test_who_comes_while_it_cannot_look_is_told_at_the_next_look(waves: Waves) -> None:
    waves.fault = StoreUnavailable("store: away")
    await waves.opened()
    later = await waves.opened()
    waiting(later)
    await waves.hands.wake()
    assert waiting(later) == [ServerSentEvent(AWAY, event="beat")]


async def test_streams_end_where_looking_fails_by_a_bug_of_ours_and_so_does_the_reader(waves: Waves) -> None:
    waves.fault = RuntimeError("a fault of ours")
    subscriber = await waves.opened()
    await waves.hands.wake(LASTS)
    await waves.hands.wake()
    assert [one async for one in subscriber.messages()] == []
    assert waves._reading is not None
    assert waves._reading.done()
    await waves.close()


async def test_whoever_fails_to_say_whether_they_may_still_look_ends_no_reader(waves: Waves) -> None:
    subscriber = await waves.opened()
    waiting(subscriber)
    waves.may_fault = RuntimeError("a fault of ours")
    await waves.hands.wake(EVERY)
    assert waiting(subscriber) == [ServerSentEvent(AWAY, event="beat")]
    waves.may_fault = None
    await waves.hands.wake(EVERY)
    assert waiting(subscriber) == [ServerSentEvent(LIVES, event="beat")]
    await waves.close()


async def test_what_waits_for_a_stream_that_has_ended_is_not_told(waves: Waves) -> None:
    subscriber = await waves.opened()
    waves.leave(subscriber)
    assert [one async for one in subscriber.messages()] == []
    await waves.close()


def test_both_kinds_say_how_many_there_may_be_and_what_one_more_is_told() -> None:
    assert set(Broadcast.__subclasses__()) == {Live, Feed, Waves}
    assert all(kind.most > 0 and all(kind.refused) for kind in (Live, Feed))
