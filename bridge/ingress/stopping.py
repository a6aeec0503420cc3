"""`/stop/{token}`: whoever has a letter wants no more of them. One click, by POST; a GET changes nothing.

Source   RFC 8058 (mail programs post `List-Unsubscribe=One-Click`), which does not ask for the body to be read
Answers  GET a page with a button · POST 200 and what holds now, after the commit; `?again=1` takes it back
         a token that is none of ours as any path that is not there · 503 while the store is away
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bridge.errors import StoreError
from bridge.ingress.body import ask_later
from bridge.ingress.connections import PROVEN
from bridge.ingress.refusals import Refusals, shown_method
from bridge.ingress.server import RETRY_AFTER, Handler, last
from bridge.messages.stop_page import CSP, StopStep, stop_page
from bridge.people.stop_link import PATH, StopLinks
from bridge.people.wants import mailbox_scope

HEADERS = {
    "Content-Security-Policy": CSP,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
#: Keeps that there are to be no letters at a scope, or letters again; returns after the commit.
KeepStop = Callable[[str, bool], Awaitable[None]]


class StopEndpoint:
    """The handler of what is behind the links. `not_found` answers what is none."""

    def __init__(self, links: StopLinks, keep: KeepStop, refusals: Refusals, *, not_found: Handler) -> None:
        self._links = links
        self._keep = keep
        self._refusals = refusals
        self._not_found = not_found

    def routes(self) -> list[web.RouteDef]:
        paths = (f"/{PATH}/{{token}}", f"/{PATH}/{{token}}/")
        return [web.route("*", path, self.answer, expect_handler=ask_later) for path in paths]

    async def answer(self, request: web.Request) -> web.Response:
        """One look, or one click. A request's body is not read."""
        place = self._links.place_of(request.match_info["token"])
        if place is None:
            return await self._not_found(request)
        request[PROVEN] = True
        if request.method in ("GET", "HEAD"):
            return last(_page(StopStep.ASKED))
        if request.method != "POST":
            self._refusals.log(None, 405, f"{shown_method(request.method)}, and only GET and POST are taken here")
            return last(web.Response(status=405, headers={"Allow": "GET, HEAD, POST"}))
        stop = "again" not in request.query
        try:
            await self._keep(mailbox_scope(place), stop)
        except StoreError as error:
            self._refusals.log(None, 503, str(error))
            return last(web.Response(status=503, headers=RETRY_AFTER))
        return last(_page(StopStep.STOPPED if stop else StopStep.AGAIN))


def _page(step: StopStep) -> web.Response:
    return web.Response(text=stop_page(step), content_type="text/html", charset="utf-8", headers=HEADERS)
