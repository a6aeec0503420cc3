"""Mattermost's incoming webhooks, as strict as the real ones: keys, lengths, what is translated, and its own error ids.

Source   github.com/mattermost/mattermost @ 013f83c: server/channels/app/webhook.go, web/webhook.go,
         server/public/model/incoming_webhook.go; developers.mattermost.com/integrate/webhooks/incoming (silent,
         priority). Stricter where it would pass over: unknown keys, what would become several posts, what Slack's form
         would change
"""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.known import SECRET, House, KnownChat, Way
from tests.services.service import Service, parsed

HOOK = "/hooks/xxxgeneratedkeyxxx0123456789ab"
KEYS: dict[str, type] = {
    **dict.fromkeys(("text", "channel", "username", "icon_url", "icon_emoji"), str),
    "priority": dict,
    "silent": bool,
}
CHANNELS = ("town-square", "@admin")
#: What its translation from Slack's would change, inside of code too.
SLACKS = re.compile(r"<([^\n<|>]+)\|([^|\n>]+)>|<!(channel|here|all)>|<@[A-Z0-9]+>", re.IGNORECASE)
PING = re.compile(r"@[\w.-]")
EMOJI = re.compile(r":[\w+-]+:")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_MARKED = re.compile(
    r"\\(?P<escaped>[^\w\s]|_)|```\w*\n?|`(?P<code>[^`\n]+)`|\[(?P<label>(?:\\.|[^\[\]\\\n])+)\]\(https?://[^()\s]+\)|\*\*|~~|\*"
)

Fault = tuple[int, str, str]  # status, id, what it says


class Mattermost(Service):
    """`fault`: what is wrong with the webhook or its channel."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Fault | None = None
        self.removed = False

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if not re.fullmatch(r"/hooks/[A-Za-z0-9]+", request.path) or request.method != "POST":
            return self._error(404, "api.context.404.app_error", "Sorry, we could not find the page.")
        if self.fault is not None:
            return self._error(*self.fault)
        payload = parsed(body)
        if not isinstance(payload, dict):
            return self._error(400, "model.incoming_hook.parse_data.app_error", "Unable to parse incoming data.")
        if self.removed or request.path != HOOK:
            return self._error(400, "web.incoming_webhook.invalid.app_error", "Invalid webhook.")
        for fault in mattermost_faults(payload):
            return self._error(400, "web.incoming_webhook.text.app_error", fault)
        if payload.get("channel", CHANNELS[0]).lstrip("#") not in CHANNELS:
            return self._error(404, "web.incoming_webhook.channel.app_error", "Couldn't find the channel.")
        self.take(request, payload)
        return web.Response(text="ok", content_type="text/plain")

    def _error(self, status: int, id_: str, text: str) -> web.Response:
        self.refuse(f"{id_} {text}")
        said = {"id": id_, "message": text, "detailed_error": "", "request_id": "x" * 26, "status_code": status}
        return web.json_response(said, status=status)


def mattermost_faults(payload: Any) -> Iterator[str]:
    """What Mattermost has against a payload, or what it would make of it that was not meant."""
    if not isinstance(payload, dict) or not all(type(one) is KEYS.get(key) for key, one in payload.items()):
        yield f"keys or types: {payload}"
        return
    text = payload.get("text", "")
    if not text.strip():
        yield "No text specified."
    if len(text) > 16_383:
        yield "it would become several posts"
    if SLACKS.search(text):
        yield f"translated from Slack's: {text}"
    priority = payload.get("priority", {"priority": "urgent"})
    if priority not in ({"priority": "important"}, {"priority": "urgent"}):
        yield f"priority {priority}"
    if "icon_url" in payload and not payload["icon_url"].startswith(("http://", "https://")):
        yield "icon_url is no address"


def words(markup: str) -> str:
    """A text without markup of ours, as people read it: fails on a bare & or <."""
    assert not re.search(r"<|&(?!(amp|lt|gt);)", markup), markup
    return html.unescape(re.sub(r"\\([^\w\s]|_)", r"\1", str(markup)))


def harmless(markup: str) -> None:
    outside = _CODE.sub("", markup)
    assert not PING.search(outside), markup
    assert not SLACKS.search(markup), markup
    assert not re.search(r"\]\((?!https?://)", re.sub(r"\\.", "", outside)), markup


def unmarked(markup: str) -> str:
    """A text of ours without its marks; what was escaped stands for itself."""
    return html.unescape(_MARKED.sub(_said, markup))


def _said(found: re.Match[str]) -> str:
    """What is read of a mark: inside of code everything stands for itself."""
    return found["escaped"] or html.escape(found["code"] or unmarked(found["label"] or ""), quote=False)


def shown(payload: dict[str, Any]) -> str:
    return str(payload["text"])


def seen(payload: dict[str, Any]) -> str:
    return unmarked(re.sub(r"(?m)^> ", "", shown(payload)))


def pings(payload: dict[str, Any], event: Event) -> Iterator[str]:
    outside = _CODE.sub("", payload["text"])
    yield from (f"a ping: {found[0]}" for found in PING.finditer(outside) if "](" not in found[0])


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    return mattermost_faults(parsed(request.body))


KNOWN = KnownChat(
    example={"url": f"https://mattermost.example/hooks/{SECRET}"},
    ways={
        "webhook": Way(settings={"url": "https://mattermost.example/hooks/abc"}, faults=_faults),
        "full": Way(
            settings={
                "url": "https://mattermost.example/hooks/abc",
                "channel": "town-square",
                "username": "Panel",
                "icon_url": "https://x.example/i.png",
                "icon_emoji": "satellite",
                "priority": "urgent",
            },
            faults=_faults,
        ),
    },
    house=House(
        stand_in=lambda _limited: Mattermost(),
        sinks={"mattermost": {"url": f"{{base}}{HOOK}"}},
        secrets=(HOOK.removeprefix("/hooks/"),),
    ),
    pace=None,
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=("silent", True),
)
