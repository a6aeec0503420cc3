"""Bale's sendMessage, editMessageText and deleteMessage, as strict as they are known to be.

Source   docs.bale.ai (methods, responses); PyPI python-bale-bot: bale/request, bale/_error.py (440, descriptions),
         bale/version.py (4096). Stricter where nothing is known: unknown keys, a text with nothing to see, buttons
         without a web address. Open: whether local_rate_limited comes as JSON, and what its rates are
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from bridge.sinks.text import utf16
from tests.services.known import SECRET, House, KnownChat, Pace, Way
from tests.services.service import Service, parsed

TOKEN = "1234567890:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd"
CHAT = 4912345678
KEYS: dict[str, tuple[type, ...]] = {
    "chat_id": (int, str),
    "text": (str,),
    "message_id": (int,),
    "reply_to_message_id": (int,),
    "reply_markup": (dict,),
}
SENT = {"chat_id", "text", "reply_to_message_id", "reply_markup"}
EDITED = {"chat_id", "text", "message_id", "reply_markup"}
PING = re.compile(r"(?<![A-Za-z0-9_])@[A-Za-z0-9_]")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^()\s]+)\)")


class Bale(Service):
    """`fault`: code and description of what is wrong with every chat. `messages`: id → the message that is there."""

    def __init__(self, *, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self.fault: tuple[int, str] | None = None
        self.messages: dict[int, dict[str, Any]] = {}
        self._last = 0

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        token, _, method = request.path.removeprefix("/bot").partition("/")
        if token != TOKEN or not request.path.startswith("/bot"):
            return self._error(403, "Bad Request: Token not found")
        message = parsed(body) if request.content_type == "application/json" else None
        if not isinstance(message, dict):
            return self._error(400, "Bad Request: can't parse JSON")
        if self.fault is not None:
            return self._error(*self.fault)
        if method == "getMe":
            return web.json_response({"ok": True, "result": {"id": 1234567890, "is_bot": True, "username": "panelbot"}})
        if self._limited and self.over(f"chat {message.get('chat_id')}", 1, 1.0) > 0:
            return self._error(429, "local_rate_limited", {"retry_after": 1})
        if message.get("chat_id") not in (CHAT, "@news"):
            return self._error(440, "no such group or user")
        if method == "getChat":
            return web.json_response({"ok": True, "result": {"id": CHAT, "type": "group", "title": "VPN"}})
        does = {"sendMessage": self._send, "editMessageText": self._edit, "deleteMessage": self._delete}
        return does[method](request, message) if method in does else self._error(404, "Not Found")

    def _send(self, request: web.Request, message: dict[str, Any]) -> web.Response:
        for fault in bale_faults(message, SENT):
            return self._error(400, f"Bad Request: {fault}")
        if message.get("reply_to_message_id", 0) not in (0, *self.messages):
            return self._error(400, "Bad Request: message not found")
        self._last += 1
        self.messages[self._last] = message
        return self._done(request, message, self._last)

    def _edit(self, request: web.Request, message: dict[str, Any]) -> web.Response:
        for fault in bale_faults(message, EDITED):
            return self._error(400, f"Bad Request: {fault}")
        if message["message_id"] not in self.messages:
            return self._error(400, "Bad Request: message not found")
        self.messages[message["message_id"]] = message
        return self._done(request, message, message["message_id"])

    def _delete(self, request: web.Request, message: dict[str, Any]) -> web.Response:
        if set(message) != {"chat_id", "message_id"} or self.messages.pop(message["message_id"], None) is None:
            return self._error(400, "Bad Request: message not found")
        self.take(request, message)
        return web.json_response({"ok": True, "result": True})

    def _done(self, request: web.Request, message: dict[str, Any], id_: int) -> web.Response:
        self.take(request, message)
        result = {"message_id": id_, "date": 1732160058, "chat": {"id": message["chat_id"]}, "text": message["text"]}
        return web.json_response({"ok": True, "result": result})

    def _error(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> web.Response:
        self.refuse(f"{code} {description}")
        said: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
        return web.json_response(said | ({"parameters": parameters} if parameters else {}), status=code)


def bale_faults(message: Any, keys: set[str] = SENT) -> Iterator[str]:
    """What Bale has against a message."""
    if not isinstance(message, dict) or not set(message) <= keys:
        yield f"keys: {message}"
        return
    yield from (f"{key} has a wrong type" for key, one in message.items() if type(one) not in KEYS[key])
    text = message.get("text", "")
    if not text.strip("\u200b\u2060 \n\t") or utf16(text) > 4096:
        yield f"text of {len(text)} characters"
    rows = message.get("reply_markup", {"inline_keyboard": [[]]})["inline_keyboard"]
    for one in (button for row in rows for button in row):
        if set(one) != {"text", "url"} or not one["text"].strip() or not one["url"].startswith(("http://", "https://")):
            yield f"button {one}"


def words(markup: str) -> str:
    """A text as people read it: a link is its label."""
    return _LINK.sub(r"\1", str(markup))


def harmless(markup: str) -> None:
    assert not PING.search(_LINK.sub(r"\1", markup)), markup
    assert not re.search(r"\[[^\[\]\n]+\]\((?!https?://)", markup), markup


def shown(message: dict[str, Any]) -> str:
    return str(message["text"])


def seen(message: dict[str, Any]) -> str:
    """A mark is one unless it stands inside of a word, or between spaces that nobody sees."""
    return words(re.sub(r"[*_]+", _literal, shown(message)))


def _literal(found: re.Match[str]) -> str:
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    inside = before.isalnum() and after.isalnum()
    return found[0] if inside or before == after == "\u200b" else ""


def pings(message: dict[str, Any], event: Event) -> Iterator[str]:
    yield from (f"a ping: {found[0]}" for found in PING.finditer(_LINK.sub(r"\1", message["text"])))


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    return bale_faults(parsed(request.body))


_BUTTON = {"text": "{{ event.source }} {{ data.user.username }}", "url": "https://panel.example.com/{{ event.id }}"}
KNOWN = KnownChat(
    example={"token": SECRET, "chat_id": CHAT},
    secretive=({"token": f"123456:{SECRET}", "chat_id": "@news"},),
    ways={"bot": Way(settings={"token": "1:A", "chat_id": CHAT, "links": [_BUTTON]}, faults=_faults)},
    house=House(
        stand_in=lambda limited: Bale(limited=limited),
        sinks={"bale": {"token": TOKEN, "chat_id": CHAT, "api_base": "{base}"}},
        secrets=(TOKEN,),
    ),
    pace=Pace(
        stand_in=lambda: Bale(limited=True),
        path=f"/bot{TOKEN}/sendMessage",
        body={"chat_id": CHAT, "text": "x"},
        count=1,
    ),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=None,
)
