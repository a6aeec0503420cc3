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
         meta.expiration 0 is read as user.expiring: the time is up this hour, not over for a while
         when we speak it, passwords and links are ***, vlessUuid is the nil UUID, and ids follow from the name
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field

from bridge.errors import BadPayload, BadSignature
from bridge.event import Event, JsonObject, dump
from bridge.foreign import (
    FieldMap,
    moment,
    number,
    object_at,
    parse_json,
    present,
    read_fields,
    required_text,
    text,
    texts,
    utc,
    value_at,
    whole,
    write_fields,
)
from bridge.intake import Fingerprint
from bridge.message import Dialect, Emission
from bridge.panels.base import Hook, Panel, ParsedEvent, SourceConfig, json_elements, unknown_type
from bridge.settings import Duration

#: Native name → canonical type.
TYPES = {
    "user.created": "user.created",
    "user.modified": "user.updated",
    "user.deleted": "user.deleted",
    "user.revoked": "user.subscription_revoked",
    "user.disabled": "user.disabled",
    "user.enabled": "user.enabled",
    "user.limited": "user.limited",
    "user.expired": "user.expired",
    "user.traffic_reset": "user.usage_reset",
    "user.first_connected": "user.first_connected",
    "user.not_connected": "user.not_connected",
    "user.bandwidth_usage_threshold_reached": "user.usage_threshold",
    "user_hwid_devices.added": "device.added",
    "user_hwid_devices.deleted": "device.removed",
    "node.created": "node.created",
    "node.modified": "node.updated",
    "node.deleted": "node.deleted",
    "node.enabled": "node.enabled",
    "node.disabled": "node.disabled",
    "node.connection_lost": "node.connection_lost",
    "node.connection_restored": "node.connection_restored",
    "node.traffic_notify": "node.usage_threshold",
    "torrent_blocker.report": "security.abuse_reported",
    "service.login_attempt_failed": "security.login_failed",
    "service.login_attempt_success": "security.login_succeeded",
    "service.panel_started": "system.started",
    "service.subpage_config_changed": "system.config_changed",
    "service.api_token_created": "api_key.created",
    "service.api_token_deleted": "api_key.deleted",
}

#: Seconds in which the panel tries again: 3 times, 5 s apart, later where its queue is long.
RETRIES_WITHIN = 3600.0

BILL = "crm.infra_billing_node_payment_"

#: Names that carry a number, or say what went wrong, and what they mean most of the time; `_type` reads them.
NUMBERED = {
    "user.expiration": "user.expiring",
    "user.expires_in_*_hours": "user.expiring",
    "user.expired_*_hours_ago": "user.expired_reminder",
    f"{BILL}in_*": "node.payment_due",
    f"{BILL}due_today": "node.payment_due",
    f"{BILL}overdue_*": "node.payment_overdue",
    "errors.*": "system.error",
}

_EXPIRY = re.compile(r"user\.(expires_in|expired)_([0-9]{1,5})_hours(?:_ago)?")
_DUE = re.compile(re.escape(BILL) + r"(in|overdue)_([0-9]{1,5})_?(hrs|hours|days)")

#: Where each family of events names what it is about, and whether it is nothing without that.
SUBJECTS: dict[str, tuple[bool, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "user": (True, (("user", ("data", "username")),)),
    "user_hwid_devices": (True, (("user", ("data", "user", "username")),)),
    "node": (True, (("node", ("data", "name")),)),
    "crm": (True, (("node", ("data", "nodeName")),)),
    "torrent_blocker": (False, (("user", ("data", "user", "username")), ("node", ("data", "node", "name")))),
    "service": (
        False,
        (
            ("admin", ("data", "loginAttempt", "username")),
            ("api_key", ("data", "apiToken", "name")),
            ("config", ("data", "subpageConfig", "uuid")),
        ),
    ),
}


def _lower(value: Any) -> str | None:
    return value.lower() if text(value) else None


def _limit(value: Any) -> int | None:
    return whole(value) or None


def _told(value: Any) -> str | None:
    """The text, unless it is masked or the dash that stands for none."""
    return None if value in ("***", "–") else text(value)


USER: FieldMap = {
    "username": ("username", text),
    "email": ("email", text),
    "status": ("status", _lower),
    "description": ("note", text),
    "trafficLimitBytes": ("limit_bytes", _limit),
    "trafficLimitStrategy": ("reset_strategy", _lower),
    "expireAt": ("expires_at", utc),
    "createdAt": ("created_at", utc),
    "hwidDeviceLimit": ("device_limit", _limit),
    "tag": ("tag", text),
    "telegramId": ("telegram_id", whole),
}
TRAFFIC: FieldMap = {
    "usedTrafficBytes": ("used_bytes", whole),
    "lifetimeUsedTrafficBytes": ("lifetime_used_bytes", whole),
    "onlineAt": ("online_at", utc),
}
NODE: FieldMap = {
    "name": ("name", text),
    "address": ("address", text),
    "port": ("port", whole),
    "countryCode": ("country", text),
    "trafficUsedBytes": ("used_bytes", whole),
    "trafficLimitBytes": ("limit_bytes", _limit),
    "usersOnline": ("users_online", whole),
    "tags": ("tags", texts),
}
DEVICE: FieldMap = {
    "hwid": ("id", _told),
    "platform": ("os", text),
    "osVersion": ("os_version", text),
    "deviceModel": ("model", text),
    "userAgent": ("user_agent", text),
}
LOGIN: FieldMap = {
    "username": ("username", text),
    "ip": ("ip", text),
    "userAgent": ("user_agent", text),
    "description": ("description", _told),
}
TOKEN: FieldMap = {"name": ("name", text), "uuid": ("id", text), "expireAt": ("expires_at", utc)}
BILLING: FieldMap = {
    "providerName": ("provider", text),
    "nextBillingAt": ("due_at", utc),
    "loginUrl": ("login_url", text),
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
        "**.apiToken.token",
    )
    paste: ClassVar[tuple[str, ...]] = ("WEBHOOK_ENABLED=true", "WEBHOOK_URL={url}", "WEBHOOK_SECRET_HEADER={secret}")

    def verify(self, hook: Hook) -> None:
        keys = [secret.get_secret_value().encode() for secret in self.config.secret]
        given = (hook.header("X-Remnawave-Signature") or b"").lower()
        matches = [hmac.compare_digest(given, _signature(key, hook.body)) for key in keys]
        if keys and not any(matches):
            raise BadSignature("wrong signature" if given else "no X-Remnawave-Signature header")
        if keys and self.config.max_age:
            self._refuse_stale(hook)

    def elements(self, hook: Hook) -> Sequence[Any]:
        return json_elements(hook.body)

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        one_event = hook.body.lstrip()[:1] == b"{"  # in an array two events could share a body
        dated = isinstance(element, dict) and moment(element.get("timestamp")) is not None
        return (
            Fingerprint(hashlib.sha256(hook.body).hexdigest(), within=RETRIES_WITHIN) if one_event and dated else None
        )

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        native = required_text(element, "event")
        hours = _hours_left(native, element)
        type_ = _type(native, hours)
        return ParsedEvent(
            type=type_,
            native_type=native,
            subject=_subject(native, element, known=not type_.startswith("remnawave.")),
            data=_data(native, element, hours),
            occurred_at=moment(element.get("timestamp")),
        )

    def _refuse_stale(self, hook: Hook) -> None:
        stamp = _timestamp(hook.body)
        if stamp and abs((hook.received_at - stamp).total_seconds()) > self.config.max_age:
            raise BadSignature(f"the body's timestamp is further from now than max_age ({self.config.max_age:g} s)")


def _signature(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).hexdigest().encode()


def _timestamp(body: bytes) -> datetime | None:
    try:
        return moment(value_at(parse_json(body), "timestamp"))
    except BadPayload:
        return None  # `read` says what is wrong with it


def _hours_left(native: str, element: JsonObject) -> int | None:
    """Hours until the expiry or the day of payment that the event speaks of; negative once it is past."""
    if native == "user.expiration":
        hours = whole(value_at(element, "meta", "expiration"))
        return None if hours is None else -hours
    if expiry := _EXPIRY.fullmatch(native):
        return int(expiry[2]) * (1 if expiry[1] == "expires_in" else -1)
    if due := _DUE.fullmatch(native):
        return int(due[2]) * (24 if due[3] == "days" else 1) * (1 if due[1] == "in" else -1)
    return 0 if native == BILL + "due_today" else None


def _type(native: str, hours: int | None) -> str:
    if native in TYPES:
        return TYPES[native]
    if native.startswith("errors."):
        return "system.error"
    if hours is None:
        return unknown_type("remnawave", native)
    if native.startswith(BILL):
        return "node.payment_due" if hours >= 0 else "node.payment_overdue"
    return "user.expiring" if hours >= 0 else "user.expired_reminder"


def _subject(native: str, element: JsonObject, *, known: bool) -> str | None:
    needed, places = SUBJECTS.get(native.partition(".")[0], (False, ()))
    for kind, path in places:
        name = required_text(element, *path) if needed and known else text(value_at(element, *path))
        if name:
            return f"{kind}:{name}"
    return None


def _data(native: str, element: JsonObject, hours: int | None) -> JsonObject:
    body = object_at(element, "data")
    match native.partition(".")[0]:
        case "user":
            return _user_data(native, body, hours, whole(value_at(element, "meta", "notConnectedAfterHours")))
        case "user_hwid_devices":
            return present(
                user=_user(object_at(body, "user")), device=read_fields(DEVICE, object_at(body, "hwidUserDevice"))
            )
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
    user = _user(body)
    used, limit = user.get("used_bytes"), user.get("limit_bytes")
    data = present(user=user, reason=None if waited is None else f"notConnectedAfterHours: {waited}")
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
    return present(
        **read_fields(USER, user),
        **read_fields(TRAFFIC, user | object_at(user, "userTraffic")),
        id=whole(user.get("id")) or text(user.get("uuid")),
        groups=texts(names),
    )


def _percent(used: int | None, limit: int | None) -> float | None:
    return round(min(used / limit, 1) * 100, 1) if used is not None and limit else None


def _node(node: JsonObject, *, warned: bool = False) -> JsonObject:
    known = read_fields(NODE, node)
    percent = number(node.get("notifyPercent")) if warned else None
    return present(
        **known,
        id=whole(node.get("id")) or text(node.get("uuid")),
        percent=percent or _percent(known.get("used_bytes"), known.get("limit_bytes")),
        core_version=text(value_at(node, "versions", "xray")) or text(node.get("xrayVersion")),
        node_version=text(value_at(node, "versions", "node")) or text(node.get("nodeVersion")),
        provider=text(value_at(node, "provider", "name")),
    )


def _abuse(body: JsonObject) -> JsonObject:
    return present(
        username=text(value_at(body, "user", "username")),
        node=text(value_at(body, "node", "name")),
        description=text(value_at(body, "report", "xrayReport", "protocol")),
        ip=text(value_at(body, "report", "actionReport", "ip")),
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


def emit(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """The event as Remnawave 2.x says it; one that came from a Remnawave goes on as it came."""
    envelope = event.native if event.panel == "remnawave" and _is_envelope(event.native) else _envelope(event)
    body = dump(envelope)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Remnawave",
        "X-Remnawave-Timestamp": _millis(moment(envelope["timestamp"]) or event.occurred_at),
    }
    if secret:
        headers["X-Remnawave-Signature"] = _signature(secret.encode(), body).decode()
    return Emission(headers, body)


def _is_envelope(native: Any) -> bool:
    return bool(text(value_at(native, "event")) and text(value_at(native, "timestamp")))


def _millis(stamp: datetime) -> str:
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _envelope(event: Event) -> JsonObject:
    native, stamp = _name_of(event), _millis(event.occurred_at)
    scope = native.partition(".")[0]
    envelope = {"scope": scope, "event": native, "timestamp": stamp, "data": _body(event, scope)}
    meta = {"expiration": -_spoken_hours(event)} if native == "user.expiration" else None
    return {**envelope, "meta": meta} if scope == "user" else envelope


def _name_of(event: Event) -> str:
    """Remnawave's name for the event; where it has none, the canonical one, which reads like one of its own."""
    match event.type:
        case "user.expiring" | "user.expired_reminder":
            return "user.expiration"
        case "node.payment_due":
            steps = {0: "due_today", 24: "in_24hrs", 48: "in_48hrs", 168: "in_7_days"}
        case "node.payment_overdue":
            steps = {-24: "overdue_24hrs", -48: "overdue_48hrs", -168: "overdue_7_days"}
        case "system.error":
            return "errors.system_error"
        case type_:
            return next((native for native, canonical in TYPES.items() if canonical == type_), type_)
    hours = _spoken_hours(event)
    return BILL + steps[min(steps, key=lambda step: abs(step - hours))]


def _spoken_hours(event: Event) -> int:
    """Hours until the expiry or the day of payment, negative once it is past; a day where nothing says more."""
    about = object_at(event.data, "billing" if event.type.startswith("node.") else "expiry")
    days, known = whole(about.get("days_left")), whole(about.get("hours"))
    hours = abs(known if known is not None else 24 if days is None else days * 24)
    return -max(hours, 1) if event.type in ("user.expired_reminder", "node.payment_overdue") else hours


def _body(event: Event, scope: str) -> JsonObject:
    data, subject = event.data, (event.subject or "").partition(":")[2]
    match scope:
        case "user":
            return _spoken_user(event)
        case "user_hwid_devices":
            return {"user": _spoken_user(event), "hwidUserDevice": _spoken_device(event)}
        case "node":
            return _spoken_node(event)
        case "crm":
            said = {"nextBillingAt": _millis(event.occurred_at), "nodeName": value_at(data, "node", "name") or subject}
            return dict.fromkeys(BILLING, "") | said | _known(BILLING, object_at(data, "billing"))
        case "torrent_blocker":
            return {"node": _spoken_node(event), "user": _spoken_user(event), "report": _spoken_report(event)}
        case "service" if event.type.startswith("security."):
            said = {"username": subject} | _known(LOGIN, object_at(data, "security"))
            return {"loginAttempt": dict.fromkeys(LOGIN, "") | said}
        case "service" if event.type.startswith("api_key."):
            return {"apiToken": {"name": subject} | _known(TOKEN, object_at(data, "api_key"))}
        case "service" if event.type == "system.config_changed":
            return {"subpageConfig": {"action": "UPDATED", "uuid": subject or str(UUID(int=0))}}
        case "service":
            return {"panelVersion": value_at(data, "system", "version") or ""}
        case "errors":
            return {"description": value_at(data, "system", "message") or ""}
        case _:
            return dict(data)


def _known(words: FieldMap, known: JsonObject) -> JsonObject:
    return present(**write_fields(words, known))


def _uuid(kind: str, name: str) -> UUID:
    """The same for the same name, always: programs key on it."""
    return uuid5(NAMESPACE_URL, f"{kind}:{name}")


def _spoken_user(event: Event) -> JsonObject:
    user, tail, now = object_at(event.data, "user"), event.type.partition(".")[2], _millis(event.occurred_at)
    name = text(user.get("username")) or (event.subject or "").partition(":")[2]
    uuid, used = _uuid("user", name), user.get("used_bytes", 0)
    traffic = {
        "usedTrafficBytes": used,
        "lifetimeUsedTrafficBytes": used,
        "onlineAt": None,
        "lastConnectedNodeUuid": None,
    }
    statuses = [
        one for one in (str(user.get("status")).upper(), tail.upper()) if one in ("DISABLED", "LIMITED", "EXPIRED")
    ]
    strategy = str(user.get("reset_strategy")).upper()
    return {
        **write_fields(USER, user),
        **dict.fromkeys(("trojanPassword", "ssPassword", "subscriptionUrl"), "***"),
        **dict.fromkeys(("externalSquadUuid", "subLastUserAgent", "subLastOpenedAt")),
        "uuid": str(uuid),
        "id": whole(user.get("id")) or uuid.int >> 80,
        "shortUuid": uuid.hex[:16],
        "vlessUuid": str(UUID(int=0)),
        "username": name,
        "status": statuses[0] if statuses else "ACTIVE",
        "trafficLimitBytes": user.get("limit_bytes", 0),
        "trafficLimitStrategy": strategy if strategy in ("DAY", "WEEK", "MONTH") else "NO_RESET",
        "expireAt": user.get("expires_at", "2099-01-01T00:00:00.000Z"),
        "createdAt": user.get("created_at", now),
        "updatedAt": now,
        "lastTriggeredThreshold": int(number(value_at(event.data, "usage", "percent")) or 0),
        "subRevokedAt": now if tail == "subscription_revoked" else None,
        "lastTrafficResetAt": now if tail == "usage_reset" else None,
        "activeInternalSquads": [{"uuid": str(_uuid("group", one)), "name": one} for one in texts(user.get("groups"))],
        "userTraffic": {
            **traffic,
            **_known(TRAFFIC, user),
            "firstConnectedAt": now if tail == "first_connected" else None,
        },
    }


def _spoken_device(event: Event) -> JsonObject:
    device, now = object_at(event.data, "device"), _millis(event.occurred_at)
    name = text(value_at(event.data, "user", "username")) or (event.subject or "").partition(":")[2]
    hwid, model = str(device.get("id", "***")), device.get("model") or device.get("name")
    stamps = {"userUuid": str(_uuid("user", name)), "createdAt": now, "updatedAt": now}
    return {**write_fields(DEVICE, device), **stamps, "hwid": hwid, "deviceModel": model}


def _spoken_node(event: Event) -> JsonObject:
    node, now = object_at(event.data, "node"), _millis(event.occurred_at)
    name = text(node.get("name")) or (event.subject or "").partition(":")[2]
    unset = ("trafficResetDay", "providerUuid", "provider", "activePluginUuid", "system")
    return {
        **dict.fromkeys(unset),
        **dict.fromkeys(("trafficLimitBytes", "trafficUsedBytes", "usersOnline", "xrayUptime"), 0),
        "port": None,
        "tags": [],
        "address": "",
        "countryCode": "XX",
        **_known(NODE, node),
        "uuid": str(_uuid("node", name)),
        "name": name,
        "isConnected": event.type not in ("node.connection_lost", "node.disabled"),
        "isConnecting": False,
        "isDisabled": event.type == "node.disabled",
        "isTrafficTrackingActive": "limit_bytes" in node,
        "lastStatusChange": now,
        "lastStatusMessage": event.data.get("reason"),
        "notifyPercent": whole(number(node.get("percent"))),
        "consumptionMultiplier": 1,
        "viewPosition": 1,
        "createdAt": now,
        "updatedAt": now,
        "configProfile": {"activeConfigProfileUuid": None, "activeInbounds": []},
        "versions": {"xray": node.get("core_version", ""), "node": node.get("node_version", "")},
    }


def _spoken_report(event: Event) -> JsonObject:
    abuse, now = object_at(event.data, "abuse"), _millis(event.occurred_at)
    action = {"blocked": True, "ip": abuse.get("ip", ""), "blockDuration": 0, "willUnblockAt": now, "processedAt": now}
    return {"actionReport": action, "xrayReport": {"protocol": abuse.get("description", "")}}
