"""A Matrix homeserver, as strict as Synapse: rooms, addresses, joining, transactions, edits, threads, redactions.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: data/api/client-server/, content/client-server-api/modules/
         (instant_messaging, event_replacements, threading, mentions); github.com/element-hq/synapse @ a58ad44:
         synapse/rest/client/room.py, rest/client/transactions.py, events/validator.py, events/utils.py,
         handlers/message.py, config/ratelimiting.py. Stricter where it would pass over: unknown keys, tags and
         attributes outside of the specification's list, a plain text that says something else, a missing m.mentions
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.known import SECRET, House, KnownChat, Pace, Way
from tests.services.service import Service, parsed

TOKEN = "syt_cGFuZWxicmlkZ2U_AbCdEfGhIjKlMnOpQrSt_0a1b2c"
ROOM, ALIAS = "!AbCdEfGhIjKlMnOp:matrix.example", "#vpn:matrix.example"
FORMAT = "org.matrix.custom.html"
#: The specification's list, and which attributes each may have.
TAGS: dict[str, set[str]] = {
    **{
        name: set() for name in ("del", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "p", "ul", "sup", "sub", "li")
    },
    **{name: set() for name in ("b", "i", "u", "strong", "em", "s", "hr", "br", "div", "pre", "details", "summary")},
    "a": {"href", "target"},
    "span": {"data-mx-bg-color", "data-mx-color", "data-mx-spoiler"},
    "code": {"class"},
    "ol": {"start"},
}
BLOCKS, EMPTY = {"blockquote", "pre", "p", "div", "ul", "ol", "li"}, {"br", "hr"}
CONTENT = {"msgtype", "body", "format", "formatted_body", "m.mentions"}
PING = re.compile(r"@\w|^@$")

Fault = tuple[int, str, str]  # status, code, what it says


class Matrix(Service):
    """`rooms`: id → whether the account is in it; `invited` are those that it may join. `aliases`: address → id.

    `limited`: 10 messages at once, and one more every 5 s. `fault`: what is wrong with the room.
    `events`: id → the content as it was sent; `redacted` are the ids of what was taken back.
    """

    def __init__(self, *, member: bool = True, invited: bool = False, limited: bool = False) -> None:
        super().__init__(limited=limited)
        self.fault: Fault | None = None
        self.rooms, self.invited = {ROOM: member}, {ROOM} if invited else set()
        self.aliases = {ALIAS: ROOM}
        self.events: dict[str, dict[str, Any]] = {}
        self.redacted: set[str] = set()
        self._transactions: dict[str, str] = {}

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if (wait := self._over_limit(request)) > 0:
            said = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": int(wait * 1000) + 1}
            return web.json_response(said, status=429, headers={"Retry-After": str(int(wait) + 1)})
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
        path = request.raw_path.partition("?")[0]
        if not path.startswith("/_matrix/client/v3/"):
            return self._error(404, "M_UNRECOGNIZED", "Unrecognized request")
        parts = [unquote(part) for part in path.removeprefix("/_matrix/client/v3/").split("/")]
        match request.method, *parts:
            case "GET", "account", "whoami":
                return web.json_response({"user_id": "@panelbridge:matrix.example"})
            case "GET", "joined_rooms":
                return web.json_response({"joined_rooms": [room for room, joined in self.rooms.items() if joined]})
            case "GET", "directory", "room", alias:
                return self._lookup(alias)
            case "POST", "join", room:
                return self._join(room)
            case "GET", "rooms", room, "event", event:
                return self._event(room, event)
            case "PUT", "rooms", room, "send", "m.room.message", transaction if transaction:
                return self._send(request, room, f"send {room} {transaction}", body)
            case "PUT", "rooms", room, "redact", event, transaction if transaction:
                return self._redact(request, room, event, f"redact {room} {event} {transaction}", body)
        return self._error(404, "M_UNRECOGNIZED", "Unrecognized request")

    def _over_limit(self, request: web.Request) -> float:
        return self.over("account", 10, 50.0) if self._limited and "/send/" in request.raw_path else 0.0

    def shown(self) -> list[str]:
        """The plain texts that people see now, in the order in which they were first said."""
        now: dict[str, str] = {}
        for id_, content in self.events.items():
            relation = content.get("m.relates_to", {})
            if relation.get("rel_type") != "m.replace":
                now[id_] = content["body"]
            elif relation["event_id"] in now:
                now[relation["event_id"]] = content["m.new_content"]["body"]
        return [text for id_, text in now.items() if id_ not in self.redacted]

    def _lookup(self, alias: str) -> web.Response:
        if (room := self.aliases.get(alias)) is None:
            return self._error(404, "M_NOT_FOUND", f"Room alias {alias} not found")
        return web.json_response({"room_id": room, "servers": ["matrix.example"]})

    def _join(self, place: str) -> web.Response:
        room = self.aliases.get(place, place)
        if room not in self.rooms:
            return self._error(404, "M_NOT_FOUND", "Can't join remote room because no servers that are in the room")
        if not self.rooms[room] and room not in self.invited:
            return self._error(403, "M_FORBIDDEN", "You are not invited to this room.")
        self.rooms[room] = True
        return web.json_response({"room_id": room})

    def _event(self, room: str, event: str) -> web.Response:
        if not self.rooms.get(room) or event not in self.events:
            return self._error(404, "M_NOT_FOUND", "Event not found.")
        content = {} if event in self.redacted else self.events[event]
        return web.json_response({"event_id": event, "room_id": room, "type": "m.room.message", "content": content})

    def _send(self, request: web.Request, room: str, transaction: str, body: bytes) -> web.Response:
        if (known := self._transactions.get(transaction)) is not None:
            return web.json_response({"event_id": known})  # whatever it says now
        if (fault := self._standing(room)) is not None:
            return self._error(*fault)
        content = parsed(body)
        for status, code, text in (*matrix_faults(content, len(body)), *self._relation_faults(content)):
            return self._error(status, code, text)
        self.take(request, content)
        return self._done(transaction, content)

    def _redact(self, request: web.Request, room: str, event: str, transaction: str, body: bytes) -> web.Response:
        if (fault := self._standing(room)) is not None:
            return self._error(*fault)
        if not isinstance(content := parsed(body), dict) or not content.keys() <= {"reason"}:
            return self._error(400, "M_NOT_JSON", "Content not JSON.")
        if event not in self.events:
            return self._error(404, "M_NOT_FOUND", "Event not found.")
        self.redacted.add(event)
        self.take(request, content)
        return web.json_response({"event_id": f"$redaction{len(self.redacted)}"})

    def _done(self, transaction: str, content: dict[str, Any]) -> web.Response:
        id_ = f"${len(self.events) + 1:043}"
        self.events[id_] = content
        self._transactions[transaction] = id_
        return web.json_response({"event_id": id_})

    def _standing(self, room: str) -> Fault | None:
        if self.fault is not None:
            return self.fault
        if not room.startswith("!"):
            return 400, "M_INVALID_PARAM", f"'{room}' was not legal room ID"
        if not self.rooms.get(room):
            return 403, "M_FORBIDDEN", f"User @panelbridge:matrix.example not in room {room}"
        return None

    def _relation_faults(self, content: dict[str, Any]) -> Iterator[Fault]:
        relation = content.get("m.relates_to")
        if relation is None:
            return
        parent = self.events.get(relation["event_id"])
        if parent is None:
            yield 400, "M_UNKNOWN", "Can't send relation to unknown event"
        elif relation["rel_type"] == "m.thread" and "rel_type" in parent.get("m.relates_to", {}):
            yield 400, "M_UNKNOWN", "Cannot start threads from an event with a relation"
        elif relation["rel_type"] == "m.replace" and parent.get("m.relates_to", {}).get("rel_type") == "m.replace":
            yield 400, "M_UNKNOWN", "nobody would see the edit of an edit"

    def _error(self, status: int, code: str, text: str) -> web.Response:
        self.refuse(f"{code} {text}")
        return web.json_response({"errcode": code, "error": text}, status=status)


def matrix_faults(content: Any, length: int) -> Iterator[Fault]:
    """What a homeserver, or a client that reads it, has against the content of a message of so many bytes."""
    if not isinstance(content, dict):
        yield 400, "M_NOT_JSON", "Content not JSON."
        return
    if length > 65_536 - 2_000:  # the envelope: ids, hashes and signatures
        yield 413, "M_TOO_LARGE", "event too large"
    yield from _not_canonical(content)
    related = content.get("m.relates_to")
    edit = isinstance(related, dict) and related.get("rel_type") == "m.replace"
    yield from _message_faults(
        {key: one for key, one in content.items() if key not in ("m.relates_to", "m.new_content")}
    )
    if ("m.new_content" in content) is not edit:
        yield 400, "M_BAD_JSON", "an edit has m.new_content, and nothing else has"
    if edit:
        yield from _message_faults(content["m.new_content"])
    if related is not None:
        yield from _bad_relation(related)


def _message_faults(content: dict[str, Any]) -> Iterator[Fault]:
    for key in ("body", "msgtype"):
        if not isinstance(content.get(key), str):
            yield 400, "M_UNKNOWN", f"'{key}' not in content"
            return
    if content["msgtype"] not in ("m.text", "m.notice"):
        yield 400, "M_BAD_JSON", f"msgtype {content['msgtype']}"
    if content.get("m.mentions") != {}:
        yield 400, "M_BAD_JSON", "m.mentions: whom it mentions is not said, or it is somebody"
    if wrong := content.keys() ^ CONTENT:
        yield 400, "M_BAD_JSON", f"keys: {sorted(wrong)}"
        return
    if content["format"] != FORMAT:
        yield 400, "M_BAD_JSON", f"format {content['format']}"
    try:
        reader = Reader(content["formatted_body"])
    except AssertionError as error:
        yield 400, "M_BAD_JSON", f"formatted_body: {error}"
        return
    if not reader.words.strip() or not content["body"].strip():
        yield 400, "M_BAD_JSON", "nothing to see"
    if _letters(reader.words)[:400] not in _letters(_without_marks(content["body"])):
        yield 400, "M_BAD_JSON", "body says something else than formatted_body"


def _without_marks(body: str) -> str:
    """A plain text without the addresses that stand behind what leads to them."""
    return re.sub(r" \(https?://[^\s()]+\)", "", body)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def _not_canonical(value: Any) -> Iterator[Fault]:
    if isinstance(value, float) or (isinstance(value, int) and not -(2**53) < value < 2**53):
        yield 400, "M_BAD_JSON", "Bad JSON value: float"
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _not_canonical(one)


def _bad_relation(relation: Any) -> Iterator[Fault]:
    shapes = {
        "m.replace": {"rel_type", "event_id"},
        "m.thread": {"rel_type", "event_id", "is_falling_back", "m.in_reply_to"},
    }
    if not isinstance(relation, dict) or relation.keys() != shapes.get(relation.get("rel_type", "")):
        yield 400, "M_BAD_JSON", f"m.relates_to: {relation}"
    elif not str(relation["event_id"]).startswith("$"):
        yield 400, "M_BAD_JSON", "m.relates_to: no event"


class Reader(HTMLParser):
    """A client's view of the HTML: fails on what the specification does not list, keeps words and links."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""
        self.links: list[str] = []
        self.open: list[str] = []
        assert not re.search(r"&(?!(lt|gt|amp|quot);)", markup), markup
        self.feed(markup)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        assert {name for name, _ in attrs} <= TAGS[tag], attrs
        assert tag != "code" or all(str(value).startswith("language-") for _, value in attrs), attrs
        if tag == "br":
            self.words += "\n"
        if tag in EMPTY:
            return
        self.open.append(tag)
        assert len(self.open) < 100, "nested too deep"
        self._apart(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._apart(tag)

    def handle_data(self, data: str) -> None:
        self.words += data

    def _apart(self, tag: str) -> None:
        if tag in BLOCKS and self.words and not self.words.endswith("\n"):
            self.words += "\n"


def words(markup: str) -> str:
    return Reader(markup).words


def harmless(markup: str) -> None:
    read = Reader(markup)
    assert not PING.search(read.words)
    assert all(link.startswith(("http://", "https://")) for link in read.links)


def _said(content: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = content.get("m.new_content", content)
    return said


def shown(content: dict[str, Any]) -> str:
    return str(_said(content)["formatted_body"]).replace("<br>", "\n")


def seen(content: dict[str, Any]) -> str:
    return words(str(_said(content)["formatted_body"]))


def pings(content: dict[str, Any], event: Event) -> Iterable[str]:
    said = html.unescape(
        re.sub(r"<[^>]*>", "", re.sub(r"<(code|pre)[ >].*?</\1>", "", shown(content), flags=re.DOTALL))
    )
    if content.get("m.mentions") != {} or "@room" in said:
        yield f"a ping: {said}"


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    return (f"{code} {text}" for _, code, text in matrix_faults(parsed(request.body), len(request.body)))


_BASE = "https://matrix.example"
KNOWN = KnownChat(
    example={"token": SECRET, "room": ROOM, "api_base": _BASE},
    ways={
        "room": Way(settings={"token": TOKEN, "room": ROOM, "api_base": _BASE}, faults=_faults),
        "thread": Way(
            settings={"token": TOKEN, "room": "!0", "thread": "$" + "0" * 43, "api_base": f"{_BASE}/here"},
            faults=_faults,
        ),
    },
    house=House(
        stand_in=lambda limited: Matrix(limited=limited),
        sinks={"matrix": {"token": TOKEN, "room": ALIAS, "api_base": "{base}"}},
        secrets=(TOKEN,),
    ),
    pace=Pace(
        stand_in=lambda: Matrix(limited=True),
        path=f"/_matrix/client/v3/rooms/{ROOM}/send/m.room.message/1",
        body={},
        count=10,
    ),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=("msgtype", "m.notice"),
)
