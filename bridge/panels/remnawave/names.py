"""What Remnawave calls its events, and what that means."""

import re

from bridge.event import JsonObject
from bridge.foreign import value_at, whole
from bridge.panels.base import unknown_type

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

BILL = "crm.infra_billing_node_payment_"

#: Names that carry a number, or say what went wrong, and what they mean most of the time; `canonical_type` reads them.
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


def hours_left(native: str, element: JsonObject) -> int | None:
    """Hours until the expiry or the day of payment that the event speaks of; negative once it is past."""
    if native == "user.expiration":
        hours = whole(value_at(element, "meta", "expiration"))
        return None if hours is None else -hours
    if expiry := _EXPIRY.fullmatch(native):
        return int(expiry[2]) * (1 if expiry[1] == "expires_in" else -1)
    if due := _DUE.fullmatch(native):
        return int(due[2]) * (24 if due[3] == "days" else 1) * (1 if due[1] == "in" else -1)
    return 0 if native == BILL + "due_today" else None


def canonical_type(native: str, hours: int | None) -> str:
    if native in TYPES:
        return TYPES[native]
    if native.startswith("errors."):
        return "system.error"
    if hours is None:
        return unknown_type("remnawave", native)
    if native.startswith(BILL):
        return "node.payment_due" if hours >= 0 else "node.payment_overdue"
    return "user.expiring" if hours >= 0 else "user.expired_reminder"
