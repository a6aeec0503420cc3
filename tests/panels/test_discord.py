"""The Discord endpoint's payloads: the panels' reports, and every other message."""

import json
from typing import Any

import pytest
from discord_webhook import DiscordEmbed, DiscordWebhook
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.errors import BadPayload, BadSignature
from bridge.panels.base import EmptyMessage, Hook, ParsedEvent
from bridge.panels.discord.panel import DiscordEndpointConfig, DiscordPanel
from bridge.panels.discord.reports import HEADED, PLAIN, TITLED
from bridge.vocabulary import TYPES
from tests.panels.recorded import ARRIVAL, Recorded, recorded

TOKENS = ["main-channel-token-AAAA", "reseller-token-BBBB", "pasar-main-token-CCCC", "pasar-admin-token-DDDD"]
REPORTS = [(folder, one) for folder in ("marzban", "pasarguard") for one in recorded(folder) if one.hook.token]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def panel(timezone: str = "UTC", secret: Any = TOKENS) -> DiscordPanel:
    return DiscordPanel(
        DiscordEndpointConfig.model_validate({"panel": "discord", "secret": secret, "timezone": timezone})
    )


def taken(body: Any, timezone: str = "UTC") -> list[tuple[Any, ParsedEvent]]:
    """The elements of a request, scrubbed, and what each one says."""
    source, hook = panel(timezone), Hook(body=json.dumps(body).encode(), received_at=ARRIVAL)
    scrubbed = [source.scrub(element) for element in source.elements(hook)]
    return [(element, source.parse(element, hook)) for element in scrubbed]


def said(body: Any, timezone: str = "UTC") -> ParsedEvent:
    ((_, sighting),) = taken(body, timezone)
    return sighting


def embed(title: str | None, description: str, footer: str | None = None) -> dict[str, Any]:
    known = {"title": title, "description": description, "footer": {"text": footer}, "color": 65280}
    return {key: value for key, value in known.items() if value not in (None, {"text": None})}


def report(title: str | None, description: str, footer: str | None = None) -> ParsedEvent:
    return said({"content": "", "embeds": [embed(title, description, footer)]})


# What was recorded


@pytest.mark.parametrize(("folder", "request_"), REPORTS, ids=lambda one: str(one))
def test_every_recorded_report_is_one_typed_event(folder: str, request_: Recorded) -> None:
    source = panel()
    source.verify(request_.hook)
    elements = [source.scrub(one) for one in source.elements(request_.hook)]
    sightings = [source.parse(one, request_.hook) for one in elements]
    assert len(sightings) == request_.expect_count
    assert [(s.native_type, (s.subject or "").partition(":")[2]) for s in sightings] == request_.expect_events
    assert {s.panel for s in sightings} == {folder}
    assert all(s.type in TYPES and s.occurred_at is None for s in sightings)
    assert "wrong-password" not in json.dumps([elements, [s.data for s in sightings]])


# Every report there is

USER, NODE, NAME = "**Username:** bob", "**Name:** fra", "**Name:** x"
LOGIN, STATUS, LIMIT = "report_login", "report_status_change", "admin_usage_limit_reached"
MARZBAN_ROWS = [
    (":new: Created", USER, "By: root", "report_new_user", "user.created", "user:bob"),
    (":pencil2: Modified", USER, "By: root", "report_user_modification", "user.updated", "user:bob"),
    (":wastebasket: Deleted", "**Username: **bob", "By root", "report_user_deletion", "user.deleted", "user:bob"),
    (":repeat: Reset", USER, "By: root", "report_user_usage_reset", "user.usage_reset", "user:bob"),
    (":repeat: AutoReset", USER, "By: root", "report_user_data_reset_by_next", "user.plan_advanced", "user:bob"),
    (":repeat: Revoked", USER, "By: r", "report_user_subscription_revoked", "user.subscription_revoked", "user:bob"),
    (":repeat: Login", USER, "login status: ❌ Failed", f"{LOGIN}/failed", "security.login_failed", "admin:bob"),
    (":repeat: Login", USER, "login status: ✅ Success", f"{LOGIN}/success", "security.login_succeeded", "admin:bob"),
    (None, f"**:white_check_mark: Activated**\n-----\n{USER}", None, f"{STATUS}/active", "user.enabled", "user:bob"),
    (None, f"**:x: Disabled**\n-----\n{USER}", None, f"{STATUS}/disabled", "user.disabled", "user:bob"),
    (None, f"**:low_battery: #Limited**\n-----\n{USER}", None, f"{STATUS}/limited", "user.limited", "user:bob"),
    (None, f"**:clock5: #Expired**\n-----\n{USER}", None, f"{STATUS}/expired", "user.expired", "user:bob"),
]  # fmt: skip
PASARGUARD_ROWS = [
    ("🆕 Create User", USER, "create_user", "user.created", "user:bob"),
    ("✏️ Modify User", USER, "modify_user", "user.updated", "user:bob"),
    ("🗑️ Remove User", USER, "remove_user", "user.deleted", "user:bob"),
    ("🔁 Reset User Data Usage", USER, "reset_user_data_usage", "user.usage_reset", "user:bob"),
    ("🔁 Reset User", USER, "user_data_reset_by_next", "user.plan_advanced", "user:bob"),
    ("🛑 Revoke User Subscribtion", USER, "user_subscription_revoked", "user.subscription_revoked", "user:bob"),
    ("**✅ Activated**", USER, "user_status_change/active", "user.enabled", "user:bob"),
    ("**🕔 On Hold**", USER, "user_status_change/on_hold", "user.on_hold", "user:bob"),
    ("**❌ Disabled**", USER, "user_status_change/disabled", "user.disabled", "user:bob"),
    ("**🪫 Limited**", USER, "user_status_change/limited", "user.limited", "user:bob"),
    ("**📅 Expired**", USER, "user_status_change/expired", "user.expired", "user:bob"),
    ("Create Admin", USER, "create_admin", "admin.created", "admin:bob"),
    ("Modify Admin", USER, "modify_admin", "admin.updated", "admin:bob"),
    ("Remove Admin", USER, "remove_admin", "admin.deleted", "admin:bob"),
    ("Admin Reset Usage", USER, "admin_reset_usage", "admin.usage_reset", "admin:bob"),
    ("⚠️ Admin Usage Limit Warning", USER, LIMIT, "admin.usage_threshold", "admin:bob"),
    ("Create Node", NODE, "create_node", "node.created", "node:fra"),
    ("Modify Node", NODE, "modify_node", "node.updated", "node:fra"),
    ("Remove Node", NODE, "remove_node", "node.deleted", "node:fra"),
    ("Connect Node", NODE, "connect_node", "node.connection_restored", "node:fra"),
    ("✅ Recovered Node", NODE, "recovered_node", "node.connection_restored", "node:fra"),
    ("Error Node", NODE, "error_node", "node.connection_lost", "node:fra"),
    ("⚠️ Limited Node", NODE, "limited_node", "node.limited", "node:fra"),
    ("🔁 Reset Node Usage", NODE, "reset_node_usage", "node.usage_reset", "node:fra"),
    ("Create Host", "**Remark:** x", "create_host", "host.created", "host:x"),
    ("Modify Host", "**Remark:** x", "modify_host", "host.updated", "host:x"),
    ("Remove Host", "**Remark:** x", "remove_host", "host.deleted", "host:x"),
    ("Modify Hosts", "All hosts has been updated by **root**", "modify_hosts", "host.updated", None),
    ("Create Group", NAME, "create_group", "group.created", "group:x"),
    ("Modify Group", NAME, "modify_group", "group.updated", "group:x"),
    ("Remove Group", "**ID:** 1", "remove_group", "group.deleted", "group:1"),
    ("Create core", NAME, "create_core", "core.created", "core:x"),
    ("Modify core", NAME, "modify_core", "core.updated", "core:x"),
    ("Remove core", "**ID:** 1", "remove_core", "core.deleted", "core:1"),
    ("Create User Template", NAME, "create_user_template", "template.created", "template:x"),
    ("Modify User Template", NAME, "modify_user_template", "template.updated", "template:x"),
    ("Remove User Template", NAME, "remove_user_template", "template.deleted", "template:x"),
    ("Create Admin Role", NAME, "create_admin_role", "role.created", "role:x"),
    ("Modify Admin Role", NAME, "modify_admin_role", "role.updated", "role:x"),
    ("Remove Admin Role", NAME, "remove_admin_role", "role.deleted", "role:x"),
    ("🆕 Create API Key", NAME, "create_api_key", "api_key.created", "api_key:x"),
    ("✏️ Modify API Key", NAME, "modify_api_key", "api_key.updated", "api_key:x"),
    ("🗑️ Remove API Key", NAME, "remove_api_key", "api_key.deleted", "api_key:x"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "description", "footer", "name", "type_", "subject"), MARZBAN_ROWS)
def test_every_report_of_marzban(
    title: str | None, description: str, footer: str | None, name: str, type_: str, subject: str
) -> None:
    sighting = report(title, description, footer)
    assert (sighting.panel, sighting.native_type) == ("marzban", f"discord:{name}")
    assert (sighting.type, sighting.subject) == (type_, subject)


@pytest.mark.parametrize(("title", "description", "name", "type_", "subject"), PASARGUARD_ROWS)
def test_every_report_of_pasarguard(title: str, description: str, name: str, type_: str, subject: str | None) -> None:
    sighting = report(title, description, "ID: 1\nBy: root")
    assert (sighting.panel, sighting.native_type) == ("pasarguard", f"discord:{name}")
    assert (sighting.type, sighting.subject) == (type_, subject)


@pytest.mark.parametrize(
    ("footer", "name", "type_"),
    [
        ("Failed", "admin_login/failed", "security.login_failed"),
        ("Successful", "admin_login/success", "security.login_succeeded"),
    ],
)
def test_pasarguards_logins_say_how_they_went_in_the_footer(footer: str, name: str, type_: str) -> None:
    sighting = report("Login Attempt", "**Username:** bob\n**Password:** 🔒\n**IP:** 203.0.113.9", footer)
    assert (sighting.native_type, sighting.type, sighting.subject) == (f"discord:{name}", type_, "admin:bob")
    assert sighting.data == {"security": {"username": "bob", "ip": "203.0.113.9"}}


def test_the_tables_here_hold_every_report_that_is_known() -> None:
    told = {row[3].partition("/")[0] for row in MARZBAN_ROWS} | {row[2].partition("/")[0] for row in PASARGUARD_ROWS}
    known = {kind.name.partition("/")[0] for table in (TITLED, HEADED, PLAIN) for kind in table.values()}
    assert known - {"admin_login"} == told


# What a report holds


def test_marzbans_dates_are_read_in_the_panels_zone() -> None:
    (request,) = [one for _, one in REPORTS if one.name == "131-tz-tehran-discord-new-user-with-admin"]
    sighting = said(json.loads(request.hook.body), "Asia/Tehran")
    assert sighting.data == {
        "user": {
            "username": "example_user",
            "limit_bytes": 50 * 2**30,
            "expires_at": "2026-12-21T04:13:50Z",
            "reset_strategy": "no_reset",
            "next_plan": False,
        },
        "owner": "reseller1",
        "actor": "reseller1",
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("**Traffic Limit:** Unlimited\n**Expire Date:** Never", {}),
        ("**Traffic Limit:** 107374182399\n**Expire Date:** 1800418458",
         {"limit_bytes": 107374182399, "expires_at": "2027-01-20T04:14:18Z"}),
        ("**Traffic Limit:** None\n**Expire Date:** None", {}),
        ("**Traffic Limit:** 0\n**Expire Date:** 0", {}),
        ("**Traffic Limit:** 1.46 TB", {"limit_bytes": round(1.46 * 2**40)}),
        ("**Data Limit**: 512.0 B", {"limit_bytes": 512}),
        ("**Data Limit Reset Strategy:**UserDataLimitResetStrategy.month", {"reset_strategy": "month"}),
        ("**Data Limit Reset Strategy:**no_reset", {"reset_strategy": "no_reset"}),
        ("**Expire Date:** 25:61:61 2026-99-99", {}),
        ("**Expire Date:** 99999999999999999999", {}),
        ("**Traffic Limit:** lots", {}),
        ("**Proxies:** vless, vmess", {}),
    ],
)  # fmt: skip
def test_limits_and_dates_however_they_are_written(lines: str, expected: dict[str, Any]) -> None:
    body = embed(":new: Created", f"\n                {USER}\n{lines}", "Belongs To: None\nBy: root")
    assert said({"embeds": [body]}).data == {"user": {"username": "bob", **expected}, "actor": "root"}


@pytest.mark.parametrize(
    ("footer", "people"),
    [
        ("Belongs To: reseller1\nBy: root", {"owner": "reseller1", "actor": "root"}),
        ("Belongs To: reseller1 \nBy: root", {"owner": "reseller1", "actor": "root"}),
        ("Belong To: reseller1\nBy: root", {"owner": "reseller1", "actor": "root"}),
        ("Belongs To: None\nBy: system", {"actor": "system"}),
        ("Belongs To: reseller1", {"owner": "reseller1"}),
        ("By reseller1", {"actor": "reseller1"}),
        ("Bystander", {}),
        ("Belongs To: x\nBy: root\nBy: real", {"owner": "x"}),
        (None, {}),
    ],
)
def test_people_stand_in_the_footer(footer: str | None, people: dict[str, str]) -> None:
    assert report(":repeat: Reset", USER, footer).data == {"user": {"username": "bob"}, **people}


def test_pasarguards_names_lose_the_backslashes_and_marzbans_keep_them() -> None:
    escaped = "**Username:** a\\_b\\*\\~\\`"
    ours = report("🗑️ Remove User", escaped, "ID: 7\nBelongs To:re\\_seller\nBy: ro\\_ot")
    assert ours.subject == "user:a_b*~`"
    assert ours.data == {"user": {"username": "a_b*~`", "id": 7}, "owner": "re_seller", "actor": "ro_ot"}
    assert report(":repeat: Reset", escaped).subject == "user:a\\_b\\*\\~\\`"


def test_nodes_with_their_figures() -> None:
    lines = "**Name:** node\\_de\n**Address:** 10.0.0.1\n**Port:** 62050"
    assert report("Create Node", lines, "ID: 3\nBy: owner").data == {
        "node": {"name": "node_de", "id": 3, "address": "10.0.0.1", "port": 62050},
        "actor": "owner",
    }
    lines = "**Name:** de\n**Node Version:** 0.2.1\n**Core Version:** 26.1.31"
    assert report("Connect Node", lines).data == {
        "node": {"name": "de", "node_version": "0.2.1", "core_version": "26.1.31"}
    }
    lines = "**Name:** de\n**Data Limit:** 2.0 GB\n**Used Traffic:** 2.5 GB"
    assert report("⚠️ Limited Node", lines).data["node"] == {"name": "de", "used_bytes": 5 * 2**29, "limit_bytes": 2**31}
    lines = "**Name:** de\n**Uplink at Reset:** 1.0 GB\n**Downlink at Reset:** 2.0 GB"
    assert report("🔁 Reset Node Usage", lines).data["node"]["used_bytes"] == 3 * 2**30


def test_the_reason_of_a_failed_node_is_kept_to_the_last_line() -> None:
    sighting = report("Error Node", "**Name:** de\n**Error:** refused\nby the other side", "ID: 1")
    assert sighting.data["reason"] == "refused\nby the other side"


def test_other_things_keep_their_lines_as_the_panel_words_them() -> None:
    lines = "**Remark:** cdn\n**Address:** a,b\n**Inbound Tag:** xhttp<=>x\n**Port:** 443"
    assert report("Modify Host", lines, "ID: 4\nBy: owner").data == {
        "host": {"name": "cdn", "id": 4, "details": {"Address": "a,b", "Inbound Tag": "xhttp<=>x", "Port": "443"}},
        "actor": "owner",
    }
    assert report("Remove core", "**ID:** 5", "By: owner").data == {"core": {"id": 5}, "actor": "owner"}
    assert report("Modify Hosts", "All hosts has been updated by **ow\\_ner**").data == {"actor": "ow_ner"}
    lines = "**Username:** bob\n**Used Traffic:** 8.0 GB\n**Data Limit:** 10.0 GB\n**Usage:** 80%"
    assert report("⚠️ Admin Usage Limit Warning", lines).data["usage"] == {
        "used_bytes": 8 * 2**30,
        "limit_bytes": 10 * 2**30,
        "percent": 80,
    }


def test_an_api_keys_frozen_footer_is_not_believed_nor_its_name_unescaped() -> None:
    lines = "**Name:** ci\\_key\n**Expire Date:** 2026-12-21 03:59:16\n**Status:** active"
    bare = {
        "title": "✏️ Modify API Key",
        "description": lines,
        "footer": {"text": "ID: 1\nBelongs To: a\nBy: b"},
        "color": 1,
    }
    sighting = said(bare)
    assert sighting.subject == "api_key:ci\\_key"
    key = {"name": "ci\\_key", "status": "active", "expires_at": "2026-12-21T03:59:16Z"}
    assert sighting.data == {"api_key": key}


def test_the_thread_is_carried_along() -> None:
    body = {"embeds": [embed(":repeat: Reset", USER)], "thread_id": "123"}
    assert said(body).data["message"] == {"thread_id": "123"}
    assert said({"content": "hi", "thread_id": 123}).data["message"] == {"content": "hi", "thread_id": "123"}


# What looks similar


def test_a_report_about_a_blank_name_keeps_its_type() -> None:
    sighting = said({"embeds": [embed(":repeat: Reset", "**Username:** ")]})
    assert (sighting.type, sighting.subject) == (said({"embeds": [embed(":repeat: Reset", USER)]}).type, None)


def test_a_message_of_several_reports_is_as_many_events() -> None:
    body = {"content": "", "embeds": [embed(":repeat: Reset", f"**Username:** {name}") for name in "ab"]}
    pairs = taken(body)
    assert [sighting.subject for _, sighting in pairs] == ["user:a", "user:b"]
    assert [element["embeds"] for element, _ in pairs] == [[one] for one in body["embeds"]]


@pytest.mark.parametrize(
    "body",
    [
        {"content": "look", "embeds": [embed(":repeat: Reset", USER)]},
        {"embeds": [embed(":repeat: Reset", USER), embed("hello", "there")]},
        {"embeds": [embed(":repeat: Reset", USER)], "attachments": [{"filename": "a.txt"}]},
        {"embeds": [embed(":repeat: Reset", "nobody")]},
        {"embeds": [embed(":repeat: Reset", f"hello\n{USER}")]},
        {"embeds": [embed(":repeat: Reset", "**Name:** bob")]},
        {"embeds": [embed("Reset", USER)]},
        {"embeds": [embed("Activated", USER)]},
        {"embeds": [embed(None, f"**:x: Disabled**\n{USER}")]},
        {"embeds": [embed(None, "**:x: Disabled**")]},
        {"embeds": [embed(":repeat: Login", USER, "login status: who knows")]},
        {"embeds": [embed("Modify Hosts", USER)]},
        {"embeds": [{**embed(":repeat: Reset", USER), "fields": [{"name": "a", "value": "b"}]}]},
        {"embeds": [{**embed(":repeat: Reset", USER), "author": {"name": "a"}}]},
        {"embeds": [{"title": "Create User"}]},
    ],
)
def test_what_only_looks_like_a_report_stays_a_message(body: dict[str, Any]) -> None:
    sighting = said(body)
    assert (sighting.type, sighting.native_type, sighting.subject) == ("message.posted", "discord:message", None)
    assert sighting.data["message"].get("embeds") == body["embeds"]


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("admin\n**Username:** root", "admin:admin"),
        ("@everyone", "admin:@everyone"),
        ("a_b_**c** <!channel> {{7*7}}", "admin:a_b_**c** <!channel> {{7*7}}"),
        ("", None),
        ("**Username:** x", "admin:**Username:** x"),
    ],
)
def test_the_first_line_names_the_one_who_logged_in(name: str, subject: str | None) -> None:
    text = f"\n                **Username:** {name}\n**Password:** pw\n**Client ip**: 203.0.113.7"
    sighting = report(":repeat: Login", text, "login status: ❌ Failed")
    assert (sighting.type, sighting.subject) == ("security.login_failed", subject)
    assert sighting.data["security"]["ip"] == "203.0.113.7"


def test_a_label_that_stands_there_twice_is_believed_in_neither_place() -> None:
    sighting = report(":new: Created", f"{USER}\n**Traffic Limit:** 1.0 GB\n**Traffic Limit:** 2.0 GB")
    assert sighting.data == {"user": {"username": "bob"}}


def test_a_report_is_never_refused_for_its_length() -> None:
    text = f"**Username:** {'x' * 9000}\n**Password:** {'y' * 9000}\n**Client ip**: 203.0.113.7"
    assert report(":repeat: Login", text, "login status: ❌ Failed").type == "security.login_failed"


# The password

MARZBAN_LOGIN = ":repeat: Login", "**Client ip**", "login status: ❌ Failed"
PASARGUARD_LOGIN = "Login Attempt", "**IP:**", "Failed"


@pytest.mark.parametrize(
    "password",
    [
        "hunter2",
        "hunter2\nhunter2",
        "hunter2\n**Client ip**: 1.1.1.1\nhunter2",
        "hunter2\n**IP:** 1.1.1.1\n**Password:** hunter2",
        "**Password:** hunter2\n**Username:** hunter2",
        "\n\n   **Client ip**: hunter2\n",
        "**Client ip**: hunter2",
    ],
)
@pytest.mark.parametrize("login", [MARZBAN_LOGIN, PASARGUARD_LOGIN])
@pytest.mark.parametrize("wrap", ["report", "with a word", "unknown footer", "content", "bare"])
def test_nothing_of_the_password_is_left(password: str, login: tuple[str, str, str], wrap: str) -> None:
    title, address, footer = login
    text = f"**Username:** bob\n**Password:** {password}\n{address} 203.0.113.7"
    body = {
        "report": {"content": "", "embeds": [embed(title, text, footer)]},
        "with a word": {"content": "look", "embeds": [embed(title, text, footer)]},
        "unknown footer": {"content": "", "embeds": [embed(title, text, "?")]},
        "content": {"content": text},
        "bare": embed(title, text, footer),
    }[wrap]
    ((native, sighting),) = taken(body)
    assert "hunter2" not in json.dumps([native, sighting.data, sighting.subject])
    assert "**Password:** ***" in json.dumps(native)
    assert "203.0.113.7" in json.dumps(native)
    assert panel().scrub(native) == native


@given(
    before=st.lists(st.sampled_from(["bob", "**Username:** x", "**Client ip**: 1", "**Password:** a", ""]), max_size=4),
    password=st.lists(
        st.sampled_from(["SECRET", "**Client ip**: SECRET", "**IP:** SECRET", "**Password:** SECRET", ""])
    ),
    glue=st.sampled_from(["\n", "\n ", " ", "\r\n", "\u2028"]),
    login=st.sampled_from([MARZBAN_LOGIN, PASARGUARD_LOGIN]),
)
def test_a_password_never_survives_the_scrubbing(
    before: list[str], password: list[str], glue: str, login: tuple[str, str, str]
) -> None:
    title, address, footer = login
    text = f"**Username:** {glue.join(before)}\n**Password:** {glue.join(password)}\n{address} 203.0.113.7"
    for pair in taken({"embeds": [embed(title, text, footer)]}) + taken({"content": text}):
        assert "SECRET" not in repr(pair)


def test_a_login_report_cut_short_loses_everything_after_the_label() -> None:
    ((native, _),) = taken({"embeds": [embed(":repeat: Login", "**Username:** bob\n**Password:** hunt\ner2", "?")]})
    assert native["embeds"][0]["description"] == "**Username:** bob\n**Password:** ***"


def test_a_message_that_speaks_of_a_password_is_no_login_report() -> None:
    body = {"content": "**Password:** is what you choose\nsee you"}
    assert said(body).data["message"] == body


# Any other message


def test_a_message_keeps_content_and_embeds_as_they_came() -> None:
    body = {
        "content": " **hi** <@1> ",
        "embeds": [{"title": "T", "description": "*d*", "color": 5, "fields": [{"name": "a", "value": "b"}]}],
        "username": "Bob",
        "avatar_url": "https://example.com/a.png",
        "thread_id": "42",
        "attachments": [{"filename": "a.txt", "content_type": "text/plain"}, {"id": 0}],
        "components": [{"type": 1, "components": []}],
        "thread_name": "Outage",
        "flags": "4096",
        "poll": {"question": {"text": "?"}},
        "tts": "true",
    }
    ((native, sighting),) = taken(body)
    assert native == body
    assert sighting.type == "message.posted"
    assert sighting.data == {
        "message": {
            "content": body["content"],
            "embeds": body["embeds"],
            "username": "Bob",
            "avatar_url": "https://example.com/a.png",
            "thread_id": "42",
            "files": [{"name": "a.txt", "content_type": "text/plain"}, {}],
            "components": body["components"],
            "thread_name": "Outage",
            "flags": 4096,
            "poll": body["poll"],
        }
    }


def test_what_discord_webhook_sends_is_taken() -> None:
    webhook = DiscordWebhook(url="http://127.0.0.1/api/webhooks/s/t", content="hi", username="Bob")
    card = DiscordEmbed(title="T", description="D", color="03b2f8")
    card.set_timestamp()
    card.set_author(name="A", url="https://example.com")
    card.add_embed_field(name="a", value="b")
    webhook.add_embed(card)
    assert said(webhook.json).data["message"]["embeds"][0]["title"] == "T"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": ""},
        {"content": " \n "},
        {"content": None, "embeds": None},
        {"embeds": []},
        {"embeds": [{}]},
        {"embeds": [{"color": 5}]},
        {"embeds": [{"title": " ", "image": {}, "footer": {"text": ""}}]},
        {"title": "not a report"},
        {"username": "Bob"},
    ],
)
def test_an_empty_message_is_refused_as_such(body: dict[str, Any]) -> None:
    with pytest.raises(EmptyMessage) as caught:
        taken(body)
    assert caught.value.path == ""


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], ""),
        ("hi", ""),
        ({"content": 5}, "content"),
        ({"content": "x" * 2001}, "content"),
        ({"embeds": {}}, "embeds"),
        ({"embeds": ["hi"]}, "embeds.0"),
        ({"embeds": [{"title": "a"}] * 11}, "embeds"),
        ({"embeds": [embed(":repeat: Reset", USER)] * 11}, "embeds"),
        ({"embeds": [{"title": ["a"]}]}, "embeds.0.title"),
        ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title"),
        ({"embeds": [{"title": "a"}, {"description": "x" * 4097}]}, "embeds.1.description"),
        ({"embeds": [{"description": "x" * 3001}] * 2}, "embeds"),
        ({"embeds": [{"fields": [{"name": "a", "value": "b"}] * 26}]}, "embeds.0.fields"),
        ({"embeds": [{"fields": [{"name": "a"}]}]}, "embeds.0.fields.0.value"),
        ({"embeds": [{"fields": [{"name": " ", "value": "b"}]}]}, "embeds.0.fields.0.name"),
        ({"embeds": [{"title": "a", "color": -1}]}, "embeds.0.color"),
        ({"embeds": [{"title": "a", "color": "red"}]}, "embeds.0.color"),
        ({"embeds": [{"title": "a", "color": True}]}, "embeds.0.color"),
        ({"embeds": [{"title": "a", "timestamp": "now"}]}, "embeds.0.timestamp"),
        ({"embeds": [{"title": "a", "timestamp": "1795942800"}]}, "embeds.0.timestamp"),
        ({"embeds": [{"title": "a", "timestamp": "1796041200959"}]}, "embeds.0.timestamp"),
        ({"embeds": [{"title": "a", "footer": "f"}]}, "embeds.0.footer"),
        ({"embeds": [{"title": "a", "footer": {"text": "x" * 2049}}]}, "embeds.0.footer.text"),
        ({"content": "a", "username": "x" * 81}, "username"),
        ({"content": "a", "username": "Discord"}, "username"),
        ({"content": "a", "components": "c"}, "components"),
        ({"content": "a", "components": [{"type": 10, "content": "b"}], "flags": 32768}, "content"),
        ({"embeds": [{"title": "a"}], "flags": "32768"}, "embeds"),
        ({"content": "a", "attachments": [1]}, "attachments.0"),
    ],
)
def test_what_discord_would_refuse_is_refused_with_the_path(body: Any, path: str) -> None:
    with pytest.raises(BadPayload) as caught:
        taken(body)
    assert not isinstance(caught.value, EmptyMessage)
    assert caught.value.path == path
    assert caught.value.reason[0].islower()


@pytest.mark.parametrize(
    "body",
    [
        {"content": f" {'x' * 2000} "},
        {"content": "a", "embeds": None, "components": None, "username": None},
        {"embeds": [{"title": "a", "color": "16711680"}]},
        {"embeds": [{"title": "a", "timestamp": "2026-11-21T04:14:18.123456789Z", "fields": [], "author": None}]},
        {"embeds": [{"image": {"url": "https://example.com/a.png"}}]},
        {"poll": {"question": {"text": "?"}}},
        {"attachments": [{"filename": "a.txt"}]},
        {"components": [{"type": 10, "content": "b"}], "flags": 32768 | 4096, "content": ""},
        {"content": "a", "flags": [32768]},
        {"content": "a", "flags": "4096", "tts": "no", "unknown": [1]},
    ],
)
def test_what_discord_lets_pass_passes(body: dict[str, Any]) -> None:
    assert said(body).type == "message.posted"


# What is hostile


@pytest.mark.parametrize(
    ("token", "ok"), [(TOKENS[0], True), (TOKENS[3], True), ("x", False), ("", False), (None, False)]
)
def test_the_last_segment_of_the_url_is_the_secret(token: str | None, ok: bool) -> None:
    hook = Hook(body=b"", received_at=ARRIVAL, token=token)
    if ok:
        panel().verify(hook)
    else:
        with pytest.raises(BadSignature):
            panel().verify(hook)


@pytest.mark.parametrize("name", ["Asia/Teheran", "", "../UTC", "/etc/passwd", "Asia", "no\x00zone"])
def test_a_time_zone_that_there_is_not_stops_the_start(name: str) -> None:
    with pytest.raises(ValidationError, match="should be a time zone: did you mean"):
        panel(name)


EMBEDS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from([*TITLED, *PLAIN, "Login Attempt"]) | JSON,
        "description": st.sampled_from([*HEADED, USER, NAME, "**ID:** 1"]) | st.text() | JSON,
        "footer": st.fixed_dictionaries({"text": st.sampled_from(["Failed", "By: x", "ID: 9"]) | JSON}) | JSON,
        "color": JSON,
        "fields": JSON,
    },
)
BODIES = st.fixed_dictionaries({}, optional={
    "content": st.just("") | JSON, "embeds": st.lists(EMBEDS | JSON, max_size=3) | JSON, "attachments": JSON,
    "thread_id": JSON, "username": JSON, "components": JSON, "poll": JSON,
})  # fmt: skip


@given(body=BODIES | EMBEDS | JSON)
def test_nothing_but_a_bad_payload_comes_of_any_json(body: Any) -> None:
    try:
        for _, sighting in taken(body, "Asia/Tehran"):
            json.dumps(sighting.data, allow_nan=False)
    except BadPayload:
        pass
    hook = Hook(body=b"", received_at=ARRIVAL)
    try:
        panel().parse(panel().scrub(body), hook)
    except BadPayload:
        assert not isinstance(body, dict)


@given(
    title=st.sampled_from([*TITLED, *PLAIN]),
    lines=st.lists(
        st.tuples(
            st.sampled_from(["Username", "Name", "Expire Date", "Traffic Limit", "Data Limit", "Port", "Usage", "IP"]),
            st.text(max_size=100) | st.integers().map(str) | st.sampled_from(["23:59:59 9999-12-31", "9e9 GB"]),
        ),
        max_size=8,
    ),
    footer=st.text(max_size=100) | st.just("Failed"),
)
def test_a_report_with_any_values_is_understood(title: str, lines: list[tuple[str, str]], footer: str) -> None:
    text = "\n".join(f"**{label}:** {value}" for label, value in lines)
    for _, sighting in taken({"embeds": [embed(title, text, footer)]}, "America/New_York"):
        json.dumps(sighting.data, allow_nan=False)
