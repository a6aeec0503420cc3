"""What is a secret by its name or by its looks, and what is none."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ingress.masking import Masker
from bridge.ingress.secrets import names_secret, without_secrets
from bridge.panels import CONFIGS
from tests.panels.hearing import heard, hook, opened, stored

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEs3cr3t\nAAAA\n-----END RSA PRIVATE KEY-----"
BOT = "110201543:" + "A" * 35


@pytest.mark.parametrize(
    "name",
    [
        *("password", "Password", "PASSWORD", "passwd", "userPassword", "user_password", "new-password", "password2"),
        *("password_hash", "hashedPassword", "passwordConfirmation", "db_pwd", "pass", "basic_auth_pass", "dbpass"),
        *("secret", "client_secret", "clientSecret", "clientsecret", "webhook.secret", "secrets", "SECRET_VALUE"),
        *("token", "refreshToken", "access_token", "apiToken", "ApiToken", "bot_token", "x-auth-token", "tokens"),
        *("apikey", "api_key", "apiKey", "APIKey", "x-api-key", "X-API-Key", "api keys", "private_key", "privateKey"),
        *("PrivateKey", "PresharedKey", "pre_shared_key", "secretAccessKey", "encryption-key", "psk", "jwt", "otp"),
        *("Authorization", "proxy-authorization", "basic_auth", "Set-Cookie", "credentials", "passphrase"),
        *("🔑 Password:", "**Trojan password**", "Access Token"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("key", "monkey", "turkey", "public_key", "publicKey", "primaryKey", "routing_key", "keys", "keyboard"),
        *("tokens_used", "token_type", "token_count", "tokenExpiresAt", "password_changed_at", "passwordStrength"),
        *("passed", "bypass", "compass", "passport", "boarding_pass", "passenger", "author", "auth", "authSources"),
        *("secretary", "secret_id", "apiTokenCreated", "api_key_id", "cookie_consent", "pin", "hash", "value", ""),
        *("Password reset for alice", "x" * 200 + "password"),
    ],
)
def test_names_of_what_is_none(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"it says {KEY} today", "it says -----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY----- today"),
        ("-----BEGIN PRIVATE KEY-----\\nMIIEs3cr3t", "-----BEGIN PRIVATE KEY-----***"),
        ("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", None),
        (f"Bearer {JWT}, twice {JWT}", "Bearer ***, twice ***"),
        ("eyJhbGciOiJIUzI1NiJ9 alone", None),
        ("postgres://bridge:s3cr3t@db:5432/x?a=b", "postgres://bridge:***@db:5432/x?a=b"),
        ("http://a:p@ss@host/x and https://b:c@d", "http://a:***@host/x and https://b:***@d"),
        ("redis://:s3cr3t@cache", "redis://:***@cache"),
        ("https://medium.com:443/@alice mail a@b.c, 12:30 @noon", None),
        ("https://alice@example.com/", None),
        ("vless://c0ffee00-1234@de.example.com:443?type=tcp#DE", "vless://***@de.example.com:443?type=tcp#DE"),
        ("vmess://eyJhZGQiOiJ4In0= and ss://YWVzOnM@h:1#x", "vmess://*** and ss://***@h:1#x"),
        ("wss://example.com/socket", None),
        (f"https://api.telegram.org/bot{BOT}/getMe", "https://api.telegram.org/bot110201543:***/getMe"),
        (f"token {BOT}.", "token 110201543:***."),
        ("1234567890:" + "a" * 64, None),
        (
            "https://canary.discord.com/api/v10/webhooks/123456789012345678/aBc-_d?wait=true",
            "https://canary.discord.com/api/v10/webhooks/123456789012345678/***?wait=true",
        ),
        ("https://discordapp.com/api/webhooks/1/s3cr3t/slack", "https://discordapp.com/api/webhooks/1/***/slack"),
        ("http://bridge:8080/api/webhooks/main/main-channel-token-AAAA", "http://bridge:8080/api/webhooks/main/***"),
        ("https://example.com/api/webhooks/users/list", None),
        ("https://hooks.slack.com/services/T000/B000/XXXXs3cr3t ok", "https://hooks.slack.com/services/*** ok"),
        ("https://hooks.slack.com/triggers/T0/1/s3cr3t", "https://hooks.slack.com/triggers/***"),
        ("https://hooks.zapier.com/hooks/catch/123/s3cr3t/", "https://hooks.zapier.com/hooks/catch/***"),
        ("xoxb-1234567890-s3cr3t", "xoxb-***"),
        (
            "https://x.example/y?user=alice&access_token=s3cr3t&n=1",
            "https://x.example/y?user=alice&access_token=***&n=1",
        ),
        ("https://x.example/y?tokens_used=12&page=2", None),
        ('{"Authorization": "Bearer s3cr3t", "n": "Alice"}', '{"Authorization": "***", "n": "Alice"}'),
        ('{"password":"a\\"b", "token_type":"Bearer"}', '{"password":"***", "token_type":"Bearer"}'),
        ("got Bearer abc.d3f-g, and no more", "got Bearer ***, and no more"),
        (
            "GET / HTTP/1.1\r\nAuthorization: Basic dXNlcjpw\r\nHost: a",
            "GET / HTTP/1.1\r\nAuthorization: ***\r\nHost: a",
        ),
        ("a bearer certificate, and a basic 10 GB plan", None),
    ],
)
def test_what_of_a_text_is_masked(text: str, masked: str | None) -> None:
    assert without_secrets(text) == (text if masked is None else masked)


@given(st.text(alphabet="abc :/@.-_=?&eyJ0123456789\n", max_size=200))
def test_what_is_masked_once_is_masked_for_good(text: str) -> None:
    once = without_secrets(text)
    assert without_secrets(once) == once


#: What each pattern would like to go back over, again and again.
HOSTILE = (
    *(
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "-----BEGIN " + "A" * 40,
        "eyJ",
        "eyJaaaaaaaaaa.",
        "eyJaaaaaaaa.a.",
    ),
    *("://", "://a:", "://a:b", "://a:@", "a@", "ss://", "vless://@", "/api/webhooks/", "/api/webhooks/a"),
    *(
        "discord.com/api/v1/webhooks/1/",
        "hooks.slack.com/services/",
        "xoxb-",
        "xapp-a-",
        "12345678:A",
        "1",
        "M",
        "MTIz.",
    ),
    *(
        '"a":"',
        '"a":"\\',
        '"',
        "Bearer ",
        "Bearer aa",
        "Bearer a/",
        "Bearer a1",
        "Authorization: ",
        "Authorization:",
        '"' + "a" * 64,
    ),
    *("M" * 24 + ".", "&a", "&a=", "?" + "a" * 64, "A" * 35 + ":", "123456%3A", ": ="),
)
EVERY_MARK = 'Bearer Authorization: " -----BEGIN eyJ ://a /webhooks/ hooks. xox xapp- %3A : . = '


@pytest.mark.parametrize("piece", HOSTILE)
def test_looking_through_a_hostile_text_grows_with_its_length_and_no_faster(piece: str) -> None:
    """Of 16 times the text the work is 16 times as much; of one that is gone over again it would be 256 times."""

    def work(size: int) -> float:
        text = EVERY_MARK + piece * (size // len(piece))
        return min(_processor_time(text) for _ in range(3))

    assert work(2**18) < 64 * work(2**14)


def _processor_time(text: str) -> float:
    before = time.thread_time_ns()
    without_secrets(text)
    return max(time.thread_time_ns() - before, 1)


# Where no rule leads


@pytest.mark.parametrize(
    ("element", "masked"),
    [
        ({"a": [{"refreshToken": "x"}]}, {"a": [{"refreshToken": "***"}]}),
        ({"credentials": {"user": "x", "n": [1, None]}}, {"credentials": {"user": "***", "n": ["***", None]}}),
        (
            {"password": 123456, "tokens": 1500, "has_secret": True},
            {"password": "***", "tokens": 1500, "has_secret": True},
        ),
        ({"secret": None, "two_factor_secret": False}, {"secret": None, "two_factor_secret": False}),
        (
            {"usage": {"tokens_used": 7, "key": "k", "passed": "yes"}},
            {"usage": {"tokens_used": 7, "key": "k", "passed": "yes"}},
        ),
        ([{"name": "DB_PASSWORD", "value": "x"}], [{"name": "DB_PASSWORD", "value": "***"}]),
        ([{"key": "colour", "value": "x"}], [{"key": "colour", "value": "x"}]),
        ([{"name": "Password", "value": "x", "inline": True}], [{"name": "Password", "value": "***", "inline": True}]),
        (f"at the top: {JWT}", "at the top: ***"),
        (["http://a:b@c"], ["http://a:***@c"]),
        (KEY.split("\n"), ["-----BEGIN RSA PRIVATE KEY-----***", "***", "***", "-----END RSA PRIVATE KEY-----"]),
    ],
)
def test_what_is_called_or_looks_like_a_secret_is_masked_without_a_rule(element: Any, masked: Any) -> None:
    assert Masker([])(element) == masked


def test_what_describes_a_secret_stays_and_a_secret_in_it_does_not() -> None:
    masker = Masker([], described=["apiToken"])
    assert masker({"apiToken": {"name": "ci", "token": "x"}}) == {"apiToken": {"name": "ci", "token": "***"}}
    assert masker({"apiToken": "x"}) == {"apiToken": "***"}


def test_the_operator_lets_through_what_is_called_or_looks_like_a_secret() -> None:
    masker = Masker([], unmask=["**.next_token", "log"])
    element = {"next_token": "page-2", "token": "x", "log": "http://a:b@c"}
    assert masker(element) == {"next_token": "page-2", "token": "***", "log": "http://a:b@c"}


SECRETS = {
    **dict.fromkeys(("Password", "client_secret", "refreshToken", "basic_auth_pass", "Authorization"), "s3cr3t"),
    **dict.fromkeys(("apikey", "apiToken", "x-api-key", "credentials"), "s3cr3t"),
    "text": "see http://bridge:s3cr3t@db/x",
    "lines": ["-----BEGIN PRIVATE KEY-----", "s3cr3t", "-----END PRIVATE KEY-----"],
    "deep": [{"Token": {"x": ["s3cr3t"]}}],
}


#: What says of a request which event it is, where its body does not.
HEADERS = {
    "cloudevents": {"Content-Type": "application/cloudevents+json"},
    "defguard": {"x-defguard-event": "user_some_day"},
    "bedolaga": {"X-Webhook-Event": "some.day"},
}


@pytest.mark.parametrize(
    ("word", "body"),
    [
        ("json", SECRETS),
        ("cloudevents", {"specversion": "1.0", "id": "1", "source": "x", "type": "a.b", "data": SECRETS}),
        ("cloudevents", {"specversion": "1.0", "id": "1", "source": "x", "type": "a.b", "data": {"user": SECRETS}}),
        ("marzban", [{"action": "some_day", "username": "alice", "user": SECRETS, "more": SECRETS}]),
        ("pasarguard", [{"action": "some_day", "username": "alice", "user": SECRETS, "more": SECRETS}]),
        ("marzneshin", {"action": "some_day", "user": {"username": "alice", **SECRETS}, "more": SECRETS}),
        ("rebecca", [{"action": "some_day", "username": "alice", "user": SECRETS, "admin": SECRETS, "more": SECRETS}]),
        ("remnawave", {"event": "some.day", "data": SECRETS, "meta": SECRETS}),
        ("remnawave", {"event": "service.api_token_created", "data": {"apiToken": {"name": "ci", **SECRETS}}}),
        ("wgportal", {"event": "day", "entity": "some", "identifier": "x", "payload": SECRETS}),
        ("wgdashboard", {"action": "some_day", "configuration": "wg0", "peers": ["a=", SECRETS], "more": SECRETS}),
        (
            "alertmanager",
            {"alerts": [{"status": "firing", "labels": SECRETS, "annotations": SECRETS, "more": SECRETS}]},
        ),
        ("uptimekuma", {"heartbeat": {"status": 0, "msg": "x", **SECRETS}, "monitor": {"name": "a", **SECRETS}}),
        ("3x-ui", {"event": "client.changed", "client": {"email": "alice", **SECRETS}, "more": SECRETS}),
        ("tailscale", [{"type": "someDay", "message": "x", "data": SECRETS, "more": SECRETS}]),
        ("defguard", {"username": "alice", "devices": [SECRETS], **SECRETS}),
        ("bedolaga", {"user_id": 17, "username": "alice", "more": SECRETS, **SECRETS}),
        ("orbvpn", {"eventType": "SOME_DAY", "userId": 7, "profile": SECRETS, "more": SECRETS}),
        (
            "discord",
            {
                "content": "see http://bridge:s3cr3t@db/x",
                "embeds": [{"title": "x", "fields": [{"name": "API key", "value": "s3cr3t"}]}],
                "components": [SECRETS],
            },
        ),
    ],
)
def test_no_panel_stores_what_is_called_or_looks_like_a_secret(word: str, body: Any) -> None:
    source = opened(word, **({"type": "'a.b'"} if word == "json" else {}))
    headers = HEADERS.get(word, {})
    kept = stored(source, hook(body, headers=headers))
    assert "s3cr3t" not in kept
    assert "***" in kept


def test_every_panel_is_asked_for_it() -> None:
    (case,) = (mark for mark in test_no_panel_stores_what_is_called_or_looks_like_a_secret.pytestmark)  # type: ignore[attr-defined]
    assert {word for word, _ in case.args[1]} == {word for config in CONFIGS for word in config.words()}


def test_the_name_of_an_api_token_is_told() -> None:
    body = {"event": "service.api_token_created", "data": {"apiToken": {"name": "ci", "scopes": ["a"]}}}
    (event,) = heard(opened("remnawave"), hook(body))
    assert json.loads(json.dumps(event.data["api_key"]))["name"] == "ci"
