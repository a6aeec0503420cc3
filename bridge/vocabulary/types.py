"""Every type of event, one row each: one vocabulary over all panels.

Source   docs/events.md says which native type of which panel becomes which of these.
"""

from collections.abc import Mapping

from bridge.value import Value

N_ = str  # marks a text for the catalogs; it is translated where it is shown

GREEN, BLUE, AMBER, RED, GREY, GOLD = 0x2ECC71, 0x3498DB, 0xE67E22, 0xE74C3C, 0x95A5A6, 0xF1C40F


class EventType(Value):
    """What is to be known of a type.

    name        canonical and dotted
    meaning     what it says, in one line
    emoji, title, color
                how a message begins; the colour says what it means
    documented  its name in OrbVPN's document, in which Zapier, GoHighLevel and the documented Slack layout speak too
    """

    name: str
    meaning: str
    emoji: str
    title: str
    color: int
    documented: str | None = None


#: Every canonical type.
TYPES: Mapping[str, EventType] = {one.name: one for one in (
    EventType("user.created", "a user was created", "🆕", N_("User created"), GREEN, "USER_CREATED"),
    EventType("user.updated", "a user was changed", "✏️", N_("User changed"), BLUE, "USER_PROFILE_UPDATED"),
    EventType("user.deleted", "a user was deleted", "🗑️", N_("User deleted"), RED, "USER_DELETED"),
    EventType("user.enabled", "a user may connect again", "✅", N_("User enabled"), GREEN),
    EventType("user.disabled", "a user may not connect until enabled", "⛔", N_("User disabled"), RED),
    EventType("user.on_hold", "a user waits for the first connection before the plan starts",
              "⏸️", N_("User on hold"), GREY),
    EventType("user.limited", "a user has used up the traffic",
              "🪫", N_("Traffic used up"), AMBER, "USAGE_LIMIT_REACHED"),
    EventType("user.expired", "a user's time is over", "⌛", N_("User expired"), RED),
    EventType("user.expiring", "a user's time is over soon", "⏳", N_("User expires soon"), AMBER),
    EventType("user.expired_reminder", "a user's time has been over for a while",
              "📆", N_("Reminder of an expired user"), AMBER),
    EventType("user.usage_threshold", "a user has used a good part of the traffic",
              "📈", N_("Traffic running out"), AMBER, "USAGE_LIMIT_APPROACHING"),
    EventType("user.usage_abnormal", "a user's traffic is unusual",
              "🚨", N_("Unusual traffic"), AMBER, "USAGE_ABNORMAL"),
    EventType("user.usage_reset", "a user's traffic counter was reset", "🔄", N_("Traffic reset"), BLUE),
    EventType("user.plan_advanced", "a user's next plan has begun", "⏭️", N_("Next plan started"), GREEN),
    EventType("user.subscription_revoked", "a user's subscription link was replaced",
              "🔗", N_("Subscription link revoked"), AMBER),
    EventType("user.first_connected", "a user has connected for the first time",
              "🎉", N_("First connection"), GREEN),
    EventType("user.not_connected", "a user has not connected for a while",
              "💤", N_("User has not connected"), GREY),
    EventType("user.login", "a user logged in", "🔓", N_("User logged in"), GREY, "USER_LOGIN"),
    EventType("user.logout", "a user logged out", "🚪", N_("User logged out"), GREY, "USER_LOGOUT"),
    EventType("user.action", "a user did something", "👆", N_("User action"), GREY, "USER_ACTION"),
    EventType("user.password_changed", "a user changed the password",
              "🔑", N_("Password changed"), BLUE, "USER_PASSWORD_CHANGED"),
    EventType("user.email_verified", "a user verified the e-mail address",
              "📧", N_("E-mail verified"), GREEN, "USER_EMAIL_VERIFIED"),
    EventType("subscription.created", "a subscription was bought",
              "🛒", N_("Subscription bought"), GREEN, "SUBSCRIPTION_CREATED"),
    EventType("subscription.renewed", "a subscription was renewed",
              "♻️", N_("Subscription renewed"), GREEN, "SUBSCRIPTION_RENEWED"),
    EventType("subscription.cancelled", "a subscription was cancelled",
              "🚫", N_("Subscription cancelled"), RED, "SUBSCRIPTION_CANCELLED"),
    EventType("subscription.expired", "a subscription has expired",
              "⌛", N_("Subscription expired"), RED, "SUBSCRIPTION_EXPIRED"),
    EventType("subscription.trial_started", "a trial has begun",
              "🎁", N_("Trial started"), GREEN, "SUBSCRIPTION_TRIAL_STARTED"),
    EventType("subscription.trial_ended", "a trial is over",
              "🏁", N_("Trial ended"), AMBER, "SUBSCRIPTION_TRIAL_ENDED"),
    EventType("subscription.upgraded", "a subscription was upgraded",
              "⬆️", N_("Subscription upgraded"), GREEN, "SUBSCRIPTION_UPGRADED"),
    EventType("subscription.downgraded", "a subscription was downgraded",
              "⬇️", N_("Subscription downgraded"), AMBER, "SUBSCRIPTION_DOWNGRADED"),
    EventType("payment.received", "a payment was received", "💰", N_("Payment received"), GOLD, "PAYMENT_RECEIVED"),
    EventType("payment.failed", "a payment failed", "💳", N_("Payment failed"), RED, "PAYMENT_FAILED"),
    EventType("payment.refunded", "a payment was refunded", "💸", N_("Payment refunded"), GOLD, "PAYMENT_REFUNDED"),
    EventType("payment.pending", "a payment is pending", "🕓", N_("Payment pending"), GOLD, "PAYMENT_PENDING"),
    EventType("reseller.created", "a reseller was created", "🤝", N_("Reseller created"), GREEN, "RESELLER_CREATED"),
    EventType("reseller.updated", "a reseller was changed", "✏️", N_("Reseller changed"), BLUE, "RESELLER_UPDATED"),
    EventType("reseller.deleted", "a reseller was deleted", "🗑️", N_("Reseller deleted"), RED, "RESELLER_DELETED"),
    EventType("reseller.credit_added", "a reseller's credit was raised",
              "🪙", N_("Credit added"), GOLD, "RESELLER_CREDIT_ADDED"),
    EventType("reseller.credit_deducted", "a reseller's credit was lowered",
              "🧾", N_("Credit deducted"), GOLD, "RESELLER_CREDIT_DEDUCTED"),
    EventType("device.added", "a device was added", "📲", N_("Device added"), GREEN, "DEVICE_ADDED"),
    EventType("device.removed", "a device was removed", "📴", N_("Device removed"), RED, "DEVICE_REMOVED"),
    EventType("device.connected", "a device connected", "📱", N_("Device connected"), GREEN, "DEVICE_CONNECTED"),
    EventType("device.disconnected", "a device disconnected",
              "📵", N_("Device disconnected"), GREY, "DEVICE_DISCONNECTED"),
    EventType("device.limit_reached", "a user has as many devices as allowed",
              "🚧", N_("Device limit reached"), AMBER, "DEVICE_LIMIT_REACHED"),
    EventType("peer.created", "a peer was created", "🆕", N_("Peer created"), GREEN),
    EventType("peer.updated", "a peer was changed", "✏️", N_("Peer changed"), BLUE),
    EventType("peer.deleted", "a peer was deleted", "🗑️", N_("Peer deleted"), RED),
    EventType("peer.connected", "a peer connected", "🟢", N_("Peer connected"), GREEN),
    EventType("peer.disconnected", "a peer disconnected", "⚪", N_("Peer disconnected"), GREY),
    EventType("interface.created", "an interface was created", "🆕", N_("Interface created"), GREEN),
    EventType("interface.updated", "an interface was changed", "✏️", N_("Interface changed"), BLUE),
    EventType("interface.deleted", "an interface was deleted", "🗑️", N_("Interface deleted"), RED),
    EventType("node.created", "a node was created", "🖥️", N_("Node created"), GREEN),
    EventType("node.updated", "a node was changed", "✏️", N_("Node changed"), BLUE),
    EventType("node.deleted", "a node was deleted", "🗑️", N_("Node deleted"), RED),
    EventType("node.enabled", "a node was enabled", "✅", N_("Node enabled"), GREEN),
    EventType("node.disabled", "a node was disabled", "⛔", N_("Node disabled"), RED),
    EventType("node.connection_lost", "a node cannot be reached",
              "🔴", N_("Node connection lost"), RED, "SYSTEM_SERVER_DOWN"),
    EventType("node.connection_restored", "a node can be reached again",
              "🟢", N_("Node connection restored"), GREEN, "SYSTEM_SERVER_UP"),
    EventType("node.usage_threshold", "a node has used a good part of its traffic",
              "📈", N_("Node traffic running out"), AMBER),
    EventType("node.limited", "a node has used up its traffic", "🪫", N_("Node traffic used up"), AMBER),
    EventType("node.usage_reset", "a node's traffic counter was reset", "🔄", N_("Node traffic reset"), BLUE),
    EventType("node.payment_due", "a node has to be paid soon", "💵", N_("Node payment due"), GOLD),
    EventType("node.payment_overdue", "a node should have been paid", "💸", N_("Node payment overdue"), RED),
    EventType("security.login_failed", "someone failed to log in to the panel",
              "🚨", N_("Login failed"), RED, "SECURITY_LOGIN_ATTEMPT"),
    EventType("security.login_succeeded", "someone logged in to the panel", "🔓", N_("Login to the panel"), GREEN),
    EventType("security.password_reset", "a password was reset",
              "🔑", N_("Password reset"), AMBER, "SECURITY_PASSWORD_RESET"),
    EventType("security.2fa_enabled", "two-factor authentication was turned on",
              "🔐", N_("Two-factor login turned on"), GREEN, "SECURITY_2FA_ENABLED"),
    EventType("security.2fa_disabled", "two-factor authentication was turned off",
              "🔓", N_("Two-factor login turned off"), AMBER, "SECURITY_2FA_DISABLED"),
    EventType("security.ip_blocked", "an IP address was blocked",
              "🛑", N_("IP address blocked"), RED, "SECURITY_IP_BLOCKED"),
    EventType("security.abuse_reported", "abuse was reported", "🏴‍☠️", N_("Abuse reported"), RED),
    EventType("admin.created", "an admin was created", "🧑‍💼", N_("Admin created"), GREEN),
    EventType("admin.updated", "an admin was changed", "✏️", N_("Admin changed"), BLUE),
    EventType("admin.deleted", "an admin was deleted", "🗑️", N_("Admin deleted"), RED),
    EventType("admin.usage_reset", "an admin's traffic counter was reset", "🔄", N_("Admin traffic reset"), BLUE),
    EventType("admin.usage_threshold", "an admin's users have used a good part of the admin's traffic",
              "📈", N_("Admin traffic running out"), AMBER),
    EventType("role.created", "a role was created", "🎭", N_("Admin role created"), GREEN),
    EventType("role.updated", "a role was changed", "✏️", N_("Admin role changed"), BLUE),
    EventType("role.deleted", "a role was deleted", "🗑️", N_("Admin role deleted"), RED),
    EventType("api_key.created", "an API key was created", "🗝️", N_("API key created"), AMBER),
    EventType("api_key.updated", "an API key was changed", "✏️", N_("API key changed"), BLUE),
    EventType("api_key.deleted", "an API key was deleted", "🗑️", N_("API key deleted"), RED),
    EventType("host.created", "a host was created", "🌐", N_("Host created"), GREEN),
    EventType("host.updated", "a host was changed", "✏️", N_("Host changed"), BLUE),
    EventType("host.deleted", "a host was deleted", "🗑️", N_("Host deleted"), RED),
    EventType("group.created", "a group was created", "👥", N_("Group created"), GREEN),
    EventType("group.updated", "a group was changed", "✏️", N_("Group changed"), BLUE),
    EventType("group.deleted", "a group was deleted", "🗑️", N_("Group deleted"), RED),
    EventType("core.created", "a core was created", "⚙️", N_("Core created"), GREEN),
    EventType("core.updated", "a core was changed", "✏️", N_("Core changed"), BLUE),
    EventType("core.deleted", "a core was deleted", "🗑️", N_("Core deleted"), RED),
    EventType("template.created", "a user template was created", "📋", N_("User template created"), GREEN),
    EventType("template.updated", "a user template was changed", "✏️", N_("User template changed"), BLUE),
    EventType("template.deleted", "a user template was deleted", "🗑️", N_("User template deleted"), RED),
    EventType("system.started", "the panel has started", "🚀", N_("Panel started"), GREEN),
    EventType("system.maintenance_started", "maintenance has begun",
              "🛠️", N_("Maintenance started"), AMBER, "SYSTEM_MAINTENANCE_START"),
    EventType("system.maintenance_ended", "maintenance is over",
              "✅", N_("Maintenance ended"), GREEN, "SYSTEM_MAINTENANCE_END"),
    EventType("system.updated", "the system was updated", "📦", N_("System updated"), BLUE, "SYSTEM_UPDATE"),
    EventType("system.config_changed", "a configuration was changed", "⚙️", N_("Configuration changed"), BLUE),
    EventType("system.error", "the panel reports an error", "🔥", N_("Panel reports an error"), RED),
    EventType("alert.firing", "what is watched is not as it should be", "🚨", N_("Alert firing"), RED),
    EventType("alert.resolved", "what was watched is as it should be again", "✅", N_("Alert resolved"), GREEN),
    EventType("ticket.created", "a customer has asked something", "🎫", N_("Ticket opened"), BLUE),
    EventType("ticket.updated", "a customer's question has got a message or another state",
              "🎫", N_("Ticket changed"), BLUE),
    EventType("bridge.lane_parked", "a sink's address is gone, nothing is sent there until someone resumes it",
              "🅿️", N_("Sink parked"), RED),
    EventType("bridge.lane_away", "a sink's service has not answered for a while",
              "📡", N_("Sink does not answer"), AMBER),
    EventType("bridge.lane_open", "a sink that was parked or away takes messages again",
              "🟢", N_("Sink works again"), GREEN),
    EventType("bridge.dead_letters", "messages were given up", "📭", N_("Messages given up"), RED),
    EventType("bridge.config_rejected", "the file has changed and is wrong, the one before stays in force",
              "🧩", N_("Configuration rejected"), AMBER),
    EventType("bridge.store_failing", "the store takes nothing, and panels are told to try again",
              "💾", N_("Store failing"), RED),
    EventType("bridge.source_silent", "nothing has come from a source for a while", "🔇", N_("Source silent"), AMBER),
    EventType("bridge.source_heard", "a source that was silent has spoken again",
              "🔊", N_("Source heard again"), GREEN),
    EventType("bridge.report", "what happened in a day, a week or a month", "☀️", N_("Report"), BLUE),
    EventType("message.posted", "a message was posted to the Discord endpoint", "💬", N_("Message"), BLUE),
)}  # fmt: skip

#: What the bridge tells of itself begins with this word; and who tells it, a name that no source in the file may have.
OWN_FAMILY, OWN_SOURCE = "bridge", "panelbridge"

#: OrbVPN's documented event names, each with its canonical type.
DOCUMENTED: Mapping[str, str] = {one.documented: one.name for one in TYPES.values() if one.documented}


def event_type(name: str) -> EventType:
    """What is to be known of a type; one that is not canonical is called by its name: `Marzban: node gone`."""
    if known := TYPES.get(name):
        return known
    family, _, rest = name.replace("_", " ").replace("-", " ").partition(".")
    words = f"{family[:1].upper()}{family[1:]}"
    return EventType(name, "", "🔔", f"{words}: {rest.replace('.', ' ')}" if rest else words or "?", GREY)


def documented_name(name: str) -> str:
    """A type's name as the OrbVPN document spells names: `USER_CREATED`, and `PEER_CREATED` for what it lacks."""
    if (known := TYPES.get(name)) and known.documented:
        return known.documented
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in name.upper())


# What takes what back


class Opposite(Value):
    """The last words of two types, bad news and what ends it, and what the time between them is called.

    Words and not types: they hold too for what a source `{panel: json}` names, as `disk.down`.
    """

    bad: str
    good: str
    lasted: str


OPPOSITES = (
    Opposite("connection_lost", "connection_restored", N_("Downtime")),
    Opposite("disconnected", "connected", N_("Offline For")),
    Opposite("disabled", "enabled", N_("Disabled For")),
    Opposite("firing", "resolved", N_("Fired For")),
    Opposite("down", "up", N_("Downtime")),
    Opposite("lane_away", "lane_open", N_("Away For")),
    Opposite("lane_parked", "lane_open", N_("Away For")),
    Opposite("source_silent", "source_heard", N_("Silence")),
)
_GOOD = {pair.bad: pair.good for pair in OPPOSITES}
_OTHER = {pair.good: pair.bad for pair in reversed(OPPOSITES)} | _GOOD


def opposite(name: str) -> str | None:
    """The type that takes this one back: `node.connection_restored` for `node.connection_lost`; None for most.

    Of several that one good word ends, the first.
    """
    return _with_word(name, _OTHER)


def are_opposite(one: str, other: str) -> bool:
    """Whether one of these types takes the other back."""
    return ends_trouble(one, other) or ends_trouble(other, one)


def remedy(name: str) -> str | None:
    """The type that ends this trouble; None where it is no trouble, or nothing is known to end it."""
    return _with_word(name, _GOOD)


def ends_trouble(name: str, earlier: str) -> bool:
    """Whether this type is the good news after that earlier one: the time between them was downtime."""
    return remedy(earlier) == name


def _with_word(name: str, others: Mapping[str, str]) -> str | None:
    """The type of the same family whose word stands for the last one of this."""
    family, _, word = name.rpartition(".")
    other = others.get(word)
    return f"{family}.{other}" if family and other else None
