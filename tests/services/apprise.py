"""What Apprise asks over HTTP: Gotify, Rocket.Chat's webhooks, an Apprise API and a flow of Teams, each as strict.

Source   github.com/gotify/server: api/message.go (a message must not be empty), error/handler.go;
         developer.rocket.chat, "Webhooks": {"success": true}, also for an *empty* payload, of which nothing is posted;
         github.com/caronc/apprise-api: views.py (204 without a configuration, 424 where one target fails);
         learn.microsoft.com, "Incoming webhooks with Workflows" (202, whatever becomes of it).
         The client is the real library, PyPI apprise 2.2.0. Stricter where they would pass over: unknown keys
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bridge.event import Event
from bridge.sinks.apprise.plugin import notified
from bridge.sinks.apprise.reading import reading
from bridge.sinks.apprise.schemes import OURS
from bridge.sinks.http import Request, Response
from tests.services.known import SECRET, House, KnownChat, Pace, Way
from tests.services.service import Service, parsed

GOTIFY_TOKEN = "AbCdEf0123456-X"
HOOK = "Hxyzxyzxyzxyzxyz1/Taaaaaaaaaaaaaaaaaaaaaa9"
APPRISE_KEY = "vpn-config-key-77"
GOTIFY = f"gotify://gotify.example/{GOTIFY_TOKEN}"
ROCKET = f"rockets://chat.example/?webhook={HOOK}"
SESSION = ("/api/v1/login", "/api/v1/logout")
PING = re.compile(r"@[\w.-]|<[^>\u200b\n][^>\n]*>")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
KEYS = {
    "gotify": {"priority": int, "title": str, "message": str},
    "rocket": {"text": str, "channel": str},
    "apprise": {"title": str, "body": str, "type": str, "format": str},
    "json": {"version": str, "title": str, "message": str, "attachments": list, "type": str},
}
TEXT = {"gotify": "message", "rocket": "text", "apprise": "body", "json": "message"}
LONGEST = {"gotify": 32768, "rocket": 5000, "apprise": 32768, "json": 32768}


class Street(Service):
    """`fault`: status and body in place of taking a message; `posted` counts what people would see."""

    def __init__(self, *, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self.fault: tuple[int, Any] | None = None
        self.posted = 0
        self.logout = 200

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if self._limited and self.over("sender", OURS.count, OURS.period) > 0:
            return web.json_response({"error": "too many requests", "errorCode": 429}, status=429)
        if self.fault is not None:
            return web.json_response(self.fault[1], status=self.fault[0])
        form = request.content_type == "application/x-www-form-urlencoded"
        payload = dict(parse_qsl(body.decode())) if form else parsed(body)
        kind = "rocket" if request.path.startswith("/hooks/") else "gotify" if request.path == "/message" else "json"
        kind = "apprise" if request.path == "/notify" else kind
        if request.path in SESSION:
            return self._session(request.path)
        kind = "rocket" if request.path == "/api/v1/chat.postMessage" else kind
        if kind == "gotify" and request.headers.get("X-Gotify-Key") != GOTIFY_TOKEN:
            said = {"error": "Unauthorized", "errorCode": 401, "errorDescription": "you need to provide a valid token"}
            return self._refused(401, said)
        if kind == "rocket" and request.path not in (f"/hooks/{HOOK}", "/api/v1/chat.postMessage"):
            return self._refused(400, {"success": False, "error": "Invalid integration id or token provided."})
        if kind == "apprise" and request.headers.get("X-Apprise-Config-ID") != APPRISE_KEY:
            return web.Response(status=204)
        if kind == "rocket" and payload == {"text": ""}:
            return web.json_response({"success": True})
        if found := list(street_faults(kind, payload)):
            return self._refused(
                400, {"error": found[0], "errorDescription": found[0], "errorCode": 400, "success": False}
            )
        self.take(request, payload)
        self.posted += 1
        return web.json_response({"gotify": {"id": self.posted}, "rocket": {"success": True}}.get(kind, {}))

    def _session(self, path: str) -> web.Response:
        """Rocket.Chat's login and logout, whose `status` is no word of a message."""
        status = self.logout if path.endswith("logout") else 200
        return web.json_response({"status": "success", "data": {"authToken": "t", "userId": "u"}}, status=status)

    def _refused(self, status: int, said: dict[str, Any]) -> web.Response:
        self.refuse(str(said))
        return web.json_response(said, status=status)


def street_faults(kind: str, payload: Any) -> Iterator[str]:
    """What a service has against what the real library sends it."""
    keys = KEYS[kind]
    if not isinstance(payload, dict) or not all(type(one) is keys.get(key) for key, one in payload.items()):
        yield f"keys or types: {payload}"
        return
    text = payload.get(TEXT[kind], "")
    if not text.strip():
        yield "message cannot be empty"
    if len(text) > LONGEST[kind]:
        yield f"{len(text)} characters"
    if "\n" in payload.get("title", ""):
        yield "the title would not be shown as it is"


def sent(request: Request, url: str) -> list[Request]:
    """What the real library sends for a request of ours."""
    found: list[Request] = []

    def ask(one: Request) -> Response:
        found.append(one)
        return Response(200, {}, b'{"success": true, "id": 1}')

    notified(url, parsed(request.body), ask)
    return found


def _faults(url: str, kind: str) -> Any:
    def faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
        requests = sent(request, url)
        if len(requests) != 1:
            yield f"{len(requests)} requests for one message"
        for one in requests:
            yield from street_faults(kind, parsed(one.body))

    return faults


def words(markup: str) -> str:
    return re.sub(r"\\([^\w\s]|_)", r"\1", str(markup))


def harmless(markup: str) -> None:
    outside = _CODE.sub("", markup)
    assert not PING.search(outside), markup
    assert not re.search(r"\]\((?!https?://)", re.sub(r"\\.", "", outside)), markup


def shown(body: dict[str, Any]) -> str:
    return "\n".join(filter(None, (body["title"], body["body"])))


def seen(body: dict[str, Any]) -> str:
    return "".join(span.text for span in reading(shown(body))) if body["format"] == "markdown" else shown(body)


def pings(body: dict[str, Any], event: Event) -> Iterable[str]:
    return (f"a ping: {found[0]}" for found in PING.finditer(_CODE.sub("", body["body"])))


KNOWN = KnownChat(
    example={"url": f"gotify://gotify.example/{SECRET}"},
    ways={
        "rocket": Way(settings={"url": ROCKET}, faults=_faults(ROCKET, "rocket")),
        "gotify": Way(settings={"url": GOTIFY}, faults=_faults(GOTIFY, "gotify")),
    },
    house=House(
        stand_in=lambda limited: Street(limited=limited),
        sinks={
            "gotify": {"url": f"gotify://127.0.0.1:{{port}}/{GOTIFY_TOKEN}"},
            "rocket": {"url": f"rocket://127.0.0.1:{{port}}/?webhook={HOOK}"},
        },
        secrets=(GOTIFY_TOKEN, *HOOK.split("/")),
    ),
    pace=Pace(stand_in=lambda: Street(limited=True), path="/message", body={"message": "x"}, count=OURS.count),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=None,
)
