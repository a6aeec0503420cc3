"""To speak like Remnawave 2.x. Passwords and links are left out, vlessUuid is nil, and ids follow from the name."""

import hashlib
import hmac
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from bridge.codec import dump
from bridge.event import Event, JsonObject
from bridge.foreign import moment, number, object_at, text, texts, value_at, whole, write_all_fields, write_fields
from bridge.message import Emission
from bridge.panels.base import subject_name, without_masked_keys
from bridge.panels.remnawave.fields import ACTION, BILLING, DEVICE, LOGIN, NODE, SYSTEM, TOKEN, TRAFFIC, USER, XRAY
from bridge.panels.remnawave.names import BILL, TYPES


def emit(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """The event as Remnawave 2.x says it; one that came from a Remnawave goes on as it came."""
    envelope = event.native if event.panel == "remnawave" and _is_envelope(event.native) else _envelope(event)
    kept, left_out = without_masked_keys(envelope)
    body = dump(kept)
    headers = left_out | {
        "Content-Type": "application/json",
        "User-Agent": "Remnawave",
        "X-Remnawave-Timestamp": _iso_millis(moment(envelope["timestamp"]) or event.occurred_at),
    }
    if secret:
        headers["X-Remnawave-Signature"] = signature(secret.encode(), body).decode()
    return Emission(headers, body)


def _is_envelope(native: Any) -> bool:
    return bool(text(value_at(native, "event")) and text(value_at(native, "timestamp")))


def _iso_millis(stamp: datetime) -> str:
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _envelope(event: Event) -> JsonObject:
    native, stamp = _native_name(event), _iso_millis(event.occurred_at)
    scope = native.partition(".")[0]
    envelope = {"scope": scope, "event": native, "timestamp": stamp, "data": _body(event, scope)}
    return {**envelope, "meta": _meta(event, native)} if scope == "user" else envelope


def _meta(event: Event, native: str) -> JsonObject | None:
    match native:
        case "user.expiration":
            return {"expiration": -_hours(event)}
        case "user.not_connected":
            waited = whole(object_at(event.data, "user").get("not_connected_hours"))
            return None if waited is None else {"notConnectedAfterHours": waited}
    return None


def _native_name(event: Event) -> str:
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
    hours = _hours(event)
    return BILL + steps[min(steps, key=lambda step: abs(step - hours))]


def _hours(event: Event) -> int:
    """Hours until the expiry or the day of payment, negative once it is past; a day where nothing says more."""
    about = object_at(event.data, "billing" if event.type.startswith("node.") else "expiry")
    days, known = whole(about.get("days_left")), whole(about.get("hours"))
    hours = abs(known if known is not None else 24 if days is None else days * 24)
    return -max(hours, 1) if event.type in ("user.expired_reminder", "node.payment_overdue") else hours


def _body(event: Event, scope: str) -> JsonObject:
    data, subject = event.data, subject_name(event)
    match scope:
        case "user":
            return _user_object(event)
        case "user_hwid_devices":
            return {"user": _user_object(event), "hwidUserDevice": _device_object(event)}
        case "node":
            return _node_object(event)
        case "crm":
            node = value_at(data, "node", "name") or subject
            bill = {"nextBillingAt": _iso_millis(event.occurred_at), "nodeName": node}
            return dict.fromkeys(BILLING, "") | bill | write_fields(BILLING, object_at(data, "billing"))
        case "torrent_blocker":
            return {"node": _node_object(event), "user": _user_object(event), "report": _report_object(event)}
        case "service" if event.type.startswith("security."):
            login = {"username": subject} | write_fields(LOGIN, object_at(data, "security"))
            return {"loginAttempt": dict.fromkeys(LOGIN, "") | login}
        case "service" if event.type.startswith("api_key."):
            return {"apiToken": {"name": subject} | write_fields(TOKEN, object_at(data, "api_key"))}
        case "service" if event.type == "system.config_changed":
            return {"subpageConfig": {"action": "UPDATED", "uuid": subject or str(UUID(int=0))}}
        case "service":
            return {"panelVersion": value_at(data, "system", "version") or ""}
        case "errors":
            return {"description": value_at(data, "system", "message") or ""}
        case _:
            return dict(data)


def _uuid(kind: str, name: str) -> UUID:
    """The same for the same name, always: programs key on it."""
    return uuid5(NAMESPACE_URL, f"{kind}:{name}")


def _user_object(event: Event) -> JsonObject:
    user, tail, now = object_at(event.data, "user"), event.type.partition(".")[2], _iso_millis(event.occurred_at)
    name = text(user.get("username")) or subject_name(event)
    uuid, used = _uuid("user", name), user.get("used_bytes", 0)
    traffic = {
        "usedTrafficBytes": used,
        "lifetimeUsedTrafficBytes": used,
        "onlineAt": None,
        "lastConnectedNodeUuid": None,
        "firstConnectedAt": now if tail == "first_connected" else None,
    }
    statuses = [
        one for one in (str(user.get("status")).upper(), tail.upper()) if one in ("DISABLED", "LIMITED", "EXPIRED")
    ]
    strategy = str(user.get("reset_strategy")).upper()
    return {
        **write_all_fields(USER, user),
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
        "userTraffic": {**traffic, **write_fields(TRAFFIC, user)},
    }


def _device_object(event: Event) -> JsonObject:
    device, now = object_at(event.data, "device"), _iso_millis(event.occurred_at)
    name = text(value_at(event.data, "user", "username")) or subject_name(event)
    hwid, model = str(device.get("id", "***")), device.get("model") or device.get("name")
    stamps = {"userUuid": str(_uuid("user", name)), "createdAt": now, "updatedAt": now}
    return {**write_all_fields(DEVICE, device), **stamps, "hwid": hwid, "deviceModel": model}


def _node_object(event: Event) -> JsonObject:
    node, now = object_at(event.data, "node"), _iso_millis(event.occurred_at)
    name = text(node.get("name")) or subject_name(event)
    unset = ("trafficResetDay", "providerUuid", "provider", "activePluginUuid", "port")
    return {
        **dict.fromkeys(unset),
        **dict.fromkeys(("trafficLimitBytes", "trafficUsedBytes", "usersOnline"), 0),
        "tags": [],
        "address": "",
        "countryCode": "XX",
        "consumptionMultiplier": 1,
        "lastStatusChange": now,
        **write_fields(NODE, node),
        "ips": _ips(node),
        "system": _system(node),
        "xrayUptime": node.get("core_uptime_seconds", 0),
        "uuid": str(_uuid("node", name)),
        "name": name,
        "isConnected": event.type not in ("node.connection_lost", "node.disabled"),
        "isConnecting": False,
        "isDisabled": event.type == "node.disabled",
        "isTrafficTrackingActive": "limit_bytes" in node,
        "lastStatusMessage": event.data.get("reason"),
        "notifyPercent": whole(number(node.get("percent"))),
        "viewPosition": 1,
        "createdAt": now,
        "updatedAt": now,
        "configProfile": {"activeConfigProfileUuid": None, "activeInbounds": []},
        "versions": {"xray": node.get("core_version", ""), "node": node.get("node_version", "")},
    }


def _ips(node: JsonObject) -> list[JsonObject]:
    known = node.get("ips")
    found = [one for one in known if text(value_at(one, "ip"))] if isinstance(known, list) else []
    return [{"ip": one["ip"], "status": (text(one.get("status")) or "unknown").upper()} for one in found]


def _system(node: JsonObject) -> JsonObject | None:
    """What is known of the machine, where Remnawave puts it; None where nothing is."""
    known = write_fields(SYSTEM, node)
    info = {key: value for key, value in known.items() if key in ("cpus", "memoryTotal")}
    stats = {key: value for key, value in known.items() if key not in info}
    return {"info": info, "stats": stats} if known else None


def _report_object(event: Event) -> JsonObject:
    abuse, now = object_at(event.data, "abuse"), _iso_millis(event.occurred_at)
    action = {"blocked": True, "ip": "", "blockDuration": 0, "willUnblockAt": now, "processedAt": now}
    return {
        "actionReport": action | write_fields(ACTION, abuse),
        "xrayReport": {"protocol": ""} | write_fields(XRAY, abuse),
    }


def signature(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).hexdigest().encode()
