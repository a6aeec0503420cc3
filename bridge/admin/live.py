"""Pages that live: a stream for each open page, on which its region comes anew each time it is another.

One reader for all of them: once a second it asks the store whether anything has happened, and then draws each region
that is looked at once, however many look. It looks for a twentieth of the time at most: where drawing takes long,
pages come later, and events are taken all the same. While nobody looks there is no reader.

A stream keeps the newest region and no more: who reads slowly gets fewer of them, and who does not read at all is
dropped. It ends with the session that it was opened in.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from bridge.admin.answers import Refused
from bridge.admin.region import TOKEN_TO_BE, Region
from bridge.admin.visit import Elsewhere, NotThere
from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.telemetry import log

LOG = logging.getLogger("bridge.admin")
MOST = 32  # streams at once
EVERY = 1.0  # seconds between two looks, at the least
SHARE = 20  # times as long as a look took, until the next one begins
BEAT = 15.0  # seconds in which each stream says something: that it is there, if nothing else
LASTS = 600.0  # seconds after which a stream ends: whoever is still there asks again, and has a session that goes on
LIVES, AWAY = "live", "away"  # what a beat says


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a stream; a region has no `event`, a beat no `id`."""

    data: str
    id: str | None = None
    event: str | None = None


class Stream:
    """What one open page is to be told next.

    may         whether whoever opened it is still there, and may still look
    form_token  what the forms of that page carry
    seen        the id of the region that it showed last
    """

    def __init__(self, region: Region, may: Callable[[], bool], form_token: str, seen: str | None = None) -> None:
        self.region, self.may = region, may
        self.ends_at = 0.0
        self._form_token, self._seen = form_token, seen
        self._next: Said | None = None
        self._state = ""
        self._is_over = False
        self._changed = asyncio.Event()

    def show(self, drawn: str) -> None:
        """Tell the region, unless it is what was told before."""
        text = drawn.replace(TOKEN_TO_BE, self._form_token)
        id_ = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        if id_ != self._seen:
            self._seen = id_
            self._tell(Said(text, id_))

    def beat(self, state: str, *, due: bool) -> None:
        """Tell how it is, where that is another or has not been told for a while, and nothing waits that tells more."""
        if self._next is None and (due or state != self._state):
            self._state = state
            self._tell(Said(state, event="beat"))

    def end(self) -> None:
        self._is_over = True
        self._changed.set()

    async def messages(self) -> AsyncIterator[Said]:
        """What is to be told, until it is over."""
        while True:
            await self._changed.wait()
            if self._is_over:
                return
            self._changed.clear()
            said, self._next = self._next, None
            if said is not None:
                yield said

    def _tell(self, said: Said) -> None:
        self._next = said
        self._changed.set()


class Live:
    """The reader.

    changed  something that is another when anything has happened; raises StoreError where it cannot be found out
    draw     a region, as Site does
    """

    def __init__(
        self, changed: Callable[[], Awaitable[object]], draw: Callable[[Region], Awaitable[str]], clock: Clock
    ) -> None:
        self._changed, self._draw, self._clock = changed, draw, clock
        self._streams: dict[Stream, None] = {}
        self._reading: asyncio.Task[None] | None = None
        self._pulse: object = None
        self._drawn: dict[Region, str] = {}
        self._beat_at = float("-inf")

    def open(self, stream: Stream) -> None:
        """From now on it is told; raise Refused where there are too many."""
        self._end_over()
        if len(self._streams) >= MOST:
            raise Refused(503, "too many pages are live already", "This one looks now and then.", retry_after=10)
        stream.ends_at = self._clock.monotonic() + LASTS
        stream.beat(LIVES, due=True)
        self._streams[stream] = None
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())

    def leave(self, stream: Stream) -> None:
        """It is told no more."""
        self._streams.pop(stream, None)
        stream.end()

    async def close(self) -> None:
        """End all of them."""
        for stream in list(self._streams):
            self.leave(stream)
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self) -> None:
        while self._streams:
            began = self._clock.monotonic()
            self._end_over()
            is_time = began - self._beat_at >= BEAT
            if is_time:
                self._beat_at = began
            await self._look(is_time=is_time)
            await self._clock.sleep(max(EVERY, SHARE * (self._clock.monotonic() - began)))
        self._drawn.clear()

    def _end_over(self) -> None:
        """End those that have lasted long enough, whose page is closed, or who may look no more."""
        now = self._clock.monotonic()
        for stream in [one for one in self._streams if now >= one.ends_at or not one.may()]:
            self.leave(stream)

    async def _look(self, *, is_time: bool) -> None:
        """Tell what is new; `is_time` to draw everything anew, for some of it changes with the time alone."""
        happened = await self._has_happened()
        if happened or is_time:
            self._drawn.clear()
        for region, streams in self._by_region().items():
            shown = happened is not None and await self._show(region, streams)
            for stream in streams:
                stream.beat(LIVES if shown else AWAY, due=is_time)

    async def _has_happened(self) -> bool | None:
        """Whether anything has; None where the store cannot be asked."""
        before, self._pulse = self._pulse, None
        try:
            self._pulse = await self._changed()
        except StoreError:
            return None
        return self._pulse != before

    async def _show(self, region: Region, streams: Sequence[Stream]) -> bool:
        """Whether it could be drawn; the streams of what is not there end."""
        try:
            if region not in self._drawn:
                self._drawn[region] = await self._draw(region)
        except StoreError:
            return False
        except (NotThere, Elsewhere):
            self._end(streams)
            return False
        except Exception as error:  # our own bug: these pages stand still, and nothing else
            log(LOG, logging.ERROR, "admin.bug", error=error)
            self._end(streams)
            return False
        for stream in streams:
            stream.show(self._drawn[region])
        return True

    def _end(self, streams: Sequence[Stream]) -> None:
        for stream in streams:
            self.leave(stream)

    def _by_region(self) -> dict[Region, list[Stream]]:
        found: defaultdict[Region, list[Stream]] = defaultdict(list)
        for stream in self._streams:
            found[stream.region].append(stream)
        return found
