"""Slack's incoming webhooks and chat.postMessage, as strict as the real ones.

Source   tests/contracts/slack.message.schema.json; docs.slack.dev/reference/methods/chat.postMessage
"""

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from tests.services.service import Service, breaches, contract, parsed

TOKEN = "xoxb-12345-67890-AbCdEfGhIjKl"
HOOK = "/services/T0000/B0000/XXXXYYYYZZZZXXXXYYYYZZZZ"


class Slack(Service):
    def __init__(self, *, channels: tuple[str, ...] = ("#notifications", "C0123456")) -> None:
        super().__init__()
        self.removed = False
        self._channels = channels

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if request.path == HOOK:
            return self._hook(request, body)
        if request.path == "/api/chat.postMessage":
            return self._call(request, body)
        return web.Response(status=404, text="no_service")

    def _hook(self, request: web.Request, body: bytes) -> web.Response:
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
        if "Authorization" not in request.headers:
            return self._error("not_authed")
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._error("invalid_auth")
        message = parsed(body) if request.content_type == "application/json" else None
        if not isinstance(message, dict):
            return self._error("invalid_json")
        if faults := list(slack_faults(message, "chatPostMessage")):
            return self._error("invalid_blocks", faults)
        if message["channel"] not in self._channels:
            return self._error("channel_not_found")
        self.take(request, message)
        said: dict[str, Any] = {"ok": True, "channel": "C0123456", "ts": f"1732160058.{len(self.taken):06}"}
        if request.charset != "utf-8":
            said["warning"] = "missing_charset"
        return web.json_response(said | {"message": {"type": "message", "text": message.get("text", "")}})

    def _error(self, name: str, faults: list[str] | None = None) -> web.Response:
        self.refuse(f"{name} {faults or ''}".strip())
        said: dict[str, Any] = {"ok": False, "error": name}
        return web.json_response(said | ({"response_metadata": {"messages": faults}} if faults else {}))


def slack_faults(message: dict[str, Any], way: str) -> Iterator[str]:
    """What Slack has against a message, sent by `incomingWebhook` or `chatPostMessage`."""
    yield from breaches(contract("slack.message", way), message)
    blocks = message.get("blocks") or []
    texts = [block["text"]["text"] for block in blocks if isinstance(block.get("text"), dict)]
    if sum(map(len, texts)) > 9500:
        yield "blocks: msg_blocks_too_long"
    yield from ("blocks: nothing to see" for text in texts if not text.strip())
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) < len(ids):
        yield "blocks: block_id twice"
    if not str(message.get("text", "")).strip():
        yield "text: the fallback of a notification is missing"
    if len(message.get("text", "")) > 4000:
        yield "text: longer than 4000"
