"""The facts of a message: each once, in words that people use, and only those that matter."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.event import Event
from bridge.messages.catalog import LOCALES, catalog
from bridge.messages.context import event_variables, reader
from bridge.messages.renderer import Renderer
from bridge.samples import samples
from bridge.sinks import SERVICES
from bridge.vocabulary import TYPES, subject_title
from tests.messages.speech import EVERYTHING, NOW, event, said

RENDERERS = {locale: Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale=locale) for locale in LOCALES}
SAMPLES = samples(at=NOW)

#: What is told in its own words, however much is asked for.
WHOLE = ("message.posted", "bridge.report")


ABUSE = event(
    "security.abuse_reported",
    {
        "user": {"username": "alice", "note": "paid"},
        "node": {"name": "fra-1", "address": "10.0.0.1", "load": [0.1, 0.2, 0.3]},
        "abuse": {
            "username": "alice",
            "node": "fra-1",
            "description": "bittorrent",
            "ip": "203.0.113.42",
            "destination": "198.51.100.9:6969",
            "inbound": "VLESS_TCP",
            "blocked": True,
            "block_seconds": 1800,
            "blocked_until": "2026-11-21T04:34:00Z",
        },
    },
)


@pytest.mark.parametrize(
    ("locale", "lines"),
    [
        ("en", ["Ok: yes", "Flags: yes, 0", "Nested deep: no"]),
        ("ru", ["Ok: да", "Flags: да, 0", "Nested deep: нет"]),
        ("fa", ["Ok: بله", "Flags: بله, 0", "Nested deep: خیر"]),
    ],
)
def test_what_nobody_has_described_is_told_in_the_readers_words_and_nothing_is_not_told(
    locale: str, lines: list[str]
) -> None:
    data = {"ok": True, "flags": [True, None, "", 0], "list": ["", None], "nested": {"deep": False, "none": [None]}}
    text = said("telegram", event("backup.done", data), RENDERERS[locale])["text"]
    told = re.sub("<[^<>]*>|[\u2066-\u2069]", "", text).splitlines()
    assert [line for line in told if ": " in line][2:] == lines


def test_a_torrent_report_says_each_thing_once() -> None:
    assert said("telegram", ABUSE)["text"].splitlines()[2:-2] == [
        "<b>User:</b> <code>alice</code>",
        "<b>Blocked:</b> yes",
        "<b>Blocked For:</b> 30 min",
        "<b>Blocked Until:</b> 2026-11-21 04:34 (30 minutes left)",
        "<b>Node:</b> <code>fra-1</code>",
        "<b>IP Address:</b> <code>203.0.113.42</code>",
        "<b>Destination:</b> <code>198.51.100.9:6969</code>",
        "<b>Inbound:</b> <code>VLESS_TCP</code>",
        "<b>Note:</b> <code>paid</code>",
        "<b>Details:</b> <code>bittorrent</code>",
    ]


def test_who_has_not_connected_is_told_in_hours_with_a_label() -> None:
    one = event("user.not_connected", {"user": {"username": "alice", "not_connected_hours": 72}})
    text = said("telegram", one)["text"]
    assert text.startswith("💤 <b>User has not connected</b> · 72 hours\n")
    assert "<b>Not Connected For:</b> 72 hours" in text


def test_a_user_on_hold_says_what_becomes_of_it() -> None:
    held = {"username": "alice", "status": "on_hold", "on_hold_seconds": 30 * 86400, "auto_delete_days": 7}
    one = event("user.on_hold", {"user": {**held, "on_hold_until": "2026-12-21T04:04:00Z"}})
    assert said("telegram", one)["text"].splitlines()[3:-2] == [
        "<b>Status:</b> on hold",
        "<b>Time Once Connected:</b> 30 days",
        "<b>On Hold Until:</b> 2026-12-21 04:04 (30 days left)",
        "<b>Deleted After:</b> 7 days",
    ]


def test_a_node_says_how_it_stands() -> None:
    text = said("telegram", event("node.updated", {"node": EVERYTHING["node"]}, "node:fra-1"))["text"]
    for line in (
        "<b>IP Addresses:</b> 203.0.113.20 (inbound)",
        "<b>In This State Since:</b> 2026-11-21 03:50",
        "<b>Traffic Reset On Day:</b> <code>15</code>",
        "<b>Users' Traffic Counts:</b> ×1.5",
        "<b>Node's Traffic Counts:</b> ×2",
        "<b>Processors:</b> <code>2</code>",
        "<b>Load:</b> 0.1 0.2 0.3",
        "<b>Memory:</b> 1 GB of 4 GB (25%)",
        "<b>Uptime:</b> 1 d",
        "<b>Core Uptime:</b> 1 h",
    ):
        assert line in text.splitlines()


def test_a_reseller_is_called_so_once() -> None:
    text = said("telegram", event("reseller.updated", {"reseller": EVERYTHING["reseller"]}, "reseller:shop"))["text"]
    assert text.count("Reseller:") == 1
    assert "<b>Reseller Email:</b> <code>shop@example.com</code>" in text


def test_an_action_is_written_as_people_write() -> None:
    for service in SERVICES:
        words = "".join(said(service, event("user.action", {"action": "CHANGED_SERVER"})).values())
        assert "Changed server" in words
        assert "CHANGED" not in words


@pytest.mark.parametrize("locale", ["fa", "ru"])
def test_every_kind_of_subject_has_a_word_in_every_language(locale: str) -> None:
    kinds = {(one.subject or one.type.replace(".", ":")).partition(":")[0] for one in SAMPLES if _who(one)}
    words = {kind: subject_title(kind) or kind for kind in kinds}
    assert {kind for kind, word_ in words.items() if catalog(locale).gettext(word_) == word_} == set()


def _who(one: Event) -> Any:
    return event_variables(one, reader("en", ZoneInfo("UTC")))["who"]


def test_what_tells_two_alerts_of_one_instance_apart_is_not_said() -> None:
    data = {
        "alert": {"name": "DiskWillFill", "severity": "warning", "instance": "fra-2:9100", "labels": {"team": "vpn"}}
    }
    one = event("alert.firing", data, "alert/a051217a8fd6d40d:fra-2:9100")
    text = said("telegram", one)["text"]
    assert text.splitlines()[:5] == [
        "🚨 <b>Alert firing</b>",
        "",
        "<b>Alert:</b> <code>DiskWillFill</code>",
        "<b>Severity:</b> <code>warning</code>",
        "<b>Instance:</b> <code>fra-2:9100</code>",
    ]
    assert "a051217a8fd6d40d" not in text + "".join(said("slack", one, style="full").values())
    assert "team=vpn" in said("telegram", one, style="full")["text"]


@pytest.mark.parametrize(("locale", "line"), [("fa", "\u2068<code>admin</code>\u2069"), ("ru", "<code>admin</code>")])
def test_a_login_of_nobody_we_know_is_told_in_every_language(locale: str, line: str) -> None:
    text = said(
        "telegram", event("security.login_failed", {"security": {"username": "admin"}}, None), RENDERERS[locale]
    )["text"]
    assert text.splitlines()[2] == f"<b>{catalog(locale).gettext('Account')}:</b> {line}"
    assert catalog(locale).gettext("Account") != "Account"


def test_what_runs_from_right_to_left_is_no_code() -> None:
    one = event(
        "user.created", {"user": {"username": "علی", "status": "active", "email": "ali@example.com"}}, "user:علی"
    )
    text = said("telegram", one, RENDERERS["fa"])["text"]
    assert not re.search("<code>[^<]*[\u0600-\u06ff]", text)
    assert "<code>ali@example.com</code>" in text
    assert "`" not in said("discord", one, RENDERERS["fa"])["description"]


# How much is said

LOGOUT = event(
    "user.logout",
    {
        "user": {**EVERYTHING["user"], "active": True},
        "subscription": EVERYTHING["subscription"],
        "reseller": EVERYTHING["reseller"],
        "device": {"name": "phone", "os": "iOS", "os_version": "18"},
    },
    panel="orbvpn",
)
LOST = event(
    "node.connection_lost",
    {"node": {"name": "fra-1", "address": "10.0.0.1", "country": "DE", "users_online": 7}, "reason": "timed out"},
    "node:fra-1",
)


def test_a_logout_says_who_it_was_and_on_which_device() -> None:
    assert said("telegram", LOGOUT)["text"].splitlines() == [
        "🚪 <b>User logged out</b>",
        "",
        "<b>User:</b> <code>alice</code>",
        "<b>Status:</b> active",
        "<b>Email:</b> <code>alice@example.com</code>",
        "<b>Device:</b> <code>phone</code>",
        "<b>System:</b> <code>iOS 18</code>",
        "<b>Note:</b> <code>paid until December</code>",
        "",
        "#user #user_logout · main · 2026-11-21 04:04 UTC",
    ]


@pytest.mark.parametrize("style", ["short", "normal", "full"])
def test_what_orbvpn_documents_for_slack_is_never_shortened(style: Any) -> None:
    text = said("slack", LOGOUT, style=style)["text"]
    assert text.startswith("🔔 *USER_LOGOUT*\nTime: Nov 21, 2026 04:04:00\n\n👤 *User Information*\n")
    for line in ("• User ID: 42", "📋 *Profile Details*", "• Plan: 3 Month", "• Discount: 100%", "• ID: 1"):
        assert line in text.splitlines()


@pytest.mark.parametrize(
    ("service", "lines"),
    [
        ("telegram", ["Reason", "Address", "Country"]),
        ("slack", ["Reason", "Address", "Country"]),
        ("ntfy", ["Reason", "Address", "Country"]),
    ],
)
def test_the_short_style_says_three_facts_and_why_among_them(service: str, lines: list[str]) -> None:
    blocks = "\n".join(said(service, LOST, style="short").values())
    labels = re.findall(r"(?m)^(?:• |<b>)?([A-Z]\w+):", blocks)
    assert [one for one in labels if one not in ("Node", "Time")] == lines


@pytest.mark.parametrize(
    ("type_", "data", "labels"),
    [
        ("security.abuse_reported", ABUSE.data, ["Blocked", "Blocked For", "Blocked Until"]),
        ("user.limited", EVERYTHING, ["Status", "Reason", "Expires At"]),
        ("payment.failed", EVERYTHING, ["Reason", "Gateway", "Payment Status"]),
        (
            "subscription.renewed",
            {k: v for k, v in EVERYTHING.items() if k != "reason"},
            ["Expires At", "Plan", "Auto Renew"],
        ),
        ("device.added", {k: v for k, v in EVERYTHING.items() if k != "reason"}, ["System", "Model", "Status"]),
    ],
)
def test_in_few_words_what_it_is_about_comes_first(type_: str, data: Any, labels: list[str]) -> None:
    text = said("telegram", event(type_, data), style="short")["text"]
    assert re.findall(r"(?m)^<b>([^<]+):</b>", text)[1:] == labels


def test_slack_says_a_name_once_where_it_heads_the_message() -> None:
    text = said("slack", LOST)["text"]
    assert (text.count("fra-1"), "• Name" in text) == (1, False)


def test_what_the_heading_says_is_not_said_again_in_few_words() -> None:
    payment = {"amount": 29.9, "currency": "EUR", "gateway": "stripe", "status": "FAILED"}
    text = said("telegram", event("payment.failed", {"payment": payment, "reason": "declined"}), style="short")["text"]
    assert text.count("29.90 EUR") == 1
    assert "<b>Reason:</b>" in text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("service", SERVICES)
def test_a_short_message_is_short_whatever_happened_and_is_headed_as_ever(service: str, locale: str) -> None:
    for one in (*SAMPLES, *(event(type_, EVERYTHING) for type_ in TYPES)):
        if one.type in WHOLE or (service == "slack" and one.panel == "orbvpn"):
            continue
        short, normal = (said(service, one, RENDERERS[locale], style=style) for style in ("short", "normal"))
        assert "".join(short.values()).count("\n") <= 8, short
        assert short.get("fields", "").count("\x1e") <= 3
        for name in short.keys() & {"title", "heading", "description", "color"}:
            assert short[name] == normal[name]
        if "text" in short and service != "ntfy":
            assert short["text"].splitlines()[:1] == normal["text"].splitlines()[:1]


@pytest.mark.parametrize("service", SERVICES)
def test_a_message_says_what_matters_unless_the_whole_is_asked_for(service: str) -> None:
    for type_ in TYPES:
        normal, full = (
            "".join(said(service, event(type_, EVERYTHING), style=style).values()) for style in ("normal", "full")
        )
        whole = type_.endswith((".created", ".updated"))
        assert (normal == full) is (whole or type_ in WHOLE), type_


@pytest.mark.parametrize("service", SERVICES)
def test_no_sample_is_told_in_more_lines_than_people_read(service: str) -> None:
    for one in SAMPLES:
        if one.type.endswith((".created", ".updated")) or (service == "slack" and one.panel == "orbvpn"):
            continue
        facts = re.findall(r"(?m)^(?:• |<b>)?[^:\n]+:|\x1e", "".join(said(service, one).values()))
        assert len(facts) <= 13, (one.type, facts)
