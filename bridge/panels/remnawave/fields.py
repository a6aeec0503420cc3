"""What Remnawave's objects hold, and what we call it."""

from typing import Any

from bridge.event import JsonObject
from bridge.foreign import FieldMap, number, present, text, texts, truth, utc, value_at, whole


def _lower(value: Any) -> str | None:
    return value.lower() if text(value) else None


def _limit(value: Any) -> int | None:
    return whole(value) or None


def _numbers(value: Any) -> list[int | float]:
    return [one for one in value if number(one) is not None] if isinstance(value, list) else []


def _month_day(value: Any) -> int | None:
    found = whole(value)
    return found if found is not None and 1 <= found <= 31 else None


def _ips(value: Any) -> list[JsonObject]:
    """The addresses of a node, each with what it is there for: `inbound`, `blocked` …"""
    found = [one for one in value if text(value_at(one, "ip"))] if isinstance(value, list) else []
    return [present(ip=one["ip"], status=_lower(one.get("status"))) for one in found]


def _unmasked(value: Any) -> str | None:
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
    "firstConnectedAt": ("first_connected_at", utc),
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
    "trafficResetDay": ("traffic_reset_day", _month_day),
    "consumptionMultiplier": ("multiplier", number),
    "nodeConsumptionMultiplier": ("node_multiplier", number),
    "lastStatusChange": ("status_changed_at", utc),
    "ips": ("ips", _ips),
}
#: What a node's `system` says in `info` and `stats`, together.
SYSTEM: FieldMap = {
    "cpus": ("cpus", whole),
    "memoryTotal": ("memory_bytes", whole),
    "memoryUsed": ("memory_used_bytes", whole),
    "uptime": ("uptime_seconds", whole),
    "loadAvg": ("load", _numbers),
}
#: What became of who was reported, and what the report is about.
ACTION: FieldMap = {
    "ip": ("ip", text),
    "blocked": ("blocked", truth),
    "blockDuration": ("block_seconds", _limit),
    "willUnblockAt": ("blocked_until", utc),
}
XRAY: FieldMap = {
    "protocol": ("description", text),
    "destination": ("destination", text),
    "inboundTag": ("inbound", text),
}
DEVICE: FieldMap = {
    "hwid": ("id", _unmasked),
    "platform": ("os", text),
    "osVersion": ("os_version", text),
    "deviceModel": ("model", text),
    "userAgent": ("user_agent", text),
}
LOGIN: FieldMap = {
    "username": ("username", text),
    "ip": ("ip", _unmasked),
    "userAgent": ("user_agent", _unmasked),
    "description": ("description", _unmasked),
}
TOKEN: FieldMap = {"name": ("name", text), "uuid": ("id", text), "expireAt": ("expires_at", utc)}
BILLING: FieldMap = {
    "providerName": ("provider", text),
    "nextBillingAt": ("due_at", utc),
    "loginUrl": ("login_url", text),
}
