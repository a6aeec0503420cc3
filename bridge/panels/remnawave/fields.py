"""What Remnawave's objects hold, and what we call it."""

from typing import Any

from bridge.foreign import FieldMap, text, texts, utc, whole


def _lower(value: Any) -> str | None:
    return value.lower() if text(value) else None


def _limit(value: Any) -> int | None:
    return whole(value) or None


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
    "hwid": ("id", _unmasked),
    "platform": ("os", text),
    "osVersion": ("os_version", text),
    "deviceModel": ("model", text),
    "userAgent": ("user_agent", text),
}
LOGIN: FieldMap = {
    "username": ("username", text),
    "ip": ("ip", text),
    "userAgent": ("user_agent", text),
    "description": ("description", _unmasked),
}
TOKEN: FieldMap = {"name": ("name", text), "uuid": ("id", text), "expireAt": ("expires_at", utc)}
BILLING: FieldMap = {
    "providerName": ("provider", text),
    "nextBillingAt": ("due_at", utc),
    "loginUrl": ("login_url", text),
}
