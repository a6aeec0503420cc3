"""Pages that live: one reader for all of them, what each is told, when it ends, and what it may cost."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bridge.admin.access.auth import Role
from bridge.admin.answers import RequestRefused
from bridge.admin.pages import PAGES
from bridge.admin.streams.broadcast import AWAY, BEAT, EVERY, LASTS, LIVES, SHARE, ServerSentEvent
from bridge.admin.streams.live import Live, Stream
from bridge.admin.streams.region import TOKEN_TO_BE, Region
from bridge.admin.visit import NotThere
from bridge.errors import StoreUnavailable
from tests.admin.hands import Hands

OVERVIEW, EVENTS = (
    Region(next(one for one in PAGES if one.name == name), (), (), "en", Role.ACT) for name in ("overview", "events")
)
TOKEN = "token-of-a-form"


@dataclass
class Bridge:
    """What happens, and what is drawn: the text of each region, or an error."""

    hands: Hands = field(default_factory=Hands)
    pulse: object = 0
    text: str | Exception = "first"
    takes: float = 0.0
    drawn: list[Region] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        self.live = Live(self.changed, self.draw, self.hands)

    async def changed(self) -> object:
        self.looks += 1
        if isinstance(self.pulse, Exception):
            raise self.pulse
        return self.pulse

    async def draw(self, region: Region) -> str:
        self.drawn.append(region)
        self.hands.time += self.takes
        if isinstance(self.text, Exception):
            raise self.text
        return self.text

    async def opened(self, region: Region = OVERVIEW, seen: str | None = None) -> Stream:
        """A stream that was told what stands there when it was opened."""
        stream = Stream(region, lambda: True, TOKEN, seen)
        self.live.open(stream)
        await self.hands.wake()
        return stream


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


async def told(stream: Stream) -> list[ServerSentEvent] | None:
    """What waits for the page to be read; None once it is over."""
    found: list[ServerSentEvent] = []
    while True:
        reading = asyncio.ensure_future(anext(stream.messages()))
        for _ in range(5):
            await asyncio.sleep(0)
        if not reading.done():
            reading.cancel()
            return found
        try:
            found.append(reading.result())
        except StopAsyncIteration:
            return None


async def regions(stream: Stream) -> list[str]:
    return [one.data for one in await told(stream) or () if one.event is None]


async def test_a_page_is_told_what_stands_there_and_then_only_what_is_another(bridge: Bridge) -> None:
    stream = await bridge.opened()
    assert await regions(stream) == ["first"]
    await bridge.hands.wake()
    bridge.pulse = 1  # something happened that the page does not show
    await bridge.hands.wake()
    assert await told(stream) == []
    bridge.pulse, bridge.text = 2, "second"
    await bridge.hands.wake()
    assert await regions(stream) == ["second"]


async def test_nothing_is_drawn_where_nothing_has_happened_and_nothing_is_asked_where_nobody_looks(
    bridge: Bridge,
) -> None:
    stream = await bridge.opened()
    looks = bridge.looks
    for _ in range(5):
        await bridge.hands.wake()
    assert (len(bridge.drawn), bridge.looks) == (1, looks + 5)
    bridge.live.leave(stream)
    await bridge.hands.wake()
    await bridge.hands.wake()
    assert bridge.looks == looks + 5
    again = await bridge.opened()
    assert await regions(again) == ["first"]


async def test_however_many_look_the_store_is_asked_once_and_each_region_is_drawn_once(bridge: Bridge) -> None:
    streams = [Stream((OVERVIEW, EVENTS)[number % 2], lambda: True, TOKEN) for number in range(20)]
    for one in streams:
        bridge.live.open(one)
    await bridge.hands.wake()
    looks, bridge.drawn = bridge.looks, []
    bridge.pulse, bridge.text = 1, "second"
    await bridge.hands.wake()
    assert bridge.looks == looks + 1
    assert sorted(one.page.name for one in bridge.drawn) == ["events", "overview"]
    assert [(await regions(one))[-1] for one in streams] == ["second"] * 20


async def test_what_drawing_takes_is_a_small_share_of_the_time(bridge: Bridge) -> None:
    """And whoever looks hears meanwhile that the page lives."""
    bridge.takes = 3.0
    stream = await bridge.opened()
    await told(stream)
    for _ in range(2):
        await bridge.hands.wake(BEAT)
        assert await told(stream) == [ServerSentEvent(LIVES, event="beat")]
    assert bridge.looks == 1
    bridge.takes = 0.0
    await bridge.hands.wake(BEAT)
    assert bridge.looks == 2
    assert bridge.hands.slept == [BEAT] * 4 + [EVERY]
    assert sum(bridge.hands.slept[:-1]) == SHARE * 3.0


async def test_a_stream_ends_in_time_however_long_a_look_took(bridge: Bridge) -> None:
    bridge.takes, may = 3.0, [True]
    stream = Stream(OVERVIEW, lambda: may[0], TOKEN, None)
    bridge.live.open(stream)
    await bridge.hands.rest()
    may[0] = False
    await bridge.hands.wake(BEAT)
    assert (await told(stream), bridge.looks) == (None, 1)


async def test_a_fault_of_ours_while_nobody_looks_ends_no_reader(bridge: Bridge) -> None:
    bridge.takes, fails = 3.0, [False]

    def may() -> bool:
        if fails[0]:
            raise RuntimeError("a fault of ours")
        return True

    stream = Stream(OVERVIEW, may, TOKEN, None)
    bridge.live.open(stream)
    await bridge.hands.rest()
    fails[0] = True
    await bridge.hands.wake(BEAT)
    fails[0], bridge.text = False, "second"
    for _ in range(3):
        await bridge.hands.wake(BEAT)
    assert (await regions(stream))[-1] == "second"


async def test_what_changes_with_the_time_alone_is_drawn_with_every_beat(bridge: Bridge) -> None:
    stream = await bridge.opened()
    await told(stream)
    bridge.text = "later"
    await bridge.hands.wake(BEAT)
    assert await regions(stream) == ["later"]


async def test_a_stream_says_that_it_is_there_as_soon_as_it_is_opened_and_in_every_beat(bridge: Bridge) -> None:
    [first] = await told(await bridge.opened()) or ()
    stream = Stream(OVERVIEW, lambda: True, TOKEN, seen=first.id)
    bridge.live.open(stream)
    assert await told(stream) == [ServerSentEvent(LIVES, event="beat")]
    for _ in range(3):
        await bridge.hands.wake(BEAT)
        assert await told(stream) == [ServerSentEvent(LIVES, event="beat")]


async def test_what_a_page_has_seen_is_not_told_again_when_it_comes_back(bridge: Bridge) -> None:
    stream = await bridge.opened()
    [first] = [one for one in await told(stream) or () if one.event is None]
    again = await bridge.opened(seen=first.id)
    assert await regions(again) == []
    bridge.pulse, bridge.text = 1, "second"
    await bridge.hands.wake()
    assert await regions(again) == ["second"]


async def test_forms_have_the_token_of_whoever_looks_and_nothing_else_of_a_region_differs(bridge: Bridge) -> None:
    bridge.text = f"<input value={TOKEN_TO_BE}>"
    mine, other = Stream(OVERVIEW, lambda: True, "mine"), Stream(OVERVIEW, lambda: True, "other")
    for one in (mine, other):
        bridge.live.open(one)
    await bridge.hands.wake()
    assert (await regions(mine), await regions(other)) == (["<input value=mine>"], ["<input value=other>"])
    assert len(bridge.drawn) == 1


async def test_who_reads_slowly_gets_the_newest_and_nothing_is_kept_for_him_beside(bridge: Bridge) -> None:
    stream = await bridge.opened()
    for number in range(50):
        bridge.pulse, bridge.text = number + 1, f"region {number}"
        await bridge.hands.wake()
    assert await regions(stream) == ["region 49"]


async def test_there_are_so_many_streams_and_no_more_and_one_that_ends_makes_room(bridge: Bridge) -> None:
    there = [True] * Live.most
    for number in range(Live.most):
        bridge.live.open(Stream(OVERVIEW, lambda number=number: there[number], TOKEN))  # type: ignore[misc]
    with pytest.raises(RequestRefused) as refused:
        bridge.live.open(Stream(OVERVIEW, lambda: True, TOKEN))
    assert (refused.value.status, refused.value.retry_after) == (503, 10)
    there[3] = False  # that page was closed
    bridge.live.open(Stream(OVERVIEW, lambda: True, TOKEN))


async def test_who_may_look_no_more_is_told_nothing_more(bridge: Bridge) -> None:
    may = [True]
    stream = Stream(OVERVIEW, lambda: may[0], TOKEN)
    bridge.live.open(stream)
    await bridge.hands.wake()
    await told(stream)
    bridge.pulse, bridge.text, may[0] = 1, "second", False
    await bridge.hands.wake()
    assert await told(stream) is None


async def test_a_stream_ends_after_a_while_so_that_its_session_goes_on_with_the_next(bridge: Bridge) -> None:
    stream = await bridge.opened()
    await bridge.hands.wake(LASTS - 2 * EVERY)
    assert await told(stream) is not None
    await bridge.hands.wake(EVERY)
    await bridge.hands.wake(EVERY)
    assert await told(stream) is None


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("pulse", StoreUnavailable("store: away")),
        ("text", StoreUnavailable("store: away")),
        ("pulse", RuntimeError("a fault of ours")),
    ],
)
async def test_a_store_that_cannot_be_asked_is_said_at_once_and_so_is_its_return(
    bridge: Bridge, what: str, error: Exception
) -> None:
    stream = await bridge.opened()
    await told(stream)
    right = getattr(bridge, what)
    bridge.pulse = 1
    setattr(bridge, what, error)
    await bridge.hands.wake()
    assert await told(stream) == [ServerSentEvent(AWAY, event="beat")]
    await bridge.hands.wake()
    assert await told(stream) == []
    setattr(bridge, what, right)
    await bridge.hands.wake()
    assert await told(stream) == [ServerSentEvent(LIVES, event="beat")]


@pytest.mark.parametrize("error", [NotThere("no sink is called x"), RuntimeError("a fault of ours")])
async def test_a_page_that_cannot_be_drawn_ends_and_the_others_live_on(bridge: Bridge, error: Exception) -> None:
    other = await bridge.opened(EVENTS)
    await told(other)
    bridge.text = error
    stream = Stream(OVERVIEW, lambda: True, TOKEN)
    bridge.live.open(stream)
    await bridge.hands.wake()
    assert await told(stream) is None
    bridge.pulse, bridge.text = 1, "second"
    await bridge.hands.wake()
    assert await regions(other) == ["second"]


async def test_at_the_end_all_of_them_end(bridge: Bridge) -> None:
    streams = [await bridge.opened() for _ in range(3)]
    await bridge.live.close()
    assert [await told(one) for one in streams] == [None] * 3
