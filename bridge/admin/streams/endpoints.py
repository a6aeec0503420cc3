"""Streams, as server-sent events: GET /live/… of a page, GET /api/v1/live of all that happens.

Of a page a message is the region as HTML, its id what it is. In both a `beat` says each quarter of a minute that the
stream is there, and whether the store is. What was told before is not told again: Last-Event-ID says what that was.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.admin.access.auth import Principal, Role
from bridge.admin.access.guard import Guard
from bridge.admin.access.signin import set_session
from bridge.admin.answers import DEADLINE, RequestRefused
from bridge.admin.pages import PAGES, Page
from bridge.admin.site import Site
from bridge.admin.streams.broadcast import LASTS, ServerSentEvent
from bridge.admin.streams.live import Live, Stream
from bridge.admin.streams.region import LIVE, region_of
from bridge.clock import SystemClock

if TYPE_CHECKING:
    from bridge.admin.reader_pool import ReadStore
    from bridge.admin.streams.feed import Feed

SLOWEST = 15.0  # seconds that a page may take to read what it was told
AGAIN = 1000  # milliseconds until a page asks again whose stream has ended
TYPE, LAST_ID = "text/event-stream", "Last-Event-ID"
FEED = "/api/v1/live"
ASKED = ("source", "sink", "type", "subject")  # what a program may ask for
LONGEST = 200  # signs of each


class Streaming:
    """The handlers: one for each page that lives, and one for programs.

    `run` looks into the store, `now` is the time of what happens there.
    """

    def __init__(self, site: Site, guard: Guard, live: Live, run: "ReadStore", now: Callable[[], datetime]) -> None:
        self._site, self._guard, self._live, self._run, self._now = site, guard, live, run, now
        self._feed: Feed | None = None

    async def close(self) -> None:
        """End all streams."""
        await self._live.close()
        if self._feed is not None:
            await self._feed.close()

    def routes(self) -> list[web.RouteDef]:
        pages = [
            web.get(LIVE + page.path, self._of_page(page), allow_head=False) for page in PAGES if page.live is not None
        ]
        return [*pages, web.get(FEED, self._of_all, allow_head=False)]

    def _of_page(self, page: Page) -> Handler:
        async def stream(request: web.Request) -> web.StreamResponse:
            who = self._let_in(request)
            region = region_of(page, request, self._site.language_of(request).code, who.role)
            token, seen = self._guard.auth.form_token(who), request.headers.get(LAST_ID)
            found = Stream(region, self._is_there(request, who), token, seen)
            self._live.open(found)
            return await self._tell(request, who, found.messages(), lambda: self._live.leave(found))

        return stream

    async def _of_all(self, request: web.Request) -> web.StreamResponse:
        """What happens, for programs, as the query wants it."""
        from bridge.admin.streams.feed import Feed, Listener  # with the shapes: for nobody who does not listen
        from bridge.admin.streams.tail import TailFilter

        who = self._let_in(request)
        if unknown := request.query.keys() - set(ASKED):
            raise RequestRefused(400, "this is not known", f"{sorted(unknown)[0]} is none of {', '.join(ASKED)}.")
        wanted = TailFilter(**{name: request.query[name][:LONGEST] for name in ASKED if request.query.get(name)})
        listener = Listener(wanted, self._is_there(request, who), request.headers.get(LAST_ID))
        feed = self._feed = self._feed or Feed(self._run, self._now, SystemClock())
        feed.open(listener)
        return await self._tell(request, who, listener.messages(), lambda: feed.leave(listener))

    def _let_in(self, request: web.Request) -> Principal:
        who = self._guard.let_in(request, Role.LOOK)
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise RequestRefused(403, "this was not asked for by a page of the admin side")
        return who

    def _is_there(self, request: web.Request, who: Principal) -> Callable[[], bool]:
        return lambda: request.transport is not None and self._guard.is_still(request, who)

    async def _tell(
        self, request: web.Request, who: Principal, messages: AsyncIterator[ServerSentEvent], leave: Callable[[], None]
    ) -> web.StreamResponse:
        """Tell all of it, until it is over or nobody reads it; then `leave`."""
        from aiohttp_sse import EventSourceResponse

        response = EventSourceResponse(send_timeout=SLOWEST, ping_interval=LASTS)  # beats are ours: a page hears them
        response.headers["Cache-Control"] = "no-store"
        if who.renew is not None:
            set_session(response, self._guard.auth, who.renew)
        request[DEADLINE].reschedule(None)
        with suppress(ConnectionResetError, TimeoutError):
            try:
                await response.prepare(request)
                async with response:
                    async for one in messages:
                        await response.send(one.data, id=one.id, event=one.event, retry=AGAIN)
            finally:
                leave()
        return response


def wants_stream(request: web.Request) -> bool:
    """Whether what asks reads a stream, and no page."""
    return TYPE in request.headers.get("Accept", "")
