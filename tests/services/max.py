"""MAX's messages and chats, as strict as they are known to be.

Source   github.com/max-messenger/max-bot-api-client-ts @ e75aa71: src/core/network/api/client.ts (hosts, Authorization
         without Bearer, verify.token), modules/messages/types.ts (query and body, {message}, {success}),
         types/keyboard.ts, attachment-request.ts, types/chat.ts (status, permissions), types/message.ts (body.mid);
         PyPI maxapi 1.2.3: maxapi/utils/formatting.py (tags, escapes); aiomax 2.12.5: aiomax/utils.py (codes, and
         "Invalid access_token" as plain text); dev.max.ru/docs-api (4000 characters, 7 × 30 buttons, 30 requests a
         second for a bot and 2 messages a second to a chat)
         Stricter where nothing is known: unknown keys, HTML that is not closed or has other tags, a text with nothing
         to see. Open: what it says to such HTML, for how long a message may be edited, whether a plain @name mentions
"""

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from itertools import chain
from typing import Any

from aiohttp import web
from yarl import URL

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.known import SECRET, House, KnownChat, Pace, Way
from tests.services.service import Service, parsed

TOKEN = "f9LHodD0cOKMaxBotToken0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
CHAT, CHANNEL, DIALOG, PERSON = -72233445566778, -72233445566779, 81234567, 123456789
BODY: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "attachments": (list,),
    "link": (dict,),
    "notify": (bool,),
    "format": (str,),
}
TAGS = {"b", "strong", "i", "em", "u", "ins", "s", "del", "code", "pre", "a", "h1", "blockquote", "mark"}
PING = re.compile(r"@\w|max://", re.IGNORECASE)
NOWHERE = re.compile(r"^[^.:]*$|\.(local|internal|lan|home|test|invalid|onion|arpa)$")  # as tried on 20 July 2026


class Max(Service):
    """`fault`: status, code and words of what is wrong with every chat. `messages`: mid → the message that is there.

    `status` is what the bot is in the chat, `permissions` what it may do in the channel.
    """

    def __init__(self, *, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self.fault: tuple[int, str, str] | None = None
        self.messages: dict[str, dict[str, Any]] = {}
        self.status = "active"
        self.permissions = ["write"]
        self._last = 0

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if self._limited and self._is_too_fast(request):
            return self._error(429, "too.many.requests", "Too many requests")
        if request.headers.get("Authorization") != TOKEN or "access_token" in request.query:
            return self._error(401, "verify.token", "Invalid access_token")
        if request.method == "GET":
            return self._told(request.path)
        if request.path != "/messages":
            return self._error(404, "not.found", "Path is not recognized")
        if request.method == "DELETE":
            return self._delete(request)
        message = parsed(body) if request.content_type == "application/json" else None
        if request.method == "PUT":
            return self._edit(request, message)
        if request.method != "POST":
            return self._error(405, "method.not.allowed", "Method is not allowed")
        return self._send(request, message)

    def _is_too_fast(self, request: web.Request) -> bool:
        place = request.query.get("chat_id") or request.query.get("user_id")
        waits = [self.over("bot", 30, 1.0)]
        if request.method == "POST":
            waits.append(self.over(f"place {place}", 2, 1.0))
        return max(waits) > 0

    def _told(self, path: str) -> web.Response:
        if path == "/me":
            return web.json_response({"user_id": 777, "name": "Fra VPN", "username": "fravpn_bot", "is_bot": True})
        found = re.fullmatch(r"/chats/(-?[0-9]+)(/members/me)?", path)
        if found is None:
            return self._error(404, "not.found", "Path is not recognized")
        if self.fault is not None:
            return self._error(*self.fault)
        chat = int(found[1])
        kinds = {CHAT: "chat", CHANNEL: "channel", DIALOG: "dialog"}
        if chat not in kinds:
            return self._error(404, "chat.not.found", f"Chat {chat} not found")
        if found[2]:
            member = {"user_id": 777, "is_owner": False, "is_admin": True, "permissions": self.permissions}
            return web.json_response(member)
        return web.json_response({"chat_id": chat, "type": kinds[chat], "status": self.status, "title": "VPN"})

    def _send(self, request: web.Request, message: Any) -> web.Response:
        query = dict(request.query)
        place = query.pop("chat_id", None), query.pop("user_id", None)
        if (place[0] is None) == (place[1] is None) or query not in ({}, {"disable_link_preview": "true"}):
            return self._error(400, "proto.payload", f"Query: {dict(request.query)}")
        if self.fault is not None:
            return self._error(*self.fault)
        if place[0] is not None and int(place[0]) not in (CHAT, CHANNEL):
            return self._error(404, "chat.not.found", f"Chat {place[0]} not found")
        if place[1] is not None and int(place[1]) != PERSON:
            return self._error(403, "chat.denied", "error.dialog.suspended")
        for fault in chain(max_faults(message), refused_links(message)):
            return self._error(400, "proto.payload", fault)
        if "link" in message and message["link"]["mid"] not in self.messages:
            return self._error(404, "not.found", "Linked message not found")
        self._last += 1
        mid = f"mid.{self._last:016x}"
        self.messages[mid] = message
        self.take(request, message)
        recipient = {"chat_id": CHAT, "chat_type": "chat"}
        said = {"recipient": recipient, "timestamp": 1732160058000, "body": {"mid": mid, "seq": self._last}}
        return web.json_response({"message": said})

    def _edit(self, request: web.Request, message: Any) -> web.Response:
        for fault in chain(max_faults(message), refused_links(message)):
            return self._error(400, "proto.payload", fault)
        mid = request.query.get("message_id", "")
        if set(request.query) != {"message_id"} or mid not in self.messages:
            return self._error(404, "not.found", "Message not found")
        self.messages[mid] = message
        self.take(request, message)
        return web.json_response({"success": True})

    def _delete(self, request: web.Request) -> web.Response:
        mid = request.query.get("message_id", "")
        if set(request.query) != {"message_id"} or self.messages.pop(mid, None) is None:
            self.refuse("delete")
            return web.json_response({"success": False, "message": "Message not found"})
        self.take(request, None)
        return web.json_response({"success": True})

    def _error(self, status: int, code: str, said: str) -> web.Response:
        self.refuse(f"{status} {code}: {said}")
        return web.json_response({"code": code, "message": said}, status=status)


def refused_links(message: dict[str, Any]) -> Iterator[str]:
    """What it has against where buttons lead: to a host that nobody outside knows."""
    for rows in (one["payload"]["buttons"] for one in message.get("attachments", ())):
        if any(NOWHERE.search(URL(button["url"]).host or "") for row in rows for button in row):
            yield "Must have only http/https links format in buttons"


def max_faults(message: Any) -> Iterator[str]:
    """What MAX has against a message."""
    if not isinstance(message, dict) or not set(message) <= set(BODY):
        yield f"keys: {message}"
        return
    yield from (f"{key} has a wrong type" for key, one in message.items() if type(one) not in BODY[key])
    text = message.get("text", "")
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > 4000:
        yield f"Field 'text' size ({len(text)}) must be at most 4000"
    if message.get("format") != "html":
        yield f"format {message.get('format')}"
    yield from html_faults(text)
    if not words_of(text).strip("\u200b\u2060\u200e\u200f \n\t"):
        yield "nothing to see"
    link = message.get("link", {"type": "reply", "mid": "x"})
    if set(link) != {"type", "mid"} or link["type"] not in ("reply", "forward"):
        yield f"link {link}"
    yield from _keyboard_faults(message.get("attachments", []))


def _keyboard_faults(attachments: list[Any]) -> Iterator[str]:
    if len(attachments) > 12:
        yield f"{len(attachments)} attachments"
    for one in attachments:
        if set(one) != {"type", "payload"} or one["type"] != "inline_keyboard":
            yield f"attachment {one}"
            continue
        rows = one["payload"]["buttons"]
        if not 1 <= len(rows) <= 30 or any(not 1 <= len(row) <= 3 for row in rows):  # three links a row
            yield f"rows of {[len(row) for row in rows]} buttons"
        for button in (button for row in rows for button in row):
            fits = 1 <= len(button["text"].encode("utf-16-le")) // 2 <= 128 and len(button["url"]) <= 2048
            web_address = button["url"].startswith(("http://", "https://"))
            if set(button) != {"type", "text", "url"} or button["type"] != "link" or not fits or not web_address:
                yield f"button {button}"


class _Strict(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.found: list[str] = []
        self._opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in TAGS or set(given) != ({"href"} if tag == "a" else set()):
            self.faults.append(f"<{tag} {' '.join(given)}>")
        if tag == "a" and not re.fullmatch(r"https?://[!-~]+", given.get("href") or ""):
            self.faults.append(f"a link to {given.get('href')}")
        self._opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._opened or self._opened.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_comment(self, data: str) -> None:
        self.faults.append("a comment")

    def unknown_decl(self, data: str) -> None:
        self.faults.append("a declaration")

    def close(self) -> None:
        super().close()
        self.faults += [f"<{tag}> is not closed" for tag in self._opened]


def html_faults(text: str) -> list[str]:
    reader = _read(text)
    return [*reader.faults, *(["a bare < or &"] if re.search(r"<(?![a-z/])|&(?!(lt|gt|amp|quot|#)\w*;)", text) else [])]


def words_of(markup: str) -> str:
    return "".join(_read(markup).found)


def words(markup: str) -> str:
    """A text in its markup as people read it; fails where MAX would not read it."""
    assert html_faults(str(markup)) == [], markup
    return words_of(str(markup))


def _read(text: str) -> _Strict:
    reader = _Strict()
    reader.feed(text)
    reader.close()
    return reader


def harmless(markup: str) -> None:
    assert not PING.search(words(markup)), markup


def shown(message: dict[str, Any]) -> str:
    return str(message["text"])


def seen(message: dict[str, Any]) -> str:
    return words_of(shown(message))


def pings(message: dict[str, Any], event: Event) -> Iterator[str]:
    yield from (f"a ping: {found[0]}" for found in PING.finditer(words_of(message["text"])))


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    query = set(URL(str(request.url)).query)
    if len(query & {"chat_id", "user_id"}) != 1 or not query <= {"chat_id", "user_id", "disable_link_preview"}:
        yield f"query {query}"
    yield from max_faults(parsed(request.body))


_BUTTON = {"text": "{{ event.source }} {{ data.user.username }}", "url": "https://panel.example.com/{{ event.id }}"}
KNOWN = KnownChat(
    example={"token": SECRET, "chat_id": CHAT},
    secretive=({"token": SECRET, "user_id": PERSON},),
    ways={
        "chat": Way(settings={"token": "a", "chat_id": CHAT, "links": [_BUTTON]}, faults=_faults),
        "person": Way(settings={"token": "a", "user_id": PERSON, "link_preview": True}, faults=_faults),
    },
    house=House(
        stand_in=lambda limited: Max(limited=limited),
        sinks={"max": {"token": TOKEN, "chat_id": CHAT, "api_base": "{base}"}},
        secrets=(TOKEN,),
    ),
    pace=Pace(
        stand_in=lambda: Max(limited=True),
        path=f"/messages?chat_id={CHAT}",
        body={"text": "x", "format": "html"},
        count=2,
    ),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=("notify", False),
)
