"""MAX: what is sent, what its answers mean, and what becomes of what was said before."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.message import Circumstances
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.http import Http, Request, Response
from bridge.sinks.max.answers import AWAY, OF_CHAT
from bridge.sinks.max.service import MAX
from bridge.sinks.max.text import MaxText
from bridge.sinks.reachability import Finding, FindingMark
from tests.certificates import authority
from tests.services.max import CHANNEL, CHAT, DIALOG, PERSON, TOKEN, Max, max_faults
from tests.services.service import serving
from tests.sinks.values import a_deletion, a_digest, a_message, a_sink, an_update, between, config, hostile_texts

BASE: dict[str, Any] = {"type": "max", "token": TOKEN, "chat_id": CHAT}
ANEW = "the earlier message is not there any more: sent anew"
LINKS = [{"text": "a", "url": "b"}] * 2


def built(blocks: Any, **settings: Any) -> Request:
    request: Request = a_sink(**(BASE | settings)).build(a_message(blocks))
    return request


def sent(blocks: Any, **settings: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(built(blocks, **settings).body)
    return said


def test_a_message_is_html_to_a_chat_with_the_token_alone_in_its_head() -> None:
    request = built({"text": "<b>New</b>"})
    url = f"https://platform-api2.max.ru/messages?chat_id={CHAT}&disable_link_preview=true"
    assert (request.method, str(request.url), request.headers["Authorization"]) == ("POST", url, TOKEN)
    assert json.loads(request.body) == {"text": "<b>New</b>", "format": "html", "attachments": []}


def test_a_person_is_reached_by_their_own_number_and_a_preview_is_shown_where_it_is_wished_for() -> None:
    to_person = {"type": "max", "token": TOKEN, "user_id": PERSON, "link_preview": True}
    assert dict(a_sink(**to_person).build(a_message({"text": "x"})).url.query) == {"user_id": str(PERSON)}


def test_nobody_is_woken_where_it_is_silent() -> None:
    message = a_message({"text": "x"}, circumstances=Circumstances(silent=True))
    assert json.loads(a_sink(**BASE).build(message).body)["notify"] is False


def test_links_lead_somewhere_or_are_left_out() -> None:
    blocks = {"text": "x", "button_0_text": "Open", "button_0_url": "https://x.example/", "button_1_url": "max://x"}
    button = {"type": "link", "text": "Open", "url": "https://x.example/"}
    assert sent(blocks, links=LINKS)["attachments"] == [{"type": "inline_keyboard", "payload": {"buttons": [[button]]}}]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ('a <b> & "c"', "a &lt;b&gt; &amp; &quot;c&quot;"),
        ("@ali a@b @", "@\u2060ali a@\u2060b @\u2060"),
        ("max://user/1", "max:\u2060//user/1"),
        ("a*b_c", "a*b_c"),
    ],
)
def test_what_means_something_there_means_nothing(text: str, escaped: str) -> None:
    assert MaxText.escape(text) == escaped


@given(hostile_texts)
def test_nothing_that_it_could_refuse_goes_out(text: str) -> None:
    assert list(max_faults(sent({"text": str(MaxText.lines(text)), "remarks": "sent again"}))) == []


def test_a_tag_that_it_does_not_know_is_left_out_and_its_text_is_not() -> None:
    assert sent({"text": "<u>a</u> <tg-spoiler>b</tg-spoiler> <span class='x'>c</span>"})["text"] == "<u>a</u> b c"


def test_a_text_keeps_to_the_limit_with_its_markup_and_in_utf_16() -> None:
    assert 3980 < len(sent({"text": "x" * 5000})["text"]) <= 4000
    told = sent({"text": f"<b>{'👩' * 3000}</b>"})["text"]
    assert len(told.encode("utf-16-le")) // 2 <= 4000
    assert told.endswith("…</b>")
    parts = [a_message({"text": letter * 1500}) for letter in "abcd"]
    said = json.loads(a_sink(**BASE).build_digest(a_digest({"text": "4 events"}, *parts)).body)["text"]
    assert said == "\n\n".join(["4 events", "a" * 1500, "b" * 1500, "🆕 alice ×2"])


def answer(status: int, code: str, said: str = "no") -> Response:
    return Response(status, {}, json.dumps({"code": code, "message": said}).encode())


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (Response(200, {}, b'{"message": {"body": {"mid": "mid.7"}}}'), Delivered(f"chat:{CHAT}/mid.7")),
        (Response(200, {}, b'{"message": {}}'), between(200, "JSON of another shape")),
        (Response(200, {}, b'{"success": true}'), between(200, "JSON of another shape")),
        (Response(200, {}, b'{"success": false, "message": "no"}'), Refused("HTTP 200: no")),
        (Response(200, {}, b"<html>"), between(200, "a web page")),
        *((answer(403, code), Gone(f"HTTP 403: {code}: no")) for code in sorted(OF_CHAT)),
        (answer(400, "chat.not.found"), Gone("HTTP 400: chat.not.found: no")),
        (answer(401, "verify.token"), Gone("HTTP 401: verify.token: no")),
        (Response(401, {}, b"Invalid access_token"), Gone("HTTP 401: Invalid access_token")),
        (Response(401, {}, b"<html>"), between(401, "a web page")),
        (Response(404, {}, b"{}"), between(404, "a text")),
        (answer(400, "proto.payload"), Refused("HTTP 400: proto.payload: no")),
        *((answer(400, code), Away(f"HTTP 400: {code}: no")) for code in sorted(AWAY)),
        (answer(429, "too.many.requests"), Limited()),
        (answer(400, "too.many.requests"), Limited()),
        (Response(429, {"retry-after": "3"}, b""), Limited(3.0)),
        (answer(503, "service.unavailable"), Away("HTTP 503")),
    ],
)
def test_its_answers(response: Response, outcome: Outcome) -> None:
    assert a_sink(**BASE).classify(response) == outcome


async def test_a_message_is_edited_answered_and_taken_back(http: Http) -> None:
    service = Max()
    async with serving(service) as base:
        sink = a_sink(http, **BASE, links=LINKS[:1], api_base=base)
        button = {"button_0_text": "Open", "button_0_url": "https://x.example/"}
        first = (await sink.send(a_message({"text": "away", **button}))).outcome
        assert isinstance(first, Delivered)
        ref = str(first.ref)
        edited = (await sink.send(an_update(ref, {"text": "back"}))).outcome
        answered = (await sink.send(an_update(ref, {"text": "yes"}, thread=True))).outcome
        assert edited == Delivered(ref)
        assert answered == Delivered(f"chat:{CHAT}/mid.{2:016x}")
        was, reply = service.messages.values()
        assert (was["text"], was["attachments"], was["notify"]) == ("back", [], False)
        assert reply["link"] == {"type": "reply", "mid": f"mid.{1:016x}"}
        assert (await sink.send(a_deletion(ref))).outcome == Delivered()
        assert (await sink.send(a_deletion(ref))).outcome == Delivered()
    assert len(service.messages) == 1


@pytest.mark.parametrize("thread", [False, True])
async def test_what_was_deleted_is_said_anew(http: Http, thread: bool) -> None:
    async with serving(Max()) as base:
        update = an_update(f"chat:{CHAT}/mid.9", {"text": "x"}, thread=thread)
        attempt = await a_sink(http, **BASE, api_base=base).send(update)
    assert attempt.outcome == Delivered(f"chat:{CHAT}/mid.{1:016x}", ANEW)


@pytest.mark.parametrize("host", ["panel.lan", "localhost:8080"])
async def test_a_message_one_of_whose_buttons_is_refused_is_sent_without_them(http: Http, host: str) -> None:
    service = Max()
    note = "sent without its buttons, for one was refused: Must have only http/https links format in buttons"
    async with serving(service) as base:
        sink = a_sink(http, **BASE, links=LINKS[:1], api_base=base)
        button = {"button_0_text": "Open", "button_0_url": f"https://{host}/"}
        first = await sink.send(a_message({"text": "away", **button}))
        ref = f"chat:{CHAT}/mid.{1:016x}"
        edited = await sink.send(an_update(ref, {"text": "back", **button}))
        anew = await sink.send(an_update(f"chat:{CHAT}/mid.9", {"text": "x", **button}))
    assert (first.outcome, edited.outcome) == (Delivered(ref, note), Delivered(ref, note))
    assert anew.outcome == Delivered(f"chat:{CHAT}/mid.{2:016x}", f"{ANEW}; {note}")
    assert [(one.body["text"], one.body["attachments"]) for one in service.taken] == [
        ("away", []),
        ("back", []),
        ("x", []),
    ]


async def test_an_edit_that_the_chat_refuses_is_not_said_anew(http: Http) -> None:
    service = Max()
    async with serving(service) as base:
        sink = a_sink(http, **(BASE | {"token": "wrong"}), api_base=base)
        attempt = await sink.send(an_update(f"chat:{CHAT}/mid.9", {"text": "x"}))
    assert isinstance(attempt.outcome, Gone)
    assert attempt.requests == 1


async def test_what_was_said_in_another_chat_is_never_edited(http: Http) -> None:
    async with serving(Max()) as base:
        sink = a_sink(http, **BASE, api_base=base)
        for ref in (f"chat:{CHANNEL}/mid.1", f"user:{CHAT}/mid.1", "mid.1", "x", ""):
            assert (await sink.send(an_update(ref, {"text": "x"}))).requests == 1


async def test_a_chat_that_is_not_there_and_a_person_who_stopped_the_bot_are_about_the_place(http: Http) -> None:
    async with serving(Max()) as base:
        nowhere = await a_sink(http, **(BASE | {"chat_id": 1}), api_base=base).send(a_message({"text": "x"}))
        stopped = await a_sink(http, type="max", token=TOKEN, user_id=1, api_base=base).send(a_message({"text": "x"}))
    assert nowhere.outcome == Gone("HTTP 404: chat.not.found: Chat 1 not found")
    assert stopped.outcome == Gone("HTTP 403: chat.denied: error.dialog.suspended")


def test_a_chat_bears_two_a_second_and_the_bot_thirty() -> None:
    bot, chat = a_sink(**BASE).service_limits
    assert (bot, chat) == (Limit(bot.scope, Rate(30, 1.0)), Limit(chat.scope, Rate(2, 1.0)))
    other = a_sink(type="max", token=TOKEN, user_id=CHAT * -1).service_limits
    assert other[0] == bot
    assert other[1] != chat


def test_it_wants_a_text() -> None:
    assert a_sink(**BASE, locale="ru").look == ServiceLook(MAX, locale="ru", parts=10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"chat_id": "@news"},
        {"chat_id": True},
        {"chat_id": 2**63},
        {"chat_id": None},
        {"user_id": 1},
        {"chat_id": ""},
        {"chat_id": 1.0},
        {"chat_id": [1]},
        {"token": ""},
        {"links": LINKS * 6},
    ],
)
def test_what_leads_nowhere_is_no_setting(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**(BASE | wrong))


@pytest.mark.parametrize("wrong", [-1, "-1", 0, "@anna", "Anna", True, 1.0, [1]])
def test_a_person_is_a_number_above_nought(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="should be the number of a person"):
        config(type="max", token=TOKEN, user_id=wrong)


@pytest.mark.parametrize(("written", "number"), [(" 7 ", 7), (2**63 - 1, 2**63 - 1)])
def test_a_person_may_be_written_as_a_text(written: Any, number: int) -> None:
    assert config(type="max", token=TOKEN, user_id=written).user_id == number


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, {"ca"}),
        ({"api_base": "https://platform-api.max.ru"}, {"api_base"}),
        ({"api_base": "https://gateway.example.com"}, set()),
        ({"token": "Bearer abc", "api_base": "https://gateway.example.com"}, {"token"}),
    ],
)
def test_what_is_worth_saying_is_said(settings: dict[str, Any], said: set[str]) -> None:
    assert {one.setting for one in config(**(BASE | settings)).advise()} == said


def test_where_its_root_is_named_nothing_is_said(tmp_path: Path) -> None:
    assert list(config(**BASE, ca=str(authority(tmp_path)[0])).advise()) == []


@pytest.mark.parametrize(
    ("chat", "status", "permissions", "finding"),
    [
        (CHAT, "active", [], Finding(FindingMark.OK, '@fravpn_bot may write in "VPN"')),
        (CHANNEL, "active", ["write"], Finding(FindingMark.OK, '@fravpn_bot may write in "VPN"')),
        (
            CHANNEL,
            "active",
            ["read_all_messages"],
            Finding(FindingMark.WRONG, '@fravpn_bot may not write in "VPN": make it an administrator with that right'),
        ),
        (DIALOG, "active", [], Finding(FindingMark.OK, "@fravpn_bot may write to VPN")),
        (CHAT, "left", [], Finding(FindingMark.WRONG, '@fravpn_bot is not in "VPN": it is left there')),
        (1, "active", [], Finding(FindingMark.WRONG, "HTTP 404: chat.not.found: Chat 1 not found")),
    ],
)
async def test_it_is_asked_whether_the_bot_may_write(
    http: Http, chat: int, status: str, permissions: list[str], finding: Finding
) -> None:
    service = Max()
    service.status, service.permissions = status, permissions
    async with serving(service) as base:
        assert await a_sink(http, **(BASE | {"chat_id": chat}), api_base=base).asked(within=60) == finding


async def test_of_a_person_only_the_bot_is_asked_after(http: Http) -> None:
    async with serving(Max()) as base:
        found = await a_sink(http, type="max", token=TOKEN, user_id=PERSON, api_base=base).asked(within=60)
    assert found == Finding(
        FindingMark.OK, "@fravpn_bot; whether it may write to the person is seen by a message alone"
    )


@pytest.mark.parametrize("place", ["chat_id", "user_id"])
async def test_where_the_address_follows_from_data_only_the_bot_is_asked_after(http: Http, place: str) -> None:
    async with serving(Max()) as base:
        settings = {"type": "max", "token": TOKEN, place: "{{ owner.max }}", "api_base": base}
        found = await a_sink(http, **settings).asked(within=60)
    assert found == Finding(FindingMark.OK, "@fravpn_bot; whom it tells follows from each event")
