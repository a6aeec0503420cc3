"""ntfy's publishing as JSON, as strict as the real one: types, lengths in bytes, and its own codes.

Source   github.com/binwiederhier/ntfy @ 81a486a (13 July 2025): docs/publish.md, server/errors.go, server/actions.go,
         server/server.go (transformBodyJSON, parsePublishParams, handlePublishBody), server/types.go (publishMessage),
         server/config.go (the limits). Stricter where it would pass over: unknown keys, a message or a title that
         would not be shown as it is, a token where nobody has one
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.known import SECRET, House, KnownChat, Pace, Way
from tests.services.service import Service, parsed

TOPIC = "vpn-3f9a2c-alerts"
TOKEN = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
KEYS = {
    **dict.fromkeys(
        ("topic", "title", "message", "click", "icon", "attach", "filename", "email", "call", "delay"), str
    ),
    "priority": int,
    "tags": list,
    "actions": list,
    "markdown": bool,
}
RESERVED = ("docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login", "v1")

Fault = tuple[int, int, str]  # status, code, what it says


class Ntfy(Service):
    """`token`: who has it may publish; None for a server where anyone may.

    `limited`: 60 requests at once, and one more every 5 s. `fault`: status, code and words of what is wrong with the
    topic.
    """

    def __init__(self, *, token: str | None = None, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self.fault: Fault | None = None
        self.healthy = True
        self._token = token
        self._last = 0

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if self._limited and self.over("visitor", 60, 300.0) > 0:
            return self._error(429, 42901, "limit reached: too many requests")
        if self.fault is not None:
            return self._error(*self.fault)
        if request.method == "GET" and request.path in ("/v1/health", "/v1/account"):
            return self._told(request)
        if request.method not in ("POST", "PUT") or request.path != "/":
            return self._error(404, 40401, "page not found")
        if (given := request.headers.get("Authorization")) is not None and given != f"Bearer {self._token}":
            return self._error(401, 40101, "unauthorized")
        if given is None and self._token is not None:
            return self._error(403, 40301, "forbidden")
        value = parsed(body)
        for status, code, text in ntfy_faults(value, len(body)):
            return self._error(status, code, text)
        self.take(request, value)
        self._last += 1
        said: dict[str, Any] = {
            "id": f"sPs71M8A{self._last:04}",
            "time": 1732160058,
            "expires": 1732203258,
            "event": "message",
        }
        return web.json_response(said | {key: value[key] for key in ("topic", "title", "message") if key in value})

    def _told(self, request: web.Request) -> web.Response:
        """What it says of itself and of whoever asks; where there are no users, a token is passed over."""
        if request.path == "/v1/health":
            return web.json_response({"healthy": self.healthy})
        given = request.headers.get("Authorization")
        if self._token is not None and given is not None and given != f"Bearer {self._token}":
            return self._error(401, 40101, "unauthorized")
        known = given is not None and self._token is not None
        return web.json_response(
            {"username": "phil", "role": "user"} if known else {"username": "*", "role": "anonymous"}
        )

    def _error(self, status: int, code: int, text: str) -> web.Response:
        self.refuse(f"{code} {text}")
        said = {"code": code, "http": status, "error": text, "link": "https://ntfy.sh/docs/publish/"}
        return web.json_response(said, status=status)


def ntfy_faults(body: Any, length: int) -> Iterator[Fault]:
    """What ntfy has against a body of so many bytes."""
    if length > 8192:
        yield 413, 41303, "JSON body too large"
    if not isinstance(body, dict) or not all(type(one) is KEYS.get(key) for key, one in body.items()):
        yield 400, 40024, "invalid request: request body must be valid JSON"
        return
    topic, priority, tags = body.get("topic", ""), body.get("priority", 0), body.get("tags", [])
    if not re.fullmatch("[-_A-Za-z0-9]{1,64}", topic):
        yield 400, 40009, "invalid request: topic invalid"
    if topic in RESERVED:
        yield 400, 40010, "invalid request: topic name is not allowed"
    if not 0 <= priority <= 5:
        yield 400, 40007, "invalid priority parameter"
    if "icon" in body and not re.match("https?://", body["icon"]):
        yield 400, 40021, "invalid request: icon URL is invalid"
    for action in body.get("actions", []):
        if not isinstance(action, dict) or set(action) != {"action", "label", "url"} or action["action"] != "view":
            yield 400, 40018, "invalid request: actions invalid"
        elif not action["label"].strip() or not re.match("https?://", action["url"]):
            yield 400, 40018, "invalid request: actions invalid, label or url is missing"
    if len(body.get("actions", [])) > 3:
        yield 400, 40018, "invalid request: actions invalid, only 3 actions allowed"
    if "click" in body and not re.match("https?://", body["click"]):
        yield 400, 40024, "a touch would lead nowhere"
    if not all(isinstance(tag, str) for tag in tags):
        yield 400, 40024, "invalid request: request body must be valid JSON"
    if len(body.get("message", "").encode()) > 4096:
        yield 400, 40014, "invalid request: attachments not allowed"
    if not body.get("message", "").strip():
        yield 400, 40024, "the message would be shown as `triggered`"
    if any("," in str(tag) for tag in tags):
        yield 400, 40024, "a tag would be shown as two"
    if "title" in body and ("\n" in body["title"] or not body["title"].strip()):
        yield 400, 40024, "the title would not be shown as it is"


def words(markup: str) -> str:
    return str(markup)


def harmless(markup: str) -> None:
    """It knows no mention, and reads no markup."""


def shown(message: dict[str, Any]) -> str:
    return "\n".join(message[key] for key in ("title", "message") if key in message)


def seen(message: dict[str, Any]) -> str:
    return words(shown(message))


def pings(message: dict[str, Any], event: Event) -> Iterable[str]:
    return ()


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    return (f"{code} {text}" for _, code, text in ntfy_faults(parsed(request.body), len(request.body)))


KNOWN = KnownChat(
    example={"topic": SECRET, "token": SECRET},
    ways={
        "topic": Way(settings={"topic": TOPIC}, faults=_faults),
        "full": Way(
            settings={
                "topic": "x" * 64,
                "token": TOKEN,
                "priority": 4,
                "tags": ["t" * 64] * 10,
                "icon": f"https://x.example/{'i' * 2000}",
                "click": "https://panel.example.com/{{ event.id }}",
                "actions": [
                    {"label": "{{ event.source }} {{ data.user.username }}", "url": "https://x.example/{{ who }}"}
                ]
                * 3,
                "api_base": "https://ntfy.example",
            },
            faults=_faults,
        ),
    },
    house=House(
        stand_in=lambda limited: Ntfy(token=TOKEN, limited=limited),
        sinks={"ntfy": {"topic": TOPIC, "token": TOKEN, "api_base": "{base}"}},
        secrets=(TOKEN,),
    ),
    pace=Pace(stand_in=lambda: Ntfy(limited=True), path="/", body={"topic": TOPIC, "message": "x"}, count=60),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=("priority", 2),
)
