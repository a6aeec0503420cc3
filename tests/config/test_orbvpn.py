"""OrbVPN's own configuration objects: each is a sink and a row."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.config.orbvpn import OrbvpnWebhook, slug
from bridge.sinks.gohighlevel import GoHighLevelConfig
from bridge.sinks.slack.sink import SlackConfig
from bridge.sinks.zapier import ZapierConfig
from tests.config.files import loaded, mistakes, warnings

HOOK = "https://services.leadconnectorhq.com/hooks/loc1/webhook-trigger/0b1c2d3e"
ZAP = "https://hooks.zapier.com/hooks/catch/1/2/"
API = "https://services.leadconnectorhq.com/contacts/upsert"

DOCUMENTED: dict[str, Any] = {
    "name": "Slack Notifications",
    "providerType": "SLACK",
    "endpoint": "https://hooks.slack.com/services/T000/B000/XXXX",
    "active": True,
    "subscribedEvents": ["USER_CREATED", "SYSTEM_SERVER_DOWN"],
    "providerSpecificConfig": {"channel": "#notifications", "username": "OrbVPN Bot", "icon_emoji": ":robot_face:"},
    "maxRetries": 3,
    "retryDelay": 60,
}


def webhook(**changes: Any) -> OrbvpnWebhook:
    return OrbvpnWebhook.model_validate(DOCUMENTED | changes)


def test_the_documented_slack_object_is_a_slack_sink() -> None:
    sink = webhook().sink()
    assert isinstance(sink, SlackConfig)
    assert sink.url == SecretStr(DOCUMENTED["endpoint"])
    assert (sink.channel, sink.username, sink.icon_emoji) == ("#notifications", "OrbVPN Bot", ":robot_face:")
    assert (sink.enabled, sink.retry.max_retries, sink.retry.waits) == (True, 3, (60.0,))


def test_without_a_delay_the_documented_waits_apply() -> None:
    assert webhook(retryDelay=None).sink().retry.waits == (30.0, 120.0, 300.0)
    assert webhook(maxRetries=0).sink().retry.max_retries == 0


def test_one_that_is_not_active_is_a_sink_that_is_disabled() -> None:
    assert not webhook(active=False).sink().enabled


@pytest.mark.parametrize(
    "settings",
    [
        {"channel": "#n", "username": "Bot", "iconEmoji": ":x:", "somethingElse": [1]},
        '{"channel": "#n", "username": "Bot", "icon_emoji": ":x:"}',
    ],
)
def test_settings_of_the_provider_may_be_spelled_either_way_or_be_json_text(settings: object) -> None:
    sink = webhook(providerSpecificConfig=settings).sink()
    assert isinstance(sink, SlackConfig)
    assert (sink.channel, sink.username, sink.icon_emoji) == ("#n", "Bot", ":x:")


@pytest.mark.parametrize("settings", [None, {}, ""])
def test_settings_of_the_provider_may_be_left_out(settings: object) -> None:
    assert isinstance(webhook(providerSpecificConfig=settings).sink(), SlackConfig)


def test_a_zapier_object_is_a_zapier_sink() -> None:
    sink = webhook(providerType="ZAPIER", endpoint=ZAP, providerSpecificConfig={}).sink()
    assert isinstance(sink, ZapierConfig)
    assert sink.url == SecretStr(ZAP)
    assert (sink.source_name, sink.version, sink.api_key) == (None, None, None)


def test_the_documented_zapier_object_says_source_version_and_key() -> None:
    settings = {"source": "OrbVPN", "version": "1.0", "api_key": "key-1"}
    one = webhook(providerType="ZAPIER", endpoint=ZAP, providerSpecificConfig=settings)
    sink = one.sink()
    assert isinstance(sink, ZapierConfig)
    assert (sink.source_name, sink.version, sink.api_key) == ("OrbVPN", "1.0", SecretStr("key-1"))
    assert list(one.unread()) == []


DOCUMENTED_GOHIGHLEVEL = {"locationId": "loc1", "apiKey": "pit-1", "source": "OrbVPN"}


@pytest.mark.parametrize(
    "endpoint",
    [
        HOOK,
        "https://services.leadconnectorhq.com/hooks/",
        "https://SERVICES.leadconnectorhq.com/hooks/loc1/webhook-trigger/1?x=/contacts/",
        "https://crm.example.com/inbound",
        "https://crm.example.com/contacts/upsert",
        "https://leadconnectorhq.com/contacts/upsert",
        "https://services.leadconnectorhq.com.example/contacts/upsert",
        "http://127.0.0.1:8080/contacts",
    ],
)
def test_the_documented_gohighlevel_object_posts_to_its_endpoint_with_its_key(endpoint: str) -> None:
    one = webhook(providerType="GOHIGHLEVEL", endpoint=endpoint, providerSpecificConfig=DOCUMENTED_GOHIGHLEVEL)
    sink = one.sink()
    assert isinstance(sink, GoHighLevelConfig)
    assert (sink.url, sink.api_key) == (SecretStr(endpoint), SecretStr("pit-1"))
    assert (sink.location_id, sink.source_name) == ("loc1", "OrbVPN")
    assert list(one.unread()) == []


@pytest.mark.parametrize("endpoint", [HOOK, "https://crm.example.com/inbound"])
def test_a_gohighlevel_object_without_a_key_posts_to_its_endpoint_too(endpoint: str) -> None:
    sink = webhook(providerType="GOHIGHLEVEL", endpoint=endpoint, providerSpecificConfig={}).sink()
    assert isinstance(sink, GoHighLevelConfig)
    assert (sink.url, sink.api_key) == (SecretStr(endpoint), None)


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [
        (API, "https://services.leadconnectorhq.com"),
        (f"{API}?x=/hooks/", "https://services.leadconnectorhq.com"),
        ("https://services.leadconnectorhq.com", "https://services.leadconnectorhq.com"),
        ("https://Services.LeadConnectorHQ.com/contacts/", "https://services.leadconnectorhq.com"),
        ("https://services.leadconnectorhq.com/v2/hooks/x", "https://services.leadconnectorhq.com"),
        ("https://services.leadconnectorhq.com:8443/contacts", "https://services.leadconnectorhq.com:8443"),
    ],
)
def test_only_at_highlevels_own_api_contacts_are_written(endpoint: str, base: str) -> None:
    one = webhook(providerType="GOHIGHLEVEL", endpoint=endpoint, providerSpecificConfig=DOCUMENTED_GOHIGHLEVEL)
    sink = one.sink()
    assert isinstance(sink, GoHighLevelConfig)
    assert (sink.url, sink.api_key, sink.location_id) == (None, SecretStr("pit-1"), "loc1")
    assert (sink.api_base, sink.source_name) == (base, "OrbVPN")


@pytest.mark.parametrize("settings", [{"endpoint": HOOK}, json.dumps({"endpoint": HOOK})])
def test_the_endpoint_may_stand_beside_what_else_the_provider_needs(settings: object) -> None:
    one = OrbvpnWebhook.model_validate({"name": "a", "providerType": "GOHIGHLEVEL", "providerSpecificConfig": settings})
    assert one.endpoint == SecretStr(HOOK)
    assert list(one.unread()) == []


@pytest.mark.parametrize(
    ("changes", "unread"),
    [
        ({}, []),
        (
            {"id": 5, "secret": "x", "createdAt": "2024", "updatedAt": None},
            ["nothing here needs secret, createdAt"],
        ),
        (
            {"providerSpecificConfig": {"chanel": "#a"}},
            ['nothing reads "chanel" in providerSpecificConfig: did you mean "channel"?'],
        ),
        (
            {"providerSpecificConfig": {"endpoint": "https://elsewhere.example/"}},
            ['nothing reads "endpoint" in providerSpecificConfig: there are channel, icon_emoji, icon_url, username'],
        ),
        (
            {
                "providerType": "GOHIGHLEVEL",
                "endpoint": "https://crm.example/in",
                "providerSpecificConfig": {"locatonId": "x", "api-key": "k"},
            },
            ['nothing reads "locatonId" in providerSpecificConfig: did you mean "locationId"?'],
        ),
        (
            {
                "providerType": "ZAPIER",
                "endpoint": "https://hooks.zapier.com/hooks/catch/1/a",
                "providerSpecificConfig": {"channel": "#x", "apiKey": "k"},
            },
            ['nothing reads "channel" in providerSpecificConfig: there are api_key, source, version'],
        ),
    ],
)
def test_no_key_is_passed_over_in_silence(tmp_path: Path, changes: dict[str, Any], unread: list[str]) -> None:
    given = {key: value for key, value in (DOCUMENTED | changes).items() if value is not None}
    told = warnings(tmp_path, f"webhooks: {json.dumps([given])}")
    assert [line for line in told if "nothing" in line and "webhook" in line] == [
        f"1:12: webhook 1: {line}" for line in unread
    ]


@pytest.mark.parametrize(
    ("events", "match"),
    [
        (["USER_CREATED"], ("USER_CREATED", "user.created")),
        (["user.created"], ("USER_CREATED", "user.created")),
        (["SYSTEM_SERVER_DOWN"], ("SYSTEM_SERVER_DOWN", "node.connection_lost")),
        (["system.server_down"], ("SYSTEM_SERVER_DOWN", "node.connection_lost")),
        (["USER_CREATED", "user.created", "peer.created"], ("USER_CREATED", "user.created", "peer.created")),
        (["*"], ("*",)),
        ([], ("*",)),
    ],
)
def test_the_row_takes_a_subscribed_event_under_both_of_its_names(events: list[str], match: tuple[str, ...]) -> None:
    route = webhook(subscribedEvents=events).route("sink")
    assert (route.match, route.to) == (match, ("sink",))


@pytest.mark.parametrize(
    ("name", "id_", "expected"),
    [
        ("Slack Notifications", 5, "slack-notifications"),
        ("  My CRM (new)! ", None, "my-crm-new"),
        ("اعلان", None, "webhook-9a646b9a"),
        (" اعلان ", "", "webhook-9a646b9a"),
        ("فروش", None, "webhook-3cd98f07"),
        ("اعلان", 5, "webhook-id-5"),
        ("اعلان", "Sales 5", "webhook-id-sales-5"),
        ("اعلان", "فروش", "webhook-9a646b9a"),
        (7, None, "7"),
    ],
)
def test_the_sink_is_called_like_the_webhook(name: object, id_: object, expected: str) -> None:
    assert slug(name, id_) == expected


def test_the_sink_of_a_webhook_is_called_the_same_wherever_the_webhook_stands(tmp_path: Path) -> None:
    rows = [
        f"  - {{name: {name}, providerType: SLACK, endpoint: 'https://x/{name}'}}" for name in ("اعلان", "فروش", "خرید")
    ]

    def names(lines: list[str]) -> dict[str, str]:
        config = loaded(tmp_path, "webhooks:\n" + "\n".join(lines)).config
        return {one.name: name for name, one in config.named_webhooks()}

    assert len(set(names(rows).values())) == 3
    assert names(rows) == names(rows[::-1])
    assert names(rows[1:]).items() <= names(rows).items()


def test_what_comes_along_in_an_export_is_let_be() -> None:
    webhook(id=5, secret="x", createdAt="2024-11-03T15:27:47", updatedAt=None)


@pytest.mark.parametrize(
    ("object_", "expected"),
    [
        (
            "{name: a, providerType: SLACK, endpoint: https://x/, subscribedEvents: [USER_CREATD]}",
            '2:77: webhook 1: no event has the type "USER_CREATD": did you mean "USER_CREATED"?',
        ),
        ("{name: a, providerType: SLACK}", '2:5: webhook 1: missing key "endpoint": where it posts'),
        (
            "{name: a, providerType: SLACK, endpoint: https://x/, max_retries: 3}",
            '2:58: webhook 1: unknown key "max_retries": did you mean "maxRetries"?',
        ),
        (
            "{name: a, providerType: SLACK, endpoint: https://x/, providerSpecificConfig: {icon_emoji: a b}}",
            "2:5: webhook 1: icon_emoji should be the name of an emoji, as in :robot_face:",
        ),
        (
            "{name: a, providerType: GOHIGHLEVEL, endpoint: 'https://services.leadconnectorhq.com/contacts/', "
            "providerSpecificConfig: {apiKey: k}}",
            "2:5: webhook 1: endpoint is HighLevel's API: give apiKey and locationId in providerSpecificConfig",
        ),
        (
            "{name: a, providerType: GOHIGHLEVEL, endpoint: https://x/, providerSpecificConfig: {apiKey: کلید}}",
            "2:5: webhook 1: apiKey should be one line of plain letters, digits and signs",
        ),
        (
            "{name: a, providerType: GOHIGHLEVEL, endpoint: https://x/, providerSpecificConfig: {source: [1]}}",
            "2:5: webhook 1: source should be a valid string",
        ),
        (
            "{name: a, providerType: SLACK, endpoint: https://x/, providerSpecificConfig: [1]}",
            "2:82: webhook 1: providerSpecificConfig should be a mapping, as in `key: value`: "
            "one in a line, with a space behind the colon",
        ),
    ],
)
def test_a_mistake_in_an_object_is_told_at_its_place(tmp_path: Path, object_: str, expected: str) -> None:
    assert mistakes(tmp_path, f"webhooks:\n  - {object_}") == [f"config.yaml:{expected}"]


def test_a_file_of_webhooks_alone_has_sinks_and_routes(tmp_path: Path) -> None:
    told = warnings(tmp_path, "webhooks: " + json.dumps([DOCUMENTED]))
    assert [line for line in told if " no " in line] == ["1:1: no sources: nothing can come in"]


def test_two_webhooks_cannot_share_a_name(tmp_path: Path) -> None:
    one = "{name: My Slack, providerType: SLACK, endpoint: https://x/}"
    assert mistakes(tmp_path, f"sinks: {{}}\nwebhooks:\n  - {one}\n  - {one}") == [
        'config.yaml:4:12: webhook 2: its sink would be called "my-slack", and that name is taken'
    ]
