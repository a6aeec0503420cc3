"""Discord's execute-webhook endpoint, so that the bridge can stand wherever a DISCORD_WEBHOOK_URL is expected.

Source   discord.com/developers/docs/resources/webhook#execute-webhook, …/reference#uploading-files
Secret   the last segment of the path: /api/webhooks/{source}/{secret}
Sends    (to us) JSON; a form or multipart with the JSON in `payload_json`. Uploaded files are named, not kept.
         Under /slack and /github what these send to webhooks of their own: JSON, or a form with it in `payload`
Answers  204; with ?wait=true 200 and a message object; /slack 200 and the text `ok`. GET answers the webhook object.
         messages/{id} of an id that ?wait=true told: GET answers the message, PATCH changes it (200), DELETE takes it
         back (204), wherever it went that can do so; where nothing can: 10008, as of one that is not there any more.
         Errors have Discord's shape: 401 50027 · 404 10015, 10008 · 400 50006, 50035, 50109 · 413 40005 · 503 0
"""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from bridge.clock import Clock
from bridge.counters import COUNTERS
from bridge.errors import BadPayload, BadSignature, HookRejected, StoreError, TooLarge
from bridge.event import Event, JsonObject, iso
from bridge.ingress.address import PublicAddress
from bridge.ingress.body import ask_later, body_deadline, read_body, read_pieces
from bridge.ingress.budget import MemoryBudget, Reservation
from bridge.ingress.connections import PROVEN
from bridge.ingress.forms import OTHERS_PAYLOAD, form_json, multipart_json
from bridge.ingress.posted import message_object, new_message_id, posted_at
from bridge.ingress.receiver import BIG_BODY, Receipt, Receiver
from bridge.ingress.refusals import Refusals, shown_method
from bridge.ingress.server import RETRY_AFTER, SEGMENT, last, log_accepted
from bridge.ingress.source import Source
from bridge.panels.base import EmptyMessage, Hook
from bridge.posted import is_change
from bridge.value import replace

LOG = logging.getLogger("bridge.ingress")
BOM, JSON_BLANKS = b"\xef\xbb\xbf", b" \t\r\n"
#: What paths are made of at Discord; behind one of ours, the last two are not taken.
PATH_WORDS = ("api", "webhooks", "messages", "slack", "github")


class DiscordEndpoint:
    """The handlers that speak like Discord."""

    def __init__(
        self, receiver: Receiver, budget: MemoryBudget, refusals: Refusals, clock: Clock, address: PublicAddress
    ) -> None:
        self._address = address
        self._receiver = receiver
        self._refusals = refusals
        self._budget = budget
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        webhook = f"/{{source}}/{SEGMENT}"
        message = f"{webhook}/messages/{{message}}"
        handlers = {webhook: self.receive, f"{webhook}/{{dialect:slack|github}}": self.receive, message: self.message}
        paths = {f"{path}{slash}": handler for path, handler in handlers.items() for slash in ("", "/")}
        return [
            web.route("*", f"/api{version}/webhooks{path}", handler, expect_handler=ask_later)
            for version in ("", r"/v{version:\d+}")
            for path, handler in (paths | {"/{tail:.*}": self.nothing}).items()
        ]

    async def receive(self, request: web.Request) -> web.Response:
        """One message, or one look at the webhook."""
        started = time.perf_counter()
        name, dialect = request.match_info["source"], request.match_info.get("dialect")
        source = self._source(name)
        if source is None:
            self._refusals.log(None, 404, f'no source of Discord messages is named "{name[:64]}"')
            return last(_error(404, 10015, "Unknown Webhook"))
        try:
            if request.method == "GET" and dialect is None:
                return self._webhook_object(request, source)
            if request.method != "POST":
                taken = "POST is" if dialect else "GET and POST are"
                self._refusals.log(name, 405, f"{shown_method(request.method)}, and only {taken} taken here")
                return _wrong_method("POST" if dialect else "GET, POST")
            waits = request.query.get("wait", "").lower() in ("true", "1") and dialect is None
            id_ = new_message_id(self._clock.now()) if waits else None
            body, receipt = await self._receive(request, source, id_)
        except HookRejected as error:
            return self._refused(name, error)
        except StoreError as error:
            self._refusals.log(name, 503, str(error))
            return _error(503, 0, "503: Service Unavailable", headers=RETRY_AFTER)
        log_accepted(name, receipt, started)
        if dialect == "slack":
            return web.Response(text="ok")
        if id_ is not None:
            return _json(200, self._message(name, id_, _payload(body)))
        return web.Response(status=204)

    async def message(self, request: web.Request) -> web.Response:
        """What is asked of one message that was posted with ?wait=true: to show, to change, or to take it back."""
        started = time.perf_counter()
        name = request.match_info["source"]
        source = self._source(name)
        if source is None:
            self._refusals.log(None, 404, f'no source of Discord messages is named "{name[:64]}"')
            return last(_error(404, 10015, "Unknown Webhook"))
        if request.method not in ("GET", "PATCH", "DELETE"):
            self._refusals.log(name, 405, f"{shown_method(request.method)}, and a message can only be asked for")
            return _wrong_method("DELETE, GET, PATCH")
        try:
            answer = await self._answer(request, source)
        except HookRejected as error:
            return self._refused(name, error)
        except StoreError as error:
            self._refusals.log(name, 503, str(error))
            return _error(503, 0, "503: Service Unavailable", headers=RETRY_AFTER)
        if answer is None:
            self._refusals.log(
                name, 404, f"{request.method} of a message that there is not, or that no sink can change"
            )
            return last(_error(404, 10008, "Unknown Message"))
        COUNTERS.request_taken(name, time.perf_counter() - started)
        return answer

    def _refused(self, name: str, error: HookRejected) -> web.Response:
        """Discord's answer; its status, which need not be the error's own, is the one that is told."""
        answer = last(_refusal(error))
        self._refusals.log(name, answer.status, str(error))
        return answer

    async def _answer(self, request: web.Request, source: Source) -> web.Response | None:
        """The answer of a message; None where there is none, or none that could be changed.

        Why that is 404: a client takes it for a message that someone has deleted, and posts the next one anew. Where
        the answer were 200, what it changes would be lost.
        """
        head, id_ = self._head(request), request.match_info["message"]
        source.panel.verify(head)
        request[PROVEN] = True
        now = self._clock.now()
        if request.method == "DELETE":
            return web.Response(status=204) if await self._receiver.delete(source, id_, now) else None
        posted = await self._receiver.posted(source, id_, now)
        event = posted.event if posted is not None else None
        if event is not None and request.method == "PATCH":
            event = await self._edited(request, source, id_, head)
        if event is None:
            return None
        changed = event.received_at if is_change(event) else None
        return _json(200, self._message(source.name, id_, event.native, edited=changed))

    async def _edited(self, request: web.Request, source: Source, id_: str, head: Hook) -> Event | None:
        with self._budget.reserve() as reservation:
            body = await self._body(request, reservation)
            hook = replace(head, body=body, received_at=self._clock.now())
            return await self._receiver.edit(source, id_, hook)

    async def nothing(self, request: web.Request) -> web.Response:
        """Whatever else is asked for where webhooks are."""
        self._refusals.log(None, 404, "no path of a webhook: it is /api/webhooks/{source}/{secret}")
        return last(_error(404, 0, "404: Not Found"))

    def _source(self, name: str) -> Source | None:
        source = self._receiver.sources.get(name)
        return source if source is not None and source.kind == "discord" else None

    async def _receive(self, request: web.Request, source: Source, id_: str | None) -> tuple[bytes, Receipt]:
        head = self._head(request)
        source.panel.verify(head)  # its secret stands in the path: no byte of a stranger's body is read
        request[PROVEN] = True
        with self._budget.reserve() as reservation:
            body = await self._body(request, reservation)
            hook = replace(head, body=body, received_at=self._clock.now())
            return body, await self._receiver.receive(source, hook, message=id_)

    async def _body(self, request: web.Request, reservation: Reservation) -> bytes:
        """The message as JSON, whichever way it was sent."""
        more: JsonObject = {"thread_id": thread} if (thread := request.query.get("thread_id")) else {}
        if "dialect" in request.match_info:
            body = await self._body_of_others(request, reservation)
            return _json_with(body, more) if more else body
        match request.content_type:
            case "application/json":
                body = await read_body(request, reservation)
            case "application/x-www-form-urlencoded":
                form = await read_body(request, reservation)
                big = len(form) >= BIG_BODY
                limits = reservation.limits
                body = await asyncio.to_thread(form_json, form, limits) if big else form_json(form, limits)
            case "multipart/form-data":
                async with body_deadline(request, reservation):
                    pieces = read_pieces(request, reservation)
                    body, files = await multipart_json(request.headers["Content-Type"], pieces, reservation.limits)
                more |= {"attachments": files} if files else {}
            case _:
                raise BadPayload('Expected "Content-Type" header to be one of {"application/json", …}', "_content_type")
        return _json_with(body, more) if more else body

    async def _body_of_others(self, request: web.Request, reservation: Reservation) -> bytes:
        """Slack's or GitHub's JSON, also of a form; clients send it under any type, curl's `-d` as a form."""
        body = await read_body(request, reservation)
        if request.content_type != "application/x-www-form-urlencoded" or body.lstrip(JSON_BLANKS).startswith(b"{"):
            return body
        limits = reservation.limits
        if len(body) < BIG_BODY:
            return form_json(body, limits, payload=OTHERS_PAYLOAD)
        return await asyncio.to_thread(form_json, body, limits, payload=OTHERS_PAYLOAD)

    def _head(self, request: web.Request) -> Hook:
        return Hook(
            body=b"",
            received_at=self._clock.now(),
            headers=request.headers,
            query=request.query,
            token=request.match_info["token"],
            dialect=request.match_info.get("dialect"),
        )

    def _webhook_object(self, request: web.Request, source: Source) -> web.Response:
        source.panel.verify(self._head(request))
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
                "url": self._address.of(request),
            },
        )

    def _message(
        self, source: str, id_: str, payload: Mapping[str, Any], *, edited: datetime | None = None
    ) -> JsonObject:
        at = posted_at(id_) or self._clock.now()
        changed = iso(edited) if edited is not None else None
        return message_object(source, id_, payload, channel=_snowflake(source), at=at, edited=changed)


def _json_with(body: bytes, more: JsonObject) -> bytes:
    """The message with `more` in it, added to its text: what is big is not understood twice.

    A body that is no object stays as it is, for the panel to refuse.
    """
    text = body.rstrip(JSON_BLANKS)
    inner = text.removeprefix(BOM).lstrip(JSON_BLANKS)
    if len(inner) < 2 or not (inner.startswith(b"{") and inner.endswith(b"}")):
        return body
    comma = b"," if inner[1:-1].strip(JSON_BLANKS) else b""
    return text[:-1] + comma + json.dumps(more).encode()[1:]


def _payload(body: bytes) -> JsonObject:
    payload = json.loads(body.decode("utf-8-sig"))
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


def _wrong_method(allowed: str) -> web.Response:
    return last(_error(405, 0, "405: Method Not Allowed", headers={"Allow": allowed}))


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
