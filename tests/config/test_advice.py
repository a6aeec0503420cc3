"""Addresses, tokens and rows that a service cannot do anything with: told before anything is sent."""

from pathlib import Path

import pytest

from tests.config.files import mistakes, warnings

HOOK = "https://discord.com/api/webhooks/104/abc"
SLACK = "https://hooks.slack.com/services/T0/B0/x"
TELEGRAM = "{type: telegram, token: '123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11', chat_id: 7}"
COPY = "copy the webhook's: channel settings, Integrations, Webhooks"
CREATE = "create an incoming webhook: api.slack.com/apps, Incoming Webhooks"
BOT = "give the bot's, xoxb-…: api.slack.com/apps, OAuth & Permissions"
ACCESS = "give an access token, tk_…: Account, Access tokens, or `ntfy token add`"
FORM = "123456789:ABC…, as @BotFather gives it"


@pytest.mark.parametrize(
    ("sink", "expected"),
    [
        (
            "{type: discord, url: 'https://discord.com/channels/104/105'}",
            f"2:29: url is where people read the channel, and takes no messages: {COPY}",
        ),
        (
            "{type: discord, url: 'https://ptb.discord.com/channels/104/105/106'}",
            f"2:29: url is where people read the channel, and takes no messages: {COPY}",
        ),
        (
            "{type: discord, url: 'https://discord.gg/abc'}",
            f"2:29: url is no webhook's, https://discord.com/api/webhooks/id/token: {COPY}",
        ),
        (
            "{type: discord, url: 'https://discord.com/api/webhooks/104'}",
            f"2:29: url is no webhook's, https://discord.com/api/webhooks/id/token: {COPY}",
        ),
        (
            f"{{type: discord, url: '{HOOK}/slack'}}",
            "2:29: url ends in /slack, where nothing of ours is understood: leave that out",
        ),
        (
            f"{{type: discord, url: '{HOOK}/github?wait=true'}}",
            "2:29: url ends in /github, where nothing of ours is understood: leave that out",
        ),
        (
            f"{{type: discord, url: '{HOOK}/messages/5'}}",
            "2:29: url ends in more than id and token, where nothing of ours is understood: leave that out",
        ),
        (
            "{type: slack, url: 'https://team.slack.com/archives/C0123/p17'}",
            f"2:27: url is where people read the channel, and takes no messages: {CREATE}",
        ),
        (
            "{type: slack, url: 'https://app.slack.com/client/T0/C0'}",
            f"2:27: url is where people read the channel, and takes no messages: {CREATE}",
        ),
        (
            "{type: slack, url: 'https://hooks.slack.com/services/T0'}",
            f"2:27: url is not whole, https://hooks.slack.com/services/T…/B…/…: copy it again, or {CREATE}",
        ),
        (
            "{type: slack, token: xapp-1-A0-1-x, channel: '#vpn'}",
            f"2:29: token is an app's token, for sockets, which posts no message: {BOT}",
        ),
        (
            "{type: slack, token: xoxe-1-x, channel: '#vpn'}",
            f"2:29: token is a refresh token, which posts no message: {BOT}",
        ),
        (
            f"{{type: slack, token: '{SLACK}', channel: '#vpn'}}",
            f"2:29: token is an address: an incoming webhook's stands under url; as token {BOT}",
        ),
        (
            "{type: telegram, token: 'bot123456:abc', chat_id: 7}",
            "2:32: token begins with bot, which is added to it: leave that out",
        ),
        (
            "{type: telegram, token: 'https://api.telegram.org/bot1:a', chat_id: 7}",
            f"2:32: token is an address: give the token alone, {FORM}",
        ),
        (
            "{type: telegram, token: ABC-DEF, chat_id: 7}",
            f"2:32: token should be a number, a colon and letters: {FORM}",
        ),
        (
            "{type: telegram, token: xoxb-1-2, chat_id: 7}",
            f"2:32: token should be a number, a colon and letters: {FORM}",
        ),
        (
            "{type: telegram, token: '123456:', chat_id: 7}",
            f"2:32: token should be a number, a colon and letters: {FORM}",
        ),
        (
            TELEGRAM.replace("chat_id: 7", "chat_id: 123456"),
            "2:86: chat_id is the bot itself, which cannot write to itself: give the chat's",
        ),
        (
            TELEGRAM.replace("chat_id: 7", "chat_id: 7, api_base: 'https://api.telegram.org/bot'"),
            "2:99: api_base is the host alone: /bot and the token are added to it",
        ),
        *(
            (
                TELEGRAM.replace("chat_id: 7", f"chat_id: 7, api_base: '{address}'"),
                "2:99: api_base should be an address without ? and #: paths are put behind it",
            )
            for address in ("https://api.telegram.org/?x=1", "https://api.telegram.org/#x")
        ),
        (
            "{type: ntfy, topic: account}",
            "2:28: topic is a name that ntfy keeps for itself: give another one",
        ),
        (
            "{type: ntfy, topic: vpn, token: 'https://ntfy.sh/vpn'}",
            f"2:40: token is an address: {ACCESS}",
        ),
        (
            "{type: ntfy, topic: vpn, api_base: 'https://ntfy.sh/vpn'}",
            "2:43: api_base is the server alone: the topic stands under topic",
        ),
        (
            "{type: slack, url: 'https://ntfy.sh/vpn'}",
            "2:27: url is an address of ntfy, and this sink speaks as slack: "
            "make it type: ntfy, or give another address",
        ),
        (
            "{type: zapier, url: 'https://zapier.com/app/editor/1'}",
            "2:28: url is a page of Zapier's: copy the hook's own, https://hooks.zapier.com/hooks/catch/…",
        ),
        (
            "{type: gohighlevel, url: 'https://app.gohighlevel.com/v2/location/x'}",
            "2:33: url is a page of the app: copy the URL that the workflow's inbound webhook trigger shows",
        ),
        (
            f"{{type: slack, url: '{HOOK}'}}",
            "2:27: url is an address of discord, and this sink speaks as slack: "
            "make it type: discord, or give another address",
        ),
        (
            f"{{type: discord, url: '{SLACK}'}}",
            "2:29: url is an address of slack, and this sink speaks as discord: "
            "make it type: slack, or give another address",
        ),
        (
            f"{{type: zapier, url: '{SLACK}'}}",
            "2:28: url is an address of slack, and this sink speaks as zapier: "
            "make it type: slack, or give another address",
        ),
        (
            "{type: slack, url: 'https://hooks.zapier.com/hooks/catch/1/a'}",
            "2:27: url is an address of zapier, and this sink speaks as slack: "
            "make it type: zapier, or give another address",
        ),
    ],
)
def test_what_cannot_work_is_a_mistake(tmp_path: Path, sink: str, expected: str) -> None:
    position, _, text = expected.partition(": ")
    assert mistakes(tmp_path, f"sinks:\n  ops: {sink}\n") == [f'config.yaml:{position}: sink "ops": {text}']


def test_it_is_told_beside_other_mistakes(tmp_path: Path) -> None:
    assert mistakes(tmp_path, f"sinks:\n  a: {{type: discord, url: '{HOOK}/slack'}}\n  b: {{type: discrod}}\n") == [
        'config.yaml:2:27: sink "a": url ends in /slack, where nothing of ours is understood: leave that out',
        'config.yaml:3:13: sink "b": type: "discrod" is unknown: did you mean "discord"?',
    ]


def test_a_webhooks_endpoint_is_judged_too(tmp_path: Path) -> None:
    webhook = f"webhooks:\n  - {{name: x, providerType: SLACK, endpoint: '{HOOK}'}}\n"
    assert mistakes(tmp_path, webhook) == [
        "config.yaml:2:46: webhook 1: endpoint is an address of discord, and this sink speaks as slack: "
        "make it type: discord, or give another address"
    ]


def test_of_a_sink_that_is_disabled_it_is_a_warning(tmp_path: Path) -> None:
    sink = f"{{type: discord, enabled: false, url: '{HOOK}/slack'}}"
    assert '2:45: sink "ops": url ends in /slack, where nothing of ours is understood: leave that out' in warnings(
        tmp_path, f"sinks:\n  ops: {sink}\n"
    )


def of_sink(found: list[str]) -> list[str]:
    return [one for one in found if "no row names it" not in one and '"ops"' in one]


@pytest.mark.parametrize(
    ("sink", "expected"),
    [
        (
            "{type: slack, url: 'https://hooks.slack.com/triggers/T0/1/x'}",
            '2:27: sink "ops": url starts a workflow, which understands only the variables that it names: '
            f"for messages {CREATE}",
        ),
        (
            "{type: slack, url: 'https://hooks.slack.com/workflows/T0/A0/1/x'}",
            '2:27: sink "ops": url starts a workflow, which understands only the variables that it names: '
            f"for messages {CREATE}",
        ),
        ("{type: slack, token: abc, channel: x}", f'2:29: sink "ops": token has not the form of Slack\'s: {BOT}'),
        (
            "{type: telegram, token: '123456:abc', chat_id: 7}",
            f'2:32: sink "ops": token is not whole, it seems: it should be {FORM}',
        ),
        ("{type: ntfy, topic: vpn, token: abc}", f'2:40: sink "ops": token has not the form of ntfy\'s: {ACCESS}'),
        (
            f"{{type: webhook, url: '{HOOK}'}}",
            '2:29: sink "ops": url is an address of discord, and this sink speaks as webhook: '
            "make it type: discord, or give another address",
        ),
        (
            "{type: gohighlevel, url: 'https://hooks.zapier.com/hooks/catch/1/a'}",
            '2:33: sink "ops": url is an address of zapier, and this sink speaks as gohighlevel: '
            "make it type: zapier, or give another address",
        ),
        (
            "{type: webhook, url: 'https://x', secret: whsec_MTIz}",
            '2:50: sink "ops": secret is shorter than Standard Webhooks wants, 24 bytes: '
            "make one with `openssl rand -base64 32`",
        ),
        (
            '{type: webhook, url: "https://x", format: marzban, secret: "a\\nb"}',
            '2:67: sink "ops": secret has a line break or a control character in it, which no header carries',
        ),
        (
            '{type: webhook, url: "https://x", format: marzban, secret: "schlüssel"}',
            '2:67: sink "ops": secret has signs beyond ASCII: it goes out in UTF-8, and who was written for the panel '
            "may read Latin-1",
        ),
    ],
)
def test_what_may_work_is_a_warning(tmp_path: Path, sink: str, expected: str) -> None:
    assert of_sink(warnings(tmp_path, f"sinks:\n  ops: {sink}\n")) == [expected]


@pytest.mark.parametrize(
    "sink",
    [
        f"{{type: discord, url: '{HOOK}'}}",
        "{type: discord, url: 'https://discordapp.com/api/v10/webhooks/104/a-b_c?thread_id=5'}",
        "{type: discord, url: 'https://proxy.example/hooks/7/slack'}",
        "{type: ntfy, topic: vpn, token: tk_agqdq7mvbofd37zqvn29rhumzniz2}",
        "{type: ntfy, topic: vpn, api_base: 'https://example.com/ntfy'}",
        f"{{type: slack, url: '{SLACK}'}}",
        "{type: slack, url: 'http://mattermost.example/hooks/x'}",
        "{type: slack, url: 'https://team.slack.com/services/hooks/incoming-webhook?token=x'}",
        "{type: slack, token: xoxb-1, channel: x}",
        "{type: slack, token: xoxe.xoxp-1, channel: x}",
        "{type: slack, token: any, channel: x, api_base: 'https://gateway.example'}",
        TELEGRAM,
        "{type: telegram, token: any, chat_id: 7, api_base: 'https://gateway.example'}",
        "{type: zapier, url: 'https://hooks.zapier.com/hooks/catch/1/a'}",
        "{type: zapier, url: 'https://n8n.example/webhook/a'}",
        "{type: gohighlevel, url: 'https://services.leadconnectorhq.com/hooks/x/webhook-trigger/y'}",
        "{type: webhook, url: 'https://hooks.zapier.com/hooks/catch/1/a'}",
        f"{{type: webhook, url: '{SLACK}', body: '{{}}'}}",
        "{type: webhook, url: 'https://x', secret: whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0}",
        "{type: console}",
    ],
)
def test_what_works_passes_without_a_word(tmp_path: Path, sink: str) -> None:
    assert of_sink(warnings(tmp_path, f"sinks:\n  ops: {sink}\n")) == []


@pytest.mark.parametrize(
    ("sink", "how", "why"),
    [
        (f"{{type: discord, url: '{HOOK}'}}", "subject", None),
        (
            f"{{type: discord, url: '{HOOK}'}}",
            "thread",
            "a webhook cannot answer a message; with update: subject it edits it",
        ),
        (
            f"{{type: slack, url: '{SLACK}'}}",
            "subject",
            "a webhook's message can be neither edited nor answered; give a",
        ),
        (
            f"{{type: slack, url: '{SLACK}'}}",
            "thread",
            "a webhook's message can be neither edited nor answered; give a",
        ),
        ("{type: slack, token: xoxb-1, channel: x}", "thread", None),
        (TELEGRAM, "thread", None),
        ("{type: console}", "subject", "it has no messages that could be changed"),
        ("{type: webhook, url: 'https://x'}", "thread", "it has no messages that could be changed"),
        ("{type: zapier, url: 'https://x'}", "subject", "it has no messages that could be changed"),
    ],
)
def test_an_update_that_the_service_cannot_do_is_a_warning(
    tmp_path: Path, sink: str, how: str, why: str | None
) -> None:
    source = "sources:\n  m: {panel: marzban, secret: x}\n"
    found = warnings(tmp_path, f"{source}sinks:\n  ops: {sink}\nroutes:\n  - {{to: ops, update: {how}}}\n")
    assert len(found) == (why is not None)
    if why is not None:
        assert found[0].startswith(f'6:23: route 1: update: "ops" tells every event anew: {why}')


def test_no_advice_tells_a_secret(tmp_path: Path) -> None:
    secret = "s3cr3ts3cr3ts3cr3t"
    for sink in (
        f"{{type: discord, url: 'https://discord.com/api/webhooks/{secret}'}}",
        f"{{type: discord, url: '{HOOK}/{secret}/x'}}",
        f"{{type: telegram, token: 'bot1:{secret}', chat_id: 7}}",
        f"{{type: slack, token: 'xapp-{secret}', channel: x}}",
        f"{{type: discord, url: 'https://hooks.slack.com/services/{secret}'}}",
    ):
        assert all(secret not in one for one in mistakes(tmp_path, f"sinks:\n  ops: {sink}\n"))
