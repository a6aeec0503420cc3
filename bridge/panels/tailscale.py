"""Tailscale: who and what joined a tailnet, and left it.

Source   github.com/tailscale/tailscale @ de9ec7e: docs/webhooks/example.go; for the names
         github.com/tailscale/tailscale-client-go-v2 @ 4f50555: webhooks.go, and tailscale.com/kb/1213/webhooks#events
         (constructed from these, none was recorded)
Secret   of the webhook endpoint, tskey-webhook-…
Sends    POST [{timestamp, version, type, tailnet, message, data: {nodeID, deviceName, managedBy, actor, user, url,
         expiration, oldRoles, newRoles}}]; what is refused comes again, and holds up what comes later
Signs    Tailscale-Webhook-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">, perhaps several v1
Units    timestamp in ISO 8601 with zone
Limits   ports 80 and 443 only
Quirks   data is null in a test; it has the whole policy file, the old one and the new, where that changes
         nothing tells a repeat
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload, BadSignature
from bridge.event import JsonObject
from bridge.foreign import moment, name_of, object_at, present, text, texts, utc
from bridge.panels.base import UNNAMED, Hook, Panel, ParsedEvent, SourceConfig, unknown_type
from bridge.settings import Duration

OURS = {
    "nodeCreated": "node.created",
    "nodeDeleted": "node.deleted",
    "userCreated": "user.created",
    "userDeleted": "user.deleted",
    "userSuspended": "user.disabled",
    "userRestored": "user.enabled",
}
THEIRS = (
    "nodeNeedsApproval",
    "nodeApproved",
    "nodeKeyExpiringInOneDay",
    "nodeKeyExpired",
    "nodeNeedsSignature",
    "nodeSigned",
    "userNeedsApproval",
    "userApproved",
    "userRoleUpdated",
    "policyUpdate",
    "subnetIPForwardingNotEnabled",
    "exitNodeIPForwardingNotEnabled",
    "webhookUpdated",
    "webhookDeleted",
    "test",
)
TYPES = OURS | {native: unknown_type("tailscale", native) for native in THEIRS}

SIGNATURE = "Tailscale-Webhook-Signature"


class TailscaleConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES

    panel: Literal["tailscale"] = Field(description="Tailscale")
    tolerance: Duration = Field(300.0, gt=0, description="how far the signed time may be from now")

    def open(self) -> "TailscalePanel":
        return TailscalePanel(self)


class TailscalePanel(Panel[TailscaleConfig]):
    masks: ClassVar[tuple[str, ...]] = ("data.oldPolicy", "data.newPolicy")
    paste: ClassVar[tuple[str, ...]] = ("POST {url}", "its secret goes into your file: {secret}")

    def verify_head(self, hook: Hook) -> bool:
        if not self._secrets:
            return True
        stamp, signatures = _signed(hook)
        if not signatures:
            raise BadSignature(f"no signature in {SIGNATURE}")
        if not re.fullmatch(b"[0-9]{1,11}", stamp):
            raise BadSignature("the signature has no time")
        if abs(hook.received_at.timestamp() - int(stamp)) > self.config.tolerance:
            raise BadSignature(f"the signature's time is more than {self.config.tolerance:g} s away from now")
        return False

    def verify_body(self, hook: Hook) -> None:
        stamp, signatures = _signed(hook)
        matches = []
        for secret in self._secrets:
            made = hmac.new(secret, stamp + b".", hashlib.sha256)
            made.update(hook.body)
            matches += [hmac.compare_digest(made.hexdigest().encode(), one) for one in signatures]
        if not any(matches):
            raise BadSignature("wrong signature")

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        native, data = text(element.get("type")) or UNNAMED, object_at(element, "data")
        node, user, tailnet = name_of(data.get("deviceName")), name_of(data.get("user")), text(element.get("tailnet"))
        about = f"node:{node}" if node else f"user:{user}" if user else None
        if native == "policyUpdate" and tailnet:
            about = f"tailnet:{tailnet}"
        return ParsedEvent(
            type=TYPES.get(native) or unknown_type("tailscale", native),
            native_type=native,
            subject=about,
            data=_data(native, element, data),
            occurred_at=moment(element.get("timestamp")),
        )


def _signed(hook: Hook) -> tuple[bytes, list[bytes]]:
    """The signed time, and the signatures of the version that is believed; of the other parts none is."""
    parts = [part.strip().partition(b"=") for part in (hook.header(SIGNATURE) or b"").split(b",")]
    stamp = next((value for name, _, value in parts if name == b"t"), b"")
    return stamp, [value for name, _, value in parts if name == b"v1" and value]


def _data(native: str, element: JsonObject, data: JsonObject) -> JsonObject:
    """Its message too, where no word of ours says it."""
    message = None if native in OURS else text(element.get("message"))
    return present(
        node=present(name=name_of(data.get("deviceName")), id=name_of(data.get("nodeID"))),
        user=present(username=name_of(data.get("user")), groups=texts(data.get("newRoles"))),
        owner=text(data.get("managedBy")),
        actor=text(data.get("actor")),
        expiry=present(at=utc(data.get("expiration"))),
        system=present(message=message),
    )
