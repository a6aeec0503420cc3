"""Telegram: what is sent, what is sent again, what its answers mean, and that nothing it could refuse goes out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.http import Http, Response
from bridge.sinks.telegram.service import TELEGRAM
from bridge.sinks.telegram.sink import TelegramSink
from tests.services.service import Answer, serving
from tests.services.telegram import TOKEN, Telegram, telegram_faults
from tests.sinks.values import a_message, a_sink, between, config, hostile_texts, tools

BASE: dict[str, Any] = {"type": "telegram", "token": TOKEN, "chat_id": -1001}


def sent(blocks: Any, **settings: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(a_sink(**(BASE | settings)).build(a_message(blocks)).body)
    return said


def test_only_what_is_set_is_sent() -> None:
    request = a_sink(**BASE).build(a_message({"text": "<b>hi</b>"}))
    assert str(request.url) == f"https://api.telegram.org/bot{TOKEN}/sendMessage"
    assert json.loads(request.body) == {
        "chat_id": -1001,
        "text": "<b>hi</b>",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def test_every_setting_reaches_the_wire() -> None:
    said = sent(
        {"text": "hi"},
        chat_id="@news_channel",
        message_thread_id=7,
        disable_notification=True,
        protect_content=True,
        link_preview=True,
    )
    assert said == {
        "chat_id": "@news_channel",
        "text": "hi",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": False},
        "message_thread_id": 7,
        "disable_notification": True,
        "protect_content": True,
    }


def test_a_chat_given_as_text_is_a_number() -> None:
    assert sent({"text": "hi"}, chat_id=" -1001234567890 ")["chat_id"] == -1001234567890


def test_the_general_topic_is_left_out() -> None:
    assert "message_thread_id" not in sent({"text": "hi"}, message_thread_id=1)


BUTTONS = [{"text": "Open {{ x }}", "url": "https://p.example/{{ y }}"}, {"text": "Chat", "url": "tg://user?id=1"}]


def test_buttons_are_templates_and_come_one_to_a_row() -> None:
    assert a_sink(**BASE, buttons=BUTTONS).look == ServiceLook(
        TELEGRAM,
        (
            ("button_0_text", "Open {{ x }}"),
            ("button_0_url", "https://p.example/{{ y }}"),
            ("button_1_text", "Chat"),
            ("button_1_url", "tg://user?id=1"),
        ),
        parts=10,
    )
    blocks = {"text": "hi", "button_0_text": "Open", "button_0_url": "https://p.example/ü", "button_1_text": "Chat"}
    said = sent(blocks | {"button_1_url": "tg://user?id=1"}, buttons=BUTTONS)
    assert said["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "Open", "url": "https://p.example/%C3%BC"}],
            [{"text": "Chat", "url": "tg://user?id=1"}],
        ]
    }


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "http://localhost/", "ftp://x.example", "tg://a b", "http://."]
)
def test_a_button_that_telegram_would_refuse_is_left_out(url: str) -> None:
    said = sent({"text": "hi", "button_0_text": "Open", "button_0_url": url}, buttons=BUTTONS[:1])
    assert "reply_markup" not in said


def test_a_message_of_nothing_still_says_what_happened() -> None:
    for nothing in ("", " \n", "<b> </b>", "\u200b<i>\u2800</i>"):
        assert sent({"text": nothing})["text"] == "user.created"


BOT, CHAT = "telegram bot 123456789", "telegram bot 123456789 chat -1001"


def test_a_bot_its_chats_and_its_groups_have_limits_that_all_topics_share() -> None:
    own, bot, chat = Limit("", Rate(10, 1.0)), Limit(BOT, Rate(30, 1.0)), Limit(CHAT, Rate(1, 1.0))
    assert a_sink(**BASE).limits == (own, bot, chat, Limit(CHAT, Rate(20, 60.0)))
    assert a_sink(**BASE, message_thread_id=7).limits == a_sink(**BASE).limits
    assert a_sink(**(BASE | {"chat_id": 42})).limits == (own, bot, Limit(f"{BOT} chat 42", Rate(1, 1.0)))
    assert Limit(f"{BOT} chat @news", Rate(20, 60.0)) in a_sink(**(BASE | {"chat_id": "@news"})).limits
    assert a_sink(**BASE, rate="30/s").limits == (Limit("", Rate(30, 1.0)),)


def error(code: int, description: str, **parameters: Any) -> Response:
    said = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return Response(code, {}, json.dumps(said).encode())


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(200, body=b'{"ok":true,"result":{"message_id":7}}'), Delivered(ref="-1001/7")),
        (Response(200, body=b"<html>blocked in your country</html>"), between(200, "a web page")),
        (Response(200, body=b'{"ok":false}'), between(200, "JSON of another shape")),
        (Response(200, body=b'{"result":1}'), between(200, "JSON of another shape")),
        (Response(401, body=b'{"error":"who are you"}'), between(401, "JSON of another shape")),
        (Response(404, body=b"404 page not found"), between(404, "a text")),
        (Response(413, body=b"<html>"), Refused("HTTP 413")),
        (error(429, "Too Many Requests: retry after 10072", retry_after=10072), Limited(10072.0)),
        (Response(429, {"retry-after": "13"}, b"{}"), Limited(13.0)),
        (Response(429, {}, b"<html>"), Limited()),
        (error(429, "Too Many Requests", retry_after=0), Limited()),
        (error(401, "Unauthorized"), Gone("HTTP 401: Unauthorized")),
        (error(404, "Not Found"), Gone("HTTP 404: Not Found")),
        (error(403, "Forbidden: bot was blocked"), Gone("HTTP 403: Forbidden: bot was blocked")),
        (error(403, "Forbidden: bot was kicked"), Gone("HTTP 403: Forbidden: bot was kicked")),
        (error(400, "Bad Request: chat not found"), Gone("HTTP 400: Bad Request: chat not found")),
        (error(400, "upgraded", migrate_to_chat_id=-1009), Gone("the chat has moved: set chat_id to -1009")),
        (error(400, "Bad Request: message is too long"), Refused("HTTP 400: Bad Request: message is too long")),
        (error(400, "message thread not found"), Gone("HTTP 400: message thread not found")),
        (
            error(400, "Bad Request: inline keyboard button URL 'http://x/chat not found' is invalid"),
            Refused("HTTP 400: Bad Request: inline keyboard button URL 'http://x/chat not found' is invalid"),
        ),
        (error(400, "Bad Request: can't parse entities: x"), Refused("HTTP 400: Bad Request: can't parse entities: x")),
        (Response(400, body=b"<html>"), between(400, "a web page")),
        (Response(502, body=b"<html>"), Away("HTTP 502")),
        (error(500, "Internal Server Error"), Away("HTTP 500")),
    ],
)
def test_classify(response: Response, expected: Outcome) -> None:
    assert a_sink(**BASE).classify(response) == expected


@pytest.mark.parametrize(
    "said",
    [
        "Bad Request: inline keyboard button URL 'https://panel.intern/' is invalid: Wrong HTTP URL",
        "Bad Request: BUTTON_URL_INVALID",
        "Bad Request: BUTTON_USER_PRIVACY_RESTRICTED",
        "Bad Request: REPLY_MARKUP_TOO_LONG",
    ],
)
async def test_a_message_one_of_whose_buttons_is_refused_is_sent_without_them(http: Http, said: str) -> None:
    service = Telegram()
    async with serving(service) as base:
        refusal = {"ok": False, "error_code": 400, "description": said}
        service.answer_next(Answer(400, refusal))
        sink = a_sink(http, **BASE | {"api_base": base, "buttons": BUTTONS[1:]})
        attempt = await sink.send(a_message({"text": "<b>hi</b>", "button_0_text": "Chat", "button_0_url": "tg://x"}))
    (taken,) = service.taken
    assert (taken.body["text"], taken.body["parse_mode"]) == ("<b>hi</b>", "HTML")
    assert "reply_markup" not in taken.body
    assert attempt.requests == 2
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.note == f"sent without its buttons, for one was refused: {said}"


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"token": ""}, "is empty"),
        ({"chat_id": "news"}, "should be a number such as -1001234567890"),
        ({"chat_id": True}, "should be a number"),
        ({"chat_id": "@x"}, "should be a number"),
        ({"chat_id": 2**52}, "should have at most 52 bits"),
        ({"chat_id": -(2**52)}, "should have at most 52 bits"),
        ({"message_thread_id": 0}, "should be at least 1"),
        ({"api_base": "api.telegram.org"}, "should be an address"),
        ({"buttons": [{"text": "x"}]}, "Field required"),
        ({"proxy": "socks5://127.0.0.1"}, "should name the port"),
        ({"proxy": "127.0.0.1:1080"}, "should begin with"),
    ],
)
def test_a_wrong_setting_says_what_to_do(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        config(**(BASE | settings))


async def test_telegram_takes_it_and_gives_its_id(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        attempt = await a_sink(http, **BASE, api_base=base).send(a_message({"text": "<b>hi</b> &amp; bye"}))
    assert attempt.outcome == Delivered(ref="-1001/1")


async def test_broken_markup_is_sent_again_at_once_as_plain_text(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        attempt = await a_sink(http, **BASE, api_base=base).send(a_message({"text": "<b>hi<br> &lt;bye&gt; <i>"}))
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.ref == "-1001/1"
    assert (attempt.outcome.note or "").startswith(
        "sent as plain text, for the markup was refused: Bad Request: can't parse"
    )
    assert service.requests == 2
    assert service.taken[0].body["text"] == "hi <bye>"
    assert "parse_mode" not in service.taken[0].body


async def test_a_chat_that_has_moved_is_followed_and_remembered(http: Http) -> None:
    service = Telegram(moved={-77: -10077})
    async with serving(service) as base:
        sink = a_sink(http, **(BASE | {"chat_id": -77}), api_base=base)
        first, second = [await sink.send(a_message({"text": "hi"})) for _ in range(2)]
    assert first.outcome == Delivered(ref="-10077/1", note="the chat has moved: set chat_id to -10077")
    assert second.outcome == Delivered(ref="-10077/2")
    assert [one.body["chat_id"] for one in service.taken] == [-10077, -10077]
    assert service.requests == 3


async def test_broken_markup_in_a_chat_that_has_moved_arrives_too(http: Http) -> None:
    service = Telegram(moved={-77: -10077})
    async with serving(service) as base:
        attempt = await a_sink(http, **(BASE | {"chat_id": -77}), api_base=base).send(a_message({"text": "<b>hi"}))
    assert isinstance(attempt.outcome, Delivered)
    assert service.taken[0].body["text"] == "hi"


async def test_a_chat_that_moves_in_circles_is_given_up(http: Http) -> None:
    service = Telegram(moved={-77: -78, -78: -77})
    async with serving(service) as base:
        attempt = await a_sink(http, **(BASE | {"chat_id": -77}), api_base=base).send(a_message({"text": "hi"}))
    assert isinstance(attempt.outcome, Gone)
    assert service.requests == 3


async def test_the_token_is_masked_in_what_telegram_says(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        service.answer_next(
            Answer(400, {"ok": False, "error_code": 400, "description": f"bad /bot{TOKEN}/sendMessage"})
        )
        attempt = await a_sink(http, **BASE, api_base=base).send(a_message({"text": "hi"}))
    assert attempt.outcome == Refused("HTTP 400: bad /bot***/sendMessage")
    assert TOKEN not in attempt.answer


tags = st.sampled_from(["b", "i", "u", "s", "code", "pre", "blockquote", "tg-spoiler"])
escaped = hostile_texts.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
html_texts = st.recursive(
    escaped,
    lambda inner: st.lists(
        inner
        | st.builds(lambda tag, text: f"<{tag}>{text}</{tag}>", tags, inner)
        | st.builds(lambda text: f'<a href="https://x.example/?a=1&amp;b=2">{text}</a>', inner),
        max_size=6,
    ).map("".join),
    max_leaves=15,
)


@given(text=html_texts | st.lists(html_texts, max_size=150).map("\n".join))
def test_no_text_that_is_escaped_makes_a_message_that_telegram_refuses(text: str) -> None:
    assert list(telegram_faults(sent({"text": text}))) == []


@given(
    text=hostile_texts,
    button=hostile_texts,
    url=hostile_texts | st.text(max_size=20).map("https://x.example/{}".format),
)
def test_no_text_at_all_makes_a_plain_message_that_telegram_refuses(text: str, button: str, url: str) -> None:
    message = a_message({"text": text, "button_0_text": button, "button_0_url": url})
    sink = TelegramSink(config(**BASE, buttons=BUTTONS[:1]), tools())
    flow = sink.flow(message)
    next(flow)
    said = json.loads(flow.send(error(400, "Bad Request: can't parse entities: x")).body)
    assert list(telegram_faults(said)) == []
