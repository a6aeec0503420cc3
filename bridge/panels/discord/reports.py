"""The reports that Marzban and PasarGuard post to Discord, read back from their embeds.

Source   github.com/Gozargah/Marzban: app/discord/handlers/report.py from v0.3.0 to v0.8.4;
         github.com/PasarGuard/panel v5.2.1: app/notification/discord/*.py, messages.py
Sends    {title, description, color, footer}: the kind in the title, or in Marzban's status changes in the
         first line of the description; then a line for each label, `**Username:** alice`; people in the footer
Units    sizes as `50.0 GB` (GB = 2^30), in AutoReset raw bytes and epoch seconds; Marzban's dates are
         `HH:MM:SS YYYY-MM-DD` in the panel's zone, PasarGuard's ISO 8601, UTC
Quirks   names come unescaped in Marzban, and may hold line breaks that imitate further lines: the first line is
         trusted for the name, and a label that stands there twice for nothing
         PasarGuard writes a backslash before * _ ~ and the backtick, but not in reports of API keys
         the footer of those is frozen with the first one of the process: not read
         the password of a failed login is in clear; only the address after it cannot hold line breaks
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any

from bridge.event import JsonObject, iso
from bridge.foreign import number, present, truth, utc, whole
from bridge.value import Value, replace


class EmbedReport(Value):
    """What one embed reports. `name` is what the panel's own code calls it."""

    panel: str
    name: str
    type: str
    subject: str | None
    data: JsonObject


class ReportKind(Value):
    """One kind of report: whose, what it is called, what it means, and what it is about."""

    panel: str
    name: str
    type: str
    about: str


def _marzban(name: str, type_: str, about: str = "user") -> ReportKind:
    return ReportKind("marzban", name, type_, about)


def _pasarguard(name: str, type_: str, about: str = "user") -> ReportKind:
    return ReportKind("pasarguard", name, type_, about)


#: Marzban's, by title.
TITLED = {
    ":new: Created": _marzban("report_new_user", "user.created"),
    ":pencil2: Modified": _marzban("report_user_modification", "user.updated"),
    ":wastebasket: Deleted": _marzban("report_user_deletion", "user.deleted"),
    ":repeat: Reset": _marzban("report_user_usage_reset", "user.usage_reset"),
    ":repeat: AutoReset": _marzban("report_user_data_reset_by_next", "user.plan_advanced"),
    ":repeat: Revoked": _marzban("report_user_subscription_revoked", "user.subscription_revoked"),
    ":repeat: Login": _marzban("report_login", "security.login", "login"),
}

#: Marzban's without a title, by the first line.
HEADED = {
    "**:white_check_mark: Activated**": _marzban("report_status_change/active", "user.enabled"),
    "**:x: Disabled**": _marzban("report_status_change/disabled", "user.disabled"),
    "**:low_battery: #Limited**": _marzban("report_status_change/limited", "user.limited"),
    "**:clock5: #Expired**": _marzban("report_status_change/expired", "user.expired"),
}

#: PasarGuard's, by title in small letters without the emoji before it.
PLAIN = {
    "create user": _pasarguard("create_user", "user.created"),
    "modify user": _pasarguard("modify_user", "user.updated"),
    "remove user": _pasarguard("remove_user", "user.deleted"),
    "reset user data usage": _pasarguard("reset_user_data_usage", "user.usage_reset"),
    "reset user": _pasarguard("user_data_reset_by_next", "user.plan_advanced"),
    "revoke user subscribtion": _pasarguard("user_subscription_revoked", "user.subscription_revoked"),
    "**activated**": _pasarguard("user_status_change/active", "user.enabled"),
    "**on hold**": _pasarguard("user_status_change/on_hold", "user.on_hold"),
    "**disabled**": _pasarguard("user_status_change/disabled", "user.disabled"),
    "**limited**": _pasarguard("user_status_change/limited", "user.limited"),
    "**expired**": _pasarguard("user_status_change/expired", "user.expired"),
    "admin reset usage": _pasarguard("admin_reset_usage", "admin.usage_reset", "admin"),
    "admin usage limit warning": _pasarguard("admin_usage_limit_reached", "admin.usage_threshold", "admin"),
    "login attempt": _pasarguard("admin_login", "security.login", "login"),
    "connect node": _pasarguard("connect_node", "node.connection_restored", "node"),
    "recovered node": _pasarguard("recovered_node", "node.connection_restored", "node"),
    "error node": _pasarguard("error_node", "node.connection_lost", "node"),
    "limited node": _pasarguard("limited_node", "node.limited", "node"),
    "reset node usage": _pasarguard("reset_node_usage", "node.usage_reset", "node"),
    "modify hosts": _pasarguard("modify_hosts", "host.updated", "hosts"),
    **{
        f"{verb} {word}": _pasarguard(f"{verb}_{word.replace(' ', '_')}", f"{about}.{done}", about)
        for verb, done in (("create", "created"), ("modify", "updated"), ("remove", "deleted"))
        for word, about in (
            ("admin", "admin"),
            ("admin role", "role"),
            ("api key", "api_key"),
            ("core", "core"),
            ("group", "group"),
            ("host", "host"),
            ("node", "node"),
            ("user template", "template"),
        )
    },
}

#: The last word under a login → what it adds to the name, and the type.
ENDINGS = {
    "Failed": ("failed", "security.login_failed"),
    "Success": ("success", "security.login_succeeded"),
    "Successful": ("success", "security.login_succeeded"),
}

#: The label of the first line: whom, or what, a report is about. A removed group or core has only its number.
NAMING = {"user": ("Username",), "admin": ("Username",), "login": ("Username",), "host": ("Remark",)}

LONGEST_TITLE = 80
EMBED_KEYS = {"title", "description", "color", "footer", "timestamp", "type"}
LABELLED = re.compile(r"\s*\*\*(?P<label>[^*:\n]+):? ?\*\*:? ?(?P<value>.*)")
FOOTED = re.compile(r"(?P<label>ID|Belongs? To|By)[: ]\s*(?P<value>.*)")
ESCAPED = re.compile(r"\\([*_~`])")
ALL_HOSTS = re.compile(r"\s*All hosts ha(?:s|ve) been updated by \*\*(?P<by>.*)\*\*\s*")
SIZE = re.compile(r"([0-9]{1,30}(?:\.[0-9]{1,30})?)(?: ?([KMGTPEZY]?)B)?")
PASSWORD = re.compile(r"^[ \t>]*\*\*[ \t]*password[ \t]*:?[ \t]*\*\*:?", re.MULTILINE | re.IGNORECASE)
ADDRESS = re.compile(r"^[ \t>]*\*\*[ \t]*(?:client[ \t]+)?ip[ \t]*:?[ \t]*\*\*", re.MULTILINE | re.IGNORECASE)


def kinds() -> Iterator[ReportKind]:
    """Every kind there is, a login once for each way to end."""
    for kind in (*TITLED.values(), *HEADED.values(), *PLAIN.values()):
        if kind.about == "login":
            yield from filter(None, (_login(kind, ending) for ending in ENDINGS))
        else:
            yield kind


def recognise(embed: Any, zone: tzinfo) -> EmbedReport | None:
    """The report that this embed is; None where it is anything else. `zone` is the panel's own."""
    if not isinstance(embed, dict) or any(embed[key] for key in embed.keys() - EMBED_KEYS):
        return None
    description, footer = embed.get("description"), embed.get("footer")
    if not isinstance(description, str):
        return None
    foot = footer.get("text") if isinstance(footer, dict) else None
    return _report(embed.get("title") or "", description, foot if isinstance(foot, str) else "", zone)


def without_password(text: str, *, title: Any = "") -> str:
    """The text without the password of a login report, whatever lines the password itself imitates.

    Everything goes from the first password label to the last address label, which is the panel's own: an address
    comes from a header and cannot hold line breaks. Without an address it is a login report only if titled so.
    """
    label = PASSWORD.search(text)
    if label is None:
        return text
    addresses = list(ADDRESS.finditer(text, label.end()))
    if addresses:
        return f"{text[: label.end()]} ***\n{text[addresses[-1].start() :]}"
    titled = isinstance(title, str) and "login" in title.lower()
    return f"{text[: label.end()]} ***" if titled else text


class EmbedSheet(Value):
    """Labels and their values, in order."""

    rows: tuple[tuple[str, str], ...]

    def only(self, *labels: str) -> str | None:
        """The value of the one row with such a label; None where there are two: one of them is forged."""
        found = [value.strip() for label, value in self.rows if label in labels]
        return found[0] if len(found) == 1 and found[0] not in ("", "None") else None


def _report(title: Any, description: str, footer: str, zone: tzinfo) -> EmbedReport | None:
    lines = [line for line in description.split("\n") if line.strip()]
    if title:
        kind = _kind_by_title(title, footer)
    else:
        kind = HEADED.get(lines[0].strip()) if lines else None
        lines = lines[2:]  # the second is a rule of dashes
    if kind is None or kind.about == "hosts":
        return _all_hosts_report(kind, description) if kind else None
    escaped = kind.panel == "pasarguard" and kind.about != "api_key"
    sheet = _sheet(LABELLED, lines, escaped)
    if not sheet.rows or not LABELLED.fullmatch(lines[0]):
        return None
    label, name = sheet.rows[0]
    if label not in NAMING.get(kind.about, ("Name", "ID")):
        return None
    foot = _sheet(FOOTED, () if kind.about == "api_key" else footer.split("\n"), escaped)
    about = "admin" if kind.about == "login" else kind.about
    data = DATA.get(kind.about, _thing_data)(kind, sheet, foot, zone)
    return EmbedReport(kind.panel, kind.name, kind.type, f"{about}:{name}" if name.strip() else None, data)


def _kind_by_title(title: Any, footer: str) -> ReportKind | None:
    if not isinstance(title, str) or len(title) > LONGEST_TITLE:
        return None
    words = re.sub(r"^\W+|\W+$", "", title).lower()
    kind = TITLED.get(title.strip()) or PLAIN.get(f"**{words}**" if title.strip().startswith("**") else words)
    return _login(kind, footer) if kind is not None and kind.about == "login" else kind


def _login(kind: ReportKind, footer: str) -> ReportKind | None:
    """How a login ended: the footer's last word."""
    ending = ENDINGS.get(next(reversed(footer.split()), ""))
    return replace(kind, name=f"{kind.name}/{ending[0]}", type=ending[1]) if ending else None


def _sheet(pattern: re.Pattern[str], lines: Iterable[str], escaped: bool) -> EmbedSheet:
    """A line without a label continues the value before it, but never the name: that is one line, or forged."""
    rows: list[tuple[str, str]] = []
    for line in lines:
        if match := pattern.fullmatch(line):
            rows.append((match["label"], ESCAPED.sub(r"\1", match["value"]) if escaped else match["value"]))
        elif len(rows) > 1:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]}\n{line}")
    return EmbedSheet(tuple(rows))


def _all_hosts_report(kind: ReportKind, description: str) -> EmbedReport | None:
    """`Modify Hosts` names no host, and its admin in the only sentence."""
    if not (match := ALL_HOSTS.fullmatch(description)):
        return None
    return EmbedReport(kind.panel, kind.name, kind.type, None, present(actor=ESCAPED.sub(r"\1", match["by"])))


def _owner_and_actor(foot: EmbedSheet) -> JsonObject:
    return present(owner=foot.only("Belongs To", "Belong To"), actor=foot.only("By"))


def _user_data(kind: ReportKind, sheet: EmbedSheet, foot: EmbedSheet, zone: tzinfo) -> JsonObject:
    strategy = sheet.only("Data Limit Reset Strategy") or ""
    groups = sheet.only("Groups")
    user = present(
        username=sheet.rows[0][1],
        id=whole(foot.only("ID")),
        status=kind.name.partition("/")[2],
        limit_bytes=_bytes(sheet.only("Traffic Limit", "Data Limit")) or None,
        expires_at=_utc(sheet.only("Expire Date"), zone),
        reset_strategy=strategy.rpartition(".")[2],
        groups=groups.split(", ") if groups else None,
        next_plan=truth(sheet.only("Has Next Plan")),
    )
    return {"user": user, **_owner_and_actor(foot)}


def _login_data(kind: ReportKind, sheet: EmbedSheet, foot: EmbedSheet, zone: tzinfo) -> JsonObject:
    """The last address is the panel's own line, as in `without_password`."""
    addresses = [value.strip() for label, value in sheet.rows if label in ("Client ip", "IP")]
    return {"security": present(username=sheet.rows[0][1], ip=addresses[-1] if addresses else None)}


def _node_data(kind: ReportKind, sheet: EmbedSheet, foot: EmbedSheet, zone: tzinfo) -> JsonObject:
    up, down = _bytes(sheet.only("Uplink at Reset")), _bytes(sheet.only("Downlink at Reset"))
    node = present(
        name=sheet.rows[0][1],
        id=whole(foot.only("ID")),
        address=sheet.only("Address"),
        port=whole(sheet.only("Port")),
        node_version=sheet.only("Node Version"),
        core_version=sheet.only("Core Version"),
        used_bytes=_bytes(sheet.only("Used Traffic")) if up is None or down is None else up + down,
        limit_bytes=_bytes(sheet.only("Data Limit")) or None,
    )
    return {"node": node, **present(reason=sheet.only("Error")), **_owner_and_actor(foot)}


def _thing_data(kind: ReportKind, sheet: EmbedSheet, foot: EmbedSheet, zone: tzinfo) -> JsonObject:
    label, name = sheet.rows[0]
    usage = _usage(sheet)
    apart = ("Status", "Expire Date", *(USAGE if usage else ()))
    labels = [label for label, _ in sheet.rows[1:] if label not in apart]
    thing = present(
        name=None if label == "ID" else name,
        id=whole(name if label == "ID" else foot.only("ID")),
        status=sheet.only("Status"),
        expires_at=_utc(sheet.only("Expire Date"), zone),
        details=present(**{one: sheet.only(one) for one in labels}),
    )
    return {kind.about: thing, **present(usage=usage), **_owner_and_actor(foot)}


def _usage(sheet: EmbedSheet) -> JsonObject:
    """The figures of the warning about an admin's traffic; empty in any other report."""
    share, used, limit = (sheet.only(label) for label in USAGE)
    if not share:
        return {}
    return present(
        used_bytes=_bytes(used),
        limit_bytes=_bytes(limit) or None,
        percent=number(share.removesuffix("%")),
    )


#: The labels of those figures.
USAGE = ("Usage", "Used Traffic", "Data Limit")

DATA = {"user": _user_data, "login": _login_data, "node": _node_data}


def _bytes(text: str | None) -> int | None:
    """Bytes of `50.0 GB`, or of a bare number."""
    match = SIZE.fullmatch(text or "")
    return round(float(match[1]) * 1024 ** " KMGTPEZY".index(match[2] or " ")) if match else None


def _utc(text: str | None, zone: tzinfo) -> str | None:
    """ISO 8601 in UTC, of any way the reports write a time; None for never."""
    try:
        if (seconds := number(text)) is not None:
            return iso(datetime.fromtimestamp(seconds, UTC)) if seconds > 0 else None
        if text and re.match(r"[0-9]{2}:", text):
            return iso(datetime.strptime(text, "%H:%M:%S %Y-%m-%d").replace(tzinfo=zone))
    except (ValueError, OverflowError, OSError):
        return None
    return utc(text)
