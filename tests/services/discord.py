"""Discord's execute-webhook endpoint, as strict as the real one.

Source   tests/contracts/discord.execute-webhook.schema.json; discord.com/developers/docs/resources/webhook
"""

import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from tests.services.service import Service, breaches, contract, parsed

ID, TOKEN = "1234567890", "discord-webhook-token-AAAA"
SCHEMES = {"url": ("http", "https"), "icon_url": ("http", "https", "attachment"), "avatar_url": ("http", "https")}


class Discord(Service):
    """`threads` are those that the channel has; `limit` requests in two seconds, as many as one likes where None."""

    def __init__(self, *, threads: tuple[str, ...] = (), forum: bool = False, limit: int | None = None) -> None:
        super().__init__()
        self.deleted = False
        self._threads, self._forum, self._limit = threads, forum, limit
        self._recent: deque[float] = deque()

    def path(self, token: str = TOKEN) -> str:
        return f"/api/webhooks/{ID}/{token}"

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        known = {f"/api/webhooks/{ID}/", f"/api/v10/webhooks/{ID}/"}
        address, _, token = request.path.rpartition("/")
        if self.deleted or f"{address}/" not in known:
            return self._error(404, 10015, "Unknown Webhook")
        if token != TOKEN:
            return self._error(401, 50027, "Invalid Webhook Token")
        if (wait := self._over_limit()) > 0:
            return self._limited(wait)
        if not request.headers.get("User-Agent"):
            return self._error(403, 0, "no User-Agent")
        message = parsed(body) if request.content_type == "application/json" else None
        if not isinstance(message, dict):
            return self._error(400, 50109, "The request body contains invalid JSON.")
        return self._post(request, message)

    def _post(self, request: web.Request, message: dict[str, Any]) -> web.Response:
        thread, named = request.query.get("thread_id"), message.get("thread_name")
        if thread and thread not in self._threads:
            return self._error(404, 10003, "Unknown Channel")
        if self._forum and not (thread or named):
            return self._error(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
        if self._forum and thread and named:
            return self._error(400, 220002, "Webhooks posted to forum channels cannot have both")
        if named and not self._forum:
            return self._error(400, 220003, "Webhooks can only create threads in forum channels")
        if is_empty(message):
            return self._error(400, 50006, "Cannot send an empty message")
        if faults := list(discord_faults(message)):
            return self._error(400, 50035, "Invalid Form Body", faults)
        self.take(request, message)
        if request.query.get("wait") not in ("true", "True", "1"):
            return web.Response(status=204, headers=self._headers())
        return web.json_response(self._saved(message), headers=self._headers())

    def _saved(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(1_400_000_000_000_000_000 + len(self.taken)),
            "type": 0,
            "content": message.get("content", ""),
            "channel_id": "987654321",
            "author": {"id": ID, "username": message.get("username", "Captain Hook"), "avatar": None, "bot": True},
            "attachments": [],
            "embeds": message.get("embeds", []),
            "mentions": [],
            "mention_roles": [],
            "pinned": False,
            "mention_everyone": False,
            "tts": False,
            "timestamp": "2026-11-21T04:14:18.161000+00:00",
            "edited_timestamp": None,
            "flags": 0,
            "components": [],
            "webhook_id": ID,
        }

    def _over_limit(self) -> float:
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 2.0:
            self._recent.popleft()
        self._recent.append(now)
        over = self._limit is not None and len(self._recent) > self._limit
        return self._recent[0] + 2.0 - now if over else 0.0

    def _headers(self) -> dict[str, str]:
        limit = self._limit or 5
        left = limit - len(self._recent) if self._limit else limit
        reset = self._recent[0] + 2.0 - time.monotonic()
        return {
            "Via": "1.1 google",
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, left)),
            "X-RateLimit-Reset": f"{time.time() + reset:.3f}",
            "X-RateLimit-Reset-After": f"{reset:.3f}",
            "X-RateLimit-Bucket": "5be0a9e5bd6c0a5b7a8f3d7b2a3e8e3c",
        }

    def _limited(self, wait: float) -> web.Response:
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
    """Blank content, and embeds in which there is nothing to see."""
    content = message.get("content")
    seen = ("title", "description", "fields", "footer", "author", "image", "thumbnail")
    embeds = [one for one in message.get("embeds") or [] if isinstance(one, dict) and any(one.get(key) for key in seen)]
    return not (isinstance(content, str) and content.strip()) and not embeds


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
    embeds = message.get("embeds") or []
    if sum(map(embed_length, embeds)) > 6000:
        yield "embeds: Embed size exceeds maximum size of 6000"
    yield from _unfit(message, "")
    if utf16(message.get("content")) > 2000:
        yield "content: must be 2000 or fewer in length"


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
        if key in SCHEMES and urlsplit(value).scheme not in SCHEMES[key]:
            yield f"{path}: URL_TYPE_INVALID_SCHEME"
        if key == "timestamp":
            yield from _untimely(value, path)


def _untimely(value: str, path: str) -> Iterator[str]:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        yield f"{path}: DATE_TIME_TYPE_PARSE"
