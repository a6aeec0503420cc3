"""Answers what is asked at /graphql: one operation a request, within limits, on a thread of its own."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationType,
    execute_sync,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import MaxIntrospectionDepthRule, NoSchemaIntrospectionCustomRule
from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.admin.access.auth import Principal, Role
from bridge.admin.access.guard import Guard
from bridge.admin.actions import BridgeControls
from bridge.admin.answers import ROUTE, VARY, RequestRefused
from bridge.admin.audit import KeepAction
from bridge.admin.graphql.context import GraphQLContext
from bridge.admin.graphql.limits import BODY, COMMENTS, TOKENS, check_limits, operation_of
from bridge.admin.graphql.schema import schema, sdl
from bridge.admin.reader_pool import ReaderPool
from bridge.admin.state import ConfigState
from bridge.admin.trials.shapes import SentTest
from bridge.admin.under_way import UnderWay
from bridge.errors import BridgeError, StoreError, TooSoon, UnknownName
from bridge.telemetry import log

LOG = logging.getLogger("bridge.admin")
AT_ONCE, WAITING, MOST_ERRORS = 2, 32, 5
JSON = "application/json"


class GraphQLRequest(BaseModel):
    """What a client posts; `extensions` say nothing here."""

    model_config = ConfigDict(strict=True, frozen=True)

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 as clients write it


class GraphQL:
    """Answers clients. `state` gives the file as it is in force, `tests` the last test of each sink."""

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
        self._room, self._asking = asyncio.Semaphore(AT_ONCE), 0

    async def answer(self, request: web.Request, path: str) -> web.Response:
        """What is answered to a request of `path`, which is empty or /schema; raise RequestRefused where it is not."""
        who = self._guard.let_in(request, Role.LOOK)
        if path not in ("", "/schema"):
            raise RequestRefused(404, "there is nothing here", "There are /graphql and /graphql/schema.")
        request[ROUTE] = f"/graphql{path}"
        if path:
            _check_method(request, "GET", "HEAD")
            return web.Response(text=sdl(), headers={"Vary": VARY})
        _check_method(request, "POST")
        await self._guard.check_program(request, who)
        body = _body(request.content_type, await request.read())
        if self._asking >= WAITING:
            raise RequestRefused(503, "too many ask at once", retry_after=1)
        self._asking += 1
        try:
            async with self._room:
                working = asyncio.to_thread(_worked_out, body, who, self._asked(request, who))
                status, result = await self._under_way.finish(working)
        finally:
            self._asking -= 1
        return web.Response(body=json.dumps(result).encode(), status=status, content_type=JSON, headers={"Vary": VARY})

    def _asked(self, request: web.Request, who: Principal) -> GraphQLContext:
        loop = asyncio.get_running_loop()

        def acted(action: str, fields: Mapping[str, object]) -> None:
            loop.call_soon_threadsafe(self._acted, action, who, request, fields)

        return GraphQLContext(loop, self._reading, self._means, self._state(), self._now(), self._tests, acted)


def _worked_out(body: GraphQLRequest, who: Principal, asked: GraphQLContext) -> tuple[int, dict[str, Any]]:
    """The status, and what is answered."""
    variables = body.variables or {}
    try:
        document = parse(body.query, max_lexical_tokens=TOKENS, max_comments=COMMENTS, max_source_length=BODY)
        check_limits(document, variables)
        errors = _faults(document, who)
    except GraphQLError as error:
        errors = [error]
    except RecursionError:
        errors = [GraphQLError("is nested too deeply")]
    if errors:
        return 400, {"errors": [one.formatted for one in errors]}
    if operation_of(document).operation is OperationType.MUTATION and not who.may(Role.ACT):
        refused = GraphQLError("this token may look, and change nothing", extensions={"code": "FORBIDDEN"})
        return 403, {"errors": [refused.formatted]}
    result = execute_sync(
        schema(), document, context_value=asked, variable_values=variables, operation_name=body.operationName
    )
    return 200, _answered(result)


def _faults(document: DocumentNode, who: Principal) -> list[GraphQLError]:
    """What is wrong with a document. What there is to ask for is told to whoever may act."""
    further = MaxIntrospectionDepthRule if who.may(Role.ACT) else NoSchemaIntrospectionCustomRule
    return validate(schema(), document, [*specified_rules, further], max_errors=MOST_ERRORS)


def _answered(result: ExecutionResult) -> dict[str, Any]:
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_shown_error(one).formatted for one in result.errors]
    return answer


def _shown_error(error: GraphQLError) -> GraphQLError:
    """The error as it is told: what a person can mend as it is said, a fault of ours without its words."""
    original = error.original_error
    if original is None or isinstance(original, GraphQLError):
        return error
    if not isinstance(original, BridgeError):
        log(LOG, logging.ERROR, "admin.bug", error=original)
    said = str(original) if isinstance(original, BridgeError) else "this is a fault of the bridge's own"
    extensions: dict[str, Any] = {"code": _code(original)}
    if isinstance(original, TooSoon):
        extensions["retryAfter"] = round(original.after, 1)
    return GraphQLError(said, error.nodes, path=error.path, extensions=extensions)


def _code(error: Exception) -> str:
    codes = ((UnknownName, "NOT_FOUND"), (TooSoon, "TOO_SOON"), (StoreError, "UNAVAILABLE"), (BridgeError, "CONFLICT"))
    return next((code for kind, code in codes if isinstance(error, kind)), "INTERNAL")


def _body(content_type: str, body: bytes) -> GraphQLRequest:
    if content_type != JSON:
        raise RequestRefused(415, "this is not read here", f"Post it as {JSON}.", headers={"Accept": JSON})
    if len(body) > BODY:
        raise RequestRefused(413, "the request is too big", f"It may have {BODY:,} bytes.")
    try:
        return GraphQLRequest.model_validate_json(body)
    except ValidationError:
        raise RequestRefused(
            400, "this is no request", 'Post one {"query": "…", "variables": {…}}, and no list.'
        ) from None


def _check_method(request: web.Request, *methods: str) -> None:
    if request.method not in methods:
        allowed = ", ".join(methods)
        raise RequestRefused(405, "this is not done here", f"Here is {methods[0]}.", headers={"Allow": allowed})
