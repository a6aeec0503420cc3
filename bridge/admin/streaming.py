"""GET /live/…: the stream of a page, as server-sent events.

A message is the region as HTML, its id what it is; a `beat` says each quarter of a minute that the stream is there, and
whether the store is. What was shown before is not told again: Last-Event-ID says what that was.
"""

from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.admin.answers import DEADLINE, Refused
from bridge.admin.auth import Role, Who
from bridge.admin.guard import Guard
from bridge.admin.live import LASTS, Live, Stream
from bridge.admin.pages import PAGES, Page
from bridge.admin.region import LIVE, region_of
from bridge.admin.signin import set_session
from bridge.admin.site import Site

SLOWEST = 15.0  # seconds that a page may take to read what it was told
AGAIN = 1000  # milliseconds until a page asks again whose stream has ended
TYPE = "text/event-stream"


class Streaming:
    """The handlers, one for each page that lives."""

    def __init__(self, site: Site, guard: Guard, live: Live) -> None:
        self._site, self._guard, self._live = site, guard, live

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(LIVE + page.path, self._stream(page), allow_head=False) for page in PAGES if page.live is not None
        ]

    def _stream(self, page: Page) -> Handler:
        async def stream(request: web.Request) -> web.StreamResponse:
            who = self._guard.let_in(request, Role.LOOK)
            if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
                raise Refused(403, "this was not asked for by a page of the admin side")
            return await self._tell(request, page, who)

        return stream

    async def _tell(self, request: web.Request, page: Page, who: Who) -> web.StreamResponse:
        from aiohttp_sse import EventSourceResponse

        def may() -> bool:
            return request.transport is not None and self._guard.is_still(request, who)

        region = region_of(page, request, self._site.language_of(request).code, who.role)
        stream = Stream(region, may, self._guard.auth.form_token(who), request.headers.get("Last-Event-ID"))
        self._live.open(stream)
        response = EventSourceResponse(send_timeout=SLOWEST, ping_interval=LASTS)  # beats are ours: a page hears them
        response.headers["Cache-Control"] = "no-store"
        if who.renew is not None:
            set_session(response, self._guard.auth, who.renew)
        request[DEADLINE].reschedule(None)
        with suppress(ConnectionResetError, TimeoutError):
            try:
                await response.prepare(request)
                async with response:
                    async for said in stream.messages():
                        await response.send(said.data, id=said.id, event=said.event, retry=AGAIN)
            finally:
                self._live.leave(stream)
        return response


def wants_stream(request: web.Request) -> bool:
    """Whether what asks reads a stream, and no page."""
    return TYPE in request.headers.get("Accept", "")
