"""The canonical event types: one vocabulary over all panels.

Source   docs/events.md says which native type of which panel becomes which of these.
"""

#: Every canonical type, and what it says in one line.
TYPES: dict[str, str] = {
    "user.created": "a user was created",
    "user.updated": "a user was changed",
    "user.deleted": "a user was deleted",
    "user.enabled": "a user may connect again",
    "user.disabled": "a user may not connect until enabled",
    "user.on_hold": "a user waits for the first connection before the plan starts",
    "user.limited": "a user has used up the traffic",
    "user.expired": "a user's time is over",
    "user.expiring": "a user's time is over soon",
    "user.expired_reminder": "a user's time has been over for a while",
    "user.usage_threshold": "a user has used a good part of the traffic",
    "user.usage_abnormal": "a user's traffic is unusual",
    "user.usage_reset": "a user's traffic counter was reset",
    "user.plan_advanced": "a user's next plan has begun",
    "user.subscription_revoked": "a user's subscription link was replaced",
    "user.first_connected": "a user has connected for the first time",
    "user.not_connected": "a user has not connected for a while",
    "user.login": "a user logged in",
    "user.logout": "a user logged out",
    "user.action": "a user did something",
    "user.password_changed": "a user changed the password",
    "user.email_verified": "a user verified the e-mail address",
    "subscription.created": "a subscription was bought",
    "subscription.renewed": "a subscription was renewed",
    "subscription.cancelled": "a subscription was cancelled",
    "subscription.expired": "a subscription has expired",
    "subscription.trial_started": "a trial has begun",
    "subscription.trial_ended": "a trial is over",
    "subscription.upgraded": "a subscription was upgraded",
    "subscription.downgraded": "a subscription was downgraded",
    "payment.received": "a payment was received",
    "payment.failed": "a payment failed",
    "payment.refunded": "a payment was refunded",
    "payment.pending": "a payment is pending",
    "reseller.created": "a reseller was created",
    "reseller.updated": "a reseller was changed",
    "reseller.deleted": "a reseller was deleted",
    "reseller.credit_added": "a reseller's credit was raised",
    "reseller.credit_deducted": "a reseller's credit was lowered",
    "device.added": "a device was added",
    "device.removed": "a device was removed",
    "device.connected": "a device connected",
    "device.disconnected": "a device disconnected",
    "device.limit_reached": "a user has as many devices as allowed",
    "peer.created": "a peer was created",
    "peer.updated": "a peer was changed",
    "peer.deleted": "a peer was deleted",
    "peer.connected": "a peer connected",
    "peer.disconnected": "a peer disconnected",
    "interface.created": "an interface was created",
    "interface.updated": "an interface was changed",
    "interface.deleted": "an interface was deleted",
    "node.created": "a node was created",
    "node.updated": "a node was changed",
    "node.deleted": "a node was deleted",
    "node.enabled": "a node was enabled",
    "node.disabled": "a node was disabled",
    "node.connection_lost": "a node cannot be reached",
    "node.connection_restored": "a node can be reached again",
    "node.usage_threshold": "a node has used a good part of its traffic",
    "node.limited": "a node has used up its traffic",
    "node.usage_reset": "a node's traffic counter was reset",
    "node.payment_due": "a node has to be paid soon",
    "node.payment_overdue": "a node should have been paid",
    "security.login_failed": "someone failed to log in to the panel",
    "security.login_succeeded": "someone logged in to the panel",
    "security.password_reset": "a password was reset",
    "security.2fa_enabled": "two-factor authentication was turned on",
    "security.2fa_disabled": "two-factor authentication was turned off",
    "security.ip_blocked": "an IP address was blocked",
    "security.abuse_reported": "abuse was reported",
    **{
        f"{kind}.{verb}": f"{article} {words} was {verb.replace('updated', 'changed')}"
        for kind, article, words in (
            ("admin", "an", "admin"),
            ("role", "a", "role"),
            ("api_key", "an", "API key"),
            ("host", "a", "host"),
            ("group", "a", "group"),
            ("core", "a", "core"),
            ("template", "a", "user template"),
        )
        for verb in ("created", "updated", "deleted")
    },
    "system.started": "the panel has started",
    "system.maintenance_started": "maintenance has begun",
    "system.maintenance_ended": "maintenance is over",
    "system.updated": "the system was updated",
    "system.config_changed": "a configuration was changed",
    "system.error": "the panel reports an error",
    "message.posted": "a message was posted to the Discord endpoint",
}

#: OrbVPN's documented event names. Zapier, GoHighLevel and the documented Slack layout speak in them too.
DOCUMENTED: dict[str, str] = {
    "USER_CREATED": "user.created",
    "USER_DELETED": "user.deleted",
    "USER_ACTION": "user.action",
    "USER_LOGIN": "user.login",
    "USER_LOGOUT": "user.logout",
    "USER_PASSWORD_CHANGED": "user.password_changed",
    "USER_EMAIL_VERIFIED": "user.email_verified",
    "USER_PROFILE_UPDATED": "user.updated",
    "SUBSCRIPTION_CREATED": "subscription.created",
    "SUBSCRIPTION_RENEWED": "subscription.renewed",
    "SUBSCRIPTION_CANCELLED": "subscription.cancelled",
    "SUBSCRIPTION_EXPIRED": "subscription.expired",
    "SUBSCRIPTION_TRIAL_STARTED": "subscription.trial_started",
    "SUBSCRIPTION_TRIAL_ENDED": "subscription.trial_ended",
    "SUBSCRIPTION_UPGRADED": "subscription.upgraded",
    "SUBSCRIPTION_DOWNGRADED": "subscription.downgraded",
    "PAYMENT_RECEIVED": "payment.received",
    "PAYMENT_FAILED": "payment.failed",
    "PAYMENT_REFUNDED": "payment.refunded",
    "PAYMENT_PENDING": "payment.pending",
    "DEVICE_CONNECTED": "device.connected",
    "DEVICE_DISCONNECTED": "device.disconnected",
    "DEVICE_ADDED": "device.added",
    "DEVICE_REMOVED": "device.removed",
    "DEVICE_LIMIT_REACHED": "device.limit_reached",
    "SECURITY_LOGIN_ATTEMPT": "security.login_failed",
    "SECURITY_PASSWORD_RESET": "security.password_reset",
    "SECURITY_2FA_ENABLED": "security.2fa_enabled",
    "SECURITY_2FA_DISABLED": "security.2fa_disabled",
    "SECURITY_IP_BLOCKED": "security.ip_blocked",
    "RESELLER_CREATED": "reseller.created",
    "RESELLER_UPDATED": "reseller.updated",
    "RESELLER_DELETED": "reseller.deleted",
    "RESELLER_CREDIT_ADDED": "reseller.credit_added",
    "RESELLER_CREDIT_DEDUCTED": "reseller.credit_deducted",
    "SYSTEM_MAINTENANCE_START": "system.maintenance_started",
    "SYSTEM_MAINTENANCE_END": "system.maintenance_ended",
    "SYSTEM_SERVER_DOWN": "node.connection_lost",
    "SYSTEM_SERVER_UP": "node.connection_restored",
    "SYSTEM_UPDATE": "system.updated",
    "USAGE_LIMIT_APPROACHING": "user.usage_threshold",
    "USAGE_LIMIT_REACHED": "user.limited",
    "USAGE_ABNORMAL": "user.usage_abnormal",
}

_NAME_OF = {canonical: name for name, canonical in DOCUMENTED.items()}


def documented_name(type_: str) -> str:
    """The event's name as the OrbVPN document spells names: `USER_CREATED`, and `PEER_CREATED` for what it lacks."""
    spelled = type_.upper().replace(".", "_").replace("-", "_")
    return _NAME_OF.get(type_) or "".join(c if c.isalnum() and c.isascii() else "_" for c in spelled)


_OPPOSITES = (
    ("connection_lost", "connection_restored"),
    ("disconnected", "connected"),
    ("disabled", "enabled"),
)
#: What ends a type, and what ends its opposite; the first of a pair is the bad news.
_ENDINGS = {**dict(_OPPOSITES), **{good: bad for bad, good in _OPPOSITES}}


def opposite(type_: str) -> str | None:
    """The type that takes this one back: `node.connection_restored` for `node.connection_lost`; None for most."""
    family, _, word = type_.rpartition(".")
    ending = _ENDINGS.get(word)
    return f"{family}.{ending}" if family and ending else None


def ends_trouble(type_: str, earlier: str) -> bool:
    """Whether this type is the good news after that earlier one: the time between them was downtime."""
    return opposite(type_) == earlier and any(type_.endswith(f".{good}") for _, good in _OPPOSITES)
