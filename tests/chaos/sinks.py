"""The services on the other end: strict, watched, and out of order when the plan says so."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aiohttp import web

from tests.chaos.plan import WEBHOOKS, Fault, Step
from tests.chaos.story import Asked, Story, Told
from tests.services.discord import Discord
from tests.services.receiver import Receiver
from tests.services.service import Service, parsed
from tests.services.telegram import Telegram

LATE = 3.0  # seconds: longer than any sink of the run waits
#: How the templates of the run say which event it is.
SAID = re.compile(r"§([a-z0-9.]+) ([0-9a-f-]{36})§")
TEMPLATE = "§{{ data.mark }} {{ event.id }}§"
BLOCKED = (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"})
GONE = {"chat": (404, {"message": "Unknown Webhook", "code": 10015}), "group": BLOCKED, "board": BLOCKED}
REFUSED = {
    "chat": {"message": "Cannot send an empty message", "code": 50006},
    "group": {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"},
}


class Watched(Service):
    """A service that writes down what it is asked and what it takes. `fault` is what is wrong with it just now."""

    def __init__(self, name: str, service: Service, story: Story, now: Callable[[], float]) -> None:
        super().__init__()
        self.fault: Step | None = None
        self._name, self._service, self._story, self._now = name, service, story, now

    async def serve(self, request: web.Request, body: bytes) -> web.StreamResponse:
        began, fault = self._now(), self.fault
        if fault is None:
            response = await self._take(request, body, lose=False)
        else:
            response = await self._fail(fault, request, body)
        status = 0 if _cut(request) else response.status
        wait = float(response.headers.get("Retry-After", 0))
        self._story.asked.append(Asked(self._name, began, status, self._now(), wait))
        return response

    async def _take(self, request: web.Request, body: bytes, *, lose: bool) -> web.StreamResponse:
        response = await self._service.serve(request, body)
        if lose:
            _cut_off(request)
        if self._service.taken:
            self._forget()
            lost, replay = _cut(request), request.headers.get("Panelbridge-Replay") == "1"
            self._story.told += (Told(self._name, event, mark, self._now(), lost, replay) for mark, event in said(body))
        return response

    def _forget(self) -> None:
        """What was taken is written down; in an hour it would be much."""
        self._service.taken.clear()
        if isinstance(self._service, Receiver):
            self._service.bodies.clear()

    async def _fail(self, step: Step, request: web.Request, body: bytes) -> web.StreamResponse:
        match step.fault:
            case Fault.ERROR:
                return web.Response(status=500, text="<html>Internal Server Error</html>")
            case Fault.BUSY:
                return _wait(503, step.by)
            case Fault.LIMIT:
                return _wait(429, step.by)
            case Fault.BUSY_ZERO:
                return _wait(503, 0.0)
            case Fault.LIMIT_ZERO:
                return _wait(429, 0.0)
            case Fault.REFUSE:
                return web.json_response(REFUSED.get(self._name, {"error": "not this one"}), status=400)
            case Fault.GONE:
                status, answer = GONE.get(self._name, (410, {}))
                return web.json_response(answer, status=status)
            case Fault.LOSE:
                return await self._take(request, body, lose=True)
            case Fault.HANG:
                await asyncio.sleep(LATE)
            case Fault.GARBAGE if request.transport is not None:
                request.transport.write(b"\x00\x01 what is that? \r\n\r\n")
        _cut_off(request)
        return web.Response(status=500)


def services(story: Story, now: Callable[[], float]) -> Mapping[str, Watched]:
    """Every sink's service, by name."""
    strict: dict[str, Service] = {name: Receiver() for name in (*WEBHOOKS, "spare")}
    strict |= {"chat": Discord(limited=True), "group": Telegram(limited=True), "board": Telegram(limited=True)}
    return {name: Watched(name, service, story, now) for name, service in strict.items()}


def said(body: bytes) -> Iterator[tuple[str, str]]:
    """(mark, event id) of every event that a request tells of."""
    value: Any = parsed(body)
    if isinstance(value, dict) and isinstance(value.get("data"), dict):
        yield value["data"]["mark"], value["id"]
    else:
        yield from SAID.findall(json.dumps(value, ensure_ascii=False).replace("\\", ""))


def _wait(status: int, seconds: float) -> web.Response:
    said = {"message": "later", "retry_after": seconds, "parameters": {"retry_after": seconds}}
    return web.json_response(said, status=status, headers={"Retry-After": f"{seconds:.0f}", "Via": "1.1 google"})


def _cut(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _cut_off(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
