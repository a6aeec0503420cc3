"""What is sent to Slack's webhooks, as a posted message."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given

from bridge.errors import BadPayload
from bridge.panels.base import EmptyMessage, Hook, ParsedEvent
from bridge.panels.discord.panel import DiscordEndpointConfig, DiscordPanel
from bridge.panels.discord.slack import markdown, slack_message
from tests.panels.hearing import JSON, shaped
from tests.panels.recorded import ARRIVAL

PANEL = DiscordPanel(DiscordEndpointConfig.model_validate({"panel": "discord", "secret": "none"}))


def parsed(body: Any) -> ParsedEvent:
    hook = Hook(body=json.dumps(body).encode(), received_at=ARRIVAL, dialect="slack")
    (element,) = PANEL.elements(hook)
    return PANEL.parse(PANEL.scrub(element), hook)


def test_a_text_becomes_a_posted_message() -> None:
    body = {"text": "*disk full* on <https://x.example/fra|fra-1>", "username": "Monit", "icon_url": "https://x/i.png"}
    event = parsed({**body, "channel": "#ops", "icon_emoji": ":ghost:"})
    assert (event.type, event.native_type, event.subject) == ("message.posted", "discord:slack", None)
    assert event.data["message"] == {
        "content": "**disk full** on [fra-1](https://x.example/fra)",
        "username": "Monit",
        "avatar_url": "https://x/i.png",
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("*bold* _it_ ~gone~", "**bold** _it_ ~~gone~~"),
        ("2*3*4 and *a b*, *c*", "2*3*4 and **a b**, **c**"),
        ("`*code*` ```*x* &amp;```", "`*code*` ```*x* &```"),
        ("a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
        ("<https://x.example> <https://x.example|[x]>", "https://x.example [(x)](https://x.example)"),
        ("<mailto:a@x.example|a@x.example>", "a@x.example"),
        ("<!here> <!channel|channel> <@U1> <@U1|ann> <#C1|ops>", "@here @channel @U1 @ann #ops"),
        ("<!subteam^S1|@team> <!date^1795234458^{date}|today>", "@team today"),
    ],
)
def test_slacks_markup_becomes_discords(source: str, expected: str) -> None:
    assert markdown(source) == expected


def test_attachments_become_embeds() -> None:
    attachment = {  # as Grafana and Alertmanager send it
        "fallback": "[FIRING:1] NodeDown",
        "color": "danger",
        "pretext": "look",
        "author_name": "Alertmanager",
        "author_link": "https://x.example/am",
        "title": "[FIRING:1] NodeDown",
        "title_link": "https://x.example/alerts",
        "text": "*fra-1* is down",
        "fields": [{"title": "Severity", "value": "critical", "short": True}, {"title": "", "value": ""}],
        "image_url": "https://x.example/i.png",
        "thumb_url": "https://x.example/t.png",
        "footer": "am",
        "ts": 1795234458,
        "actions": [{"type": "button", "text": "Runbook", "url": "https://x.example/run"}, {"type": "button"}],
        "mrkdwn_in": ["text"],
    }
    assert parsed({"attachments": [attachment, {"fallback": "only *this*"}, {}]}).data["message"] == {
        "embeds": [
            {
                "title": "[FIRING:1] NodeDown",
                "description": "look\n**fra-1** is down",
                "author": {"name": "Alertmanager", "url": "https://x.example/am"},
                "fields": [{"name": "Severity", "value": "critical", "inline": True}],
                "footer": {"text": "am"},
                "image": {"url": "https://x.example/i.png"},
                "thumbnail": {"url": "https://x.example/t.png"},
                "url": "https://x.example/alerts",
                "color": 0xA30200,
                "timestamp": "2026-11-21T04:14:18Z",
            },
            {"description": "only **this**"},
        ],
        "components": [
            {
                "type": 1,
                "components": [{"type": 2, "style": 5, "label": "Runbook", "url": "https://x.example/run"}],
            }
        ],
    }


@pytest.mark.parametrize(("color", "expected"), [("#36a64f", 0x36A64F), ("36a64f", 0x36A64F), ("good", 0x2EB886)])
def test_a_colour_is_one_of_slacks_or_hexadecimal(color: str, expected: int) -> None:
    [embed] = parsed({"attachments": [{"text": "x", "color": color}]}).data["message"]["embeds"]
    assert embed["color"] == expected


def test_blocks_are_what_is_shown_and_the_text_beside_them_is_not() -> None:
    rich = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "all "},
                    {"type": "text", "text": "good ", "style": {"bold": True, "italic": True}},
                    {"type": "link", "url": "https://x.example", "text": "here"},
                    {"type": "emoji", "name": "tada"},
                    {"type": "broadcast", "range": "here"},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "ordered",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}],
            },
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "q"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = *1*"}]},
        ],
    }
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Deploy"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*fra-1* is up"},
            "fields": [{"type": "mrkdwn", "text": "*Took*\n3 s"}],
            "accessory": {
                "type": "button",
                "text": {"type": "plain_text", "text": "Open"},
                "url": "https://x.example/o",
            },
        },
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "by ci"}, {"type": "image", "image_url": "x"}]},
        {"type": "image", "image_url": "https://x.example/i.png", "alt_text": "load"},
        rich,
    ]
    assert parsed({"text": "fallback", "blocks": blocks}).data["message"] == {
        "content": "**Deploy**\n**fra-1** is up\n**Took**\n3 s\nby ci\nall _**good**_ [here](https://x.example):tada:@here\n"
        "1. one\n> q\n```\nx = *1*\n```",
        "embeds": [{"image": {"url": "https://x.example/i.png"}}],
        "components": [
            {"type": 1, "components": [{"type": 2, "style": 5, "label": "Open", "url": "https://x.example/o"}]}
        ],
    }


def test_what_is_longer_than_discord_takes_is_kept_whole() -> None:
    assert parsed({"text": "x" * 9000}).data["message"]["content"] == "x" * 9000


@pytest.mark.parametrize(
    "body", [{}, {"text": " "}, {"attachments": [{}], "blocks": [{"type": "divider"}]}, {"text": 5}]
)
def test_a_message_of_nothing_is_empty(body: Any) -> None:
    with pytest.raises(EmptyMessage):
        parsed(body)


@pytest.mark.parametrize("body", [[], "x", 5, None])
def test_what_is_no_object_is_none_of_slacks(body: Any) -> None:
    with pytest.raises(BadPayload):
        parsed(body)


BLOCKS = shaped(dict.fromkeys(("type", "text", "fields", "elements", "accessory", "title", "image_url"), JSON))


@given(shaped(dict.fromkeys(("text", "username", "icon_url", "blocks", "attachments"), JSON)) | JSON)
def test_nothing_but_a_bad_payload_comes_of_any_json(body: Any) -> None:
    with suppress(BadPayload):
        json.dumps(parsed(body).data, allow_nan=False)


@given(BLOCKS)
def test_any_block_is_read(block: Any) -> None:
    for kind in ("header", "section", "context", "markdown", "rich_text", "image", "video", "actions"):
        one = {**block, "type": kind} if isinstance(block, dict) else block
        json.dumps(slack_message({"blocks": [one], "attachments": [{"blocks": [one]}, one]}), allow_nan=False)
