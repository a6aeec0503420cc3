"""Answers what is asked below /api/v1."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import web

from bridge.admin.access.auth import Principal, Role
from bridge.admin.access.guard import Guard
from bridge.admin.actions import BridgeControls, who_acts
from bridge.admin.answers import ROUTE, VARY, RequestRefused
from bridge.admin.audit import KeepAction
from bridge.admin.reader_pool import ReaderPool
from bridge.admin.rest.endpoint import Call, Endpoint, PlainText
from bridge.admin.rest.endpoints.actions import ACTIONS
from bridge.admin.rest.endpoints.announcements import ANNOUNCEMENTS
from bridge.admin.rest.endpoints.bridge import BRIDGE
from bridge.admin.rest.endpoints.history import HISTORY
from bridge.admin.rest.endpoints.ledger import LEDGER
from bridge.admin.rest.endpoints.people import PEOPLE
from bridge.admin.rest.openapi import document
from bridge.admin.rest.request_parsing import body_of, query_of
from bridge.admin.state import ConfigState
from bridge.admin.trials.shapes import SentTest
from bridge.admin.under_way import UnderWay
from bridge.errors import suggestion

T = TypeVar("T")
ENDPOINTS: tuple[Endpoint, ...] = (*BRIDGE, *LEDGER, *HISTORY, *ACTIONS, *PEOPLE, *ANNOUNCEMENTS)
PREFIX, DOCUMENT = "/api/v1", "/openapi.json"
_PATTERNS = {one.path: one.pattern for one in ENDPOINTS}
_BY_PATH: Mapping[str, Mapping[str, Endpoint]] = {
    path: {one.method: one for one in ENDPOINTS if one.path == path} for path in _PATTERNS
}


class Api:
    """All endpoints. `state` gives the file as it is in force, `tests` the last test of each sink."""

    def __init__(
        self,
        guard: Guard,
        reading: ReaderPool,
        means: BridgeControls,
        state: Callable[[], ConfigState],
        now: Callable[[], datetime],
        tests: dict[str, SentTest],
        acted: KeepAction,
        under_way: UnderWay,
    ) -> None:
        self._guard, self._reading, self._means = guard, reading, means
        self._state, self._now, self._tests, self._acted = state, now, tests, acted
        self._under_way = under_way

    async def answer(self, request: web.Request, path: str) -> web.Response:
        """What is answered to a request of that path, which begins with a slash; RequestRefused where it is not."""
        who = self._guard.let_in(request, Role.LOOK)
        if path == DOCUMENT:
            _check_method(request, {"GET": None})
            return self._document(request)
        known, place = _found(_written(request, self._state().admin.prefix()))
        request[ROUTE] = PREFIX + known
        endpoint = _check_method(request, _BY_PATH[known])
        self._guard.check_role(request, who, endpoint.role)
        await self._guard.check_program(request, who)
        return await self._call(request, who, endpoint, place)

    async def _call(
        self, request: web.Request, who: Principal, endpoint: Endpoint, place: Mapping[str, str]
    ) -> web.Response:
        query = query_of(endpoint, request.query.items())
        body = await _body(request, endpoint)
        call = Call(
            read=self._reading.run,
            means=self._means,
            state=self._state(),
            now=self._now(),
            path=place,
            query=query,
            body=body,
            tests=self._tests,
            role=who.role,
            who=who_acts(who.by, self._guard.address(request)),
            acted=lambda action, fields: self._acted(action, who, request, fields),
        )
        work = endpoint.do(call)
        found = await (self._under_way.finish(work) if endpoint.role is Role.ACT else work)
        if isinstance(found, bytes):
            assert isinstance(endpoint.answer, PlainText)
            return web.Response(body=found, content_type=endpoint.answer.content_type, headers={"Vary": VARY})
        return _json(found.model_dump_json().encode(), endpoint.status)

    def _document(self, request: web.Request) -> web.Response:
        request[ROUTE] = PREFIX + DOCUMENT
        whole = document(ENDPOINTS) | {"servers": [{"url": self._state().admin.prefix() + PREFIX}]}
        return _json(json.dumps(whole).encode())


def _written(request: web.Request, prefix: str) -> str:
    """The path below /api/v1 in which `%2F` is a slash within a name, and `%25` a percent sign."""
    path = request.rel_url.path_safe
    whole = prefix + PREFIX
    return path.removeprefix(whole if path.startswith(f"{whole}/") else PREFIX)


async def _body(request: web.Request, endpoint: Endpoint) -> Any:
    """What was posted, as the endpoint wants it; raise RequestRefused where it is something else."""
    if (text := endpoint.takes) is None:
        return body_of(endpoint, request.content_type, await request.read()) if endpoint.body else None
    if request.content_type != text.content_type:
        raise RequestRefused(
            415, "this is not read here", f"Post it as {text.content_type}.", headers={"Accept": text.content_type}
        )
    return await request.clone(client_max_size=text.most).read()


def _found(path: str) -> tuple[str, Mapping[str, str]]:
    """The path of an endpoint, and what its `{…}` are; raise RequestRefused where there is none."""
    for known, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(path):
            return known, {name: one.replace("%2F", "/").replace("%25", "%") for name, one in found.groupdict().items()}
    near = suggestion(path[:100], _PATTERNS)
    detail = f"{near[:1].upper()}{near[1:]}" if near.startswith("did") else f"{PREFIX}{DOCUMENT} says what there is."
    raise RequestRefused(404, "there is nothing here", detail)


def _check_method(request: web.Request, methods: Mapping[str, T]) -> T:
    """What is there for the request's method; raise RequestRefused where nothing is."""
    method = "GET" if request.method == "HEAD" else request.method
    if method not in methods:
        allowed = [*methods, *(["HEAD"] if "GET" in methods else [])]
        raise RequestRefused(
            405, "this is not done here", f"Here is {', '.join(methods)}.", headers={"Allow": ", ".join(allowed)}
        )
    return methods[method]


def _json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json", headers={"Vary": VARY})
