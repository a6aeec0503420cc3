"""Pages that live: a stream for each open page, on which its region comes anew each time it is another.

The reader asks the store whether anything has happened, and then draws each region that is looked at once, however many
look. Where drawing takes long, pages come later, and events are taken all the same.

A stream keeps the newest region and no more: who reads slowly gets fewer of them, and who does not read at all is
dropped. It ends with the session that it was opened in.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256

from bridge.admin.streams.broadcast import AWAY, LIVES, LOG, Broadcast, ServerSentEvent, Subscriber
from bridge.admin.streams.region import TOKEN_TO_BE, Region
from bridge.admin.visit import Elsewhere, NotThere
from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.telemetry import log


class Stream(Subscriber):
    """What one open page is to be told next.

    form_token  what the forms of that page carry
    seen        the id of the region that it showed last
    """

    def __init__(self, region: Region, may: Callable[[], bool], form_token: str, seen: str | None = None) -> None:
        super().__init__(may, most=1)
        self.region = region
        self._form_token, self._seen = form_token, seen

    def show(self, drawn: str) -> None:
        """Tell the region, unless it is what was told before."""
        text = drawn.replace(TOKEN_TO_BE, self._form_token)
        id_ = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        if id_ != self._seen:
            self._seen = id_
            self._say(ServerSentEvent(text, id_))


class Live(Broadcast[Stream]):
    """The reader.

    changed  something that is another when anything has happened; raises StoreError where it cannot be found out
    draw     a region, as Site does
    """

    most = 32
    refused = ("too many pages are live already", "This one looks now and then.")

    def __init__(
        self, changed: Callable[[], Awaitable[object]], draw: Callable[[Region], Awaitable[str]], clock: Clock
    ) -> None:
        super().__init__(clock)
        self._changed, self._draw = changed, draw
        self._pulse: object = None
        self._drawn: dict[Region, str] = {}

    async def _look(self, *, is_time: bool) -> None:
        """Where a beat is due everything is drawn anew, for some of it changes with the time alone."""
        if await self._has_happened() or is_time:
            self._drawn.clear()
        for region, streams in self._by_region().items():
            shown = await self._show(region, streams)
            for stream in streams:
                stream.beat(LIVES if shown else AWAY, due=is_time)

    def _forget(self) -> None:
        self._drawn.clear()

    async def _has_happened(self) -> bool:
        """Whether anything has; after a look that failed it has."""
        before, self._pulse = self._pulse, None
        self._pulse = await self._changed()
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
        for stream in self._subscribers:
            found[stream.region].append(stream)
        return found
