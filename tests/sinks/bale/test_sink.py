"""Bale: what is sent, what its answers mean, and what becomes of what was said before."""

import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.bale.answers import GONE
from bridge.sinks.bale.service import BALE
from bridge.sinks.bale.text import BaleText
from bridge.sinks.http import Http, Response
from bridge.sinks.reachability import Finding, FindingMark
from tests.services.bale import CHAT, TOKEN, Bale, bale_faults
from tests.services.service import serving
from tests.sinks.values import a_deletion, a_digest, a_message, a_sink, an_update, between, config, hostile_texts

BASE: dict[str, Any] = {"type": "bale", "token": TOKEN, "chat_id": CHAT}
ANEW = "the earlier message is not there any more: sent anew"
LINKS = [{"text": "a", "url": "b"}] * 2


def sent(blocks: Any, **settings: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(a_sink(**(BASE | settings)).build(a_message(blocks)).body)
    return said


def test_a_message_is_a_text_and_nothing_that_bale_does_not_know() -> None:
    request = a_sink(**BASE).build(a_message({"text": "*New*"}))
    assert (request.method, str(request.url)) == ("POST", f"https://tapi.bale.ai/bot{TOKEN}/sendMessage")
    assert json.loads(request.body) == {"chat_id": CHAT, "text": "*New*"}


def test_links_lead_somewhere_or_are_left_out() -> None:
    blocks = {"text": "x", "button_0_text": "Open", "button_0_url": "https://x.example/", "button_1_url": "tg://x"}
    assert sent(blocks, links=LINKS)["reply_markup"] == {
        "inline_keyboard": [[{"text": "Open", "url": "https://x.example/"}]]
    }


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b_c 2*3", "a_b_c 2*3"),
        ("*a*", "\u200b*\u200ba\u200b*\u200b"),
        ("[a](https://x.example)", "\u200b[\u200ba\u200b]\u200b(https://x.example)"),
        ("@ali a@b", "@\u2060ali a@b"),
        ("<b> & </b>", "<b> & </b>"),
    ],
)
def test_a_mark_that_means_none_holds_on_to_nothing(text: str, escaped: str) -> None:
    assert BaleText.escape(text) == escaped


@given(hostile_texts)
def test_nothing_that_it_could_refuse_goes_out(text: str) -> None:
    assert list(bale_faults(sent({"text": str(BaleText.lines(text)), "remarks": "sent again"}))) == []


def test_a_text_keeps_to_the_limit() -> None:
    assert len(sent({"text": "x" * 5000})["text"]) == 4096
    assert sent({"text": "😀" * 5000})["text"] == "😀" * 2047 + "…"
    parts = [a_message({"text": letter * 1500}) for letter in "abcd"]
    said = json.loads(a_sink(**BASE).build_digest(a_digest({"text": "4 events"}, *parts)).body)["text"]
    assert said == "\n\n".join(["4 events", "a" * 1500, "b" * 1500, "🆕 alice ×2"])


def answer(status: int, code: int | None = None, description: str = "no", **more: Any) -> Response:
    said = {"ok": False, "error_code": code or status, "description": description}
    return Response(status, {}, json.dumps(said | more).encode())


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (Response(200, {}, b'{"ok": true, "result": {"message_id": 7}}'), Delivered(f"{CHAT}/7")),
        (Response(200, {}, b'{"ok": true, "result": true}'), Delivered()),
        (Response(200, {}, b"{}"), between(200, "a text")),
        (Response(200, {}, b"<html>"), between(200, "a web page")),
        *((answer(400, description=words), Gone(f"HTTP 400: {words}")) for words in GONE),
        (answer(440, description="x"), Gone("HTTP 440: x")),
        (answer(200, 440, "no such group or user"), Gone("HTTP 440: no such group or user")),
        (answer(403), Gone("HTTP 403: no")),
        (answer(400), Refused("HTTP 400: no")),
        (answer(429, parameters={"retry_after": 4}), Limited(4.0)),
        (answer(200, 429), Limited()),
        (answer(400, description="local_rate_limited"), Limited()),
        (Response(400, {}, b"local_rate_limited"), Limited()),
        (Response(403, {}, b"<html>"), between(403, "a web page")),
        (Response(404, {}, b'{"ok": false}'), between(404, "JSON of another shape")),
        (answer(500), Away("HTTP 500")),
    ],
)
def test_its_answers(response: Response, outcome: Outcome) -> None:
    assert a_sink(**BASE).classify(response) == outcome


async def test_a_message_is_edited_answered_and_taken_back(http: Http) -> None:
    service = Bale()
    async with serving(service) as base:
        sink = a_sink(http, **BASE, api_base=base)
        first = (await sink.send(a_message({"text": "away"}))).outcome
        edited = (await sink.send(an_update(f"{CHAT}/1", {"text": "back"}))).outcome
        answered = (await sink.send(an_update(f"{CHAT}/1", {"text": "yes"}, thread=True))).outcome
        assert (first, edited, answered) == (Delivered(f"{CHAT}/1"), Delivered(f"{CHAT}/1"), Delivered(f"{CHAT}/2"))
        assert [one["text"] for one in service.messages.values()] == ["back", "yes"]
        assert service.messages[2]["reply_to_message_id"] == 1
        assert isinstance((await sink.send(a_deletion(f"{CHAT}/1"))).outcome, Delivered)
        assert (await sink.send(a_deletion(f"{CHAT}/1"))).outcome == Delivered()
    assert list(service.messages) == [2]


@pytest.mark.parametrize("thread", [False, True])
async def test_what_was_deleted_is_said_anew(http: Http, thread: bool) -> None:
    service = Bale()
    async with serving(service) as base:
        attempt = await a_sink(http, **BASE, api_base=base).send(an_update(f"{CHAT}/9", {"text": "x"}, thread=thread))
    assert attempt.outcome == Delivered(f"{CHAT}/1", ANEW)


async def test_what_was_said_in_another_chat_is_never_edited(http: Http) -> None:
    service = Bale()
    async with serving(service) as base:
        sink = a_sink(http, **BASE, api_base=base)
        for ref in ("42/1", "x", "!x/$1", ""):
            assert (await sink.send(an_update(ref, {"text": "x"}))).requests == 1


async def test_a_chat_that_is_not_there_and_a_wrong_token_are_about_the_place(http: Http) -> None:
    async with serving(Bale()) as base:
        nowhere = await a_sink(http, **(BASE | {"chat_id": 1}), api_base=base).send(a_message({"text": "x"}))
        wrong = await a_sink(http, **(BASE | {"token": "1:wrong"}), api_base=base).send(a_message({"text": "x"}))
    assert nowhere.outcome == Gone("HTTP 440: no such group or user")
    assert wrong.outcome == Gone("HTTP 403: Bad Request: Token not found")


def test_a_chat_bears_one_a_second() -> None:
    (limit,) = a_sink(**BASE).service_limits
    assert limit == Limit(limit.scope, Rate(1, 1.0))
    assert a_sink(**(BASE | {"chat_id": "@news"})).service_limits != (limit,)


def test_it_wants_a_text() -> None:
    assert a_sink(**BASE, locale="fa").look == ServiceLook(BALE, locale="fa", parts=10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"chat_id": "news"},
        {"chat_id": True},
        {"chat_id": 2**63},
        {"chat_id": -(2**63)},
        {"token": ""},
        {"links": LINKS * 6},
    ],
)
def test_what_leads_nowhere_is_no_setting(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**(BASE | wrong))


async def test_it_is_asked_whether_the_bot_knows_the_chat(http: Http) -> None:
    async with serving(Bale()) as base:
        known = await a_sink(http, **BASE, api_base=base).asked(within=60)
        nowhere = await a_sink(http, **(BASE | {"chat_id": 1}), api_base=base).asked(within=60)
    assert known == Finding(FindingMark.OK, '@panelbot knows "VPN"; what it may do there is seen by a message alone')
    assert nowhere == Finding(FindingMark.WRONG, "HTTP 440: no such group or user")
