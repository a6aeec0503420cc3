"""Slack: what is sent both ways, what its answers mean, and that nothing it could refuse goes out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.http import Http, Response
from bridge.sinks.slack.service import SLACK
from bridge.sinks.text import utf16
from tests.services.service import serving
from tests.services.slack import HOOK, TOKEN, Slack, slack_faults
from tests.sinks.values import a_message, a_sink, between, config, hostile_texts

URL = f"https://hooks.slack.com{HOOK}"
TEXT = "🔔 *USER_CREATED*\nTime: Nov 03, 2024 15:27:47\n\n👤 *User Information*\n-------------------\n• Email: a@b.c"


def sent(text: str, **settings: Any) -> dict[str, Any]:
    settings = settings or {"url": URL}
    said: dict[str, Any] = json.loads(a_sink(type="slack", **settings).build(a_message({"text": text})).body)
    return said


def sections(text: str) -> list[str]:
    return [block["text"]["text"] for block in sent(text)["blocks"]]


def test_one_section_carries_the_whole_text_and_the_fallback_repeats_it() -> None:
    assert sent(TEXT) == {
        "text": TEXT,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": TEXT, "verbatim": True}}],
    }


def test_the_webhook_is_told_channel_name_and_icon_for_the_legacy_ones_that_listen() -> None:
    said = sent(
        "hi", url=URL, channel="#ops", username="OrbVPN Bot", icon_emoji="robot_face", thread_ts="1732160058.161673"
    )
    del said["text"], said["blocks"]
    assert said == {
        "channel": "#ops",
        "username": "OrbVPN Bot",
        "icon_emoji": ":robot_face:",
        "thread_ts": "1732160058.161673",
    }


def test_a_token_calls_the_api_with_the_token_in_the_header_alone() -> None:
    request = a_sink(type="slack", token=TOKEN, channel="#ops").build(a_message({"text": "hi"}))
    assert str(request.url) == "https://slack.com/api/chat.postMessage"
    assert request.headers == {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {TOKEN}"}
    assert TOKEN.encode() not in request.body
    said = json.loads(request.body)
    assert (said["channel"], said["unfurl_links"], said["unfurl_media"]) == ("#ops", False, False)


def test_a_long_text_is_parted_at_its_blank_lines() -> None:
    parts = ["a" * 2000, "b" * 2000 + "\n" + "b" * 500, "c" * 100]
    blocks = [block["text"]["text"] for block in sent("\n\n".join(parts))["blocks"]]
    assert blocks == [parts[0], parts[1] + "\n\n" + parts[2]]


def test_a_paragraph_too_long_for_a_section_is_parted_at_its_lines() -> None:
    blocks = [block["text"]["text"] for block in sent("\n".join(["x" * 999] * 7))["blocks"]]
    assert [len(block) for block in blocks] == [2999, 2999, 999]


def test_a_line_too_long_for_a_section_is_parted_at_its_words_and_the_rest_follows() -> None:
    assert sections("Log:\n" + "word " * 1000 + "\nafter") == [
        "Log:\n" + " ".join(["word"] * 599),
        " ".join(["word"] * 401) + " \nafter",
    ]
    assert sections("y" * 5000 + "\nafter") == ["y" * 2999, "y" * 2001 + "\nafter"]


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("```\n" + "line\n" * 700 + "```", ["```\n" + "line\n" * 597 + "line```", "```" + "line\n" * 102 + "```"]),
        ("```\n" + "line\n" * 598 + "```" + "x" * 99, ["```\n" + "line\n" * 597 + "line```", "x" * 99]),
        ("line\n" * 598 + "```\ncode\n```", ["line\n" * 597 + "line", "```code\n```"]),
        ("*" + "bold " * 700 + "*", ["*" + "bold " * 598 + "bold*", "*" + "bold " * 101 + "*"]),
        ("* " + "star\n" * 700, ["* " + "star\n" * 598 + "star", "star\n" * 100 + "star"]),
    ],
)  # fmt: skip
def test_what_a_section_leaves_open_is_closed_there_and_opened_again_in_the_next_one(
    text: str, parted: list[str]
) -> None:
    assert sections(text) == parted


@given(
    st.lists(st.sampled_from(("line\n", "word ", "\n\n", "```", "x" * 700, "*b* ", "`c` ")), max_size=60).map("".join)
)
def test_sections_keep_to_three_thousand_characters_each_and_to_nine_thousand_five_hundred_together(text: str) -> None:
    sizes = [len(section) for section in sections(text)]
    assert max(sizes) <= 3000
    assert sum(sizes) <= 9500
    assert all(section.count("```") % 2 == 0 for section in sections(text)[:-1])


def test_the_fallback_keeps_to_four_thousand_characters_and_the_blocks_to_nine_thousand_five_hundred() -> None:
    said = sent("word and line\n" * 2000)
    assert 3980 < len(said["text"]) <= 4000
    assert said["text"].endswith("\nword and line…")
    assert 9000 < sum(len(block["text"]["text"]) for block in said["blocks"]) <= 9500


@given(
    st.lists(
        st.sampled_from(("😀" * 700, f"<https://x.example|{'😀' * 400}> ", "کاربر ", "\n", "*", "```")), max_size=30
    )
)
def test_no_section_is_too_long_however_it_is_counted(texts: list[str]) -> None:
    sizes = [utf16(section) for section in sections("".join(texts))]
    assert max(sizes) <= 3000
    assert sum(sizes) <= 9500


def test_what_some_count_as_two_characters_is_counted_as_two() -> None:
    said = sent("😀" * 3000)
    assert [utf16(block["text"]["text"]) for block in said["blocks"]] == [2998, 2998, 4]
    assert 3998 <= utf16(said["text"]) <= 4000


def test_a_message_of_nothing_still_says_what_happened() -> None:
    assert sent(" \u200b\n")["text"] == "user.created"


def test_the_look_asks_for_one_text() -> None:
    assert a_sink(type="slack", url=URL, locale="fa").look == ServiceLook(SLACK, locale="fa", parts=10)


def test_a_channel_bears_one_message_a_second_from_all_sinks_that_write_to_it() -> None:
    own, channel = a_sink(type="slack", url=URL).limits
    assert (own, channel.rate) == (Limit("", Rate(10, 1.0)), Rate(1, 1.0))
    assert a_sink(type="slack", url=URL, username="other").limits == (own, channel)
    bots = [
        a_sink(type="slack", token=token, channel=name).limits[1].scope
        for token, name in ((TOKEN, "#ops"), (TOKEN, "#ops"), (TOKEN, "#team"), (f"{TOKEN}x", "#ops"))
    ]
    assert bots[0] == bots[1]
    assert len({channel.scope, *bots}) == 4


GONE = (
    "channel_not_found not_in_channel is_archived restricted_action restricted_action_read_only_channel invalid_auth "
    "not_authed account_inactive token_revoked token_expired missing_scope no_permission org_login_required "
    "ekm_access_denied team_access_not_granted not_allowed_token_type access_denied accesslimited "
    "messages_tab_disabled enterprise_is_restricted two_factor_setup_required thread_not_found "
    "restricted_action_thread_locked"
)
REFUSED = (
    "no_text invalid_blocks invalid_blocks_format invalid_attachments too_many_attachments msg_too_long "
    "msg_blocks_too_long invalid_arguments invalid_json json_not_object invalid_post_type something_new"
)
AWAY = "internal_error fatal_error service_unavailable request_timeout team_added_to_org"


def api_error(name: str, **more: Any) -> Response:
    return Response(200, body=json.dumps({"ok": False, "error": name, **more}).encode())


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(200, body=b"ok"), Delivered()),
        (
            Response(200, body=b'{"ok":true,"channel":"C1","ts":"1732160058.000200"}'),
            Delivered(ref="C1/1732160058.000200"),
        ),
        (Response(200, body=b'{"ok":true,"channel":7,"ts":"1.2","warning":"missing_charset"}'), Delivered()),
        (
            Response(200, body=b'{"ok":true,"warning":"message_truncated"}'),
            Delivered(note="Slack warns: message_truncated"),
        ),
        (Response(200, body=b"<html>log in here</html>"), between(200, "a web page")),
        (Response(200, body=b'{"status":"success"}'), between(200, "JSON of another shape")),
        (Response(200), between(200, "nothing")),
        (Response(403, body=b"forbidden"), between(403, "a text")),
        (Response(403, body=b"policy_denied"), between(403, "a text")),
        (Response(404, body=b'{"message":"no Route matched"}'), between(404, "JSON of another shape")),
        (Response(200, body=b'{"ok":false}'), Refused("HTTP 200: unknown_error")),
        (
            api_error("invalid_blocks", response_metadata={"messages": ["must be string [/blocks/0]"]}),
            Refused("HTTP 200: invalid_blocks: must be string [/blocks/0]"),
        ),
        *((api_error(name), Gone(f"HTTP 200: {name}")) for name in GONE.split()),
        *((api_error(name), Refused(f"HTTP 200: {name}")) for name in REFUSED.split()),
        *((api_error(name), Away(f"HTTP 200: {name}")) for name in AWAY.split()),
        (Response(200, {"retry-after": "7"}, b'{"ok":false,"error":"ratelimited"}'), Limited(7.0)),
        (Response(200, body=b'{"ok":false,"error":"rate_limited"}'), Limited()),
        (Response(429, {"retry-after": "30"}, b'{"ok":false,"error":"ratelimited"}'), Limited(30.0)),
        (Response(429, {"retry-after": "1"}, b'{"retry_after":1,"ok":false,"error":"rate_limited"}'), Limited(1.0)),
        (Response(429, body=b'{"retry_after":30,"ok":false,"error":"rate_limited"}'), Limited(30.0)),
        (Response(400, body=b"invalid_payload"), Refused("HTTP 400: invalid_payload")),
        (Response(400, body=b"user_not_found"), Gone("HTTP 400: user_not_found")),
        (Response(400, body=b"no_text"), Refused("HTTP 400: no_text")),
        (Response(400, body=b"missing_text_or_fallback"), Refused("HTTP 400: missing_text_or_fallback")),
        (Response(403, body=b"action_prohibited"), Gone("HTTP 403: action_prohibited")),
        (Response(403, body=b"invalid_token"), Gone("HTTP 403: invalid_token")),
        (Response(404, body=b"channel_not_found"), Gone("HTTP 404: channel_not_found")),
        (Response(404, body=b"no_service"), Gone("HTTP 404: no_service")),
        (Response(404, body=b"no_team_of_that_name"), Gone("HTTP 404: no_team_of_that_name")),
        (Response(410, body=b"channel_is_archived"), Gone("HTTP 410: channel_is_archived")),
        (Response(500, body=b"rollup_error"), Away("HTTP 500: rollup_error")),
        (Response(503, {"retry-after": "9"}, b"<html>"), Away("HTTP 503", 9.0)),
    ],
)
def test_classify(response: Response, expected: Outcome) -> None:
    assert a_sink(type="slack", url=URL).classify(response) == expected


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "give either url, or token and channel"),
        ({"url": URL, "token": TOKEN, "channel": "c"}, "give either url, or token and channel"),
        ({"token": TOKEN}, "with a token give the channel too"),
        ({"token": " ", "channel": "c"}, "is empty"),
        ({"token": "a\nb", "channel": "c"}, "one line"),
        ({"url": "hooks.slack.com/x"}, "should be an address"),
        ({"url": URL, "icon_emoji": "robot face"}, "name of an emoji"),
        ({"url": URL, "thread_ts": 12}, "time stamp in quotes"),
        ({"url": URL, "icon_url": "x"}, "should be an address"),
        ({"token": TOKEN, "channel": "c", "api_base": "slack.com"}, "should be an address"),
    ],
)
def test_a_wrong_setting_says_what_to_do(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        config(type="slack", **settings)


async def test_a_webhook_takes_it(http: Http) -> None:
    service = Slack()
    async with serving(service) as base:
        attempt = await a_sink(http, type="slack", url=base + HOOK).send(a_message({"text": TEXT}))
    assert attempt.outcome == Delivered()
    assert service.taken[0].body["text"] == TEXT


async def test_the_api_takes_it_and_gives_the_time_stamp(http: Http) -> None:
    service = Slack()
    async with serving(service) as base:
        sink = a_sink(http, type="slack", token=TOKEN, channel="#notifications", api_base=f"{base}/api/")
        attempt = await sink.send(a_message({"text": TEXT}))
    assert attempt.outcome == Delivered(ref="C0123456/1732160058.000001")


async def test_a_wrong_token_and_a_wrong_channel_are_gone(http: Http) -> None:
    async with serving(Slack()) as base:
        wrong_token = a_sink(http, type="slack", token="xoxb-wrong", channel="#notifications", api_base=f"{base}/api")
        wrong_channel = a_sink(http, type="slack", token=TOKEN, channel="#nowhere", api_base=f"{base}/api")
        attempts = [await sink.send(a_message({"text": TEXT})) for sink in (wrong_token, wrong_channel)]
    assert [one.outcome for one in attempts] == [Gone("HTTP 200: invalid_auth"), Gone("HTTP 200: channel_not_found")]


@given(text=hostile_texts | st.lists(hostile_texts, max_size=10).map("\n\n".join))
def test_no_text_makes_a_message_that_slack_refuses(text: str) -> None:
    assert list(slack_faults(sent(text), "incomingWebhook")) == []
    assert list(slack_faults(sent(text, token=TOKEN, channel="#ops", icon_emoji=":x:"), "chatPostMessage")) == []
