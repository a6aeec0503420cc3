"""Which facts each part of the data has: their labels, in one order whatever the panel and the service.

The labels of the first three parts and of the reseller's are those of OrbVPN's documented Slack layout.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

from bridge.messages.fields import (
    ValueWriter,
    all_time,
    due,
    duration,
    expires,
    factor,
    field,
    ip_addresses,
    joined,
    lasted,
    length,
    listed,
    memory,
    only,
    part_used,
    provider,
    resets,
    time_left,
    time_once_connected,
    traffic,
    words,
)
from bridge.value import Value
from bridge.vocabulary import TYPES
from bridge.vocabulary.types import N_, OPPOSITES


class FactRow(Value):
    """One fact: its label, and how it is written.

    alone  the label where no heading says what it is about; the same one if not given
    lead   where no heading orders them, it comes first
    wide   it is better on a line of its own, and comes last
    vital  in few words it comes before all that does not lead
    of     globs of the types that it matters to; it is told too where the whole thing is; None: it always matters
    """

    label: str
    write: ValueWriter
    alone: str = ""
    lead: bool = False
    wide: bool = False
    vital: bool = False
    of: tuple[str, ...] | None = None

    @property
    def rank(self) -> int:
        return 0 if self.lead else 2 if self.wide else 1

    def matters_to(self, type_: str) -> bool:
        return self.of is None or any(fnmatchcase(type_, glob) for glob in self.of)


WHOLE = ()  # it matters only where the whole thing is told
NODE = ("node.*",)


#: How long trouble lasted, by the good news: some has several kinds of trouble before it.
_LASTED = {pair.good: pair.lasted for pair in OPPOSITES}

#: The rows that each part of the data is shown by.
LAYOUT: dict[str, tuple[FactRow, ...]] = {
    "user": (
        FactRow(N_("Email"), field("email")),
        FactRow(N_("Username"), field("username")),
        FactRow(N_("User ID"), field("id"), of=WHOLE),
        FactRow(N_("Status"), field("status"), lead=True),
        FactRow(N_("Active"), only(False, "active")),
        FactRow(N_("Device Limit"), field("device_limit"), of=("device.*",)),
        FactRow(N_("Groups"), field("groups"), of=WHOLE),
        FactRow(N_("Tag"), field("tag"), of=WHOLE),
        FactRow(N_("Telegram ID"), field("telegram_id"), of=WHOLE),
        FactRow(N_("Last Seen"), field("online_at"), of=WHOLE),
        FactRow(N_("First Connected"), field("first_connected_at"), of=WHOLE),
        FactRow(N_("Last Node"), field("last_node"), of=WHOLE),
        FactRow(N_("Not Connected For"), field("not_connected_hours"), of=("user.not_connected",)),
        FactRow(N_("Next Plan"), only(True, "next_plan"), of=WHOLE),
        FactRow(N_("Note"), field("note"), wide=True),
    ),
    "profile": (
        FactRow(N_("Name"), joined(" ", "first_name", "last_name"), of=WHOLE),
        FactRow(N_("Country"), field("country"), of=WHOLE),
        FactRow(N_("Phone"), field("phone"), of=WHOLE),
        FactRow(N_("Department"), field("department"), of=WHOLE),
    ),
    "subscription": (
        FactRow(N_("Plan"), field("plan")),
        FactRow(N_("Multi-Login Count"), field("multi_login_count"), of=("subscription.*graded",)),
        FactRow(N_("Expires At"), expires, lead=True),
        FactRow(N_("Auto Renew"), field("auto_renew"), of=("subscription.*",)),
        FactRow(N_("Duration"), duration, of=("subscription.*",)),
        FactRow(N_("Expiry"), time_left),
        FactRow(N_("Time Once Connected"), time_once_connected, of=("user.on_hold",)),
        FactRow(N_("On Hold Until"), field("on_hold_until"), of=("user.on_hold",)),
        FactRow(N_("Deleted After"), field("auto_delete_days"), of=("user.expired*", "user.expiring", "user.on_hold")),
        FactRow(N_("Status"), field("status"), alone=N_("Subscription Status")),
        FactRow(N_("Price"), field("price"), of=("subscription.*",)),
        FactRow(N_("Trial"), only(True, "trial")),
    ),
    "usage": (
        FactRow(N_("Traffic"), traffic, lead=True),
        FactRow(N_("Used"), part_used),
        FactRow(N_("All-Time Traffic"), all_time, of=("user.deleted", "user.usage_reset")),
        FactRow(N_("Traffic Resets"), resets, of=("*.usage_*", "user.limited")),
    ),
    "payment": (
        FactRow(N_("Amount"), field("amount")),
        FactRow(N_("Gateway"), field("gateway")),
        FactRow(N_("Status"), field("status"), alone=N_("Payment Status")),
        FactRow(N_("Payment ID"), field("id")),
    ),
    "reseller": (
        FactRow(N_("ID"), field("id"), alone=N_("Reseller ID"), of=WHOLE),
        FactRow(N_("Name"), field("name"), alone=N_("Reseller")),
        FactRow(N_("Email"), field("email"), alone=N_("Reseller Email")),
        FactRow(N_("Level"), field("level"), of=("reseller.*",)),
        FactRow(N_("Discount"), field("discount_percent"), of=("reseller.*",)),
        FactRow(N_("Credit"), field("credit"), of=("reseller.*",)),
        FactRow(N_("Change"), field("amount"), alone=N_("Credit Change")),
    ),
    "device": (
        FactRow(N_("Name"), field("name"), alone=N_("Device")),
        FactRow(N_("ID"), field("id"), alone=N_("Device ID"), of=WHOLE),
        FactRow(N_("System"), joined(" ", "os", "os_version")),
        FactRow(N_("Model"), field("model")),
        FactRow(N_("App"), field("user_agent"), wide=True),
    ),
    "node": (
        FactRow(N_("Name"), field("name"), alone=N_("Node")),
        FactRow(N_("ID"), field("id"), alone=N_("Node ID"), of=WHOLE),
        FactRow(N_("Address"), joined(":", "address", "port"), of=NODE),
        FactRow(N_("Country"), field("country"), of=NODE),
        FactRow(N_("Provider"), field("provider"), of=NODE),
        FactRow(N_("Traffic"), traffic, of=NODE),
        FactRow(N_("Users Online"), field("users_online"), of=NODE),
        FactRow(N_("Core Version"), field("core_version"), of=WHOLE),
        FactRow(N_("Node Version"), field("node_version"), of=WHOLE),
        FactRow(N_("Tags"), field("tags"), of=WHOLE),
        FactRow(N_("IP Addresses"), ip_addresses, of=("node.connection_lost",)),
        FactRow(N_("In This State Since"), field("status_changed_at"), of=("node.connection_lost", "node.disabled")),
        FactRow(N_("Traffic Reset On Day"), field("traffic_reset_day"), of=("node.usage_*", "node.limited")),
        FactRow(N_("Users' Traffic Counts"), factor("multiplier"), of=WHOLE),
        FactRow(N_("Node's Traffic Counts"), factor("node_multiplier"), of=WHOLE),
        FactRow(N_("Processors"), field("cpus"), of=WHOLE),
        FactRow(N_("Load"), field("load"), of=("node.connection_lost",)),
        FactRow(N_("Memory"), memory, of=("node.connection_lost",)),
        FactRow(N_("Uptime"), field("uptime_seconds"), of=("node.connection_restored",)),
        FactRow(N_("Core Uptime"), field("core_uptime_seconds"), of=WHOLE),
    ),
    "billing": (FactRow(N_("Provider"), provider), FactRow(N_("Due"), due)),
    "peer": (
        FactRow(N_("Name"), field("name"), alone=N_("Peer")),
        FactRow(N_("Interface"), field("interface")),
        FactRow(N_("Addresses"), field("addresses")),
        FactRow(N_("Endpoint"), field("endpoint")),
        FactRow(N_("Allowed IPs"), field("allowed_ips"), of=WHOLE),
        FactRow(N_("Received"), field("received_bytes")),
        FactRow(N_("Sent"), field("sent_bytes")),
        FactRow(N_("Connected Since"), field("session_started_at")),
        FactRow(N_("Last Handshake"), field("last_handshake_at")),
        FactRow(N_("Expires At"), field("expires_at")),
        FactRow(N_("Disabled Since"), field("disabled_at")),
        FactRow(N_("Public Key"), field("key"), wide=True, of=WHOLE),
        FactRow(N_("Note"), field("notes"), wide=True),
    ),
    "interface": (
        FactRow(N_("Name"), field("name"), alone=N_("Interface")),
        FactRow(N_("ID"), field("id"), alone=N_("Interface ID")),
        FactRow(N_("Kind"), field("kind")),
        FactRow(N_("Port"), field("listen_port")),
        FactRow(N_("Addresses"), field("addresses")),
        FactRow(N_("Disabled Since"), field("disabled_at")),
        FactRow(N_("Public Key"), field("public_key"), wide=True, of=WHOLE),
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
        FactRow(N_("Blocked"), field("blocked"), lead=True),
        FactRow(N_("Blocked For"), field("block_seconds"), lead=True),
        FactRow(N_("Blocked Until"), field("blocked_until"), lead=True),
        FactRow(N_("Destination"), field("destination")),
        FactRow(N_("Inbound"), field("inbound")),
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
    "alert": (
        FactRow(N_("Name"), field("name"), alone=N_("Alert")),
        FactRow(N_("Severity"), field("severity"), lead=True),
        FactRow(N_("Instance"), field("instance")),
        FactRow(N_("Address"), field("address")),
        FactRow(N_("Summary"), field("summary"), wide=True),
        FactRow(N_("Details"), field("description"), wide=True),
        FactRow(N_("Since"), field("started_at"), of=("alert.resolved",)),
        FactRow(N_("Not Sent"), field("left_out")),
        FactRow(N_("Labels"), listed("labels"), wide=True, of=WHOLE),
        FactRow(N_("Link"), field("url"), wide=True, of=WHOLE),
    ),
    "ticket": (
        FactRow(N_("Title"), field("title"), wide=True, alone=N_("Ticket")),
        FactRow(N_("Number"), field("id")),
        FactRow(N_("Status"), field("status"), lead=True),
        FactRow(N_("Priority"), field("priority")),
        FactRow(N_("Message"), field("message"), wide=True),
    ),
    "lane": (
        FactRow(N_("Sink"), field("sink")),
        FactRow(N_("Given Up"), field("dead"), lead=True),
        FactRow(N_("Since"), field("since")),
    ),
    "source": (
        FactRow(N_("Source"), field("name")),
        FactRow(N_("Silent For"), length("silent_seconds"), lead=True),
        FactRow(N_("Last Event"), field("last_event_at")),
    ),
    "report": (
        FactRow(N_("Events"), field("events"), lead=True),
        FactRow(N_("Delivered"), field("delivered")),
        FactRow(N_("Given Up"), field("given_up")),
    ),
    "config": (
        FactRow(N_("File"), field("file")),
        FactRow(N_("Mistakes"), field("mistakes"), wide=True),
    ),
    "event": (
        *(FactRow(label, lasted(good), lead=True) for good, label in _LASTED.items()),
        FactRow(N_("Action"), words("action")),
        FactRow(N_("Owner"), field("owner")),
        FactRow(N_("By"), field("actor")),
        FactRow(N_("Reason"), field("reason"), wide=True, vital=True),
        FactRow(N_("Command"), field("command"), wide=True),
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
    "alert": ("🚨", N_("Alert Details")),
    "ticket": ("🎫", N_("Ticket Details")),
    "lane": ("📨", N_("Sink Details")),
    "source": ("📥", N_("Source Details")),
    "report": ("📊", N_("Report Details")),
    "config": ("📄", N_("File Details")),
    "event": ("📝", N_("Event Details")),
}


_SESSIONS = ("user.login", "user.logout", "user.action", "user.password_changed", "user.email_verified")
#: What a session, a device, a login or a bill is not about, though the panel tells it all with them.
_ASIDE = {
    "profile": ("user.*", "subscription.*", "payment.*", "device.*", "security.*"),
    "usage": (*_SESSIONS, "device.*", "security.*", "subscription.*", "payment.*"),
    **dict.fromkeys(("subscription", "payment", "reseller"), (*_SESSIONS, "device.*", "security.*")),
}


def told_whole(type_: str) -> bool:
    """Whether all that is known matters: something was made or changed, or nobody knows what such an event is about."""
    return type_ not in TYPES or type_.rpartition(".")[2] in ("created", "updated")


@lru_cache(maxsize=1024)
def layout_of(type_: str, *, whole: bool) -> Mapping[str, tuple[FactRow, ...]]:
    """The rows of LAYOUT that matter to a type; all of them where the `whole` is to be told."""
    if whole:
        return LAYOUT
    return {
        about: tuple(row for row in rows if row.matters_to(type_))
        for about, rows in LAYOUT.items()
        if not any(fnmatchcase(type_, glob) for glob in _ASIDE.get(about, ()))
    }
