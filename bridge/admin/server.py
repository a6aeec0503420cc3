"""The admin side's own port: pages for people, and what programs ask.

It can be slow, away or attacked: events are taken and carried all the same. Its connections are counted apart, what it
looks up runs on threads of its own, and a bridge that nobody looks at has neither templates nor pages in memory.

Every request goes through host → limits → who → form; what is answered gets its headers last.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from socket import socket
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bridge.admin import answers
from bridge.admin.access.auth import Authenticator, Principal, Role
from bridge.admin.access.guard import WHO, Guard, form_of, nothing_here
from bridge.admin.access.lockout import Lockout
from bridge.admin.access.refusals import AdminRefusals
from bridge.admin.access.signin import SignIn, set_session
from bridge.admin.actions import ACTIONS, ActionRequest, ActionResult, AdminAction, BridgeControls, remembered, who_acts
from bridge.admin.answers import DEADLINE, ROUTE, RequestRefused
from bridge.admin.metrics.exposure import Exposure, has_said_who, is_scrape
from bridge.admin.metrics.scrape import Scrape
from bridge.admin.pages import PAGES, Page
from bridge.admin.people.unfinished import Unfinished
from bridge.admin.reader_pool import ReaderPool
from bridge.admin.site import Site, not_found
from bridge.admin.state import ConfigState, Rejected
from bridge.admin.static_files import TYPES, content, hashed
from bridge.admin.streams.endpoints import Streaming, wants_stream
from bridge.admin.streams.live import Live
from bridge.admin.under_way import UnderWay
from bridge.admin.visit import Elsewhere, NotThere
from bridge.clock import Clock, SystemClock
from bridge.counters import COUNTERS
from bridge.errors import BridgeError, StoreError, TooSoon, UnknownName
from bridge.ingress.connections import serving
from bridge.ingress.limits import Limits
from bridge.store.queries.pulse import pulse
from bridge.store.reader import LedgerReader
from bridge.telemetry import log
from bridge.value import replace

if TYPE_CHECKING:
    from bridge.admin.graphql.api import GraphQL
    from bridge.admin.rest.api import Api
    from bridge.admin.trials.shapes import SentTest

    #: Those who answer programs.
    Programs = type[Api] | type[GraphQL]

LOG = logging.getLogger("bridge.admin")
LIMITS = Limits(connections=128, body=272 * 2**10)  # the biggest form: 256 KiB to try, and what stands around
PATIENCE = 30.0  # seconds for one request, its body and all
Guarded = Callable[[web.Request, Principal], Awaitable[web.StreamResponse]]


class Admin:
    """The admin side. `configure` it before it is served."""

    def __init__(self, clock: Clock, means: BridgeControls, *, open_reader: Callable[[], LedgerReader]) -> None:
        self._clock, self._means, self._open_reader = clock, means, open_reader
        self._guard: Guard | None = None
        self._tests: dict[str, SentTest] = {}
        self._under_way = UnderWay()
        self._opened: dict[Callable[[], Programs], Api | GraphQL] = {}
        self._state: ConfigState

    def configure(self, state: ConfigState) -> None:
        """From now on by this file."""
        self._state = state
        if self._guard is not None:
            self._guard.configure(state.admin)

    async def finish_announcements(self) -> None:
        """Go on with those that nobody goes on with, for ever."""
        await Unfinished(self._means, lambda: self._state, self._clock).run()

    def reject(self, rejected: Rejected) -> None:
        """The file on disk is wrong; the one before stays in force."""
        self._state = replace(self._state, rejected=rejected)

    @asynccontextmanager
    async def serve(self, listener: socket, address: str, *, shutdown: float) -> AsyncIterator[None]:
        """Answer what is asked there. `address`: where that is, host:port."""
        auth = Authenticator(self._state.admin, lambda: self._clock.now().timestamp())
        self._guard = Guard(self._state.admin, address, auth, Lockout(self._clock.monotonic))
        reading = ReaderPool(self._open_reader)
        scrape = Scrape(reading.run, self._means.ready, self._means.carries, self._clock)
        exposure = Exposure(scrape, self._guard, lambda: self._state)
        site = Site(
            reading,
            auth,
            lambda: self._state,
            self._clock.now,
            self._tests,
            self._means.trouble,
            self._means.errands.under_way,
        )
        live = Live(lambda: self._happened(reading), site.region, SystemClock())
        streaming = Streaming(site, self._guard, live, reading.run, self._clock.now)
        try:
            async with serving(
                listener,
                list(self._routes(site, self._guard, exposure, reading, streaming)),
                LIMITS,
                AdminRefusals(),
                shutdown=shutdown,
                middlewares=[_limited(self._guard, site)],
                finish=self._finish,
                body=LIMITS.body,
            ):
                try:
                    yield
                finally:
                    await streaming.close()
                    await self._means.errands.close()
        finally:
            await self._under_way.close(within=shutdown)
            self._guard = None
            self._opened.clear()
            reading.close()

    def _routes(
        self, site: Site, guard: Guard, exposure: Exposure, reading: ReaderPool, streaming: Streaming
    ) -> Iterator[web.RouteDef]:
        """All that is answered, under the prefix and without it, the last what nothing else takes."""
        found = [
            *SignIn(site, guard, lambda: self._state).routes(),
            *exposure.routes(),
            *streaming.routes(),
            web.route("*", "/api/v1{path:/.*}", self._programs(guard, reading, _rest)),
            web.route("*", "/graphql{path:(?:/.*)?}", self._programs(guard, reading, _graphql)),
            *(web.get(hashed(name), _file(name)) for name in TYPES),
            *(web.get(page.path, _guarded(guard, _looker(page), self._page(site, page))) for page in PAGES),
            *(web.post(page.path, _guarded(guard, Role.LOOK, self._page(site, page))) for page in PAGES if page.asks),
            *(web.post(action.path, _guarded(guard, Role.ACT, self._action(site, action))) for action in ACTIONS),
        ]
        for prefix in sorted({"", self._state.admin.prefix()}, reverse=True):
            for one in found:
                yield web.RouteDef(one.method, prefix + one.path, one.handler, one.kwargs)
        yield web.route("*", "/{tail:.*}", _guarded(guard, Role.LOOK, _nothing))

    async def _happened(self, reading: ReaderPool) -> object:
        """Something that is another when pages may be."""
        state, now = self._state, self._clock.now()
        return state, self._means.trouble(), await reading.run(lambda ledger: ledger.read(pulse, now=now))

    def _page(self, site: Site, page: Page) -> Guarded:
        async def show(request: web.Request, who: Principal) -> web.StreamResponse:
            try:
                return answers.page(await site.page(request, page, who))
            except Elsewhere as found:
                return answers.see(self._state.admin.prefix() + found.path)

        return show

    def _programs(self, guard: Guard, reading: ReaderPool, imported: "Callable[[], Programs]") -> Handler:
        """What programs are answered; built when the first one asks."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if (opened := self._opened.get(imported)) is None:
                guard.let_in(request, Role.LOOK)  # a stranger has nothing built
                kind = await asyncio.to_thread(imported)
                opened = self._opened[imported] = kind(
                    guard,
                    reading,
                    self._means,
                    lambda: self._state,
                    self._clock.now,
                    self._tests,
                    self._acted,
                    self._under_way,
                )
            return await opened.answer(request, request.match_info["path"])

        return answer

    def _action(self, site: Site, action: AdminAction) -> Guarded:
        async def act(request: web.Request, who: Principal) -> web.StreamResponse:
            form, path = await form_of(request), dict(request.match_info)
            by, now = self._who(who, request), self._clock.now()
            asked = ActionRequest(self._means, self._state, path, form, now, self._tests, by, site.once)
            done = await self._under_way.finish(do(asked, who, request))
            return answers.see(self._state.admin.prefix() + done.address())

        async def do(asked: ActionRequest, who: Principal, request: web.Request) -> ActionResult:
            done = await action.do(asked)
            if done.did:
                await self._remember(action.name, who, request, done.fields)
            return done

        return act

    def _acted(self, action: str, who: Principal, request: web.Request, fields: Mapping[str, object]) -> None:
        """Somebody did this, by a program: it is remembered, and answered meanwhile."""
        self._under_way.begin(self._remember(action, who, request, fields))

    async def _remember(self, action: str, who: Principal, request: web.Request, fields: Mapping[str, object]) -> None:
        assert self._guard is not None
        address = self._guard.address(request)
        await remembered(self._means, action, fields, by=who.by, address=address, now=self._clock.now())

    def _who(self, who: Principal, request: web.Request) -> str:
        assert self._guard is not None
        return who_acts(who.by, self._guard.address(request))

    async def _finish(self, request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        route = request.get(ROUTE) or (resource.canonical if resource is not None else None)
        COUNTERS.admin_answered(route, response.status)
        response.headers.update(answers.headers_of(https=self._state.admin.is_https()))
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.popall("Server", None)


def _limited(guard: Guard, site: Site) -> Middleware:
    """Host first, then so much time and no more; whatever is refused is answered in the way of who asked."""

    @web.middleware
    async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if not has_said_who(request):
                guard.check_host(request)
            async with asyncio.timeout(PATIENCE) as request[DEADLINE]:
                return await handler(request)
        except TimeoutError:
            return _refusal(site, request, RequestRefused(408, "the request took too long"))
        except (NotThere, UnknownName) as error:
            return _refusal(site, request, not_found(error))
        except TooSoon as error:
            return _refusal(site, request, RequestRefused(429, "too soon", str(error), retry_after=error.after))
        except StoreError as error:
            return _refusal(
                site, request, RequestRefused(503, "the store cannot be asked now", str(error), retry_after=5)
            )
        except BridgeError as error:
            return _refusal(site, request, RequestRefused(409, "this cannot be done now", str(error)))
        except RequestRefused as refused:
            return _refusal(site, request, refused)
        except web.HTTPException as error:
            return _refusal(site, request, RequestRefused(error.status, error.reason.lower()))
        except ConnectionError:  # whoever asked has gone
            return _refusal(site, request, RequestRefused(400, "the request was cut off"))
        except Exception as error:  # our own bug: a page fails, and nothing else
            log(LOG, logging.ERROR, "admin.bug", error=error)
            return _refusal(
                site, request, RequestRefused(500, "this is a fault of the bridge's own", "The log says where.")
            )

    return limited


def _refusal(site: Site, request: web.Request, refused: RequestRefused) -> web.StreamResponse:
    """The refusal as whoever asked can read it: a page, a problem, or the way to the sign-in."""
    who = request.get(WHO)
    if refused.status == 421:
        response = web.Response(status=421, text=f"{refused.title}. {refused.detail}\n")
    elif (
        "Authorization" in request.headers
        or "/api/" in request.path
        or "/graphql" in request.path
        or is_scrape(request)
        or wants_stream(request)
    ):
        response = answers.problem(refused)
    elif refused.status == 401 and request.method in ("GET", "HEAD"):
        response = answers.see(site.sign_in_path(request))
    else:
        response = answers.page(site.refused(request, refused, who), refused.status)
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(refused.retry_after))
    if refused.status == 401 and response.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refused.status in (408, 413):
        response.force_close()
    return response


def _guarded(guard: Guard, role: Role, handler: Guarded) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        who = guard.let_in(request, role)
        await guard.check_form(request, who)
        response = await handler(request, who)
        if who.renew is not None:
            set_session(response, guard.auth, who.renew)
        return response

    return guarded


def _looker(page: Page) -> Role:
    """Who may look at a page at least."""
    return Role.OWN if page.owned else Role.LOOK


def _rest() -> "Programs":
    from bridge.admin.rest.api import Api

    return Api


def _graphql() -> "Programs":
    from bridge.admin.graphql.api import GraphQL
    from bridge.admin.graphql.schema import schema

    schema()
    return GraphQL


def _file(name: str) -> Handler:
    async def send(_: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": TYPES[name], "Cache-Control": answers.FOREVER}
        return web.Response(body=content(name), headers=headers)

    return send


async def _nothing(_request: web.Request, _who: Principal) -> web.StreamResponse:
    raise nothing_here()
