"""GET /metrics: what was counted, for whoever the file lets read it."""

from collections.abc import Callable

from aiohttp import web

from bridge.admin.access.auth import Role
from bridge.admin.access.guard import Guard
from bridge.admin.answers import RequestRefused
from bridge.admin.metrics.scrape import Scrape, scope_of
from bridge.admin.state import ConfigState

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposure:
    """The handler. Who sends a token is judged by it, also where none is asked for."""

    def __init__(self, scrape: Scrape, guard: Guard, state: Callable[[], ConfigState]) -> None:
        self._scrape, self._guard, self._state = scrape, guard, state

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.show)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        allowed = self._state().admin.metrics
        if allowed == "off":
            raise RequestRefused(404, "there is nothing here", "The file says metrics: off.")
        if allowed == "token" or "Authorization" in request.headers:
            self._guard.let_in(request, Role.LOOK)
        body = await self._scrape.exposition(scope_of(self._state()))
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


def is_scrape(request: web.Request) -> bool:
    """Whether a program asks that reads metrics, and answers no questions."""
    return request.path.endswith(PATH)


def has_said_who(request: web.Request) -> bool:
    """Whether it comes with a token, by which alone it is judged: no page of somebody else's has one, whatever name it
    has a browser come here by. Prometheus comes by the name that its own file gives a bridge."""
    return is_scrape(request) and "Authorization" in request.headers
