"""Discord's webhooks, executed and edited, as strict as the real ones.

Source   tests/contracts/discord.execute-webhook.schema.json; discord.com/developers/docs/resources/webhook
"""

import re
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.discord_files import file_faults, payload_of
from tests.services.forms import File, NoForm, form_of
from tests.services.known import SECRET, House, KnownChat, Pace, Way
from tests.services.service import Service, breaches, contract, parsed

ID, TOKEN = "1234567890", "discord-webhook-token-AAAA"
CHANNEL, FIRST = "987654321", 1_400_000_000_000_000_000
PATH = re.compile(r"/api(?:/v10)?/webhooks/(?P<id>[0-9]+)/(?P<token>[^/]+)(?:/messages/(?P<message>[^/]+))?")
EDITED = (
    "content",
    "embeds",
    "components",
    "allowed_mentions",
    "attachments",
)  # what may be said of a message that is there
COMPONENTS_V2 = 32768
FLAGS = 4 | 4096 | COMPONENTS_V2  # SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS
LEGACY = ("content", "embeds", "poll")  # what a message of components cannot have
_MARKED = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])|`(?P<code>[^`]+)`|\[(?P<label>(?:\\.|[^\[\]\\])*)\]\([^()\s]*\)|\*\*|__|~~|\|\|"
)
PING = re.compile(r"@everyone|@here|<@[!&]?[0-9]", re.IGNORECASE)
SCHEMES = {"url": ("http", "https"), "icon_url": ("http", "https", "attachment"), "avatar_url": ("http", "https")}


@dataclass
class Posted:
    """A message that is there. `edits` counts how often it was changed."""

    body: dict[str, Any]
    webhook: str
    channel: str
    edits: int = 0


class Discord(Service):
    """`webhooks`: id → token, all of one channel, whose `threads` are these. `fault`: status, code and message of what
    is wrong with the channel; `thread_fault`, with its threads. `files`: those that were taken.

    `limit` requests in two seconds, as many as one likes where None: the headers tell. `limited`: what they do not
    tell of: 5 in 2 s for each webhook, 30 a minute in the channel, 50 a second, 10,000 invalid ones in 10 minutes.
    """

    def __init__(
        self,
        *,
        threads: tuple[str, ...] = (),
        forum: bool = False,
        limit: int | None = None,
        webhooks: Mapping[str, str] | None = None,
        limited: bool = False,
    ) -> None:
        super().__init__(limited=limited)
        self.deleted = False
        self.fault: tuple[int, int, str] | None = None
        self.thread_fault: tuple[int, int, str] | None = None
        self.refuses_files = False
        self.files: list[File] = []
        self.messages: dict[str, Posted] = {}
        self._webhooks = webhooks or {ID: TOKEN}
        self._threads, self._forum, self._limit = threads, forum, limit
        self._recent: deque[float] = deque()

    def path(self, token: str = TOKEN, id_: str = ID) -> str:
        return f"/api/webhooks/{id_}/{token}"

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        response = self._served(request, body)
        if self._limited and response.status in (401, 403, 429):
            self.over("invalid requests", 10_000, 600.0)
        return response

    def _served(self, request: web.Request, body: bytes) -> web.Response:
        named = PATH.fullmatch(request.path)
        if self.deleted or named is None or named["id"] not in self._webhooks:
            return self._error(404, 10015, "Unknown Webhook")
        if named["token"] != self._webhooks[named["id"]]:
            return self._error(401, 50027, "Invalid Webhook Token")
        if (wait := self._over_limit(named["id"])) > 0:
            return self._turned_away(wait)
        if not request.headers.get("User-Agent"):
            return self._error(403, 40333, "internal network error")
        if request.method == "GET" and not named["message"]:
            return self._told(named["id"])
        if named["message"] and request.method == "DELETE":
            return self._delete(request, named["id"], named["message"])
        try:
            message, files = payload_of(request, body)
        except NoForm as fault:
            return self._error(400, 50035, "Invalid Form Body", [str(fault)])
        if not isinstance(message, dict):
            return self._error(400, 50109, "The request body contains invalid JSON.")
        if faults := list(file_faults(message, files)) or (["files: refused"] if files and self.refuses_files else []):
            return self._error(400, 50035, "Invalid Form Body", faults)
        if named["message"]:
            return self._edit(request, message, named["id"], named["message"])
        if request.method != "POST":
            return self._error(405, 0, "405: Method Not Allowed")
        response = self._post(request, message, named["id"])
        if response.status < 300:
            self.files += files.values()
        return response

    def _told(self, webhook: str) -> web.Response:
        """What it says of itself to who asks."""
        if self.fault:
            return self._error(*self.fault)
        said = {
            "id": webhook,
            "type": 1,
            "name": "Captain Hook",
            "channel_id": CHANNEL,
            "guild_id": "1",
            "avatar": None,
        }
        return web.json_response(said, headers=self._headers())

    def _post(self, request: web.Request, message: dict[str, Any], webhook: str) -> web.Response:
        thread, named = request.query.get("thread_id"), message.get("thread_name")
        if fault := (self.thread_fault if thread else None) or self.fault:
            return self._error(*fault)
        if thread and thread not in self._threads:
            return self._error(404, 10003, "Unknown Channel")
        if self._forum and not (thread or named):
            return self._error(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
        if self._forum and thread and named:
            return self._error(400, 220002, "Webhooks posted to forum channels cannot have both")
        if named and not self._forum:
            return self._error(400, 220003, "Webhooks can only create threads in forum channels")
        looked_at = message if request.query.get("with_components") == "true" else message | {"components": []}
        if is_empty(looked_at):
            return self._error(400, 50006, "Cannot send an empty message")
        if faults := list(discord_faults(message)):
            return self._error(400, 50035, "Invalid Form Body", faults)
        self.take(request, message)
        id_ = str(FIRST + len(self.messages) + 1)
        self.messages[id_] = Posted(message, webhook, thread or (id_ if named else CHANNEL))
        if request.query.get("wait") not in ("true", "True", "1"):
            return web.Response(status=204, headers=self._headers())
        return web.json_response(self._saved(id_), headers=self._headers())

    def _edit(self, request: web.Request, message: dict[str, Any], webhook: str, id_: str) -> web.Response:
        if request.method != "PATCH":
            return self._error(405, 0, "405: Method Not Allowed")
        posted, thread = self.messages.get(id_), request.query.get("thread_id")
        if posted is None or posted.channel != (thread or CHANNEL):
            return self._error(404, 10008, "Unknown Message")
        if posted.webhook != webhook:
            return self._error(403, 50005, "Cannot edit a message authored by another user")
        if is_empty(posted.body | message):
            return self._error(400, 50006, "Cannot send an empty message")
        faults = [
            *discord_faults(posted.body | message),
            *(f"{key}: not of an edit" for key in message if key not in EDITED),
        ]
        if faults:
            return self._error(400, 50035, "Invalid Form Body", faults)
        self.take(request, message)
        posted.body, posted.edits = posted.body | message, posted.edits + 1
        return web.json_response(self._saved(id_), headers=self._headers())

    def _delete(self, request: web.Request, webhook: str, id_: str) -> web.Response:
        posted, thread = self.messages.get(id_), request.query.get("thread_id")
        if posted is None or posted.webhook != webhook or posted.channel != (thread or CHANNEL):
            return self._error(404, 10008, "Unknown Message")
        self.take(request, {})
        del self.messages[id_]
        return web.Response(status=204, headers=self._headers())

    def _saved(self, id_: str) -> dict[str, Any]:
        posted = self.messages[id_]
        message = posted.body
        return {
            "id": id_,
            "type": 0,
            "content": message.get("content", ""),
            "channel_id": posted.channel,
            "author": {
                "id": posted.webhook,
                "username": message.get("username", "Captain Hook"),
                "avatar": None,
                "bot": True,
            },
            "attachments": [],
            "embeds": message.get("embeds", []),
            "mentions": [],
            "mention_roles": [],
            "pinned": False,
            "mention_everyone": False,
            "tts": False,
            "timestamp": "2026-11-21T04:14:18.161000+00:00",
            "edited_timestamp": "2026-11-21T04:15:00.000000+00:00" if posted.edits else None,
            "flags": message.get("flags", 0),
            "components": [],
            "webhook_id": posted.webhook,
        }

    def _over_limit(self, webhook: str) -> float:
        if self._limited:
            waits = (
                self.over(f"webhook {webhook}", 5, 2.0),
                self.over(f"channel {CHANNEL}", 30, 60.0),
                self.over("address", 50, 1.0),
            )
            if any(waits):
                return max(waits)
        now = self.now()
        while self._recent and self._recent[0] <= now - 2.0:
            self._recent.popleft()
        self._recent.append(now)
        over = self._limit is not None and len(self._recent) > self._limit
        return self._recent[0] + 2.0 - now if over else 0.0

    def _headers(self) -> dict[str, str]:
        limit = self._limit or 5
        left = limit - len(self._recent) if self._limit else limit
        reset = (self._recent[0] if self._recent else self.now()) + 2.0 - self.now()
        return {
            "Via": "1.1 google",
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, left)),
            "X-RateLimit-Reset": f"{time.time() + reset:.3f}",
            "X-RateLimit-Reset-After": f"{reset:.3f}",
            "X-RateLimit-Bucket": "5be0a9e5bd6c0a5b7a8f3d7b2a3e8e3c",
        }

    def _turned_away(self, wait: float) -> web.Response:
        headers = self._headers() | {"Retry-After": str(int(wait) + 1), "X-RateLimit-Scope": "user"}
        body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": False}
        self.refuse("limited")
        return web.json_response(body, status=429, headers=headers)

    def _error(self, status: int, code: int, message: str, faults: list[str] | None = None) -> web.Response:
        said: dict[str, Any] = {"message": message, "code": code}
        if faults:
            said["errors"] = _nested(faults[0])
        self.refuse(f"{status} {code} {message} {faults or ''}".strip())
        return web.json_response(said, status=status, headers=self._headers() if self._recent else None)


def _nested(fault: str) -> dict[str, Any]:
    path, _, text = fault.partition(": ")
    errors: dict[str, Any] = {"_errors": [{"code": "BASE_TYPE_BAD", "message": text}]}
    for part in reversed(path.split(".") if path else []):
        errors = {part: errors}
    return errors


def is_empty(message: dict[str, Any]) -> bool:
    """Blank content, no poll, embeds in which there is nothing to see, and no components that are a message."""
    content = message.get("content")
    seen = ("title", "description", "fields", "footer", "author", "image", "thumbnail")
    embeds = [one for one in message.get("embeds") or [] if isinstance(one, dict) and any(one.get(key) for key in seen)]
    laid_out = message.get("flags", 0) & COMPONENTS_V2 and message.get("components")
    return not (isinstance(content, str) and content.strip()) and not (embeds or message.get("poll") or laid_out)


def discord_faults(message: dict[str, Any]) -> Iterator[str]:
    """What Discord has against a message: the schema, and the rules that no schema can say."""
    yield from breaches(contract("discord.execute-webhook"), message)
    mentions = message.get("allowed_mentions")
    if not isinstance(mentions, dict):
        yield "allowed_mentions: must be said"
    else:
        yield from (
            f"allowed_mentions: parse:[{kind}] and {kind} are mutually exclusive"
            for kind in ("users", "roles")
            if kind in mentions.get("parse", []) and mentions.get(kind)
        )
    flags = message.get("flags", 0)
    if not isinstance(flags, int) or flags & ~FLAGS:
        yield f"flags: {flags} cannot be set"
    yield from _component_faults(message, laid_out=isinstance(flags, int) and bool(flags & COMPONENTS_V2))
    poll = message.get("poll") or {}
    if any(utf16(one["poll_media"].get("text")) > 55 for one in poll.get("answers", [])):
        yield "poll.answers: must be 55 or fewer in length"
    embeds = message.get("embeds") or []
    if sum(map(embed_length, embeds)) > 6000:
        yield "embeds: Embed size exceeds maximum size of 6000"
    yield from _unfit(message, "")
    if utf16(message.get("content")) > 2000:
        yield "content: must be 2000 or fewer in length"


def _component_faults(message: dict[str, Any], *, laid_out: bool) -> Iterator[str]:
    components = list(_components(message.get("components") or []))
    if laid_out and any(message.get(key) for key in LEGACY):
        yield "flags: MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    if not laid_out and any(one["type"] not in (1, 2) for one in components):
        yield "components: only rows without IS_COMPONENTS_V2"
    if not laid_out and len(message.get("components") or []) > 5:
        yield "components: must be 5 or fewer"
    if len(components) > 40:
        yield "components: COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"
    if sum(utf16(one.get("content")) for one in components) > 4000:
        yield "components: COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"
    if any(one["type"] == 10 and not one["content"].strip() for one in components):
        yield "components: BASE_TYPE_REQUIRED"
    if any("custom_id" in one or one["type"] in (3, 5, 6, 7, 8) for one in components):
        yield "components: a webhook that is no application's cannot be answered"
    if any(one["type"] == 2 and (one["style"] != 5 or not one.get("url")) for one in components):
        yield "components: BUTTON_COMPONENT_INVALID_STYLE"
    urls = [item["media"]["url"] for one in components for item in (one, *one.get("items", [])) if "media" in item]
    if any(urlsplit(url).scheme not in ("http", "https") for url in urls):
        yield "components: UNKNOWN_ATTACHMENT"


def _components(components: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in components:
        yield one
        yield from _components([*one.get("components", []), *([one["accessory"]] if "accessory" in one else [])])


def embed_length(embed: dict[str, Any]) -> int:
    """UTF-16 units that count towards the 6,000."""
    fields = embed.get("fields") or []
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts += [
        (embed.get("author") or {}).get("name"),
        *(text for one in fields for text in (one["name"], one["value"])),
    ]
    return sum(map(utf16, texts))


def utf16(text: str | None) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 if text else 0


LONGEST = {
    "title": 256,
    "description": 4096,
    "name": 256,
    "value": 1024,
    "text": 2048,
    "username": 80,
    "thread_name": 100,
}


def _unfit(value: Any, path: str) -> Iterator[str]:
    """Nulls, lengths in UTF-16 units, addresses and times."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _unfit(one, f"{path}.{key}".strip("."))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _unfit(one, f"{path}.{index}")
    elif value is None:
        yield f"{path}: null"
    elif isinstance(value, str):
        key = path.rpartition(".")[2]
        if utf16(value) > LONGEST.get(key, 6000):
            yield f"{path}: must be {LONGEST[key]} or fewer in length"
        attached = ("attachment",) if path.endswith((".image.url", ".thumbnail.url")) else ()
        if key in SCHEMES and urlsplit(value).scheme not in (*SCHEMES[key], *attached):
            yield f"{path}: URL_TYPE_INVALID_SCHEME"
        if key == "timestamp":
            yield from _untimely(value, path)


def _untimely(value: str, path: str) -> Iterator[str]:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        yield f"{path}: DATE_TIME_TYPE_PARSE"


def words(markup: str) -> str:
    """A text without markup of ours, as people read it."""
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", str(markup))


def harmless(markup: str) -> None:
    assert not PING.search(markup)


def unmarked(markup: str) -> str:
    """A text of ours without its marks; what was escaped stands for itself."""
    return _MARKED.sub(lambda found: found["escaped"] or found["code"] or unmarked(found["label"] or ""), markup)


def shown(message: dict[str, Any]) -> str:
    texts = [message.get("content")]
    for embed in message.get("embeds", []):
        texts += [embed.get("author", {}).get("name"), embed.get("title"), embed.get("description")]
        texts += [text for field in embed.get("fields", []) for text in (field["name"], field["value"])]
        texts += [embed.get("footer", {}).get("text")]
    return "\n".join(filter(None, texts))


def seen(message: dict[str, Any]) -> str:
    """Titles, descriptions and fields are read as markdown, the names of authors and footers are not."""
    texts = [unmarked(message.get("content", ""))]
    for embed in message.get("embeds", []):
        texts += [embed.get("author", {}).get("name")]
        texts += [unmarked(embed.get(key, "")) for key in ("title", "description")]
        texts += [unmarked(text) for field in embed.get("fields", []) for text in (field["name"], field["value"])]
        texts += [embed.get("footer", {}).get("text")]
    return "\n".join(filter(None, texts))


def pings(message: dict[str, Any], event: Event) -> Iterator[str]:
    if message["allowed_mentions"] != {"parse": []}:
        yield "somebody may be mentioned"
    if event.type != "message.posted" and PING.search(message.get("content", "")):
        yield f"a ping: {message['content']}"


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    message = parsed(request.json)
    if request.payload is not None:
        form = form_of(request.headers["Content-Type"], request.body)
        yield from () if form.texts == {"payload_json": request.json.decode()} else ("payload_json: is something else",)
        yield from file_faults(message, form.files)
    yield from discord_faults(message)
    if is_empty(message):
        yield "an empty message"


KNOWN = KnownChat(
    example={"url": f"https://discord.example/api/webhooks/1/{SECRET}"},
    secretive=({"url": f"https://gateway.example/{SECRET}"},),
    ways={"webhook": Way(settings={"url": f"https://discord.example/api/webhooks/{ID}/{TOKEN}"}, faults=_faults)},
    house=House(
        stand_in=lambda limited: Discord(limited=limited),
        sinks={"discord": {"url": f"{{base}}/api/webhooks/{ID}/{TOKEN}"}},
        secrets=(TOKEN,),
    ),
    pace=Pace(
        stand_in=lambda: Discord(limited=True),
        path=f"/api/webhooks/{ID}/{TOKEN}?wait=true",
        body={"embeds": [{"title": "x"}], "allowed_mentions": {"parse": []}},
        count=5,
    ),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=("flags", 4096),
)
