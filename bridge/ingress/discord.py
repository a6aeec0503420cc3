"""Discord's execute-webhook endpoint, so that the bridge can stand wherever a DISCORD_WEBHOOK_URL is expected.

Source   discord.com/developers/docs/resources/webhook#execute-webhook, …/reference#uploading-files
Secret   the last segment of the path: /api/webhooks/{source}/{secret}
Sends    (to us) JSON; a form or multipart with the JSON in `payload_json`. Uploaded files are named, not kept
Answers  204; with ?wait=true 200 and a message object. GET answers the webhook object. Errors have Discord's shape:
         401 50027 · 404 10015 · 400 50006, 50035, 50109 · 413 40005 · 503 0
"""

import hashlib
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http import HttpProcessingError

from bridge.clock import Clock
from bridge.errors import BadPayload, BadSignature, HookRejected, StoreError, TooLarge
from bridge.event import JsonObject, iso
from bridge.ingress.limits import MemoryBudget, Reservation, body_deadline, read_body
from bridge.ingress.receiver import Receipt, Receiver
from bridge.ingress.server import RETRY_AFTER, close_if_broken, log_accepted, log_refused
from bridge.ingress.source import Source
from bridge.panels.base import EmptyMessage, Hook

LOG = logging.getLogger("bridge.ingress")
EPOCH = 1420070400000  # milliseconds: Discord's ids count from the first of January 2015
FORM_FIELDS = ("content", "username", "avatar_url", "tts", "thread_name")


class DiscordEndpoint:
    """The handlers that speak like Discord."""

    def __init__(self, receiver: Receiver, budget: MemoryBudget, clock: Clock) -> None:
        self._receiver = receiver
        self._budget = budget
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", f"/api{version}/webhooks/{{source}}/{{token}}{slash}", self.receive)
            for version in ("", r"/v{version:\d+}")
            for slash in ("", "/")
        ]

    async def receive(self, request: web.Request) -> web.Response:
        """One message, or one look at the webhook."""
        started = time.perf_counter()
        name = request.match_info["source"]
        source = self._receiver.sources.get(name)
        if source is None or source.kind != "discord":
            return _error(404, 10015, "Unknown Webhook")
        try:
            if request.method == "GET":
                return self._webhook_object(request, source)
            if request.method != "POST":
                return _error(405, 0, "405: Method Not Allowed", headers={"Allow": "GET, POST"})
            payload, receipt = await self._receive(request, source)
        except HookRejected as error:
            log_refused(name, error.status, str(error))
            return close_if_broken(error, _refusal(error))
        except StoreError as error:
            log_refused(name, 503, str(error))
            return _error(503, 0, "503: Service Unavailable", headers=RETRY_AFTER)
        log_accepted(name, receipt, started)
        if request.query.get("wait", "").lower() in ("true", "1"):
            return _json(200, self._message_object(name, payload))
        return web.Response(status=204)

    async def _receive(self, request: web.Request, source: Source) -> tuple[JsonObject, Receipt]:
        with self._budget.reserve() as reservation:
            body = await self._body(request, reservation)
            hook = self._hook(request, body)
            receipt = await self._receiver.receive(source, hook)
            return _payload(body), receipt

    async def _body(self, request: web.Request, reservation: Reservation) -> bytes:
        """The message as JSON, whichever way it was sent."""
        match request.content_type:
            case "application/json":
                body = await read_body(request, reservation, self._budget.limits)
            case "application/x-www-form-urlencoded":
                body = _form_json(await read_body(request, reservation, self._budget.limits))
            case "multipart/form-data":
                body = await self._multipart_json(request, reservation)
            case _:
                raise BadPayload('Expected "Content-Type" header to be one of {"application/json", …}', "_content_type")
        thread = request.query.get("thread_id")
        return _json_with(body, thread_id=thread) if thread else body

    async def _multipart_json(self, request: web.Request, reservation: Reservation) -> bytes:
        fields: dict[str, str] = {}
        files: list[JsonObject] = []
        try:
            async with body_deadline(request, self._budget.limits):
                async for part in await request.multipart():
                    await _read_part(part, reservation, fields, files)
        except ValueError as error:
            raise BadPayload(f"the form cannot be read: {error}", "payload_json") from None
        except HttpProcessingError:
            raise BadPayload("the form cannot be read: a part has no proper headers", "payload_json") from None
        body = _fields_json(fields)
        return _json_with(body, attachments=files) if files else body

    def _hook(self, request: web.Request, body: bytes) -> Hook:
        token = request.match_info["token"]
        return Hook(body=body, received_at=self._clock.now(), headers=request.headers, query=request.query, token=token)

    def _webhook_object(self, request: web.Request, source: Source) -> web.Response:
        source.panel.verify(self._hook(request, b""))
        channel = _snowflake(source.name)
        return _json(
            200,
            {
                "id": channel,
                "type": 1,
                "name": source.name,
                "avatar": None,
                "channel_id": channel,
                "guild_id": channel,
                "application_id": None,
                "token": request.match_info["token"],
                "url": str(request.url.with_query(None)),
            },
        )

    def _message_object(self, source: str, payload: JsonObject) -> JsonObject:
        now, channel = self._clock.now(), _snowflake(source)
        return {
            "id": str((int(now.timestamp() * 1000) - EPOCH) << 22),
            "type": 0,
            "content": payload.get("content") or "",
            "channel_id": payload.get("thread_id") or channel,
            "webhook_id": channel,
            "author": {
                "id": channel,
                "username": payload.get("username") or source,
                "avatar": None,
                "discriminator": "0000",
                "bot": True,
                "global_name": None,
            },
            "embeds": [{"type": "rich", **one} for one in payload.get("embeds") or [] if isinstance(one, dict)],
            "attachments": [],
            "components": [],
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
            "flags": 0,
            "timestamp": iso(now),
            "edited_timestamp": None,
        }


async def _read_part(part: Any, reservation: Reservation, fields: dict[str, str], files: list[JsonObject]) -> None:
    if isinstance(part, MultipartReader):
        raise ValueError("a form inside the form")
    assert isinstance(part, BodyPartReader)
    value = bytearray()
    while chunk := await part.read_chunk():
        reservation.grow(len(chunk))
        if part.filename is None:
            value += chunk
    if part.filename is None:
        fields[part.name or ""] = value.decode("utf-8", "replace")
    else:
        files.append({"filename": part.filename, "content_type": part.headers.get("Content-Type", "")})


def _form_json(body: bytes) -> bytes:
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return _fields_json(dict(pairs))


def _fields_json(fields: dict[str, str]) -> bytes:
    if "payload_json" in fields:
        return fields["payload_json"].encode()
    return json.dumps({name: fields[name] for name in FORM_FIELDS if name in fields}).encode()


def _json_with(body: bytes, **more: Any) -> bytes:
    """The message with `more` in it; a body that is no object stays as it is, for the panel to refuse."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return json.dumps(payload | more).encode() if isinstance(payload, dict) else body


def _payload(body: bytes) -> JsonObject:
    payload = json.loads(body)
    return payload if isinstance(payload, dict) else {}


def _snowflake(name: str) -> str:
    """An id in Discord's form that is always the same for a name."""
    return str(10**17 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % (9 * 10**17))


def _refusal(error: HookRejected) -> web.Response:
    match error:
        case BadSignature():
            return _error(401, 50027, "Invalid Webhook Token")
        case TooLarge():
            return _error(413, 40005, "Request entity too large")
        case EmptyMessage():
            return _error(400, 50006, "Cannot send an empty message")
        case BadPayload(path="", reason=reason):
            return _error(400, 50109, f"The request body contains invalid JSON: {reason}")
        case BadPayload(path=path, reason=reason):
            return _json(400, {"message": "Invalid Form Body", "code": 50035, "errors": _field_errors(path, reason)})
        case _:
            headers = RETRY_AFTER if error.status == 503 else {}
            return _error(error.status, 0, f"{error.status}: {error}", headers=headers)


def _field_errors(path: str, reason: str) -> JsonObject:
    errors: JsonObject = {"_errors": [{"code": "BASE_TYPE_INVALID", "message": reason}]}
    for key in reversed(path.replace("[", ".").replace("]", "").strip(".").split(".")):
        errors = {key: errors}
    return errors


def _error(status: int, code: int, message: str, *, headers: dict[str, str] | None = None) -> web.Response:
    return _json(status, {"message": message, "code": code}, headers)


def _json(status: int, value: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(value).encode(), content_type="application/json", headers=headers
    )
