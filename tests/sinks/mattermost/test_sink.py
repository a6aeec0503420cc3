"""Mattermost: what is sent, what its answers mean, and that nothing in it is taken for Slack's."""

import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.message import PLAIN, Circumstances
from bridge.outcome import Away, Delivered, Gone, Limited, Outcome, Refused
from bridge.sinks.http import Http, Response
from bridge.sinks.mattermost.answers import GONE
from bridge.sinks.mattermost.message import TEXT
from bridge.sinks.mattermost.service import MATTERMOST
from bridge.sinks.mattermost.text import MattermostText
from tests.services.mattermost import HOOK, Mattermost, mattermost_faults
from tests.services.service import serving
from tests.sinks.values import a_digest, a_message, a_sink, an_update, between, config, hostile_texts

BASE: dict[str, Any] = {"type": "mattermost", "url": f"https://mattermost.example{HOOK}"}


def sent(blocks: Any, circumstances: Circumstances = PLAIN, **settings: Any) -> dict[str, Any]:
    message = a_message(blocks, circumstances=circumstances)
    said: dict[str, Any] = json.loads(a_sink(**(BASE | settings)).build(message).body)
    return said


def test_only_what_is_set_is_sent() -> None:
    request = a_sink(**BASE).build(a_message({"text": "**New**"}))
    assert (request.method, str(request.url)) == ("POST", BASE["url"])
    assert json.loads(request.body) == {"text": "**New**"}


def test_every_setting_reaches_the_wire() -> None:
    settings = {"channel": "town-square", "username": "Panel", "icon_url": "https://x.example/i.png"}
    assert sent({"text": "x"}, **settings, icon_emoji="satellite", priority="urgent") == {
        "text": "x",
        **settings,
        "icon_emoji": ":satellite:",
        "priority": {"priority": "urgent"},
    }


def test_what_has_nothing_to_show_says_its_type() -> None:
    assert sent({"text": "\n\u200b"}) == {"text": "user.created"}


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b https://x.example/a_b", "a_b https://x.example/a_b"),
        ("_a_ *b* ~c~ `d`", r"\_a\_ \*b\* \~c\~ \`d\`"),
        ("@channel a@b @ali", "@\u200bchannel a@\u200bb @\u200bali"),
        ("<!channel> <https://x|y>", "&lt;!channel&gt; &lt;https://x\\|y&gt;"),
        (":smile: 10:30", ":\u200bsmile: 10:30"),
        ("# a", r"\# a"),
        ("1. a", r"1\. a"),
        ("- a", r"\- a"),
        ("a & b", "a &amp; b"),
    ],
)
def test_what_is_written_is_what_is_read(text: str, escaped: str) -> None:
    assert MattermostText.escape(text) == escaped


@pytest.mark.parametrize(
    ("text", "code"), [("a|b", "`a|b`"), ("<a|b>", "`<\u200ba│b>`"), ("a`b", "`aˋb`"), ("نام", "نام"), ("", "")]
)
def test_code_is_no_slacks_either(text: str, code: str) -> None:
    assert MattermostText.code(text) == code


@given(hostile_texts)
def test_nothing_that_it_could_refuse_or_translate_goes_out(text: str) -> None:
    for written in (MattermostText.lines(text), MattermostText.code(text)):
        assert list(mattermost_faults(sent({"text": str(written), "remarks": "sent again"}))) == []


def test_a_text_is_one_post() -> None:
    assert len(sent({"text": "x" * 20_000})["text"]) == TEXT
    parts = [a_message({"text": letter * 5000}) for letter in "abcd"]
    said = json.loads(a_sink(**BASE).build_digest(a_digest({"text": "4 events"}, *parts)).body)["text"]
    assert said == "\n\n".join(["4 events", "a" * 5000, "b" * 5000, "c" * 5000, "🆕 alice"])


def answer(status: int, id_: str = "", **more: Any) -> Response:
    said = {"id": id_, "message": "no", "status_code": status} if id_ else {}
    return Response(status, {}, json.dumps(said | more).encode())


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (Response(200, {}, b"ok"), Delivered()),
        (Response(200, {}, b""), between(200, "nothing")),
        (Response(200, {}, b'{"ok": true}'), between(200, "JSON of another shape")),
        (Response(200, {}, b"<html>"), between(200, "a web page")),
        *((answer(400, id_), Gone(f"HTTP 400, {id_}: no")) for id_ in GONE),
        (
            answer(501, "web.incoming_webhook.disabled.app_error"),
            Gone("HTTP 501, web.incoming_webhook.disabled.app_error: no"),
        ),
        (Response(501, {}, b"<html>"), between(501, "a web page")),
        (
            answer(400, "web.incoming_webhook.text.app_error"),
            Refused("HTTP 400, web.incoming_webhook.text.app_error: no"),
        ),
        (answer(403, "x.app_error", status_code=400), between(403, "JSON of another shape")),
        (answer(404), between(404, "a text")),
        (answer(413, "x.app_error"), Refused("HTTP 413")),
        (answer(429, "api.context.limit.app_error"), Limited()),
        (answer(500, "x.app_error"), Away("HTTP 500")),
    ],
)
def test_its_answers(response: Response, outcome: Outcome) -> None:
    assert a_sink(**BASE).classify(response) == outcome


async def test_a_post_arrives_and_what_comes_later_is_a_new_one(http: Http) -> None:
    service = Mattermost()
    async with serving(service) as base:
        sink = a_sink(http, type="mattermost", url=base + HOOK)
        for message in (a_message({"text": "away"}), an_update("x/1", {"text": "back"})):
            assert (await sink.send(message)).outcome == Delivered()
        service.removed = True
        gone = await sink.send(a_message({"text": "x"}))
    assert gone.outcome == Gone("HTTP 400, web.incoming_webhook.invalid.app_error: Invalid webhook.")
    assert [one.body["text"] for one in service.taken] == ["away", "back"]


def test_it_wants_a_text() -> None:
    assert a_sink(**BASE, locale="fa").look == ServiceLook(MATTERMOST, locale="fa", parts=10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "hooks/x"},
        {"channel": "Town Square"},
        {"priority": "high"},
        {"icon_url": "x.png"},
        {"icon_emoji": ": :"},
    ],
)
def test_what_it_would_refuse_is_no_setting(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**(BASE | wrong))
