"""The HTTP side of the receiver: `POST /in/{source}`, with the secret in the path for panels that can send none else.

Answers 200 with a short JSON body after the commit. Never a redirect: senders follow it as a GET without a body, and
the event is lost. So every path is served with and without a trailing slash, and nothing is left to the router.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from aiohttp import web

from bridge import __version__
from bridge.clock import Clock
from bridge.codec import dump
from bridge.counters import COUNTERS
from bridge.errors import BadPayload, BadSignature, HookRejected, StoreError
from bridge.ingress.body import ask_later, read_body
from bridge.ingress.budget import MemoryBudget
from bridge.ingress.connections import PROVEN
from bridge.ingress.receiver import Receipt, Receiver
from bridge.ingress.refusals import Refusals, shown_method, shown_path
from bridge.ingress.source import Source
from bridge.panels.base import Hook
from bridge.telemetry import log

LOG = logging.getLogger("bridge.ingress")
JSON = {"Content-Type": "application/json"}
PATH_WORDS = ("in", "healthz", "readyz")
RETRY_AFTER = {"Retry-After": "5"}
#: A secret in a path: aiohttp's own pattern takes none with a brace.
SEGMENT = "{token:[^/]+}"
Handler = Callable[[web.Request], Awaitable[web.Response]]


class Server:
    """The handlers for panels' own webhooks, and for whoever watches this process."""

    def __init__(
        self,
        receiver: Receiver,
        budget: MemoryBudget,
        refusals: Refusals,
        clock: Clock,
        *,
        ready: Callable[[], Awaitable[None]],
    ) -> None:
        self._receiver = receiver
        self._refusals = refusals
        self._budget = budget
        self._clock = clock
        self._ready = ready
        self._path_words: Collection[str] = ()

    def routes(self) -> list[web.RouteDef]:
        paths = ("/in/{source}", "/in/{source}/", f"/in/{{source}}/{SEGMENT}", f"/in/{{source}}/{SEGMENT}/")
        return [
            *(web.route("*", path, self.receive, expect_handler=ask_later) for path in paths),
            web.route("*", "/healthz", self.healthz),
            web.route("*", "/readyz", self.readyz),
        ]

    def rest(self, path_words: Collection[str]) -> web.RouteDef:
        """The last route: whatever no other takes. `path_words`: what the paths of the others are made of."""
        self._path_words = path_words
        return web.route("*", "/{tail:.*}", self.not_found)

    async def receive(self, request: web.Request) -> web.Response:
        """One panel request."""
        started = time.perf_counter()
        name = request.match_info["source"]
        source = self._receiver.sources.get(name)
        if source is None:
            return self._not_found(f'no source named "{name[:64]}"')
        if request.method != "POST":
            return self._other_method(request, source)
        try:
            receipt = await self._receive(request, source)
        except HookRejected as error:
            self._refusals.log(name, error.status, str(error))
            return last(_refusal(error))
        except StoreError as error:
            self._refusals.log(name, 503, str(error))
            return _error(503, "the store is not available, try again", headers=RETRY_AFTER)
        log_accepted(name, receipt, started)
        repeated = {"repeated": receipt.repeats} if receipt.repeats else {}
        return _json(
            200, {"accepted": len(receipt.events) - receipt.repeats, "set_aside": receipt.set_aside} | repeated
        )

    async def _receive(self, request: web.Request, source: Source) -> Receipt:
        try:
            return await self._read_and_receive(request, source)
        except BadSignature:
            raise  # a stranger's, who could have every repeat told twice
        except BaseException:  # refused, failed, or cut off: all the same to the panel
            self._receiver.distrust(source, self._clock.now())
            raise

    async def _read_and_receive(self, request: web.Request, source: Source) -> Receipt:
        head = Hook(
            body=b"",
            received_at=self._clock.now(),
            headers=request.headers,
            query=request.query,
            token=request.match_info.get("token"),
        )
        proven = request[PROVEN] = source.panel.verify_head(head)
        with self._budget.reserve(proven=proven) as reservation:
            body = await read_body(request, reservation)
            hook = Hook(body, self._clock.now(), head.headers, head.query, head.token)
            if not proven:
                await self._receiver.verify_body(source, hook)
                reservation.prove()
            request[PROVEN] = True
            return await self._receiver.receive(source, hook)

    def _other_method(self, request: web.Request, source: Source) -> web.Response:
        if request.method == "OPTIONS" and (consent := source.panel.consent(request.headers)):
            return web.Response(status=200, headers=consent)
        self._refusals.log(source.name, 405, f"{shown_method(request.method)}, and only POST is taken here")
        return last(_error(405, "only POST is taken here", headers={"Allow": "POST"}))

    async def not_found(self, request: web.Request) -> web.Response:
        """Whatever has no other handler."""
        path = shown_path(request.path, {*PATH_WORDS, *self._path_words, *self._receiver.sources})
        return self._not_found("nothing here: panels post to /in/{source}", at=path)

    def _not_found(self, reason: str, *, at: str = "") -> web.Response:
        self._refusals.log(None, 404, f"{at}: {reason}" if at else reason)
        return last(_error(404, reason))

    async def healthz(self, request: web.Request) -> web.Response:
        """The process is alive."""
        return _json(200, {"status": "ok", "version": __version__})

    async def readyz(self, request: web.Request) -> web.Response:
        """The store takes events."""
        try:
            await self._ready()
        except StoreError as error:
            return _error(503, str(error), headers=RETRY_AFTER)
        return _json(200, {"status": "ready"})


def log_accepted(source: str, receipt: Receipt, started: float) -> None:
    """Say, and count, that a request was taken which came when `perf_counter` was at `started`."""
    seconds = time.perf_counter() - started
    COUNTERS.request_taken(source, seconds)
    log(
        LOG,
        logging.INFO,
        "ingress.accepted",
        source=source,
        events=len(receipt.events) - receipt.repeats,
        set_aside=receipt.set_aside,
        repeated=receipt.repeats or None,
        ms=round(seconds * 1000, 1),
        trace=receipt.trace,
    )


def last(refusal: web.Response) -> web.Response:
    """The refusal, the last answer on its connection: what else comes there is not read."""
    refusal.force_close()
    return refusal


def _refusal(error: HookRejected) -> web.Response:
    headers = RETRY_AFTER if error.status == 503 else {}
    if isinstance(error, BadPayload):
        return _json(error.status, {"error": error.reason, "path": error.path}, headers)
    return _json(error.status, {"error": str(error)}, headers)


def _error(status: int, reason: str, *, headers: dict[str, str] | None = None) -> web.Response:
    return _json(status, {"error": reason}, headers)


def _json(status: int, value: object, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=dump(value), headers={**JSON, **headers} if headers else JSON)
