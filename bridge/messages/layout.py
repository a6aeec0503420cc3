"""Which facts each part of the data has: their labels, in one order whatever the panel and the service.

The labels of the first three parts and of the reseller's are those of OrbVPN's documented Slack layout.
"""

from dataclasses import dataclass

from bridge.messages.fields import (
    Write,
    all_time,
    due,
    duration,
    expires,
    field,
    joined,
    lasted,
    only,
    part_used,
    provider,
    resets,
    time_left,
    time_once_connected,
    traffic,
)
from bridge.vocabulary.types import N_, OPPOSITES


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact: its label, and how it is written.

    alone  the label where no heading says what it is about; the same one if not given
    lead   where no heading orders them, it comes first
    wide   it is better on a line of its own, and comes last
    """

    label: str
    write: Write
    alone: str = ""
    lead: bool = False
    wide: bool = False

    @property
    def rank(self) -> int:
        return 0 if self.lead else 2 if self.wide else 1


#: The rows that each part of the data is shown by.
LAYOUT: dict[str, tuple[FactRow, ...]] = {
    "user": (
        FactRow(N_("Email"), field("email")),
        FactRow(N_("Username"), field("username")),
        FactRow(N_("User ID"), field("id")),
        FactRow(N_("Status"), field("status"), lead=True),
        FactRow(N_("Active"), only(False, "active")),
        FactRow(N_("Device Limit"), field("device_limit")),
        FactRow(N_("Groups"), field("groups")),
        FactRow(N_("Tag"), field("tag")),
        FactRow(N_("Telegram ID"), field("telegram_id")),
        FactRow(N_("Last Seen"), field("online_at")),
        FactRow(N_("Next Plan"), only(True, "next_plan")),
        FactRow(N_("Note"), field("note"), wide=True),
    ),
    "profile": (
        FactRow(N_("Name"), joined(" ", "first_name", "last_name")),
        FactRow(N_("Country"), field("country")),
        FactRow(N_("Phone"), field("phone")),
        FactRow(N_("Department"), field("department")),
    ),
    "subscription": (
        FactRow(N_("Plan"), field("plan")),
        FactRow(N_("Multi-Login Count"), field("multi_login_count")),
        FactRow(N_("Expires At"), expires, lead=True),
        FactRow(N_("Auto Renew"), field("auto_renew")),
        FactRow(N_("Duration"), duration),
        FactRow(N_("Expiry"), time_left),
        FactRow(N_("Time Once Connected"), time_once_connected),
        FactRow(N_("Status"), field("status"), alone=N_("Subscription Status")),
        FactRow(N_("Price"), field("price")),
        FactRow(N_("Trial"), only(True, "trial")),
    ),
    "usage": (
        FactRow(N_("Traffic"), traffic, lead=True),
        FactRow(N_("Used"), part_used),
        FactRow(N_("All-Time Traffic"), all_time),
        FactRow(N_("Traffic Resets"), resets),
    ),
    "payment": (
        FactRow(N_("Amount"), field("amount")),
        FactRow(N_("Gateway"), field("gateway")),
        FactRow(N_("Status"), field("status"), alone=N_("Payment Status")),
        FactRow(N_("Payment ID"), field("id")),
    ),
    "reseller": (
        FactRow(N_("ID"), field("id"), alone=N_("Reseller ID")),
        FactRow(N_("Name"), field("name"), alone=N_("Reseller")),
        FactRow(N_("Email"), field("email"), alone=N_("Reseller")),
        FactRow(N_("Level"), field("level")),
        FactRow(N_("Discount"), field("discount_percent")),
        FactRow(N_("Credit"), field("credit")),
        FactRow(N_("Change"), field("amount"), alone=N_("Credit Change")),
    ),
    "device": (
        FactRow(N_("Name"), field("name"), alone=N_("Device")),
        FactRow(N_("ID"), field("id"), alone=N_("Device ID")),
        FactRow(N_("System"), joined(" ", "os", "os_version")),
        FactRow(N_("Model"), field("model")),
        FactRow(N_("App"), field("user_agent"), wide=True),
    ),
    "node": (
        FactRow(N_("Name"), field("name"), alone=N_("Node")),
        FactRow(N_("ID"), field("id"), alone=N_("Node ID")),
        FactRow(N_("Address"), joined(":", "address", "port")),
        FactRow(N_("Country"), field("country")),
        FactRow(N_("Provider"), field("provider")),
        FactRow(N_("Traffic"), traffic),
        FactRow(N_("Users Online"), field("users_online")),
        FactRow(N_("Core Version"), field("core_version")),
        FactRow(N_("Node Version"), field("node_version")),
        FactRow(N_("Tags"), field("tags")),
    ),
    "billing": (FactRow(N_("Provider"), provider), FactRow(N_("Due"), due)),
    "peer": (
        FactRow(N_("Name"), field("name"), alone=N_("Peer")),
        FactRow(N_("Interface"), field("interface")),
        FactRow(N_("Addresses"), field("addresses")),
        FactRow(N_("Endpoint"), field("endpoint")),
        FactRow(N_("Allowed IPs"), field("allowed_ips")),
        FactRow(N_("Received"), field("received_bytes")),
        FactRow(N_("Sent"), field("sent_bytes")),
        FactRow(N_("Connected Since"), field("session_started_at")),
        FactRow(N_("Last Handshake"), field("last_handshake_at")),
        FactRow(N_("Expires At"), field("expires_at")),
        FactRow(N_("Disabled Since"), field("disabled_at")),
        FactRow(N_("Public Key"), field("key"), wide=True),
        FactRow(N_("Note"), field("notes"), wide=True),
    ),
    "interface": (
        FactRow(N_("Name"), field("name"), alone=N_("Interface")),
        FactRow(N_("ID"), field("id"), alone=N_("Interface ID")),
        FactRow(N_("Kind"), field("kind")),
        FactRow(N_("Port"), field("listen_port")),
        FactRow(N_("Addresses"), field("addresses")),
        FactRow(N_("Disabled Since"), field("disabled_at")),
        FactRow(N_("Public Key"), field("public_key"), wide=True),
    ),
    "security": (
        FactRow(N_("Username"), field("username")),
        FactRow(N_("IP Address"), field("ip")),
        FactRow(N_("Client"), field("user_agent"), wide=True),
        FactRow(N_("Details"), field("description"), wide=True),
    ),
    "abuse": (
        FactRow(N_("Username"), field("username")),
        FactRow(N_("Node"), field("node")),
        FactRow(N_("IP Address"), field("ip")),
        FactRow(N_("Details"), field("description"), wide=True),
    ),
    "thing": (
        FactRow(N_("Name"), field("name")),
        FactRow(N_("ID"), field("id")),
        FactRow(N_("Status"), field("status")),
        FactRow(N_("Expires At"), field("expires_at")),
    ),
    "system": (
        FactRow(N_("Server"), field("server")),
        FactRow(N_("Component"), field("component")),
        FactRow(N_("Version"), field("version")),
        FactRow(N_("Message"), field("message"), wide=True),
    ),
    "event": (
        *(FactRow(pair.lasted, lasted(pair.good), lead=True) for pair in OPPOSITES),
        FactRow(N_("Action"), field("action")),
        FactRow(N_("Owner"), field("owner")),
        FactRow(N_("By"), field("actor")),
        FactRow(N_("Reason"), field("reason"), wide=True),
    ),
}

HEADINGS = {
    "user": ("👤", N_("User Information")),
    "profile": ("📋", N_("Profile Details")),
    "subscription": ("📅", N_("Subscription Details")),
    "usage": ("📊", N_("Usage Details")),
    "payment": ("💳", N_("Payment Details")),
    "reseller": ("💼", N_("Reseller Information")),
    "device": ("📱", N_("Device Details")),
    "node": ("🖥️", N_("Node Information")),
    "billing": ("🧾", N_("Billing Details")),
    "peer": ("🔑", N_("Peer Information")),
    "interface": ("🌐", N_("Interface Information")),
    "security": ("🛡️", N_("Security Details")),
    "abuse": ("🚫", N_("Abuse Report")),
    "thing": ("🗂️", N_("Details")),
    "system": ("⚙️", N_("System Details")),
    "event": ("📝", N_("Event Details")),
}
