"""Remnawave: the users, nodes, devices and bills of a Remnawave panel, 1.x to 3.x.

Source   github.com/remnawave/backend @ 347e6de: libs/contract/constants/events/events.ts,
         libs/contract/models/webhook/webhook.schema.ts,
         src/queue/notifications/webhook-logger/webhook-logger.processor.ts
Secret   WEBHOOK_SECRET_HEADER, at least 32 letters and digits
Sends    POST {scope, event, timestamp, data, meta?}; four tries 5 s apart, then it is lost
Signs    X-Remnawave-Signature: hex HMAC-SHA256 of the raw body with the secret
Units    bytes, decimal texts in 1.x and numbers since 2.3, 0 is unlimited; times are ISO 8601, UTC;
         meta.expiration in hours, negative before the expiry and positive after it
Quirks   1.x has no scope and no meta; 2.3 moved traffic from the user into userTraffic; 3.0 took away the user's uuid
         a retry repeats the body byte for byte, and the body has the event's time: its digest tells a redelivery
         X-Remnawave-Timestamp is not signed, the body's `timestamp` is; a queue makes it old, so max_age is generous
         a node carries its Xray inbounds whole (rawInbound), with the private keys of REALITY and TLS, and a note
         meta.expiration 0 is read as user.expiring: the time is up this hour, not over for a while
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload, BadSignature
from bridge.event import JsonObject
from bridge.foreign import (
    moment,
    name_of,
    number,
    object_at,
    parse_json,
    present,
    read_fields,
    text,
    texts,
    value_at,
    whole,
)
from bridge.intake import Fingerprint
from bridge.message import Dialect
from bridge.panels.base import UNNAMED, Hook, Panel, ParsedEvent, SourceConfig, digest
from bridge.panels.remnawave.emit import emit, signature
from bridge.panels.remnawave.fields import ACTION, BILLING, DEVICE, LOGIN, NODE, SYSTEM, TOKEN, TRAFFIC, USER, XRAY
from bridge.panels.remnawave.names import NUMBERED, TYPES, canonical_type, hours_left
from bridge.people.proof import Proof, ProofKind
from bridge.settings import Duration

#: Seconds in which the panel tries again: 3 times, 5 s apart, later where its queue is long.
RETRIES_WITHIN = 3600.0

#: What a customer has of a user, in their subscription link and in their configurations.
PROOFS = {
    "shortUuid": ProofKind.SUBSCRIPTION,
    "vlessUuid": ProofKind.CREDENTIAL,
    "trojanPassword": ProofKind.CREDENTIAL,
    "ssPassword": ProofKind.CREDENTIAL,
}

#: Where each family of events names what it is about.
SUBJECTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "user": (("user", ("data", "username")),),
    "user_hwid_devices": (("user", ("data", "user", "username")),),
    "node": (("node", ("data", "name")),),
    "crm": (("node", ("data", "nodeName")),),
    "torrent_blocker": (("user", ("data", "user", "username")), ("node", ("data", "node", "name"))),
    "service": (
        ("admin", ("data", "loginAttempt", "username")),
        ("api_key", ("data", "apiToken", "name")),
        ("config", ("data", "subpageConfig", "uuid")),
    ),
}


class RemnawaveConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES | NUMBERED

    panel: Literal["remnawave"] = Field(description="Remnawave")
    max_age: Duration = Field(
        366 * 86400.0, description="how far the signed time may be from now; retries make it old, 0 takes any"
    )

    def open(self) -> "RemnawavePanel":
        return RemnawavePanel(self)

    @classmethod
    def dialect(cls) -> Dialect:
        return emit


class RemnawavePanel(Panel[RemnawaveConfig]):
    masks: ClassVar[tuple[str, ...]] = (
        "**.trojanPassword",
        "**.vlessUuid",
        "**.ssPassword",
        "**.shortUuid",
        "**.subscriptionUuid",
        "**.subscriptionUrl",
        "**.hwid",
        "**.requestIp",
        "**.proxyUrl",
        "**.password",
        "**.rawInbound",
        "data.configProfile.config",
        "data.node.configProfile.config",
        "data.note",
        "data.node.note",
    )
    described: ClassVar[tuple[str, ...]] = ("apiToken",)
    paste: ClassVar[tuple[str, ...]] = ("WEBHOOK_ENABLED=true", "WEBHOOK_URL={url}", "WEBHOOK_SECRET_HEADER={secret}")

    def verify_head(self, hook: Hook) -> bool:
        """A request with no signature, or with what cannot be one, need not be read."""
        if not self.config.secret:
            return True
        given = _given_signature(hook)
        if not re.fullmatch(b"[0-9a-f]{64}", given):
            raise BadSignature("wrong signature" if given else "no X-Remnawave-Signature header")
        return False

    def verify_body(self, hook: Hook) -> None:
        keys = [secret.get_secret_value().encode() for secret in self.config.secret]
        matches = [hmac.compare_digest(_given_signature(hook), signature(key, hook.body)) for key in keys]
        if not any(matches):
            raise BadSignature("wrong signature")
        if self.config.max_age:
            self._refuse_stale(hook)

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        one_event = hook.body.lstrip()[:1] == b"{"  # in an array two events could share a body
        dated = isinstance(element, dict) and moment(element.get("timestamp")) is not None
        return Fingerprint(digest(hook.body), within=RETRIES_WITHIN) if one_event and dated else None

    def proofs(self, element: Any) -> Iterable[Proof]:
        user = object_at(element, "data", "user") or object_at(element, "data")
        for name, kind in PROOFS.items():
            if value := text(user.get(name)):
                yield Proof(kind, value)

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        native = text(element.get("event")) or UNNAMED
        hours = hours_left(native, element)
        type_ = canonical_type(native, hours)
        return ParsedEvent(
            type=type_,
            native_type=native,
            subject=_subject(native, element),
            data=_data(native, element, hours),
            occurred_at=moment(element.get("timestamp")),
        )

    def _refuse_stale(self, hook: Hook) -> None:
        stamp = _timestamp(hook.body)
        if stamp and abs((hook.received_at - stamp).total_seconds()) > self.config.max_age:
            raise BadSignature(f"the body's timestamp is further from now than max_age ({self.config.max_age:g} s)")


def _given_signature(hook: Hook) -> bytes:
    return (hook.header("X-Remnawave-Signature") or b"").lower()


def _timestamp(body: bytes) -> datetime | None:
    try:
        return moment(value_at(parse_json(body), "timestamp"))
    except BadPayload:
        return None  # `elements` says what is wrong with it


def _subject(native: str, element: JsonObject) -> str | None:
    for kind, path in SUBJECTS.get(native.partition(".")[0], ()):
        if name := name_of(value_at(element, *path)):
            return f"{kind}:{name}"
    return None


def _data(native: str, element: JsonObject, hours: int | None) -> JsonObject:
    body = object_at(element, "data")
    match native.partition(".")[0]:
        case "user":
            return _user_data(native, body, hours, whole(value_at(element, "meta", "notConnectedAfterHours")))
        case "user_hwid_devices":
            device = read_fields(DEVICE, object_at(body, "hwidUserDevice"))
            return present(user=_user(object_at(body, "user")), device=device)
        case "node":
            reason = text(body.get("lastStatusMessage")) if native == "node.connection_lost" else None
            return present(node=_node(body, warned=native == "node.traffic_notify"), reason=reason)
        case "crm":
            node = present(name=text(body.get("nodeName")), provider=text(body.get("providerName")))
            return present(node=node, billing=present(**read_fields(BILLING, body), hours=hours))
        case "torrent_blocker":
            user, node = object_at(body, "user"), object_at(body, "node")
            return present(user=_user(user), node=_node(node), abuse=_abuse(body))
        case "service":
            return _service(body)
        case "errors":
            return present(system=present(message=text(body.get("description"))))
        case _:
            return {}


def _user_data(native: str, body: JsonObject, hours: int | None, waited: int | None) -> JsonObject:
    user = _user(body) | present(not_connected_hours=waited)
    used, limit = user.get("used_bytes"), user.get("limit_bytes")
    data = present(user=user)
    if native == "user.bandwidth_usage_threshold_reached":
        percent = number(body.get("lastTriggeredThreshold")) or _percent(used, limit)
        data["usage"] = present(used_bytes=used, limit_bytes=limit, percent=percent)
    if hours is not None:
        days = hours // 24 if hours >= 0 else None
        data["expiry"] = present(at=user.get("expires_at"), hours=hours, days_left=days)
    return data


def _user(user: JsonObject) -> JsonObject:
    groups = [
        user.get(key) for key in ("activeInternalSquads", "activeUserInbounds") if isinstance(user.get(key), list)
    ]
    names = [text(value_at(one, "name")) or text(value_at(one, "tag")) for group in groups for one in group or ()]
    traffic = user | object_at(user, "userTraffic")
    return present(
        **read_fields(USER, user),
        **read_fields(TRAFFIC, traffic),
        id=whole(user.get("id")) or text(user.get("uuid")),
        groups=texts(names),
        last_node=text(traffic.get("lastConnectedNodeUuid")),
    )


def _percent(used: int | None, limit: int | None) -> float | None:
    return round(min(max(used, 0), limit) * 100 / limit, 1) if used is not None and limit else None


def _node(node: JsonObject, *, warned: bool = False) -> JsonObject:
    known = read_fields(NODE, node)
    percent = number(node.get("notifyPercent")) if warned else None
    return present(
        **known,
        **read_fields(SYSTEM, object_at(node, "system", "info") | object_at(node, "system", "stats")),
        core_uptime_seconds=whole(node.get("xrayUptime")) or None,
        id=whole(node.get("id")) or text(node.get("uuid")),
        percent=percent or _percent(known.get("used_bytes"), known.get("limit_bytes")),
        core_version=text(value_at(node, "versions", "xray")) or text(node.get("xrayVersion")),
        node_version=text(value_at(node, "versions", "node")) or text(node.get("nodeVersion")),
        provider=text(value_at(node, "provider", "name")),
    )


def _abuse(body: JsonObject) -> JsonObject:
    """What was seen and done about it; a node says how long it blocks even where it could not."""
    action = read_fields(ACTION, object_at(body, "report", "actionReport"))
    if action.get("blocked") is False:
        action = {key: value for key, value in action.items() if key not in ("block_seconds", "blocked_until")}
    return present(
        username=text(value_at(body, "user", "username")),
        node=text(value_at(body, "node", "name")),
        **read_fields(XRAY, object_at(body, "report", "xrayReport")),
        **action,
    )


def _service(body: JsonObject) -> JsonObject:
    token, page = object_at(body, "apiToken"), object_at(body, "subpageConfig")
    scopes = present(scopes=", ".join(texts(token.get("scopes"))))
    system = present(
        version=text(body.get("panelVersion")),
        component="subscription page" if page else None,
        message=text(page.get("action")),
    )
    security = read_fields(LOGIN, object_at(body, "loginAttempt"))
    return present(security=security, api_key=present(**read_fields(TOKEN, token), details=scopes), system=system)
