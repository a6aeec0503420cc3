"""What is worth showing of an event: facts with a label, in sections, in one order whatever the panel and the service.

The labels of the first three sections and of the reseller's are those of OrbVPN's documented Slack layout.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from bridge.event import Event
from bridge.foreign import object_at
from bridge.messages.rows import (
    Data,
    Row,
    Style,
    all_time,
    due,
    duration,
    end,
    expires,
    joined,
    lasted,
    money,
    only,
    part_used,
    percent,
    provider,
    resets,
    size,
    state,
    text,
    time,
    time_left,
    time_once_connected,
    traffic,
    truth,
)
from bridge.messages.values import given, label, leaves
from bridge.vocabulary import KEYS, THINGS, ValueKind, subject_title
from bridge.vocabulary.types import N_, OPPOSITES

#: The rows that each part of the data is shown by.
ROWS: dict[str, tuple[Row, ...]] = {
    "user": (
        Row(N_("Email"), text("email")),
        Row(N_("Username"), text("username")),
        Row(N_("User ID"), text("id")),
        Row(N_("Status"), state("status"), lead=True),
        Row(N_("Active"), only(False, "active")),
        Row(N_("Device Limit"), text("device_limit")),
        Row(N_("Groups"), text("groups")),
        Row(N_("Tag"), text("tag")),
        Row(N_("Telegram ID"), text("telegram_id")),
        Row(N_("Last Seen"), time("online_at")),
        Row(N_("Next Plan"), only(True, "next_plan")),
        Row(N_("Note"), text("note"), wide=True),
    ),
    "profile": (
        Row(N_("Name"), joined(" ", "first_name", "last_name")),
        Row(N_("Country"), text("country")),
        Row(N_("Phone"), text("phone")),
        Row(N_("Department"), text("department")),
    ),
    "subscription": (
        Row(N_("Plan"), text("plan")),
        Row(N_("Multi-Login Count"), text("multi_login_count")),
        Row(N_("Expires At"), expires, lead=True),
        Row(N_("Auto Renew"), truth("auto_renew")),
        Row(N_("Duration"), duration),
        Row(N_("Expiry"), time_left),
        Row(N_("Time Once Connected"), time_once_connected),
        Row(N_("Status"), state("status"), alone=N_("Subscription Status")),
        Row(N_("Price"), money("price")),
        Row(N_("Trial"), only(True, "trial")),
    ),
    "usage": (
        Row(N_("Traffic"), traffic, lead=True),
        Row(N_("Used"), part_used),
        Row(N_("All-Time Traffic"), all_time),
        Row(N_("Traffic Resets"), resets),
    ),
    "payment": (
        Row(N_("Amount"), money("amount")),
        Row(N_("Gateway"), text("gateway")),
        Row(N_("Status"), state("status"), alone=N_("Payment Status")),
        Row(N_("Payment ID"), text("id")),
    ),
    "reseller": (
        Row(N_("ID"), text("id"), alone=N_("Reseller ID")),
        Row(N_("Name"), text("name"), alone=N_("Reseller")),
        Row(N_("Email"), text("email"), alone=N_("Reseller")),
        Row(N_("Level"), text("level")),
        Row(N_("Discount"), percent("discount_percent")),
        Row(N_("Credit"), money("credit")),
        Row(N_("Change"), money("amount"), alone=N_("Credit Change")),
    ),
    "device": (
        Row(N_("Name"), text("name"), alone=N_("Device")),
        Row(N_("ID"), text("id"), alone=N_("Device ID")),
        Row(N_("System"), joined(" ", "os", "os_version")),
        Row(N_("Model"), text("model")),
        Row(N_("App"), text("user_agent"), wide=True),
    ),
    "node": (
        Row(N_("Name"), text("name"), alone=N_("Node")),
        Row(N_("ID"), text("id"), alone=N_("Node ID")),
        Row(N_("Address"), joined(":", "address", "port")),
        Row(N_("Country"), text("country")),
        Row(N_("Provider"), text("provider")),
        Row(N_("Traffic"), traffic),
        Row(N_("Users Online"), text("users_online")),
        Row(N_("Core Version"), text("core_version")),
        Row(N_("Node Version"), text("node_version")),
        Row(N_("Tags"), text("tags")),
    ),
    "billing": (Row(N_("Provider"), provider), Row(N_("Due"), due)),
    "peer": (
        Row(N_("Name"), text("name"), alone=N_("Peer")),
        Row(N_("Interface"), text("interface")),
        Row(N_("Addresses"), text("addresses")),
        Row(N_("Endpoint"), text("endpoint")),
        Row(N_("Allowed IPs"), text("allowed_ips")),
        Row(N_("Received"), size("received_bytes")),
        Row(N_("Sent"), size("sent_bytes")),
        Row(N_("Connected Since"), time("session_started_at")),
        Row(N_("Last Handshake"), time("last_handshake_at")),
        Row(N_("Expires At"), end("expires_at")),
        Row(N_("Disabled Since"), time("disabled_at")),
        Row(N_("Public Key"), text("key"), wide=True),
        Row(N_("Note"), text("notes"), wide=True),
    ),
    "interface": (
        Row(N_("Name"), text("name"), alone=N_("Interface")),
        Row(N_("ID"), text("id"), alone=N_("Interface ID")),
        Row(N_("Kind"), text("kind")),
        Row(N_("Port"), text("listen_port")),
        Row(N_("Addresses"), text("addresses")),
        Row(N_("Disabled Since"), time("disabled_at")),
        Row(N_("Public Key"), text("public_key"), wide=True),
    ),
    "security": (
        Row(N_("Username"), text("username")),
        Row(N_("IP Address"), text("ip")),
        Row(N_("Client"), text("user_agent"), wide=True),
        Row(N_("Details"), text("description"), wide=True),
    ),
    "abuse": (
        Row(N_("Username"), text("username")),
        Row(N_("Node"), text("node")),
        Row(N_("IP Address"), text("ip")),
        Row(N_("Details"), text("description"), wide=True),
    ),
    "thing": (
        Row(N_("Name"), text("name")),
        Row(N_("ID"), text("id")),
        Row(N_("Status"), state("status")),
        Row(N_("Expires At"), end("expires_at")),
    ),
    "system": (
        Row(N_("Server"), text("server")),
        Row(N_("Component"), text("component")),
        Row(N_("Version"), text("version")),
        Row(N_("Message"), text("message"), wide=True),
    ),
    "event": (
        *(Row(pair.lasted, lasted(pair.good), lead=True) for pair in OPPOSITES),
        Row(N_("Action"), text("action")),
        Row(N_("Owner"), text("owner")),
        Row(N_("By"), text("actor")),
        Row(N_("Reason"), text("reason"), wide=True),
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

#: What is shown elsewhere, or in a template of its own.
BESIDE = frozenset({*KEYS, *ROWS})


#: Stands for the row of what has none.
UNLISTED = Row("", text(""))


class Fact(NamedTuple):
    label: str
    value: Any
    wide: bool = False


class Section(NamedTuple):
    emoji: str
    heading: str
    facts: list[Fact]


def sections(event: Event, style: Style) -> list[Section]:
    """All that is known, under headings."""
    said = style.formats.said
    kind, _, name = (event.subject or "").partition(":")
    found = []
    if name and not (kind in event.data and kind in (*ROWS, *THINGS)):
        about = said(title) if (title := subject_title(kind)) else label(kind)
        found.append(Section("📌", said(N_("Subject")), [Fact(about, style.formats.brief(name))]))
    for about, part in _parts(event.data):
        emoji, heading = HEADINGS[about]
        if shown := [fact for _, fact in _shown(about, part, style, alone=False)]:
            found.append(Section(emoji, said(heading), shown))
    return found


def facts(event: Event, style: Style, who: Any) -> list[Fact]:
    """All that is known, in a row, but for `who` it is about: what leads, the rest, what needs a line of its own."""
    named = style.formats.brief(who)
    found = [shown for about, part in _parts(event.data) for shown in _shown(about, part, style, alone=True)]
    return [fact for _, fact in sorted(found, key=_rank) if fact.value != named]


def _rank(shown: tuple[Row, Fact]) -> int:
    row, _ = shown
    return 0 if row.lead else 2 if row.wide else 1


def _parts(data: Data) -> Iterator[tuple[str, Data]]:
    """The parts of the data in the order of ROWS; what belongs together though it came apart is put together."""
    user, expiry, usage = (object_at(data, key) for key in ("user", "expiry", "usage"))
    ends = user.get("expires_at") or expiry.get("at")
    forever = given(user.get("used_bytes")) and user.get("status") in ("active", "limited", "disabled")
    term = {"expires_at": ends, "never": forever, "on_hold_seconds": user.get("on_hold_seconds"), **expiry}
    for about in ROWS:
        match about:
            case "profile":
                yield about, user
            case "subscription":
                yield about, {**term, **object_at(data, about)}
            case "usage":
                yield about, {**user, **usage}
            case "node":
                if node := object_at(data, about):
                    yield about, {**node, "provider": None} if "billing" in data else node
            case "thing":
                yield from (("thing", thing) for key in THINGS if (thing := object_at(data, key)))
            case "event":
                yield about, data
            case _ if part := object_at(data, about):
                yield about, part


def _shown(about: str, part: Data, style: Style, *, alone: bool) -> Iterator[tuple[Row, Fact]]:
    formats = style.formats
    for row in ROWS[about]:
        value = row.get(part, style)
        if value is not None and given(value):
            yield row, Fact(formats.said((alone and row.alone) or row.label), formats.brief(value), row.wide)
    for words, value in _unlisted(about, part):
        yield UNLISTED, Fact(words, formats.brief(value))


def _unlisted(about: str, part: Data) -> Iterable[tuple[str, Any]]:
    """What a panel says in words of its own, and what nobody has described."""
    if about == "thing":
        return ((str(key), value) for key, value in object_at(part, "details").items() if given(value))
    if about == "event":
        return leaves({key: value for key, value in part.items() if key not in BESIDE or not _fits(key, value)})
    return ()


def _fits(key: str, value: Any) -> bool:
    """Whether a part that we know is what it should be: an object, or for some a text."""
    return isinstance(value, dict) or (key in KEYS and KEYS[key].kind is ValueKind.TEXT)
