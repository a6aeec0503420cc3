"""Matrix: one message to a room, exactly once.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: data/api/client-server (room_send, redaction, joining, directory),
         content/client-server-api/_index.md (transaction identifiers, rate limiting, size limits), and modules/
         event_replacements.md, threading.md; github.com/element-hq/synapse @ a58ad44: synapse/rest/client/ (room.py,
         transactions.py), events/validator.py, handlers/message.py, config/ratelimiting.py
Secret   the account's access token, in `Authorization: Bearer`
Sends    PUT {api_base}/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}
         {msgtype, body, format, formatted_body, m.mentions: {}}; m.notice where nobody is to be woken
         GET …/directory/room/{alias}: which room it is, once; POST …/join/{room}: where it is not in it
         GET …/rooms/{room}/event/{id}: whether the earlier message is there; then an edit (m.replace) or a thread
         PUT …/rooms/{room}/redact/{id}/{transaction}: an earlier message, taken back
Limits   65,536 bytes for an event; 10 messages at once and one more every 5 s, unless the server says otherwise
Answers  200 {event_id} delivered · errors are {errcode, error}: the code decides, by the table in answers.py: gone; all
         others refused · 429 limited, for Retry-After or `retry_after_ms` · an answer without either shape: away
         to an edit or a thread: 400, the earlier message cannot be related to: it is sent anew
Quirks   a transaction that is known is answered 200 with what it was, *whatever the message says now*: so it is the
         hash of the delivery and the very content. A try again is the same message; one that says something else is
         another, and so is a replay. Servers remember a transaction for a day, or less
         an edit of what was redacted is answered 200, and seen by nobody: the earlier message is looked at first
         an edit names the first event, never another edit; nobody is notified of an edit, nor of a notice
         a room with encryption takes the message as it is, not encrypted; clients mark it
"""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Earlier, Message
from bridge.outcome import Attempt, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.people.address import Form, nowhere
from bridge.sinks.base import (
    MILLISECOND,
    SENT_ANEW,
    AddressedConfig,
    ChatConfig,
    Flow,
    HttpSink,
    Tools,
    as_message,
    in_between,
    json_object,
    noted,
    retry_after,
    seconds,
    short_hash,
    taken_back,
)
from bridge.sinks.http import Request, Response
from bridge.sinks.matrix.advice import HOSTS, base_advice, token_advice
from bridge.sinks.matrix.answers import FORBIDDEN, GONE, NOT_FOUND, OF_ROOM, error_of, text_at
from bridge.sinks.matrix.message import DIGEST_PARTS, as_edit, digest_content, in_thread, message_content
from bridge.sinks.matrix.reachability import room_reachability
from bridge.sinks.matrix.remedies import REMEDIES
from bridge.sinks.matrix.service import MATRIX
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import ReachabilityFlow
from bridge.sinks.settings import FROM_DATA, Advice, ApiBase, Token

ROOM = r"![^\s/]{1,254}|#[^\s/:]{1,200}:[^\s/]{1,230}"
EVENT = r"\$\S{1,254}"
#: A room that comes out of data: its id, whose signs are those that servers make ids of.
ROOM_ID = r"![A-Za-z0-9._~+=-]{1,200}(:[A-Za-z0-9.\[\]:-]{1,50})?"
EVENT_ID = r"\$[A-Za-z0-9._~+=:/-]{1,200}"
_REF = re.compile(rf"(![^\s/]{{1,254}})/({EVENT})")  # the room, and the event's id

#: Requests to a room; in the end there is the room's id, as far as it is known, and the last response.
Placed = Generator[Request, Response, tuple[str, Response]]


def _room(value: str) -> str:
    if not re.fullmatch(ROOM, value.strip()):
        raise ValueError("should be a room's id, !abc:example.com, or its address, #name:example.com, in quotes")
    return value.strip()


def _event(value: str) -> str:
    if not re.fullmatch(EVENT, value.strip()):
        raise ValueError("should be an event's id, $…: copy the message's link, it is the part that begins with $")
    return value.strip()


class MatrixConfig(ChatConfig, AddressedConfig):
    """A Matrix room, by an account's token; or as many as there are owners or nodes."""

    remedies = REMEDIES
    service: ClassVar[Service] = MATRIX
    address_forms: ClassVar[Mapping[str, Form]] = {
        "room": Form(ROOM_ID, "a room's id, !abc:example.com"),
        "thread": Form(EVENT_ID, "an event's id, $…", optional=True, place=nowhere),
    }
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    specimen: ClassVar[JsonObject] = {"token": "0", "room": "!0:matrix.invalid", "api_base": "https://matrix.invalid"}
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("api_base", "Matrix homeserver, as https://matrix.example.com"),
        SetupQuestion("token", "Access token of an account for the bridge (Settings → Help & About)"),
        SetupQuestion("room", "Room, as #vpn:example.com"),
    )
    type: Literal["matrix"] = Field("matrix", description="a message to a Matrix room")
    token: Token = Field(description="the account's access token")
    room: Annotated[str, AfterValidator(_room), FROM_DATA] = Field(
        description="the room: !id:server, or its address, #name:server"
    )
    thread: Annotated[str, AfterValidator(_event), FROM_DATA] | None = Field(
        None, description="the thread to post in: the id of its first message, $…"
    )
    notice: bool = Field(False, description="true: sent as notices, which notify nobody")
    api_base: ApiBase = Field(description="where the homeserver is reached, https://matrix.example.com")

    @model_validator(mode="after")
    def _thread_of_the_room(self) -> Self:
        if (written := self.address_expressions()) and self.thread and len(written) == 1:
            raise ValueError("a thread is one room's: give both room and thread as expressions, or neither")
        return self

    def advise(self) -> Iterator[Advice]:
        yield from token_advice(self.token)
        yield from base_advice(self.api_base)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return None

    def open(self, tools: Tools) -> "MatrixSink":
        return MatrixSink(self, tools)


class MatrixSink(HttpSink[MatrixConfig]):
    digests = True

    def __init__(self, config: MatrixConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {config.token.get_secret_value()}",
        }
        self._rooms: dict[str, str] = {}  # address → id

    @property
    def look(self) -> ServiceLook:
        return ServiceLook(MATRIX, locale=self.config.locale, parts=DIGEST_PARTS, style=self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        return (Limit(self.sender, Rate(10, 50.0)),)  # of the account, in whatever rooms

    @property
    def sender(self) -> str:
        return f"matrix {URL(self.config.api_base).host} {short_hash(self.config.token.get_secret_value())}"

    def build(self, message: Message) -> Request:
        return self._send_request(self._room_id(), self._content(message), _key(message))

    def ask(self) -> ReachabilityFlow:
        room = None if self.addressing is not None else self.config.room
        return room_reachability(self._url(), self._headers, room, self.classify)

    def build_digest(self, digest: Digest) -> Request:
        return self._send_request(self._room_id(), self._digest_content(digest), _key(digest))

    def flow(self, message: Message) -> Flow:
        earlier = self._earlier(message)
        if earlier is not None and earlier.delete:
            return (yield from self._delete_flow(message, earlier))
        if earlier is not None:
            return (yield from self._update_flow(message, earlier))
        return self._attempt(*(yield from self._placed(message, self._content(message))))

    def digest_flow(self, digest: Digest) -> Flow:
        return self._attempt(*(yield from self._placed(digest, self._digest_content(digest))))

    def _update_flow(self, message: Message, earlier: Earlier) -> Flow:
        """Edit the earlier message, or answer it; say it anew where it is not there any more."""
        room, event = _parts(earlier.ref)
        found = yield Request("GET", self._url("rooms", room, "event", event), headers=self._headers)
        if not _is_lost(found):
            content = self._content(message)
            related = self._answer(content, event) if earlier.thread else as_edit(content, event)
            _, response = yield from self._placed(message, related)
            if response.status != 400:
                # the first message is remembered: that is what further edits and answers must name
                return as_message(self.judge(response), earlier.ref)
        return noted(self._attempt(*(yield from self._placed(message, self._content(message)))), SENT_ANEW)

    def _delete_flow(self, message: Message, earlier: Earlier) -> Flow:
        """Take the earlier message back; one that is not there any more is taken back.

        Who may not take it back may well speak in the room.
        """
        room, event = _parts(earlier.ref)
        url = self._url("rooms", room, "redact", event, short_hash(_key(message), event))
        response = yield Request("PUT", url, b"{}", self._headers)
        error = _error(response)
        return taken_back(self.judge(response), already=error == NOT_FOUND, about_earlier=error == FORBIDDEN)

    def _placed(self, message: Message | Digest, content: JsonObject) -> Placed:
        """Sent to the room: its address is looked up once; who is not in it joins, and says it again."""
        room, key = self._room_id(), _key(message)
        if room.startswith("#"):
            response = yield Request("GET", self._url("directory", "room", room), headers=self._headers)
            if (id_ := text_at(json_object(response.body), "room_id", "!")) is None:
                return room, response
            room = self._rooms[room] = id_
        response = yield self._send_request(room, content, key)
        if _error(response) != FORBIDDEN:
            return room, response
        address = self.config.room
        joined = yield Request("POST", self._url("join", address), b"{}", self._headers)
        if (id_ := text_at(json_object(joined.body), "room_id", "!")) is None:
            return room, joined if joined.status == 429 or joined.status >= 500 else response
        if address.startswith("#"):
            self._rooms[address] = id_  # it may lead to the room that has followed
        return id_, (yield self._send_request(id_, content, key))

    def _attempt(self, room: str, response: Response) -> Attempt:
        """What came of it; an event is remembered together with its room."""
        attempt = self.judge(response)
        ref = f"{room}/{getattr(attempt.outcome, 'ref', None)}"
        return as_message(attempt, ref) if _REF.fullmatch(ref) else attempt

    def classify(self, response: Response) -> Outcome:
        if response.status == 429:
            asked = seconds(json_object(response.body).get("retry_after_ms"), unit=MILLISECOND)
            return Limited(retry_after(response) or asked)
        return super().classify(response)

    def concerns_all(self, response: Response) -> bool:
        return _error(response) not in OF_ROOM

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if 200 <= response.status < 300:
            event = text_at(answer, "event_id", "$")
            return Delivered(ref=event) if event else in_between(response)
        code = error_of(answer)
        if not code or not isinstance(answer.get("error"), str):
            return in_between(response)
        reason = f"HTTP {response.status}, {code}: {answer['error']}"
        return Gone(reason) if code in GONE else Refused(reason)

    def _room_id(self) -> str:
        """The room that messages go to: its id, where it is known, in place of its address."""
        return self._rooms.get(self.config.room, self.config.room)

    def _content(self, message: Message) -> JsonObject:
        content = message_content(message, silent=message.circumstances.silent or self.config.notice)
        return self._in_thread(content)

    def _digest_content(self, digest: Digest) -> JsonObject:
        return self._in_thread(digest_content(digest, silent=digest.silent or self.config.notice))

    def _in_thread(self, content: JsonObject) -> JsonObject:
        return in_thread(content, self.config.thread, self.config.thread) if self.config.thread else content

    def _answer(self, content: JsonObject, event: str) -> JsonObject:
        """In the earlier message's thread, unless the sink has one of its own: then it is answered there."""
        return in_thread(content, self.config.thread or event, event)

    def _earlier(self, message: Message) -> Earlier | None:
        """The earlier message, None where it is not in this room."""
        earlier = message.circumstances.earlier
        named = _REF.fullmatch(earlier.ref) if earlier is not None else None
        room = self._room_id()
        return earlier if named is not None and (room.startswith("#") or named[1] == room) else None

    def _send_request(self, room: str, content: JsonObject, key: str) -> Request:
        body = dump(content)
        transaction = short_hash(key, body.decode())
        return Request("PUT", self._url("rooms", room, "send", "m.room.message", transaction), body, self._headers)

    def _url(self, *parts: str) -> URL:
        path = "/".join(quote(part, safe="") for part in parts)
        return URL(f"{self.config.api_base}/_matrix/client/v3/{path}", encoded=True)


def _key(message: Message | Digest) -> str:
    """What is delivered: the same at every try. Two bridges may count their deliveries alike, but not their events."""
    if isinstance(message, Digest):
        return " ".join([message.id, *map(str, message.deliveries)])
    return f"{message.event.id} {message.delivery}"


def _parts(ref: str) -> tuple[str, str]:
    room, _, event = ref.partition("/")
    return room, event


def _error(response: Response) -> str:
    return error_of(json_object(response.body)) if response.status >= 400 else ""


def _is_lost(found: Response) -> bool:
    """Whether the earlier message is not there any more; what is redacted says nothing."""
    answer = json_object(found.body)
    if found.status == 200:
        content = answer.get("content")
        return isinstance(content, dict) and "body" not in content
    return _error(found) == NOT_FOUND
