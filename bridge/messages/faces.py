"""The face of every event type: an emoji, a title, and a colour that says what it means."""

from dataclasses import dataclass

N_ = str  # marks a text for the catalogs; it is translated where it is shown

GREEN, BLUE, AMBER, RED, GREY, GOLD = 0x2ECC71, 0x3498DB, 0xE67E22, 0xE74C3C, 0x95A5A6, 0xF1C40F


@dataclass(frozen=True, slots=True)
class Face:
    emoji: str
    title: str
    color: int


FACES: dict[str, Face] = {
    "user.created": Face("🆕", N_("User created"), GREEN),
    "user.updated": Face("✏️", N_("User changed"), BLUE),
    "user.deleted": Face("🗑️", N_("User deleted"), RED),
    "user.enabled": Face("✅", N_("User enabled"), GREEN),
    "user.disabled": Face("⛔", N_("User disabled"), RED),
    "user.on_hold": Face("⏸️", N_("User on hold"), GREY),
    "user.limited": Face("🪫", N_("Traffic used up"), AMBER),
    "user.expired": Face("⌛", N_("User expired"), RED),
    "user.expiring": Face("⏳", N_("User expires soon"), AMBER),
    "user.expired_reminder": Face("📆", N_("User expired a while ago"), AMBER),
    "user.usage_threshold": Face("📈", N_("Traffic running out"), AMBER),
    "user.usage_abnormal": Face("🚨", N_("Unusual traffic"), AMBER),
    "user.usage_reset": Face("🔄", N_("Traffic reset"), BLUE),
    "user.plan_advanced": Face("⏭️", N_("Next plan started"), GREEN),
    "user.subscription_revoked": Face("🔗", N_("Subscription link revoked"), AMBER),
    "user.first_connected": Face("🎉", N_("First connection"), GREEN),
    "user.not_connected": Face("💤", N_("User has not connected"), GREY),
    "user.login": Face("🔓", N_("User logged in"), GREY),
    "user.logout": Face("🚪", N_("User logged out"), GREY),
    "user.action": Face("👆", N_("User action"), GREY),
    "user.password_changed": Face("🔑", N_("Password changed"), BLUE),
    "user.email_verified": Face("📧", N_("E-mail verified"), GREEN),
    "subscription.created": Face("🛒", N_("Subscription bought"), GREEN),
    "subscription.renewed": Face("♻️", N_("Subscription renewed"), GREEN),
    "subscription.cancelled": Face("🚫", N_("Subscription cancelled"), RED),
    "subscription.expired": Face("⌛", N_("Subscription expired"), RED),
    "subscription.trial_started": Face("🎁", N_("Trial started"), GREEN),
    "subscription.trial_ended": Face("🏁", N_("Trial ended"), AMBER),
    "subscription.upgraded": Face("⬆️", N_("Subscription upgraded"), GREEN),
    "subscription.downgraded": Face("⬇️", N_("Subscription downgraded"), AMBER),
    "payment.received": Face("💰", N_("Payment received"), GOLD),
    "payment.failed": Face("💳", N_("Payment failed"), RED),
    "payment.refunded": Face("💸", N_("Payment refunded"), GOLD),
    "payment.pending": Face("🕓", N_("Payment pending"), GOLD),
    "reseller.created": Face("🤝", N_("Reseller created"), GREEN),
    "reseller.updated": Face("✏️", N_("Reseller changed"), BLUE),
    "reseller.deleted": Face("🗑️", N_("Reseller deleted"), RED),
    "reseller.credit_added": Face("🪙", N_("Credit added"), GOLD),
    "reseller.credit_deducted": Face("🧾", N_("Credit deducted"), GOLD),
    "device.added": Face("📲", N_("Device added"), GREEN),
    "device.removed": Face("📴", N_("Device removed"), RED),
    "device.connected": Face("📱", N_("Device connected"), GREEN),
    "device.disconnected": Face("📵", N_("Device disconnected"), GREY),
    "device.limit_reached": Face("🚧", N_("Device limit reached"), AMBER),
    "peer.created": Face("🆕", N_("Peer created"), GREEN),
    "peer.updated": Face("✏️", N_("Peer changed"), BLUE),
    "peer.deleted": Face("🗑️", N_("Peer deleted"), RED),
    "peer.connected": Face("🟢", N_("Peer connected"), GREEN),
    "peer.disconnected": Face("⚪", N_("Peer disconnected"), GREY),
    "interface.created": Face("🆕", N_("Interface created"), GREEN),
    "interface.updated": Face("✏️", N_("Interface changed"), BLUE),
    "interface.deleted": Face("🗑️", N_("Interface deleted"), RED),
    "node.created": Face("🖥️", N_("Node created"), GREEN),
    "node.updated": Face("✏️", N_("Node changed"), BLUE),
    "node.deleted": Face("🗑️", N_("Node deleted"), RED),
    "node.enabled": Face("✅", N_("Node enabled"), GREEN),
    "node.disabled": Face("⛔", N_("Node disabled"), RED),
    "node.connection_lost": Face("🔴", N_("Node connection lost"), RED),
    "node.connection_restored": Face("🟢", N_("Node connection restored"), GREEN),
    "node.usage_threshold": Face("📈", N_("Node traffic running out"), AMBER),
    "node.limited": Face("🪫", N_("Node traffic used up"), AMBER),
    "node.usage_reset": Face("🔄", N_("Node traffic reset"), BLUE),
    "node.payment_due": Face("💵", N_("Node payment due"), GOLD),
    "node.payment_overdue": Face("💸", N_("Node payment overdue"), RED),
    "security.login_failed": Face("🚨", N_("Login failed"), RED),
    "security.login_succeeded": Face("🔓", N_("Login to the panel"), GREEN),
    "security.password_reset": Face("🔑", N_("Password reset"), AMBER),
    "security.2fa_enabled": Face("🔐", N_("Two-factor login turned on"), GREEN),
    "security.2fa_disabled": Face("🔓", N_("Two-factor login turned off"), AMBER),
    "security.ip_blocked": Face("🛑", N_("IP address blocked"), RED),
    "security.abuse_reported": Face("🏴‍☠️", N_("Abuse reported"), RED),
    "admin.created": Face("🧑‍💼", N_("Admin created"), GREEN),
    "admin.updated": Face("✏️", N_("Admin changed"), BLUE),
    "admin.deleted": Face("🗑️", N_("Admin deleted"), RED),
    "role.created": Face("🎭", N_("Admin role created"), GREEN),
    "role.updated": Face("✏️", N_("Admin role changed"), BLUE),
    "role.deleted": Face("🗑️", N_("Admin role deleted"), RED),
    "api_key.created": Face("🗝️", N_("API key created"), AMBER),
    "api_key.updated": Face("✏️", N_("API key changed"), BLUE),
    "api_key.deleted": Face("🗑️", N_("API key deleted"), RED),
    "host.created": Face("🌐", N_("Host created"), GREEN),
    "host.updated": Face("✏️", N_("Host changed"), BLUE),
    "host.deleted": Face("🗑️", N_("Host deleted"), RED),
    "group.created": Face("👥", N_("Group created"), GREEN),
    "group.updated": Face("✏️", N_("Group changed"), BLUE),
    "group.deleted": Face("🗑️", N_("Group deleted"), RED),
    "core.created": Face("⚙️", N_("Core created"), GREEN),
    "core.updated": Face("✏️", N_("Core changed"), BLUE),
    "core.deleted": Face("🗑️", N_("Core deleted"), RED),
    "template.created": Face("📋", N_("User template created"), GREEN),
    "template.updated": Face("✏️", N_("User template changed"), BLUE),
    "template.deleted": Face("🗑️", N_("User template deleted"), RED),
    "system.started": Face("🚀", N_("Panel started"), GREEN),
    "system.maintenance_started": Face("🛠️", N_("Maintenance started"), AMBER),
    "system.maintenance_ended": Face("✅", N_("Maintenance ended"), GREEN),
    "system.updated": Face("📦", N_("System updated"), BLUE),
    "system.config_changed": Face("⚙️", N_("Configuration changed"), BLUE),
    "system.error": Face("🔥", N_("Panel reports an error"), RED),
    "message.posted": Face("💬", N_("Message"), BLUE),
}

#: What a subject is about: the word before its colon.
KINDS = {
    "user": N_("User"),
    "node": N_("Node"),
    "peer": N_("Peer"),
    "interface": N_("Interface"),
    "reseller": N_("Reseller"),
    "admin": N_("Admin"),
    "role": N_("Role"),
    "api_key": N_("API key"),
    "host": N_("Host"),
    "group": N_("Group"),
    "core": N_("Core"),
    "template": N_("Template"),
    "system": N_("Server"),
    "payment": N_("Payment"),
    "device": N_("Device"),
}

STATES = {
    "active": N_("active"),
    "enabled": N_("active"),
    "disabled": N_("disabled"),
    "limited": N_("limited"),
    "expired": N_("expired"),
    "on_hold": N_("on hold"),
    "pending": N_("pending"),
    "received": N_("received"),
    "paid": N_("paid"),
    "completed": N_("completed"),
    "success": N_("completed"),
    "succeeded": N_("completed"),
    "failed": N_("failed"),
    "refunded": N_("refunded"),
    "cancelled": N_("cancelled"),
    "canceled": N_("cancelled"),
    "trial": N_("trial"),
    "connected": N_("connected"),
    "disconnected": N_("disconnected"),
    "error": N_("error"),
}

#: How often a panel sets a traffic counter back to zero; "" where it never does.
STRATEGIES = {
    "no_reset": "",
    "none": "",
    "never": "",
    "day": N_("every day"),
    "daily": N_("every day"),
    "week": N_("every week"),
    "weekly": N_("every week"),
    "month": N_("every month"),
    "monthly": N_("every month"),
    "month_rolling": N_("every month"),
    "year": N_("every year"),
    "yearly": N_("every year"),
}


def face(type_: str) -> Face:
    """The face of a type; one that nobody has described is called by its name: `Marzban: node gone`."""
    if known := FACES.get(type_):
        return known
    family, _, rest = type_.replace("_", " ").replace("-", " ").partition(".")
    words = f"{family[:1].upper()}{family[1:]}"
    return Face("🔔", f"{words}: {rest.replace('.', ' ')}" if rest else words or "?", GREY)
