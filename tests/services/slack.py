"""Slack's incoming webhooks, chat.postMessage and chat.update, as strict as the real ones.

Source   tests/contracts/slack.message.schema.json; docs.slack.dev/reference/methods/chat.postMessage, chat.update
"""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from bridge.sinks.text import utf16
from tests.services.known import SECRET, Faults, House, KnownChat, Pace, Way
from tests.services.service import Service, breaches, contract, parsed

TOKEN = "xoxb-12345-67890-AbCdEfGhIjKl"
CHANNEL = "C0123456"
UPDATED = ("channel", "ts", "text", "blocks")
PING = re.compile(r"<[!@#]|@(channel|here|everyone)\b", re.IGNORECASE)
HOOK = "/services/T0000/B0000/XXXXYYYYZZZZXXXXYYYYZZZZ"


class Slack(Service):
    """`channels` are names and ids of the one channel there is; `threads` began before. `limited`: 1 message a second.

    `messages`: ts → the message that is there. `fault`: the name of what is wrong with the channel, which a
    webhook says with `fault_status`. `channel` is what is said of it, to a token that has the scope: `scopes`.
    """

    def __init__(
        self,
        *,
        channels: tuple[str, ...] = ("#notifications", CHANNEL),
        threads: tuple[str, ...] = (),
        limited: bool = False,
    ) -> None:
        super().__init__(limited=limited)
        self.removed = False
        self.fault, self.fault_status = "", 403
        self.messages: dict[str, dict[str, Any]] = {}
        self.channel: dict[str, Any] = {"id": CHANNEL, "name": "notifications", "is_member": True, "is_archived": False}
        self.scopes = True
        self._channels, self._threads = channels, threads
        self._last = 0

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if request.path in ("/api/auth.test", "/api/conversations.info"):
            return self._told(request)
        if request.path not in (HOOK, "/api/chat.postMessage", "/api/chat.update", "/api/chat.delete"):
            return web.Response(status=404, text="no_service")
        if self._limited and (wait := self.over(f"channel of {request.path}", 1, 1.0)) > 0:
            said = {"retry_after": int(wait) + 1, "ok": False, "error": "rate_limited"}
            return web.json_response(said, status=429, headers={"Retry-After": str(int(wait) + 1)})
        return self._hook(request, body) if request.path == HOOK else self._call(request, body)

    def _told(self, request: web.Request) -> web.Response:
        """What it says to who asks, and posts nothing."""
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._error("invalid_auth" if "Authorization" in request.headers else "not_authed")
        if self.fault and request.path == "/api/auth.test":
            return self._error(self.fault)
        if request.path == "/api/auth.test":
            return web.json_response({"ok": True, "team": "Fra VPN", "user": "panelbridge", "bot_id": "B1"})
        if not self.scopes:
            return self._error("missing_scope")
        if request.query.get("channel") != CHANNEL:
            return self._error("channel_not_found")
        return web.json_response({"ok": True, "channel": self.channel})

    def _hook(self, request: web.Request, body: bytes) -> web.Response:
        if self.fault:
            return self._refused(self.fault_status, self.fault)
        if self.removed:
            return self._refused(404, "no_service")
        message = parsed(body)
        if not isinstance(message, dict):
            return self._refused(400, "invalid_payload")
        if faults := list(slack_faults(message, "incomingWebhook")):
            return self._refused(400, "invalid_blocks", faults)
        self.take(request, message)
        return web.Response(text="ok", content_type="text/html")

    def _refused(self, status: int, name: str, faults: list[str] | None = None) -> web.Response:
        self.refuse(f"{status} {name} {faults or ''}".strip())
        return web.Response(status=status, text=name, content_type="text/html")

    def _call(self, request: web.Request, body: bytes) -> web.Response:
        if self.fault:
            return self._error(self.fault)
        if "Authorization" not in request.headers:
            return self._error("not_authed")
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._error("invalid_auth")
        message = parsed(body) if request.content_type == "application/json" else None
        if not isinstance(message, dict):
            return self._error("invalid_json")
        does = {"chat.update": self._update, "chat.delete": self._delete, "chat.postMessage": self._post}
        return does[request.path.rpartition("/")[2]](request, message)

    def _post(self, request: web.Request, message: dict[str, Any]) -> web.Response:
        if faults := list(slack_faults(message, "chatPostMessage")):
            return self._error("invalid_blocks", faults)
        if message["channel"] not in self._channels:
            return self._error("channel_not_found")
        thread = message.get("thread_ts")
        if thread is not None and thread not in (*self._threads, *self.messages):
            return self._error("thread_not_found")
        if thread is not None and "thread_ts" in self.messages.get(thread, {}):
            return self._error("cannot_reply_to_message")
        self.take(request, message)
        self._last += 1
        ts = f"1732160058.{self._last:06}"
        self.messages[ts] = message
        return self._done(request, ts)

    def _update(self, request: web.Request, message: dict[str, Any]) -> web.Response:
        ts = message.get("ts", "")
        if wrong := [key for key in message if key not in UPDATED]:
            return self._error("invalid_arguments", wrong)
        faults = list(slack_faults({key: one for key, one in message.items() if key != "ts"}, "chatPostMessage"))
        if faults or not message.get("blocks"):
            return self._error("invalid_blocks", faults or ["blocks: those of before would stay"])
        if message["channel"] != CHANNEL:
            return self._error("channel_not_found")
        if ts not in self.messages:
            return self._error("message_not_found")
        self.take(request, message)
        self.messages[ts] |= message
        return self._done(request, ts)

    def _delete(self, request: web.Request, message: dict[str, Any]) -> web.Response:
        if wrong := [key for key in message if key not in ("channel", "ts")]:
            return self._error("invalid_arguments", wrong)
        if message["channel"] != CHANNEL:
            return self._error("channel_not_found")
        if self.messages.pop(message["ts"], None) is None:
            return self._error("message_not_found")
        self.take(request, message)
        return web.json_response({"ok": True, "channel": CHANNEL, "ts": message["ts"]})

    def _done(self, request: web.Request, ts: str) -> web.Response:
        said: dict[str, Any] = {"ok": True, "channel": CHANNEL, "ts": ts}
        if request.charset != "utf-8":
            said["warning"] = "missing_charset"
        return web.json_response(said | {"message": {"type": "message", "text": self.messages[ts].get("text", "")}})

    def _error(self, name: str, faults: list[str] | None = None) -> web.Response:
        self.refuse(f"{name} {faults or ''}".strip())
        said: dict[str, Any] = {"ok": False, "error": name}
        return web.json_response(said | ({"response_metadata": {"messages": faults}} if faults else {}))


def slack_faults(message: dict[str, Any], way: str) -> Iterator[str]:
    """What Slack has against a message, sent by `incomingWebhook` or `chatPostMessage`."""
    yield from breaches(contract("slack.message", way), message)
    blocks = message.get("blocks") or []
    texts = [block["text"]["text"] for block in blocks if isinstance(block.get("text"), dict)]
    texts += [element["text"] for block in blocks for element in block.get("elements", []) if "text" in element]
    if sum(map(utf16, texts)) > 9500:
        yield "blocks: msg_blocks_too_long"
    yield from ("blocks: must be less than 3001 characters" for text in texts if utf16(text) > 3000)
    yield from ("blocks: nothing to see" for text in texts if not text.strip())
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) < len(ids):
        yield "blocks: block_id twice"
    if not str(message.get("text", "")).strip():
        yield "text: the fallback of a notification is missing"
    if utf16(message.get("text", "")) > 4000:
        yield "text: longer than 4000"


def words(markup: str) -> str:
    """A text as people read it: fails on a bare & < or >, takes links for their labels."""
    bare = re.sub(r"<(https?://[^<>|\s]+)(\|([^<>]*))?>", lambda found: found[3] or found[1], str(markup))
    bare = re.sub(r"^> ", "", bare, flags=re.MULTILINE)
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", bare), bare
    return html.unescape(bare)


def harmless(markup: str) -> None:
    words(markup)
    assert not PING.search(markup)


def _texts(message: dict[str, Any]) -> Iterator[str]:
    for block in message.get("blocks", []):
        yield from (one["text"] for one in (block.get("text"), *block.get("elements", [])) if one)


def shown(message: dict[str, Any]) -> str:
    return "\n".join(_texts(message))


def seen(message: dict[str, Any]) -> str:
    """A mark is one unless it stands inside of a word, or between spaces that nobody sees."""
    return words(re.sub(r"[*_~]+|`+", _literal, shown(message)))


def _literal(found: re.Match[str]) -> str:
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    inside = before.isalnum() and after.isalnum() and "`" not in found[0]
    return found[0] if inside or before == after == "\u200b" else ""


def pings(message: dict[str, Any], event: Event) -> Iterator[str]:
    yield from (f"a ping: {text}" for text in (message["text"], *_texts(message)) if PING.search(text))


def _faults(way: str) -> Faults:
    def faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
        return slack_faults(parsed(request.body), way)

    return faults


KNOWN = KnownChat(
    example={"token": SECRET, "channel": "#ops"},
    secretive=({"url": f"https://hooks.slack.com/services/T0/B0/{SECRET}"},),
    ways={
        "webhook": Way(settings={"url": "https://slack.example/services/T/B/X"}, faults=_faults("incomingWebhook")),
        "token": Way(settings={"token": "xoxb-1", "channel": "#ops"}, faults=_faults("chatPostMessage")),
    },
    house=House(
        stand_in=lambda limited: Slack(limited=limited),
        sinks={
            "slack": {"url": f"{{base}}{HOOK}"},
            "slack-bot": {"token": TOKEN, "channel": "#notifications", "api_base": "{base}/api"},
        },
        secrets=(TOKEN,),
    ),
    pace=Pace(
        stand_in=lambda: Slack(limited=True),
        path=HOOK,
        body={"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]},
        count=1,
    ),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=None,
)
